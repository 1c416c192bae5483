-- Calls: the protocol for several requests at a time, so that a round trip to the database serves many of them

CREATE FUNCTION public.hc_write_algorithm(c public.hc_connection) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(c.settings ->> 'write_algorithm', 'planned')
$$;
COMMENT ON FUNCTION public.hc_write_algorithm(public.hc_connection) IS 'How the connection writes: ordered, merged or planned.';

CREATE FUNCTION public.hc_write_lanes(c public.hc_connection) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN public.hc_write_algorithm(c) = 'ordered' THEN 1
                ELSE least(greatest(coalesce((c.settings ->> 'write_lanes')::integer, 8), 1), 100) END
$$;
COMMENT ON FUNCTION public.hc_write_lanes(public.hc_connection) IS
    'How many requests may write at the same time: the setting write_lanes, 8 without it; one where changes go in the order of the log.';

CREATE FUNCTION public.hc_call_request(batches bigint[]) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('call', min(coalesce(b.call, b.id)), 'api', min(b.api), 'operation', min(b.operation), 'external_id_field', min(b.external_id_field),
                              'batches', jsonb_agg(public.hc_batch_request(b) ORDER BY b.id))
      FROM public.hc_batch b WHERE b.id = ANY (batches)
$$;
COMMENT ON FUNCTION public.hc_call_request(bigint[]) IS 'The request that the relay sends for batches that travel together.';

CREATE FUNCTION public.hc_sent_calls(connection uuid, epoch bigint, calls bigint[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT public.hc_sent(hc_sent_calls.connection, hc_sent_calls.epoch, b.id)
      FROM public.hc_batch b WHERE b.connection = hc_sent_calls.connection AND b.state IN ('CLAIMED', 'SENT') AND coalesce(b.call, b.id) = ANY (calls) ORDER BY b.id
$$;
COMMENT ON FUNCTION public.hc_sent_calls(uuid, bigint, bigint[]) IS 'Says of all batches of the calls that their request is about to be written.';

CREATE FUNCTION public.hc_answer_batches(connection uuid, epoch bigint, answers jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_answer_batches.connection, hc_answer_batches.epoch);
    together record;
    told_apart bigint[] := '{}';
BEGIN
    FOR together IN
        SELECT array_agg(b.id ORDER BY b.id) AS batches, (array_agg(a.value -> 'answer' ORDER BY b.id))[1] AS answer
          FROM jsonb_array_elements(answers) a JOIN public.hc_batch b ON b.id = (a.value ->> 'batch')::bigint
         WHERE a.value ->> 'outcome' = 'refused' GROUP BY coalesce(b.call, b.id) HAVING count(*) > 1 LOOP
        PERFORM public.hc_open_batch(c, b, ARRAY['CLAIMED', 'SENT']) FROM unnest(together.batches) b;
        PERFORM public.hc_refused(c, together.batches, together.answer);
        told_apart := told_apart || together.batches;
    END LOOP;
    PERFORM public.hc_answer(c.id, c.epoch, (a.value ->> 'batch')::bigint, a.value ->> 'outcome', a.value -> 'answer')
       FROM jsonb_array_elements(answers) a WHERE NOT (a.value ->> 'batch')::bigint = ANY (told_apart);
END
$$;
COMMENT ON FUNCTION public.hc_answer_batches(uuid, bigint, jsonb) IS
    'Stores the outcomes of several batches in one transaction: [{"batch", "outcome", "answer"}], each as hc_answer takes it.';

CREATE FUNCTION public.hc_apply_batches(connection uuid, epoch bigint, batches bigint[]) RETURNS jsonb
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_agg(public.hc_apply(hc_apply_batches.connection, hc_apply_batches.epoch, b) || jsonb_build_object('batch', b)), '[]')
      FROM unnest(batches) b
$$;
COMMENT ON FUNCTION public.hc_apply_batches(uuid, bigint, bigint[]) IS
    'Applies the stored answers of several batches: [{"batch", "applied", "waiting", "done"}].';
