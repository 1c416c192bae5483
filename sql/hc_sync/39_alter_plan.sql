-- Changing a mapping, first part: what differs between a mapping and a new configuration with Salesforce's describe. Looks only.

-- What a person reads of an action, and what hc_mapping_alter does with it.
CREATE FUNCTION public.hc_alter_fields(m public.hc_mapping, fields public.hc_field[])
RETURNS TABLE (action text, column_name name, detail text, blocked text[], f public.hc_field)
LANGUAGE plpgsql STABLE AS $function$
#variable_conflict use_column
DECLARE
    target regclass := pg_catalog.to_regclass(pg_catalog.format('%I.%I', public.hc_mapping_schema(m.id), m.table_name));
    before public.hc_field;
    change public.hc_column_change;
    have text;
    failed record;
BEGIN
    FOREACH f IN ARRAY fields LOOP
        column_name := f.column_name;
        blocked := '{}';
        SELECT h.* INTO before FROM public.hc_field h WHERE h.mapping = m.id AND h.column_name = f.column_name;
        SELECT h.* INTO change FROM public.hc_column_change h WHERE h.mapping = m.id AND h.column_name = f.column_name AND h.step <> 'validate';
        have := public.hc_column_type(target, f.column_name);
        detail := pg_catalog.concat_ws(' -> ', have, f.postgres_type);
        IF before.column_name IS NULL THEN
            action := 'add column';
            detail := f.postgres_type;
            IF have IS NOT NULL THEN
                RAISE EXCEPTION 'table % has a column "%" already', target, f.column_name
                    USING ERRCODE = 'duplicate_column', HINT = 'Rename or drop it first: its values would be overwritten by Salesforce''s.';
            END IF;
            RETURN NEXT;
            CONTINUE;
        ELSIF target IS NULL THEN
            CONTINUE;
        ELSIF have IS NULL THEN
            action := 'add column';
            RETURN NEXT;
            CONTINUE;
        END IF;
        IF change.column_name IS NOT NULL AND (change.new_type <> f.postgres_type OR public.hc_type_holds(have, f.postgres_type)) THEN
            action := 'give up change of type';
            detail := pg_catalog.concat_ws(' -> ', have, change.new_type);
            RETURN NEXT;
            change := NULL;
            detail := pg_catalog.concat_ws(' -> ', have, f.postgres_type);
        END IF;
        CONTINUE WHEN public.hc_type_holds(have, f.postgres_type) OR change.column_name IS NOT NULL;
        -- A type that is neither what Salesforce said before nor what it says now is the user's own doing, unless it is only too short.
        CONTINUE WHEN before.postgres_type = f.postgres_type AND NOT public.hc_type_lengthens(have, f.postgres_type);
        IF public.hc_type_lengthens(have, f.postgres_type) THEN
            action := 'lengthen column';
            blocked := ARRAY(SELECT d.identity FROM public.hc_column_dependants(target, f.column_name) d WHERE NOT d.follows AND d.kind <> 'constraint' ORDER BY 1);
        ELSE
            action := 'change type of column';
            blocked := ARRAY(SELECT d.identity FROM public.hc_column_dependants(target, f.column_name) d WHERE NOT d.follows ORDER BY 1);
            IF public.hc_may_fail(have, f.postgres_type) THEN
                failed := public.hc_conversion_failures(target, f.column_name, f.postgres_type);
                IF failed.failures > 0 THEN
                    action := 'cannot change type of column';
                    detail := pg_catalog.format('%s: %s values do not convert; the first ones: %s', detail, failed.failures, failed.examples);
                END IF;
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;

    FOR before IN SELECT h.* FROM public.hc_field h
                   WHERE h.mapping = m.id AND NOT h.column_name = ANY (ARRAY(SELECT w.column_name FROM pg_catalog.unnest(fields) w)) ORDER BY h.position LOOP
        action := 'drop column';
        column_name := before.column_name;
        detail := before.postgres_type;
        f := before;
        blocked := ARRAY(SELECT d.identity FROM public.hc_column_dependants(target, before.column_name) d
                          WHERE NOT (d.kind = 'index' AND EXISTS (SELECT FROM pg_catalog.pg_class x WHERE x.oid = d.object
                                      AND x.relname IN (m.names #>> ARRAY['indexes', before.column_name, 'name'], '_hc_new_' || before.column_name))) ORDER BY 1);
        RETURN NEXT;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION public.hc_alter_fields(public.hc_mapping, public.hc_field[]) IS
    'What becomes of each column whose field is new, gone or of another type; blocked lists what depends on it';

-- Settings as they were and as they will be, one row for each that differs.
CREATE FUNCTION public.hc_alter_settings(m public.hc_mapping, wanted jsonb) RETURNS TABLE (setting text, detail text)
LANGUAGE sql STABLE AS $function$
    SELECT k.key, pg_catalog.format('%s -> %s', coalesce(m.config ->> k.key, 'none'), coalesce(wanted ->> k.key, 'none'))
      FROM (SELECT pg_catalog.jsonb_object_keys(m.config) UNION SELECT pg_catalog.jsonb_object_keys(wanted)) AS k(key)
     WHERE k.key NOT IN ('fields', 'indexes', 'revision', 'applied_at') AND m.config -> k.key IS DISTINCT FROM wanted -> k.key
     ORDER BY k.key
$function$;
COMMENT ON FUNCTION public.hc_alter_settings(public.hc_mapping, jsonb) IS 'Settings of a mapping that a new configuration changes';

-- An index keeps the name that it has; only one that is new, or whose uniqueness differs, gets a name.
CREATE FUNCTION public.hc_alter_indexes(m public.hc_mapping, wanted jsonb, columns jsonb) RETURNS jsonb
LANGUAGE sql STABLE AS $function$
    SELECT pg_catalog.jsonb_object_agg(p.key, CASE WHEN m.names #> ARRAY['indexes', p.key, 'unique'] = p.value -> 'unique'
                                                   THEN m.names #> ARRAY['indexes', p.key] ELSE p.value END)
      FROM pg_catalog.jsonb_each(public.hc_index_plan(m.table_name, wanted, columns)) p
$function$;
COMMENT ON FUNCTION public.hc_alter_indexes(public.hc_mapping, jsonb, jsonb) IS 'Indexes of a mapping under a new configuration, by column';
