-- Handing out: which of the calls that are made may run now, and when the next wave begins

-- Until a call is handed out, an edit of state has its effect at once: the entry leaves its batch, and what was folded into it too.
CREATE FUNCTION public.hc_release_edited(c public.hc_connection, batches bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    edited jsonb;
    freed bigint[];
BEGIN
    -- No join, which may be planned as a merge and then reads the log's index from its beginning.
    EXECUTE format('SELECT jsonb_agg(DISTINCT jsonb_build_object(''batch'', e.batch, ''position'', coalesce(e.merged_into, e.position)))
                      FROM public.hc_batch_entry e WHERE e.batch = ANY ($1) AND (SELECT g.state FROM %s g WHERE g.id = e.log_id) IS DISTINCT FROM ''PENDING''',
                   public.hc_log_table(c)) INTO edited USING batches;
    IF edited IS NULL THEN
        RETURN;
    END IF;
    WITH gone AS (
        DELETE FROM public.hc_batch_entry e USING jsonb_to_recordset(edited) AS x(batch bigint, position integer)
         WHERE e.batch = x.batch AND coalesce(e.merged_into, e.position) = x.position RETURNING e.log_id)
    SELECT array_agg(g.log_id) INTO freed FROM gone g;
    PERFORM public.hc_use_application_path();
    EXECUTE format('UPDATE %s SET state = ''NEW'', updated_at = clock_timestamp() WHERE id = ANY ($1) AND state = ''PENDING''', public.hc_log_table(c)) USING freed;
    PERFORM public.hc_low_water_lower(c, (SELECT min(f) FROM unnest(freed) f));
    DELETE FROM public.hc_batch b WHERE b.id = ANY (batches) AND NOT EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = b.id);
END
$$;
COMMENT ON FUNCTION public.hc_release_edited(public.hc_connection, bigint[]) IS 'Takes out of batches that were never sent the entries whose state somebody has edited since.';

-- From here on the change that carries others holds their net effect: whatever becomes of it, sending it again sends all.
CREATE FUNCTION public.hc_write_net(c public.hc_connection, batches bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = ANY (batches) AND e.merged_into IS NOT NULL) THEN
        RETURN;
    END IF;
    PERFORM public.hc_use_application_path();
    EXECUTE format('WITH unit AS (
            SELECT s.log_id AS survivor, array_agg(e.log_id) AS entries FROM public.hc_batch_entry e JOIN public.hc_batch_entry s ON s.batch = e.batch AND s.position = coalesce(e.merged_into, e.position)
             WHERE e.batch = ANY ($1) AND s.action <> ''DELETE'' GROUP BY s.log_id HAVING count(*) > 1
        ), net AS (
            SELECT x.survivor, public.hc_pairs_text(array_agg(x.key), array_agg(x.value)) AS captured FROM (
                SELECT DISTINCT ON (u.survivor, p.key) u.survivor, p.key, p.value FROM unit u, unnest(u.entries) i, %1$s g, public.hc_pairs(g."values") p
                 WHERE g.id = i ORDER BY u.survivor, p.key, g.id DESC) x GROUP BY x.survivor
        ), first AS (SELECT DISTINCT ON (u.survivor) u.survivor, g.old FROM unit u, unnest(u.entries) i, %1$s g WHERE g.id = i AND g.old IS NOT NULL ORDER BY u.survivor, g.id)
        UPDATE %1$s l SET "values" = n.captured, old = CASE WHEN l.old IS NOT NULL THEN f.old END
          FROM net n LEFT JOIN first f ON f.survivor = n.survivor WHERE l.id = n.survivor', public.hc_log_table(c)) USING batches;
END
$$;
COMMENT ON FUNCTION public.hc_write_net(public.hc_connection, bigint[]) IS
    'Writes into the log entries that carry others the values that are sent for all, and what the row held before the first.';

CREATE FUNCTION public.hc_hand_out(c public.hc_connection, now_there timestamptz, calls integer) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    running text[];
    k record;
    handed bigint[];
    held text[];
    closed uuid[] := public.hc_quota_closed(c, 'write');   -- mappings that may not be called for now
    answer jsonb := '[]';
BEGIN
    SELECT coalesce(array_agg(DISTINCT l), '{}') INTO running FROM public.hc_batch b, unnest(b.locks) l
        WHERE b.connection = c.id AND (b.state = 'SENT' OR b.state = 'CLAIMED' AND b.attempt > 0);
    FOR k IN SELECT coalesce(b.call, b.id) AS call, array_agg(b.id) AS batches, array_agg(b.id) FILTER (WHERE b.attempt = 0) AS fresh,
                    bool_or(b.mapping = ANY (closed)) AS waits
               FROM public.hc_batch b
              WHERE b.connection = c.id AND (b.state = 'CLAIMED' AND b.attempt = 0 OR b.state = 'REPEAT' AND (b.due_at IS NULL OR b.due_at <= now_there))
              GROUP BY 1 ORDER BY bool_and(b.attempt > 0) DESC, min(b.id) LOOP
        EXIT WHEN jsonb_array_length(answer) >= calls;
        CONTINUE WHEN EXISTS (SELECT FROM public.hc_batch b WHERE b.id = ANY (k.batches) AND b.locks && running);
        IF k.waits THEN
            -- For the quota. What would have travelled with it goes alone, when calls are handed out next.
            UPDATE public.hc_batch b SET call = NULL WHERE b.id = ANY (k.batches) AND b.call IS NOT NULL;
            CONTINUE;
        END IF;
        IF k.fresh IS NOT NULL THEN
            PERFORM public.hc_release_edited(c, k.fresh), public.hc_write_net(c, k.fresh);
        END IF;
        UPDATE public.hc_batch b SET state = 'CLAIMED', epoch = c.epoch, claimed_at = now_there, attempt = b.attempt + 1, due_at = NULL
            WHERE b.id = ANY (k.batches);
        SELECT array_agg(b.id) INTO handed FROM public.hc_batch b WHERE b.id = ANY (k.batches);
        CONTINUE WHEN handed IS NULL;
        SELECT array_agg(l) INTO held FROM public.hc_batch b, unnest(b.locks) l WHERE b.id = ANY (handed);
        running := running || coalesce(held, '{}');
        answer := answer || jsonb_build_array(public.hc_call_request(handed));
    END LOOP;
    RETURN answer;
END
$$;
COMMENT ON FUNCTION public.hc_hand_out(public.hc_connection, timestamptz, integer) IS
    'Hands out calls that are to be repeated, and those of the last wave, which no call under way keeps from a parent that both lock.';

CREATE FUNCTION public.hc_queue_stopped(c public.hc_connection) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    failed bigint; the_table text; the_row bigint; why text;
    said CONSTANT text := 'Writing has stopped: log entry ';
    detail text;
BEGIN
    IF coalesce((c.settings ->> 'strict')::boolean, false) THEN
        EXECUTE format('SELECT g.id, g.table_name, g.record_id, g.sf_message FROM %s g WHERE g.state = ''FAILED'' AND g.action = ''INSERT'' AND g.sfid IS NULL ORDER BY g.id LIMIT 1',
                       public.hc_log_table(c)) INTO failed, the_table, the_row, why;
    END IF;
    IF failed IS NULL THEN
        UPDATE public.hc_connection h SET state_detail = NULL WHERE h.id = c.id AND h.state_detail LIKE said || '%';
        RETURN false;
    END IF;
    detail := format('%s%s, the INSERT of %s row %s, failed (%s), and the connection is strict. Set its state to NEW to send it again, or to IGNORE to go on without it.',
                     said, failed, the_table, the_row, why);
    IF c.state_detail IS DISTINCT FROM detail THEN
        UPDATE public.hc_connection h SET state_detail = detail WHERE h.id = c.id;
        PERFORM public.hc_raise(c.id, NULL, 'queue-stopped', 'error', detail, jsonb_build_object('log_id', failed));
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION public.hc_queue_stopped(public.hc_connection) IS
    'Whether a failed INSERT stops the connection''s queue (setting strict): says so in the connection''s state_detail and by a notification, and takes it back when the entry is dealt with.';

CREATE FUNCTION public.hc_claim_calls(connection uuid, epoch bigint, calls integer) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_claim_calls.connection, hc_claim_calls.epoch);
    now_there timestamptz := public.hc_clock(c.id);
    ordered boolean := public.hc_write_algorithm(c) = 'ordered';
    answer jsonb;
    batch jsonb;
    beyond boolean;
    closed uuid[];   -- mappings that may not be called for now
BEGIN
    IF calls < 1 OR c.state = 'PAUSED' OR public.hc_is_held(c.sending_held, now_there) OR public.hc_log_is_a_copy(c) OR public.hc_queue_stopped(c) THEN
        RETURN '[]';
    END IF;
    -- Ordered: a change is sent when the one before it has been answered.
    IF ordered AND EXISTS (SELECT FROM public.hc_batch b WHERE b.connection = c.id AND (b.state = 'SENT' OR b.state = 'CLAIMED' AND b.attempt > 0)) THEN
        RETURN '[]';
    END IF;
    IF NOT ordered THEN
        answer := public.hc_claim_alone(c, now_there);
        IF answer IS NOT NULL THEN
            RETURN answer;
        END IF;
    END IF;
    answer := public.hc_hand_out(c, now_there, CASE WHEN ordered THEN 1 ELSE calls END);
    IF ordered THEN
        IF answer = '[]' THEN
            batch := public.hc_claim(hc_claim_calls.connection, hc_claim_calls.epoch);
            answer := CASE WHEN batch IS NULL THEN '[]' ELSE jsonb_build_array(public.hc_call_request(ARRAY[(batch ->> 'batch')::bigint])) END;
        END IF;
        RETURN answer;
    END IF;
    closed := public.hc_quota_closed(c, 'write');
    IF jsonb_array_length(answer) >= calls
       OR EXISTS (SELECT FROM public.hc_batch b WHERE b.connection = c.id AND b.state = 'CLAIMED' AND b.attempt = 0
                     AND NOT b.mapping = ANY (closed)) THEN
        RETURN answer;
    END IF;
    -- What a call under way unlocks may fill the next one. But nobody waits long for a slow one, and where more waits than a look
    -- takes in, full calls are made meanwhile.
    IF EXISTS (SELECT FROM public.hc_batch b WHERE b.connection = c.id
                  AND (b.state = 'SENT' AND b.sent_at > now_there - interval '5 seconds' OR b.state = 'CLAIMED' AND b.claimed_at > now_there - interval '5 seconds'
                       OR b.state = 'ANSWERED' AND b.apply_attempt = 0 AND b.answered_at > now_there - interval '5 seconds')) THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %s g WHERE g.state = ''NEW'' AND g.id >= $1 OFFSET 20000)', public.hc_log_table(c)) INTO beyond USING c.low_water;
        IF NOT beyond OR public.hc_wave(c, now_there, false) = 0 THEN
            RETURN answer;
        END IF;
    ELSIF public.hc_wave(c, now_there, true) = 0 THEN
        RETURN answer;
    END IF;
    RETURN answer || public.hc_hand_out(c, now_there, calls - jsonb_array_length(answer));
END
$$;
COMMENT ON FUNCTION public.hc_claim_calls(uuid, bigint, integer) IS
    'Makes up to so many requests durable that may run at the same time, beside those under way, and returns them; an empty array when nothing can be sent now. Ordered: one at a time, in log order. Merged and planned: what hc_wave packs.';
