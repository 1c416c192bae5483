-- Bulk, the rest: changes that a job has not settled travel on in batches of their own

CREATE FUNCTION public.hc_bulk_split(c public.hc_connection, b public.hc_batch, positions integer[], api text, state text, reason text,
                                     job jsonb DEFAULT NULL, locks text[] DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    size integer := CASE hc_bulk_split.api WHEN 'single' THEN 200 ELSE public.hc_bulk_limit(hc_bulk_split.api) END;
    part integer[];
    made bigint;
    now_there timestamptz := public.hc_clock(c.id);
BEGIN
    positions := ARRAY(SELECT e.position FROM public.hc_batch_entry e
                        WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied AND e.merged_into IS NULL AND (positions IS NULL OR e.position = ANY (positions))
                        ORDER BY e.position);
    FOR n IN 0 .. (cardinality(positions) - 1) / size LOOP
        part := positions[n * size + 1 : (n + 1) * size];
        EXIT WHEN cardinality(part) = 0;
        INSERT INTO public.hc_batch (connection, mapping, epoch, operation, object_name, external_id_field, state, attempt, claimed_at, first_sent_at, sent_at,
                                     due_at, reason, api, locks, job)
            VALUES (b.connection, b.mapping, b.epoch, b.operation, b.object_name, b.external_id_field, hc_bulk_split.state, b.attempt, b.claimed_at,
                    CASE hc_bulk_split.state WHEN 'DOUBT' THEN coalesce(b.first_sent_at, now_there) ELSE b.first_sent_at END, b.sent_at,
                    CASE WHEN hc_bulk_split.state = 'DOUBT' AND b.operation = 'create' THEN now_there + interval '10 minutes' ELSE now_there END,
                    hc_bulk_split.reason, hc_bulk_split.api, coalesce(hc_bulk_split.locks, b.locks), hc_bulk_split.job)
            RETURNING id INTO made;
        UPDATE public.hc_batch_entry e SET batch = made, payload = e.payload - ARRAY['lock_error', 'not_reached']
            WHERE e.batch = b.id AND e.position BETWEEN part[1] AND part[cardinality(part)] AND e.position = ANY (part);
        UPDATE public.hc_batch_entry e SET batch = made WHERE e.batch = b.id AND e.merged_into = ANY (part);
    END LOOP;
    RETURN cardinality(positions);
END
$$;
COMMENT ON FUNCTION public.hc_bulk_split(public.hc_connection, public.hc_batch, integer[], text, text, text, jsonb, text[]) IS
    'Moves open changes of a batch (all without positions), each with those it has absorbed, into batches of their own for the API; returns how many.';

CREATE FUNCTION public.hc_bulk_leave(c public.hc_connection, b public.hc_batch, why text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    slice CONSTANT integer := 1000;
    beyond integer[];
    part integer[];
    made bigint;
BEGIN
    UPDATE public.hc_batch x
        SET state = CASE WHEN EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = x.id AND NOT e.applied) THEN 'ANSWERED' ELSE 'DONE' END,
            answered_at = public.hc_clock(c.id), apply_at = NULL, due_at = NULL, reason = why, job = coalesce(x.job, '{}') || '{"step": "done"}',
            answer = jsonb_strip_nulls(jsonb_build_object('job', x.job ->> 'id', 'part', x.job ->> 'part', 'state', x.job ->> 'state', 'message', x.job ->> 'message'))
        WHERE x.id = b.id RETURNING x.* INTO b;
    -- Applied slice by slice: one transaction for all would keep their rows locked for long.
    beyond := ARRAY(SELECT e.position FROM public.hc_batch_entry e WHERE e.batch = b.id AND NOT e.applied AND e.outcome IS NOT NULL AND e.merged_into IS NULL ORDER BY e.position OFFSET slice);
    FOR n IN 0 .. (cardinality(beyond) - 1) / slice LOOP
        part := beyond[n * slice + 1 : (n + 1) * slice];
        EXIT WHEN cardinality(part) = 0;
        INSERT INTO public.hc_batch (connection, mapping, epoch, operation, object_name, external_id_field, state, attempt, claimed_at, first_sent_at, sent_at,
                                     answered_at, answer, api, job)
            VALUES (b.connection, b.mapping, b.epoch, b.operation, b.object_name, b.external_id_field, 'ANSWERED', b.attempt, b.claimed_at, b.first_sent_at, b.sent_at,
                    b.answered_at, b.answer, b.api, b.job) RETURNING id INTO made;
        UPDATE public.hc_batch_entry e SET batch = made WHERE e.batch = b.id AND e.position BETWEEN part[1] AND part[cardinality(part)] AND e.position = ANY (part);
        UPDATE public.hc_batch_entry e SET batch = made WHERE e.batch = b.id AND e.merged_into = ANY (part);
    END LOOP;
END
$$;
COMMENT ON FUNCTION public.hc_bulk_leave(public.hc_connection, public.hc_batch, text) IS
    'Ends a job''s conversation: what has an outcome is applied, in batches of a thousand, what had none has moved on.';

CREATE FUNCTION public.hc_bulk_set_aside(c public.hc_connection, b public.hc_batch) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    most_bytes bigint := CASE b.api WHEN 'bulk1' THEN 9000000 ELSE 90000000 END;
    relationships text[] := public.hc_bulk_relationships(b.mapping);
    refused integer[];
    why text;
    too_many integer[];
BEGIN
    SELECT array_agg(r.position), min(r.why) INTO refused, why
        FROM (SELECT e.position, public.hc_bulk_refusal(e.payload, relationships) AS why FROM public.hc_batch_entry e
               WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied AND e.merged_into IS NULL) r WHERE r.why IS NOT NULL;
    IF refused IS NOT NULL THEN
        PERFORM public.hc_bulk_split(c, b, refused, 'single', 'REPEAT', why);
    END IF;
    -- JSON names each field and is longer than the row, whose empty columns are counted on top.
    SELECT array_agg(s.position ORDER BY s.position) INTO too_many
        FROM (SELECT e.position, sum(octet_length(e.payload::text) + w.columns) OVER (ORDER BY e.position) AS bytes
                FROM public.hc_batch_entry e, (SELECT 3 * count(*) AS columns FROM public.hc_bulk_columns(b)) w
               WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied AND e.merged_into IS NULL) s WHERE s.bytes > most_bytes;
    IF too_many IS NOT NULL THEN
        PERFORM public.hc_bulk_split(c, b, too_many, CASE WHEN cardinality(too_many) >= public.hc_bulk_least(c) THEN b.api ELSE 'single' END,
                                     'REPEAT', NULL, CASE WHEN b.job ? 'serial' THEN jsonb_build_object('serial', b.job -> 'serial') END);
    END IF;
    RETURN why;
END
$$;
COMMENT ON FUNCTION public.hc_bulk_set_aside(public.hc_connection, public.hc_batch) IS
    'Before a job is made: moves changes that CSV cannot say, and those beyond the bytes that a job takes, into batches of their own. Returns why, for the first kind.';

CREATE FUNCTION public.hc_bulk_end(connection uuid, epoch bigint, batch bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_bulk_end.connection, hc_bulk_end.epoch);
    b public.hc_batch := public.hc_open_batch(c, hc_bulk_end.batch, ARRAY['SENT']);
    message text := b.job ->> 'message';
    serial integer[]; again integer[]; doubtful integer[];
    by_bulk boolean;
    locks text[] := CASE WHEN b.locks = '{}' THEN ARRAY['bulk ' || b.object_name] ELSE b.locks END;
    fell_back text;
    counts record;
BEGIN
    IF b.job ->> 'step' IS DISTINCT FROM 'settled' THEN
        RAISE EXCEPTION 'the bulk job of batch % is at step %, not settled', b.id, coalesce(b.job ->> 'step', 'none') USING ERRCODE = 'HC003';
    END IF;
    SELECT array_agg(e.position) FILTER (WHERE e.payload ? 'lock_error'),
           array_agg(e.position) FILTER (WHERE e.payload ? 'not_reached' AND NOT e.payload ? 'lock_error'),
           array_agg(e.position) FILTER (WHERE NOT e.payload ?| ARRAY['not_reached', 'lock_error']) INTO serial, again, doubtful
        FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied AND e.merged_into IS NULL;
    IF b.api = 'bulk1' AND b.job ->> 'state' = 'Failed' AND (b.job ->> 'processed')::bigint = 0 THEN
        again := again || doubtful;   -- a batch of Bulk 1.0 has no list of rows that were not reached
        doubtful := NULL;
    END IF;
    IF message LIKE 'TooManyLockFailure%' THEN
        serial := serial || again;
        again := NULL;
    END IF;
    b.attempt := b.attempt + 1;
    IF serial IS NOT NULL THEN
        -- One after another: a serial job, or single calls that share a lock.
        by_bulk := cardinality(serial) >= public.hc_bulk_least(c) AND b.attempt < 10;
        PERFORM public.hc_bulk_split(c, b, serial, CASE WHEN by_bulk THEN 'bulk1' ELSE 'single' END, 'REPEAT', 'rows were locked: sent again serially',
                                     CASE WHEN by_bulk THEN '{"serial": true}'::jsonb END, locks);
    END IF;
    IF again IS NOT NULL THEN
        -- A job that failed for what is in it would fail again; one that was aborted, or met an error of Salesforce's own, may not.
        by_bulk := cardinality(again) >= public.hc_bulk_least(c) AND b.attempt < 4
               AND (b.job ->> 'state' = 'Aborted' OR message ~ '^(InternalServerError|Timeout|Unknown)');
        IF NOT by_bulk THEN
            fell_back := coalesce(message, format('the job was %s', lower(b.job ->> 'state')));
        END IF;
        PERFORM public.hc_bulk_split(c, b, again, CASE WHEN by_bulk THEN b.api ELSE 'single' END, 'REPEAT', coalesce(message, 'not reached by the job'),
                                     CASE WHEN by_bulk AND b.job ? 'serial' THEN jsonb_build_object('serial', b.job -> 'serial') END);
    END IF;
    IF doubtful IS NOT NULL THEN
        PERFORM public.hc_bulk_split(c, b, doubtful, 'single', CASE WHEN b.operation IN ('upsert', 'delete') THEN 'REPEAT' ELSE 'DOUBT' END,
                                     'in doubt: the results of the bulk job do not name it');
        PERFORM public.hc_raise(c.id, b.mapping, 'in-doubt', 'info',
            format('The results of bulk job %s (%s of %s) say nothing of %s of its rows', b.job ->> 'id', b.operation, b.object_name, cardinality(doubtful)),
            jsonb_build_object('batch', b.id, 'job', b.job ->> 'id'));
    END IF;
    SELECT count(*) AS rows, count(*) FILTER (WHERE NOT (e.outcome ->> 'success')::boolean) AS failed INTO counts
        FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.merged_into IS NULL;
    PERFORM public.hc_bulk_leave(c, b, NULL);
    RETURN jsonb_strip_nulls(jsonb_build_object('rows', counts.rows, 'failed', counts.failed, 'serial', cardinality(serial), 'again', cardinality(again),
               'doubtful', cardinality(doubtful), 'note', CASE WHEN fell_back IS NOT NULL THEN public.hc_bulk_fallback(c, b, fell_back) END));
END
$$;
COMMENT ON FUNCTION public.hc_bulk_end(uuid, bigint, bigint) IS
    'After all results have been read: what has an outcome is applied; rows with lock errors go again serially, rows that the job did not reach are offered again, rows that no result names are in doubt. note, for the log, says why rows go by single calls.';
