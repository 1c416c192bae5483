-- Loads: a first load fills a private table that then gets its name; a reload is merged row by row into the table in use

CREATE FUNCTION public.hc_load_of(c public.hc_connection, load bigint) RETURNS public.hc_load
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    l public.hc_load;
BEGIN
    SELECT x.* INTO l FROM public.hc_load x WHERE x.id = hc_load_of.load AND x.connection = c.id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'load % does not exist in connection %', hc_load_of.load, c.id USING ERRCODE = 'HC002';
    END IF;
    RETURN l;
END
$$;
COMMENT ON FUNCTION public.hc_load_of(public.hc_connection, bigint) IS 'Locks a load under way (HC002 if it is over).';

CREATE FUNCTION public.hc_load_begin(connection uuid, epoch bigint, mapping uuid) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_load_begin.connection, hc_load_begin.epoch);
    m public.hc_mapping := public.hc_mapping_of(c.id, hc_load_begin.mapping);
    l public.hc_load;
    fields public.hc_field[];
    is_new boolean;
BEGIN
    SELECT x.* INTO l FROM public.hc_load x WHERE x.mapping = m.id FOR UPDATE;
    is_new := NOT FOUND;
    IF is_new THEN
        INSERT INTO public.hc_load (connection, mapping, kind, private_table, began_at)
            VALUES (c.id, m.id, CASE WHEN to_regclass(format('%I.%I', c.schema_name, m.table_name)) IS NULL THEN 'first' ELSE 'reload' END,
                    public.hc_private_table(m.id), public.hc_org_clock(c))
            RETURNING * INTO l;
        PERFORM public.hc_raise(c.id, m.id, 'load', 'info', format('RELOAD TABLE %s', m.table_name));
    END IF;
    IF l.step = 'fill' AND l.job IS NULL AND (is_new OR l.rows > 0 OR to_regclass(format('public.%I', l.private_table)) IS NULL) THEN
        -- Pages of a plain query cannot be taken up in the middle: it begins anew. A bulk job goes on at its page.
        PERFORM public.hc_load_empty(m, l);
        UPDATE public.hc_load x SET rows = 0, locator = NULL, began_at = public.hc_org_clock(c) WHERE x.id = l.id RETURNING x.* INTO l;
    END IF;
    UPDATE public.hc_mapping h SET state = CASE WHEN l.job IS NOT NULL THEN 'LOADING_BULK_JOB' WHEN h.state IN ('SCHEMA_CHANGED', 'RESYNC') THEN 'RESYNC' ELSE 'RELOAD_TABLE' END,
           state_detail = CASE WHEN h.state IN ('SCHEMA_CHANGED', 'RESYNC') THEN h.state_detail END
        WHERE h.id = m.id;
    fields := ARRAY(SELECT f FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL ORDER BY f.position);
    RETURN jsonb_build_object('load', l.id, 'kind', l.kind, 'step', l.step, 'object', m.object_name,
        'soql', format('SELECT %s FROM %s', (SELECT string_agg(f.field_name, ', ' ORDER BY f.position) FROM unnest(fields) f), m.object_name),
        'table', format('public.%I', l.private_table),
        'columns', (SELECT jsonb_agg(f.column_name ORDER BY f.position) FROM unnest(fields) f),
        'copy', format('COPY public.%I (%s) FROM STDIN WITH (FORMAT csv, FORCE_NULL (%2$s))', l.private_table,
                       (SELECT string_agg(quote_ident(f.column_name), ', ' ORDER BY f.position) FROM unnest(fields) f)),
        'job', l.job, 'locator', l.locator, 'rows', l.rows, 'expected', l.expected,
        'threshold', public.hc_setting(c, 'large_query_threshold', '10000')::bigint);
END
$$;
COMMENT ON FUNCTION public.hc_load_begin(uuid, bigint, uuid) IS 'Begins the mapping''s load, or takes up the one that was interrupted.';

CREATE FUNCTION public.hc_load_empty(m public.hc_mapping, l public.hc_load) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass(format('public.%I', l.private_table)) IS NOT NULL THEN
        EXECUTE format('DROP TABLE public.%I', l.private_table);
    END IF;
    PERFORM public.hc_mapping_table_create(m.id, 'public', l.private_table, true);
    EXECUTE format('ALTER TABLE public.%I ALTER _hc_lastop SET DEFAULT ''SYNCED''', l.private_table);
END
$$;
COMMENT ON FUNCTION public.hc_load_empty(public.hc_mapping, public.hc_load) IS 'Makes the load''s private table anew, empty.';

CREATE FUNCTION public.hc_load_records(connection uuid, epoch bigint, load bigint, records jsonb) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, MDY' AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_load_records.connection, hc_load_records.epoch);
    l public.hc_load := public.hc_load_of(c, hc_load_records.load);
    m public.hc_mapping := public.hc_mapping_of(c.id, l.mapping);
    list text := (SELECT string_agg(quote_ident(f.column_name), ', ' ORDER BY f.position) FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL);
    added bigint;
BEGIN
    EXECUTE format('INSERT INTO public.%I (%s) SELECT %2$s FROM (SELECT %s FROM jsonb_array_elements($1) AS s(record)) i',
                   l.private_table, list, public.hc_incoming(m)) USING records;
    GET DIAGNOSTICS added = ROW_COUNT;
    UPDATE public.hc_load x SET rows = x.rows + added WHERE x.id = l.id RETURNING x.rows INTO added;
    RETURN added;
END
$$;
COMMENT ON FUNCTION public.hc_load_records(uuid, bigint, bigint, jsonb) IS 'Stores a page of a query''s records in the private table; returns the rows so far.';

CREATE FUNCTION public.hc_load_job(connection uuid, epoch bigint, load bigint, job jsonb, expected bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_load_job.connection, hc_load_job.epoch);
    l public.hc_load := public.hc_load_of(c, hc_load_job.load);
BEGIN
    UPDATE public.hc_load x SET job = hc_load_job.job, expected = hc_load_job.expected WHERE x.id = l.id;
    UPDATE public.hc_mapping h SET state = 'WAIT_BULK_LOAD' WHERE h.id = l.mapping;
END
$$;
COMMENT ON FUNCTION public.hc_load_job(uuid, bigint, bigint, jsonb, bigint) IS 'Records the bulk query job of a load, and how many records are expected.';

CREATE FUNCTION public.hc_load_page(connection uuid, epoch bigint, load bigint, locator text, rows bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_load_page.connection, hc_load_page.epoch);
    l public.hc_load := public.hc_load_of(c, hc_load_page.load);
BEGIN
    UPDATE public.hc_load x SET locator = coalesce(hc_load_page.locator, 'end'), rows = x.rows + hc_load_page.rows WHERE x.id = l.id RETURNING x.* INTO l;
    UPDATE public.hc_mapping h SET state = 'LOADING_BULK_JOB' WHERE h.id = l.mapping AND h.state <> 'LOADING_BULK_JOB';
    RETURN l.rows;
END
$$;
COMMENT ON FUNCTION public.hc_load_page(uuid, bigint, bigint, text, bigint) IS
    'Commits with the COPY of a result page: notes the locator of the next page (null: that was the last, kept as end) and returns the rows so far.';

CREATE FUNCTION public.hc_load_restart(connection uuid, epoch bigint, load bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_load_restart.connection, hc_load_restart.epoch);
    l public.hc_load := public.hc_load_of(c, hc_load_restart.load);
BEGIN
    PERFORM public.hc_load_empty(public.hc_mapping_of(c.id, l.mapping), l);
    UPDATE public.hc_load x SET job = NULL, locator = NULL, rows = 0, step = 'fill', last_sfid = NULL, began_at = public.hc_org_clock(c) WHERE x.id = l.id;
END
$$;
COMMENT ON FUNCTION public.hc_load_restart(uuid, bigint, bigint) IS 'Begins a load anew, when its job failed or expired.';

CREATE FUNCTION public.hc_load_finish(connection uuid, epoch bigint, load bigint, org_now timestamptz) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_load_finish.connection, hc_load_finish.epoch);
    l public.hc_load := public.hc_load_of(c, hc_load_finish.load);
    m public.hc_mapping := public.hc_mapping_of(c.id, l.mapping);
    more boolean := true;
BEGIN
    PERFORM public.hc_writes_rows();
    CASE l.step
        WHEN 'fill' THEN
            -- The load's own clock decides where polls begin, should the relay that began it be gone.
            UPDATE public.hc_load x SET step = CASE l.kind WHEN 'first' THEN 'index' ELSE 'merge' END, began_at = least(x.began_at, org_now), last_sfid = ''
                WHERE x.id = l.id;
            IF l.kind = 'reload' THEN
                EXECUTE format('CREATE INDEX ON public.%I (sfid)', l.private_table);
                EXECUTE format('ANALYZE public.%I', l.private_table);
            END IF;
        WHEN 'index' THEN
            PERFORM public.hc_mapping_indexes_create(m.id, 'public', l.private_table);
            UPDATE public.hc_load x SET step = 'publish' WHERE x.id = l.id;
        WHEN 'publish' THEN
            EXECUTE format('ALTER TABLE public.%I ALTER _hc_lastop DROP DEFAULT', l.private_table);
            PERFORM public.hc_mapping_adopt_private_table(m.id, l.private_table);
            more := false;
        WHEN 'merge' THEN
            more := public.hc_reload_merge(c, m, l);
            IF NOT more THEN
                UPDATE public.hc_load x SET step = 'remove', last_sfid = '' WHERE x.id = l.id;
                more := true;
            END IF;
        WHEN 'remove' THEN
            more := public.hc_reload_remove(c, m, l);
            IF NOT more THEN
                EXECUTE format('DROP TABLE public.%I', l.private_table);
            END IF;
    END CASE;
    IF NOT more THEN
        DELETE FROM public.hc_load x WHERE x.id = l.id;
        UPDATE public.hc_mapping h
            SET state = 'DATA_SYNCED', state_detail = NULL, poll_at = public.hc_clock(c.id) + h.polling,
                applied_at = coalesce(h.applied_at, public.hc_clock(c.id)),
                -- What was being committed while the query ran is found by the first poll.
                poll_cursor = l.began_at - interval '10 minutes', deleted_cursor = l.began_at - interval '10 minutes', deleted_at = NULL,
                counts = (h.counts - 'failures') || jsonb_build_object('loaded', l.rows)
            WHERE h.id = m.id;
        PERFORM public.hc_raise(c.id, m.id, 'load', 'info', 'RELOAD COMPLETE', jsonb_build_object('rows', l.rows));
    END IF;
    RETURN jsonb_build_object('done', NOT more, 'rows', l.rows, 'step', l.step);
END
$$;
COMMENT ON FUNCTION public.hc_load_finish(uuid, bigint, bigint, timestamptz) IS
    'One step after the last page: a first load builds its indexes and is published; a reload is merged in chunks, then rows that Salesforce no longer has are removed. Call until done.';

CREATE FUNCTION public.hc_reload_merge(c public.hc_connection, m public.hc_mapping, l public.hc_load) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    records jsonb;
    upto text;
BEGIN
    EXECUTE format('SELECT jsonb_agg(jsonb_object($1, ARRAY[%s]::text[])), max(t.sfid::text COLLATE "C") FROM (
                        SELECT * FROM public.%I WHERE sfid::text COLLATE "C" > $2 ORDER BY sfid::text COLLATE "C" LIMIT 1000) t',
                   (SELECT string_agg(format('t.%I::text', f.column_name), ', ' ORDER BY f.position) FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL),
                   l.private_table) INTO records, upto
        USING ARRAY(SELECT f.field_name FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL ORDER BY f.position), l.last_sfid;
    IF upto IS NULL THEN
        RETURN false;
    END IF;
    PERFORM public.hc_stage_records(m, records, l.began_at);
    PERFORM public.hc_merge_step(c, m, 2000);
    UPDATE public.hc_load x SET last_sfid = upto WHERE x.id = l.id;
    RETURN true;
END
$$;
COMMENT ON FUNCTION public.hc_reload_merge(public.hc_connection, public.hc_mapping, public.hc_load) IS 'Merges the next thousand rows of a reload; false when none is left.';

CREATE FUNCTION public.hc_reload_remove(c public.hc_connection, m public.hc_mapping, l public.hc_load) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ids bigint[];
    sfids text[];
    upto bigint := coalesce(nullif(l.last_sfid, '')::bigint, 0);
    removed record;
BEGIN
    -- Rows without sfid stay; so do rows with unsent changes, and rows that are newer than the query.
    EXECUTE format('SELECT array_agg(x.id), array_agg(x.sfid::text) FROM (
                        SELECT t.id, t.sfid FROM %I.%I t WHERE t.id > $1 AND t.sfid IS NOT NULL AND t.systemmodstamp < ($2 AT TIME ZONE ''UTC'') - interval ''10 minutes''
                           AND NOT EXISTS (SELECT FROM public.%I p WHERE p.sfid = t.sfid)
                           AND NOT EXISTS (SELECT FROM %s g WHERE g.table_name = $3 AND g.record_id = t.id AND g.state IN (''NEW'', ''PENDING'')
                                              AND g.id > public.hc_rows_since($4))
                           AND NOT EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.mapping = $4 AND e.record_id = t.id AND NOT e.applied
                                              AND e.log_id > public.hc_rows_since($4))
                         ORDER BY t.id LIMIT 1000 FOR UPDATE OF t SKIP LOCKED) x',
                   c.schema_name, m.table_name, l.private_table, public.hc_log_table(c)) INTO ids, sfids USING upto, l.began_at, m.table_name::text, m.id;
    IF ids IS NULL THEN
        RETURN false;
    END IF;
    removed := public.hc_merge_safely(c, m, 'delete', ids, sfids);
    UPDATE public.hc_load x SET last_sfid = (SELECT max(i) FROM unnest(ids) i)::text WHERE x.id = l.id;
    RETURN true;
END
$$;
COMMENT ON FUNCTION public.hc_reload_remove(public.hc_connection, public.hc_mapping, public.hc_load) IS
    'Removes the next thousand rows that a complete reload does not have; false when none is left.';

CREATE FUNCTION public.hc_load_failed(connection uuid, epoch bigint, load bigint, code text, message text, kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_load_failed.connection, hc_load_failed.epoch);
    l public.hc_load := public.hc_load_of(c, hc_load_failed.load);
BEGIN
    PERFORM public.hc_read_failed(c, public.hc_mapping_of(c.id, l.mapping), code, message, kind);
END
$$;
COMMENT ON FUNCTION public.hc_load_failed(uuid, bigint, bigint, text, text, text) IS 'Notes that a load failed and when it is taken up again; kind is transient, configuration or limit.';
