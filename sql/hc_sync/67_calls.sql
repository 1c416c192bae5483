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
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_sent_calls.connection, hc_sent_calls.epoch);
    sent bigint[];
BEGIN
    PERFORM public.hc_adopt_final(c.id, 'a change was sent');
    WITH marked AS (
        UPDATE public.hc_batch x SET state = 'SENT', sent_at = public.hc_clock(c.id), first_sent_at = coalesce(x.first_sent_at, public.hc_clock(c.id))
         WHERE x.connection = c.id AND x.state IN ('CLAIMED', 'SENT') AND coalesce(x.call, x.id) = ANY (calls) RETURNING coalesce(x.call, x.id) AS call)
    SELECT array_agg(m.call) INTO sent FROM marked m;
    IF NOT calls <@ coalesce(sent, '{}') THEN
        RAISE EXCEPTION 'call % has nothing that may be sent', (SELECT min(x) FROM unnest(calls) x WHERE x <> ALL (coalesce(sent, '{}'))) USING ERRCODE = 'HC003';
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_sent_calls(uuid, bigint, bigint[]) IS
    'Says of all batches of the calls that their request is about to be written: from here on its outcome is unknown until the answer is stored.';

CREATE FUNCTION public.hc_answer_batches(connection uuid, epoch bigint, answers jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_nestloop = off SET jit = off AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_answer_batches.connection, hc_answer_batches.epoch);
    now_there timestamptz := public.hc_clock(c.id);
    ids bigint[] := ARRAY(SELECT DISTINCT (a.value ->> 'batch')::bigint FROM jsonb_array_elements(answers) a ORDER BY 1);
    whole bigint[];   -- those that have a result for each record
    other record;
BEGIN
    PERFORM public.hc_open_batch(c, b, ARRAY['CLAIMED', 'SENT']) FROM unnest(ids) b;
    WITH given AS (
        SELECT (a.value ->> 'batch')::bigint AS batch, a.value -> 'answer' -> 'results' AS results FROM jsonb_array_elements(answers) a WHERE a.value ->> 'outcome' = 'answered'
    ), asked AS (
        SELECT e.batch, e.position, row_number() OVER (PARTITION BY e.batch ORDER BY e.position) AS n
          FROM public.hc_batch_entry e WHERE e.batch = ANY (ids) AND e.outcome IS NULL AND e.merged_into IS NULL AND NOT e.applied
    ), matching AS (
        SELECT g.batch, g.results FROM given g WHERE jsonb_array_length(g.results) = (SELECT count(*) FROM asked a WHERE a.batch = g.batch)
    ), stored AS (
        UPDATE public.hc_batch_entry e SET outcome = r.result
          FROM matching k, jsonb_array_elements(k.results) WITH ORDINALITY r(result, n), asked a
         WHERE a.batch = k.batch AND a.n = r.n AND e.batch = ANY (ids) AND e.batch = a.batch AND e.position = a.position)
    SELECT array_agg(k.batch) INTO whole FROM matching k;
    UPDATE public.hc_batch x SET state = 'ANSWERED', answered_at = now_there, answer = (a.value -> 'answer') - 'results', reason = NULL,
           request_id = a.value -> 'answer' ->> 'request_id', apply_at = NULL
        FROM jsonb_array_elements(answers) a WHERE x.id = (a.value ->> 'batch')::bigint AND x.id = ANY (whole);
    PERFORM public.hc_batch_answered(b) FROM public.hc_batch b WHERE b.id = ANY (whole);
    FOR other IN
        SELECT (array_agg(b ORDER BY b.id))[1] AS b, array_agg(b.id ORDER BY b.id) AS batches, a.value ->> 'outcome' AS outcome, (array_agg(nullif(a.value -> 'answer', 'null') ORDER BY b.id))[1] AS answer
          FROM jsonb_array_elements(answers) a JOIN public.hc_batch b ON b.id = (a.value ->> 'batch')::bigint WHERE NOT b.id = ANY (coalesce(whole, '{}'))
         -- What was refused together is told apart together.
         GROUP BY a.value ->> 'outcome', CASE WHEN a.value ->> 'outcome' = 'refused' THEN coalesce(b.call, b.id) ELSE b.id END ORDER BY min(b.id) LOOP
        IF cardinality(other.batches) > 1 THEN
            PERFORM public.hc_refused(c, other.batches, other.answer);
        ELSE
            PERFORM public.hc_answer_otherwise(c, other.b, other.outcome, other.answer);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION public.hc_answer_batches(uuid, bigint, jsonb) IS
    'Stores the outcomes of several batches in one transaction: [{"batch", "outcome", "answer"}], each as hc_answer takes it. Touches only tables that no application locks: it cannot wait.';

CREATE FUNCTION public.hc_apply_batches(connection uuid, epoch bigint, batches bigint[]) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_apply_batches.connection, hc_apply_batches.epoch);
    part record;
    results jsonb := '{}';
BEGIN
    PERFORM public.hc_open_batch(c, x.batch, ARRAY['ANSWERED', 'REPEAT', 'DOUBT', 'PARKED', 'CLAIMED', 'SENT', 'DONE'])
        FROM (SELECT DISTINCT b AS batch FROM unnest(batches) b ORDER BY 1) x;
    PERFORM public.hc_writes_rows();
    FOR part IN SELECT b.mapping, array_agg(b.id ORDER BY b.id) AS ids FROM public.hc_batch b WHERE b.id = ANY (batches) GROUP BY b.mapping ORDER BY b.mapping LOOP
        results := results || public.hc_apply_mapping(c, public.hc_mapping_of(c.id, part.mapping), part.ids);
    END LOOP;
    RETURN (SELECT coalesce(jsonb_agg(results -> b::text || jsonb_build_object('batch', b)), '[]') FROM unnest(batches) b);
END
$$;
COMMENT ON FUNCTION public.hc_apply_batches(uuid, bigint, bigint[]) IS
    'Applies the stored answers of several batches, in as few statements as can be: [{"batch", "applied", "waiting", "done"}]. A row that is locked, or whose trigger raises, waits with its reason and is tried again; its change is never sent again.';
