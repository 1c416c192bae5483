-- Answer: what became of a request, stored whole before anything is done with it

CREATE FUNCTION public.hc_open_batch(c public.hc_connection, batch bigint, allowed text[]) RETURNS public.hc_batch
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b public.hc_batch;
BEGIN
    SELECT x.* INTO b FROM public.hc_batch x WHERE x.id = hc_open_batch.batch AND x.connection = c.id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % does not exist in connection %', hc_open_batch.batch, c.id USING ERRCODE = 'HC002';
    ELSIF NOT b.state = ANY (allowed) THEN
        RAISE EXCEPTION 'batch % is %, not %', b.id, b.state, array_to_string(allowed, ' or ') USING ERRCODE = 'HC003';
    END IF;
    RETURN b;
END
$$;
COMMENT ON FUNCTION public.hc_open_batch(public.hc_connection, bigint, text[]) IS 'Locks the batch, which must be in one of the given states (HC003).';

CREATE FUNCTION public.hc_sent(connection uuid, epoch bigint, batch bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_sent.connection, hc_sent.epoch);
    b public.hc_batch := public.hc_open_batch(c, hc_sent.batch, ARRAY['CLAIMED', 'SENT']);
BEGIN
    PERFORM public.hc_adopt_final(c.id, 'a change was sent');
    UPDATE public.hc_batch x SET state = 'SENT', sent_at = public.hc_clock(c.id), first_sent_at = coalesce(x.first_sent_at, public.hc_clock(c.id))
        WHERE x.id = b.id;
END
$$;
COMMENT ON FUNCTION public.hc_sent(uuid, bigint, bigint) IS 'Says that the request is about to be written: from here on its outcome is unknown until the answer is stored.';

CREATE FUNCTION public.hc_answer_otherwise(c public.hc_connection, b public.hc_batch, outcome text, answer jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
BEGIN
    CASE outcome
        WHEN 'answered' THEN
            PERFORM public.hc_batch_doubt(b.id, 'UNREADABLE_ANSWER', format('Salesforce answered %s results for %s records', jsonb_array_length(answer -> 'results'),
                (SELECT count(*) FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL AND e.merged_into IS NULL AND NOT e.applied)));
        WHEN 'refused' THEN
            PERFORM public.hc_refused(c, ARRAY[b.id], answer);
        WHEN 'not_run' THEN
            PERFORM public.hc_not_run(c, b, answer);
        WHEN 'in_doubt' THEN
            PERFORM public.hc_in_doubt(c, b, answer);
        ELSE
            RAISE EXCEPTION 'outcome % is none of answered, refused, not_run, in_doubt', outcome USING ERRCODE = '22023';
    END CASE;
END
$$;
COMMENT ON FUNCTION public.hc_answer_otherwise(public.hc_connection, public.hc_batch, text, jsonb) IS
    'Stores the outcome of a request that was not answered with a result for each of its records.';

CREATE FUNCTION public.hc_answer(connection uuid, epoch bigint, batch bigint, outcome text, answer jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM public.hc_answer_batches(hc_answer.connection, hc_answer.epoch,
        jsonb_build_array(jsonb_build_object('batch', hc_answer.batch, 'outcome', hc_answer.outcome, 'answer', hc_answer.answer)));
END
$$;
COMMENT ON FUNCTION public.hc_answer(uuid, bigint, bigint, text, jsonb) IS
    'Stores the outcome of a request. Touches only tables that no application locks: it cannot wait. What the answer does to log and rows is hc_apply''s.';

CREATE FUNCTION public.hc_batch_doubt(batch bigint, code text, message text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b public.hc_batch;
    now_there timestamptz;
BEGIN
    SELECT x.* INTO b FROM public.hc_batch x WHERE x.id = hc_batch_doubt.batch FOR UPDATE;
    now_there := public.hc_clock(b.connection);
    UPDATE public.hc_batch x
        SET reason = format('in doubt: %s', concat_ws(': ', hc_batch_doubt.code, hc_batch_doubt.message)),
            -- Upserts by an identifier and deletes may run twice. An update is compared with the record first. A create can only be
            -- looked for once the call can no longer be running.
            state = CASE WHEN b.operation IN ('upsert', 'delete') THEN 'REPEAT' ELSE 'DOUBT' END,
            due_at = CASE b.operation WHEN 'create' THEN coalesce(b.sent_at, now_there) + interval '10 minutes'
                                      WHEN 'update' THEN now_there WHEN 'undelete' THEN now_there
                                      ELSE now_there + coalesce(public.hc_retry_wait(b.retry_kind, b.retries), public.hc_later(b.attempt)) END
        WHERE x.id = b.id;
    PERFORM public.hc_raise(b.connection, b.mapping, 'in-doubt', 'info',
        format('The outcome of batch %s (%s of %s) is not known: %s', b.id, b.operation, b.object_name, hc_batch_doubt.message),
        jsonb_build_object('batch', b.id, 'code', hc_batch_doubt.code));
END
$$;
COMMENT ON FUNCTION public.hc_batch_doubt(bigint, text, text) IS 'Puts a sent batch whose answer is not known in doubt, and decides how that is resolved.';
