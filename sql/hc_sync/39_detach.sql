-- The end of a mapping: its table is detached and kept. Dropping the table is an act of its own.

-- What was sent and is not answered may be in Salesforce already, and with the mapping goes the place where its answer belongs.
CREATE FUNCTION public.hc_mapping_give_up_batches(mapping uuid, "cascade" boolean) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    schema name := public.hc_mapping_schema($1);
    sent bigint[];
    claimed bigint[];
BEGIN
    SELECT pg_catalog.array_agg(e.log_id) FILTER (WHERE b.first_sent_at IS NOT NULL), pg_catalog.array_agg(e.log_id) FILTER (WHERE b.first_sent_at IS NULL)
      INTO sent, claimed
      FROM public.hc_batch b JOIN public.hc_batch_entry e ON e.batch = b.id WHERE b.mapping = $1 AND NOT e.applied;
    IF sent IS NOT NULL AND NOT "cascade" THEN
        RAISE EXCEPTION '% changes of "%.%" are on their way to Salesforce', pg_catalog.cardinality(sent), schema, m.table_name
            USING ERRCODE = 'object_in_use',
                  HINT = 'Call again when they are answered, or give them up with "cascade" => true: their log entries become FAILED then.';
    END IF;
    EXECUTE pg_catalog.format('UPDATE %I._trigger_log SET state = ''FAILED'', sf_result = 1, processed_at = pg_catalog.clock_timestamp(), '
        'updated_at = pg_catalog.clock_timestamp(), sf_message = $2 WHERE id = ANY ($1) AND state = ''PENDING''', schema)
        USING sent, 'NOT_MAPPED: the mapping was deleted while this change was on its way; whether Salesforce has it is not known';
    EXECUTE pg_catalog.format('UPDATE %I._trigger_log SET state = ''NEW'', updated_at = pg_catalog.clock_timestamp() WHERE id = ANY ($1) AND state = ''PENDING''', schema)
        USING claimed;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_give_up_batches(uuid, boolean) IS
    'Before a mapping goes: entries that were claimed and not sent are NEW again; those sent and not answered refuse it, or become FAILED with cascade';

-- By what they execute: a trigger of ours that somebody renamed must not stay.
CREATE FUNCTION public.hc_mapping_triggers(mapping uuid) RETURNS SETOF name
LANGUAGE sql STABLE AS $function$
    SELECT t.tgname
      FROM public.hc_mapping m
     CROSS JOIN LATERAL (SELECT public.hc_mapping_schema(m.id)) AS n(schema)
      JOIN pg_catalog.pg_trigger t ON t.tgrelid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', n.schema, m.table_name)) AND NOT t.tgisinternal
     WHERE m.id = $1
       AND t.tgfoid::pg_catalog.regprocedure IN (
           pg_catalog.to_regprocedure('public.hc_capture()'), pg_catalog.to_regprocedure('public.hc_status()'),
           pg_catalog.to_regprocedure(pg_catalog.format('%I.hc_truncate_trigger()', n.schema)),
           pg_catalog.to_regprocedure(pg_catalog.format('%I.%I()', n.schema, m.names ->> 'logger')),
           pg_catalog.to_regprocedure(pg_catalog.format('%I.%I()', n.schema, m.names ->> 'status')))
     ORDER BY t.tgname
$function$;
COMMENT ON FUNCTION public.hc_mapping_triggers(uuid) IS 'Triggers of a mapped table that are ours';

CREATE FUNCTION public.hc_mapping_drop(mapping uuid, "cascade" boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SET client_min_messages = warning AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    schema name := public.hc_mapping_schema($1);
    target regclass := pg_catalog.to_regclass(pg_catalog.format('%I.%I', schema, m.table_name));
    private text := 'public.' || pg_catalog.quote_ident(public.hc_private_table($1));
    named text;
    dependents text;
BEGIN
    IF target IS NOT NULL THEN
        PERFORM public.hc_lock_table(target);
        FOR named IN SELECT h.column_name FROM public.hc_column_change h WHERE h.mapping = $1 LOOP
            PERFORM public.hc_column_cancel(schema, m.table_name, named::name);
        END LOOP;
        FOR named IN SELECT t FROM public.hc_mapping_triggers($1) AS triggers(t) LOOP
            EXECUTE pg_catalog.format('DROP TRIGGER %I ON %s', named, target);
        END LOOP;
    END IF;
    PERFORM public.hc_mapping_give_up_batches($1, "cascade");
    FOREACH named IN ARRAY ARRAY[m.names ->> 'logger', m.names ->> 'status'] LOOP
        EXECUTE pg_catalog.format('DROP FUNCTION IF EXISTS %I.%I() %s', schema, named, CASE WHEN "cascade" THEN 'CASCADE' ELSE 'RESTRICT' END);
    END LOOP;
    IF pg_catalog.to_regclass(private) IS NOT NULL THEN
        PERFORM public.hc_lock_table(private::regclass);
        EXECUTE 'DROP TABLE ' || private;
    END IF;
    DELETE FROM public.hc_mapping h WHERE h.id = $1;
    PERFORM public.hc_raise(m.connection, NULL, 'mapping-removed', 'info', pg_catalog.format('%s is not mapped any more; table %I.%I stays', m.object_name, schema, m.table_name));
EXCEPTION
    WHEN dependent_objects_still_exist THEN
        GET STACKED DIAGNOSTICS dependents = PG_EXCEPTION_DETAIL;
        RAISE EXCEPTION 'cannot detach table "%.%" because other objects depend on its trigger functions', schema, m.table_name
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = dependents, HINT = 'Drop them first, or have them dropped too with "cascade" => true.';
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_drop(uuid, boolean) IS
    'Ends a mapping: triggers and generated functions go, the table stays with its rows, sequence, indexes and grants; refused while changes are on their way, unless cascade';

CREATE FUNCTION public.hc_mapping_drop_table(mapping uuid, "cascade" boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    schema name := public.hc_mapping_schema($1);
    target text := pg_catalog.format('%I.%I', schema, m.table_name);
    row_count bigint;
    dependents text;
BEGIN
    PERFORM public.hc_mapping_drop($1, "cascade");
    IF pg_catalog.to_regclass(target) IS NOT NULL THEN
        EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM %s', target) INTO row_count;
        BEGIN
            EXECUTE pg_catalog.format('DROP TABLE %s %s', target, CASE WHEN "cascade" THEN 'CASCADE' ELSE 'RESTRICT' END);
        EXCEPTION WHEN dependent_objects_still_exist THEN
            GET STACKED DIAGNOSTICS dependents = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION 'cannot drop table "%.%" because other objects depend on it', schema, m.table_name
                USING ERRCODE = 'dependent_objects_still_exist', DETAIL = dependents,
                      HINT = 'Drop them first, or have them dropped too with hc_mapping_drop_table(mapping, true).';
        END;
        PERFORM public.hc_raise(m.connection, NULL, 'table-dropped', 'info', pg_catalog.format('Table %s was dropped with %s rows', target, row_count));
        RAISE NOTICE 'dropped table "%.%" with % rows', schema, m.table_name, row_count;
    END IF;
    RETURN row_count;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_drop_table(uuid, boolean) IS
    'Ends a mapping and drops its table, and answers how many rows went; refuses while other objects depend on the table, unless cascade';

CREATE FUNCTION public.hc_connection_silence(schema name) RETURNS void
LANGUAGE plpgsql SET client_min_messages = warning AS $function$
BEGIN
    PERFORM public.hc_lock_table(pg_catalog.format('%I._trigger_log', schema)::regclass);
    EXECUTE pg_catalog.format('DROP TRIGGER IF EXISTS tlog_insert_trigger ON %I._trigger_log', schema);
    EXECUTE pg_catalog.format('DROP FUNCTION IF EXISTS %1$I.tlog_notify_trigger(), %1$I.hc_truncate_trigger()', schema);
    EXECUTE pg_catalog.format('DROP SEQUENCE IF EXISTS public.%I', public.hc_quiet_name(schema));
END
$function$;
COMMENT ON FUNCTION public.hc_connection_silence(name) IS 'Ends the announcements of a trigger log, and what watches over TRUNCATE in its schema';

-- Detached table by table, so that no two locks are held at a time; called again after a failure it goes on with the rest. Dropped all
-- together or not at all.
CREATE PROCEDURE public.hc_connection_drop(connection uuid, "cascade" boolean DEFAULT false, drop_tables boolean DEFAULT false)
LANGUAGE plpgsql AS $procedure$
DECLARE
    schema name;
    mapping uuid;
BEGIN
    SELECT c.schema_name INTO schema FROM public.hc_connection c WHERE c.id = $1;
    IF schema IS NULL THEN
        RAISE EXCEPTION 'connection "%" does not exist', $1 USING ERRCODE = 'undefined_object';
    END IF;
    FOR mapping IN SELECT m.id FROM public.hc_mapping m WHERE m.connection = $1 ORDER BY m.created_at, m.table_name LOOP
        IF drop_tables THEN
            PERFORM public.hc_mapping_drop_table(mapping, "cascade");
        ELSE
            PERFORM public.hc_mapping_drop(mapping, "cascade");
            COMMIT;
        END IF;
    END LOOP;
    PERFORM public.hc_connection_silence(schema);
    DELETE FROM public.hc_connection c WHERE c.id = $1;
    PERFORM public.hc_raise(NULL, NULL, 'connection-removed', 'info', pg_catalog.format('Connection %I was removed; its log stays', schema));
END
$procedure$;
COMMENT ON PROCEDURE public.hc_connection_drop(uuid, boolean, boolean) IS
    'Ends a connection: detaches its tables, or drops them with drop_tables, and ends the announcements of its log, which stays';
