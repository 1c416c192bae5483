-- The batch: entries that travel in one request, as the relay gets them

CREATE FUNCTION public.hc_batch_request(b public.hc_batch) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
    -- A job's rows go by COPY (hc_bulk_copy).
    SELECT jsonb_build_object('batch', b.id, 'mapping', b.mapping, 'operation', b.operation, 'object', b.object_name,
               'external_id_field', b.external_id_field, 'attempt', b.attempt,
               'options', (SELECT public.hc_write_options(c, m, b.operation) FROM public.hc_connection c, public.hc_mapping m WHERE c.id = b.connection AND m.id = b.mapping),
               'records', CASE b.api WHEN 'single' THEN (SELECT jsonb_agg(e.payload - '{operation,identifier,dropped,notes}'::text[]
                                            || jsonb_build_object('log_id', e.log_id, 'record_id', e.record_id) ORDER BY e.position)
                             FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied AND e.merged_into IS NULL) ELSE '[]' END)
$$;
COMMENT ON FUNCTION public.hc_batch_request(public.hc_batch) IS
    'The request that the relay sends for the batch: the entries whose outcome is not known yet, in order.';

CREATE FUNCTION public.hc_log_is_a_copy(c public.hc_connection) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_a_copy boolean := EXISTS (SELECT FROM pg_subscription_rel r WHERE r.srrelid = public.hc_log_table(c)::regclass);
BEGIN
    IF is_a_copy AND NOT EXISTS (SELECT FROM public.hc_notification n WHERE n.connection = c.id AND n.event_type = 'log-is-a-copy' AND n.acknowledged_at IS NULL) THEN
        PERFORM public.hc_raise(c.id, NULL, 'log-is-a-copy', 'error',
            format('A subscription fills the trigger log of schema %I: its changes are sent by the relay of the database that publishes it. Nothing is sent from here; drop the subscription, or take the log out of it, to send from here.', c.schema_name));
    END IF;
    RETURN is_a_copy;
END
$$;
COMMENT ON FUNCTION public.hc_log_is_a_copy(public.hc_connection) IS
    'Whether a logical subscription fills the connection''s log: then its entries are another database''s to send; says so once.';

CREATE FUNCTION public.hc_named_parents(c public.hc_connection, entries bigint[]) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    names text[];
BEGIN
    IF entries = '{}' THEN
        RETURN '{}';
    END IF;
    -- The parents that they name, and those that they leave.
    EXECUTE format('SELECT array_agg(DISTINCT CASE WHEN f.relationship_field IS NULL THEN left(p.value, 15) ELSE f.relationship_object || ''.'' || f.relationship_field || '' '' || lower(p.value) END)
                      FROM %s g JOIN public.hc_mapping h ON h.connection = $1 AND h.table_name = g.table_name::name
                      JOIN public.hc_field f ON f.mapping = h.id AND (f.relationship_field IS NOT NULL OR f.salesforce_type = ''reference''),
                           LATERAL (SELECT v.key, v.value FROM public.hc_pairs(coalesce(g."values", '''')) v
                                    UNION ALL SELECT o.key, o.value FROM public.hc_pairs(coalesce(g.old, '''')) o
                                     WHERE g.action = ''DELETE'' OR o.key IN (SELECT k.key FROM public.hc_pairs(coalesce(g."values", '''')) k)) p
                     WHERE g.id = ANY ($2) AND p.key = f.column_name AND p.value <> ''''', public.hc_log_table(c)) INTO names USING c.id, entries;
    RETURN coalesce(names, '{}');
EXCEPTION WHEN data_exception OR syntax_error OR internal_error THEN   -- text that is no hstore, in an entry written by hand
    RETURN '{}';
END
$$;
COMMENT ON FUNCTION public.hc_named_parents(public.hc_connection, bigint[]) IS
    'The parents that log entries name or leave: the 15 characters of an id that differ, or object, field and identifier.';

CREATE FUNCTION public.hc_parent_names(c public.hc_connection, m public.hc_mapping, entry bigint, sfid text) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    names text[];
BEGIN
    EXECUTE format('SELECT array_agg(DISTINCT $2.object_name || ''.'' || r.relationship_field || '' '' || lower(o.value))
                      FROM %s g, public.hc_pairs(coalesce(g.old, '''')) o
                      JOIN public.hc_field f ON f.mapping = $2.id AND f.column_name = o.key
                      JOIN public.hc_field r ON r.relationship_object = $2.object_name AND r.relationship_field = f.field_name
                      JOIN public.hc_mapping h ON h.id = r.mapping AND h.connection = $3
                     WHERE g.id = $1 AND o.value <> ''''', public.hc_log_table(c)) INTO names USING entry, m, c.id;
    RETURN coalesce(names, '{}') || left(sfid, 15);
EXCEPTION WHEN data_exception OR syntax_error OR internal_error THEN
    RETURN ARRAY[left(sfid, 15)];
END
$$;
COMMENT ON FUNCTION public.hc_parent_names(public.hc_connection, public.hc_mapping, bigint, text) IS
    'By what names others may name the record that a DELETE ends, in the words of hc_named_parents.';

CREATE FUNCTION public.hc_claim(connection uuid, epoch bigint, maximum integer DEFAULT 200) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_claim.connection, hc_claim.epoch);
    now_there timestamptz := public.hc_clock(c.id);
    log text := public.hc_log_table(c);
    m public.hc_mapping;
    since bigint;                -- entries of m up to this id speak of rows that are gone
    gone jsonb;                  -- table -> that id
    bulk jsonb;
    b public.hc_batch;
    l record;
    entry jsonb;
    locked boolean;
    record_key text;
    locked_tables text[] := '{}';
    blocked text[] := '{}';      -- records whose later changes must wait
    passed bigint[] := '{}';     -- entries that were passed over, and the records that they name as parents: no DELETE of these overtakes them
    named text[] := '{}';
    taken text[] := '{}';        -- records, and identifiers, already in this batch
    chosen jsonb[] := '{}';
    chosen_ids bigint[] := '{}';
    final_below bigint;          -- ids below it are in sight or will never be
    first_waiting bigint;
    closed uuid[] := public.hc_quota_closed(c, 'write');   -- mappings that may not be called for now
    failed_inserts jsonb;        -- record -> its FAILED INSERT, for all records at once: the log has no index by record
BEGIN
    IF c.state = 'PAUSED' OR public.hc_is_held(c.sending_held, now_there) THEN
        RETURN NULL;
    END IF;
    IF public.hc_log_is_a_copy(c) THEN
        RETURN NULL;
    END IF;
    SELECT x.* INTO b FROM public.hc_batch x
        WHERE x.connection = c.id AND x.state = 'REPEAT' AND (x.due_at IS NULL OR x.due_at <= now_there) AND NOT x.mapping = ANY (closed) ORDER BY x.due_at NULLS FIRST, x.id LIMIT 1;
    IF FOUND THEN
        UPDATE public.hc_batch x SET state = 'CLAIMED', epoch = c.epoch, claimed_at = now_there, attempt = x.attempt + 1, due_at = NULL
            WHERE x.id = b.id RETURNING x.* INTO b;
        RETURN public.hc_batch_request(b);
    END IF;
    -- The whole log at least every two minutes; else from the id below which nothing can be waiting.
    IF c.full_look_at IS NULL OR c.full_look_at <= now_there - interval '2 minutes' THEN
        c.low_water := public.hc_full_look(c, now_there);
        PERFORM public.hc_generation_look(c, h, false) FROM public.hc_mapping h WHERE h.connection = c.id;
    ELSE
        final_below := public.hc_final_below(c);   -- before the log is read
    END IF;

    EXECUTE format('SELECT coalesce(jsonb_object_agg(x.table_name || '' '' || x.record_id, x.id), ''{}'') FROM (
                        SELECT table_name, record_id, min(id) AS id FROM %s WHERE state = ''FAILED'' AND action = ''INSERT''
                           AND table_name IS NOT NULL AND record_id IS NOT NULL GROUP BY 1, 2) x', log) INTO failed_inserts;
    IF public.hc_write_algorithm(c) = 'ordered' THEN
        bulk := public.hc_bulk_ordered(c, now_there, failed_inserts);
        IF bulk IS NOT NULL THEN
            RETURN bulk;
        END IF;
    END IF;
    SELECT coalesce(jsonb_object_agg(h.table_name, public.hc_rows_since(h.id)), '{}') INTO gone FROM public.hc_mapping h WHERE h.connection = c.id;
    -- Ids as bigint whatever the log has, because plans are kept and hc_bigint may change the log.
    FOR l IN EXECUTE format('SELECT g.id::bigint AS id, action, table_name, record_id::bigint AS record_id, sfid, "values", sf_message,
                                     processed_at IS NOT NULL OR sf_message LIKE ''captured again %%'' AS again FROM %s g
                              WHERE state = ''NEW'' AND g.id >= $1 AND (table_name = ANY ($2)) IS NOT TRUE ORDER BY g.id LIMIT 50000', log)
            -- Adopted and not described yet: nobody could say what may be sent. Or stopped.
            USING c.low_water, ARRAY(SELECT h.table_name::text FROM public.hc_mapping h
                                      WHERE h.connection = c.id AND (h.description IS NULL OR h.id = ANY (closed) OR public.hc_is_held(h.sending_held, now_there))) LOOP
        first_waiting := coalesce(first_waiting, l.id);
        CONTINUE WHEN l.table_name = ANY (locked_tables);
        record_key := l.table_name || ' ' || coalesce(l.record_id::text, l.sfid) || CASE WHEN l.id <= (gone ->> l.table_name)::bigint THEN ' gone' ELSE '' END;
        IF record_key = ANY (blocked) THEN
            passed := passed || l.id;
            CONTINUE;
        END IF;
        EXIT WHEN record_key = ANY (taken);
        IF m.id IS NULL OR m.table_name IS DISTINCT FROM l.table_name::name THEN
            EXIT WHEN cardinality(chosen) > 0;
            m := NULL;
            SELECT * INTO m FROM public.hc_mapping h WHERE h.connection = c.id AND h.table_name = l.table_name::name;
            since := CASE WHEN m.id IS NULL THEN 0 ELSE public.hc_generation_try(c, m) END;
        END IF;
        IF since IS NULL THEN
            locked_tables := locked_tables || l.table_name::text;
            m := NULL;
            CONTINUE;
        END IF;
        IF EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.mapping = m.id AND e.record_id = l.record_id AND NOT e.applied
                      AND (e.log_id <= since) = (l.id <= since)) THEN
            blocked := blocked || record_key;   -- in flight or in doubt
            passed := passed || l.id;
            CONTINUE;
        END IF;
        EXECUTE format('SELECT true FROM %s WHERE id = $1 AND state = ''NEW'' FOR UPDATE SKIP LOCKED', log) INTO locked USING l.id;
        IF locked IS NOT TRUE THEN
            blocked := blocked || record_key;   -- somebody is editing the entry: what comes after it for the record must not overtake it
            passed := passed || l.id;
            CONTINUE;
        END IF;
        IF l.again THEN
            l."values" := public.hc_supersede(c, m, l.id);
            EXECUTE format('SELECT g.sf_message FROM %s g WHERE g.id = $1', log) INTO l.sf_message USING l.id;
        END IF;
        entry := public.hc_claim_entry(c, m, l.id, l.action, l.record_id, l.sfid, l."values", failed_inserts);
        IF entry ? 'held' THEN
            -- A trigger of the user that sorts before ours writes its UPDATE into the log before the INSERT of the row: what waits for
            -- an entry of its own record that comes later must let it pass.
            IF NOT (entry ? 'own' AND (entry ->> 'held')::bigint > l.id) THEN
                blocked := blocked || record_key;
            END IF;
            passed := passed || l.id;
            IF l.sf_message IS DISTINCT FROM format('waits for log entry %s', entry ->> 'held') THEN
                EXECUTE format('UPDATE %s SET sf_message = $2, updated_at = clock_timestamp() WHERE id = $1', log)
                    USING l.id, format('waits for log entry %s', entry ->> 'held');
            END IF;
            CONTINUE;
        ELSIF entry ? 'failed' THEN
            PERFORM public.hc_finish_entry(c, l.id, 'FAILED', (entry ->> 'failed') || ': ' || (entry ->> 'message'));
            PERFORM public.hc_write_status(c, m, l.record_id, 'FAILED', public.hc_error(l.action, 'PG', entry ->> 'failed', entry ->> 'message')) WHERE l.id > since;
            CONTINUE;
        ELSIF entry ? 'nothing' THEN
            PERFORM public.hc_finish_entry(c, l.id, 'IGNORED', coalesce(CASE WHEN l.sf_message LIKE 'not sent, because newer%' THEN l.sf_message END, 'no field of this change can be written by the connected user: '
                || (SELECT string_agg(d, ', ') FROM jsonb_array_elements_text(entry -> 'dropped') d), 'the change names no field'));
            PERFORM public.hc_want_read_back(m.id, entry ->> 'sfid');
            CONTINUE;
        END IF;
        IF l.action = 'DELETE' AND cardinality(passed) + cardinality(named) > 0 THEN
            named := named || public.hc_named_parents(c, passed);
            passed := '{}';
            IF named && public.hc_parent_names(c, m, l.id, entry ->> 'id') THEN
                blocked := blocked || record_key;
                passed := passed || l.id;
                CONTINUE;
            END IF;
        END IF;
        EXIT WHEN cardinality(chosen) > 0 AND entry ->> 'operation' <> chosen[1] ->> 'operation';
        EXIT WHEN entry ->> 'identifier' IS NOT NULL AND 'id ' || (entry ->> 'identifier') = ANY (taken);
        -- A parent and its child of one object, whose rows may both be gone already: levels are separate requests.
        EXIT WHEN EXISTS (SELECT FROM jsonb_array_elements(entry -> 'parents') p
                           WHERE p ->> 'object' = m.object_name AND 'id ' || lower(p ->> 'value') = ANY (taken));
        EXIT WHEN 'sfid ' || (entry ->> 'id') = ANY (taken);   -- of two rows that had the same record, one after the other
        IF l.sf_message LIKE 'not sent, because newer%' THEN
            entry := entry || jsonb_build_object('notes', jsonb_build_array(l.sf_message));
        END IF;
        chosen := chosen || (entry || jsonb_build_object('log_id', l.id, 'record_id', l.record_id, 'action', l.action));
        chosen_ids := chosen_ids || l.id::bigint;
        taken := taken || record_key;
        IF entry ->> 'identifier' IS NOT NULL THEN
            taken := taken || ('id ' || (entry ->> 'identifier'));
        END IF;
        IF entry ->> 'id' IS NOT NULL THEN
            taken := taken || ('sfid ' || (entry ->> 'id'));
        END IF;
        EXIT WHEN cardinality(chosen) >= maximum;
    END LOOP;
    PERFORM public.hc_low_water_raise(c, final_below, first_waiting);
    IF cardinality(chosen) = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE public.hc_connection h SET state = 'POLLING_DB_CHANGES' WHERE h.id = c.id AND h.state = 'IDLE';

    INSERT INTO public.hc_batch (connection, mapping, epoch, operation, object_name, external_id_field, claimed_at)
        VALUES (c.id, m.id, c.epoch, chosen[1] ->> 'operation', m.object_name,
                CASE WHEN chosen[1] ->> 'operation' = 'upsert' THEN m.upsert_field END, now_there)
        RETURNING * INTO b;
    INSERT INTO public.hc_batch_entry (batch, position, mapping, log_id, record_id, action, sfid, payload)
        SELECT b.id, x.n - 1, m.id, (x.e ->> 'log_id')::bigint, (x.e ->> 'record_id')::bigint, x.e ->> 'action', x.e ->> 'id',
               x.e - 'log_id' - 'record_id' - 'action'
          FROM unnest(chosen) WITH ORDINALITY AS x(e, n);
    PERFORM public.hc_use_application_path();
    EXECUTE format('UPDATE %s SET state = ''PENDING'', sf_message = NULL, updated_at = clock_timestamp() WHERE id = ANY ($1)', log) USING chosen_ids;
    RETURN public.hc_batch_request(b);
END
$$;
COMMENT ON FUNCTION public.hc_claim(uuid, bigint, integer) IS
    'Makes the next batch durable and returns its request, or null when nothing can be sent now. Ordered: log order; a change of object or operation, a repeat of a record or of an external id closes the batch; a record whose earlier change is in flight, in doubt, held or being edited is passed over.';
