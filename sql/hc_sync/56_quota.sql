-- Quota: what the org allows within 24 hours, what of it is used, and what waits for more
--
-- The relay counts each call before it is made, and notes here what it counted and what Salesforce reported. A part of the allowance
-- is kept back for others (api_reserve). Above it, what matters less stops earlier: writes may use all that is left, polls and
-- read-backs leave one step of it (api_step), loads two; a mapping's api_priority shifts all its calls by one step.

CREATE TABLE public.hc_quota (
    connection  uuid PRIMARY KEY REFERENCES public.hc_connection ON DELETE CASCADE,
    used        bigint NOT NULL,
    maximum     bigint NOT NULL,
    reported_at timestamptz NOT NULL,
    since       bigint NOT NULL DEFAULT 0,
    open_levels integer NOT NULL DEFAULT 4
);
COMMENT ON TABLE public.hc_quota IS 'API requests of the org in its rolling 24 hours, as Salesforce last reported them';
COMMENT ON COLUMN public.hc_quota.since IS 'Calls that the report may not contain: made later, or under way';
COMMENT ON COLUMN public.hc_quota.open_levels IS 'How many levels of calls went on when it was last looked at: 0 none, 4 all';

CREATE TABLE public.hc_quota_use (
    connection uuid NOT NULL REFERENCES public.hc_connection ON DELETE CASCADE,
    began_at   timestamptz NOT NULL,
    calls      bigint NOT NULL DEFAULT 0,
    first_used bigint,
    first_at   timestamptz,
    PRIMARY KEY (connection, began_at)
);
COMMENT ON TABLE public.hc_quota_use IS 'Our calls by quarters of an hour, and the first report of the org in each';

CREATE TABLE public.hc_quota_day (
    mapping uuid NOT NULL REFERENCES public.hc_mapping ON DELETE CASCADE,
    day     date NOT NULL,
    granted bigint NOT NULL DEFAULT 0,
    calls   bigint NOT NULL DEFAULT 0,
    told    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (mapping, day)
);
COMMENT ON TABLE public.hc_quota_day IS 'Calls for a mapping on one day of the org';
COMMENT ON COLUMN public.hc_quota_day.granted IS 'Calls that the relay may make without asking: counted before they are made, so that no crash forgets one';

CREATE FUNCTION public.hc_percent(c public.hc_connection, name text, otherwise numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$   -- no SET, so that it is inlined
    -- A value that is none must not stop the connection.
    SELECT CASE WHEN c.settings OPERATOR(pg_catalog.->>) name OPERATOR(pg_catalog.~) '^\d{1,2}(\.\d{1,6})?$|^100$' THEN (c.settings OPERATOR(pg_catalog.->>) name)::numeric ELSE otherwise END
$$;
COMMENT ON FUNCTION public.hc_percent(public.hc_connection, text, numeric) IS 'A setting of the connection that is a percentage, 0 to 100, or the default.';

CREATE FUNCTION public.hc_org_day(c public.hc_connection) RETURNS date
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF c.settings ? 'org_time_zone' THEN
        BEGIN
            RETURN public.hc_clock(c.id) AT TIME ZONE (c.settings ->> 'org_time_zone');
        EXCEPTION WHEN invalid_parameter_value THEN
            NULL;   -- a zone that is none must not stop the connection
        END;
    END IF;
    RETURN public.hc_clock(c.id) AT TIME ZONE 'UTC';
END
$$;
COMMENT ON FUNCTION public.hc_org_day(public.hc_connection) IS 'The org''s day: that of the setting org_time_zone, else of UTC.';

CREATE FUNCTION public.hc_quota_used(c public.hc_connection) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$   -- PL/pgSQL keeps its plans, and every claim asks
DECLARE
    q public.hc_quota;
    window_begins timestamptz := public.hc_clock(c.id) - interval '24 hours';
    run_out bigint;
BEGIN
    SELECT x.* INTO q FROM public.hc_quota x WHERE x.connection = c.id;
    IF q.reported_at <= window_begins THEN
        RETURN q.since;
    END IF;
    -- What we ourselves did more than 24 hours ago and the report still contains.
    SELECT coalesce(sum(u.calls), 0) INTO run_out FROM public.hc_quota_use u WHERE u.connection = c.id
       AND u.began_at >= q.reported_at - interval '24 hours' AND u.began_at <= window_begins - interval '15 minutes';
    RETURN q.since + greatest(0, q.used - run_out);
END
$$;
COMMENT ON FUNCTION public.hc_quota_used(public.hc_connection) IS
    'API requests of the last 24 hours at most: the last report, without what of it has run out since, and what was called since; null before the first report.';

CREATE FUNCTION public.hc_quota_levels(c public.hc_connection) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    whole bigint;
    room bigint;
    step bigint;
BEGIN
    SELECT q.maximum INTO whole FROM public.hc_quota q WHERE q.connection = c.id;
    IF whole IS NULL THEN
        RETURN 4;
    END IF;
    room := whole - ceil(whole * public.hc_percent(c, 'api_reserve', 10) / 100) - public.hc_quota_used(c) - 1;
    step := ceil(whole * public.hc_percent(c, 'api_step', 2) / 100);
    RETURN CASE WHEN room < 0 THEN 0 WHEN room >= 3 * step THEN 4 WHEN room >= 2 * step THEN 3 WHEN room >= step THEN 2 ELSE 1 END;
END
$$;
COMMENT ON FUNCTION public.hc_quota_levels(public.hc_connection) IS 'How many levels of calls the quota allows now: 0 none, 4 all.';

CREATE FUNCTION public.hc_quota_level(m public.hc_mapping, kind text) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$   -- no SET, so that it is inlined
    SELECT greatest(0, CASE kind WHEN 'write' THEN 0 WHEN 'load' THEN 2 ELSE 1 END
                       + CASE m.config OPERATOR(pg_catalog.#>>) '{hc_sync,api_priority}' WHEN 'high' THEN -1 WHEN 'low' THEN 1 ELSE 0 END)
$$;
COMMENT ON FUNCTION public.hc_quota_level(public.hc_mapping, text) IS
    'The level of a mapping''s calls of one kind (write, read, load): the lower, the longer they go on when the quota runs short.';

CREATE FUNCTION public.hc_quota_maximum(m public.hc_mapping) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce((m.config OPERATOR(pg_catalog.->>) 'sf_max_daily_api_calls')::bigint, 30000) $$;
COMMENT ON FUNCTION public.hc_quota_maximum(public.hc_mapping) IS 'Calls that the mapping may make on one day of the org.';

CREATE FUNCTION public.hc_quota_closed(c public.hc_connection, kind text) RETURNS uuid[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    levels integer := public.hc_quota_levels(c);
    today date := public.hc_org_day(c);
BEGIN
    RETURN ARRAY(SELECT m.id FROM public.hc_mapping m
                  WHERE m.connection = c.id
                    AND (public.hc_quota_level(m, kind) >= levels
                         OR EXISTS (SELECT FROM public.hc_quota_day d WHERE d.mapping = m.id AND d.day = today AND d.calls >= public.hc_quota_maximum(m))));
END
$$;
COMMENT ON FUNCTION public.hc_quota_closed(public.hc_connection, text) IS 'Mappings for which no call of a kind (write, read, load) may be made now.';

CREATE FUNCTION public.hc_quota_take(connection uuid, epoch bigint, mappings uuid[]) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_quota_take.connection, hc_quota_take.epoch);
    today date := public.hc_org_day(c);
    m public.hc_mapping;
    already bigint;
    given bigint;
    granted jsonb := '{}';
    refused jsonb := '{}';
BEGIN
    FOR m IN SELECT h.* FROM public.hc_mapping h WHERE h.connection = c.id AND h.id = ANY (mappings) ORDER BY h.id LOOP
        INSERT INTO public.hc_quota_day AS d (mapping, day) VALUES (m.id, today) ON CONFLICT ON CONSTRAINT hc_quota_day_pkey DO UPDATE SET granted = d.granted
            RETURNING d.granted INTO already;
        given := public.hc_quota_maximum(m) - already;
        IF given <= 0 THEN
            refused := refused || jsonb_build_object(m.id::text, m.object_name);
            CONTINUE;
        END IF;
        -- A few at a time spare round trips; what a crash leaves unused is lost for the day.
        given := least(given, 25, greatest(1, given / 50));
        UPDATE public.hc_quota_day d SET granted = d.granted + given WHERE d.mapping = m.id AND d.day = today;
        granted := granted || jsonb_build_object(m.id::text, given);
    END LOOP;
    RETURN jsonb_build_object('day', today, 'granted', granted, 'refused', refused);
END
$$;
COMMENT ON FUNCTION public.hc_quota_take(uuid, bigint, uuid[]) IS
    'Counts calls for the mappings before they are made, and says how many of each may be; refused are those at their daily maximum.';

CREATE FUNCTION public.hc_quota_note(connection uuid, epoch bigint, note jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_quota_note.connection, hc_quota_note.epoch);
    now_there timestamptz := public.hc_clock(c.id);
    today date := public.hc_org_day(c);
    bucket timestamptz := date_bin('15 minutes', now_there, '2000-01-01 00:00+00');
    mine uuid[] := ARRAY(SELECT h.id FROM public.hc_mapping h WHERE h.connection = c.id);
BEGIN
    IF note ? 'used' THEN
        INSERT INTO public.hc_quota AS q (connection, used, maximum, reported_at) VALUES (c.id, (note ->> 'used')::bigint, (note ->> 'maximum')::bigint, now_there)
        ON CONFLICT ON CONSTRAINT hc_quota_pkey DO UPDATE SET used = excluded.used, maximum = excluded.maximum, reported_at = excluded.reported_at;
    END IF;
    IF note ? 'since' THEN
        UPDATE public.hc_quota q SET since = (note ->> 'since')::bigint WHERE q.connection = c.id;
    END IF;
    IF coalesce((note ->> 'calls')::bigint, 0) > 0 OR note ? 'used' THEN
        INSERT INTO public.hc_quota_use AS u (connection, began_at, calls, first_used, first_at)
            VALUES (c.id, bucket, coalesce((note ->> 'calls')::bigint, 0), (note ->> 'used')::bigint, CASE WHEN note ? 'used' THEN now_there END)
        ON CONFLICT ON CONSTRAINT hc_quota_use_pkey DO UPDATE SET calls = u.calls + excluded.calls, first_used = coalesce(u.first_used, excluded.first_used),
                                                         first_at = coalesce(u.first_at, excluded.first_at);
        DELETE FROM public.hc_quota_use u WHERE u.connection = c.id AND u.began_at < now_there - interval '3 days';
        DELETE FROM public.hc_quota_day d WHERE d.mapping = ANY (mine) AND d.day < today - 31;
    END IF;
    INSERT INTO public.hc_quota_day AS d (mapping, day, granted, calls)
        SELECT x.key::uuid, today, x.value::bigint, x.value::bigint FROM jsonb_each_text(coalesce(note -> 'mappings', '{}')) x WHERE x.key::uuid = ANY (mine)
    ON CONFLICT ON CONSTRAINT hc_quota_day_pkey DO UPDATE SET calls = d.calls + excluded.calls, granted = greatest(d.granted, d.calls + excluded.calls);
    -- What an earlier relay was granted and did not note it may have used; what this one leaves unused others may have.
    IF note ? 'begins' THEN
        UPDATE public.hc_quota_day d SET calls = d.granted WHERE d.mapping = ANY (mine) AND d.day = today AND d.calls < d.granted;
    ELSIF note ? 'ends' THEN
        UPDATE public.hc_quota_day d SET granted = d.calls WHERE d.mapping = ANY (mine) AND d.day = today AND d.granted > d.calls;
    END IF;
    PERFORM public.hc_quota_tell(c, today);
    RETURN jsonb_build_object('day', today, 'reserve', public.hc_percent(c, 'api_reserve', 10), 'step', public.hc_percent(c, 'api_step', 2),
        'priorities', (SELECT coalesce(jsonb_object_agg(h.id, public.hc_quota_level(h, 'read') - 1), '{}') FROM public.hc_mapping h
                        WHERE h.connection = c.id AND public.hc_quota_level(h, 'read') <> 1),
        'known', (SELECT jsonb_build_object('used', public.hc_quota_used(c), 'maximum', q.maximum,
                                            'run_out', q.used + q.since - public.hc_quota_used(c)) FROM public.hc_quota q WHERE q.connection = c.id));
END
$$;
COMMENT ON FUNCTION public.hc_quota_note(uuid, bigint, jsonb) IS
    'Notes what the relay counted and what the org reported ({"used","maximum","since","calls","mappings":{id: calls}}; "begins" and "ends" with a leadership), tells people what waits, and returns the rules.';

CREATE FUNCTION public.hc_quota_waiting(c public.hc_connection) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('API quota: %s of %s requests of the org''s 24 hours are used and %s are kept back for others (api_reserve); %s for requests to run out of the window',
                  public.hc_quota_used(c), q.maximum, ceil(q.maximum * public.hc_percent(c, 'api_reserve', 10) / 100),
                  CASE public.hc_quota_levels(c) WHEN 0 THEN 'everything waits' WHEN 1 THEN 'polls, read-backs and loads wait' WHEN 2 THEN 'loads wait'
                                                 ELSE 'mappings of low priority wait' END)
      FROM public.hc_quota q WHERE q.connection = c.id AND public.hc_quota_levels(c) < 3
$$;
COMMENT ON FUNCTION public.hc_quota_waiting(public.hc_connection) IS 'What waits for the org''s quota and why, for a person; null when nothing does.';

CREATE FUNCTION public.hc_quota_tell(c public.hc_connection, today date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    waiting text := public.hc_quota_waiting(c);
    levels integer := public.hc_quota_levels(c);
    before integer;
    m record;
BEGIN
    SELECT q.open_levels INTO before FROM public.hc_quota q WHERE q.connection = c.id;
    IF before IS DISTINCT FROM levels THEN
        UPDATE public.hc_quota q SET open_levels = levels WHERE q.connection = c.id;
        IF waiting IS NULL THEN
            UPDATE public.hc_connection h SET state_detail = NULL WHERE h.id = c.id AND h.state_detail LIKE 'API quota: %';
            IF before < 3 THEN
                -- The low water has passed what waited.
                UPDATE public.hc_connection h SET full_look_at = NULL WHERE h.id = c.id;
                PERFORM public.hc_raise(c.id, NULL, 'api-quota', 'info', 'API quota: calls go on');
            END IF;
        ELSE
            UPDATE public.hc_connection h SET state_detail = waiting WHERE h.id = c.id AND (h.state_detail IS NULL OR h.state_detail LIKE 'API quota: %');
            -- Once when it begins and not for each further step.
            IF before >= 3 OR NOT EXISTS (SELECT FROM public.hc_notification n WHERE n.connection = c.id AND n.event_type = 'api-quota' AND n.acknowledged_at IS NULL) THEN
                PERFORM public.hc_raise(c.id, NULL, 'api-quota', 'warning', waiting);
            END IF;
        END IF;
    END IF;
    FOR m IN UPDATE public.hc_quota_day d SET told = true FROM public.hc_mapping h
              WHERE h.id = d.mapping AND h.connection = c.id AND d.day = today AND d.calls >= public.hc_quota_maximum(h) AND NOT d.told
              RETURNING h.id, h.object_name, d.calls LOOP
        PERFORM public.hc_raise(c.id, m.id, 'api-quota', 'warning',
            format('API quota: %s has made its %s calls of %s (sf_max_daily_api_calls); its changes, polls and loads wait for the org''s next day', m.object_name, m.calls, to_char(today, 'YYYY-MM-DD')));
        UPDATE public.hc_mapping h SET state_detail = format('API quota: its %s calls of %s are made (sf_max_daily_api_calls); goes on with the org''s next day', m.calls, to_char(today, 'YYYY-MM-DD'))
            WHERE h.id = m.id AND h.state_detail IS NULL;
    END LOOP;
    UPDATE public.hc_mapping h SET state_detail = NULL WHERE h.connection = c.id AND h.state_detail LIKE 'API quota: %'
        AND NOT EXISTS (SELECT FROM public.hc_quota_day d WHERE d.mapping = h.id AND d.day = today AND d.calls >= public.hc_quota_maximum(h));
END
$$;
COMMENT ON FUNCTION public.hc_quota_tell(public.hc_connection, date) IS
    'Says what began to wait for the quota, and what goes on: state_detail of connection and mapping, and one notification of each.';

CREATE FUNCTION public.hc_quota_status(c public.hc_connection) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('used', public.hc_quota_used(c), 'maximum', q.maximum, 'reported_at', q.reported_at, 'reserve', r.reserve,
               'calls_per_hour', round(f.per_hour), 'waiting', public.hc_quota_waiting(c),
               'reserve_reached_at', CASE WHEN public.hc_quota_levels(c) > 0 AND f.per_hour >= 1
                   THEN f.now + make_interval(secs => (q.maximum - r.reserve - public.hc_quota_used(c))::float8 / f.per_hour * 3600) END,
               'mappings', (SELECT coalesce(jsonb_object_agg(m.object_name, jsonb_build_object('calls', coalesce(d.calls, 0), 'maximum', public.hc_quota_maximum(m))), '{}')
                              FROM public.hc_mapping m LEFT JOIN public.hc_quota_day d ON d.mapping = m.id AND d.day = public.hc_org_day(c) WHERE m.connection = c.id))
      FROM public.hc_quota q,
           LATERAL (SELECT ceil(q.maximum * public.hc_percent(c, 'api_reserve', 10) / 100)::bigint AS reserve) r,
           -- The last hour: what the org reports, which others use too, or our own count if that is more.
           LATERAL (SELECT n.now, greatest(
                        coalesce(max(q.used - u.first_used) FILTER (WHERE u.first_at = e.first_at) / greatest(extract(epoch FROM q.reported_at - e.first_at), 300), 0),
                        sum(u.calls) / greatest(extract(epoch FROM n.now - min(u.began_at)), 300))::float8 * 3600 AS per_hour
                      FROM (SELECT public.hc_clock(c.id) AS now) n
                      LEFT JOIN public.hc_quota_use u ON u.connection = c.id AND u.began_at > n.now - interval '75 minutes'
                      LEFT JOIN LATERAL (SELECT min(x.first_at) AS first_at FROM public.hc_quota_use x WHERE x.connection = c.id AND x.began_at > n.now - interval '75 minutes') e ON true
                     GROUP BY n.now, e.first_at) f
     WHERE q.connection = c.id
$$;
COMMENT ON FUNCTION public.hc_quota_status(public.hc_connection) IS
    'Use of the org''s quota, the calls per hour now and when the reserve will be reached at that rate, what waits, and each mapping''s calls of today.';
