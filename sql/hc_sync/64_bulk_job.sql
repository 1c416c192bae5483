-- Bulk, the job: each step is known to the database before the next one begins, so that a job is never sent twice and none is lost
--
-- hc_batch.job ->> 'step' says what is certain:
--   ready     nothing has been sent
--   create    a job may have been made whose id is not known
--   created   job "id" is open and has no rows
--   upload    rows may have arrived; nothing runs before the close (Bulk 1.0: the batch may run)
--   uploaded  all rows have arrived (Bulk 1.0: as batch "part")
--   close     the job may be closed
--   closed    the job runs
--   settled   nothing more will happen to it, and its results can be read
--   done      they have been read; what is offered again after that goes anew

CREATE FUNCTION public.hc_bulk_fallback(c public.hc_connection, b public.hc_batch, why text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    line text := format('BULK write batch to %s ended due to %s Will fall back to SOAP', b.object_name, why);
BEGIN
    PERFORM public.hc_raise(c.id, b.mapping, 'bulk', 'info', line, jsonb_build_object('batch', b.id, 'job', b.job ->> 'id'));
    RETURN line;
END
$$;
COMMENT ON FUNCTION public.hc_bulk_fallback(public.hc_connection, public.hc_batch, text) IS 'Says, in Heroku Connect''s words, that changes go by single calls instead of a job.';

CREATE FUNCTION public.hc_bulk_next(connection uuid, epoch bigint, batch bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_bulk_next.connection, hc_bulk_next.epoch);
    b public.hc_batch := public.hc_open_batch(c, hc_bulk_next.batch, ARRAY['CLAIMED', 'SENT']);
    why text;
    note text;
    rows bigint;
    file text;
BEGIN
    IF b.api = 'single' THEN
        RAISE EXCEPTION 'batch % is no bulk job', b.id USING ERRCODE = 'HC003';
    END IF;
    IF b.job ->> 'step' = 'done' THEN
        -- Refused for a reason that passes: in a batch of their own, or else rows that wait to be written back would wait for it.
        SELECT count(*) INTO rows FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied AND e.merged_into IS NULL;
        PERFORM public.hc_bulk_split(c, b, NULL, CASE WHEN rows >= public.hc_bulk_least(c) THEN b.api ELSE 'single' END, 'REPEAT', 'offered again');
        PERFORM public.hc_bulk_leave(c, b, NULL);
        RETURN jsonb_build_object('do', 'nothing', 'batch', b.id, 'mapping', b.mapping);
    END IF;
    IF b.job ->> 'step' IS NULL THEN
        why := coalesce(b.job ->> 'ended_by', public.hc_bulk_set_aside(c, b));
        note := CASE WHEN why IS NOT NULL THEN public.hc_bulk_fallback(c, b, why) END;
        UPDATE public.hc_batch x SET job = (coalesce(x.job, '{}') - 'ended_by') || '{"step": "ready"}' WHERE x.id = b.id RETURNING x.* INTO b;
    ELSIF b.state = 'CLAIMED' AND b.job ->> 'step' <> 'ready' THEN
        UPDATE public.hc_batch x SET state = 'SENT', reason = NULL WHERE x.id = b.id;   -- taken up where another relay left it
    END IF;
    SELECT count(*) INTO rows FROM public.hc_batch_entry e
        WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied AND e.merged_into IS NULL AND NOT e.payload ? 'lock_error';
    IF rows = 0 AND b.job ->> 'step' = 'ready' THEN
        PERFORM public.hc_bulk_leave(c, b, NULL);
        RETURN jsonb_build_object('do', 'nothing', 'batch', b.id, 'mapping', b.mapping, 'note', note);
    END IF;
    IF b.job ->> 'step' = 'settled' THEN
        -- What nobody reached is asked for only when something is still open.
        SELECT f.name INTO file FROM unnest(CASE b.api WHEN 'bulk1' THEN ARRAY['batch'] ELSE ARRAY['successfulResults', 'failedResults', 'unprocessedrecords'] END)
                                     WITH ORDINALITY AS f(name, n)
            WHERE NOT coalesce(b.job -> 'read', '[]') ? f.name AND (f.name <> 'unprocessedrecords' OR rows > 0) ORDER BY f.n LIMIT 1;
    END IF;
    RETURN jsonb_build_object('batch', b.id, 'api', b.api, 'mapping', b.mapping, 'object', b.object_name, 'attempt', b.attempt, 'rows', rows,
               'operation', CASE b.operation WHEN 'create' THEN 'insert' ELSE b.operation END, 'external_id_field', b.external_id_field,
               'serial', coalesce((b.job ->> 'serial')::boolean, false), 'job', b.job ->> 'id', 'part', b.job ->> 'part', 'state', b.job ->> 'state',
               'note', note, 'file', file,
               'assignment_rule', (SELECT public.hc_write_options(c, m, b.operation) ->> 'assignment_rule' FROM public.hc_mapping m WHERE m.id = b.mapping),
               'do', CASE b.job ->> 'step' WHEN 'ready' THEN 'create' WHEN 'create' THEN 'find' WHEN 'created' THEN 'upload' WHEN 'upload' THEN 'abandon'
                          WHEN 'uploaded' THEN 'close' WHEN 'close' THEN 'ask' WHEN 'closed' THEN 'look'
                          ELSE CASE WHEN file IS NULL THEN 'end' ELSE 'read' END END)
        || CASE b.job ->> 'step' WHEN 'created' THEN public.hc_bulk_copy(b) ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION public.hc_bulk_next(uuid, bigint, bigint) IS
    'What is to be done next with the job of a batch: create, find (a job whose answer was lost), upload, abandon (rows may have arrived), close, ask (whether it is closed), look, read ("file"), end, or nothing. "note" is for the log.';

CREATE FUNCTION public.hc_bulk_step(connection uuid, epoch bigint, batch bigint, step text, facts jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_bulk_step.connection, hc_bulk_step.epoch);
    b public.hc_batch := public.hc_open_batch(c, hc_bulk_step.batch, ARRAY['CLAIMED', 'SENT']);
    before text[] := CASE hc_bulk_step.step
        WHEN 'create' THEN ARRAY['ready', 'create'] WHEN 'created' THEN ARRAY['create'] WHEN 'upload' THEN ARRAY['created', 'upload']
        WHEN 'uploaded' THEN ARRAY['upload'] WHEN 'close' THEN ARRAY['uploaded', 'close'] WHEN 'closed' THEN ARRAY['uploaded', 'close']
        WHEN 'settled' THEN ARRAY['close', 'closed'] ELSE '{}' END;
BEGIN
    IF NOT coalesce(b.job ->> 'step', '') = ANY (before) THEN
        RAISE EXCEPTION 'the bulk job of batch % is at step %, not %', b.id, coalesce(b.job ->> 'step', 'none'), array_to_string(before, ' or ') USING ERRCODE = 'HC003';
    ELSIF hc_bulk_step.step = 'created' AND (facts ->> 'id') IS NULL OR hc_bulk_step.step = 'uploaded' AND b.api = 'bulk1' AND (facts ->> 'part') IS NULL THEN
        RAISE EXCEPTION 'step % of a bulk job needs an id', hc_bulk_step.step USING ERRCODE = '22023';
    END IF;
    IF hc_bulk_step.step = 'upload' THEN
        PERFORM public.hc_adopt_final(c.id, 'a change was sent');
    END IF;
    UPDATE public.hc_batch x
        SET state = 'SENT', job = x.job || facts || jsonb_build_object('step', hc_bulk_step.step)
                || CASE hc_bulk_step.step WHEN 'create' THEN jsonb_build_object('since', public.hc_org_clock(c)) ELSE '{}' END,
            sent_at = CASE WHEN hc_bulk_step.step IN ('create', 'upload', 'close') OR x.sent_at IS NULL THEN public.hc_clock(c.id) ELSE x.sent_at END,
            first_sent_at = coalesce(x.first_sent_at, public.hc_clock(c.id))
        WHERE x.id = b.id;
END
$$;
COMMENT ON FUNCTION public.hc_bulk_step(uuid, bigint, bigint, text, jsonb) IS
    'Notes a step of a bulk job before the next begins: create, upload and close before they are sent, created ("id"), uploaded ("part") and closed after the answer, settled ("state", "message", "processed") when it has ended.';

CREATE FUNCTION public.hc_bulk_lost(connection uuid, epoch bigint, batch bigint, jobs jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_bulk_lost.connection, hc_bulk_lost.epoch);
    b public.hc_batch := public.hc_open_batch(c, hc_bulk_lost.batch, ARRAY['SENT']);
    ours jsonb;
    lost bigint;
BEGIN
    SELECT count(*) INTO lost FROM public.hc_batch x
        WHERE x.connection = c.id AND x.state IN ('SENT', 'REPEAT', 'CLAIMED') AND x.job ->> 'step' = 'create' AND x.api = b.api
          AND x.object_name = b.object_name AND x.operation = b.operation;
    SELECT coalesce(jsonb_agg(j.value ->> 'id' ORDER BY j.value ->> 'id'), '[]') INTO ours FROM jsonb_array_elements(jobs) j
        WHERE j.value ->> 'state' = 'Open' AND lower(j.value ->> 'object') = lower(b.object_name)
          AND j.value ->> 'operation' = CASE b.operation WHEN 'create' THEN 'insert' ELSE b.operation END
          AND lower(j.value ->> 'external_id_field') IS NOT DISTINCT FROM lower(b.external_id_field)
          AND left(j.value ->> 'created_by', 15) = left(c.settings ->> 'user_id', 15)
          AND (j.value ->> 'created')::timestamptz >= (b.job ->> 'since')::timestamptz - interval '5 seconds'
          AND NOT EXISTS (SELECT FROM public.hc_batch x WHERE x.connection = c.id AND x.job ->> 'id' = j.value ->> 'id');
    -- More than we can have lost: some are another client's of the same user. An open job without rows does nothing; it stays.
    RETURN CASE WHEN jsonb_array_length(ours) > lost THEN '[]' ELSE ours END;
END
$$;
COMMENT ON FUNCTION public.hc_bulk_lost(uuid, bigint, bigint, jsonb) IS
    'Of the org''s jobs, [{"id","state","object","operation","external_id_field","created_by","created"}], those that are the batch''s own, whose create was answered to nobody: to be aborted.';

CREATE FUNCTION public.hc_bulk_give_up(connection uuid, epoch bigint, batch bigint, outcome text, reason jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_bulk_give_up.connection, hc_bulk_give_up.epoch);
    b public.hc_batch := public.hc_open_batch(c, hc_bulk_give_up.batch, ARRAY['CLAIMED', 'SENT']);
    why text := concat_ws(': ', hc_bulk_give_up.reason ->> 'code', hc_bulk_give_up.reason ->> 'message');
BEGIN
    CASE hc_bulk_give_up.outcome
        WHEN 'not_run' THEN
            IF hc_bulk_give_up.reason ? 'kind' THEN
                PERFORM public.hc_answer(c.id, c.epoch, b.id, 'not_run', hc_bulk_give_up.reason);
            ELSE
                UPDATE public.hc_batch x SET state = 'REPEAT', reason = why, due_at = public.hc_clock(c.id) WHERE x.id = b.id;
            END IF;
            UPDATE public.hc_batch x SET job = nullif(jsonb_strip_nulls(jsonb_build_object('serial', x.job -> 'serial')), '{}') WHERE x.id = b.id;
        WHEN 'refused' THEN
            PERFORM public.hc_bulk_split(c, b, NULL, 'single', 'REPEAT', why);
            PERFORM public.hc_bulk_leave(c, b, why);
            RETURN jsonb_build_object('note', public.hc_bulk_fallback(c, b, why));
        WHEN 'gone' THEN
            -- Neither its results nor what became of its rows can be known from it any more.
            PERFORM public.hc_bulk_split(c, b, NULL, 'single', CASE WHEN b.operation IN ('upsert', 'delete') THEN 'REPEAT' ELSE 'DOUBT' END, 'in doubt: ' || why);
            PERFORM public.hc_bulk_leave(c, b, why);
            PERFORM public.hc_raise(c.id, b.mapping, 'in-doubt', 'info', format('The outcome of bulk batch %s (%s of %s) is not known: %s', b.id, b.operation, b.object_name, why),
                                    jsonb_build_object('batch', b.id, 'job', b.job ->> 'id'));
        ELSE
            RAISE EXCEPTION 'outcome % is none of not_run, refused, gone', hc_bulk_give_up.outcome USING ERRCODE = '22023';
    END CASE;
    RETURN '{}';
END
$$;
COMMENT ON FUNCTION public.hc_bulk_give_up(uuid, bigint, bigint, text, jsonb) IS
    'Ends a job without results. not_run: proven, the batch is offered again, with a kind by its rule (hc_answer). refused: Salesforce does not take it as a job, its changes go by single calls. gone: the job has disappeared, what it did is in doubt.';
