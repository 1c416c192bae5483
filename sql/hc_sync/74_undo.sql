-- Undo: what captured changes did is taken back by changes of the mapped rows, which are captured and sent like any other

CREATE TABLE public.hc_undone (
    connection uuid NOT NULL REFERENCES public.hc_connection ON DELETE CASCADE,
    log_id     bigint NOT NULL,
    undone_by  bigint NOT NULL,
    undone_at  timestamptz NOT NULL,
    PRIMARY KEY (connection, log_id)
);
CREATE INDEX hc_undone_by ON public.hc_undone (connection, undone_by);
COMMENT ON TABLE public.hc_undone IS 'Captured changes that were undone: not to be undone twice';
COMMENT ON COLUMN public.hc_undone.undone_by IS 'The log entry of the change that took it back';

CREATE FUNCTION public.hc_undo_entries(connection uuid, batch bigint DEFAULT NULL, table_name text DEFAULT NULL, record_id bigint DEFAULT NULL,
                                       sfid text DEFAULT NULL, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection;
    found_ids bigint[];
BEGIN
    SELECT h.* INTO c FROM public.hc_connection h WHERE h.id = hc_undo_entries.connection;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'connection % does not exist', hc_undo_entries.connection USING ERRCODE = 'HC002';
    ELSIF num_nonnulls(batch, record_id, hc_undo_entries.sfid, since) = 0 THEN
        RAISE EXCEPTION 'it is not said what to undo' USING ERRCODE = '22023', HINT = 'Name a batch, a record of a table, or the time since when.';
    ELSIF record_id IS NOT NULL AND hc_undo_entries.table_name IS NULL THEN
        RAISE EXCEPTION 'record_id % needs the name of its table', record_id USING ERRCODE = '22023';
    END IF;
    -- Not what was undone, nor what an undo did, unless it is named by its batch or record.
    EXECUTE format('SELECT coalesce(array_agg(x.id ORDER BY x.id DESC), ''{}'')
                      FROM (SELECT id::bigint, created_at, table_name, record_id::bigint, sfid FROM %1$I._trigger_log WHERE action IN (''INSERT'', ''UPDATE'', ''DELETE'')
                            UNION ALL
                            SELECT id::bigint, created_at, table_name, record_id::bigint, sfid FROM %1$I._trigger_log_archive WHERE action IN (''INSERT'', ''UPDATE'', ''DELETE'')) x
                     WHERE ($2 IS NULL OR x.id IN (SELECT e.log_id FROM public.hc_batch_entry e JOIN public.hc_batch b ON b.id = e.batch WHERE b.id = $2 AND b.connection = $1))
                       AND ($3 IS NULL OR x.table_name = $3) AND ($4 IS NULL OR x.record_id = $4)
                       AND ($5 IS NULL OR left(x.sfid, 15) = left($5, 15)
                            OR (x.table_name, x.record_id) IN (SELECT y.table_name, y.record_id FROM %1$I._trigger_log_archive y WHERE left(y.sfid, 15) = left($5, 15)))
                       AND ($6 IS NULL OR x.created_at >= $6) AND ($7 IS NULL OR x.created_at < $7)
                       AND NOT EXISTS (SELECT FROM public.hc_undone u WHERE u.connection = $1 AND (u.log_id = x.id OR u.undone_by = x.id))', c.schema_name)
        INTO found_ids USING c.id, batch, hc_undo_entries.table_name, record_id, hc_undo_entries.sfid, since, until;
    IF found_ids = '{}' AND batch IS NOT NULL AND NOT EXISTS (SELECT FROM public.hc_batch b WHERE b.id = hc_undo_entries.batch AND b.connection = c.id) THEN
        RAISE EXCEPTION 'batch % is not known', batch USING ERRCODE = 'HC002', HINT = 'Batches are kept for a day after their answer. Name the record or the time.';
    END IF;
    RETURN found_ids;
END
$$;
COMMENT ON FUNCTION public.hc_undo_entries(uuid, bigint, text, bigint, text, timestamptz, timestamptz) IS
    'The log entries, of log and archive, newest first, of a batch, of a record (by table and id, or by its Salesforce id), or captured in a span of time; those that were undone or come of an undo are left out.';

CREATE FUNCTION public.hc_undo_refusal(c public.hc_connection, m public.hc_mapping, entry jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state text := entry ->> 'state';
    action text := entry ->> 'action';
BEGIN
    RETURN CASE
        WHEN m.id IS NULL THEN 'no mapping has this table'
        WHEN m.access <> 'read_write' THEN 'the mapping is read_only: nothing of it is sent'
        WHEN (entry ->> 'id')::bigint <= public.hc_rows_since(m.id) THEN 'the rows of that time are gone: the table was truncated or made anew'
        WHEN entry ->> 'record_id' IS NULL THEN 'the entry names no row'
        WHEN action IN ('UPDATE', 'DELETE') AND entry ->> 'old' IS NULL THEN 'the entry has no old values: it was not captured from a row'
        WHEN action = 'INSERT' AND (state IN ('NEW', 'PENDING') OR public.hc_in_flight(c, (entry ->> 'id')::bigint))
            THEN 'Salesforce has not answered it yet: wait for that, or set its state to IGNORE'
        WHEN action = 'DELETE' AND coalesce(entry ->> 'sfid', '') = '' THEN 'the row had no sfid: Salesforce has no record to undelete'
        WHEN action = 'DELETE' AND state NOT IN ('SUCCESS', 'MERGED') THEN format('Salesforce has not accepted it (its state is %s): there is nothing to undelete', coalesce(state, 'null'))
        WHEN action = 'DELETE' AND m.description ->> 'undeletable' = 'false' THEN format('Salesforce cannot undelete records of %s', m.object_name)
    END;
END
$$;
COMMENT ON FUNCTION public.hc_undo_refusal(public.hc_connection, public.hc_mapping, jsonb) IS 'Why a captured change cannot be undone at all; null if it may be.';

CREATE FUNCTION public.hc_undo_entry(c public.hc_connection, m public.hc_mapping, entry jsonb, others bigint[],
                                     OUT effect text, OUT columns text[], OUT reason text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    target text;
    hstore text := public.hc_hstore_schema();
    names text[];      -- columns that the change wrote and the table still has
    held text[];       -- those that hold something else now
    later bigint;
    is_there boolean;
BEGIN
    effect := 'refused';
    reason := public.hc_undo_refusal(c, m, entry);
    IF reason IS NOT NULL THEN
        RETURN;
    END IF;
    target := format('%I.%I', c.schema_name, m.table_name);
    EXECUTE format('SELECT count(*) > 0 FROM %s WHERE id = $1', target) INTO is_there USING (entry ->> 'record_id')::bigint;
    CASE entry ->> 'action'
        WHEN 'UPDATE' THEN
            SELECT array_agg(a.attname::text ORDER BY a.attnum) INTO names FROM public.hc_pairs(entry ->> 'values') v
                JOIN pg_attribute a ON a.attrelid = target::regclass AND a.attname = v.key AND NOT a.attisdropped AND a.attgenerated = ''
                WHERE v.key NOT IN ('id', 'sfid');
            IF names IS NULL THEN
                effect := 'nothing';
                reason := 'the change wrote no column';
                RETURN;
            ELSIF NOT is_there THEN
                effect := 'conflict';
                reason := 'the row is gone';
                RETURN;
            END IF;
            EXECUTE format('SELECT ARRAY(SELECT x.name FROM (VALUES %1$s) AS x(name, differs) WHERE x.differs)
                              FROM %2$s t, %3$I.populate_record(NULL::%2$s, $1::%3$I.hstore) w WHERE t.id = $2',
                           (SELECT string_agg(format('(%1$L, t.%1$I IS DISTINCT FROM w.%1$I)', n), ', ') FROM unnest(names) n), target, hstore)
                INTO held USING entry ->> 'values', (entry ->> 'record_id')::bigint;
            columns := ARRAY(SELECT n FROM unnest(names) WITH ORDINALITY AS x(n, o) WHERE NOT n = ANY (held) ORDER BY o);
            IF columns <> '{}' THEN
                EXECUTE format('UPDATE %1$s t SET %2$s FROM %3$I.populate_record(NULL::%1$s, $1::%3$I.hstore) w WHERE t.id = $2',
                               target, (SELECT string_agg(format('%1$I = w.%1$I', n), ', ') FROM unnest(columns) n), hstore)
                    USING entry ->> 'old', (entry ->> 'record_id')::bigint;
            END IF;
            effect := CASE WHEN held = '{}' THEN 'update' ELSE 'conflict' END;
            reason := CASE WHEN held <> '{}' THEN 'changed since: ' || array_to_string(held, ', ') END;
        WHEN 'INSERT' THEN
            IF NOT is_there THEN
                effect := 'nothing';
                reason := 'the row is gone already';
                RETURN;
            END IF;
            EXECUTE format('SELECT max(x.id) FROM (
                                SELECT id::bigint FROM %1$I._trigger_log WHERE table_name = $1 AND record_id = $2 AND id > $3 AND action = ''UPDATE''
                                UNION ALL SELECT id::bigint FROM %1$I._trigger_log_archive WHERE table_name = $1 AND record_id = $2 AND id > $3 AND action = ''UPDATE'' AND state <> ''IGNORED'') x
                             WHERE NOT x.id = ANY ($4) AND NOT EXISTS (SELECT FROM public.hc_undone u WHERE u.connection = $5 AND (u.log_id = x.id OR u.undone_by = x.id))', c.schema_name)
                INTO later USING m.table_name::text, (entry ->> 'record_id')::bigint, (entry ->> 'id')::bigint, others, c.id;
            IF later IS NOT NULL THEN
                effect := 'conflict';
                reason := format('changed since, by entry %s', later);
                RETURN;
            END IF;
            EXECUTE format('DELETE FROM %s WHERE id = $1', target) USING (entry ->> 'record_id')::bigint;
            effect := 'delete';
        WHEN 'DELETE' THEN
            IF NOT is_there THEN
                EXECUTE format('SELECT count(*) > 0 FROM %s WHERE sfid = $1', target) INTO is_there USING entry ->> 'sfid';
            END IF;
            IF is_there THEN
                effect := 'conflict';
                reason := 'a row with its id or sfid is there';
                RETURN;
            END IF;
            SELECT array_agg(a.attname::text ORDER BY a.attnum) INTO names FROM public.hc_pairs(entry ->> 'old') v
                JOIN pg_attribute a ON a.attrelid = target::regclass AND a.attname = v.key AND NOT a.attisdropped AND a.attgenerated = '';
            EXECUTE format('INSERT INTO %1$s (%2$s) SELECT %2$s FROM %3$I.populate_record(NULL::%1$s, $1::%3$I.hstore) w',
                           target, (SELECT string_agg(quote_ident(n), ', ') FROM unnest(names) n), hstore) USING entry ->> 'old';
            effect := 'undelete';
    END CASE;
END
$$;
COMMENT ON FUNCTION public.hc_undo_entry(public.hc_connection, public.hc_mapping, jsonb, bigint[]) IS
    'Takes one captured change back in its row. effect: update, delete, undelete, nothing, conflict (of an UPDATE the columns that nobody changed since were put back), refused.';

CREATE FUNCTION public.hc_undelete(c public.hc_connection, m public.hc_mapping, log_ids bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b bigint;
    part bigint[];
BEGIN
    -- The INSERT of a row that is back is no create: it travels in a batch of its own kind, made here.
    FOR part IN SELECT array_agg(x.id ORDER BY x.n) FROM unnest(log_ids) WITH ORDINALITY AS x(id, n) GROUP BY (x.n - 1) / 200 ORDER BY (x.n - 1) / 200 LOOP
        INSERT INTO public.hc_batch (connection, mapping, epoch, operation, object_name, state, attempt, claimed_at)
            VALUES (c.id, m.id, c.epoch, 'undelete', m.object_name, 'REPEAT', 1, public.hc_clock(c.id)) RETURNING id INTO b;
        EXECUTE format('INSERT INTO public.hc_batch_entry (batch, position, mapping, log_id, record_id, action, sfid, payload)
                            SELECT $1, row_number() OVER (ORDER BY l.id) - 1, $2, l.id, l.record_id, l.action, t.sfid,
                                   jsonb_build_object(''id'', t.sfid, ''fields'', ''{}''::jsonb, ''nulls'', ''[]''::jsonb, ''parents'', ''[]''::jsonb, ''dropped'', ''[]''::jsonb)
                              FROM %1$s l JOIN %2$I.%3$I t ON t.id = l.record_id WHERE l.id = ANY ($3)', public.hc_log_table(c), c.schema_name, m.table_name)
            USING b, m.id, part;
        EXECUTE format('UPDATE %s SET state = ''PENDING'', updated_at = clock_timestamp() WHERE id = ANY ($1)', public.hc_log_table(c)) USING part;
    END LOOP;
    DELETE FROM public.hc_tombstone d USING public.hc_batch_entry e WHERE d.mapping = m.id AND e.mapping = m.id AND e.log_id = ANY (log_ids) AND d.sfid = e.sfid;
END
$$;
COMMENT ON FUNCTION public.hc_undelete(public.hc_connection, public.hc_mapping, bigint[]) IS
    'Puts the captured INSERTs of rows whose records Salesforce has in its recycle bin into batches that undelete them.';

CREATE FUNCTION public.hc_undo(connection uuid, entries bigint[], execute boolean DEFAULT false, skip_conflicts boolean DEFAULT false)
    RETURNS TABLE (log_id bigint, captured_at timestamptz, action text, table_name text, record_id bigint, sfid text,
                   effect text, columns text[], reason text, undone_by bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    c public.hc_connection;
    m public.hc_mapping;
    entry jsonb;
    done record;
    made bigint;
    before bigint;
    outcome jsonb := '[]';
    undeletes bigint[];
    is_stopped boolean := false;
BEGIN
    SELECT h.* INTO c FROM public.hc_connection h WHERE h.id = hc_undo.connection;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'connection % does not exist', hc_undo.connection USING ERRCODE = 'HC002';
    END IF;
    PERFORM set_config('xmlbinary', 'base64', true), set_config('datestyle', 'ISO, MDY', true), set_config('lock_timeout', '10s', true);
    PERFORM public.hc_use_application_path();
    before := public.hc_last_entry(c.schema_name);
    BEGIN
        FOR m IN SELECT h.* FROM public.hc_mapping h WHERE h.connection = c.id AND h.access = 'read_write' ORDER BY h.table_name LOOP
            -- Rows in the order of their ids, as every statement of ours that writes several.
            EXECUTE format('SELECT 1 FROM %1$I.%2$I t WHERE t.id IN (SELECT l.record_id FROM %1$I._trigger_log l WHERE l.id = ANY ($1) AND l.table_name = $2
                                UNION ALL SELECT a.record_id FROM %1$I._trigger_log_archive a WHERE a.id = ANY ($1) AND a.table_name = $2) ORDER BY t.id FOR UPDATE',
                           c.schema_name, m.table_name) USING entries, m.table_name::text;
        END LOOP;
        FOR entry IN EXECUTE format('SELECT to_jsonb(x) FROM (
                            SELECT id::bigint, created_at, state, action, table_name, record_id::bigint, sfid, old::text, "values"::text FROM %1$I._trigger_log WHERE id = ANY ($1)
                            UNION ALL
                            SELECT id::bigint, created_at, state, action, table_name, record_id::bigint, sfid, old::text, "values"::text FROM %1$I._trigger_log_archive WHERE id = ANY ($1)) x
                         ORDER BY x.id DESC', c.schema_name) USING entries LOOP
            m := NULL;
            SELECT h.* INTO m FROM public.hc_mapping h WHERE h.connection = c.id AND h.table_name = (entry ->> 'table_name')::name;
            SELECT * INTO done FROM public.hc_undo_entry(c, m, entry, entries);
            made := NULL;
            IF done.effect IN ('update', 'delete', 'undelete') OR done.columns <> '{}' THEN
                EXECUTE format('SELECT max(id) FROM %s WHERE table_name = $1 AND record_id = $2 AND txid = txid_current() AND id > $3', public.hc_log_table(c))
                    INTO made USING entry ->> 'table_name', (entry ->> 'record_id')::bigint, before;
                INSERT INTO public.hc_undone (connection, log_id, undone_by, undone_at) SELECT c.id, (entry ->> 'id')::bigint, made, public.hc_clock(c.id) WHERE made IS NOT NULL
                    ON CONFLICT DO NOTHING;
            END IF;
            outcome := outcome || jsonb_build_object('log_id', entry -> 'id', 'captured_at', entry -> 'created_at', 'action', entry -> 'action', 'table_name', entry -> 'table_name',
                'record_id', entry -> 'record_id', 'sfid', entry -> 'sfid', 'effect', done.effect, 'columns', done.columns, 'reason', done.reason, 'undone_by', made);
            is_stopped := is_stopped OR done.effect IN ('conflict', 'refused') AND NOT skip_conflicts;
        END LOOP;
        FOR m IN SELECT h.* FROM public.hc_mapping h WHERE h.connection = c.id ORDER BY h.table_name LOOP
            SELECT array_agg((o.value ->> 'undone_by')::bigint ORDER BY (o.value ->> 'undone_by')::bigint) INTO undeletes FROM jsonb_array_elements(outcome) o
                WHERE o.value ->> 'effect' = 'undelete' AND o.value ->> 'table_name' = m.table_name::text AND o.value ->> 'undone_by' IS NOT NULL;
            IF undeletes IS NOT NULL THEN
                PERFORM public.hc_undelete(c, m, undeletes);
            END IF;
        END LOOP;
        IF is_stopped OR NOT execute THEN
            RAISE EXCEPTION 'nothing of it stays' USING ERRCODE = 'HC005';
        END IF;
        PERFORM public.hc_wake(c.id);
    EXCEPTION WHEN SQLSTATE 'HC005' THEN
        -- A preview, or an undo that is stopped, has done all of it and leaves nothing: what it shows is what would happen.
        outcome := (SELECT coalesce(jsonb_agg(o.value || '{"undone_by": null}'), '[]') FROM jsonb_array_elements(outcome) o);
    END;
    RETURN QUERY SELECT o.log_id, o.captured_at, o.action, o.table_name, o.record_id, o.sfid, o.effect, o.columns, o.reason, o.undone_by
        FROM jsonb_to_recordset(outcome) AS o(log_id bigint, captured_at timestamptz, action text, table_name text, record_id bigint, sfid text,
                                              effect text, columns text[], reason text, undone_by bigint);
END
$$;
COMMENT ON FUNCTION public.hc_undo(uuid, bigint[], boolean, boolean) IS
    'Undoes captured changes, newest first, by changes of their rows that are captured and sent. Shows what it would do, and does it only if told to execute; any refusal or conflict then stops all of it, unless conflicts are skipped. undone_by: the new log entry.';
