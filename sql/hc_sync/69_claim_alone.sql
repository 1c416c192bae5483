-- The first change after a quiet time: it has nothing to wait for and nobody to travel with, so it goes without a wave

CREATE FUNCTION public.hc_claim_alone(c public.hc_connection, now_there timestamptz) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    l record;
    m public.hc_mapping;
    since bigint;
    entry jsonb;
    locked boolean;
    b bigint;
BEGIN
    IF c.full_look_at IS NULL OR c.full_look_at <= now_there - interval '2 minutes'
       OR EXISTS (SELECT FROM public.hc_batch x WHERE x.connection = c.id AND x.state IN ('CLAIMED', 'SENT', 'ANSWERED', 'REPEAT', 'DOUBT', 'PARKED')) THEN
        RETURN NULL;
    END IF;
    -- A change that was sent before, or follows another, has rules of its own.
    EXECUTE format('SELECT min(x.id)::bigint AS id, count(*) AS waiting, bool_and(x.processed_at IS NULL AND x.sf_message IS NULL) AS fresh,
                           min(x.action) AS action, min(x.table_name) AS table_name, min(x.record_id)::bigint AS record_id, min(x.sfid) AS sfid, min(x."values") AS "values",
                           EXISTS (SELECT FROM %1$s f WHERE f.state = ''FAILED'' AND f.action = ''INSERT'') AS holds
                      FROM (SELECT g.* FROM %1$s g WHERE g.state = ''NEW'' AND g.id >= $1 ORDER BY g.id LIMIT 2) x', public.hc_log_table(c)) INTO l USING c.low_water;
    IF l.waiting <> 1 OR NOT l.fresh OR l.holds OR l.action NOT IN ('INSERT', 'UPDATE') THEN
        RETURN NULL;
    END IF;
    SELECT * INTO m FROM public.hc_mapping h WHERE h.connection = c.id AND h.table_name = l.table_name::name;
    IF m.id IS NULL OR m.description IS NULL OR public.hc_is_held(m.sending_held, now_there) OR m.id = ANY (public.hc_quota_closed(c, 'write')) THEN
        RETURN NULL;
    END IF;
    -- What names a parent, or is a name that children use, concerns other changes: then the wave notes its keys. Without keys of its own a
    -- change keeps to itself its row, its record and the identifier that it is upserted by (hc_wave_held_keys).
    IF EXISTS (SELECT FROM public.hc_pairs(l."values") p JOIN public.hc_field f ON f.mapping = m.id AND f.column_name = p.key::name
                WHERE (p.value <> '' OR l.action = 'UPDATE')   -- which may leave a parent
                  AND (f.relationship_field IS NOT NULL OR f.salesforce_type = 'reference' OR f.field_name = m.upsert_field AND l.action = 'UPDATE'
                   OR f.field_name IS DISTINCT FROM m.upsert_field AND EXISTS (
                      SELECT FROM public.hc_field r JOIN public.hc_mapping h ON h.id = r.mapping
                       WHERE h.connection = c.id AND r.relationship_object = m.object_name AND r.relationship_field = f.field_name))) THEN
        RETURN NULL;
    END IF;
    since := public.hc_generation_try(c, m);
    IF since IS NULL OR l.id <= since THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT true FROM %s WHERE id = $1 AND state = ''NEW'' FOR UPDATE SKIP LOCKED', public.hc_log_table(c)) INTO locked USING l.id;
    IF locked IS NOT TRUE THEN
        RETURN NULL;
    END IF;
    entry := public.hc_claim_entry(c, m, l.id, l.action, l.record_id, l.sfid, l."values", '{}');
    IF NOT entry ? 'operation' OR entry -> 'parents' <> '[]' THEN
        RETURN NULL;
    END IF;
    INSERT INTO public.hc_batch (connection, mapping, epoch, operation, object_name, external_id_field, claimed_at)
        VALUES (c.id, m.id, c.epoch, entry ->> 'operation', m.object_name, CASE WHEN entry ->> 'operation' = 'upsert' THEN m.upsert_field END, now_there)
        RETURNING id INTO b;
    INSERT INTO public.hc_batch_entry (batch, position, mapping, log_id, record_id, action, sfid, payload)
        VALUES (b, 0, m.id, l.id, l.record_id, l.action, entry ->> 'id', entry);
    PERFORM public.hc_use_application_path();
    EXECUTE format('UPDATE %s SET state = ''PENDING'', sf_message = NULL, updated_at = clock_timestamp() WHERE id = $1', public.hc_log_table(c)) USING l.id;
    UPDATE public.hc_connection h SET state = 'POLLING_DB_CHANGES' WHERE h.id = c.id AND h.state = 'IDLE';
    RETURN jsonb_build_array(public.hc_call_request(ARRAY[b]));
EXCEPTION WHEN data_exception OR syntax_error OR internal_error THEN
    RETURN NULL;   -- text that is no hstore, in an entry written by hand: the wave says so
END
$$;
COMMENT ON FUNCTION public.hc_claim_alone(public.hc_connection, timestamptz) IS
    'Claims the only change that waits, where nothing is under way and it concerns no other; null: look at it in a wave.';
