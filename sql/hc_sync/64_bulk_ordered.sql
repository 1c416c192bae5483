-- Bulk in ordered mode: under Heroku Connect's conditions (reference 4.2), and with its words when a run ends before its time

CREATE FUNCTION public.hc_bulk_ordered(c public.hc_connection, now_there timestamptz, failed_inserts jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    log text := public.hc_log_table(c);
    least_rows integer := public.hc_bulk_least(c);
    first record;
    m public.hc_mapping;
    since bigint;
    same boolean;
    ids bigint[];
    relationships text[];
    identifiers text[];
    bad record;
    b public.hc_batch;
    wanted text;
    how_many integer;
BEGIN
    -- Where the last look found a run too short, no other can begin before its end: spares the log a look at each single call.
    EXECUTE format('SELECT g.id::bigint AS id, g.table_name, g.action FROM %s g WHERE g.state = ''NEW'' AND g.id >= $1 ORDER BY g.id LIMIT 1', log) INTO first USING c.low_water;
    IF first.id IS NULL OR first.action NOT IN ('INSERT', 'UPDATE', 'DELETE')
       OR first.id < coalesce(nullif(current_setting('hc_relay.no_bulk_before', true), ''), '0')::bigint THEN
        RETURN NULL;
    END IF;
    SELECT * INTO m FROM public.hc_mapping h WHERE h.connection = c.id AND h.table_name = first.table_name::name;
    wanted := public.hc_bulk_api(c, CASE first.action WHEN 'INSERT' THEN 'upsert' ELSE lower(first.action) END);
    IF wanted IS NULL OR NOT public.hc_options_allow_bulk(public.hc_write_options(c, m, CASE first.action WHEN 'INSERT' THEN 'upsert' ELSE lower(first.action) END)) OR m.upsert_field IS NULL OR m.access <> 'read_write' OR m.description IS NULL
       OR public.hc_is_held(m.sending_held, now_there) OR m.id = ANY (public.hc_quota_closed(c, 'write')) THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT coalesce(bool_and(x.table_name = $2 AND x.action = $3) AND count(*) >= $4, false), max(x.id) FILTER (WHERE x.table_name IS DISTINCT FROM $2 OR x.action IS DISTINCT FROM $3)
                      FROM (SELECT g.id, g.table_name, g.action FROM %s g WHERE g.state = ''NEW'' AND g.id >= $1 ORDER BY g.id LIMIT $4) x', log)
        INTO same USING first.id, first.table_name, first.action, least_rows;
    IF NOT same THEN
        RETURN NULL;
    END IF;
    since := public.hc_generation_try(c, m);
    IF since IS NULL THEN
        RETURN NULL;
    END IF;
    -- The run, as far as nobody is editing it, and nothing of it was sent before: of that newer changes may be there already.
    EXECUTE format('SELECT array_agg(l.id ORDER BY l.id) FROM (
                        SELECT g.id::bigint AS id FROM %1$s g WHERE g.state = ''NEW'' AND g.id >= $1 AND g.table_name = $2 AND g.action = $3
                           AND g.id < coalesce((SELECT min(o.id) FROM %1$s o WHERE o.state = ''NEW'' AND o.id >= $1
                              AND ((o.table_name, o.action) IS DISTINCT FROM ($2, $3) OR o.processed_at IS NOT NULL OR o.sf_message LIKE ''captured again %%'')), 9223372036854775807)
                         ORDER BY g.id LIMIT $4 FOR UPDATE SKIP LOCKED) l', log)
        INTO ids USING first.id, first.table_name, first.action, 10000;
    relationships := public.hc_bulk_relationships(m.id);
    INSERT INTO public.hc_batch (connection, mapping, epoch, operation, object_name, external_id_field, claimed_at, api)
        VALUES (c.id, m.id, c.epoch, CASE first.action WHEN 'INSERT' THEN 'upsert' ELSE lower(first.action) END, m.object_name,
                CASE first.action WHEN 'INSERT' THEN m.upsert_field END, now_there, wanted) RETURNING * INTO b;
    EXECUTE format('INSERT INTO public.hc_batch_entry (batch, position, mapping, log_id, record_id, action, sfid, payload)
        SELECT $1, row_number() OVER (ORDER BY x.id) - 1, $2, x.id, x.record_id, x.action, x.entry ->> ''id'', x.entry
          FROM (SELECT g.id::bigint AS id, g.record_id::bigint AS record_id, g.action,
                       public.hc_claim_entry($3, $4, g.id, g.action, g.record_id, g.sfid, g."values", $5) AS entry
                  FROM %s g WHERE g.id = ANY ($6)) x', log)
        USING b.id, m.id, c, m, failed_inserts, ids;
    SELECT array_agg(e.payload ->> 'identifier') INTO identifiers FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.payload ->> 'identifier' IS NOT NULL;
    -- What ends the run: one change that a job cannot carry, or that must wait for another.
    SELECT x.position, x.why INTO bad FROM (
        SELECT e.position, CASE
                WHEN e.payload ? 'held' THEN format('log entry %s waits for log entry %s', e.log_id, e.payload ->> 'held')
                WHEN e.payload ? 'failed' THEN format('log entry %s cannot be sent: %s', e.log_id, e.payload ->> 'failed')
                WHEN e.payload ? 'nothing' THEN format('log entry %s has nothing to send', e.log_id)
                WHEN e.payload ->> 'operation' <> b.operation THEN format('log entry %s is an %s', e.log_id, e.payload ->> 'operation')
                WHEN EXISTS (SELECT FROM public.hc_batch_entry o WHERE o.mapping = m.id AND o.record_id = e.record_id AND NOT o.applied AND o.batch <> b.id
                                AND (o.log_id <= since) = (e.log_id <= since)) THEN format('row %s is in flight', e.record_id)
                WHEN row_number() OVER (PARTITION BY e.record_id ORDER BY e.position) > 1 THEN format('row %s appears twice', e.record_id)
                WHEN e.payload ->> 'identifier' IS NOT NULL AND row_number() OVER (PARTITION BY e.payload ->> 'identifier' ORDER BY e.position) > 1
                    THEN format('%s %s appears twice', b.external_id_field, e.payload ->> 'identifier')
                WHEN e.sfid IS NOT NULL AND row_number() OVER (PARTITION BY e.sfid ORDER BY e.position) > 1 THEN format('record %s appears twice', e.sfid)
                WHEN EXISTS (SELECT FROM jsonb_array_elements(e.payload -> 'parents') p
                              WHERE p.value ->> 'object' = m.object_name AND lower(p.value ->> 'value') = ANY (identifiers)) THEN format('log entry %s names a parent in the same job', e.log_id)
                ELSE format('log entry %s: ', e.log_id) || public.hc_bulk_refusal(e.payload, relationships) END AS why
          FROM public.hc_batch_entry e WHERE e.batch = b.id) x
        WHERE x.why IS NOT NULL ORDER BY x.position LIMIT 1;
    how_many := coalesce(bad.position, cardinality(ids), 0);
    IF how_many < least_rows THEN
        DELETE FROM public.hc_batch x WHERE x.id = b.id;
        IF bad.position IS NOT NULL THEN
            PERFORM set_config('hc_relay.no_bulk_before', (ids[bad.position + 1] + 1)::text, false);
        END IF;
        RETURN NULL;
    END IF;
    DELETE FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.position >= how_many;
    UPDATE public.hc_connection h SET state = 'POLLING_DB_CHANGES' WHERE h.id = c.id AND h.state = 'IDLE';
    PERFORM public.hc_use_application_path();
    EXECUTE format('UPDATE %s SET state = ''PENDING'', sf_message = NULL, updated_at = clock_timestamp() WHERE id = ANY ($1)', log) USING ids[1:how_many];
    IF bad.why IS NOT NULL THEN
        UPDATE public.hc_batch x SET job = jsonb_build_object('ended_by', bad.why) WHERE x.id = b.id;
    END IF;
    RETURN public.hc_batch_request(b);
END
$$;
COMMENT ON FUNCTION public.hc_bulk_ordered(public.hc_connection, timestamptz, jsonb) IS
    'Ordered mode: the next changes as a bulk batch, if the log goes on with at least 2,000 (bulk_threshold) of one action on one object with a unique identifier, the version is 39.0 or later, and disable_bulk_writes is off; 10,000 at most. Null: single calls. What ended the run before its time is in job.ended_by, for hc_bulk_next.';
