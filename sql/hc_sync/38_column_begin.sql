-- Another type for a column under load, first part: a column of the new type beside the old one, and a trigger that keeps the two
-- in step. hc_column_fill then fills it, and hc_column_swap puts it in the old one's place. The table needs a column id.

CREATE FUNCTION public.hc_new_column(column_name name) RETURNS name
LANGUAGE sql IMMUTABLE STRICT AS $function$ SELECT public.hc_short_name('_hc_new_' || $1) $function$;
COMMENT ON FUNCTION public.hc_new_column(name) IS 'Name of the column that will take a column''s place; capture leaves out columns that begin so';

CREATE FUNCTION public.hc_in_step_name(table_name name) RETURNS name
LANGUAGE sql IMMUTABLE STRICT AS $function$ SELECT public.hc_short_name('~hc_' || $1 || '_in_step') $function$;
COMMENT ON FUNCTION public.hc_in_step_name(name) IS 'Trigger, and function, that keeps new columns in step; it sorts behind other triggers, so it sees what they did';

CREATE FUNCTION public.hc_in_step_assignment(change public.hc_column_change, have text) RETURNS text
LANGUAGE sql IMMUTABLE AS $function$
    SELECT CASE WHEN NOT change.may_fail THEN
        pg_catalog.format(E'    NEW.%I = %s;\n', change.new_column, public.hc_conversion(pg_catalog.format('NEW.%I', change.column_name), have, change.new_type))
    ELSE
        -- What does not convert does not stop the writer: it is found before the swap.
        pg_catalog.format(E'    BEGIN\n        %4$s\n        NEW.%1$I = %2$s;\n    EXCEPTION WHEN data_exception THEN\n        NEW.%1$I = NULL;\n    END;\n',
            change.new_column, public.hc_conversion(pg_catalog.format('NEW.%I', change.column_name), have, change.new_type), NULL,
            CASE WHEN public.hc_text_length(change.new_type) > 0 THEN
                pg_catalog.format('IF length(NEW.%I::text) > %s THEN RAISE string_data_right_truncation; END IF;', change.column_name,
                                  public.hc_text_length(change.new_type)) END)
    END
$function$;
COMMENT ON FUNCTION public.hc_in_step_assignment(public.hc_column_change, text) IS 'Statement with which the trigger keeps one new column in step';

-- Made anew whenever a change of one of the table's columns begins or ends.
CREATE FUNCTION public.hc_in_step_create(in_schema name, of_table name) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    target regclass := pg_catalog.format('%I.%I', in_schema, of_table)::pg_catalog.regclass;
    name name := public.hc_in_step_name(of_table);
    owner name := (SELECT pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c WHERE c.oid = target);
    assignments text;
    keeps_status boolean := public.hc_column_type(target, '_hc_lastop') IS NOT NULL;
BEGIN
    SELECT pg_catalog.string_agg(public.hc_in_step_assignment(h, public.hc_column_type(target, h.column_name)), '' ORDER BY h.column_name)
      INTO assignments
      FROM public.hc_column_change h WHERE h.schema_name = in_schema AND h.table_name = of_table AND h.step <> 'validate';
    IF assignments IS NULL THEN
        EXECUTE pg_catalog.format('DROP TRIGGER IF EXISTS %I ON %s', name, target);
        EXECUTE pg_catalog.format('DROP FUNCTION IF EXISTS %I.%I()', in_schema, name);
        RETURN;
    END IF;
    EXECUTE pg_catalog.format($ddl$
CREATE OR REPLACE FUNCTION %1$I.%2$I() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, MDY' SET timezone = 'UTC' SET extra_float_digits = 1 AS $body$
BEGIN
%3$s%4$s    RETURN NEW;
END
$body$;
REVOKE ALL ON FUNCTION %1$I.%2$I() FROM PUBLIC;
$ddl$, in_schema, name, assignments,
       CASE WHEN keeps_status THEN $body$    IF TG_OP = 'UPDATE' AND current_setting('hc_sync_fill.running', true) = 'on' THEN
        NEW._hc_lastop = OLD._hc_lastop;
        NEW._hc_err = OLD._hc_err;
    END IF;
$body$ END);
    IF owner <> current_user THEN
        EXECUTE pg_catalog.format('ALTER FUNCTION %I.%I() OWNER TO %I', in_schema, name, owner);
    END IF;
    EXECUTE pg_catalog.format('CREATE OR REPLACE TRIGGER %I BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %I.%I()',
                              name, target, in_schema, name);
END
$function$;
COMMENT ON FUNCTION public.hc_in_step_create(name, name) IS
    'Makes or replaces the trigger that keeps a table''s new columns in step, or drops it when no column is changing';

CREATE FUNCTION public.hc_column_begin(target regclass, column_name name, new_type text, mapping uuid DEFAULT NULL, field jsonb DEFAULT NULL,
                                       "cascade" boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    have text := public.hc_column_type(target, column_name);
    new_column name := public.hc_new_column(column_name);
    place public.hc_column_change;
    later text;
BEGIN
    IF have IS NULL THEN
        RAISE EXCEPTION 'column "%" of table % does not exist', column_name, target USING ERRCODE = 'undefined_column';
    END IF;
    SELECT n.nspname, c.relname INTO place.schema_name, place.table_name
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = target;
    IF NOT "cascade" THEN
        PERFORM public.hc_refuse_dependants(target, $2, 'change the type of',
            ARRAY(SELECT d.identity FROM public.hc_column_dependants(target, $2) d WHERE NOT d.follows ORDER BY 1));
    END IF;
    SELECT t.tgname INTO later FROM pg_catalog.pg_trigger t
     WHERE t.tgrelid = target AND t.tgtype & 3 = 3 AND t.tgname::text COLLATE "C" > public.hc_in_step_name(place.table_name)::text COLLATE "C" LIMIT 1;
    IF later IS NOT NULL THEN
        RAISE EXCEPTION 'trigger "%" of table % would run after the one that keeps the new column in step', later, target
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Give it a name that does not begin with "~".';
    END IF;

    PERFORM public.hc_lock_table(target);
    EXECUTE pg_catalog.format('ALTER TABLE %s ADD COLUMN %I %s', target, new_column, new_type);
    IF (SELECT a.attnotnull FROM pg_catalog.pg_attribute a WHERE a.attrelid = target AND a.attname = $2) THEN
        EXECUTE pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%2$I IS NOT NULL) NOT VALID', target, new_column);
    END IF;
    INSERT INTO public.hc_column_change (schema_name, table_name, column_name, new_column, new_type, mapping, field, may_fail, "cascade")
         VALUES (place.schema_name, place.table_name, $2, new_column, $3, $4, $5, public.hc_may_fail(have, new_type), $6);
    PERFORM public.hc_in_step_create(place.schema_name, place.table_name);
    IF mapping IS NOT NULL THEN
        PERFORM public.hc_mapping_functions_create(mapping);
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_column_begin(regclass, name, text, uuid, jsonb, boolean) IS
    'Begins to give a column another type under load: adds the new column and keeps it in step from here on';

CREATE FUNCTION public.hc_column_cancel(in_schema name, of_table name, of_column name) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    change public.hc_column_change;
    target regclass := pg_catalog.to_regclass(pg_catalog.format('%I.%I', in_schema, of_table));
BEGIN
    DELETE FROM public.hc_column_change h WHERE h.schema_name = in_schema AND h.table_name = of_table AND h.column_name = of_column
        RETURNING h.* INTO change;
    IF change.column_name IS NULL OR target IS NULL OR change.step = 'validate' THEN
        RETURN;
    END IF;
    PERFORM public.hc_lock_table(target);
    PERFORM public.hc_in_step_create(in_schema, of_table);
    EXECUTE pg_catalog.format('ALTER TABLE %s DROP COLUMN IF EXISTS %I', target, change.new_column);
    IF change.mapping IS NOT NULL THEN
        PERFORM public.hc_mapping_functions_create(change.mapping);
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_column_cancel(name, name, name) IS 'Gives up a change of a column''s type before its swap: the old column stays as it was';
