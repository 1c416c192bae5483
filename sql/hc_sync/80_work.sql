-- Work: what is due now, by the connection's clock; the relay only sleeps

CREATE FUNCTION public.hc_work(connection uuid, epoch bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_work.connection, hc_work.epoch);
    now_there timestamptz := public.hc_clock(c.id);
    due timestamptz := now_there + interval '10 seconds';
    loading text[] := ARRAY['INITIAL', 'SCHEMA_CHANGED', 'RESYNC', 'RELOAD_TABLE', 'WAIT_BULK_LOAD', 'LOADING_BULK_JOB'];
    may_not_write uuid[];   -- under the quota
    may_not_poll uuid[];
    may_not_load uuid[];
    answer jsonb;
BEGIN
    IF c.state = 'PAUSED' THEN
        RETURN jsonb_build_object('state', c.state, 'paused', true, 'loads', '[]'::jsonb, 'polls', '[]'::jsonb, 'read_back', false, 'staged', '[]'::jsonb,
                                  'apply', '[]'::jsonb, 'doubts', '[]'::jsonb, 'housekeeping', false, 'lanes', public.hc_write_lanes(c), 'wait_ms', 10000);
    END IF;
    may_not_write := public.hc_quota_closed(c, 'write');
    may_not_poll := public.hc_quota_closed(c, 'read');
    may_not_load := public.hc_quota_closed(c, 'load');
    SELECT least(due, min(x.at)) INTO due FROM (
        SELECT h.poll_at AS at FROM public.hc_mapping h WHERE h.connection = c.id
        UNION ALL SELECT b.due_at FROM public.hc_batch b WHERE b.connection = c.id AND b.state IN ('REPEAT', 'DOUBT')
        UNION ALL SELECT b.apply_at FROM public.hc_batch b WHERE b.connection = c.id AND b.state <> 'DONE'
        UNION ALL SELECT s.retry_at FROM public.hc_staged s JOIN public.hc_mapping h ON h.id = s.mapping WHERE h.connection = c.id
        UNION ALL SELECT r.due_at FROM public.hc_read_back r JOIN public.hc_mapping h ON h.id = r.mapping WHERE h.connection = c.id
        UNION ALL SELECT c.next_drain_at) x WHERE x.at > now_there;
    answer := jsonb_build_object('state', c.state, 'paused', false, 'describe', public.hc_undescribed(c, now_there),
        'loads', (SELECT coalesce(jsonb_agg(jsonb_build_object('mapping', h.id) ORDER BY h.created_at, h.object_name), '[]') FROM public.hc_mapping h
                   WHERE h.connection = c.id AND h.description IS NOT NULL AND (h.poll_at IS NULL OR h.poll_at <= now_there) AND NOT h.id = ANY (may_not_load)
                     AND (h.state = ANY (loading) OR h.state = 'BAD_CONFIG' AND (h.poll_cursor IS NULL OR EXISTS (SELECT FROM public.hc_load l WHERE l.mapping = h.id)))),
        'polls', (SELECT coalesce(jsonb_agg(jsonb_build_object('mapping', h.id) ORDER BY h.poll_at), '[]') FROM public.hc_mapping h
                   WHERE h.connection = c.id AND h.description IS NOT NULL AND h.poll_at <= now_there AND h.poll_cursor IS NOT NULL AND NOT h.state = ANY (loading) AND NOT h.id = ANY (may_not_poll)
                     AND NOT (h.state = 'BAD_CONFIG' AND EXISTS (SELECT FROM public.hc_load l WHERE l.mapping = h.id))),
        'read_back', EXISTS (SELECT FROM public.hc_read_back r JOIN public.hc_mapping h ON h.id = r.mapping
                              WHERE h.connection = c.id AND (r.due_at IS NULL OR r.due_at <= now_there) AND NOT h.id = ANY (may_not_poll)),
        'staged', (SELECT coalesce(jsonb_agg(h.id), '[]') FROM public.hc_mapping h WHERE h.connection = c.id
                    AND EXISTS (SELECT FROM public.hc_staged s WHERE s.mapping = h.id AND (s.retry_at IS NULL OR s.retry_at <= now_there))),
        'apply', (SELECT coalesce(jsonb_agg(b.id ORDER BY b.id), '[]') FROM public.hc_batch b WHERE b.connection = c.id AND b.state <> 'DONE'
                   -- A job whose results are being read is applied when all have been.
                   AND (b.api = 'single' OR b.state = 'ANSWERED') AND (b.apply_at IS NULL OR b.apply_at <= now_there)
                   AND EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NOT NULL AND NOT e.applied)),
        'doubts', (SELECT coalesce(jsonb_agg(jsonb_build_object('batch', b.id, 'way', CASE WHEN b.operation IN ('update', 'undelete') THEN 'retrieve' ELSE 'lookup' END) ORDER BY b.id), '[]')
                     FROM public.hc_batch b WHERE b.connection = c.id AND b.state = 'DOUBT' AND b.due_at <= now_there AND NOT b.mapping = ANY (may_not_write)),
        'repeats', EXISTS (SELECT FROM public.hc_batch b WHERE b.connection = c.id AND b.state = 'REPEAT' AND (b.due_at IS NULL OR b.due_at <= now_there)),
        'housekeeping', public.hc_housekeeping_due(c), 'lanes', public.hc_write_lanes(c));
    RETURN answer || jsonb_build_object('wait_ms', ceil(extract(epoch FROM due - now_there) * 1000));
END
$$;
COMMENT ON FUNCTION public.hc_work(uuid, bigint) IS 'What is due now, and in how many milliseconds to ask again (10,000 at most).';

CREATE FUNCTION public.hc_cycle_done(connection uuid, epoch bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_cycle_done.connection, hc_cycle_done.epoch);
BEGIN
    UPDATE public.hc_connection h SET next_drain_at = public.hc_clock(c.id) + interval '2 minutes',
           state = CASE WHEN h.state = 'POLLING_DB_CHANGES' THEN 'IDLE' ELSE h.state END
        WHERE h.id = c.id;
END
$$;
COMMENT ON FUNCTION public.hc_cycle_done(uuid, bigint) IS 'Ends a write cycle: the two-minute countdown to the next look at the log begins.';

CREATE FUNCTION public.hc_wake(connection uuid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_notify(c.schema_name || '.hc_trigger_log', 'ping') FROM public.hc_connection c WHERE c.id = hc_wake.connection
$$;
COMMENT ON FUNCTION public.hc_wake(uuid) IS 'Wakes the relay of a connection.';
