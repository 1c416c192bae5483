-- Staging: records as Salesforce answered them, before they are merged

CREATE FUNCTION public.hc_read_fields(m public.hc_mapping) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    -- CreatedById and CreatedDate tell whether an unknown record may be one that we are creating at this moment.
    SELECT array_agg(x.field_name ORDER BY x.position)
      FROM (SELECT f.field_name, f.position FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL
            UNION
            SELECT d.value ->> 'name', 100000 FROM jsonb_array_elements(m.description -> 'fields') d
             WHERE m.access = 'read_write' AND d.value ->> 'name' IN ('CreatedById', 'CreatedDate')
               AND NOT EXISTS (SELECT FROM public.hc_field f WHERE f.mapping = m.id AND f.field_name = d.value ->> 'name')) x
$$;
COMMENT ON FUNCTION public.hc_read_fields(public.hc_mapping) IS 'The fields that are read of each record.';

CREATE FUNCTION public.hc_soql_time(t timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
COMMENT ON FUNCTION public.hc_soql_time(timestamptz) IS 'A time as SOQL and the replication calls take it.';

CREATE FUNCTION public.hc_stage_records(m public.hc_mapping, records jsonb, began timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    staged integer;
BEGIN
    INSERT INTO public.hc_staged AS s (mapping, sfid, kind, systemmodstamp, record, began_at)
        SELECT DISTINCT ON (r.value ->> 'Id') m.id, r.value ->> 'Id', 'record', (r.value ->> 'SystemModstamp')::timestamp, r.value - 'attributes', began
          FROM jsonb_array_elements(records) r
         WHERE r.value ->> 'Id' IS NOT NULL
         ORDER BY r.value ->> 'Id', (r.value ->> 'SystemModstamp')::timestamp DESC
        ON CONFLICT (mapping, sfid) DO UPDATE
            SET kind = excluded.kind, systemmodstamp = excluded.systemmodstamp, record = excluded.record, began_at = excluded.began_at,
                retry_at = NULL, reason = NULL
            WHERE s.systemmodstamp IS NULL OR excluded.systemmodstamp > s.systemmodstamp
               OR (excluded.systemmodstamp = s.systemmodstamp AND s.kind = 'record' AND excluded.began_at >= s.began_at);
    GET DIAGNOSTICS staged = ROW_COUNT;
    RETURN staged;
END
$$;
COMMENT ON FUNCTION public.hc_stage_records(public.hc_mapping, jsonb, timestamptz) IS 'Stages a page of records; of two versions of a record the newer stays.';

CREATE FUNCTION public.hc_stage(connection uuid, epoch bigint, mapping uuid, records jsonb, began timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_stage.connection, hc_stage.epoch);
BEGIN
    RETURN public.hc_stage_records(public.hc_mapping_of(c.id, hc_stage.mapping), hc_stage.records, hc_stage.began);
END
$$;
COMMENT ON FUNCTION public.hc_stage(uuid, bigint, uuid, jsonb, timestamptz) IS
    'Stages a page of records, the JSON array as Salesforce sent it; began is the org''s time just before the query.';

CREATE FUNCTION public.hc_deleted(connection uuid, epoch bigint, mapping uuid, deleted jsonb, earliest timestamptz, latest timestamptz) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_deleted.connection, hc_deleted.epoch);
    m public.hc_mapping := public.hc_mapping_of(c.id, hc_deleted.mapping);
    staged integer;
    trimmed boolean := earliest > m.deleted_cursor;
BEGIN
    INSERT INTO public.hc_staged AS s (mapping, sfid, kind, systemmodstamp, began_at)
        SELECT DISTINCT ON (r.value ->> 'id') m.id, r.value ->> 'id', 'deleted', (r.value ->> 'deletedDate')::timestamp, latest
          FROM jsonb_array_elements(deleted) r ORDER BY r.value ->> 'id', (r.value ->> 'deletedDate')::timestamp DESC
        ON CONFLICT ON CONSTRAINT hc_staged_pkey DO UPDATE
            SET kind = 'deleted', systemmodstamp = excluded.systemmodstamp, record = NULL, began_at = excluded.began_at, retry_at = NULL, reason = NULL
            WHERE s.systemmodstamp IS NULL OR excluded.systemmodstamp >= s.systemmodstamp;
    GET DIAGNOSTICS staged = ROW_COUNT;
    IF trimmed THEN
        PERFORM public.hc_raise(c.id, m.id, 'delete-log', 'warning',
            format('Salesforce''s delete log of %s reaches back to %s only, the last look was at %s: the mapping is reloaded to find what was deleted',
                   m.object_name, earliest, m.deleted_cursor));
        UPDATE public.hc_mapping h SET state = 'RELOAD_TABLE', poll_at = NULL WHERE h.id = m.id;
    END IF;
    UPDATE public.hc_mapping h SET deleted_cursor = greatest(h.deleted_cursor, latest), deleted_at = public.hc_clock(c.id) WHERE h.id = m.id;
    RETURN jsonb_build_object('staged', staged, 'trimmed', coalesce(trimmed, false));
END
$$;
COMMENT ON FUNCTION public.hc_deleted(uuid, bigint, uuid, jsonb, timestamptz, timestamptz) IS
    'Stages what getDeleted answered and moves the cursor of deletes; a delete log that does not reach back to the last look leads to a reload.';
