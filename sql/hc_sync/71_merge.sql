-- Merge: staged records become mapped rows, uncaptured, and never over a change that is not sent yet

CREATE FUNCTION public.hc_incoming(m public.hc_mapping) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    -- Without the length: an assignment of text that is too long must fail, a cast would cut it.
    SELECT string_agg(format('(s.record ->> %L)::%s AS %I', f.field_name, regexp_replace(f.postgres_type, '\s*\(.*\)', ''), f.column_name), ', ' ORDER BY f.position)
      FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL
$$;
COMMENT ON FUNCTION public.hc_incoming(public.hc_mapping) IS 'The select list that turns a staged record s into columns of the mapped table.';

CREATE FUNCTION public.hc_merge_update(c public.hc_connection, m public.hc_mapping, ids bigint[], sfids text[]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed text[];
    columns name[] := (SELECT array_agg(f.column_name ORDER BY f.position) FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL);
BEGIN
    PERFORM public.hc_use_application_path();
    EXECUTE format('WITH incoming AS MATERIALIZED (
                        SELECT p.target, p.key, %s FROM unnest($1, $2) AS p(target, key) JOIN public.hc_staged s ON s.mapping = $3 AND s.sfid = p.key)
                    , written AS (UPDATE %I.%I t SET %s, _hc_lastop = ''SYNCED'', _hc_err = NULL FROM incoming i
                     WHERE t.id = i.target AND (ROW(%s) IS DISTINCT FROM ROW(%s) OR t._hc_lastop IS DISTINCT FROM ''SYNCED'') RETURNING i.key)
                    SELECT coalesce(array_agg(w.key), ''{}'') FROM written w',
                   public.hc_incoming(m), c.schema_name, m.table_name,
                   (SELECT string_agg(format('%I = i.%1$I', n), ', ') FROM unnest(columns) n),
                   (SELECT string_agg(format('t.%I', n), ', ') FROM unnest(columns) n),
                   (SELECT string_agg(format('i.%I', n), ', ') FROM unnest(columns) n)) INTO changed USING ids, sfids, m.id;
    PERFORM public.hc_event_log(c, m, 'UPDATE', changed);
    RETURN cardinality(changed);
END
$$;
COMMENT ON FUNCTION public.hc_merge_update(public.hc_connection, public.hc_mapping, bigint[], text[]) IS
    'Writes staged records into the rows given; a row that is equal in every mapped column and SYNCED is left alone.';

CREATE FUNCTION public.hc_merge_insert(c public.hc_connection, m public.hc_mapping, sfids text[]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    added text[];
    columns name[] := (SELECT array_agg(f.column_name ORDER BY f.position) FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL);
    list text := (SELECT string_agg(quote_ident(n), ', ') FROM unnest(columns) n);
BEGIN
    PERFORM public.hc_use_application_path();
    EXECUTE format('WITH written AS (INSERT INTO %I.%I (%s, _hc_lastop) SELECT %3$s, ''SYNCED'' FROM (
                        SELECT %s FROM public.hc_staged s WHERE s.mapping = $1 AND s.sfid = ANY ($2) ORDER BY s.sfid) i RETURNING sfid)
                    SELECT coalesce(array_agg(w.sfid::text), ''{}'') FROM written w',
                   c.schema_name, m.table_name, list, public.hc_incoming(m)) INTO added USING m.id, sfids;
    PERFORM public.hc_event_log(c, m, 'INSERT', added);
    RETURN cardinality(added);
END
$$;
COMMENT ON FUNCTION public.hc_merge_insert(public.hc_connection, public.hc_mapping, text[]) IS 'Inserts staged records that no row stands for.';

CREATE FUNCTION public.hc_merge_delete(c public.hc_connection, m public.hc_mapping, ids bigint[]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    removed text[];
BEGIN
    PERFORM public.hc_use_application_path();
    EXECUTE format('WITH gone AS (DELETE FROM %I.%I WHERE id = ANY ($1) RETURNING sfid) SELECT coalesce(array_agg(g.sfid::text), ''{}'') FROM gone g',
                   c.schema_name, m.table_name) INTO removed USING ids;
    PERFORM public.hc_event_log(c, m, 'DELETE', removed);
    RETURN cardinality(removed);
END
$$;
COMMENT ON FUNCTION public.hc_merge_delete(public.hc_connection, public.hc_mapping, bigint[]) IS 'Removes the rows of records that were deleted in Salesforce.';

CREATE FUNCTION public.hc_merge_safely(c public.hc_connection, m public.hc_mapping, kind text, ids bigint[], sfids text[], OUT written integer, OUT failed text[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    why text;
    pause interval := '30 seconds';
    half integer;
    part record;
BEGIN
    written := 0;
    failed := '{}';
    IF coalesce(cardinality(sfids), 0) = 0 THEN
        RETURN;
    END IF;
    BEGIN
        written := CASE kind WHEN 'update' THEN public.hc_merge_update(c, m, ids, sfids)
                             WHEN 'insert' THEN public.hc_merge_insert(c, m, sfids)
                             ELSE public.hc_merge_delete(c, m, ids) END;
        IF written > 0 THEN
            PERFORM public.hc_adopt_final(c.id, format('records of %s were merged', m.object_name));
        END IF;
        RETURN;
    EXCEPTION
        WHEN query_canceled OR admin_shutdown OR crash_shutdown THEN RAISE;
        WHEN lock_not_available THEN
            why := 'another transaction has a row with the same unique value, not committed yet';
            pause := interval '10 seconds';
            -- The search for that row below must not wait as long again and again.
            PERFORM set_config('lock_timeout', '50ms', true);
        WHEN OTHERS THEN why := format('%s: %s', SQLSTATE, SQLERRM);
    END;
    IF cardinality(sfids) = 1 THEN
        failed := sfids;
        UPDATE public.hc_staged s SET retry_at = public.hc_clock(c.id) + pause, reason = why WHERE s.mapping = m.id AND s.sfid = sfids[1];
        RETURN;
    END IF;
    -- One bad row must not hold back the others: halves, until it stands alone.
    half := cardinality(sfids) / 2;
    FOR part IN SELECT 1 AS lower, half AS upper UNION ALL SELECT half + 1, cardinality(sfids) LOOP
        SELECT hc_merge_safely.written + x.written, hc_merge_safely.failed || x.failed INTO written, failed
            FROM public.hc_merge_safely(c, m, kind, ids[part.lower:part.upper], sfids[part.lower:part.upper]) x;
    END LOOP;
END
$$;
COMMENT ON FUNCTION public.hc_merge_safely(public.hc_connection, public.hc_mapping, text, bigint[], text[]) IS
    'Updates, inserts or deletes as one statement; when that fails, isolates the rows that fail and leaves them staged with the reason.';

CREATE FUNCTION public.hc_staged_before_change(c public.hc_connection, m public.hc_mapping, sfids text[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := (SELECT array_agg(f.field_name) FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL);
    incomplete text[];
BEGIN
    WITH gone AS (
        DELETE FROM public.hc_staged s
         WHERE s.mapping = m.id AND s.sfid = ANY (sfids) AND s.kind = 'record' AND NOT s.record ?& fields
           AND s.began_at <= m.applied_at + make_interval(secs => coalesce((c.settings ->> 'org_clock_ahead')::float8, 0))
        RETURNING s.sfid)
    SELECT array_agg(g.sfid) INTO incomplete FROM gone g;
    PERFORM public.hc_want_read_back(m.id, i) FROM unnest(incomplete) i;
    RETURN coalesce(incomplete, '{}');
END
$$;
COMMENT ON FUNCTION public.hc_staged_before_change(public.hc_connection, public.hc_mapping, text[]) IS
    'Records that were asked for before a field was added and lack it: they are not merged, but read once more by their id.';

CREATE FUNCTION public.hc_same_identifier(m public.hc_mapping) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    -- As values of the column's type: Salesforce writes 5.0 where PostgreSQL has 5.
    SELECT CASE WHEN (public.hc_describe_field(m.description, m.upsert_field) ->> 'caseSensitive')::boolean THEN format('t.%I::text = %s::text', f.column_name, theirs)
                ELSE format('lower(t.%I::text) = lower(%s::text)', f.column_name, theirs) END
      FROM public.hc_field f, LATERAL (SELECT format('(s.record ->> %L)::%s', f.field_name, regexp_replace(f.postgres_type, '\s*\(.*\)', '')) AS theirs) x
     WHERE f.mapping = m.id AND f.field_name = m.upsert_field
$$;
COMMENT ON FUNCTION public.hc_same_identifier(public.hc_mapping) IS
    'The condition under which a row t and a staged record s have the same identifier, which Salesforce compares without case unless the field says otherwise.';

CREATE FUNCTION public.hc_merge_step(c public.hc_connection, m public.hc_mapping, maximum integer) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    mapped text := format('%I.%I', c.schema_name, m.table_name);
    log text := public.hc_log_table(c);
    now_there timestamptz := public.hc_clock(c.id);
    same_identifier CONSTANT text := public.hc_same_identifier(m);
    picked text[];
    row_ids bigint[] := '{}';  row_sfids text[] := '{}';     -- rows that stand for a picked record, locked
    more_ids bigint[];         more_sfids text[];
    busy text[];                                             -- rows locked by somebody else
    kept text[] := '{}';                                     -- records that stay staged
    outdated text[];
    unsent bigint[];
    deleting text[];
    aside text[] := '{}';
    creating_since timestamptz;
    updates record; inserts record; deletes record;
    update_ids bigint[]; update_sfids text[]; delete_ids bigint[]; delete_sfids text[]; new_sfids text[];
BEGIN
    PERFORM public.hc_writes_rows();
    SELECT array_agg(p.sfid) INTO picked FROM (
        SELECT s.sfid FROM public.hc_staged s WHERE s.mapping = m.id AND (s.retry_at IS NULL OR s.retry_at <= now_there)
         ORDER BY s.sfid LIMIT maximum FOR UPDATE SKIP LOCKED) p;
    IF picked IS NULL OR to_regclass(mapped) IS NULL THEN
        RETURN jsonb_build_object('inserted', 0, 'updated', 0, 'unchanged', 0, 'deleted', 0, 'waiting', 0, 'more', false);
    END IF;

    -- 1. Lock the rows, in id order. What is locked by somebody else stays staged.
    EXECUTE format('SELECT coalesce(array_agg(l.id), ''{}''), coalesce(array_agg(l.sfid::text), ''{}'') FROM (
                        SELECT t.id, t.sfid FROM %s t WHERE t.sfid = ANY ($1) ORDER BY t.id FOR NO KEY UPDATE SKIP LOCKED) l', mapped)
        INTO row_ids, row_sfids USING picked;
    IF m.upsert_column IS NOT NULL THEN
        EXECUTE format('SELECT coalesce(array_agg(l.id), ''{}''), coalesce(array_agg(l.sfid), ''{}'') FROM (
                            SELECT t.id, s.sfid FROM %s t JOIN public.hc_staged s ON s.mapping = $1 AND s.sfid = ANY ($2) AND s.kind = ''record''
                               AND %s WHERE t.sfid IS NULL AND NOT s.sfid = ANY ($3)
                             ORDER BY t.id FOR NO KEY UPDATE OF t SKIP LOCKED) l', mapped, same_identifier)
            INTO more_ids, more_sfids USING m.id, picked, row_sfids;
        row_ids := row_ids || more_ids;
        row_sfids := row_sfids || more_sfids;
    END IF;

    -- 2. New statements, new snapshots: a change that committed while we waited for nothing is seen here.
    EXECUTE format('SELECT coalesce(array_agg(t.sfid::text), ''{}'') FROM %s t WHERE t.sfid = ANY ($1) AND NOT t.sfid = ANY ($2)', mapped)
        INTO busy USING picked, row_sfids;
    IF m.upsert_column IS NOT NULL THEN
        EXECUTE format('SELECT $4 || coalesce(array_agg(s.sfid), ''{}'') FROM public.hc_staged s JOIN %s t ON %s
                         WHERE s.mapping = $1 AND s.sfid = ANY ($2) AND s.kind = ''record'' AND t.sfid IS NULL AND NOT s.sfid = ANY ($3)',
                       mapped, same_identifier) INTO busy USING m.id, picked, row_sfids, busy;
    END IF;
    EXECUTE format('SELECT coalesce(array_agg(DISTINCT l.record_id::bigint), ''{}'') FROM %s l
                     WHERE l.table_name = $1 AND l.state IN (''NEW'', ''PENDING'') AND l.record_id = ANY ($2) AND l.id > public.hc_rows_since($3)', log)
        INTO unsent USING m.table_name::text, row_ids, m.id;
    unsent := unsent || ARRAY(SELECT e.record_id FROM public.hc_batch_entry e WHERE e.mapping = m.id AND NOT e.applied AND e.record_id = ANY (row_ids)
                                 AND e.log_id > public.hc_rows_since(m.id));
    EXECUTE format('SELECT coalesce(array_agg(DISTINCT l.sfid::text), ''{}'') FROM %s l
                     WHERE l.table_name = $1 AND l.action = ''DELETE'' AND l.state IN (''NEW'', ''PENDING'') AND l.sfid = ANY ($2)', log)
        INTO deleting USING m.table_name::text, picked;
    deleting := deleting || ARRAY(SELECT e.payload ->> 'id' FROM public.hc_batch b JOIN public.hc_batch_entry e ON e.batch = b.id
                                   WHERE b.connection = c.id AND b.state <> 'DONE' AND e.mapping = m.id AND NOT e.applied AND e.action = 'DELETE');

    -- 3. Older than what we know: our own write not read back yet, a delete of ours, a newer row.
    EXECUTE format('SELECT coalesce(array_agg(s.sfid), ''{}'') FROM public.hc_staged s LEFT JOIN %s t ON t.sfid = s.sfid WHERE s.mapping = $1 AND s.sfid = ANY ($2) AND (
                        (s.kind = ''record'' AND EXISTS (SELECT FROM public.hc_read_back r WHERE r.mapping = s.mapping AND r.sfid = s.sfid))
                     OR (s.kind = ''record'' AND EXISTS (SELECT FROM public.hc_tombstone d WHERE d.mapping = s.mapping AND d.sfid = s.sfid AND d.deleted_at >= s.began_at))
                     OR (s.systemmodstamp < t.systemmodstamp))', mapped) INTO outdated USING m.id, picked;
    DELETE FROM public.hc_staged s WHERE s.mapping = m.id AND s.sfid = ANY (outdated);
    outdated := outdated || public.hc_staged_before_change(c, m, picked);
    picked := ARRAY(SELECT p FROM unnest(picked) p WHERE NOT p = ANY (outdated));

    -- 4. While a create is on its way or in doubt, an unknown record of our user may be its answer.
    SELECT min(coalesce(b.first_sent_at, b.claimed_at)) INTO creating_since FROM public.hc_batch b
        WHERE b.mapping = m.id AND b.operation IN ('create', 'upsert') AND b.state <> 'DONE'
          AND EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = b.id AND NOT e.applied);
    IF creating_since IS NOT NULL THEN
        creating_since := creating_since + make_interval(secs => coalesce((c.settings ->> 'org_clock_ahead')::float8, 0)) - interval '5 seconds';
        aside := ARRAY(SELECT s.sfid FROM public.hc_staged s WHERE s.mapping = m.id AND s.sfid = ANY (picked) AND s.kind = 'record' AND NOT s.sfid = ANY (row_sfids)
                          AND left(s.record ->> 'CreatedById', 15) = left(c.settings ->> 'user_id', 15)
                          AND (s.record ->> 'CreatedDate')::timestamptz >= creating_since);
    END IF;

    kept := busy || deleting || aside;
    IF public.hc_setting(c, 'protect_unsent', 'true')::boolean THEN
        kept := kept || ARRAY(SELECT r.sfid FROM unnest(row_ids, row_sfids) AS r(id, sfid) WHERE r.id = ANY (unsent));
    END IF;
    UPDATE public.hc_staged s
        SET retry_at = now_there + interval '10 seconds',
            reason = CASE WHEN s.sfid = ANY (busy) THEN 'the row is locked by another transaction'
                          WHEN s.sfid = ANY (aside) THEN 'may be the answer to a create whose outcome is not known'
                          WHEN s.sfid = ANY (deleting) THEN 'the row was deleted here and its DELETE is not sent yet'
                          ELSE 'the row has changes that are not sent yet' END
        WHERE s.mapping = m.id AND s.sfid = ANY (picked) AND s.sfid = ANY (kept);

    SELECT array_agg(r.id ORDER BY r.id) FILTER (WHERE s.kind = 'record'), array_agg(r.sfid ORDER BY r.id) FILTER (WHERE s.kind = 'record'),
           array_agg(r.id ORDER BY r.id) FILTER (WHERE s.kind = 'deleted'), array_agg(r.sfid ORDER BY r.id) FILTER (WHERE s.kind = 'deleted')
        INTO update_ids, update_sfids, delete_ids, delete_sfids
        FROM unnest(row_ids, row_sfids) AS r(id, sfid) JOIN public.hc_staged s ON s.mapping = m.id AND s.sfid = r.sfid
        WHERE r.sfid = ANY (picked) AND NOT r.sfid = ANY (kept);
    SELECT array_agg(s.sfid ORDER BY s.sfid) INTO new_sfids FROM public.hc_staged s
        WHERE s.mapping = m.id AND s.sfid = ANY (picked) AND s.kind = 'record' AND NOT s.sfid = ANY (kept) AND NOT s.sfid = ANY (row_sfids);
    updates := public.hc_merge_safely(c, m, 'update', update_ids, update_sfids);
    inserts := public.hc_merge_safely(c, m, 'insert', NULL, new_sfids);
    deletes := public.hc_merge_safely(c, m, 'delete', delete_ids, delete_sfids);
    kept := kept || updates.failed || inserts.failed || deletes.failed;
    DELETE FROM public.hc_staged s WHERE s.mapping = m.id AND s.sfid = ANY (picked) AND NOT s.sfid = ANY (kept);
    RETURN jsonb_build_object('inserted', inserts.written, 'updated', updates.written, 'deleted', deletes.written,
        'unchanged', coalesce(cardinality(update_sfids), 0) - updates.written - cardinality(updates.failed),
        'waiting', (SELECT count(*) FROM unnest(picked) p WHERE p = ANY (kept)),
        'more', EXISTS (SELECT FROM public.hc_staged s WHERE s.mapping = m.id AND (s.retry_at IS NULL OR s.retry_at <= now_there)));
END
$$;
COMMENT ON FUNCTION public.hc_merge_step(public.hc_connection, public.hc_mapping, integer) IS
    'Merges staged records of a mapping: first locks their rows, then looks, in new snapshots, at what forbids it (unsent changes, creates in doubt, our own newer writes), then writes.';

CREATE FUNCTION public.hc_merge(connection uuid, epoch bigint, mapping uuid, maximum integer DEFAULT 2000) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_merge.connection, hc_merge.epoch);
BEGIN
    RETURN public.hc_merge_step(c, public.hc_mapping_of(c.id, hc_merge.mapping), maximum);
END
$$;
COMMENT ON FUNCTION public.hc_merge(uuid, bigint, uuid, integer) IS 'One step of merging staged records; call again while "more".';
