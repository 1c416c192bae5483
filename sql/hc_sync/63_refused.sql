-- Refused requests: what was not sent, or was refused whole, waits, is tried in parts, or stops mapping or connection

CREATE FUNCTION public.hc_batch_part(b public.hc_batch, positions integer[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part bigint := nextval(pg_get_serial_sequence('public.hc_batch', 'id'));
BEGIN
    INSERT INTO public.hc_batch OVERRIDING SYSTEM VALUE
        SELECT (jsonb_populate_record(b, jsonb_build_object('id', part, 'call', NULL))).*;
    -- What was merged into a change goes with it.
    UPDATE public.hc_batch_entry e SET batch = part WHERE e.batch = b.id AND (e.position = ANY (positions) OR e.merged_into = ANY (positions));
    RETURN part;
END
$$;
COMMENT ON FUNCTION public.hc_batch_part(public.hc_batch, integer[]) IS
    'Makes the entries at these positions a batch of their own, which is otherwise as the batch is.';

CREATE FUNCTION public.hc_batch_split(batch bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    b public.hc_batch;
    positions integer[];
    half integer;
BEGIN
    SELECT x.* INTO b FROM public.hc_batch x WHERE x.id = hc_batch_split.batch FOR UPDATE;
    SELECT array_agg(e.position ORDER BY e.position) INTO positions FROM public.hc_batch_entry e
        WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied AND e.merged_into IS NULL;
    half := (coalesce(cardinality(positions), 0) + 1) / 2;
    IF half = 0 OR half = cardinality(positions) THEN
        RETURN NULL;
    END IF;
    UPDATE public.hc_batch x SET call = NULL WHERE x.id = b.id;
    RETURN public.hc_batch_part(b, positions[half + 1:]);
END
$$;
COMMENT ON FUNCTION public.hc_batch_split(bigint) IS
    'Halves a batch: the second half of its open changes becomes a batch of its own in the same state, whose number is returned; null when there is one change only.';

CREATE FUNCTION public.hc_batch_release(batch bigint, code text, message text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
    UPDATE public.hc_batch_entry e
        SET outcome = jsonb_build_object('success', false, 'release', true, 'errors', jsonb_build_array(jsonb_build_object('code', code, 'message', message)))
        WHERE e.batch = hc_batch_release.batch AND NOT e.applied AND (e.outcome IS NULL OR NOT (e.outcome ->> 'success')::boolean);
    UPDATE public.hc_batch b SET state = 'ANSWERED', answered_at = public.hc_clock(b.connection), apply_at = NULL, due_at = NULL WHERE b.id = hc_batch_release.batch;
$$;
COMMENT ON FUNCTION public.hc_batch_release(bigint, text, text) IS
    'Gives back the changes of a batch that were not written: applying it sets them to NEW, so that they are claimed again with what the mapping is then, and a person can ignore them.';

CREATE FUNCTION public.hc_hold_connection(c public.hc_connection, kind text, code text, message text, until timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stopped text := CASE kind WHEN 'login' THEN 'UNAUTHORIZED' WHEN 'inactive' THEN 'INACTIVE_ORG' WHEN 'organization' THEN 'SYSTEM_ERROR' END;
    why text := concat_ws(': ', CASE WHEN strpos(message, code) > 0 THEN NULL ELSE code END, message);
    is_new boolean;
BEGIN
    SELECT h.sending_held ->> 'code' IS DISTINCT FROM code INTO is_new FROM public.hc_connection h WHERE h.id = c.id FOR NO KEY UPDATE;
    UPDATE public.hc_connection h
        SET sending_held = jsonb_build_object('until', until, 'kind', kind, 'code', code, 'message', message),
            state = CASE WHEN h.state = 'PAUSED' THEN h.state ELSE coalesce(stopped, h.state) END,
            state_detail = CASE WHEN h.state <> 'PAUSED' AND stopped IS NOT NULL THEN why ELSE h.state_detail END
        WHERE h.id = c.id;
    IF is_new THEN
        PERFORM public.hc_raise(c.id, NULL, CASE kind WHEN 'login' THEN 'salesforce-authorization' WHEN 'quota' THEN 'quota' ELSE 'salesforce-refused' END,
            CASE WHEN stopped IS NULL THEN 'warning' ELSE 'error' END,
            CASE WHEN stopped IS NULL THEN format('Nothing is sent before %s: %s', to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'), why)
                 ELSE format('Nothing is sent until this is put right; changes wait in the log: %s', why) END,
            jsonb_build_object('code', code));
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_hold_connection(public.hc_connection, text, text, text, timestamptz) IS
    'Stops sending for a connection until then: a limit of the org, or a login or org that a person must put right, with its state and a notification.';

CREATE FUNCTION public.hc_hold_mapping(c public.hc_connection, m public.hc_mapping, code text, message text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    why text := concat_ws(': ', CASE WHEN strpos(message, code) > 0 THEN NULL ELSE code END, message);
BEGIN
    UPDATE public.hc_mapping h
        -- The next refusal finds it so at once.
        SET sending_held = jsonb_build_object('until', public.hc_clock(c.id) + interval '10 minutes', 'code', code, 'message', message, 'refusals', 9),
            state = CASE WHEN h.state IN ('DATA_SYNCED', 'POLLING_SF_CHANGES') THEN 'BAD_CONFIG' ELSE h.state END, state_detail = why
        WHERE h.id = m.id;
    PERFORM public.hc_batch_release(x.id, code, message) FROM (
        SELECT b.id FROM public.hc_batch b WHERE b.connection = c.id AND b.mapping = m.id AND b.state = 'REPEAT' AND b.answer ->> 'kind' = 'configuration' FOR UPDATE SKIP LOCKED) x;
    PERFORM public.hc_raise(c.id, m.id, 'mapping-error', 'error',
        format('Salesforce refuses every change of %s: %s. Its changes wait in the log, and are tried again every ten minutes and when the mapping is edited', m.object_name, why),
        jsonb_build_object('code', code));
END
$$;
COMMENT ON FUNCTION public.hc_hold_mapping(public.hc_connection, public.hc_mapping, text, text) IS
    'Stops sending for one mapping, whose every change is refused for its configuration, the user''s rights or the org''s schema: BAD_CONFIG and a notification.';

CREATE FUNCTION public.hc_batch_answered(b public.hc_batch) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    accepted integer;
    linked integer;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE e.action = 'INSERT' AND b.operation = 'upsert' AND b.attempt = 1 AND e.outcome -> 'created' = 'false' AND e.merged_into IS NULL)
        INTO accepted, linked FROM public.hc_batch_entry e WHERE e.batch = b.id AND NOT e.applied AND (e.outcome ->> 'success')::boolean;
    UPDATE public.hc_connection h
        SET sending_held = NULL, state = CASE WHEN h.state IN ('UNAUTHORIZED', 'INACTIVE_ORG', 'SYSTEM_ERROR') THEN 'IDLE' ELSE h.state END,
            state_detail = CASE WHEN h.state IN ('UNAUTHORIZED', 'INACTIVE_ORG', 'SYSTEM_ERROR') THEN NULL ELSE h.state_detail END
        WHERE h.id = b.connection AND h.sending_held IS NOT NULL;
    UPDATE public.hc_mapping h
        SET sending_held = NULL, state = CASE h.state WHEN 'BAD_CONFIG' THEN 'DATA_SYNCED' ELSE h.state END,
            state_detail = CASE h.state WHEN 'BAD_CONFIG' THEN NULL ELSE h.state_detail END
        WHERE h.id = b.mapping AND h.sending_held IS NOT NULL AND accepted > 0;
    IF linked > 0 THEN
        PERFORM public.hc_raise(b.connection, b.mapping, 'linked', 'info',
            format('%s of batch %s were not created: %s had records with their %s, which now are theirs', linked, b.id, b.object_name, b.external_id_field),
            jsonb_build_object('batch', b.id, 'linked', linked));
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_batch_answered(public.hc_batch) IS
    'Salesforce has answered the batch: what held back connection and mapping ends, and inserts that found a record with their identifier are told of.';

CREATE FUNCTION public.hc_mapping_refused(c public.hc_connection, b public.hc_batch, answer jsonb) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m public.hc_mapping;
BEGIN
    -- Some of the changes may be at fault, and are found by halves: of 200, one is alone after nine calls.
    UPDATE public.hc_mapping h SET sending_held = coalesce(h.sending_held, '{}') || jsonb_build_object('refusals', coalesce((h.sending_held ->> 'refusals')::integer, 0) + 1)
        WHERE h.id = b.mapping RETURNING h.* INTO m;
    IF (m.sending_held ->> 'refusals')::integer < 10 THEN
        RETURN false;
    END IF;
    PERFORM public.hc_hold_mapping(c, m, answer ->> 'code', answer ->> 'message');
    PERFORM public.hc_batch_release(b.id, answer ->> 'code', answer ->> 'message');
    RETURN true;
END
$$;
COMMENT ON FUNCTION public.hc_mapping_refused(public.hc_connection, public.hc_batch, jsonb) IS
    'Counts a request that was refused whole for the mapping''s configuration, the user''s rights or the org''s schema, and stops the mapping after ten without any change accepted; true then.';

CREATE FUNCTION public.hc_is_held(hold jsonb, now_there timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce((hold ->> 'until')::timestamptz > now_there, false) $$;   -- no SET, so that it is inlined
COMMENT ON FUNCTION public.hc_is_held(jsonb, timestamptz) IS 'Whether sending is held back (sending_held of a connection or a mapping) at this time.';

CREATE FUNCTION public.hc_not_run(c public.hc_connection, b public.hc_batch, answer jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kind text := coalesce(answer ->> 'kind', 'outage');
    failures integer := CASE WHEN b.retry_kind = kind THEN b.retries ELSE 0 END + 1;
    rule record;
    due timestamptz;
BEGIN
    SELECT r.* INTO rule FROM public.hc_retry_rule(kind) r;
    IF failures > rule.tries THEN
        PERFORM public.hc_refused(c, ARRAY[b.id], answer);
        RETURN;
    END IF;
    due := public.hc_clock(c.id) + coalesce(greatest(make_interval(secs => (answer ->> 'retry_after_ms')::float8 / 1000), rule.minimum),
                                            public.hc_retry_wait(kind, failures));
    UPDATE public.hc_batch x SET state = 'REPEAT', due_at = due, answer = hc_not_run.answer, retry_kind = kind, retries = failures,
           reason = concat_ws(': ', hc_not_run.answer ->> 'code', hc_not_run.answer ->> 'message') WHERE x.id = b.id;
    IF kind = 'slow' THEN
        PERFORM public.hc_batch_split(b.id);
    ELSIF kind IN ('quota', 'login', 'inactive', 'organization') THEN
        PERFORM public.hc_hold_connection(c, kind, answer ->> 'code', answer ->> 'message', due);
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_not_run(public.hc_connection, public.hc_batch, jsonb) IS
    'A request of which nothing ran is offered again by the rule of its kind (hc_retry_rule): what ran too long in halves; for a limit of the org, its login or the org itself nothing else is sent meanwhile.';

CREATE FUNCTION public.hc_refused(c public.hc_connection, batches bigint[], answer jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    now_there timestamptz := public.hc_clock(c.id);
    refusal text := concat_ws(': ', CASE WHEN strpos(answer ->> 'message', answer ->> 'code') > 0 THEN NULL ELSE answer ->> 'code' END, answer ->> 'message');
    half CONSTANT integer := (cardinality(batches) + 1) / 2;
    b public.hc_batch;
    part bigint;
BEGIN
    IF cardinality(batches) > 1 THEN
        -- Batches that travelled together are told apart first.
        UPDATE public.hc_batch x
            SET state = 'REPEAT', due_at = now_there, answer = hc_refused.answer, reason = refusal,
                call = CASE WHEN x.id = ANY (batches[:half]) THEN batches[1] ELSE batches[half + 1] END
            WHERE x.id = ANY (batches);
        RETURN;
    END IF;
    SELECT x.* INTO b FROM public.hc_batch x WHERE x.id = batches[1];
    IF answer ->> 'kind' = 'configuration' AND public.hc_mapping_refused(c, b, answer) THEN
        RETURN;
    END IF;
    part := public.hc_batch_split(b.id);
    IF part IS NOT NULL THEN
        UPDATE public.hc_batch x SET state = 'REPEAT', due_at = now_there, answer = hc_refused.answer, reason = refusal WHERE x.id IN (b.id, part);
        RETURN;
    END IF;
    UPDATE public.hc_batch_entry e
        SET outcome = jsonb_build_object('success', false, 'final', true, 'errors', jsonb_build_array(jsonb_build_object(
                'code', hc_refused.answer ->> 'code', 'message', hc_refused.answer ->> 'message', 'fields', coalesce(hc_refused.answer -> 'fields', '[]'))))
        WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied;
    UPDATE public.hc_batch x SET state = 'ANSWERED', answered_at = now_there, answer = hc_refused.answer, reason = NULL,
           request_id = hc_refused.answer ->> 'request_id', apply_at = NULL WHERE x.id = b.id;
END
$$;
COMMENT ON FUNCTION public.hc_refused(public.hc_connection, bigint[], jsonb) IS
    'A request that was refused whole is sent again in halves until the change that Salesforce cannot take is alone, and fails; the others succeed. The batches are those of the request, in order. If all are refused for the mapping''s configuration, the mapping stops.';

CREATE FUNCTION public.hc_in_doubt(c public.hc_connection, b public.hc_batch, answer jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kind text := coalesce(answer ->> 'kind', 'outage');
    failures integer := CASE WHEN b.retry_kind = kind THEN b.retries ELSE 0 END + 1;
BEGIN
    UPDATE public.hc_batch x SET retry_kind = kind, retries = failures, answer = hc_in_doubt.answer WHERE x.id = b.id;
    IF b.operation <> 'create' AND failures > (public.hc_retry_rule(kind)).tries THEN
        PERFORM public.hc_refused(c, ARRAY[b.id], answer);
        RETURN;
    END IF;
    PERFORM public.hc_batch_doubt(b.id, answer ->> 'code', answer ->> 'message');
    IF kind = 'slow' AND b.operation <> 'create' THEN
        PERFORM public.hc_batch_split(b.id);
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_in_doubt(public.hc_connection, public.hc_batch, jsonb) IS
    'The outcome of a request is not known. What ran too long goes on in halves, and what Salesforce refuses again and again for a reason that nobody knows fails. Creates are looked for first (hc_doubt_again).';

CREATE FUNCTION public.hc_doubt_again(c public.hc_connection, b public.hc_batch) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF b.retries > (public.hc_retry_rule(b.retry_kind)).tries THEN
        PERFORM public.hc_refused(c, ARRAY[b.id], b.answer);
        RETURN;
    END IF;
    UPDATE public.hc_batch x SET state = 'REPEAT', due_at = NULL, apply_at = NULL, reason = NULL WHERE x.id = b.id;
    IF b.retry_kind = 'slow' THEN
        PERFORM public.hc_batch_split(b.id);
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_doubt_again(public.hc_connection, public.hc_batch) IS
    'Changes of a batch in doubt had no effect: they are offered again, by the rule of what failed.';
