-- Apply, many changes at once: what Salesforce accepted of many batches is written by a few statements; the rest goes row by row

CREATE FUNCTION public.hc_apply_open(m public.hc_mapping, ids bigint[], since bigint, row_ids bigint[], row_sfids text[], row_others bigint[],
                                     entry_ids bigint[], entry_states text[], entry_others bigint[], later_rows bigint[])
    RETURNS TABLE (batch bigint, "position" integer, log_id bigint, record_id bigint, survivor bigint, state text, there boolean, later boolean, locked text, plain boolean,
                   lastop text, new_sfid text, deletes boolean, note text)
-- Planned anew each time and without nested loops: guesses at the length of an array are the worst there are, and a nested loop over
-- 3,200 changes passes ten million.
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_nestloop = off SET jit = off SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH open AS MATERIALIZED (
        SELECT e.batch, e.position, e.merged_into, e.log_id, e.record_id, e.action, e.outcome, e.payload, b.operation, l.state, r.id IS NOT NULL AS there,
               public.hc_is_accepted(b.operation, e.outcome) AS accepted, coalesce(e.outcome ->> 'id', e.payload ->> 'id') AS new_sfid,
               CASE WHEN e.log_id > since AND ro.id IS NOT NULL THEN 'the row is locked by another transaction'
                    WHEN eo.id IS NOT NULL THEN 'the log entry is locked by another transaction' END AS locked,
               coalesce(l.state NOT IN ('NEW', 'REQUEUE'), false) AS may_end,
               -- Only where hc_outcome_note may have something to say; asking it for each costs as much as all else here.
               CASE WHEN b.operation IN ('upsert', 'delete') AND e.outcome -> 'created' IS DISTINCT FROM 'true' OR e.outcome ? 'note' OR e.payload -> 'dropped' <> '[]'
                      OR e.payload ? 'notes' OR e.payload -> 'fields' ? m.upsert_field OR e.payload -> 'nulls' ? m.upsert_field
                    THEN public.hc_outcome_note(m, b, e) END AS note
          FROM public.hc_batch_entry e JOIN public.hc_batch b ON b.id = e.batch
          LEFT JOIN unnest(entry_ids, entry_states) l(id, state) ON l.id = e.log_id
          -- A row whose sfid is another one than was written to is another row, whatever its id.
          LEFT JOIN unnest(row_ids, row_sfids) r(id, sfid) ON r.id = e.record_id AND e.log_id > since AND (e.sfid IS NULL OR left(r.sfid, 15) = left(e.sfid, 15))
          LEFT JOIN unnest(row_others) ro(id) ON ro.id = e.record_id
          LEFT JOIN unnest(entry_others) eo(id) ON eo.id = e.log_id
         WHERE e.batch = ANY (ids) AND NOT e.applied AND (e.outcome IS NOT NULL OR e.merged_into IS NOT NULL)
    ), absorbed AS (
        SELECT o.batch, o.merged_into, bool_and(o.may_end) AS may_end, max(o.locked) AS locked, bool_or(o.state IN ('NEW', 'REQUEUE')) AS again FROM open o WHERE o.merged_into IS NOT NULL GROUP BY 1, 2
    ), sent AS MATERIALIZED (
        SELECT o.batch, o.position, o.log_id, o.record_id, o.state, o.there, y.id IS NOT NULL OR coalesce(a.again, false) AS later, coalesce(o.locked, a.locked) AS locked,
               -- An INSERT whose row is gone was followed by a DELETE that has something to send now.
               o.accepted AND o.locked IS NULL AND o.may_end AND coalesce(a.may_end, true) AND (o.there OR o.action <> 'INSERT') AND o.new_sfid IS NOT NULL AS plain,
               CASE WHEN y.id IS NOT NULL THEN 'PENDING' WHEN o.action = 'INSERT' THEN 'INSERTED' ELSE 'UPDATED' END AS lastop,
               CASE WHEN o.accepted THEN o.new_sfid END AS new_sfid, o.operation = 'delete' AS deletes,
               nullif(concat_ws('; ', o.note, public.hc_ignored_note(o.state)), '') AS note
          FROM open o LEFT JOIN absorbed a ON a.batch = o.batch AND a.merged_into = o.position LEFT JOIN unnest(later_rows) y(id) ON y.id = o.record_id
         WHERE o.merged_into IS NULL
    )
    SELECT s.batch, s.position, s.log_id, s.record_id, NULL::bigint, s.state, s.there, s.later, s.locked, s.plain, s.lastop, s.new_sfid, s.deletes, s.note FROM sent s
    UNION ALL
    SELECT o.batch, o.position, o.log_id, o.record_id, s.log_id, o.state, NULL, NULL, NULL, s.plain, NULL, s.new_sfid, NULL, public.hc_absorbed_note(s.log_id, o.state)
      FROM sent s JOIN open o ON o.batch = s.batch AND o.merged_into = s.position;
END
$$;
COMMENT ON FUNCTION public.hc_apply_open(public.hc_mapping, bigint[], bigint, bigint[], text[], bigint[], bigint[], text[], bigint[], bigint[]) IS
    'The answered changes of batches that are not applied, and those that they carried (survivor: whose outcome they share), with what hc_apply_mapping has locked and found. plain: accepted, its row locked or gone, its entry and those of the changes that it carried locked and in no state that asks to send again.';

CREATE FUNCTION public.hc_apply_plain(c public.hc_connection, m public.hc_mapping, ids bigint[], since bigint, row_ids bigint[], row_sfids text[], row_others bigint[],
                                      entry_ids bigint[], entry_states text[], entry_others bigint[], later bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    p record;
    second boolean := false;
    written integer;
    again_ids bigint[]; again_lastops text[]; again_sfids text[];
BEGIN
    SELECT array_agg(o.batch) AS batches, array_agg(o.position) AS positions, array_agg(o.log_id) AS log_ids, array_agg(o.note) AS notes, array_agg(o.new_sfid) AS sfids,
           array_agg(CASE WHEN o.survivor IS NULL THEN 'SUCCESS' ELSE 'MERGED' END) AS states,
           array_agg(o.new_sfid) FILTER (WHERE o.deletes) AS deleted, array_agg(o.new_sfid) FILTER (WHERE NOT o.deletes) AS written,
           array_agg(o.record_id) FILTER (WHERE o.there) AS row_ids, array_agg(o.lastop) FILTER (WHERE o.there) AS lastops, array_agg(o.new_sfid) FILTER (WHERE o.there) AS row_sfids
      INTO p FROM public.hc_apply_open(m, ids, since, row_ids, row_sfids, row_others, entry_ids, entry_states, entry_others, later) o WHERE o.plain;
    IF p.batches IS NULL THEN
        RETURN;
    END IF;
    -- Every table is reached by "= ANY": a join alone may be planned as a merge, which reads the index from its beginning each time.
    DELETE FROM public.hc_staged s WHERE s.mapping = m.id AND s.sfid = ANY (p.sfids);   -- read before our write
    INSERT INTO public.hc_tombstone (mapping, sfid, deleted_at) SELECT DISTINCT m.id, x.sfid, public.hc_org_clock(c) FROM unnest(p.deleted) x(sfid)
        ON CONFLICT (mapping, sfid) DO UPDATE SET deleted_at = excluded.deleted_at;
    DELETE FROM public.hc_read_back r WHERE r.mapping = m.id AND r.sfid = ANY (p.deleted);
    INSERT INTO public.hc_read_back (mapping, sfid) SELECT DISTINCT m.id, x.sfid FROM unnest(p.written) x(sfid)
        ON CONFLICT (mapping, sfid) DO UPDATE SET token = nextval('public.hc_read_back_token'), due_at = NULL;
    PERFORM public.hc_use_application_path();
    WHILE p.row_ids IS NOT NULL LOOP
        EXECUTE format('WITH written AS (
                            UPDATE %I.%I t SET _hc_lastop = w.lastop, _hc_err = NULL, sfid = coalesce(w.sfid, t.sfid)
                              FROM unnest($1, $2, $3) w(id, lastop, sfid) WHERE t.id = w.id AND t.id = ANY ($1)
                            RETURNING w.id, w.lastop, w.sfid, t._hc_lastop IS DISTINCT FROM w.lastop OR t._hc_err IS NOT NULL AS differs)
                        SELECT count(*), array_agg(id) FILTER (WHERE differs), array_agg(lastop) FILTER (WHERE differs), array_agg(sfid) FILTER (WHERE differs)
                          FROM written', c.schema_name, m.table_name)
            INTO written, again_ids, again_lastops, again_sfids USING p.row_ids, p.lastops, p.row_sfids;
        IF written <> cardinality(p.row_ids) THEN
            RAISE EXCEPTION '% of % rows were written', written, cardinality(p.row_ids);   -- a trigger of the user kept some: row by row, then
        END IF;
        -- As hc_write_status, twice at most: the status trigger makes rows SYNCED that had the same _hc_lastop before.
        EXIT WHEN second;
        second := true;
        p.row_ids := again_ids; p.lastops := again_lastops; p.row_sfids := again_sfids;
    END LOOP;
    EXECUTE format('WITH gone AS (DELETE FROM %1$s WHERE id = ANY ($1) RETURNING *), done AS (
                        SELECT g.id, g.txid, g.created_at, clock_timestamp() AS updated_at, clock_timestamp() AS processed_at, txid_current() AS processed_tx,
                               x.state, g.action, g.table_name, g.record_id, coalesce(x.sfid, g.sfid) AS sfid, g.old, g."values", 0 AS sf_result, x.note AS sf_message
                          FROM gone g JOIN unnest($1, $2, $3, $4) x(id, state, note, sfid) ON x.id = g.id)
                    INSERT INTO %2$I._trigger_log_archive (%3$s) SELECT %3$s FROM done ON CONFLICT (id) DO UPDATE SET (%3$s) = ROW (%4$s)',
                   public.hc_log_table(c), c.schema_name, public.hc_log_columns(),
                   regexp_replace(public.hc_log_columns(), '("?\w+"?)', 'excluded.\1', 'g')) USING p.log_ids, p.states, p.notes, p.sfids;
    -- Executed, so that it is planned for as many as there are. Not by plan_cache_mode, which foreign keys and triggers of the user would
    -- be planned under too, for each row.
    EXECUTE 'UPDATE public.hc_batch_entry e SET applied = true, reason = NULL FROM unnest($2, $3) x(batch, position)
              WHERE e.batch = ANY ($1) AND e.batch = x.batch AND e.position = x.position' USING ids, p.batches, p.positions;
END
$$;
COMMENT ON FUNCTION public.hc_apply_plain(public.hc_connection, public.hc_mapping, bigint[], bigint, bigint[], text[], bigint[], bigint[], text[], bigint[], bigint[]) IS
    'Applies the plain changes of the batches (hc_apply_open) by one statement for each kind of effect.';

CREATE FUNCTION public.hc_apply_by_row(c public.hc_connection, m public.hc_mapping, ids bigint[], since bigint, row_ids bigint[], row_sfids text[], row_others bigint[],
                                       entry_ids bigint[], entry_states text[], entry_others bigint[], later bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    o record;
    carried record;
    entry public.hc_batch_entry;
    part public.hc_batch_entry;
    why text;
    some_carried boolean := EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = ANY (ids) AND e.merged_into IS NOT NULL AND NOT e.applied);
BEGIN
    FOR o IN SELECT x.*, b FROM public.hc_apply_open(m, ids, since, row_ids, row_sfids, row_others, entry_ids, entry_states, entry_others, later) x
               JOIN public.hc_batch b ON b.id = x.batch WHERE x.survivor IS NULL ORDER BY x.record_id, x.position LOOP
        why := o.locked;
        IF why IS NULL THEN
            BEGIN
                SELECT e.* INTO entry FROM public.hc_batch_entry e WHERE e.batch = o.batch AND e.position = o.position;
                PERFORM public.hc_apply_entry(c, m, o.b, entry, o.there, o.state, o.later);
                FOR carried IN SELECT e, l.state FROM public.hc_batch_entry e LEFT JOIN unnest(entry_ids, entry_states) l(id, state) ON l.id = e.log_id
                                WHERE some_carried AND e.batch = o.batch AND e.merged_into = o.position AND NOT e.applied ORDER BY e.log_id LOOP
                    IF entry.outcome ? 'release' THEN
                        part := carried.e;
                        part.outcome := entry.outcome;
                        PERFORM public.hc_apply_entry(c, m, o.b, part, false, carried.state, false);
                    ELSE
                        PERFORM public.hc_apply_absorbed(c, carried.e, o.log_id, o.new_sfid, carried.state);
                    END IF;
                END LOOP;
            EXCEPTION
                WHEN query_canceled OR admin_shutdown OR crash_shutdown THEN RAISE;
                WHEN OTHERS THEN why := format('%s: %s', SQLSTATE, SQLERRM);
            END;
        END IF;
        UPDATE public.hc_batch_entry e SET applied = why IS NULL, reason = why
            WHERE e.batch = o.batch AND (e.position = o.position OR some_carried AND e.merged_into = o.position) AND NOT e.applied;
    END LOOP;
END
$$;
COMMENT ON FUNCTION public.hc_apply_by_row(public.hc_connection, public.hc_mapping, bigint[], bigint, bigint[], text[], bigint[], bigint[], text[], bigint[], bigint[]) IS
    'Applies what is answered of the batches (hc_apply_open), each change in a savepoint of its own: a row that is locked, or whose trigger raises, waits with its reason.';

CREATE FUNCTION public.hc_apply_mapping(c public.hc_connection, m public.hc_mapping, ids bigint[]) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    log text := public.hc_log_table(c);
    since bigint;                                  -- entries up to this id speak of rows that are gone: they touch no row
    records bigint[]; entries bigint[];
    row_ids bigint[]; row_sfids text[];            -- rows that we locked, with their sfid
    row_others bigint[];                           -- rows that somebody else has locked
    entry_ids bigint[]; entry_states text[];       -- entries that we locked, with their state
    entry_others bigint[];
    later bigint[];
    open_before jsonb;
    one bigint;
    results jsonb;
BEGIN
    PERFORM public.hc_sort_refusals(c, m, b) FROM public.hc_batch b
        WHERE b.id = ANY (ids) AND EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = b.id AND NOT e.applied AND NOT public.hc_is_accepted(b.operation, e.outcome));
    SELECT coalesce(jsonb_object_agg(x.batch, x.n), '{}') INTO open_before FROM (
        SELECT e.batch, count(*) AS n FROM public.hc_batch_entry e WHERE e.batch = ANY (ids) AND e.outcome IS NOT NULL AND NOT e.applied GROUP BY e.batch) x;
    since := public.hc_generation_try(c, m);
    IF since IS NULL THEN
        UPDATE public.hc_batch x SET apply_attempt = x.apply_attempt + 1, reason = 'answered; the table is locked by another transaction',
               apply_at = public.hc_clock(c.id) + least(interval '30 seconds', interval '1 second' * power(2, least(x.apply_attempt, 5)))
            WHERE x.id = ANY (ids);
        RETURN (SELECT jsonb_object_agg(b, jsonb_build_object('applied', 0, 'done', false, 'waiting', coalesce((open_before ->> b::text)::integer, 0))) FROM unnest(ids) b);
    END IF;
    SELECT array_agg(DISTINCT x.record_id) FILTER (WHERE x.log_id > since AND x.record_id IS NOT NULL), array_agg(x.log_id) INTO records, entries
        FROM public.hc_batch_entry x WHERE x.batch = ANY (ids) AND (x.outcome IS NOT NULL OR x.merged_into IS NOT NULL) AND NOT x.applied;
    -- First the rows, in id order, then the entries: applications lock in that order too, and nobody waits for us.
    IF records IS NOT NULL THEN
        EXECUTE format('SELECT array_agg(l.id), array_agg(l.sfid) FROM (SELECT t.id, t.sfid FROM %I.%I t WHERE t.id = ANY ($1) ORDER BY t.id FOR NO KEY UPDATE SKIP LOCKED) l',
                       c.schema_name, m.table_name) INTO row_ids, row_sfids USING records;
        IF cardinality(row_ids) IS DISTINCT FROM cardinality(records) THEN
            EXECUTE format('SELECT array_agg(t.id) FROM %I.%I t WHERE t.id = ANY ($1) AND NOT EXISTS (SELECT FROM unnest($2) x(id) WHERE x.id = t.id)',
                           c.schema_name, m.table_name) INTO row_others USING records, row_ids;
        END IF;
    END IF;
    IF entries IS NOT NULL THEN
        EXECUTE format('SELECT array_agg(l.id), array_agg(l.state) FROM (SELECT g.id, g.state FROM %s g WHERE g.id = ANY ($1) ORDER BY g.id FOR UPDATE SKIP LOCKED) l', log)
            INTO entry_ids, entry_states USING entries;
        IF cardinality(entry_ids) IS DISTINCT FROM cardinality(entries) THEN
            EXECUTE format('SELECT array_agg(g.id) FROM %s g WHERE g.id = ANY ($1) AND NOT EXISTS (SELECT FROM unnest($2) x(id) WHERE x.id = g.id)', log)
                INTO entry_others USING entries, entry_ids;
        END IF;
        -- A new statement, a new snapshot: with the rows locked, no further change of them can be captured meanwhile.
        later := public.hc_later_changes(c, m, coalesce(row_ids, '{}'), entries);
        -- All at once; if that raises, batch by batch; what is left of a batch that raises, and what is special, row by row.
        BEGIN
            PERFORM public.hc_apply_plain(c, m, ids, since, row_ids, row_sfids, row_others, entry_ids, entry_states, entry_others, later);
        EXCEPTION
            WHEN query_canceled OR admin_shutdown OR crash_shutdown THEN RAISE;
            WHEN OTHERS THEN
                FOREACH one IN ARRAY CASE WHEN cardinality(ids) > 1 THEN ids ELSE '{}' END LOOP
                    BEGIN
                        PERFORM public.hc_apply_plain(c, m, ARRAY[one], since, row_ids, row_sfids, row_others, entry_ids, entry_states, entry_others, later);
                    EXCEPTION
                        WHEN query_canceled OR admin_shutdown OR crash_shutdown THEN RAISE;
                        WHEN OTHERS THEN NULL;   -- its rows tell their reasons
                    END;
                END LOOP;
        END;
        -- Most times nothing is left.
        PERFORM public.hc_apply_by_row(c, m, ids, since, row_ids, row_sfids, row_others, entry_ids, entry_states, entry_others, later)
            WHERE EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = ANY (ids) AND e.outcome IS NOT NULL AND NOT e.applied);
    END IF;
    WITH counted AS (
        SELECT i.id, coalesce((open_before ->> i.id::text)::integer, 0) AS answered, count(e.batch) FILTER (WHERE e.outcome IS NOT NULL) AS waiting,
               count(e.batch) FILTER (WHERE e.outcome IS NULL AND e.merged_into IS NULL) AS unanswered
          FROM unnest(ids) i(id) LEFT JOIN public.hc_batch_entry e ON e.batch = i.id AND NOT e.applied GROUP BY i.id
    ), changed AS (
        UPDATE public.hc_batch x
            SET apply_attempt = CASE WHEN n.waiting > 0 AND n.waiting = n.answered THEN x.apply_attempt + 1 ELSE 0 END,
                apply_at = CASE WHEN n.waiting > 0 THEN public.hc_clock(c.id) + least(interval '30 seconds', interval '1 second' * power(2, least(x.apply_attempt, 5))) END,
                reason = CASE WHEN n.waiting > 0 THEN format('answered; %s rows wait to be written', n.waiting) WHEN x.state = 'ANSWERED' THEN NULL ELSE x.reason END,
                state = CASE WHEN x.state <> 'ANSWERED' THEN x.state WHEN n.unanswered > 0 THEN 'REPEAT' WHEN n.waiting = 0 THEN 'DONE' ELSE x.state END,
                due_at = CASE WHEN x.state = 'ANSWERED' AND n.unanswered > 0 THEN public.hc_clock(c.id) + public.hc_repeat_wait(x.id) ELSE x.due_at END
            FROM counted n WHERE x.id = n.id RETURNING x.id, n.answered - n.waiting AS applied, n.waiting, x.state = 'DONE' AS done)
    SELECT jsonb_object_agg(r.id, jsonb_build_object('applied', r.applied, 'waiting', r.waiting, 'done', r.done)) INTO results FROM changed r;
    UPDATE public.hc_staged s SET retry_at = public.hc_clock(c.id) WHERE s.mapping = m.id AND s.retry_at IS NOT NULL
        AND EXISTS (SELECT FROM jsonb_each(results) r WHERE r.value -> 'applied' > '0');
    RETURN results;
END
$$;
COMMENT ON FUNCTION public.hc_apply_mapping(public.hc_connection, public.hc_mapping, bigint[]) IS
    'Applies the stored answers of batches of one mapping, which the caller has locked: {batch: {"applied", "waiting", "done"}}, counted in changes that were sent.';

CREATE FUNCTION public.hc_apply(connection uuid, epoch bigint, batch bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (public.hc_apply_batches(hc_apply.connection, hc_apply.epoch, ARRAY[hc_apply.batch]) -> 0) - 'batch';
END
$$;
COMMENT ON FUNCTION public.hc_apply(uuid, bigint, bigint) IS
    'Applies a stored answer: a row that is locked, or whose trigger raises, waits with its reason and is tried again; its change is never sent again.';
