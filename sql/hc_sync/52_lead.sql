-- Leading: one relay serves a connection, and each change of relay raises the epoch

CREATE FUNCTION public.hc_lead(connection uuid, holder text, whence jsonb DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection;
    b bigint;
BEGIN
    IF NOT pg_try_advisory_lock(hashtextextended('hc_sync ' || hc_lead.connection, 0)) THEN
        RETURN NULL;
    END IF;
    -- A relay that stops speaking loses the session, and with it the lock, within ten seconds: these settings are the lease.
    PERFORM set_config('idle_session_timeout', '8s', false), set_config('idle_in_transaction_session_timeout', '8s', false),
            set_config('tcp_keepalives_idle', '3', false), set_config('tcp_keepalives_interval', '2', false),
            set_config('tcp_keepalives_count', '2', false), set_config('tcp_user_timeout', '8000', false);
    PERFORM set_config('synchronous_commit', 'on', true);
    -- FOR UPDATE, not the weaker lock of a plain UPDATE: it waits for steps of the old epoch that are still running.
    SELECT * INTO c FROM public.hc_connection h WHERE h.id = hc_lead.connection FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM pg_advisory_unlock(hashtextextended('hc_sync ' || hc_lead.connection, 0));
        RAISE EXCEPTION 'connection % does not exist', hc_lead.connection
            USING ERRCODE = 'HC002', HINT = 'List the connections with: hc-relay connection list';
    END IF;
    BEGIN
        PERFORM public.hc_identity_require(c, whence);
    EXCEPTION WHEN SQLSTATE 'HC004' THEN
        PERFORM pg_advisory_unlock(hashtextextended('hc_sync ' || hc_lead.connection, 0));
        RAISE;
    END;
    PERFORM public.hc_identity_bind(c, whence);
    UPDATE public.hc_connection h SET epoch = h.epoch + 1, leader = holder, leader_since = clock_timestamp()
        WHERE h.id = c.id RETURNING h.* INTO c;
    UPDATE public.hc_batch x SET state = 'REPEAT', due_at = NULL, reason = 'claimed by a relay that ended before sending'
        WHERE x.connection = c.id AND x.state = 'CLAIMED';
    -- A bulk job runs without us, and hc_batch.job says how far it is known: the next to claim it goes on from there.
    UPDATE public.hc_batch x SET state = 'REPEAT', due_at = NULL, reason = 'taken up from a relay that ended'
        WHERE x.connection = c.id AND x.state = 'SENT' AND x.api <> 'single' AND x.job ? 'step';
    FOR b IN SELECT x.id FROM public.hc_batch x WHERE x.connection = c.id AND x.state = 'SENT' LOOP
        PERFORM public.hc_batch_doubt(b, 'RELAY_ENDED', 'the relay ended while the call was under way');
    END LOOP;
    RETURN c.epoch;
END
$$;
COMMENT ON FUNCTION public.hc_lead(uuid, text, jsonb) IS
    'Takes the connection''s advisory lock in this session and returns the new epoch; null while another relay holds it. Refuses a database that the connection is not bound to (HC004). whence: see hc_identity_differs. Batches of earlier epochs: those never sent are offered again, those sent are in doubt.';

CREATE FUNCTION public.hc_identify(connection uuid, epoch bigint, organization_id text, user_id text, org_now timestamptz,
                                   loopback boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_identify.connection, hc_identify.epoch);
BEGIN
    IF left(c.organization_id, 15) IS DISTINCT FROM left(hc_identify.organization_id, 15) AND c.organization_id IS NOT NULL THEN
        RAISE EXCEPTION 'the credentials belong to Salesforce org %, this connection to %', hc_identify.organization_id, c.organization_id
            USING ERRCODE = 'HC003', HINT = 'Use credentials of the org that the connection was authorized for, or create another connection.';
    END IF;
    UPDATE public.hc_connection h
        SET organization_id = hc_identify.organization_id,
            settings = h.settings || jsonb_build_object('user_id', hc_identify.user_id, 'org_is_loopback', hc_identify.loopback,
                'org_clock_ahead', extract(epoch FROM hc_identify.org_now - public.hc_clock(h.id))),
            state = CASE WHEN h.state IN ('NEW', 'NEED_AUTHENTICATION', 'UNAUTHORIZED', 'DB_UNAVAILABLE', 'SYSTEM_ERROR') THEN 'IDLE' ELSE h.state END,
            state_detail = CASE WHEN h.state IN ('UNAUTHORIZED', 'SYSTEM_ERROR') THEN NULL ELSE h.state_detail END,
            sending_held = CASE WHEN h.sending_held ->> 'kind' IN ('login', 'inactive', 'organization') THEN NULL ELSE h.sending_held END
        WHERE h.id = c.id;
    EXECUTE format('UPDATE %I._hcmeta SET org_id = $1 WHERE org_id IS DISTINCT FROM $1', c.schema_name) USING hc_identify.organization_id;
END
$$;
COMMENT ON FUNCTION public.hc_identify(uuid, bigint, text, text, timestamptz, boolean) IS
    'Notes which org and user the session belongs to and how far the org''s clock is ahead; refuses another org (HC003).';

CREATE FUNCTION public.hc_org_clock(c public.hc_connection) RETURNS timestamptz
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT public.hc_clock(c.id) + make_interval(secs => coalesce((c.settings ->> 'org_clock_ahead')::float8, 0))
$$;
COMMENT ON FUNCTION public.hc_org_clock(public.hc_connection) IS 'What the org''s clock says now, as of the last login.';
