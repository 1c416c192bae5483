-- States of log entries: ended entries go to the archive, REQUEUE captures a change again

CREATE FUNCTION public.hc_log_columns() RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'id, txid, created_at, updated_at, processed_at, processed_tx, state, action, table_name, record_id, sfid, old, "values", sf_result, sf_message'
$$;
COMMENT ON FUNCTION public.hc_log_columns() IS 'The columns of log and archive by name: adopted ones have them in any order.';

CREATE FUNCTION public.hc_archive(c public.hc_connection, log_ids bigint[]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moved integer;
BEGIN
    PERFORM public.hc_use_application_path();
    -- An archived entry that was copied back under its own id is replaced by what became of it now.
    EXECUTE format('WITH gone AS (DELETE FROM %1$s WHERE id = ANY ($1) RETURNING %3$s)
                    INSERT INTO %2$I._trigger_log_archive AS a (%3$s) SELECT %3$s FROM gone ON CONFLICT (id) DO UPDATE SET (%3$s) = ROW (%4$s)',
                   public.hc_log_table(c), c.schema_name, public.hc_log_columns(),
                   regexp_replace(public.hc_log_columns(), '("?\w+"?)', 'excluded.\1', 'g')) USING log_ids;
    GET DIAGNOSTICS moved = ROW_COUNT;
    RETURN moved;
END
$$;
COMMENT ON FUNCTION public.hc_archive(public.hc_connection, bigint[]) IS 'Moves log entries to the archive.';

CREATE FUNCTION public.hc_finish_entry(c public.hc_connection, log_id bigint, new_state text, message text, new_sfid text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF new_state <> 'SUCCESS' THEN   -- a success was sent or decided before
        PERFORM public.hc_adopt_final(c.id, format('log entry %s became %s', log_id, new_state));
    END IF;
    PERFORM public.hc_use_application_path();
    IF new_state = 'FAILED' THEN
        EXECUTE format('UPDATE %s SET state = $2, sf_message = $3, sfid = coalesce($4, sfid), sf_result = 1,
                               processed_at = clock_timestamp(), processed_tx = txid_current(), updated_at = clock_timestamp()
                         WHERE id = $1', public.hc_log_table(c)) USING log_id, new_state, message, new_sfid;
        RETURN;
    END IF;
    -- In one move, without a version of the entry in its final state in the log: indexes of the log keep dead entries as long as
    -- anybody holds a snapshot, and what looks for ended entries would have to pass them.
    EXECUTE format('WITH gone AS (DELETE FROM %1$s WHERE id = $1 RETURNING *), done AS (
                        SELECT id, txid, created_at, clock_timestamp() AS updated_at, clock_timestamp() AS processed_at, txid_current() AS processed_tx,
                               $2 AS state, action, table_name, record_id, coalesce($4, sfid) AS sfid, old, "values", 0 AS sf_result, $3 AS sf_message FROM gone)
                    INSERT INTO %2$I._trigger_log_archive (%3$s) SELECT %3$s FROM done ON CONFLICT (id) DO UPDATE SET (%3$s) = ROW (%4$s)',
                   public.hc_log_table(c), c.schema_name, public.hc_log_columns(),
                   regexp_replace(public.hc_log_columns(), '("?\w+"?)', 'excluded.\1', 'g')) USING log_id, new_state, message, new_sfid;
END
$$;
COMMENT ON FUNCTION public.hc_finish_entry(public.hc_connection, bigint, text, text, text) IS
    'Gives a log entry its final state. FAILED entries stay in sight in the log, the others go to the archive at once.';

CREATE FUNCTION public.hc_recapture(c public.hc_connection, place text, ids bigint[]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    captured integer;
BEGIN
    PERFORM public.hc_use_application_path();
    -- In the order of the old ids, and with new ones of the sequence: the change takes its place at the end of the queue.
    EXECUTE format('WITH old AS (SELECT * FROM %1$s WHERE id = ANY ($1) ORDER BY id FOR UPDATE),
                         numbered AS MATERIALIZED (SELECT old.*, nextval(%3$L::regclass) AS new_id FROM old),
                         fresh AS (INSERT INTO %2$s (id, txid, created_at, state, action, table_name, record_id, sfid, old, "values", sf_message)
                             SELECT new_id, txid_current(), clock_timestamp(), ''NEW'', action, table_name, record_id, sfid, old, "values",
                                    format(''captured again from entry %%s'', id) FROM numbered)
                    UPDATE %1$s o SET state = ''REQUEUED'', updated_at = clock_timestamp(),
                           sf_message = concat_ws(''; '', o.sf_message, format(''captured again as entry %%s'', n.new_id))
                      FROM numbered n WHERE o.id = n.id',
                   place, public.hc_log_table(c), public.hc_log_sequence(c)) USING ids;
    GET DIAGNOSTICS captured = ROW_COUNT;
    RETURN captured;
END
$$;
COMMENT ON FUNCTION public.hc_recapture(public.hc_connection, text, bigint[]) IS
    'Captures changes again as NEW and with new ids, and sets the entries given, of the log or of the archive, to REQUEUED.';

CREATE FUNCTION public.hc_in_flight(c public.hc_connection, log_id bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM public.hc_batch_entry e JOIN public.hc_batch b ON b.id = e.batch
                    WHERE e.log_id = hc_in_flight.log_id AND e.log_id > 0 AND NOT e.applied AND b.connection = c.id)
$$;
COMMENT ON FUNCTION public.hc_in_flight(public.hc_connection, bigint) IS
    'Whether the entry is in an open batch: then an edit of its state has its effect after the answer.';

CREATE FUNCTION public.hc_archive_edits(c public.hc_connection) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_stat_get_tuples_updated(format('%I._trigger_log_archive', c.schema_name)::regclass)
$$;
COMMENT ON FUNCTION public.hc_archive_edits(public.hc_connection) IS
    'How many rows of the archive were ever updated. The archive has no index by state, so it is searched for REQUEUE only when this number has changed.';

-- A copy with a new id would speak of the row that has the record's id now.
CREATE FUNCTION public.hc_requeue_gone(c public.hc_connection, place text, ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    log text := public.hc_log_table(c);
    gone bigint[];
BEGIN
    EXECUTE format('SELECT coalesce(array_agg(l.id), ''{}'') FROM %s l JOIN public.hc_mapping m ON m.connection = $1 AND m.table_name = l.table_name::name
                     WHERE l.id = ANY ($2) AND l.id <= public.hc_rows_since(m.id)', place) INTO gone USING c.id, ids;
    IF gone <> '{}' THEN
        IF place = log THEN
            EXECUTE format('UPDATE %s SET state = ''NEW'', sf_message = NULL, updated_at = clock_timestamp() WHERE id = ANY ($1)', log) USING gone;
        ELSE
            EXECUTE format('WITH back AS (DELETE FROM %s WHERE id = ANY ($1) RETURNING *)
                            INSERT INTO %s (id, txid, created_at, state, action, table_name, record_id, sfid, old, "values")
                            SELECT id, txid, created_at, ''NEW'', action, table_name, record_id, sfid, old, "values" FROM back', place, log) USING gone;
        END IF;
        PERFORM public.hc_low_water_lower(c, (SELECT min(i) FROM unnest(gone) i));
    END IF;
    RETURN ARRAY(SELECT i FROM unnest(ids) i WHERE NOT i = ANY (gone));
END
$$;
COMMENT ON FUNCTION public.hc_requeue_gone(public.hc_connection, text, bigint[]) IS
    'Sets entries of the log or of the archive that speak of rows that are gone to NEW under their own ids, and returns the others, which are captured again.';

CREATE FUNCTION public.hc_requeue(c public.hc_connection) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    log text := public.hc_log_table(c);
    archive text := format('%I._trigger_log_archive', c.schema_name);
    edits bigint := public.hc_archive_edits(c);
    ids bigint[];
    archived bigint[];
BEGIN
    EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %s l WHERE state = ''REQUEUE'' AND NOT public.hc_in_flight($1, l.id)
                       ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED) x', log) INTO ids USING c;
    IF edits IS DISTINCT FROM (c.settings ->> 'archive_edits')::bigint THEN
        EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %s WHERE state = ''REQUEUE'' ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED) x', archive) INTO archived;
        -- Only when nothing is left: what somebody is editing now changes the number once more.
        IF archived IS NULL THEN
            UPDATE public.hc_connection h SET settings = h.settings || jsonb_build_object('archive_edits', edits) WHERE h.id = c.id;
        END IF;
    END IF;
    PERFORM public.hc_recapture(c, log, public.hc_requeue_gone(c, log, ids)),
            public.hc_recapture(c, archive, public.hc_requeue_gone(c, archive, archived));
    RETURN coalesce(cardinality(ids), 0) + coalesce(cardinality(archived), 0);
END
$$;
COMMENT ON FUNCTION public.hc_requeue(public.hc_connection) IS
    'Captures again what a user set to REQUEUE, in the log and in the archive, at most a thousand entries of each.';
