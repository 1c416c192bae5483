-- Adoption, second part: what forbids it. Everything is refused whole, with the reason, before anything is changed.

CREATE FUNCTION public.hc_adopt_check_log(schema name) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    log oid := to_regclass(format('%I._trigger_log', schema));
    archive oid := to_regclass(format('%I._trigger_log_archive', schema));
    columns jsonb := public.hc_adopt_columns(log);
    missing text;
BEGIN
    IF log IS NULL THEN
        RAISE EXCEPTION 'schema "%" has no table _trigger_log', schema
            USING ERRCODE = 'undefined_table', HINT = 'Only a schema that Heroku Connect made can be taken over. A new connection is made with hc_connection_create.';
    ELSIF columns ? '_c5_source' OR to_regclass(format('%I.c5_versions', schema)) IS NOT NULL AND NOT columns ? 'txid' THEN
        RAISE EXCEPTION 'schema "%" is of Heroku Connect''s first generation (2013), which cannot be taken over', schema
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'Its log has no old values and its tables have neither _hc_lastop nor _hc_err, so nobody can tell which changes were sent.',
                  HINT = 'Make a new connection in another schema, load it, and copy over what was never sent.';
    END IF;
    SELECT string_agg(c, ', ') INTO missing
      FROM unnest(ARRAY['id', 'txid', 'created_at', 'updated_at', 'processed_at', 'processed_tx', 'state', 'action', 'table_name', 'record_id', 'sfid',
                        'old', 'values', 'sf_result', 'sf_message']) AS wanted(c)
     WHERE NOT columns ? c;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'table "%._trigger_log" is no trigger log: it lacks %', schema, missing
            USING ERRCODE = 'undefined_column', HINT = 'Add the columns as Heroku Connect has them, or make a new connection in another schema.';
    ELSIF to_regclass(format('%I._trigger_log_id_seq', schema)) IS NULL THEN
        RAISE EXCEPTION 'sequence "%._trigger_log_id_seq" does not exist', schema
            USING ERRCODE = 'undefined_table', HINT = 'Rename the sequence of _trigger_log.id to that; capture takes its ids there.';
    ELSIF archive IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
             WHERE i.indrelid = archive AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL AND a.attname = 'id') THEN
        RAISE EXCEPTION 'table "%._trigger_log_archive" has no unique index on id', schema
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('Add it: ALTER TABLE %I._trigger_log_archive ADD PRIMARY KEY (id)', schema);
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_check_log(name) IS 'Refuses a schema whose trigger log is missing, of the first generation, or no trigger log';

CREATE FUNCTION public.hc_adopt_check_table(schema name, t record) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    target text := format('%I.%I', schema, t.table_name);
    missing text;
    wrong text;
BEGIN
    SELECT string_agg(c, ', ') INTO missing FROM unnest(ARRAY['id', 'sfid', 'systemmodstamp', '_hc_lastop', '_hc_err']) AS wanted(c) WHERE NOT t.columns ? c;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'table % cannot be taken over: it lacks %', target, missing
            USING ERRCODE = 'undefined_column',
                  DETAIL = 'It has triggers of Heroku Connect, or the mapping file names it.',
                  HINT = 'Add the columns as Heroku Connect has them, or drop the triggers hc_* of a table that is to be left out.';
    END IF;
    wrong := CASE
        WHEN t.columns #>> '{id,type}' NOT IN ('integer', 'bigint') THEN format('id is %s, not integer or bigint', t.columns #>> '{id,type}')
        WHEN NOT (t.columns #>> '{id,filled}')::boolean THEN 'id has no default, so no row could be added'
        WHEN t.columns #>> '{sfid,type}' !~ '^(character varying|character|text)' THEN format('sfid is %s, not text', t.columns #>> '{sfid,type}')
        WHEN t.columns #>> '{systemmodstamp,type}' !~ '^timestamp' THEN format('systemmodstamp is %s, not a timestamp', t.columns #>> '{systemmodstamp,type}')
    END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'table % cannot be taken over: %', target, wrong
            USING ERRCODE = 'datatype_mismatch', HINT = 'Give the column its form back, or drop the triggers hc_* of a table that is to be left out.';
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_check_table(name, record) IS 'Refuses a mapped table without which syncing is impossible';

-- Sessions that may be Heroku Connect's: one that listens for the log is a relay, whatever it calls itself.
CREATE FUNCTION public.hc_adopt_sessions(schema name) RETURNS TABLE (pid integer, application text, listens boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT a.pid, a.application_name, a.query ~* ('^\s*LISTEN\s+"?' || regexp_replace($1, '(\W)', '\\\1', 'g') || '\.hc_trigger_log')
      FROM pg_stat_activity a
     WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'
       AND a.application_name NOT LIKE 'hc-relay%'
       AND (a.query ~* ('^\s*LISTEN\s+"?' || regexp_replace($1, '(\W)', '\\\1', 'g') || '\.hc_trigger_log')
            OR a.application_name ~* 'heroku.?connect|^connect$')
$function$;
COMMENT ON FUNCTION public.hc_adopt_sessions(name) IS 'Other sessions that seem to be Heroku Connect''s; listens: it waits for changes of this schema';

CREATE FUNCTION public.hc_adopt_check(schema name, dry_run boolean) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    owner name := public.hc_schema_owner(schema);
    foreign_owned text;
    busy text;
BEGIN
    PERFORM public.hc_check_schema_name(schema);
    IF owner IS NULL THEN
        RAISE EXCEPTION 'schema "%" does not exist', schema USING ERRCODE = 'invalid_schema_name';
    ELSIF EXISTS (SELECT FROM public.hc_connection c WHERE c.schema_name = schema) THEN
        RAISE EXCEPTION 'schema "%" already has a connection', schema
            USING ERRCODE = 'duplicate_object', HINT = 'It was taken over or made here; hc-relay connection list shows it.';
    ELSIF NOT pg_has_role(current_user, owner, 'USAGE') THEN
        RAISE EXCEPTION 'schema "%" belongs to "%"', schema, owner
            USING ERRCODE = 'insufficient_privilege', HINT = format('Take it over as %I, or as a member of that role.', owner);
    END IF;
    PERFORM public.hc_adopt_check_log(schema);
    SELECT string_agg(format('%s (%s)', x.what, x.owner), ', ' ORDER BY x.what) INTO foreign_owned
      FROM (SELECT t.table_name::text AS what, t.owner FROM public.hc_adopt_tables(schema) t WHERE t.is_mapped
            UNION ALL
            SELECT c.relname, pg_get_userbyid(c.relowner) FROM pg_class c
             WHERE c.relnamespace = to_regnamespace(quote_ident(schema)) AND c.relkind = 'r' AND c.relname IN ('_hcmeta', '_sf_event_log', '_trigger_log', '_trigger_log_archive')
            UNION ALL
            SELECT p.oid::regprocedure::text, pg_get_userbyid(p.proowner) FROM pg_proc p
             WHERE p.pronamespace = to_regnamespace(quote_ident(schema)) AND p.prorettype = 'trigger'::regtype AND p.proname ~ '^(hc_|tlog_notify_trigger$)') AS x(what, owner)
     WHERE NOT pg_has_role(current_user, x.owner, 'USAGE');
    IF foreign_owned IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" holds objects of other owners', schema
            USING ERRCODE = 'insufficient_privilege', DETAIL = foreign_owned,
                  HINT = format('Give them to one role, which then takes the schema over: REASSIGN OWNED or ALTER ... OWNER TO %I.', owner);
    END IF;
    SELECT string_agg(format('process %s (%s)', s.pid, coalesce(nullif(s.application, ''), 'no name')), ', ') INTO busy
      FROM public.hc_adopt_sessions(schema) s WHERE s.listens;
    IF busy IS NOT NULL AND NOT dry_run THEN
        RAISE EXCEPTION 'another program waits for changes of schema "%": %', schema, busy
            USING ERRCODE = 'object_in_use', DETAIL = 'Two programs that send the same log would send changes twice.',
                  HINT = 'Pause the connection at Heroku, or remove the add-on''s credentials, and wait until its sessions have ended.';
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_check(name, boolean) IS 'Refuses what cannot be taken over, or not by this role or not now, with the reason';
