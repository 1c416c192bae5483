-- Stuck: nothing may be sent and nothing is under way. Either a failed INSERT holds what waits, or changes wait for each other.

CREATE FUNCTION public.hc_wave_tangle(c public.hc_connection, gone jsonb, size integer, done bigint[] DEFAULT NULL, accepted text[] DEFAULT '{}', added jsonb DEFAULT '[]')
    RETURNS TABLE (log_id bigint, waits_for bigint, parents text[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET enable_mergejoin = off SET jit = off SET work_mem = '128MB' AS $$
#variable_conflict use_column
DECLARE
    froms bigint[]; tos bigint[]; names text[]; inserts bigint[];
    held bigint[]; waiting bigint[]; fresh bigint[]; rest bigint[]; kept bigint[]; chosen bigint[];
BEGIN
    -- Each blocked change and what stands directly before it: 0 for what is in flight.
    WITH look AS MATERIALIZED (SELECT * FROM public.hc_wave_look(c, gone, size, done, accepted, added, true)),
    access AS (
        SELECT l.log_id, left(k, 1) AS mode, substr(k, 2) AS key FROM look l, unnest(l.keys) k WHERE l.status <> 'away'
        UNION ALL SELECT 0, left(k, 1), substr(k, 2) FROM public.hc_wave_held_keys(c, done IS NOT NULL) k
    ), lived AS (
        SELECT a.*, CASE WHEN a.log_id = 0 THEN 0 ELSE count(*) FILTER (WHERE a.mode = 'X' AND a.log_id > 0) OVER (PARTITION BY a.key ORDER BY a.log_id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) END AS life,
               CASE WHEN a.log_id = 0 THEN -1 WHEN a.mode = 'C' THEN 0 WHEN a.mode = 'X' THEN 2 ELSE 1 END AS class FROM access a
    ), numbered AS (SELECT l.*, row_number() OVER (PARTITION BY l.key ORDER BY l.life, l.class, l.log_id) AS n FROM lived l),
    before AS (
        SELECT n.*, max(n.n) FILTER (WHERE n.mode IN ('C', 'W', 'X')) OVER w AS owner, max(n.n) FILTER (WHERE n.mode = 'U') OVER w AS changer
          FROM numbered n WINDOW w AS (PARTITION BY n.key ORDER BY n.n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), edge AS (
        SELECT b.log_id AS f, p.log_id AS t, CASE b.mode WHEN 'S' THEN b.key END AS name
          FROM before b JOIN numbered p ON p.key = b.key AND p.n = CASE b.mode WHEN 'S' THEN b.owner WHEN 'U' THEN greatest(b.owner, b.changer) ELSE b.n - 1 END
         WHERE b.log_id > 0
    )
    SELECT coalesce(array_agg(e.f), '{}'), coalesce(array_agg(e.t), '{}'), coalesce(array_agg(e.name), '{}'),
           (SELECT coalesce(array_agg(l.log_id), '{}') FROM look l WHERE l.creates), (SELECT coalesce(array_agg(l.log_id), '{}') FROM look l WHERE l.status = 'held')
      INTO froms, tos, names, inserts, held FROM edge e;

    -- What waits for a failed INSERT, and what waits for that.
    fresh := held;
    waiting := held || 0::bigint;
    LOOP
        RETURN QUERY SELECT e.f, min(e.t), NULL::text[] FROM unnest(froms, tos) e(f, t) WHERE e.t = ANY (fresh) AND NOT e.f = ANY (waiting) GROUP BY e.f;
        SELECT coalesce(array_agg(DISTINCT e.f), '{}') INTO fresh FROM unnest(froms, tos) e(f, t) WHERE e.t = ANY (fresh) AND NOT e.f = ANY (waiting);
        EXIT WHEN fresh = '{}';
        waiting := waiting || fresh;
    END LOOP;
    LOOP   -- and for what is in flight
        SELECT coalesce(array_agg(DISTINCT e.f), '{}') INTO fresh FROM unnest(froms, tos) e(f, t) WHERE e.t = ANY (waiting) AND NOT e.f = ANY (waiting);
        EXIT WHEN fresh = '{}';
        waiting := waiting || fresh;
    END LOOP;
    -- The rest waits for each other. Nothing is lost with what nobody of them waits for: it follows when the others have gone.
    rest := ARRAY(SELECT DISTINCT e.f FROM unnest(froms, tos) e(f, t) WHERE NOT e.f = ANY (waiting));
    LOOP
        kept := ARRAY(SELECT DISTINCT e.t FROM unnest(froms, tos) e(f, t) WHERE e.f = ANY (rest) AND e.t = ANY (rest) AND e.f <> e.t
                      UNION SELECT e.f FROM unnest(froms, tos) e(f, t) WHERE e.f = ANY (rest) AND e.f = e.t);
        EXIT WHEN cardinality(kept) = cardinality(rest);
        rest := kept;
    END LOOP;
    IF rest = '{}' THEN
        RETURN;
    END IF;
    -- Each cycle has an INSERT that names a parent which comes later in the log; in some only another change does.
    chosen := ARRAY(SELECT DISTINCT e.f FROM unnest(froms, tos, names) e(f, t, name)
                     WHERE e.f = ANY (rest) AND e.t = ANY (rest) AND e.f = ANY (inserts) AND e.t >= e.f AND e.name IS NOT NULL);
    IF chosen = '{}' THEN
        chosen := ARRAY(SELECT e.f FROM unnest(froms, tos, names) e(f, t, name)
                         WHERE e.f = ANY (rest) AND e.t = ANY (rest) AND e.name IS NOT NULL ORDER BY NOT e.f = ANY (inserts), e.f LIMIT 1);
    END IF;
    RETURN QUERY SELECT e.f, NULL::bigint, array_agg(DISTINCT e.name) FROM unnest(froms, tos, names) e(f, t, name)
        WHERE e.f = ANY (chosen) AND e.t = ANY (rest) AND e.name IS NOT NULL GROUP BY e.f;
END
$$;
COMMENT ON FUNCTION public.hc_wave_tangle(public.hc_connection, jsonb, integer, bigint[], text[], jsonb) IS
    'Why nothing may be sent: changes that wait for a failed INSERT through others (waits_for), and those that break a cycle of changes when they go without some of their parents (parents, as keys).';

CREATE FUNCTION public.hc_wave_parent_columns(c public.hc_connection, gone jsonb, the_table text, captured text, parents text[]) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(k.name), '{}')
      FROM public.hc_wave_mappings(c, gone) m, unnest(m.key_columns, m.key_prefixes, m.key_own, public.hc_pairs_values(captured, m.key_columns)) k(name, prefix, own, value)
     WHERE m.table_name = the_table AND NOT k.own AND k.prefix || CASE WHEN k.prefix = 'record ' THEN left(k.value, 15) ELSE lower(k.value) END = ANY (parents)
$$;
COMMENT ON FUNCTION public.hc_wave_parent_columns(public.hc_connection, jsonb, text, text, text[]) IS 'The columns of a captured change that name these parents.';

-- In the log itself, so that it outlives everything: the change without the lookup now, the lookup as a change of its own at the end.
CREATE FUNCTION public.hc_wave_split(c public.hc_connection, gone jsonb, entry bigint, parents text[]) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    log text := public.hc_log_table(c);
    the_table text; captured text; columns text[];
BEGIN
    EXECUTE format('SELECT g.table_name, g."values" FROM %s g WHERE g.id = $1 AND (g.state = ''NEW'' OR g.state = ''FAILED'') FOR UPDATE SKIP LOCKED', log)
        INTO the_table, captured USING entry;
    columns := public.hc_wave_parent_columns(c, gone, the_table, captured, parents);
    IF columns = '{}' THEN
        RETURN false;
    END IF;
    PERFORM public.hc_use_application_path();
    EXECUTE format('INSERT INTO %1$s (id, txid, created_at, state, action, table_name, record_id, sfid, "values", sf_message)
                    SELECT nextval(%2$L::regclass), txid_current(), clock_timestamp(), ''NEW'', ''UPDATE'', g.table_name, g.record_id, g.sfid,
                           (SELECT public.hc_pairs_text(array_agg(p.key), array_agg(p.value)) FROM public.hc_pairs(g."values") p WHERE p.key = ANY ($2)),
                           format(''what log entry %%s names as parent: both wait for each other, so it goes without'', g.id)
                      FROM %1$s g WHERE g.id = $1', log, public.hc_log_sequence(c)) USING entry, columns;
    EXECUTE format('UPDATE %s g SET "values" = (SELECT public.hc_pairs_text(array_agg(p.key), array_agg(p.value)) FROM public.hc_pairs(g."values") p WHERE NOT p.key = ANY ($2)),
                           updated_at = clock_timestamp() WHERE g.id = $1', log) USING entry, columns;
    RETURN true;
END
$$;
COMMENT ON FUNCTION public.hc_wave_split(public.hc_connection, jsonb, bigint, text[]) IS
    'Breaks a cycle: the change goes without the columns that name these parents, and these follow as an UPDATE.';

CREATE FUNCTION public.hc_wave_stuck(c public.hc_connection, gone jsonb, size integer) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t record;
    split boolean := false;
BEGIN
    FOR t IN SELECT * FROM public.hc_wave_tangle(c, gone, size) x ORDER BY x.log_id LOOP
        IF t.parents IS NOT NULL THEN
            split := public.hc_wave_split(c, gone, t.log_id, t.parents) OR split;
        ELSE
            EXECUTE format('UPDATE %1$s SET sf_message = $2, updated_at = clock_timestamp() WHERE id IN (
                                SELECT g.id FROM %1$s g WHERE g.id = $1 AND g.state = ''NEW'' AND g.sf_message IS DISTINCT FROM $2 FOR UPDATE SKIP LOCKED)', public.hc_log_table(c))
                USING t.log_id, format('waits for log entry %s', t.waits_for);
        END IF;
    END LOOP;
    RETURN split;
END
$$;
COMMENT ON FUNCTION public.hc_wave_stuck(public.hc_connection, jsonb, integer) IS
    'Nothing may be sent: what a failed INSERT holds through others says so, and cycles are broken; true when something may go now.';
