-- In doubt: what may be repeated is compared or looked for first, and what cannot be decided waits for a person

CREATE FUNCTION public.hc_record_value(record jsonb, field_path text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT record #>> string_to_array(field_path, '.') $$;
COMMENT ON FUNCTION public.hc_record_value(jsonb, text) IS 'The value at a path such as Account.ExternalId__c of a record as Salesforce answers it.';

CREATE FUNCTION public.hc_sent_values(mapping uuid, payload jsonb) RETURNS TABLE (path text, salesforce_type text, scale integer, value text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.path, coalesce(f.salesforce_type, 'string'), f.scale, s.value
      FROM (SELECT x.key AS path, x.value FROM jsonb_each_text(payload -> 'fields') x
            UNION ALL
            SELECT n.value, NULL FROM jsonb_array_elements_text(payload -> 'nulls') n
            UNION ALL
            SELECT (p.value ->> 'relationship') || '.' || (p.value ->> 'field'), p.value ->> 'value' FROM jsonb_array_elements(payload -> 'parents') p) s
      LEFT JOIN public.hc_field f ON f.mapping = hc_sent_values.mapping AND f.field_name = s.path
     -- Salesforce rewrites these on its own: they prove nothing either way.
     WHERE coalesce(f.salesforce_type, 'string') <> 'encryptedstring' AND NOT coalesce(f.calculated, false)
$$;
COMMENT ON FUNCTION public.hc_sent_values(uuid, jsonb) IS 'What a payload sent, as paths and wire values that can be compared with the record.';

CREATE FUNCTION public.hc_doubt(connection uuid, epoch bigint, batch bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_doubt.connection, hc_doubt.epoch);
    b public.hc_batch := public.hc_open_batch(c, hc_doubt.batch, ARRAY['DOUBT']);
    paths text[];
BEGIN
    SELECT array_agg(DISTINCT s.path) INTO paths
        FROM public.hc_batch_entry e, LATERAL public.hc_sent_values(e.mapping, e.payload) s WHERE e.batch = b.id AND e.outcome IS NULL AND e.merged_into IS NULL;
    IF b.operation IN ('update', 'undelete') THEN   -- of an undelete: the record is there, or it is not
        RETURN jsonb_build_object('way', 'retrieve', 'mapping', b.mapping, 'object', b.object_name,
            'fields', to_jsonb((SELECT array_agg(DISTINCT p) FROM unnest(paths || ARRAY['Id', 'SystemModstamp']) p)),
            'ids', (SELECT jsonb_agg(DISTINCT e.payload ->> 'id') FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL AND e.merged_into IS NULL));
    END IF;
    RETURN jsonb_build_object('way', 'lookup', 'mapping', b.mapping, 'soql', format(
        'SELECT %s FROM %s WHERE CreatedById = %L AND CreatedDate >= %s ORDER BY CreatedDate, Id',
        (SELECT string_agg(DISTINCT p, ', ') FROM unnest(paths || ARRAY['Id', 'CreatedDate']) p), b.object_name, c.settings ->> 'user_id',
        -- five seconds before sending, on the org's clock
        to_char((b.first_sent_at + make_interval(secs => coalesce((c.settings ->> 'org_clock_ahead')::float8, 0)) - interval '5 seconds')
                AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
END
$$;
COMMENT ON FUNCTION public.hc_doubt(uuid, bigint, bigint) IS 'What the relay must read from Salesforce to resolve the batch.';

CREATE FUNCTION public.hc_doubt_resolve(connection uuid, epoch bigint, batch bigint, records jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_doubt_resolve.connection, hc_doubt_resolve.epoch);
    b public.hc_batch := public.hc_open_batch(c, hc_doubt_resolve.batch, ARRAY['DOUBT']);
    parked jsonb;
BEGIN
    IF b.operation IN ('update', 'undelete') THEN   -- of an undelete: the record is there, or it is not
        PERFORM public.hc_doubt_compare(b, hc_doubt_resolve.records);
    ELSE
        parked := public.hc_doubt_look_up(c, b, hc_doubt_resolve.records);
    END IF;
    IF parked IS NOT NULL THEN
        UPDATE public.hc_batch x SET state = 'PARKED', due_at = NULL, answer = jsonb_build_object('candidates', parked),
               reason = format('parked: %s records in Salesforce may or may not be these; decide each with hc_doubt_decide', jsonb_array_length(parked))
            WHERE x.id = b.id;
        EXECUTE format('UPDATE %s l SET sf_message = $2 WHERE l.id IN (SELECT e.log_id FROM public.hc_batch_entry e WHERE e.batch = $1 AND e.outcome IS NULL AND e.merged_into IS NULL)',
                       public.hc_log_table(c)) USING b.id, format('parked: the answer to batch %s was lost and Salesforce has records that may be this one', b.id);
        PERFORM public.hc_raise(c.id, b.mapping, 'in-doubt', 'error',
            format('Batch %s (%s of %s) needs a decision: its answer was lost, and Salesforce has records that may be the ones it created', b.id, b.operation, b.object_name),
            jsonb_build_object('batch', b.id, 'candidates', parked));
    ELSIF EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL AND e.merged_into IS NULL) THEN
        PERFORM public.hc_doubt_again(c, b);
    ELSE
        UPDATE public.hc_batch x SET state = 'ANSWERED', answered_at = public.hc_clock(c.id), due_at = NULL, apply_at = NULL, reason = NULL WHERE x.id = b.id;
    END IF;
    RETURN (SELECT jsonb_build_object('state', x.state) FROM public.hc_batch x WHERE x.id = b.id);
END
$$;
COMMENT ON FUNCTION public.hc_doubt_resolve(uuid, bigint, bigint, jsonb) IS
    'Resolves a batch in doubt with what Salesforce holds now: entries that took effect get their outcome, the others are offered again, and what cannot be told is parked for a person.';

CREATE FUNCTION public.hc_doubt_compare(b public.hc_batch, records jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    e public.hc_batch_entry;
    found jsonb;
    same text[];
BEGIN
    FOR e IN SELECT x.* FROM public.hc_batch_entry x WHERE x.batch = b.id AND x.outcome IS NULL AND x.merged_into IS NULL ORDER BY x.position LOOP
        SELECT r.value INTO found FROM jsonb_array_elements(records) r WHERE left(r.value ->> 'Id', 15) = left(e.payload ->> 'id', 15) LIMIT 1;
        CONTINUE WHEN found IS NULL;   -- gone or hidden: sending again gives Salesforce's own reason
        SELECT coalesce(array_agg(s.path), '{}') INTO same FROM public.hc_sent_values(e.mapping, e.payload) s
            WHERE public.hc_normal(s.salesforce_type, s.scale, s.value)
                  IS NOT DISTINCT FROM public.hc_normal(s.salesforce_type, s.scale, public.hc_record_value(found, s.path));
        -- Fields that are equal already are not sent again.
        e.payload := e.payload || jsonb_build_object(
            'fields', (e.payload -> 'fields') - same,
            'nulls', coalesce((SELECT jsonb_agg(n.value) FROM jsonb_array_elements_text(e.payload -> 'nulls') n WHERE NOT n.value = ANY (same)), '[]'),
            'parents', coalesce((SELECT jsonb_agg(p.value) FROM jsonb_array_elements(e.payload -> 'parents') p
                                  WHERE NOT (p.value ->> 'relationship') || '.' || (p.value ->> 'field') = ANY (same)), '[]'));
        UPDATE public.hc_batch_entry x
            SET payload = e.payload,
                outcome = CASE WHEN e.payload -> 'fields' = '{}' AND e.payload -> 'nulls' = '[]' AND e.payload -> 'parents' = '[]'
                    THEN jsonb_build_object('success', true, 'id', e.payload ->> 'id', 'note', 'found in effect after a lost answer') END
            WHERE x.batch = b.id AND x.position = e.position;
    END LOOP;
END
$$;
COMMENT ON FUNCTION public.hc_doubt_compare(public.hc_batch, jsonb) IS 'Updates in doubt: compares what was sent with the records as they are.';

CREATE FUNCTION public.hc_doubt_look_up(c public.hc_connection, b public.hc_batch, records jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m public.hc_mapping := public.hc_mapping_of(c.id, b.mapping);
    candidates jsonb;
    e public.hc_batch_entry;
    alike integer[];
    equal_ids text[];
    used text[] := '{}';
    open_positions integer[] := '{}';
BEGIN
    -- Candidates: created by our user since the send, linked to no row and to no other batch.
    EXECUTE format('SELECT coalesce(jsonb_agg(r.value ORDER BY r.value ->> ''Id''), ''[]'') FROM jsonb_array_elements($1) r
                     WHERE NOT EXISTS (SELECT FROM %I.%I t WHERE t.sfid = r.value ->> ''Id'')
                       AND NOT EXISTS (SELECT FROM public.hc_batch b JOIN public.hc_batch_entry e ON e.batch = b.id WHERE b.mapping = $2 AND b.id <> $3 AND b.state <> ''DONE'' AND NOT e.applied AND e.outcome ->> ''id'' = r.value ->> ''Id'')',
                   c.schema_name, m.table_name) INTO candidates USING records, m.id, b.id;
    FOR e IN SELECT x.* FROM public.hc_batch_entry x WHERE x.batch = b.id AND x.outcome IS NULL AND x.merged_into IS NULL ORDER BY x.position LOOP
        CONTINUE WHEN e.position = ANY (open_positions)
            OR EXISTS (SELECT FROM public.hc_batch_entry x WHERE x.batch = b.id AND x.position = e.position AND x.outcome IS NOT NULL);
        SELECT array_agg(x.position ORDER BY x.position) INTO alike FROM public.hc_batch_entry x
            WHERE x.batch = b.id AND x.outcome IS NULL AND x.merged_into IS NULL
              AND x.payload - 'identifier' - 'dropped' = e.payload - 'identifier' - 'dropped';
        SELECT coalesce(array_agg(r.value ->> 'Id' ORDER BY r.value ->> 'Id'), '{}') INTO equal_ids FROM jsonb_array_elements(candidates) r
            WHERE NOT EXISTS (SELECT FROM public.hc_sent_values(e.mapping, e.payload) s
                               WHERE public.hc_normal(s.salesforce_type, s.scale, s.value)
                                     IS DISTINCT FROM public.hc_normal(s.salesforce_type, s.scale, public.hc_record_value(r.value, s.path)));
        IF cardinality(equal_ids) = cardinality(alike) THEN
            UPDATE public.hc_batch_entry x
                SET outcome = jsonb_build_object('success', true, 'created', true, 'id', equal_ids[array_position(alike, x.position)],
                                                 'note', 'found after a lost answer')
                WHERE x.batch = b.id AND x.position = ANY (alike);
            used := used || equal_ids;
        ELSE
            open_positions := open_positions || alike;
        END IF;
    END LOOP;
    IF cardinality(open_positions) = 0 THEN
        RETURN NULL;
    END IF;
    -- No candidate of any kind is left: the rest was not created, and is sent again. Anything else is for a person.
    SELECT jsonb_agg(r.value - 'attributes') INTO candidates FROM jsonb_array_elements(candidates) r WHERE NOT r.value ->> 'Id' = ANY (used);
    RETURN candidates;
END
$$;
COMMENT ON FUNCTION public.hc_doubt_look_up(public.hc_connection, public.hc_batch, jsonb) IS
    'Creates in doubt: k equal changes take k equal candidates; none of any kind means that nothing was created; returns the candidates when it cannot be told.';

CREATE FUNCTION public.hc_doubt_decide(batch bigint, log_id bigint, decision text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b public.hc_batch;
BEGIN
    SELECT x.* INTO b FROM public.hc_batch x WHERE x.id = hc_doubt_decide.batch FOR UPDATE;
    IF b.state IS DISTINCT FROM 'PARKED' THEN
        RAISE EXCEPTION 'batch % is %, not PARKED', hc_doubt_decide.batch, coalesce(b.state, 'unknown') USING ERRCODE = 'HC003';
    ELSIF decision NOT IN ('send', 'drop') AND decision !~ '^[a-zA-Z0-9]{15}([A-Z0-5]{3})?$' THEN
        RAISE EXCEPTION 'decision % is neither send, nor drop, nor the Id of a record', decision USING ERRCODE = '22023',
            HINT = 'send: create it (again). drop: forget the change. An Id: that record is the one that was created.';
    END IF;
    IF b.answer ? 'adopted' THEN
        PERFORM public.hc_adopt_final(b.connection, format('log entry %s, which Heroku Connect left PENDING, was decided', hc_doubt_decide.log_id));
        IF decision = 'send' THEN
            PERFORM public.hc_adopt_send(b, hc_doubt_decide.log_id);
            RETURN;
        END IF;
    END IF;
    UPDATE public.hc_batch_entry e
        SET outcome = CASE decision
                WHEN 'send' THEN NULL
                WHEN 'drop' THEN jsonb_build_object('success', false, 'errors', jsonb_build_array(jsonb_build_object(
                    'code', 'DROPPED', 'message', 'dropped by decision after a lost answer', 'fields', '[]'::jsonb)))
                ELSE jsonb_build_object('success', true, 'created', true, 'id', decision, 'note', 'linked by decision after a lost answer') END,
            payload = e.payload || jsonb_build_object('decided', true)
        WHERE e.batch = b.id AND e.log_id = hc_doubt_decide.log_id AND e.outcome IS NULL AND e.merged_into IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % has no undecided log entry %', b.id, hc_doubt_decide.log_id USING ERRCODE = 'HC002';
    END IF;
    IF NOT EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL AND e.merged_into IS NULL AND NOT e.payload ? 'decided') THEN
        UPDATE public.hc_batch x SET state = CASE WHEN EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL AND e.merged_into IS NULL)
                                                  THEN 'REPEAT' ELSE 'ANSWERED' END, due_at = NULL, apply_at = NULL, reason = NULL
            WHERE x.id = b.id;
        PERFORM public.hc_wake(b.connection);
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_doubt_decide(bigint, bigint, text) IS
    'A person''s decision on one change of a parked batch: send, drop, or the Id of the record that it created.';

CREATE FUNCTION public.hc_doubts(connection uuid)
    RETURNS TABLE (batch bigint, log_id bigint, state text, operation text, object_name text, table_name text, record_id bigint, action text, sfid text,
                   sent jsonb, sent_at timestamptz, age interval, due_at timestamptz, reason text, next text, candidates jsonb)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT b.id, e.log_id, b.state, b.operation, b.object_name, m.table_name::text, e.record_id, e.action, coalesce(e.sfid, e.payload ->> 'id'),
           coalesce(e.payload -> 'fields', '{}') || coalesce((SELECT jsonb_object_agg(n.value, NULL) FROM jsonb_array_elements_text(e.payload -> 'nulls') n), '{}')
               || coalesce((SELECT jsonb_object_agg((p.value ->> 'relationship') || '.' || (p.value ->> 'field'), p.value -> 'value') FROM jsonb_array_elements(e.payload -> 'parents') p), '{}'),
           b.first_sent_at, public.hc_clock(b.connection) - b.first_sent_at, b.due_at, b.reason,
           CASE WHEN b.state = 'PARKED' THEN 'waits for your decision'
                WHEN b.state = 'REPEAT' THEN 'is sent again: doing it twice does no harm'
                WHEN b.operation = 'create' THEN 'is looked for in Salesforce when the call can no longer be running'
                ELSE 'is compared with the record' END,
           CASE WHEN b.state = 'PARKED' AND b.operation = 'create' THEN coalesce(b.answer -> 'candidates', '[]') ELSE '[]' END
      FROM public.hc_batch b JOIN public.hc_batch_entry e ON e.batch = b.id LEFT JOIN public.hc_mapping m ON m.id = e.mapping
     WHERE b.connection = hc_doubts.connection AND e.outcome IS NULL AND NOT e.applied AND e.merged_into IS NULL AND NOT e.payload ? 'decided'
       AND (b.state IN ('DOUBT', 'PARKED') OR b.state = 'REPEAT' AND b.reason LIKE 'in doubt: %')
     ORDER BY b.state = 'PARKED' DESC, b.first_sent_at, b.id, e.position
$$;
COMMENT ON FUNCTION public.hc_doubts(uuid) IS
    'Changes that were sent and whose answer is not known, those that wait for a person first: what was sent, when, what comes next, and the records that may be the ones created.';
