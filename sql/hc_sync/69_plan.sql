-- The plan: the calls that would be made now, one after the other, if nothing else changes and each succeeds. It asks the functions that
-- make the calls, and changes and locks nothing.

CREATE FUNCTION public.hc_plan(connection uuid, most integer DEFAULT 1000)
    RETURNS TABLE (step integer, state text, api text, operation text, objects text, records integer, cost integer, after integer[], entries bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
    c public.hc_connection;
    accepted text[] := '{}';      -- rows that calls under way create
    used text[]; seen_keys text[] := '{}'; seen_steps integer[] := '{}';
BEGIN
    SELECT * INTO c FROM public.hc_connection h WHERE h.id = hc_plan.connection;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'connection % does not exist', hc_plan.connection USING ERRCODE = 'HC002', HINT = 'List the connections with: hc-relay connection list';
    END IF;
    step := 0;
    after := '{}';
    -- What is made already: calls under way, those to be repeated, and those that wait to be handed out.
    FOR state, api, operation, objects, entries, used IN
        SELECT CASE WHEN bool_or(b.state IN ('DOUBT', 'PARKED')) THEN 'in doubt' WHEN bool_or(b.state = 'REPEAT') THEN 'again' WHEN bool_or(b.attempt = 0) THEN 'made' ELSE 'under way' END,
               min(b.api), min(b.operation), string_agg(DISTINCT b.object_name, ', '), array_agg(e.log_id ORDER BY e.batch, e.position),
               ARRAY(SELECT k FROM public.hc_batch_entry x, unnest(x.keys) k WHERE x.batch = ANY (array_agg(b.id)) AND NOT x.applied)
          FROM public.hc_batch b JOIN public.hc_batch_entry e ON e.batch = b.id
         WHERE b.connection = c.id AND b.state IN ('CLAIMED', 'SENT', 'REPEAT', 'DOUBT', 'PARKED') AND NOT e.applied AND e.outcome IS NULL AND e.merged_into IS NULL
         GROUP BY coalesce(b.call, b.id) ORDER BY min(b.id) LOOP
        step := step + 1;
        records := cardinality(entries);
        cost := public.hc_call_cost(api, records);
        RETURN NEXT;
        seen_keys := seen_keys || used;
        seen_steps := seen_steps || array_fill(step, ARRAY[cardinality(used)]);
    END LOOP;
    SELECT coalesce(array_agg(public.hc_wave_row_key(m.id, m.table_name::text, e.log_id, e.record_id, e.sfid)), '{}') INTO accepted
      FROM public.hc_batch b JOIN public.hc_mapping m ON m.id = b.mapping JOIN public.hc_batch_entry e ON e.batch = b.id
     WHERE b.connection = c.id AND b.state NOT IN ('DONE', 'DOUBT', 'PARKED') AND NOT e.applied AND e.action = 'INSERT';
    state := 'planned';
    IF public.hc_write_algorithm(c) = 'ordered' THEN
        RETURN QUERY SELECT hc_plan.step + o.step, 'planned', 'single', o.operation, o.object, cardinality(o.entries), 1, CASE WHEN hc_plan.step + o.step > 1 THEN ARRAY[hc_plan.step + o.step - 1] ELSE '{}' END, o.entries
            FROM public.hc_plan_ordered(c, accepted, most) o;
    ELSE
        RETURN QUERY SELECT w.step, 'planned', w.api, w.operation, w.objects, w.records, public.hc_call_cost(w.api, w.records), w.after, w.entries
            FROM public.hc_plan_waves(c, accepted, seen_keys, seen_steps, hc_plan.step, most) w;
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_plan(uuid, integer) IS
    'The calls to Salesforce that would be made now, without making them: their API, operation, objects and number of records, how many requests of the daily limit each takes (cost), after which steps it can go, and the log entries. They are what is then made, call by call, if nothing else changes and each succeeds. state: in doubt, again, made and under way are calls that exist; planned are the ones to come.';

CREATE FUNCTION public.hc_plan_gone(c public.hc_connection) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(h.table_name, CASE WHEN NOT public.hc_is_held(h.sending_held, public.hc_clock(c.id)) AND NOT h.id = ANY (ARRAY(SELECT unnest(public.hc_quota_closed(c, 'write'))))
                                                        THEN public.hc_rows_since(h.id) END), '{}')
      FROM public.hc_mapping h WHERE h.connection = c.id AND h.description IS NOT NULL
       AND (public.hc_rows_since(h.id) = 9223372036854775807 OR to_regclass(format('%I.%I', c.schema_name, h.table_name)) IS NOT NULL)
$$;
COMMENT ON FUNCTION public.hc_plan_gone(public.hc_connection) IS 'The mapped tables and the last log ids of their earlier generations, as hc_wave finds them, without a lock.';

CREATE FUNCTION public.hc_plan_waves(c public.hc_connection, accepted text[], seen_keys text[], seen_steps integer[], first integer, most integer)
    RETURNS TABLE (step integer, api text, operation text, objects text, records integer, after integer[], entries bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off SET enable_mergejoin = off SET work_mem = '128MB' AS $$
#variable_conflict use_column
DECLARE
    size CONSTANT integer := 20000;
    gone jsonb := public.hc_plan_gone(c);
    done bigint[] := '{}';
    added jsonb := '[]';          -- what cycles leave behind, and the changes that break them as they go then
    w record; s record; t record;
    made boolean; settled bigint[]; split boolean;
    ids bigint[]; used text[];
    new_keys text[]; new_steps integer[];
    not_there CONSTANT bigint := 4000000000000000000;
    next_id bigint := not_there;  -- of changes that the log does not have
BEGIN
    step := first;
    LOOP
        SELECT * INTO w FROM public.hc_wave_gather(c, gone, size, done, accepted, added);
        made := false;
        new_keys := '{}'; new_steps := '{}';
        FOR s IN SELECT p.call, min(p.api) AS api, min(g.operation) AS operation, string_agg(g.object, ', ' ORDER BY p.number) AS objects, sum(p.high - p.low + 1)::integer AS records,
                        array_agg(g.before + p.low ORDER BY p.number) AS lows, array_agg(g.before + p.high ORDER BY p.number) AS highs
                   FROM public.hc_wave_pack(c, coalesce(w.groups, '[]'), true) p
                   JOIN jsonb_to_recordset(w.groups) AS g(number integer, object text, operation text, before integer) ON g.number = p.number GROUP BY p.call ORDER BY p.call LOOP
            EXIT WHEN step >= first + most;
            made := true;
            step := step + 1;
            api := s.api; operation := s.operation; objects := s.objects; records := s.records;
            entries := '{}'; used := '{}'; ids := '{}';
            FOR i IN 1..cardinality(s.lows) LOOP
                entries := entries || w.ids[s.lows[i]:s.highs[i]];
                used := used || ARRAY(SELECT k FROM unnest(w.keys[s.lows[i]:s.highs[i]]) x, unnest(x::text[]) k);
                ids := ids || w.ids[s.lows[i]:s.highs[i]] || ARRAY(SELECT a FROM unnest(w.absorbed[s.lows[i]:s.highs[i]]) x, unnest(x::bigint[]) a);
            END LOOP;
            -- Calls of earlier waves that use a key of this one, unless both only name it.
            after := ARRAY(SELECT DISTINCT o.step FROM unnest(seen_keys, seen_steps) o(k, step) JOIN unnest(used) u(k) ON substr(u.k, 2) = substr(o.k, 2)
                            WHERE NOT (left(u.k, 1) IN ('S', 'U') AND left(o.k, 1) IN ('S', 'U') AND left(u.k, 1) || left(o.k, 1) <> 'UU') ORDER BY 1);
            entries := ARRAY(SELECT e FROM unnest(entries) e WHERE e < not_there);
            RETURN NEXT;
            done := done || ids;
            new_keys := new_keys || used;
            new_steps := new_steps || array_fill(step, ARRAY[cardinality(used)]);
            accepted := accepted || ARRAY(SELECT substr(k, 2) FROM unnest(used) k WHERE k LIKE 'Crow %');
            added := coalesce((SELECT jsonb_agg(x.value) FROM jsonb_array_elements(added) x WHERE NOT (x.value ->> 'log_id')::bigint = ANY (ids)), '[]')
                     || public.hc_plan_revived(c, ids);
        END LOOP;
        seen_keys := seen_keys || new_keys; seen_steps := seen_steps || new_steps;
        EXIT WHEN step >= first + most;
        -- What cannot be sent, or need not, leaves the queue without a call.
        settled := ARRAY(SELECT x.log_id FROM jsonb_to_recordset(coalesce(w.others, '[]')) AS x(log_id bigint, status text) WHERE x.status <> 'held'
                         UNION SELECT v::bigint FROM jsonb_to_recordset(coalesce(w.others, '[]')) AS x(status text, absorbed jsonb),
                               jsonb_array_elements_text(CASE jsonb_typeof(x.absorbed) WHEN 'array' THEN x.absorbed ELSE '[]' END) v WHERE x.status = 'away');
        done := done || settled;
        CONTINUE WHEN made OR settled <> '{}';
        split := false;
        FOR t IN SELECT * FROM public.hc_wave_tangle(c, gone, size, done, accepted, added) x WHERE x.parents IS NOT NULL ORDER BY x.log_id LOOP
            next_id := next_id + 1;
            added := public.hc_plan_split(c, gone, added, t.log_id, t.parents, next_id);
            done := done || t.log_id;
            split := true;
        END LOOP;
        EXIT WHEN NOT split;
    END LOOP;
END
$$;
COMMENT ON FUNCTION public.hc_plan_waves(public.hc_connection, text[], text[], integer[], integer, integer) IS
    'hc_plan for merged and planned writes: wave after wave, each after the answers of the one before. accepted: keys of rows that calls under way create; seen: keys of the calls up to the first step, by step.';

CREATE FUNCTION public.hc_plan_revived(c public.hc_connection, ids bigint[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    revived jsonb;
BEGIN
    EXECUTE format('WITH made AS (SELECT g.id, g.table_name, g.record_id FROM %1$s g WHERE g.id = ANY ($1) AND g.action = ''INSERT'' AND g.sfid IS NULL)
        SELECT jsonb_agg(jsonb_build_object(''log_id'', d.id, ''table_name'', d.table_name, ''action'', ''DELETE'', ''record_id'', d.record_id, ''old'', d.old))
          FROM (SELECT g.id, g.table_name, g.record_id, g.old FROM made m JOIN %1$s g ON g.table_name = m.table_name AND g.record_id = m.record_id AND g.id > m.id
                 WHERE g.action = ''DELETE'' AND g.sfid IS NULL AND g.state IN (''IGNORE'', ''IGNORED'')
                UNION ALL
                SELECT a.id, a.table_name, a.record_id, NULL FROM made m JOIN %2$I._trigger_log_archive a ON a.table_name = m.table_name AND a.record_id = m.record_id AND a.id > m.id
                 WHERE a.action = ''DELETE'' AND a.sfid IS NULL AND a.state = ''IGNORED'') d', public.hc_log_table(c), c.schema_name) INTO revived USING ids;
    RETURN coalesce(revived, '[]');
END
$$;
COMMENT ON FUNCTION public.hc_plan_revived(public.hc_connection, bigint[]) IS
    'The DELETEs of rows that went before their INSERT was sent: once these INSERTs are accepted, they have something to delete.';

CREATE FUNCTION public.hc_plan_split(c public.hc_connection, gone jsonb, added jsonb, entry bigint, parents text[], new_id bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    l record;
    columns text[];
BEGIN
    SELECT x.* INTO l FROM jsonb_to_recordset(added) AS x(log_id bigint, table_name text, action text, record_id bigint, "values" text) WHERE x.log_id = entry;
    IF NOT FOUND THEN
        EXECUTE format('SELECT g.id::bigint AS log_id, g.table_name::text AS table_name, g.action::text AS action, g.record_id::bigint AS record_id, g."values"::text AS "values" FROM %s g WHERE g.id = $1',
                       public.hc_log_table(c)) INTO l USING entry;
    END IF;
    columns := public.hc_wave_parent_columns(c, gone, l.table_name, l."values", parents);
    RETURN coalesce((SELECT jsonb_agg(x.value) FROM jsonb_array_elements(added) x WHERE (x.value ->> 'log_id')::bigint <> entry), '[]')
        || jsonb_build_array(
            jsonb_build_object('log_id', entry, 'table_name', l.table_name, 'action', l.action, 'record_id', l.record_id, 'values',
                (SELECT public.hc_pairs_text(array_agg(p.key), array_agg(p.value)) FROM public.hc_pairs(l."values") p WHERE NOT p.key = ANY (columns))),
            jsonb_build_object('log_id', new_id, 'table_name', l.table_name, 'action', 'UPDATE', 'record_id', l.record_id, 'values',
                (SELECT public.hc_pairs_text(array_agg(p.key), array_agg(p.value)) FROM public.hc_pairs(l."values") p WHERE p.key = ANY (columns))));
END
$$;
COMMENT ON FUNCTION public.hc_plan_split(public.hc_connection, jsonb, jsonb, bigint, text[], bigint) IS 'What hc_wave_split would write, as changes that the log does not have.';

CREATE FUNCTION public.hc_plan_parents(c public.hc_connection, entry bigint) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT public.hc_parent_waits_for($1, jsonb_build_array(p), g.id::bigint) FROM %s g
        JOIN public.hc_mapping m ON m.connection = $1.id AND m.table_name = g.table_name::name,
             jsonb_array_elements(public.hc_wire_record(m.id, g.action, g."values") -> ''parents'') p WHERE g.id = $2', public.hc_log_table(c)) USING c, entry;
END
$$;
COMMENT ON FUNCTION public.hc_plan_parents(public.hc_connection, bigint) IS 'The INSERTs of the parents that a change names by external id, as hc_claim finds them.';

CREATE FUNCTION public.hc_plan_ordered(c public.hc_connection, accepted text[], most integer)
    RETURNS TABLE (step integer, operation text, object text, entries bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off SET work_mem = '128MB' AS $$
#variable_conflict use_column
DECLARE
    size CONSTANT integer := 20000;
    ids bigint[]; kinds text[]; tables text[]; row_keys text[]; record_keys text[]; names text[]; blockers text[];   -- by their order in the log
    sent boolean[];
    blocked text[]; taken text[]; waits boolean; table_now text; first integer := 1;
    inserts bigint[];
BEGIN
    EXECUTE format('SELECT array_agg(x.id) FROM (SELECT g.id FROM %s g WHERE g.state = ''NEW'' AND g.id >= $1 ORDER BY g.id LIMIT $2) x', public.hc_log_table(c)) INTO inserts USING c.low_water, size;
    WITH look AS MATERIALIZED (
        SELECT l.*, m.object_name, row_number() OVER (ORDER BY l.log_id) AS n,
               (SELECT substr(k, 2) FROM unnest(l.keys) k WHERE substr(k, 2, 4) = 'row ' LIMIT 1) AS row_key
          FROM public.hc_wave_look(c, public.hc_plan_gone(c), size, '{}', accepted, public.hc_plan_revived(c, inserts), true) l LEFT JOIN public.hc_mapping m ON m.id = l.mapping
    ), creation AS (SELECT l.n, l.log_id, substr(k, 2) AS key FROM look l, unnest(l.keys) k WHERE left(k, 1) = 'C'),
    waiting AS (
        SELECT u.n, array_agg(DISTINCT x.n) AS blockers
          FROM (SELECT l.n, l.log_id, substr(k, 2) AS key, true AS parent FROM look l, unnest(l.keys) k WHERE left(k, 1) = 'S' AND l.action <> 'DELETE'
                UNION ALL SELECT l.n, l.log_id, l.row_key, false FROM look l WHERE l.target IS NULL AND NOT l.creates) u
          JOIN creation x ON x.key = u.key AND x.n <> u.n
         WHERE NOT u.parent OR x.log_id IN (SELECT public.hc_plan_parents(c, u.log_id)) GROUP BY u.n
    )
    SELECT array_agg(l.log_id), array_agg(CASE WHEN l.status IN ('odd', 'nothing', 'away') AND w.n IS NULL THEN NULL ELSE l.operation END), array_agg(l.object_name), array_agg(l.row_key),
           array_agg(left(l.target, 15)), array_agg((SELECT substr(k, 2) FROM unnest(l.keys) k WHERE l.operation = 'upsert' AND k LIKE 'Cid %' LIMIT 1)),
           array_agg(coalesce(w.blockers, '{}')::text || CASE WHEN l.waits_for IS NULL THEN '' ELSE 'held' END)
      INTO ids, kinds, tables, row_keys, record_keys, names, blockers
      FROM (SELECT * FROM look ORDER BY n) l LEFT JOIN waiting w ON w.n = l.n;
    sent := array_fill(false, ARRAY[coalesce(cardinality(ids), 0)]);
    step := 0;
    WHILE step < most LOOP
        entries := '{}'; blocked := '{}'; taken := '{}'; operation := NULL; object := NULL; table_now := NULL;
        WHILE sent[first] LOOP
            first := first + 1;
        END LOOP;
        FOR i IN first..coalesce(cardinality(ids), 0) LOOP
            CONTINUE WHEN sent[i] OR row_keys[i] = ANY (blocked);
            EXIT WHEN row_keys[i] = ANY (taken);
            EXIT WHEN tables[i] IS DISTINCT FROM table_now AND entries <> '{}';
            table_now := tables[i];
            IF kinds[i] IS NULL THEN
                sent[i] := true;   -- it leaves the queue without a call
                CONTINUE;
            END IF;
            waits := blockers[i] LIKE '%held' OR blockers[i] <> '{}' AND EXISTS (SELECT FROM unnest(replace(blockers[i], 'held', '')::integer[]) b WHERE NOT sent[b]);
            IF waits THEN
                -- What waits for a later entry of its own row lets it pass.
                IF NOT (record_keys[i] IS NULL AND EXISTS (SELECT FROM unnest(replace(blockers[i], 'held', '')::integer[]) b WHERE b > i AND row_keys[b] = row_keys[i])) THEN
                    blocked := blocked || row_keys[i];
                END IF;
                CONTINUE;
            END IF;
            EXIT WHEN entries <> '{}' AND kinds[i] <> operation OR names[i] = ANY (taken) OR 'record ' || record_keys[i] = ANY (taken);
            operation := kinds[i];
            object := tables[i];
            entries := entries || ids[i];
            taken := taken || array_remove(ARRAY[row_keys[i], names[i], 'record ' || record_keys[i]], NULL);
            sent[i] := NULL;   -- in this call
            EXIT WHEN cardinality(entries) >= 200;
        END LOOP;
        EXIT WHEN entries = '{}';
        sent := ARRAY(SELECT coalesce(x, true) FROM unnest(sent) WITH ORDINALITY u(x, n) ORDER BY u.n);
        step := step + 1;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION public.hc_plan_ordered(public.hc_connection, text[], integer) IS
    'hc_plan for ordered writes: log order, one call at a time, as hc_claim packs it.';
