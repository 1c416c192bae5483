-- bigint: ids of 64 bits for a connection that runs out of numbers. Heroku Connect's are of 32.

-- The log's own tables are short (it is drained) or nobody writes them but the relay (the archive), so they are rewritten in place.
CREATE FUNCTION public.hc_bigint_columns(target regclass, columns name[]) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    narrow name[] := ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = target AND a.attname = ANY (columns) AND a.atttypid = 'integer'::regtype ORDER BY a.attnum);
    s regclass;
BEGIN
    IF narrow <> '{}' THEN
        PERFORM public.hc_lock_table(target);
        EXECUTE format('ALTER TABLE %s %s', target, (SELECT string_agg(format('ALTER COLUMN %I TYPE bigint', n), ', ') FROM unnest(narrow) n));
    END IF;
    s := pg_get_serial_sequence(target::text, 'id')::regclass;
    IF s IS NOT NULL AND (SELECT q.seqtypid FROM pg_sequence q WHERE q.seqrelid = s) <> 'bigint'::regtype THEN
        EXECUTE format('ALTER SEQUENCE %s AS bigint', s);
    END IF;
    RETURN narrow <> '{}';
END
$$;
COMMENT ON FUNCTION public.hc_bigint_columns(regclass, name[]) IS 'Makes integer columns of a table, and the sequence of its id, bigint, in place; false if none was integer';

CREATE FUNCTION public.hc_bigint_log(c public.hc_connection) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    log regclass := public.hc_log_table(c)::regclass;
    longest CONSTANT bigint := 64 * 1024 * 1024;   -- bytes; rewritten in about a second
    f regprocedure;
BEGIN
    IF pg_relation_size(log) > longest AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = log AND a.attname IN ('id', 'record_id') AND a.atttypid = 'integer'::regtype) THEN
        RAISE EXCEPTION 'trigger log % is too long to be rewritten while writers wait: %', log, pg_size_pretty(pg_relation_size(log))
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Let the relay drain it; if it is empty already: VACUUM FULL %s. Then call again.', log);
    END IF;
    PERFORM public.hc_bigint_columns(log, ARRAY['id', 'record_id']::name[]);
    -- Return types cannot be replaced.
    FOR f IN SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
              WHERE n.nspname = c.schema_name AND p.proname IN ('hc_capture_insert_from_row', 'hc_capture_update_from_row') AND p.prorettype <> 'bigint'::regtype LOOP
        EXECUTE format('DROP FUNCTION %s', f);
    END LOOP;
    PERFORM public.hc_capture_functions_create(c.schema_name), public.hc_connection_give_to_owner(c.schema_name);
    -- Sessions keep the row type of the log that these functions were compiled with, until the functions are replaced.
    PERFORM public.hc_mapping_functions_create(m.id) FROM public.hc_mapping m
      WHERE m.connection = c.id AND to_regclass(format('%I.%I', c.schema_name, m.table_name)) IS NOT NULL;
END
$$;
COMMENT ON FUNCTION public.hc_bigint_log(public.hc_connection) IS 'Makes the ids of a trigger log bigint, and what the capture functions return';

CREATE PROCEDURE public.hc_bigint(connection uuid)
LANGUAGE plpgsql AS $procedure$
DECLARE
    c public.hc_connection;
    m public.hc_mapping;
    target pg_catalog.text;
    change public.hc_column_change;
    waiting integer := 0;
BEGIN
    UPDATE public.hc_connection h SET settings = h.settings || '{"bigint_ids": true}' WHERE h.id = $1 RETURNING h.* INTO c;
    IF c.id IS NULL THEN
        RAISE EXCEPTION 'connection "%" does not exist', $1 USING ERRCODE = 'undefined_object';
    END IF;
    COMMIT;   -- new mappings get bigint ids from here on
    PERFORM public.hc_bigint_log(c);
    COMMIT;
    PERFORM public.hc_bigint_columns(pg_catalog.format('%I._trigger_log_archive', c.schema_name)::pg_catalog.regclass, ARRAY['id', 'record_id']::name[]);
    COMMIT;
    PERFORM public.hc_bigint_columns(pg_catalog.format('%I._sf_event_log', c.schema_name)::pg_catalog.regclass, ARRAY['id']::name[]);
    COMMIT;
    FOR m IN SELECT h.* FROM public.hc_mapping h WHERE h.connection = c.id ORDER BY h.table_name LOOP
        target := pg_catalog.format('%I.%I', c.schema_name, m.table_name);
        CONTINUE WHEN pg_catalog.to_regclass(target) IS NULL;
        SELECT h.* INTO change FROM public.hc_column_change h WHERE h.schema_name = c.schema_name AND h.table_name = m.table_name AND h.column_name = 'id';
        IF change.column_name IS NULL AND public.hc_column_type(target::pg_catalog.regclass, 'id') = 'integer' THEN
            PERFORM public.hc_column_begin(target::pg_catalog.regclass, 'id', 'bigint', m.id);
            COMMIT;
            CALL public.hc_column_fill(c.schema_name, m.table_name, 'id');
            COMMIT;
        END IF;
        IF EXISTS (SELECT FROM public.hc_column_change h WHERE h.schema_name = c.schema_name AND h.table_name = m.table_name AND h.column_name = 'id') THEN
            IF EXISTS (SELECT FROM public.hc_column_twins(c.schema_name, m.table_name, 'id') t WHERE NOT t.ready) THEN
                waiting := waiting + 1;
                CONTINUE;
            END IF;
            IF NOT public.hc_column_swap(c.schema_name, m.table_name, 'id') THEN
                COMMIT;
                CALL public.hc_column_fill(c.schema_name, m.table_name, 'id');
                waiting := waiting + 1;
                CONTINUE;
            END IF;
            COMMIT;
        END IF;
        PERFORM public.hc_bigint_columns(target::pg_catalog.regclass, '{}');
        COMMIT;
    END LOOP;
    IF waiting > 0 THEN
        RAISE NOTICE '% tables wait for indexes on their new ids: run the statements of hc_mapping_pending(mapping) that build an index, then CALL public.hc_bigint(%) again',
            waiting, pg_catalog.quote_literal($1);
    END IF;
END
$procedure$;
COMMENT ON PROCEDURE public.hc_bigint(uuid) IS
    'Makes the ids of a connection bigint while it is in use: log, archive, event log, capture functions, mapped tables and sequences. Mapped tables get a new column that is filled in chunks; call again when the indexes that hc_mapping_pending lists are built. New mappings get bigint ids.';
