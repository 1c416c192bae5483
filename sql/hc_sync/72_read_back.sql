-- Read-back: what we wrote is read once more, so that rows reach SYNCED with defaults, formulas and what flows changed

CREATE FUNCTION public.hc_read_back_next(connection uuid, epoch bigint, maximum integer DEFAULT 2000) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_read_back_next.connection, hc_read_back_next.epoch);
    closed CONSTANT uuid[] := public.hc_quota_closed(c, 'read');   -- mappings that may not be called for now
    m public.hc_mapping;
    ids text[];
    upto bigint;
BEGIN
    SELECT h.* INTO m FROM public.hc_mapping h WHERE h.connection = c.id AND NOT h.id = ANY (closed)
        AND EXISTS (SELECT FROM public.hc_read_back r WHERE r.mapping = h.id AND (r.due_at IS NULL OR r.due_at <= public.hc_clock(c.id))) LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(x.sfid), max(x.token) INTO ids, upto FROM (
        SELECT r.sfid, r.token FROM public.hc_read_back r
         WHERE r.mapping = m.id AND (r.due_at IS NULL OR r.due_at <= public.hc_clock(c.id)) ORDER BY r.token LIMIT maximum) x;
    -- If the relay dies with it, the read-back is due again in half a minute.
    UPDATE public.hc_read_back r SET due_at = public.hc_clock(c.id) + interval '30 seconds' WHERE r.mapping = m.id AND r.sfid = ANY (ids);
    RETURN jsonb_build_object('mapping', m.id, 'object', m.object_name, 'fields', to_jsonb(public.hc_read_fields(m)), 'ids', to_jsonb(ids), 'token', upto,
                              'began', public.hc_org_clock(c));
END
$$;
COMMENT ON FUNCTION public.hc_read_back_next(uuid, bigint, integer) IS 'The records of one mapping to be read back, or null.';

CREATE FUNCTION public.hc_read_back_merge(connection uuid, epoch bigint, mapping uuid, token bigint, ids text[], records jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_read_back_merge.connection, hc_read_back_merge.epoch);
    m public.hc_mapping := public.hc_mapping_of(c.id, hc_read_back_merge.mapping);
BEGIN
    -- A record that was written again meanwhile has a newer token: it stays, and what arrived of it now is outdated.
    DELETE FROM public.hc_read_back r WHERE r.mapping = m.id AND r.sfid = ANY (hc_read_back_merge.ids) AND r.token <= hc_read_back_merge.token;
    PERFORM public.hc_stage_records(m, hc_read_back_merge.records, public.hc_org_clock(c));
    RETURN public.hc_merge_step(c, m, greatest(2000, cardinality(hc_read_back_merge.ids)));
END
$$;
COMMENT ON FUNCTION public.hc_read_back_merge(uuid, bigint, uuid, bigint, text[], jsonb) IS
    'Merges records that were read back; an id without a record was deleted in Salesforce, which the poll for deletes finds.';
