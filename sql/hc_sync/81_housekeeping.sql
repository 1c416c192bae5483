-- Housekeeping: entries that need no request, retention, and what is over

CREATE FUNCTION public.hc_housekeeping_due(c public.hc_connection) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    due boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE state IN (''IGNORE'', ''IGNORED'', ''READONLY'', ''REQUEUE'', ''REQUEUED'', ''SUCCESS'', ''MERGED'') LIMIT 1)',
                   public.hc_log_table(c)) INTO due;
    RETURN due OR coalesce((c.settings ->> 'housekept_at')::timestamptz <= public.hc_clock(c.id) - interval '10 minutes', true);
END
$$;
COMMENT ON FUNCTION public.hc_housekeeping_due(public.hc_connection) IS 'Whether there is something to put away, or ten minutes have passed.';

CREATE FUNCTION public.hc_housekeeping(connection uuid, epoch bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_housekeeping.connection, hc_housekeeping.epoch);
    now_there timestamptz := public.hc_clock(c.id);
    log text := public.hc_log_table(c);
    ids bigint[];
    moved integer;
    purged integer;
BEGIN
    -- REQUEUE: a fresh copy takes the change's place at the end of the queue.
    EXECUTE format('WITH asked AS (SELECT id FROM %1$s WHERE state = ''REQUEUE'' ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED),
                         old AS (UPDATE %1$s l SET state = ''REQUEUED'', updated_at = clock_timestamp() FROM asked WHERE l.id = asked.id RETURNING l.*)
                    INSERT INTO %1$s (txid, created_at, state, action, table_name, record_id, sfid, old, "values")
                    SELECT txid_current(), clock_timestamp(), ''NEW'', action, table_name, record_id, sfid, old.old, "values" FROM old ORDER BY id', log);
    EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %s WHERE state IN (''IGNORE'', ''IGNORED'', ''READONLY'', ''REQUEUED'', ''SUCCESS'', ''MERGED'')
                       AND NOT EXISTS (SELECT FROM public.hc_batch_entry e JOIN public.hc_batch b ON b.id = e.batch
                                        WHERE e.log_id = %1$s.id AND NOT e.applied AND b.connection = $1)
                     ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED) x', log) INTO ids USING c.id;
    EXECUTE format('UPDATE %s SET state = ''IGNORED'', processed_at = clock_timestamp(), processed_tx = txid_current(), updated_at = clock_timestamp()
                     WHERE id = ANY ($1) AND state = ''IGNORE''', log) USING ids;
    moved := public.hc_archive(c, ids);
    EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %s WHERE state = ''FAILED'' AND processed_at < clock_timestamp() + $2 - $1
                       ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED) x', log)
        INTO ids USING public.hc_setting(c, 'failed_kept', '24 hours')::interval, c.clock_offset;
    moved := moved + public.hc_archive(c, ids);
    EXECUTE format('DELETE FROM %1$I._trigger_log_archive WHERE id IN (SELECT id FROM %1$I._trigger_log_archive WHERE created_at < $1 ORDER BY created_at LIMIT 1000)',
                   c.schema_name) USING now_there - public.hc_setting(c, 'archive_kept', '31 days')::interval;
    GET DIAGNOSTICS purged = ROW_COUNT;
    DELETE FROM public.hc_batch b WHERE b.connection = c.id AND b.state = 'DONE' AND b.answered_at < now_there - interval '1 day';
    DELETE FROM public.hc_tombstone t USING public.hc_mapping m WHERE m.id = t.mapping AND m.connection = c.id AND t.deleted_at < now_there - interval '1 day';
    DELETE FROM public.hc_event e WHERE e.connection = c.id AND e.at < now_there - interval '31 days';
    UPDATE public.hc_connection h SET settings = h.settings || jsonb_build_object('housekept_at', now_there) WHERE h.id = c.id;
    RETURN jsonb_build_object('archived', moved, 'purged', purged, 'more', moved >= 1000 OR purged >= 1000);
END
$$;
COMMENT ON FUNCTION public.hc_housekeeping(uuid, bigint) IS
    'Archives what was ignored, is read-only or is over, captures again what was set to REQUEUE, and purges what is past its retention; a thousand entries at a time.';
