-- Changing a mapping, second part: what can be done at once, in one transaction and without a rewrite. What needs many transactions is
-- begun here, and hc_mapping_pending lists the rest.

-- CHECK constraints are taken off and put back without a look at the rows, which hc_column_validate makes up for.
CREATE FUNCTION public.hc_column_lengthen(target regclass, column_name name, new_type text, mapping uuid) RETURNS void
LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
    checks name[];
    definitions text[];
BEGIN
    SELECT coalesce(pg_catalog.array_agg(k.conname ORDER BY k.conname), '{}'),
           coalesce(pg_catalog.array_agg(pg_catalog.format('ADD CONSTRAINT %I %s NOT VALID', k.conname,
                                         pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(k.oid), ' NOT VALID$', '')) ORDER BY k.conname), '{}')
      INTO checks, definitions
      FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
     WHERE k.conrelid = target AND k.contype = 'c' AND a.attname = $2;
    EXECUTE pg_catalog.format('ALTER TABLE %s %s', target, pg_catalog.array_to_string(
        ARRAY(SELECT pg_catalog.format('DROP CONSTRAINT %I', c) FROM pg_catalog.unnest(checks) c)
        || pg_catalog.format('ALTER %I TYPE %s', $2, $3) || definitions, ', '));
    IF checks <> '{}' THEN
        INSERT INTO public.hc_column_change (schema_name, table_name, column_name, new_column, new_type, mapping, may_fail, step, checks)
             SELECT n.nspname, c.relname, $2, $2, $3, $4, false, 'validate', checks
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = target
        ON CONFLICT (schema_name, table_name, column_name) DO UPDATE SET checks = excluded.checks;
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_column_lengthen(regclass, name, text, uuid) IS 'Lengthens a text column in place: no row is read and no index built';

CREATE FUNCTION public.hc_alter_column(m public.hc_mapping, action text, of_column name, f public.hc_field, "cascade" boolean) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    schema name := public.hc_mapping_schema(m.id);
    target regclass := pg_catalog.to_regclass(pg_catalog.format('%I.%I', schema, m.table_name));
BEGIN
    IF target IS NULL THEN
        RETURN;
    END IF;
    CASE action
        WHEN 'add column' THEN
            EXECUTE pg_catalog.format('ALTER TABLE %s ADD COLUMN %I %s', target, of_column, f.postgres_type);
        WHEN 'drop column' THEN
            PERFORM public.hc_column_cancel(schema, m.table_name, of_column);
            EXECUTE pg_catalog.format('ALTER TABLE %s DROP COLUMN IF EXISTS %I %s', target, of_column, CASE WHEN "cascade" THEN 'CASCADE' ELSE 'RESTRICT' END);
        WHEN 'lengthen column' THEN
            PERFORM public.hc_column_lengthen(target, of_column, f.postgres_type, m.id);
        WHEN 'give up change of type' THEN
            PERFORM public.hc_column_cancel(schema, m.table_name, of_column);
        WHEN 'change type of column' THEN
            PERFORM public.hc_column_begin(target, of_column, f.postgres_type, m.id, pg_catalog.to_jsonb(f), "cascade");
    END CASE;
END
$function$;
COMMENT ON FUNCTION public.hc_alter_column(public.hc_mapping, text, name, public.hc_field, boolean) IS 'Does to a mapped table what hc_alter_fields said of a column';

-- A field whose column still changes keeps its type here until the swap: what is merged meanwhile goes into the old column.
CREATE FUNCTION public.hc_alter_catalog(mapping uuid, fields public.hc_field[]) RETURNS void
LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
    DELETE FROM public.hc_field h WHERE h.mapping = $1 AND NOT h.column_name = ANY (ARRAY(SELECT f.column_name FROM pg_catalog.unnest($2) f));
    INSERT INTO public.hc_field AS h (mapping, position, field_name, column_name, salesforce_type, postgres_type, length, scale, createable, updateable,
                                      nillable, calculated, external_id, unique_in_org, relationship_name, reference_to, relationship_field, relationship_object)
         SELECT $1, (SELECT coalesce(pg_catalog.max(o.position), 0) FROM public.hc_field o WHERE o.mapping = $1) + f.place, f.field_name, f.column_name,
                f.salesforce_type, f.postgres_type, f.length, f.scale, f.createable, f.updateable, f.nillable, f.calculated, f.external_id,
                f.unique_in_org, f.relationship_name, f.reference_to, f.relationship_field, f.relationship_object
           FROM ROWS FROM (pg_catalog.unnest($2)) WITH ORDINALITY
                AS f(mapping, position, field_name, column_name, salesforce_type, postgres_type, length, scale, createable, updateable, nillable,
                     calculated, external_id, unique_in_org, relationship_name, reference_to, relationship_field, relationship_object, place)
    ON CONFLICT (mapping, column_name) DO UPDATE
       SET field_name = excluded.field_name, createable = excluded.createable, updateable = excluded.updateable, nillable = excluded.nillable,
           calculated = excluded.calculated, external_id = excluded.external_id, unique_in_org = excluded.unique_in_org;
    UPDATE public.hc_field h
       SET salesforce_type = f.salesforce_type, postgres_type = f.postgres_type, length = f.length, scale = f.scale, reference_to = f.reference_to,
           relationship_name = f.relationship_name, relationship_field = f.relationship_field, relationship_object = f.relationship_object
      FROM pg_catalog.unnest($2) f
     WHERE h.mapping = $1 AND h.column_name = f.column_name
       AND NOT EXISTS (SELECT FROM public.hc_column_change c WHERE c.mapping = $1 AND c.column_name = f.column_name AND c.step <> 'validate');
    UPDATE public.hc_column_change c SET field = pg_catalog.to_jsonb(f)
      FROM pg_catalog.unnest($2) f WHERE c.mapping = $1 AND c.column_name = f.column_name AND c.step <> 'validate';
END
$function$;
COMMENT ON FUNCTION public.hc_alter_catalog(uuid, public.hc_field[]) IS 'Writes the fields that a mapping has from now on into the catalog';

-- Raises for what cannot be done; nothing was done before.
CREATE FUNCTION public.hc_alter_refuse(target regclass, plan jsonb, "cascade" boolean) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    item record;
BEGIN
    FOR item IN SELECT * FROM pg_catalog.jsonb_to_recordset(plan) AS p(action text, column_name name, detail text, blocked text[]) LOOP
        IF item.action = 'cannot change type of column' THEN
            RAISE EXCEPTION 'cannot change the type of column "%" of table %', item.column_name, target
                USING ERRCODE = 'data_exception', DETAIL = item.detail,
                      HINT = 'Correct these values, or take the field out of the mapping and add it again: its values then come from Salesforce.';
        ELSIF NOT "cascade" THEN
            PERFORM public.hc_refuse_dependants(target, item.column_name, pg_catalog.replace(item.action, ' column', ''), item.blocked);
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION public.hc_alter_refuse(regclass, jsonb, boolean) IS 'Refuses a plan that something depends on, or that would lose values, and says what';

CREATE FUNCTION public.hc_alter_access(mapping uuid, access text) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    schema name := public.hc_mapping_schema($1);
BEGIN
    UPDATE public.hc_mapping m SET access = $2 WHERE m.id = $1;
    IF pg_catalog.to_regclass(pg_catalog.format('%I.%I', schema, (public.hc_mapping_row($1)).table_name)) IS NOT NULL THEN
        PERFORM public.hc_mapping_triggers_create($1);
    END IF;
    -- No writer of the table is between its entry and its commit now: the table is locked.
    UPDATE public.hc_mapping m SET sends_until = CASE WHEN $2 = 'read_only' THEN public.hc_last_entry(schema) END WHERE m.id = $1;
END
$function$;
COMMENT ON FUNCTION public.hc_alter_access(uuid, text) IS
    'Makes a mapping read_only or read_write: entries get the other state from now on, and those captured before a switch to read_only are still sent';

CREATE FUNCTION public.hc_mapping_alter(mapping uuid, config jsonb, description jsonb, dry_run boolean DEFAULT false, "cascade" boolean DEFAULT false)
RETURNS TABLE (step text, detail text)
LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
    m public.hc_mapping;
    target regclass;
    new record;
    plan jsonb;
    indexes jsonb;
    surplus jsonb;
    added text;
    item record;
    changes_access boolean;
    is_loading boolean;
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('hc_sync alter ' || $1, 0));
    m := public.hc_mapping_row($1);
    target := pg_catalog.to_regclass(pg_catalog.format('%I.%I', public.hc_mapping_schema($1), m.table_name));
    SELECT w.* INTO new FROM public.hc_mapping_wanted(m.connection, m.object_name, $2, $3) w;
    SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(p)), '[]') INTO plan FROM public.hc_alter_fields(m, new.fields) p;
    indexes := public.hc_alter_indexes(m, new.wanted, new.columns);
    SELECT coalesce(pg_catalog.jsonb_agg(DISTINCT x.name), '[]') INTO surplus
      FROM (SELECT pg_catalog.jsonb_array_elements_text(m.names -> 'surplus')
            UNION ALL SELECT i.value ->> 'name' FROM pg_catalog.jsonb_each(m.names -> 'indexes') i
                       WHERE i.key IN (SELECT n.value FROM pg_catalog.jsonb_each_text(new.columns) n)) AS x(name)
     WHERE NOT x.name IN (SELECT i.value ->> 'name' FROM pg_catalog.jsonb_each(indexes) i)
       AND pg_catalog.to_regclass(pg_catalog.format('%I.%I', public.hc_mapping_schema($1), x.name)) IS NOT NULL;
    is_loading := EXISTS (SELECT FROM public.hc_load l WHERE l.mapping = $1);
    changes_access := m.access <> new.wanted ->> 'access';

    IF NOT dry_run THEN
        PERFORM public.hc_alter_refuse(target, plan, "cascade");
    END IF;
    RETURN QUERY SELECT p.action, pg_catalog.concat_ws(': ', p.column_name, p.detail) FROM pg_catalog.jsonb_to_recordset(plan) AS p(action text, column_name text, detail text);
    RETURN QUERY SELECT CASE WHEN "cascade" THEN 'drop dependant' ELSE 'refused' END, pg_catalog.format('%s depends on column %s', b, p.column_name)
                   FROM pg_catalog.jsonb_to_recordset(plan) AS p(column_name text, blocked text[]), pg_catalog.unnest(p.blocked) b;
    RETURN QUERY SELECT 'set ' || s.setting, s.detail FROM public.hc_alter_settings(m, new.wanted) s;
    RETURN QUERY SELECT 'add index', i.value ->> 'name' FROM pg_catalog.jsonb_each(indexes) i WHERE m.names #> ARRAY['indexes', i.key] IS DISTINCT FROM i.value ORDER BY 2;
    RETURN QUERY SELECT 'remove index', s FROM pg_catalog.jsonb_array_elements_text(surplus) s
                  WHERE NOT coalesce(m.names -> 'surplus', '[]') ? s ORDER BY 2;
    SELECT pg_catalog.string_agg(p.column_name, ', ') INTO added
      FROM pg_catalog.jsonb_to_recordset(plan) AS p(action text, column_name text, f jsonb)
     WHERE p.action = 'add column' AND p.f ->> 'relationship_field' IS NULL;
    IF added IS NOT NULL AND m.poll_cursor IS NOT NULL THEN
        RETURN QUERY SELECT 'load values'::text, added;
    END IF;
    IF dry_run THEN
        RETURN;
    END IF;

    IF target IS NOT NULL AND (plan <> '[]' OR changes_access) THEN
        PERFORM public.hc_lock_table(target);
    END IF;
    FOR item IN SELECT * FROM pg_catalog.jsonb_to_recordset(plan) AS p(action text, column_name name, f jsonb) LOOP
        PERFORM public.hc_alter_column(m, item.action, item.column_name, pg_catalog.jsonb_populate_record(NULL::public.hc_field, item.f), "cascade");
    END LOOP;
    PERFORM public.hc_alter_catalog($1, new.fields);
    UPDATE public.hc_mapping h
       SET config = new.wanted, description = $3 #- '{hc_sync,parents}', upsert_field = new.wanted ->> 'upsert_field', upsert_column = new.upsert_column,
           polling = pg_catalog.make_interval(secs => (new.wanted ->> 'sf_polling_seconds')::integer),
           names = h.names || pg_catalog.jsonb_build_object('indexes', indexes, 'surplus', surplus),
           revision = h.revision + CASE WHEN h.config - ARRAY['revision', 'applied_at'] = new.wanted THEN 0 ELSE 1 END,
           applied_at = CASE WHEN h.applied_at IS NOT NULL THEN public.hc_clock(h.connection) END,
           -- What was wrong may be mended: it is tried at once.
           sending_held = NULL,
           state = CASE WHEN h.state = 'BAD_CONFIG' THEN CASE WHEN h.poll_cursor IS NULL THEN 'INITIAL' ELSE 'DATA_SYNCED' END ELSE h.state END,
           poll_at = CASE WHEN h.state = 'BAD_CONFIG' THEN public.hc_clock(h.connection) ELSE h.poll_at END
     WHERE h.id = $1;
    IF m.state = 'BAD_CONFIG' THEN
        PERFORM public.hc_wake(m.connection);
    END IF;
    IF changes_access THEN
        PERFORM public.hc_alter_access($1, new.wanted ->> 'access');
    END IF;
    IF plan <> '[]' THEN
        DELETE FROM public.hc_load l WHERE l.mapping = $1;
        PERFORM public.hc_raise(m.connection, $1, 'mapping-changed', 'info', pg_catalog.format('The columns of %s were changed', m.table_name), plan);
    END IF;
    IF m.state = 'BAD_CONFIG' AND m.poll_cursor IS NOT NULL AND is_loading THEN
        PERFORM public.hc_mapping_read_again($1, 'Loading again with the changed mapping');
    ELSIF added IS NOT NULL AND NOT EXISTS (SELECT FROM public.hc_column_change c WHERE c.mapping = $1 AND c.field IS NOT NULL AND c.step <> 'validate') THEN
        PERFORM public.hc_mapping_read_again($1, 'Loading new columns: ' || added);
    END IF;
    RETURN QUERY SELECT 'to run: ' || p.step, p.statement FROM public.hc_mapping_pending($1) p;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_alter(uuid, jsonb, jsonb, boolean, boolean) IS
    'Makes a mapping what a configuration and a describe say, and answers its steps; with dry_run only answers them. What it leaves to run outside a transaction is listed last, and by hc_mapping_pending';
