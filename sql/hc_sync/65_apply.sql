-- Apply: what a stored answer does to log, mapped rows and archive, in steps that can be repeated

CREATE FUNCTION public.hc_error(action text, source text, code text, message text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('op', action, 'src', source, 'code', code, 'msg', message)::text
$$;
COMMENT ON FUNCTION public.hc_error(text, text, text, text) IS 'The JSON of _hc_err: op, src (PG or SFDC), code, msg.';

CREATE FUNCTION public.hc_write_status(c public.hc_connection, m public.hc_mapping, record_id bigint, lastop text, err text, new_sfid text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written record;
BEGIN
    IF m.id IS NULL OR record_id IS NULL THEN
        RETURN false;
    END IF;
    PERFORM public.hc_writes_rows();
    PERFORM public.hc_use_application_path();
    -- Twice at most: the status trigger turns a write that keeps _hc_lastop into SYNCED, and then the second one changes it.
    FOR attempt IN 1..2 LOOP
        EXECUTE format('UPDATE %I.%I SET _hc_lastop = $2, _hc_err = $3, sfid = coalesce($4, sfid) WHERE id = $1 RETURNING _hc_lastop AS lastop, _hc_err AS err',
                       c.schema_name, m.table_name) INTO written USING record_id, lastop, err, new_sfid;
        IF written IS NULL THEN
            RETURN false;
        END IF;
        EXIT WHEN written.lastop IS NOT DISTINCT FROM lastop AND written.err IS NOT DISTINCT FROM err;
    END LOOP;
    RETURN true;
END
$$;
COMMENT ON FUNCTION public.hc_write_status(public.hc_connection, public.hc_mapping, bigint, text, text, text) IS
    'Writes _hc_lastop and _hc_err (and a new sfid) of a mapped row, past the status trigger; false when there is no such row.';

CREATE FUNCTION public.hc_want_read_back(mapping uuid, sfid text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO public.hc_read_back (mapping, sfid) VALUES (hc_want_read_back.mapping, hc_want_read_back.sfid)
    ON CONFLICT (mapping, sfid) DO UPDATE SET token = nextval('public.hc_read_back_token'), due_at = NULL
$$;
COMMENT ON FUNCTION public.hc_want_read_back(uuid, text) IS 'Asks for the record to be read back, so that its row reaches SYNCED.';

CREATE FUNCTION public.hc_ignored_note(log_state text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN log_state OPERATOR(pg_catalog.=) ANY ('{IGNORE,IGNORED}'::text[]) THEN pg_catalog.format('set to %s when it had been sent already', log_state) END
$$;
COMMENT ON FUNCTION public.hc_ignored_note(text) IS 'What sf_message says of an entry that was set to IGNORE too late.';

CREATE FUNCTION public.hc_absorbed_note(survivor bigint, log_state text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat_ws('; ', format('sent as part of log entry %s', survivor), public.hc_ignored_note(log_state))
$$;
COMMENT ON FUNCTION public.hc_absorbed_note(bigint, text) IS 'What sf_message says of a change that another entry, the survivor, carried.';

CREATE FUNCTION public.hc_apply_entry(c public.hc_connection, m public.hc_mapping, b public.hc_batch, e public.hc_batch_entry,
                                      there boolean, log_state text, later boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    log text := public.hc_log_table(c);
    error jsonb := e.outcome -> 'errors' -> 0;
    accepted boolean := public.hc_is_accepted(b.operation, e.outcome);
    new_sfid text := coalesce(e.outcome ->> 'id', e.payload ->> 'id');
    note text := public.hc_outcome_note(m, b, e);
    message text;
BEGIN
    IF e.outcome ? 'release' THEN
        EXECUTE format('UPDATE %s SET state = ''NEW'', sf_message = $2, updated_at = clock_timestamp() WHERE id = $1 AND state = ''PENDING''', log)
            USING e.log_id, concat_ws(': ', 'waits for the mapping', error ->> 'message');
        PERFORM public.hc_low_water_lower(c, e.log_id);
        RETURN;
    END IF;
    IF accepted THEN
        DELETE FROM public.hc_staged s WHERE s.mapping = m.id AND s.sfid = new_sfid;   -- read before our write
        IF b.operation = 'delete' THEN
            INSERT INTO public.hc_tombstone (mapping, sfid, deleted_at) VALUES (m.id, new_sfid, public.hc_org_clock(c))
                ON CONFLICT (mapping, sfid) DO UPDATE SET deleted_at = excluded.deleted_at;
            DELETE FROM public.hc_read_back r WHERE r.mapping = m.id AND r.sfid = new_sfid;
        ELSE
            PERFORM public.hc_want_read_back(m.id, new_sfid);
        END IF;
        IF there THEN
            PERFORM public.hc_write_status(c, m, e.record_id,
                CASE WHEN later OR log_state IN ('NEW', 'REQUEUE') THEN 'PENDING' WHEN e.action = 'INSERT' THEN 'INSERTED' ELSE 'UPDATED' END, NULL, new_sfid);
        ELSIF e.action = 'INSERT' THEN
            -- The row was deleted before Salesforce's id was known, and that DELETE was logged as one with nothing to send.
            EXECUTE format('UPDATE %s SET state = ''NEW'', sfid = $3, sf_message = NULL, updated_at = clock_timestamp()
                             WHERE table_name = $1 AND record_id = $2 AND action = ''DELETE'' AND sfid IS NULL AND state IN (''IGNORE'', ''IGNORED'')
                               AND id > $4 AND id <= $5', log)
                USING m.table_name::text, e.record_id, new_sfid, e.log_id, (public.hc_generation_of(m.id, e.log_id)).upto;
            PERFORM public.hc_revive_delete(c, m, e.record_id, new_sfid, e.log_id);
        END IF;
        IF log_state = 'NEW' THEN
            PERFORM public.hc_low_water_lower(c, e.log_id);   -- set to NEW while it was on its way: it goes once more
        ELSIF log_state = 'REQUEUE' THEN
            PERFORM public.hc_requeue_answered(c, e.log_id, concat_ws('; ', 'SUCCESS', note), new_sfid);
        ELSIF log_state IS NOT NULL THEN
            PERFORM public.hc_finish_entry(c, e.log_id, 'SUCCESS', nullif(concat_ws('; ', note, public.hc_ignored_note(log_state)), ''), new_sfid);
        END IF;
        RETURN;
    END IF;

    message := concat_ws(': ', error ->> 'code', error ->> 'message')
        || coalesce(' (fields: ' || (SELECT string_agg(f, ', ') FROM jsonb_array_elements_text(
                CASE WHEN jsonb_typeof(error -> 'fields') = 'array' THEN error -> 'fields' ELSE '[]' END) f
                WHERE strpos(error ->> 'message', f) = 0) || ')', '');
    IF log_state IN ('IGNORE', 'IGNORED') THEN
        PERFORM public.hc_finish_entry(c, e.log_id, 'IGNORED', message);
    ELSIF log_state = 'NEW' THEN
        PERFORM public.hc_low_water_lower(c, e.log_id);
    ELSIF log_state = 'REQUEUE' THEN
        PERFORM public.hc_requeue_answered(c, e.log_id, message);
    ELSIF log_state IS NOT NULL THEN
        PERFORM public.hc_finish_entry(c, e.log_id, 'FAILED', message);
        PERFORM public.hc_raise(c.id, m.id, 'write-error', 'error', format('%s of %s row %s failed: %s', e.action, m.table_name, e.record_id, message),
                                jsonb_build_object('log_id', e.log_id, 'batch', b.id, 'request_id', b.request_id));
    END IF;
    IF there THEN
        PERFORM public.hc_write_status(c, m, e.record_id, 'FAILED', public.hc_error(e.action, 'SFDC', error ->> 'code', error ->> 'message'));
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_apply_entry(public.hc_connection, public.hc_mapping, public.hc_batch, public.hc_batch_entry, boolean, text, boolean) IS
    'Applies the outcome of one change to its row and its log entry, which the caller has locked: there says whether the row exists, log_state what the entry shows (null: gone), later whether the row has later changes that are not sent.';

CREATE FUNCTION public.hc_apply_absorbed(c public.hc_connection, e public.hc_batch_entry, survivor bigint, new_sfid text, log_state text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    note text := public.hc_absorbed_note(survivor, log_state);
BEGIN
    IF log_state = 'NEW' THEN
        PERFORM public.hc_low_water_lower(c, e.log_id);
    ELSIF log_state = 'REQUEUE' THEN
        PERFORM public.hc_requeue_answered(c, e.log_id, note, new_sfid);
    ELSIF log_state IS NOT NULL THEN
        PERFORM public.hc_finish_entry(c, e.log_id, 'MERGED', note, new_sfid);
        IF new_sfid IS NULL THEN   -- what carried it failed: nothing of it was accepted
            EXECUTE format('UPDATE %I._trigger_log_archive SET sf_result = 1 WHERE id = $1', c.schema_name) USING e.log_id;
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_apply_absorbed(public.hc_connection, public.hc_batch_entry, bigint, text, text) IS
    'Ends the entry of a change that another one of its batch carried, the survivor, which tells how it went; new_sfid is the record''s id if that one was accepted.';

CREATE FUNCTION public.hc_revive_delete(c public.hc_connection, m public.hc_mapping, deleted_record bigint, new_sfid text, inserted_by bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    archived bigint;
BEGIN
    EXECUTE format('WITH back AS (DELETE FROM %I._trigger_log_archive WHERE table_name = $1 AND record_id = $2 AND action = ''DELETE'' AND sfid IS NULL AND state = ''IGNORED''
                                     AND id > $3 AND id <= $4 RETURNING *)
                    INSERT INTO %s (id, txid, created_at, updated_at, state, action, table_name, record_id, sfid, old)
                    SELECT id, txid, created_at, clock_timestamp(), ''NEW'', action, table_name, record_id, $5, old FROM back RETURNING id', c.schema_name, public.hc_log_table(c))
        INTO archived USING m.table_name::text, deleted_record, inserted_by, (public.hc_generation_of(m.id, inserted_by)).upto, new_sfid;
    IF archived IS NOT NULL THEN
        PERFORM public.hc_low_water_lower(c, archived);
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_revive_delete(public.hc_connection, public.hc_mapping, bigint, text, bigint) IS
    'Brings the DELETE of a row without sfid back from the archive, now that its record turned out to exist.';

CREATE FUNCTION public.hc_later_changes(c public.hc_connection, m public.hc_mapping, records bigint[], entries bigint[]) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    latest bigint[];
    later bigint[];
BEGIN
    IF cardinality(records) = 0 THEN
        RETURN NULL;
    END IF;
    -- The log has no index by record. But a row that the transaction of its entry wrote last, and that is as that entry left it, has no
    -- later change; that spares most batches the look through the whole backlog.
    BEGIN
        EXECUTE format('SELECT array_agg(DISTINCT t.id) FROM %1$s g JOIN %2$I.%3$I t ON t.id = g.record_id
                         WHERE g.id = ANY ($1) AND t.id = ANY ($3) AND g.table_name = $2 AND t.xmin::text::bigint = g.txid & 4294967295
                           -- An UPDATE without old values names some columns only. Not by "=" and "-": taking away the columns that are
                           -- not captured takes twice as long as all else here, and the planner would hash the equality.
                           AND (g.action = ''INSERT'' OR g.old <> '''')
                           AND %4$I.hstore(t.*) OPERATOR(%4$I.@>)
                               ((coalesce(g.old, '''')::%4$I.hstore OPERATOR(%4$I.||) coalesce(g."values", '''')::%4$I.hstore) OPERATOR(%4$I.-) ''sfid''::text)',
                       public.hc_log_table(c), c.schema_name, m.table_name, public.hc_hstore_schema())
            INTO latest USING entries, m.table_name::text, records;
    EXCEPTION WHEN data_exception OR syntax_error OR internal_error THEN
        latest := NULL;   -- text that is no hstore, in an entry written by hand
    END;
    records := ARRAY(SELECT unnest(records) EXCEPT SELECT unnest(latest));
    IF cardinality(records) > 0 THEN
        -- From the low water on by primary key: the index by state and table keeps every entry that ever was NEW while anybody holds a snapshot.
        EXECUTE format('SELECT array_agg(DISTINCT g.record_id) FROM %s g WHERE g.id >= $4 AND g.table_name = $1 AND g.record_id = ANY ($2)
                           AND g.state || '''' IN (''NEW'', ''PENDING'') AND NOT EXISTS (SELECT FROM unnest($3) o(id) WHERE o.id = g.id)', public.hc_log_table(c))
            INTO later USING m.table_name::text, records, entries, c.low_water;
    END IF;
    RETURN later;
END
$$;
COMMENT ON FUNCTION public.hc_later_changes(public.hc_connection, public.hc_mapping, bigint[], bigint[]) IS
    'Which of the rows, which the caller has locked, have changes that are not sent besides the entries given.';

CREATE FUNCTION public.hc_requeue_answered(c public.hc_connection, log_id bigint, message text, new_sfid text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF public.hc_requeue_gone(c, public.hc_log_table(c), ARRAY[log_id]) = '{}' THEN
        RETURN;
    END IF;
    EXECUTE format('UPDATE %s SET sf_message = $2, sfid = coalesce($3, sfid), sf_result = CASE WHEN $2 LIKE ''SUCCESS%%'' THEN 0 ELSE 1 END,
                           processed_at = clock_timestamp(), processed_tx = txid_current() WHERE id = $1', public.hc_log_table(c))
        USING log_id, message, new_sfid;
    PERFORM public.hc_recapture(c, public.hc_log_table(c), ARRAY[log_id]), public.hc_archive(c, ARRAY[log_id]);
END
$$;
COMMENT ON FUNCTION public.hc_requeue_answered(public.hc_connection, bigint, text, text) IS
    'Ends an entry that was set to REQUEUE while it was on its way: its answer is noted, and it is captured again.';
