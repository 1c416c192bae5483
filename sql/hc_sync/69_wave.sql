-- A wave: all calls that can be made now become durable batches at once, so that each change is looked at about once

-- What may be sent, group after group, each in the order of which calls take slices: children of one parent side by side, so that few
-- calls have a parent in common.
CREATE FUNCTION public.hc_wave_gather(c public.hc_connection, gone jsonb, size integer, done bigint[] DEFAULT NULL, accepted text[] DEFAULT '{}', added jsonb DEFAULT '[]',
                                      OUT ids bigint[], OUT records bigint[], OUT actions text[], OUT targets text[], OUT keys text[], OUT absorbed text[], OUT again boolean[],
                                      OUT groups jsonb, OUT others jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '128MB' AS $$
BEGIN
    WITH look AS MATERIALIZED (SELECT * FROM public.hc_wave_look(c, gone, size, done, accepted, added)),
    send AS MATERIALIZED (
        SELECT l.*, m.object_name, dense_rank() OVER (ORDER BY m.object_name, l.operation, l.field NULLS FIRST) AS number
          FROM look l JOIN public.hc_mapping m ON m.id = l.mapping WHERE l.status = 'send')
    SELECT a.*, (SELECT jsonb_agg(to_jsonb(g) || jsonb_build_object('options', o.options) || CASE WHEN public.hc_options_allow_bulk(o.options) THEN '{}'::jsonb ELSE '{"plain": 0}' END
                                  ORDER BY g.number) FROM (
                    SELECT x.number, x.mapping, x.object_name AS object, x.operation, x.field, count(*) AS records, count(*) FILTER (WHERE x.plain) AS plain, count(*) FILTER (WHERE x.waited) AS waited,
                           sum(count(*)) OVER (ORDER BY x.number) - count(*) AS before FROM send x GROUP BY 1, 2, 3, 4, 5) g
                  JOIN public.hc_mapping m ON m.id = g.mapping, LATERAL (SELECT public.hc_write_options(c, m, g.operation) AS options) o),
           (SELECT jsonb_agg(to_jsonb(o) - 'keys') FROM look o WHERE o.status NOT IN ('send', 'blocked'))
      INTO ids, records, actions, targets, keys, absorbed, again, groups, others
      FROM (SELECT array_agg(o.log_id) AS ids, array_agg(o.record_id) AS records, array_agg(o.action) AS actions, array_agg(o.target) AS targets,
                   array_agg(o.keys::text) AS keys, array_agg(o.absorbed::text) AS absorbed,
                   array_agg(o.requeued AND o.operation = 'update') AS again
              -- Children of one parent side by side, so that few calls have a parent in common.
              FROM (SELECT * FROM send x ORDER BY x.number, x.plain DESC, x.parent COLLATE "C" NULLS FIRST, x.log_id) o) a;
END
$$;
COMMENT ON FUNCTION public.hc_wave_gather(public.hc_connection, jsonb, integer, bigint[], text[], jsonb) IS
    'The look, by groups of one mapping and operation: {"number","mapping","object","operation","field","records","plain","waited","before","options"}, before being where its slice of the arrays begins; others are the changes that are held or odd, or come to nothing. done: see hc_wave_look.';

CREATE FUNCTION public.hc_wave(c public.hc_connection, now_there timestamptz, partly boolean) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off SET work_mem = '128MB' AS $$
DECLARE
    size CONSTANT integer := 20000;
    closed CONSTANT uuid[] := public.hc_quota_closed(c, 'write');   -- mappings that may not be called for now
    log text := public.hc_log_table(c);
    final_below bigint; first_waiting bigint; tables text[];
    gone jsonb := '{}';          -- table -> last log id of earlier generations; null while somebody has locked the table
    groups jsonb; others jsonb;
    again boolean[];             -- whether it was sent before
    ids bigint[]; records bigint[]; actions text[]; targets text[]; keys text[]; absorbed text[];   -- what may be sent, group after group
    wanted bigint[]; locked bigint[];
    batch_ids bigint[] := '{}'; numbers integer[] := '{}'; lows integer[] := '{}'; highs integer[] := '{}';
    s record;
    this_call integer; first_of_call bigint; b bigint;
    is_late boolean;
    earlier bigint;
    sent bigint[] := '{}'; of_group bigint[];
    settled integer := 0; made integer;
BEGIN
    -- The whole log at least every two minutes; else from the id below which nothing can be waiting.
    IF c.full_look_at IS NULL OR c.full_look_at <= now_there - interval '2 minutes' THEN
        c.low_water := public.hc_full_look(c, now_there);
        PERFORM public.hc_generation_look(c, h, false) FROM public.hc_mapping h WHERE h.connection = c.id;
    ELSE
        final_below := public.hc_final_below(c);   -- before the log is read
    END IF;
    EXECUTE format('SELECT min(x.id), array_agg(DISTINCT x.table_name::text) FROM (
                        (SELECT g.id, g.table_name FROM %1$s g WHERE g.state = ''NEW'' AND g.id >= $1 AND (g.table_name = ANY ($3)) IS NOT TRUE ORDER BY g.id LIMIT $2)
                        UNION ALL SELECT NULL, g.table_name FROM %1$s g WHERE g.state = ''FAILED'' AND g.action = ''INSERT'') x', log)
        INTO first_waiting, tables USING c.low_water, size, ARRAY(SELECT h.table_name::text FROM public.hc_mapping h WHERE h.connection = c.id AND h.description IS NULL);
    PERFORM public.hc_low_water_raise(c, final_below, first_waiting);
    IF first_waiting IS NULL THEN
        RETURN 0;
    END IF;
    -- A mapping that is held keeps its place: nothing of it is sent, and what waits for it waits.
    SELECT coalesce(jsonb_object_agg(h.table_name, CASE WHEN NOT public.hc_is_held(h.sending_held, now_there) AND NOT h.id = ANY (closed) THEN public.hc_generation_try(c, h) END), '{}') INTO gone
        FROM public.hc_mapping h WHERE h.connection = c.id AND h.table_name = ANY (tables::name[]) AND h.description IS NOT NULL;

    BEGIN
        SELECT * INTO ids, records, actions, targets, keys, absorbed, again, groups, others FROM public.hc_wave_gather(c, gone, size);
    EXCEPTION WHEN data_exception OR syntax_error OR internal_error THEN
        -- Text that is no hstore, in an entry written by hand: it fails, and the others are looked at again.
        IF NOT public.hc_wave_unreadable(c, size) THEN
            RAISE;
        END IF;
        RETURN public.hc_wave(c, now_there, partly);
    END;

    -- Changes of further tables were committed, or failed, after `tables` was read: their keys are not known, so what names them would not wait.
    IF EXISTS (SELECT FROM public.hc_mapping h WHERE h.connection = c.id AND h.description IS NOT NULL AND NOT gone ? h.table_name::text) THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM ((SELECT g.table_name FROM %1$s g WHERE g.state = ''NEW'' AND g.id >= $1 ORDER BY g.id LIMIT $2)
                                                    UNION ALL SELECT g.table_name FROM %1$s g WHERE g.state = ''FAILED'' AND g.action = ''INSERT'') x
                          JOIN public.hc_mapping h ON h.connection = $3 AND h.table_name = x.table_name::name WHERE h.description IS NOT NULL AND NOT $4 ? x.table_name::text)', log)
            INTO is_late USING c.low_water, size, c.id, gone;
        IF is_late THEN
            RETURN public.hc_wave(c, now_there, partly);
        END IF;
    END IF;
    -- An entry below, which a user has set to NEW again: the look has not seen it, and what depends on it must not go before it. After the
    -- look, because an entry that is set to NEW later was FAILED for it.
    EXECUTE format('SELECT min(g.id) FROM %s g WHERE g.state = ''NEW'' AND g.id < $1', log) INTO earlier USING c.low_water;
    IF earlier IS NOT NULL THEN
        PERFORM public.hc_low_water_lower(c, earlier);
        c.low_water := earlier;
        RETURN public.hc_wave(c, now_there, partly);
    END IF;
    -- An older change that goes again: what newer ones have changed since stays as it is. What is left is looked at anew.
    IF public.hc_wave_supersede(c, ids, again) THEN
        RETURN public.hc_wave(c, now_there, partly);
    END IF;

    this_call := 0;
    FOR s IN SELECT p.*, g.mapping, g.operation, g.field, g.before, m.object_name
               FROM public.hc_wave_pack(c, coalesce(groups, '[]'), partly) p
               JOIN jsonb_to_recordset(groups) AS g(number integer, mapping uuid, operation text, field text, before integer) ON g.number = p.number
               JOIN public.hc_mapping m ON m.id = g.mapping ORDER BY p.call, p.number LOOP
        INSERT INTO public.hc_batch (connection, mapping, epoch, operation, object_name, external_id_field, claimed_at, attempt, api)
            VALUES (c.id, s.mapping, c.epoch, s.operation, s.object_name, s.field, now_there, 0, s.api) RETURNING id INTO b;
        IF s.call IS DISTINCT FROM this_call THEN
            this_call := s.call;
            first_of_call := b;
        ELSE
            UPDATE public.hc_batch x SET call = first_of_call WHERE x.id IN (first_of_call, b);
        END IF;
        batch_ids := batch_ids || b; numbers := numbers || s.number; lows := lows || (s.before + s.low); highs := highs || (s.before + s.high);
    END LOOP;

    IF batch_ids <> '{}' THEN
        -- What a user is editing right now, or has edited since the look, is left out, and with it all that shares its fate.
        SELECT array_agg(i) INTO wanted FROM (
            SELECT u.id FROM unnest(lows, highs) x(low, high), unnest(ids[x.low:x.high]) u(id)
            UNION ALL SELECT y FROM unnest(lows, highs) x(low, high), unnest(absorbed[x.low:x.high]) a, unnest(a::bigint[]) y) w(i);
        EXECUTE format('SELECT coalesce(array_agg(l.id), ''{}'') FROM (SELECT g.id FROM %s g WHERE g.id = ANY ($1) AND (g.state = ''NEW'' OR g.state = ''FAILED'' AND g.action = ''INSERT'')
                           ORDER BY g.id FOR UPDATE SKIP LOCKED) l', log) INTO locked USING wanted;
        FOR s IN SELECT x.number, g.mapping, g.operation, min(x.low) AS low, max(x.high) AS high, array_agg(x.batch ORDER BY x.batch) AS batches,
                        array_agg(x.low ORDER BY x.batch) AS lows, array_agg(x.high ORDER BY x.batch) AS highs
                   FROM unnest(batch_ids, numbers, lows, highs) x(batch, number, low, high)
                   JOIN jsonb_to_recordset(groups) AS g(number integer, mapping uuid, operation text) ON g.number = x.number GROUP BY 1, 2, 3 LOOP
            of_group := public.hc_wave_entries(c, s.mapping, s.operation, s.batches, s.lows, s.highs, s.low, ids[s.low:s.high], records[s.low:s.high],
                actions[s.low:s.high], targets[s.low:s.high], keys[s.low:s.high], absorbed[s.low:s.high], CASE WHEN cardinality(locked) < cardinality(wanted) THEN locked END);
            sent := sent || of_group;
        END LOOP;
        DELETE FROM public.hc_batch x WHERE x.id = ANY (batch_ids) AND NOT EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = x.id);
        PERFORM public.hc_wave_locks(c, batch_ids);
        PERFORM public.hc_use_application_path();
        EXECUTE format('UPDATE %s SET state = ''PENDING'', sf_message = NULL, updated_at = clock_timestamp() WHERE id = ANY ($1)', log) USING sent;
        UPDATE public.hc_connection h SET state = 'POLLING_DB_CHANGES' WHERE h.id = c.id AND h.state = 'IDLE';
    END IF;
    IF others IS NOT NULL THEN
        settled := public.hc_wave_others(c, others);
    END IF;
    SELECT count(DISTINCT coalesce(x.call, x.id)) INTO made FROM public.hc_batch x WHERE x.id = ANY (batch_ids);
    IF made = 0 AND (settled > 0 OR wanted IS NOT NULL AND cardinality(locked) = cardinality(wanted)) THEN
        RETURN public.hc_wave(c, now_there, partly);   -- what waited for those that can't be sent
    ELSIF made = 0 AND partly AND wanted IS NULL AND public.hc_wave_stuck(c, gone, size) THEN
        RETURN public.hc_wave(c, now_there, partly);
    END IF;
    RETURN made;
END
$$;
COMMENT ON FUNCTION public.hc_wave(public.hc_connection, timestamptz, boolean) IS
    'Makes all calls durable that can be made now, each as batches of attempt 0, which hc_claim_calls hands out; returns how many. partly: also calls that are not full, if there is no full one.';

CREATE FUNCTION public.hc_wave_entries(c public.hc_connection, mapping uuid, operation text, batches bigint[], lows integer[], highs integer[], first integer,
                                       ids bigint[], records bigint[], actions text[], targets text[], keys text[], absorbed text[], locked bigint[])
    RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_nestloop = off SET enable_mergejoin = off SET jit = off SET work_mem = '128MB' AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_of(c.id, hc_wave_entries.mapping);
    sent bigint[];
    bad jsonb;
    e record;
BEGIN
    EXECUTE format($sql$
    WITH place AS (SELECT b.batch, i, i - b.low AS position FROM unnest($3, $4, $5) b(batch, low, high), generate_series(b.low, b.high) i),
    chosen AS MATERIALIZED (
        SELECT p.batch, p.position, x.log_id, x.record_id, x.action, x.target, x.keys::text[] AS keys, x.absorbed::bigint[] AS absorbed
          FROM unnest($7, $8, $9, $10, $11, $12) WITH ORDINALITY x(log_id, record_id, action, target, keys, absorbed, n)
          JOIN place p ON p.i = x.n + $6 - 1
         WHERE $13 IS NULL OR NOT EXISTS (SELECT FROM unnest(x.log_id || coalesce(x.absorbed::bigint[], '{}')) u WHERE u NOT IN (SELECT unnest($13)))
    ), captured AS (
        SELECT array_agg(h.log_id) AS ids, array_agg(h.action) AS actions, array_agg(h.captured) AS captured
          FROM (SELECT h.log_id, CASE $2 WHEN 'update' THEN 'UPDATE' ELSE 'INSERT' END AS action,
                       CASE WHEN h.absorbed IS NOT NULL THEN (
                                SELECT public.hc_pairs_text(array_agg(y.key), array_agg(y.value)) FROM (
                                    SELECT DISTINCT ON (p.key) p.key, p.value FROM %1$s f, public.hc_pairs(f."values") p
                                     WHERE f.id = ANY (h.log_id || h.absorbed) ORDER BY p.key, f.id DESC) y)
                            -- The record of an INSERT that was captured again is there: what it does not say is left as it is.
                            WHEN $2 = 'update' AND h.action = 'INSERT' THEN (
                                SELECT public.hc_pairs_text(array_agg(p.key), array_agg(p.value)) FROM public.hc_pairs(g."values") p WHERE p.value IS NOT NULL)
                            ELSE g."values" END AS captured
                  FROM chosen h JOIN %1$s g ON g.id = h.log_id WHERE $2 <> 'delete') h
    ), wire AS MATERIALIZED (
        SELECT w.id, w.wire, w.error FROM captured k, LATERAL public.hc_wire_records($1, k.ids, k.actions, k.captured) w WHERE $2 <> 'delete'
        UNION ALL
        SELECT h.log_id, '{"fields": {}, "nulls": [], "parents": [], "dropped": []}', NULL FROM chosen h WHERE $2 = 'delete'
    ), noted AS (
        SELECT g.id, g.sf_message FROM %1$s g WHERE g.id = ANY ($7) AND g.sf_message LIKE 'not sent, because newer%%'
    ), made AS (
        INSERT INTO public.hc_batch_entry (batch, position, mapping, log_id, record_id, action, sfid, payload, keys)
        SELECT h.batch, h.position, $1, h.log_id, h.record_id, h.action, h.target,
               w.wire || jsonb_build_object('operation', $2, 'id', h.target, 'identifier', CASE WHEN $2 = 'upsert' THEN lower(w.wire -> 'fields' ->> $14) END)
                      || CASE WHEN n.id IS NULL THEN '{}' ELSE jsonb_build_object('notes', jsonb_build_array(n.sf_message)) END, h.keys
          FROM chosen h JOIN wire w ON w.id = h.log_id LEFT JOIN noted n ON n.id = h.log_id WHERE w.error IS NULL
        RETURNING log_id
    ), shared AS (
        INSERT INTO public.hc_batch_entry (batch, position, mapping, log_id, record_id, action, sfid, payload, merged_into)
        SELECT h.batch, 100000 + row_number() OVER (PARTITION BY h.batch ORDER BY h.position, a.id), $1, g.id, g.record_id, g.action, nullif(g.sfid, ''), '{}', h.position
          FROM chosen h JOIN wire w ON w.id = h.log_id AND w.error IS NULL, unnest(h.absorbed) a(id), %1$s g
         WHERE g.id = a.id
        RETURNING log_id
    )
    SELECT (SELECT array_agg(x.log_id) FROM (SELECT log_id FROM made UNION ALL SELECT log_id FROM shared) x),
           (SELECT jsonb_agg(jsonb_build_object('log_id', w.id, 'message', w.error)) FROM wire w WHERE w.error IS NOT NULL)
    $sql$, public.hc_log_table(c)) INTO sent, bad
        USING m.id, operation, batches, lows, highs, first, ids, records, actions, targets, keys, absorbed, locked, m.upsert_field;
    FOR e IN SELECT x.* FROM jsonb_to_recordset(coalesce(bad, '[]')) AS x(log_id bigint, message text) LOOP
        PERFORM public.hc_wave_fail(c, m, e.log_id, 'INVALID_VALUE', e.message);
    END LOOP;
    RETURN coalesce(sent, '{}');
END
$function$;
COMMENT ON FUNCTION public.hc_wave_entries(public.hc_connection, uuid, text, bigint[], integer[], integer[], integer, bigint[], bigint[], text[], text[], text[], text[], bigint[]) IS
    'Puts slices of one group of changes into their batches, with what they send; returns the log ids. What holds a value that is none of its type fails. locked: those that may be taken, null for all.';

CREATE FUNCTION public.hc_wave_supersede(c public.hc_connection, ids bigint[], again boolean[]) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    l record;
    found_any boolean := false;
BEGIN
    IF NOT coalesce(true = ANY (again), false) OR public.hc_setting(c, 'requeued_change', 'drop') = 'send' THEN
        RETURN false;
    END IF;
    FOR l IN EXECUTE format('SELECT g.id::bigint AS id, g."values", m FROM unnest($2, $3) x(id, again) JOIN %s g ON g.id = x.id
                               JOIN public.hc_mapping m ON m.connection = $1 AND m.table_name = g.table_name::name
                              WHERE x.again AND g.state = ''NEW'' ORDER BY g.id FOR UPDATE OF g SKIP LOCKED', public.hc_log_table(c)) USING c.id, ids, again LOOP
        found_any := public.hc_supersede(c, l.m, l.id) IS DISTINCT FROM l."values" OR found_any;
    END LOOP;
    RETURN found_any;
END
$$;
COMMENT ON FUNCTION public.hc_wave_supersede(public.hc_connection, bigint[], boolean[]) IS 'hc_supersede for those of the changes that were sent before; true if any of them lost a column.';

CREATE FUNCTION public.hc_wave_unreadable(c public.hc_connection, size integer) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    l record;
    m public.hc_mapping;
    found_any boolean := false;
BEGIN
    FOR l IN EXECUTE format('SELECT g.id::bigint AS id, g.state, g.table_name, g."values", g.old FROM %s g
                              WHERE g.state = ''NEW'' AND g.id >= $1
                                 OR g.state = ''FAILED'' AND g.action = ''INSERT'' AND (g.sf_message LIKE ''UNREADABLE_VALUES: %%'') IS NOT TRUE
                              ORDER BY g.id LIMIT $2', public.hc_log_table(c))
            USING c.low_water, size LOOP
        BEGIN
            PERFORM count(*) FROM public.hc_pairs_of(ARRAY[coalesce(l."values", ''), coalesce(l.old, '')]) p;
        EXCEPTION WHEN data_exception OR syntax_error OR internal_error THEN
            m := NULL;
            SELECT * INTO m FROM public.hc_mapping h WHERE h.connection = c.id AND h.table_name = l.table_name::name;
            IF l.state = 'FAILED' THEN
                EXECUTE format('UPDATE %s SET sf_message = $2, updated_at = clock_timestamp() WHERE id = $1', public.hc_log_table(c)) USING l.id, 'UNREADABLE_VALUES: ' || SQLERRM;
            ELSE
                PERFORM public.hc_wave_fail(c, m, l.id, 'UNREADABLE_VALUES', SQLERRM);
            END IF;
            found_any := true;
        END;
    END LOOP;
    RETURN found_any;
END
$$;
COMMENT ON FUNCTION public.hc_wave_unreadable(public.hc_connection, integer) IS
    'Fails the waiting changes whose text is no hstore, as UNREADABLE_VALUES, and keeps their text; failed INSERTs among them hold nobody by their identifier, which nobody can read. False when there is none.';

CREATE FUNCTION public.hc_wave_fail(c public.hc_connection, m public.hc_mapping, entry bigint, code text, message text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    l record;
BEGIN
    EXECUTE format('SELECT g.action::text AS action, g.record_id::bigint AS record_id FROM %s g WHERE g.id = $1', public.hc_log_table(c)) INTO l USING entry;
    PERFORM public.hc_finish_entry(c, entry, 'FAILED', code || ': ' || message);
    PERFORM public.hc_write_status(c, m, l.record_id, 'FAILED', public.hc_error(l.action, 'PG', code, message)) WHERE entry > public.hc_rows_since(m.id);
END
$$;
COMMENT ON FUNCTION public.hc_wave_fail(public.hc_connection, public.hc_mapping, bigint, text, text) IS 'Fails a change that cannot be sent, on its row too.';

-- Calls that have a parent in common lock it for each other. Only keys that two open calls have in common are kept.
CREATE FUNCTION public.hc_wave_locks(c public.hc_connection, batches bigint[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_nestloop = off SET jit = off SET work_mem = '128MB' AS $$
    WITH used AS MATERIALIZED (
        SELECT DISTINCT coalesce(b.call, b.id) AS call, e.batch, left(k, 1) = 'S' AS parent, substr(k, 2) AS key
          FROM public.hc_batch b JOIN public.hc_batch_entry e ON e.batch = b.id, unnest(e.keys) k
         WHERE b.connection = c.id AND b.state <> 'DONE' AND NOT e.applied AND left(k, 1) = 'S'
    ), own AS (
        -- What a call itself changes, where another one names it as parent.
        SELECT u.* FROM used u
        UNION ALL
        SELECT coalesce(b.call, b.id), e.batch, false, substr(k, 2)
          FROM public.hc_batch b JOIN public.hc_batch_entry e ON e.batch = b.id, unnest(e.keys) k
         WHERE b.connection = c.id AND b.state <> 'DONE' AND NOT e.applied AND left(k, 2) IN ('Ur', 'Xr', 'Ui', 'Xi') AND EXISTS (SELECT FROM used)
           AND substr(k, 2) IN (SELECT u.key FROM used u)
    ), common AS (
        SELECT u.key FROM own u GROUP BY u.key HAVING count(DISTINCT u.call) > 1
    )
    UPDATE public.hc_batch x SET locks = s.locks
      FROM (SELECT u.batch, array_agg(DISTINCT u.key) AS locks FROM own u JOIN common n ON n.key = u.key GROUP BY u.batch) s
     WHERE x.id = s.batch AND x.locks <> s.locks
$$;
COMMENT ON FUNCTION public.hc_wave_locks(public.hc_connection, bigint[]) IS 'Notes for the open batches which parents they have in common.';

CREATE FUNCTION public.hc_wave_others(c public.hc_connection, others jsonb) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    log text := public.hc_log_table(c);
    m public.hc_mapping;
    o record; l record; entry jsonb;
    settled integer := 0;
BEGIN
    EXECUTE format('UPDATE %s l SET sf_message = ''waits for log entry '' || x.waits_for, updated_at = clock_timestamp()
                      FROM (SELECT g.id, x.waits_for FROM jsonb_to_recordset($1) AS x(log_id bigint, status text, waits_for bigint) JOIN %1$s g ON g.id = x.log_id
                             WHERE x.status = ''held'' AND g.state = ''NEW'' AND g.sf_message IS DISTINCT FROM ''waits for log entry '' || x.waits_for FOR UPDATE OF g SKIP LOCKED) x
                     WHERE l.id = x.id', log) USING others;
    FOR o IN SELECT x.* FROM jsonb_to_recordset(others) AS x(log_id bigint, mapping uuid, status text, absorbed jsonb) WHERE x.status IN ('odd', 'nothing', 'away') ORDER BY x.log_id LOOP
        EXECUTE format('SELECT g.action::text AS action, g.record_id::bigint AS record_id, g.sfid::text AS sfid, g."values", g.sf_message, g.table_name
                          FROM %s g WHERE g.id = $1 AND (g.state = ''NEW'' OR g.state = ''FAILED'' AND $2) FOR UPDATE SKIP LOCKED', log)
            INTO l USING o.log_id, o.status = 'away';
        CONTINUE WHEN l IS NULL;
        IF o.status = 'away' THEN
            PERFORM public.hc_finish_entry(c, e, 'MERGED', 'made and deleted before it was sent')
                FROM (SELECT o.log_id AS e UNION ALL SELECT v::bigint FROM jsonb_array_elements_text(CASE jsonb_typeof(o.absorbed) WHEN 'array' THEN o.absorbed ELSE '[]' END) v) x;
            settled := settled + 1;
            CONTINUE;
        END IF;
        m := NULL;
        SELECT * INTO m FROM public.hc_mapping h WHERE h.connection = c.id AND h.table_name = l.table_name::name;
        entry := public.hc_claim_entry(c, m, o.log_id, l.action, l.record_id, l.sfid, l."values", '{}');
        IF entry ? 'held' AND l.sf_message IS DISTINCT FROM format('waits for log entry %s', entry ->> 'held') THEN
            EXECUTE format('UPDATE %s SET sf_message = $2, updated_at = clock_timestamp() WHERE id = $1', log)
                USING o.log_id, format('waits for log entry %s', entry ->> 'held');
        ELSIF entry ? 'failed' THEN
            PERFORM public.hc_wave_fail(c, m, o.log_id, entry ->> 'failed', entry ->> 'message');
            settled := settled + 1;
        ELSIF l.sfid IS NULL AND entry ->> 'id' IS NOT NULL AND entry ? 'operation' THEN
            -- The row was deleted before its change was sent; the next look finds the record that the archive knows.
            EXECUTE format('UPDATE %s SET sfid = $2 WHERE id = $1', log) USING o.log_id, entry ->> 'id';
            settled := settled + 1;
        ELSIF entry ? 'nothing' THEN
            PERFORM public.hc_finish_entry(c, o.log_id, 'IGNORED', coalesce(CASE WHEN l.sf_message LIKE 'not sent, because newer%' THEN l.sf_message END, 'no field of this change can be written by the connected user: '
                || (SELECT string_agg(d, ', ') FROM jsonb_array_elements_text(entry -> 'dropped') d), 'the change names no field'));
            PERFORM public.hc_want_read_back(m.id, entry ->> 'sfid');
            settled := settled + 1;
        END IF;
    END LOOP;
    RETURN settled;
END
$$;
COMMENT ON FUNCTION public.hc_wave_others(public.hc_connection, jsonb) IS
    'What the look found and cannot be sent: held changes say what they wait for; those that cannot be sent at all fail, one by one as hc_claim_entry says; what came to nothing is put away. Returns how many are dealt with.';
