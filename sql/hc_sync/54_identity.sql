-- Identity: which database a connection is bound to. A copy of it (restored, forked, cloned) must not send the same changes again,
-- and an older state of it must not send them twice. Each mark catches what the others cannot see:
--   system        another server: a dump restored elsewhere, what pg_upgrade made
--   database_oid  another database of the server: a TEMPLATE copy, one that was dropped and restored
--   database      a database that was renamed, to make room for another
--   log           a trigger log that was made anew, as when the schema alone is restored in its place
--   addresses     the same files under another address: a clone, a fork, a snapshot that was started elsewhere
--   fence         an older state under the same address: what the relay keeps outside the database is not in it (hc_fence)
-- A mark that the server does not tell us (some hosts keep the system identifier from everybody) is not compared.

CREATE FUNCTION public.hc_identity(schema name) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    system text;
    timeline integer;
BEGIN
    BEGIN
        SELECT s.system_identifier::text INTO system FROM pg_control_system() s;
    EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
        NULL;   -- the other marks are left
    END;
    IF NOT pg_is_in_recovery() THEN
        -- The control file tells the old one until the first checkpoint after a promotion.
        timeline := ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer;
    END IF;
    RETURN (SELECT jsonb_strip_nulls(jsonb_build_object('system', system, 'timeline', timeline, 'database_oid', d.oid::text, 'database', d.datname,
                       'log', to_regclass(format('%I._trigger_log', hc_identity.schema))::oid::text,
                       'server', host(inet_server_addr()) || ':' || inet_server_port()))
              FROM pg_database d WHERE d.datname = current_database());
END
$$;
COMMENT ON FUNCTION public.hc_identity(name) IS
    'The marks by which this database is known again: system identifier, oid and name of the database, oid of the trigger log; timeline and server tell what happened and decide nothing';

CREATE FUNCTION public.hc_identity_differs(c public.hc_connection, whence jsonb DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    bound jsonb := c.identity;
    here jsonb := public.hc_identity(c.schema_name);
BEGIN
    IF bound IS NULL THEN
        RETURN NULL;
    ELSIF here ->> 'system' <> bound ->> 'system' THEN
        RETURN format('this is another server (system identifier %s, not %s): a dump was restored here, or pg_upgrade made it', here ->> 'system', bound ->> 'system');
    ELSIF here ->> 'database_oid' <> bound ->> 'database_oid' THEN
        RETURN format('this is another database of the same server (oid %s, not %s): a copy, or it was dropped and restored',
                      here ->> 'database_oid', bound ->> 'database_oid');
    ELSIF here ->> 'database' <> bound ->> 'database' THEN
        RETURN format('the database was renamed from "%s" to "%s"', bound ->> 'database', here ->> 'database');
    ELSIF here ->> 'log' IS DISTINCT FROM bound ->> 'log' AND bound ? 'log' THEN
        RETURN format('the trigger log of schema "%s" was made anew: the schema was restored', c.schema_name);
    ELSIF bound ? 'addresses' AND whence ? 'address' AND NOT bound -> 'addresses' ? (whence ->> 'address') THEN
        RETURN format('the server is reached at %s, and the connection knows %s only: a copy of its files, a fork or a snapshot%s', whence ->> 'address',
            (SELECT string_agg(a, ', ' ORDER BY a) FROM jsonb_array_elements_text(bound -> 'addresses') a),
            CASE WHEN here -> 'timeline' > bound -> 'timeline'
                 THEN format(', or a standby that was promoted (its timeline went from %s to %s)', bound ->> 'timeline', here ->> 'timeline') ELSE '' END);
    ELSIF jsonb_array_length(whence -> 'kept') > 0 AND (whence ->> 'kept_at')::timestamptz > (bound ->> 'bound_at')::timestamptz
          AND NOT EXISTS (SELECT FROM public.hc_fence f WHERE f.connection = c.id AND f.keeper = whence ->> 'keeper' AND whence -> 'kept' ? f.value) THEN
        RETURN format('the database does not have the fence that this relay left in it at %s: it is an older state of it, from a backup or a snapshot', whence ->> 'kept_at');
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION public.hc_identity_differs(public.hc_connection, jsonb) IS
    'Why this is not the database that the connection is bound to; null if it is. whence is how a relay came here: {"address", "addresses", "keeper", "kept", "kept_at"}, each of which may be missing.';

CREATE FUNCTION public.hc_identity_require(c public.hc_connection, whence jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    why text := public.hc_identity_differs(c, whence);
BEGIN
    IF why IS NOT NULL THEN
        RAISE EXCEPTION '%', why
            USING ERRCODE = 'HC004', DETAIL = 'Nothing is sent or merged, so that no change reaches Salesforce twice.',
                  HINT = format('If this database shall be the one: hc-relay connection rebind %1$s, or SELECT hc_rebind(%2$L).', c.schema_name, c.id);
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_identity_require(public.hc_connection, jsonb) IS 'Refuses a database that the connection is not bound to (HC004)';

CREATE FUNCTION public.hc_identity_bind(c public.hc_connection, whence jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    here jsonb := public.hc_identity(c.schema_name);
    known jsonb := (SELECT jsonb_agg(DISTINCT a) FROM (
        SELECT jsonb_array_elements_text(c.identity -> 'addresses') UNION SELECT jsonb_array_elements_text(whence -> 'addresses')) x(a));
    marks jsonb := coalesce(c.identity, '{}') || here || jsonb_strip_nulls(jsonb_build_object('addresses', known,
        'bound_at', coalesce(c.identity ->> 'bound_at', clock_timestamp()::text)));
    was_refused boolean;
BEGIN
    IF marks IS DISTINCT FROM c.identity THEN
        UPDATE public.hc_connection h SET identity = marks WHERE h.id = c.id;
        IF here -> 'timeline' IS DISTINCT FROM c.identity -> 'timeline' AND c.identity ? 'timeline' THEN
            PERFORM public.hc_raise(c.id, NULL, 'identity', 'info', format('The database went from timeline %s to %s: a standby was promoted, or it was recovered',
                                    c.identity ->> 'timeline', here ->> 'timeline'));
        END IF;
    END IF;
    UPDATE public.hc_notification n SET acknowledged_at = public.hc_clock(c.id)
        WHERE n.connection = c.id AND n.event_type = 'identity' AND n.acknowledged_at IS NULL;
    was_refused := FOUND;
    UPDATE public.hc_connection h SET state = 'IDLE', state_detail = NULL WHERE was_refused AND h.id = c.id AND h.state = 'SYSTEM_ERROR';
END
$$;
COMMENT ON FUNCTION public.hc_identity_bind(public.hc_connection, jsonb) IS
    'Notes the marks that were missing and the addresses that the relay''s DATABASE_URL lists, for a relay whose way here was accepted';

-- On behalf of a relay that was refused (HC004): the refusal itself rolled back.
CREATE FUNCTION public.hc_identity_refused(connection uuid, whence jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection;
    why text;
    detail text;
BEGIN
    SELECT * INTO c FROM public.hc_connection h WHERE h.id = hc_identity_refused.connection;
    why := public.hc_identity_differs(c, whence);
    -- While a relay leads that came by a good way, the connection is not stopped.
    IF why IS NULL OR NOT pg_try_advisory_xact_lock(hashtextextended('hc_sync ' || hc_identity_refused.connection, 0)) THEN
        RETURN NULL;
    END IF;
    detail := format('%s. Nothing is sent or merged. If this database shall be the one: hc-relay connection rebind %s', why, c.schema_name);
    IF c.state_detail IS DISTINCT FROM detail THEN
        UPDATE public.hc_connection h SET state = CASE h.state WHEN 'PAUSED' THEN h.state ELSE 'SYSTEM_ERROR' END, state_detail = detail WHERE h.id = c.id;
        PERFORM public.hc_raise(c.id, NULL, 'identity', 'error', 'Sync has stopped: ' || detail, jsonb_build_object('bound', c.identity,
                                'here', public.hc_identity(c.schema_name), 'address', whence -> 'address'));
    END IF;
    RETURN why;
END
$$;
COMMENT ON FUNCTION public.hc_identity_refused(uuid, jsonb) IS
    'Says in the connection''s state, as event and as notification why a relay may not serve it; answers the reason, null if there is none';

CREATE FUNCTION public.hc_fence_advance(connection uuid, epoch bigint, whence jsonb, value text) RETURNS timestamptz
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_fence_advance.connection, hc_fence_advance.epoch);
    at timestamptz := clock_timestamp();
BEGIN
    PERFORM public.hc_identity_require(c, whence);
    IF NOT coalesce(whence ? 'keeper', false) THEN
        RETURN at;
    END IF;
    INSERT INTO public.hc_fence AS f (connection, keeper, value, advanced_at) VALUES (c.id, whence ->> 'keeper', hc_fence_advance.value, at)
        ON CONFLICT ON CONSTRAINT hc_fence_pkey DO UPDATE SET value = excluded.value, advanced_at = excluded.advanced_at;
    -- Relays in containers that keep nothing leave a keeper each.
    DELETE FROM public.hc_fence f WHERE f.connection = c.id AND f.advanced_at < at - interval '1 year';
    RETURN at;
END
$$;
COMMENT ON FUNCTION public.hc_fence_advance(uuid, bigint, jsonb, text) IS
    'Looks at the identity again and leaves a new fence, which the relay keeps outside the database too; answers when';

CREATE FUNCTION public.hc_unsent(c public.hc_connection) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    waiting bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s WHERE state IN (''NEW'', ''PENDING'')', public.hc_log_table(c)) INTO waiting;
    RETURN jsonb_build_object('unsent', waiting, 'in_flight', (SELECT count(*) FROM public.hc_batch b
        WHERE b.connection = c.id AND b.state IN ('CLAIMED', 'SENT', 'REPEAT', 'DOUBT', 'PARKED')));
END
$$;
COMMENT ON FUNCTION public.hc_unsent(public.hc_connection) IS 'How many captured changes are not sent, and how many batches have no answer, as far as this database knows';

CREATE FUNCTION public.hc_rebind(connection uuid, ignore_unsent boolean DEFAULT false) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection;
    found_here jsonb;
    b bigint;
BEGIN
    SELECT * INTO c FROM public.hc_connection h WHERE h.id = hc_rebind.connection FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'connection % does not exist', hc_rebind.connection USING ERRCODE = 'HC002', HINT = 'List the connections with: hc-relay connection list';
    END IF;
    found_here := public.hc_unsent(c);
    IF ignore_unsent THEN
        EXECUTE format('UPDATE %s SET state = ''IGNORE'', updated_at = clock_timestamp() WHERE state IN (''NEW'', ''PENDING'')', public.hc_log_table(c));
        DELETE FROM public.hc_batch x WHERE x.connection = c.id AND x.state IN ('CLAIMED', 'SENT', 'REPEAT', 'DOUBT', 'PARKED');
    ELSE
        -- What this database had claimed may have been sent since, by the one that it is a copy of.
        FOR b IN SELECT x.id FROM public.hc_batch x WHERE x.connection = c.id AND x.state IN ('CLAIMED', 'SENT', 'REPEAT') ORDER BY x.id LOOP
            UPDATE public.hc_batch x SET first_sent_at = coalesce(x.first_sent_at, x.claimed_at) WHERE x.id = b;
            PERFORM public.hc_batch_doubt(b, 'REBOUND', 'the connection was bound to this database while the batch was under way');
        END LOOP;
    END IF;
    DELETE FROM public.hc_fence f WHERE f.connection = c.id;
    -- The log may hold ids below the mark up to which everything was done, so it is looked at as a whole.
    UPDATE public.hc_connection h SET identity = public.hc_identity(c.schema_name) || jsonb_build_object('bound_at', clock_timestamp()),
           low_water = 0, full_look = NULL, full_look_at = NULL,
           state = CASE h.state WHEN 'SYSTEM_ERROR' THEN 'IDLE' ELSE h.state END, state_detail = CASE h.state WHEN 'PAUSED' THEN h.state_detail END
        WHERE h.id = c.id;
    UPDATE public.hc_notification n SET acknowledged_at = public.hc_clock(c.id)
        WHERE n.connection = c.id AND n.event_type = 'identity' AND n.acknowledged_at IS NULL;
    IF to_regclass(format('public.%I', public.hc_quiet_name(c.schema_name))) IS NOT NULL THEN
        PERFORM public.hc_busy(c.id, false);   -- a dump made in the middle of a write cycle says that the relay is busy
    END IF;
    PERFORM public.hc_raise(c.id, NULL, 'identity', 'info', format('The connection was bound to database "%s"', current_database()),
                            found_here || jsonb_build_object('ignored', ignore_unsent));
    PERFORM public.hc_wake(c.id);
    RETURN found_here;
END
$$;
COMMENT ON FUNCTION public.hc_rebind(uuid, boolean) IS
    'Binds a connection to this database, from wherever the next relay reaches it. Changes that are not sent go out, and batches without an answer are in doubt; with ignore_unsent, neither is sent. Answers how many there were.';
