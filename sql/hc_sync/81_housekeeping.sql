-- Housekeeping: entries that need no request, retention, and what is over

CREATE FUNCTION public.hc_housekeeping_due(c public.hc_connection) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    due boolean;
BEGIN
    -- Capture writes IGNORE and READONLY in masses, so of these only what is above the low water: old ones wait for the full turn.
    EXECUTE format('SELECT EXISTS (SELECT FROM %1$s WHERE state IN (''IGNORED'', ''REQUEUE'', ''REQUEUED'', ''SUCCESS'', ''MERGED''))
                        OR EXISTS (SELECT FROM %1$s WHERE state = ''IGNORE'' AND id >= $1) OR EXISTS (SELECT FROM %1$s WHERE state = ''READONLY'' AND id >= $1)',
                   public.hc_log_table(c)) INTO due USING c.low_water;
    RETURN due OR public.hc_full_turn(c) OR public.hc_archive_edits(c) IS DISTINCT FROM (c.settings ->> 'archive_edits')::bigint;
END
$$;
COMMENT ON FUNCTION public.hc_housekeeping_due(public.hc_connection) IS 'Whether there is something to put away, or two minutes have passed.';

CREATE FUNCTION public.hc_full_turn(c public.hc_connection) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((c.settings ->> 'housekept_at')::timestamptz <= public.hc_clock(c.id) - interval '2 minutes', true)
$$;
COMMENT ON FUNCTION public.hc_full_turn(public.hc_connection) IS 'Whether housekeeping is due over the whole log, not only above the low water.';

CREATE FUNCTION public.hc_housekeeping(connection uuid, epoch bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_housekeeping.connection, hc_housekeeping.epoch);
    now_there timestamptz := public.hc_clock(c.id);
    log text := public.hc_log_table(c);
    above bigint := CASE WHEN public.hc_full_turn(c) THEN -9223372036854775808 ELSE c.low_water END;
    ids bigint[];
    requeued integer := public.hc_requeue(c);
    moved integer;
    purged integer;
BEGIN
    EXECUTE format('SELECT array_agg(id) FROM (
                        SELECT id FROM %1$s l WHERE (state IN (''IGNORED'', ''REQUEUED'', ''SUCCESS'', ''MERGED'') OR state IN (''IGNORE'', ''READONLY'') AND id >= $2)
                           AND NOT public.hc_in_flight($1, l.id)
                         ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED) x', log) INTO ids USING c, above;
    EXECUTE format('UPDATE %s SET state = ''IGNORED'', processed_at = clock_timestamp(), processed_tx = txid_current(), updated_at = clock_timestamp()
                     WHERE id = ANY ($1) AND (state = ''IGNORE'' OR state = ''IGNORED'' AND processed_at IS NULL)', log) USING ids;
    moved := public.hc_archive(c, ids);
    EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %s WHERE state = ''FAILED'' AND coalesce(processed_at, updated_at, created_at) < clock_timestamp() + $2 - $1
                       ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED) x', log)
        INTO ids USING public.hc_setting(c, 'failed_kept', '24 hours')::interval, c.clock_offset;
    moved := moved + public.hc_archive(c, ids);
    EXECUTE format('DELETE FROM %1$I._trigger_log_archive WHERE id IN (SELECT id FROM %1$I._trigger_log_archive WHERE created_at < $1 ORDER BY created_at LIMIT 1000)',
                   c.schema_name) USING now_there - public.hc_archive_kept(c);
    GET DIAGNOSTICS purged = ROW_COUNT;
    purged := greatest(purged, public.hc_event_log_purge(c, now_there - public.hc_archive_kept(c)));
    DELETE FROM public.hc_batch b WHERE b.connection = c.id AND b.state = 'DONE' AND b.answered_at < now_there - interval '1 day';
    DELETE FROM public.hc_tombstone t USING public.hc_mapping m WHERE m.id = t.mapping AND m.connection = c.id AND t.deleted_at < now_there - interval '1 day';
    DELETE FROM public.hc_undone u WHERE u.connection = c.id AND u.undone_at < now_there - public.hc_archive_kept(c);
    DELETE FROM public.hc_event e WHERE e.connection = c.id AND e.at < now_there - interval '31 days';
    -- A full turn is over when nothing is left of it.
    IF public.hc_full_turn(c) AND moved < 1000 THEN
        PERFORM public.hc_sequences_watch(c);
        UPDATE public.hc_connection h SET settings = h.settings || jsonb_build_object('housekept_at', now_there) WHERE h.id = c.id;
    END IF;
    RETURN jsonb_build_object('requeued', requeued, 'archived', moved, 'purged', purged, 'more', requeued >= 1000 OR moved >= 1000 OR purged >= 1000);
END
$$;
COMMENT ON FUNCTION public.hc_housekeeping(uuid, bigint) IS
    'Archives what was ignored, is read-only or is over, captures again what was set to REQUEUE, and purges what is past its retention; a thousand entries at a time.';

CREATE FUNCTION public.hc_archive_kept(c public.hc_connection) RETURNS interval
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT public.hc_setting(c, 'archive_kept', CASE c.settings ->> 'profile' WHEN 'demo' THEN '7 days' ELSE '31 days' END)::interval
$$;
COMMENT ON FUNCTION public.hc_archive_kept(public.hc_connection) IS
    'How long the archive keeps an entry after its capture: the setting archive_kept, else 7 days for the profile demo and 31 days for others.';
