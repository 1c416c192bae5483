-- Administration: what commands and people call

CREATE FUNCTION public.hc_pause(connection uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.hc_connection h SET state = 'PAUSED' WHERE h.id = hc_pause.connection;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'connection % does not exist', hc_pause.connection USING ERRCODE = 'HC002';
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_pause(uuid) IS 'Pauses a connection after the batch under way; changes go on being captured.';

CREATE FUNCTION public.hc_resume(connection uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.hc_connection h SET state = 'IDLE', state_detail = NULL, sending_held = NULL WHERE h.id = hc_resume.connection;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'connection % does not exist', hc_resume.connection USING ERRCODE = 'HC002';
    END IF;
    UPDATE public.hc_mapping m
        SET sending_held = NULL, state = CASE WHEN m.state = 'BAD_CONFIG' AND m.sending_held ? 'until' THEN 'DATA_SYNCED' ELSE m.state END,
            state_detail = CASE WHEN m.sending_held ? 'until' THEN NULL ELSE m.state_detail END
        WHERE m.connection = hc_resume.connection AND m.sending_held IS NOT NULL;
    PERFORM public.hc_wake(hc_resume.connection);
END
$$;
COMMENT ON FUNCTION public.hc_resume(uuid) IS 'Resumes a paused connection where it stopped.';

CREATE FUNCTION public.hc_mapping_reload(mapping uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    the_connection uuid;
BEGIN
    UPDATE public.hc_mapping h SET state = 'RELOAD_TABLE', poll_at = NULL WHERE h.id = hc_mapping_reload.mapping RETURNING h.connection INTO the_connection;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'mapping % does not exist', hc_mapping_reload.mapping USING ERRCODE = 'HC002';
    END IF;
    PERFORM public.hc_wake(the_connection);
END
$$;
COMMENT ON FUNCTION public.hc_mapping_reload(uuid) IS 'Reloads a mapping: rows keep their id, rows that Salesforce no longer has are removed.';

CREATE FUNCTION public.hc_clock_advance(connection uuid, by interval) RETURNS timestamptz
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.hc_connection h SET clock_offset = h.clock_offset + by
        WHERE h.id = hc_clock_advance.connection AND coalesce((h.settings ->> 'org_is_loopback')::boolean, false);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the clock of connection % cannot be moved: its org is not on a loopback address', hc_clock_advance.connection
            USING ERRCODE = 'HC003', HINT = 'Moving the clock is for tests against sf-simulator.';
    END IF;
    PERFORM public.hc_wake(hc_clock_advance.connection);
    RETURN public.hc_clock(hc_clock_advance.connection);
END
$$;
COMMENT ON FUNCTION public.hc_clock_advance(uuid, interval) IS 'Moves the clock that all timers of a connection read; for tests, refused for an org that is not on loopback.';

CREATE FUNCTION public.hc_status(connection uuid) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection;
    states jsonb;
    oldest timestamptz;
    held bigint;
BEGIN
    SELECT h.* INTO c FROM public.hc_connection h WHERE h.id = hc_status.connection;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'connection % does not exist', hc_status.connection USING ERRCODE = 'HC002';
    END IF;
    EXECUTE format('SELECT coalesce(jsonb_object_agg(x.state, x.n), ''{}''), min(x.oldest) FILTER (WHERE x.state IN (''NEW'', ''PENDING'')), sum(x.held)
                      FROM (SELECT coalesce(state, ''?'') AS state, count(*) AS n, min(created_at) AS oldest,
                                   count(*) FILTER (WHERE state = ''NEW'' AND sf_message LIKE ''waits for log entry %%'') AS held
                              FROM %s GROUP BY 1) x', public.hc_log_table(c)) INTO states, oldest, held;
    RETURN jsonb_build_object('connection', c.id, 'schema', c.schema_name, 'state', c.state, 'state_detail', c.state_detail, 'organization_id', c.organization_id,
        'api_version', c.api_version, 'epoch', c.epoch, 'leader', c.leader, 'leader_since', c.leader_since,
        'log', states, 'oldest_unsent_seconds', extract(epoch FROM clock_timestamp() - oldest), 'held', coalesce(held, 0),
        'batches', (SELECT coalesce(jsonb_object_agg(b.state, b.n), '{}') FROM (
                        SELECT x.state, count(*) AS n FROM public.hc_batch x WHERE x.connection = c.id AND x.state <> 'DONE' GROUP BY 1) b),
        'in_doubt', (SELECT count(*) FROM public.hc_batch_entry e JOIN public.hc_batch b ON b.id = e.batch
                      WHERE b.connection = c.id AND b.state IN ('DOUBT', 'PARKED') AND e.outcome IS NULL),
        'waiting_rows', (SELECT count(*) FROM public.hc_batch_entry e JOIN public.hc_batch b ON b.id = e.batch
                          WHERE b.connection = c.id AND e.outcome IS NOT NULL AND NOT e.applied),
        'staged', (SELECT count(*) FROM public.hc_staged s JOIN public.hc_mapping m ON m.id = s.mapping WHERE m.connection = c.id),
        'notifications', (SELECT count(*) FROM public.hc_notification n WHERE n.connection = c.id AND n.acknowledged_at IS NULL),
        'quota', public.hc_quota_status(c),
        'sequences', (SELECT coalesce(jsonb_object_agg(s.schema_name || '.' || s.sequence_name, round(s.used::numeric, 6)), '{}') FROM public.hc_sequences(c.id) s),
        'mappings', (SELECT coalesce(jsonb_agg(jsonb_build_object('mapping', m.id, 'object', m.object_name, 'table', m.table_name, 'access', m.access,
                            'state', m.state, 'state_detail', coalesce(public.hc_capture_trouble(m.id), m.state_detail), 'poll_cursor', m.poll_cursor, 'poll_at', m.poll_at,
                            'load', (SELECT jsonb_build_object('step', l.step, 'rows', l.rows, 'expected', l.expected) FROM public.hc_load l WHERE l.mapping = m.id))
                            ORDER BY m.object_name), '[]') FROM public.hc_mapping m WHERE m.connection = c.id));
END
$$;
COMMENT ON FUNCTION public.hc_status(uuid) IS 'The state of a connection as one document: log entries by state, what is held or in doubt, mappings and loads.';
