-- Polls: what changed in Salesforce since the mapping's cursor

CREATE FUNCTION public.hc_poll_begin(connection uuid, epoch bigint, mapping uuid) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_poll_begin.connection, hc_poll_begin.epoch);
    m public.hc_mapping := public.hc_mapping_of(c.id, hc_poll_begin.mapping);
BEGIN
    IF m.poll_cursor IS NULL THEN
        RAISE EXCEPTION 'mapping % of % is not loaded yet', m.id, m.object_name USING ERRCODE = 'HC003';
    END IF;
    UPDATE public.hc_mapping h SET state = 'POLLING_SF_CHANGES', state_detail = NULL WHERE h.id = m.id AND h.state IS DISTINCT FROM 'POLLING_SF_CHANGES';
    RETURN jsonb_build_object('object', m.object_name,
        'soql', format('SELECT %s FROM %s WHERE SystemModstamp >= %s ORDER BY SystemModstamp, Id',
                       array_to_string(public.hc_read_fields(m), ', '), m.object_name, public.hc_soql_time(m.poll_cursor)),
        'deletes', CASE WHEN coalesce((m.description ->> 'replicateable')::boolean, true)
                         AND (m.deleted_at IS NULL OR m.deleted_at <= public.hc_clock(c.id) - least(interval '10 minutes', m.polling))
                        THEN jsonb_build_object('start', public.hc_soql_time(m.deleted_cursor)) END,
        'horizon_wanted', coalesce((m.description ->> 'replicateable')::boolean, true)
                          AND m.poll_cursor <= public.hc_org_clock(c) - interval '10 minutes');
END
$$;
COMMENT ON FUNCTION public.hc_poll_begin(uuid, bigint, uuid) IS
    'The query of a poll, and where getDeleted starts. It reads up to now from the cursor on; the cursor itself stays behind what running transactions may still commit.';

CREATE FUNCTION public.hc_poll_done(connection uuid, epoch bigint, mapping uuid, rows bigint, org_now timestamptz, horizon timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_poll_done.connection, hc_poll_done.epoch);
    m public.hc_mapping := public.hc_mapping_of(c.id, hc_poll_done.mapping);
BEGIN
    UPDATE public.hc_mapping h
        -- The stamp is taken when a record is written, the record is seen when its transaction commits, up to ten minutes later.
        SET poll_cursor = greatest(h.poll_cursor, CASE WHEN horizon IS NULL THEN org_now - interval '10 minutes' ELSE least(horizon, org_now) END),
            -- A mapping that was changed meanwhile, or is to be reloaded, is due for that.
            poll_at = CASE WHEN h.state = 'POLLING_SF_CHANGES' THEN public.hc_clock(c.id) + h.polling ELSE h.poll_at END,
            -- One that is read and may not write shows that again.
            state = CASE WHEN h.state = 'POLLING_SF_CHANGES' THEN CASE WHEN h.sending_held ? 'until' THEN 'BAD_CONFIG' ELSE 'DATA_SYNCED' END ELSE h.state END,
            state_detail = CASE WHEN h.state = 'POLLING_SF_CHANGES' THEN h.sending_held ->> 'message' ELSE h.state_detail END, counts = h.counts - 'failures'
        WHERE h.id = m.id;
    IF rows > 0 THEN
        PERFORM public.hc_raise(c.id, m.id, 'poll', 'debug', format('Polled %s: %s records', m.object_name, rows));
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_poll_done(uuid, bigint, uuid, bigint, timestamptz, timestamptz) IS
    'Ends a poll: moves the cursor to the horizon (latestDateCovered) or, where that is not known, to ten minutes before the query.';

CREATE FUNCTION public.hc_read_failed(c public.hc_connection, m public.hc_mapping, code text, message text, kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    failures integer := coalesce((m.counts ->> 'failures')::integer, 0) + 1;
BEGIN
    UPDATE public.hc_mapping h
        SET poll_at = public.hc_clock(c.id) + CASE kind WHEN 'configuration' THEN h.polling ELSE public.hc_later(failures, '2 seconds', '5 minutes') END,
            counts = h.counts || jsonb_build_object('failures', failures),
            state = CASE WHEN kind = 'configuration' THEN 'BAD_CONFIG' WHEN h.state = 'POLLING_SF_CHANGES' THEN 'DATA_SYNCED' ELSE h.state END,
            state_detail = concat_ws(': ', code, message)
        WHERE h.id = m.id;
    PERFORM public.hc_raise(c.id, m.id, CASE kind WHEN 'configuration' THEN 'mapping-error' ELSE 'poll' END,
        CASE WHEN kind = 'configuration' THEN 'error' WHEN failures >= 5 THEN 'warning' ELSE 'info' END,
        format('Reading %s failed: %s', m.object_name, concat_ws(': ', code, message)));
END
$$;
COMMENT ON FUNCTION public.hc_read_failed(public.hc_connection, public.hc_mapping, text, text, text) IS
    'Notes that a poll or load failed and when it is tried again; a configuration error shows as BAD_CONFIG.';

CREATE FUNCTION public.hc_poll_failed(connection uuid, epoch bigint, mapping uuid, code text, message text, kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_poll_failed.connection, hc_poll_failed.epoch);
    m public.hc_mapping := public.hc_mapping_of(c.id, hc_poll_failed.mapping);
BEGIN
    -- Of a mapping that was changed meanwhile, what failed was the poll of what it was before.
    IF m.state <> 'SCHEMA_CHANGED' THEN
        PERFORM public.hc_read_failed(c, m, code, message, kind);
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_poll_failed(uuid, bigint, uuid, text, text, text) IS 'Ends a poll that failed; kind is transient, configuration or limit.';
