-- Refusals: records that Salesforce refused in a call that it took

CREATE FUNCTION public.hc_without_fields(payload jsonb, names text[], why text) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT payload || jsonb_build_object(
        'fields', (payload -> 'fields') - names,
        'nulls', coalesce((SELECT jsonb_agg(n.value) FROM jsonb_array_elements(payload -> 'nulls') n WHERE NOT n.value #>> '{}' = ANY (names)), '[]'),
        'parents', coalesce((SELECT jsonb_agg(p.value) FROM jsonb_array_elements(payload -> 'parents') p WHERE NOT p.value ->> 'relationship' = ANY (names)), '[]'),
        'notes', coalesce(payload -> 'notes', '[]') || to_jsonb(format('not sent, because %s: %s', why, array_to_string(names, ', '))))
$$;
COMMENT ON FUNCTION public.hc_without_fields(jsonb, text[], text) IS 'The payload of a change without these fields and relationships, with a note that says why.';

CREATE FUNCTION public.hc_only_at_creation(m public.hc_mapping, e public.hc_batch_entry) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT n.name), '{}')
      FROM (SELECT CASE WHEN f.relationship_field IS NULL THEN f.field_name ELSE f.relationship_name END AS name
              FROM public.hc_field f WHERE f.mapping = m.id AND f.createable AND NOT f.updateable) n
     WHERE e.payload -> 'fields' ? n.name OR EXISTS (SELECT FROM jsonb_array_elements(e.payload -> 'parents') p WHERE p.value ->> 'relationship' = n.name)
$$;
COMMENT ON FUNCTION public.hc_only_at_creation(public.hc_mapping, public.hc_batch_entry) IS
    'Fields and relationships of the change that can be set when a record is created, and not later.';

-- An upsert that finds its record is an update, and Salesforce refuses it for a field that only a new record may have. Leaving such
-- fields out at first would make new records without them; so they are left out when it is known that there is a record.
CREATE FUNCTION public.hc_resend_without(c public.hc_connection, m public.hc_mapping, b public.hc_batch) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    e public.hc_batch_entry;
    names text[];
    why text;
BEGIN
    FOR e IN SELECT x.* FROM public.hc_batch_entry x
              WHERE x.batch = b.id AND NOT x.applied AND x.merged_into IS NULL AND x.outcome -> 'errors' -> 0 ->> 'code' = 'INVALID_FIELD_FOR_INSERT_UPDATE' LOOP
        names := CASE b.operation WHEN 'upsert' THEN public.hc_only_at_creation(m, e) ELSE '{}' END;
        why := 'the record existed, and they can be set only when it is created';
        IF names = '{}' AND public.hc_describe_field(m.description, 'IsPersonAccount') IS NOT NULL AND (e.payload -> 'fields' ? 'Name' OR e.payload -> 'nulls' ? 'Name')
           AND (e.outcome -> 'errors' -> 0 -> 'fields' ? 'Name' OR e.outcome -> 'errors' -> 0 ->> 'message' ~ '\mName\M') THEN
            names := '{Name}';
            why := 'a person account takes its name from first and last name';
        END IF;
        CONTINUE WHEN names = '{}';
        e.payload := public.hc_without_fields(e.payload, names, why);
        UPDATE public.hc_batch_entry x
            SET payload = e.payload, retry_kind = NULL, retries = 0,
                outcome = CASE WHEN b.operation = 'update' AND e.payload -> 'fields' = '{}' AND e.payload -> 'nulls' = '[]' AND e.payload -> 'parents' = '[]'
                               THEN jsonb_build_object('success', true, 'id', e.payload ->> 'id') END
            WHERE x.batch = b.id AND x.position = e.position;
        UPDATE public.hc_batch_entry x SET outcome = NULL WHERE x.batch = b.id AND x.merged_into = e.position AND NOT x.applied;
    END LOOP;
END
$$;
COMMENT ON FUNCTION public.hc_resend_without(public.hc_connection, public.hc_mapping, public.hc_batch) IS
    'Offers changes again without the fields that Salesforce takes only for new records, or not for person accounts.';

CREATE FUNCTION public.hc_sort_refusals(c public.hc_connection, m public.hc_mapping, b public.hc_batch) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    refused integer;
    misconfigured integer;
    changes integer;
    first jsonb;
    limited integer[];
    part bigint;
BEGIN
    SELECT count(*) FILTER (WHERE NOT public.hc_is_accepted(b.operation, x.outcome)), count(*),
           count(*) FILTER (WHERE public.hc_error_kind(x.outcome -> 'errors' -> 0 ->> 'code') = 'configuration'
                              -- that a parent does not exist is no matter of configuration, whatever Salesforce calls it
                              AND x.outcome -> 'errors' -> 0 ->> 'message' NOT LIKE 'Foreign key external ID%')
      INTO refused, changes, misconfigured
      FROM public.hc_batch_entry x WHERE x.batch = b.id AND x.merged_into IS NULL AND (NOT x.applied OR (x.outcome ->> 'success')::boolean) AND NOT coalesce(x.outcome ? 'release', false);
    IF refused = 0 THEN
        RETURN;
    END IF;
    PERFORM public.hc_resend_without(c, m, b);
    IF changes > 1 AND misconfigured = changes THEN
        SELECT x.outcome -> 'errors' -> 0 INTO first FROM public.hc_batch_entry x WHERE x.batch = b.id AND x.outcome IS NOT NULL ORDER BY x.position LIMIT 1;
        IF NOT EXISTS (SELECT FROM public.hc_batch_entry x WHERE x.batch = b.id AND x.outcome IS NULL AND x.merged_into IS NULL) THEN
            PERFORM public.hc_hold_mapping(c, m, first ->> 'code', first ->> 'message'), public.hc_batch_release(b.id, first ->> 'code', first ->> 'message');
            RETURN;
        END IF;
    END IF;
    -- A lock, and the like, proves that this record was not written. Of several errors all must pass by themselves.
    WITH sorted AS (
        SELECT x.position, k.kind, CASE WHEN x.retry_kind = k.kind THEN x.retries ELSE 0 END + 1 AS retries
          FROM public.hc_batch_entry x, public.hc_error_kind(x.outcome -> 'errors' -> 0 ->> 'code') AS k(kind), public.hc_retry_rule(k.kind) r
         WHERE x.batch = b.id AND NOT x.applied AND NOT public.hc_is_accepted(b.operation, x.outcome) AND NOT x.outcome ?| '{final,release}'
           AND NOT EXISTS (SELECT FROM jsonb_array_elements(x.outcome -> 'errors') e WHERE public.hc_error_kind(e.value ->> 'code') IN ('data', 'configuration'))
           AND CASE WHEN x.retry_kind = k.kind THEN x.retries ELSE 0 END < coalesce(r.tries, 2147483647))
    UPDATE public.hc_batch_entry x SET outcome = NULL, reason = x.outcome -> 'errors' -> 0 ->> 'message', retry_kind = s.kind, retries = s.retries
      FROM sorted s WHERE x.batch = b.id AND x.position = s.position;
    -- What waits for a limit keeps nothing else waiting.
    SELECT array_agg(x.position) INTO limited FROM public.hc_batch_entry x
        WHERE x.batch = b.id AND x.outcome IS NULL AND NOT x.applied AND x.merged_into IS NULL AND x.retry_kind IN ('limit', 'size');
    IF limited IS NULL THEN
        RETURN;
    END IF;
    PERFORM public.hc_raise(c.id, m.id, 'limit', 'warning', format('%s changes of %s wait for a limit of the org: %s', cardinality(limited), m.table_name,
        (SELECT x.reason FROM public.hc_batch_entry x WHERE x.batch = b.id AND x.position = limited[1])));
    IF EXISTS (SELECT FROM public.hc_batch_entry x WHERE x.batch = b.id AND NOT x.applied AND x.merged_into IS NULL AND NOT x.position = ANY (limited)) THEN
        part := public.hc_batch_part(b, limited);
        UPDATE public.hc_batch x SET state = 'REPEAT', due_at = public.hc_clock(c.id) + public.hc_repeat_wait(part), apply_at = NULL, answer = NULL,
               reason = (SELECT e.reason FROM public.hc_batch_entry e WHERE e.batch = part LIMIT 1) WHERE x.id = part;
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_sort_refusals(public.hc_connection, public.hc_mapping, public.hc_batch) IS
    'Sorts the refused changes of an answered batch: those that pass by themselves lose their outcome and are offered again; if Salesforce refused all for the mapping''s configuration, the mapping stops and they go back to the log; the others fail.';

CREATE FUNCTION public.hc_repeat_wait(batch bigint) RETURNS interval
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
    SELECT coalesce(max(public.hc_retry_wait(k.retry_kind, k.retries)), interval '0')
      FROM (SELECT e.retry_kind, max(e.retries) AS retries FROM public.hc_batch_entry e
             WHERE e.batch = hc_repeat_wait.batch AND e.outcome IS NULL AND NOT e.applied GROUP BY 1) k
$$;
COMMENT ON FUNCTION public.hc_repeat_wait(bigint) IS 'How long the refused changes of a batch wait before they are offered again.';

CREATE FUNCTION public.hc_outcome_note(m public.hc_mapping, b public.hc_batch, e public.hc_batch_entry) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT nullif(concat_ws('; ', e.outcome ->> 'note',
        CASE WHEN b.operation = 'upsert' AND e.action = 'INSERT' AND e.outcome -> 'created' = 'false' THEN
            CASE WHEN b.attempt = 1 OR e.payload ? 'notes' THEN format('linked: Salesforce had a record with this %s', b.external_id_field)
                 ELSE format('linked: Salesforce had a record with this %s, of an earlier attempt or of somebody else', b.external_id_field) END END,
        CASE WHEN b.operation = 'delete' AND e.outcome -> 'errors' -> 0 ->> 'code' = 'INVALID_CROSS_REFERENCE_KEY' THEN
            'Salesforce has no such record, or the connected user cannot see it' END,
        CASE WHEN e.action = 'UPDATE' AND b.operation = 'update' AND (e.payload -> 'fields' ? m.upsert_field OR e.payload -> 'nulls' ? m.upsert_field) THEN
            format('the identifier %s was changed: what named the record by its old value no longer finds it', m.upsert_field) END,
        'not sent, because the connected user may not write them: ' || (SELECT string_agg(d.value, ', ') FROM jsonb_array_elements_text(e.payload -> 'dropped') d),
        (SELECT string_agg(n.value, '; ') FROM jsonb_array_elements_text(e.payload -> 'notes') n)), '')
$$;
COMMENT ON FUNCTION public.hc_outcome_note(public.hc_mapping, public.hc_batch, public.hc_batch_entry) IS 'What a person is told of a change besides its outcome.';
