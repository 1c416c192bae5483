-- Wire values: captured hstore text becomes what Salesforce is sent, and both sides are made comparable

CREATE FUNCTION public.hc_wire_value(salesforce_type text, captured text) RETURNS text
LANGUAGE sql STABLE AS $$
    -- No SET clause and every name qualified, so that it is inlined: it runs once for each field of each change.
    SELECT CASE salesforce_type
        WHEN 'boolean' THEN CASE WHEN captured::boolean THEN 'true' ELSE 'false' END
        WHEN 'datetime' THEN pg_catalog.to_char(captured::timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
        WHEN 'date' THEN pg_catalog.to_char(captured::date, 'YYYY-MM-DD')
        WHEN 'time' THEN pg_catalog.to_char(date '2000-01-01' OPERATOR(pg_catalog.+) captured::time, 'HH24:MI:SS.MS"Z"')
        ELSE captured
    END
$$;
COMMENT ON FUNCTION public.hc_wire_value(text, text) IS
    'A captured value in Salesforce''s spelling. Raises for text that is not a value of the type.';

CREATE FUNCTION public.hc_normal(salesforce_type text, scale integer, value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, MDY' SET timezone = 'UTC' AS $$
BEGIN
    IF value IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN CASE
        WHEN salesforce_type = 'boolean' THEN lower(value)
        WHEN salesforce_type IN ('double', 'currency', 'percent')
            THEN trim_scale(round(value::numeric, coalesce(scale, 18)))::text
        WHEN salesforce_type = 'int' THEN round(value::numeric)::text
        WHEN salesforce_type = 'datetime' THEN date_trunc('second', value::timestamptz)::text
        WHEN salesforce_type = 'date' THEN left(value, 10)
        WHEN salesforce_type = 'time' THEN rtrim(value, 'Z')::time::text
        WHEN salesforce_type IN ('id', 'reference') THEN left(value, 15)
        WHEN salesforce_type = 'multipicklist'
            THEN (SELECT string_agg(p, ';' ORDER BY p) FROM unnest(string_to_array(value, ';')) p)
        ELSE nullif(btrim(value, E' \t\r\n'), '')
    END;
EXCEPTION WHEN data_exception THEN
    RETURN value;
END
$$;
COMMENT ON FUNCTION public.hc_normal(text, integer, text) IS
    'A wire value as Salesforce would store it: trimmed, blank as null, rounded to the scale, seconds, 15-character ids, picklist values in one order. Two values are the same for Salesforce when these are.';

CREATE FUNCTION public.hc_wire_record(mapping uuid, action text, captured text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    -- Not in SQL, and with one plan for all: this runs once for each change, and planning it costs more than running it.
    RETURN (
    WITH changed AS (
        SELECT f.*, nullif(p.value, '') AS value, p.key
          FROM public.hc_pairs(hc_wire_record.captured) p
          LEFT JOIN public.hc_field f ON f.mapping = hc_wire_record.mapping AND f.column_name = p.key
         WHERE p.key NOT IN ('id', 'sfid', '_hc_lastop', '_hc_err')
    ), sent AS (
        SELECT c.*
          FROM changed c
         WHERE CASE hc_wire_record.action WHEN 'INSERT' THEN c.createable AND c.value IS NOT NULL ELSE c.updateable END
           -- a parent named by external id wins over the lookup that it resolves to
           AND NOT (c.relationship_field IS NULL AND c.relationship_name IS NOT NULL AND EXISTS (
                SELECT FROM changed r WHERE r.relationship_field IS NOT NULL AND r.relationship_name = c.relationship_name AND r.value IS NOT NULL))
           AND NOT (c.relationship_field IS NOT NULL AND c.value IS NULL AND EXISTS (
                SELECT FROM changed r WHERE r.relationship_field IS NULL AND r.relationship_name = c.relationship_name AND r.value IS NOT NULL))
    )
    SELECT jsonb_build_object(
        'fields', coalesce((SELECT jsonb_object_agg(s.field_name, CASE WHEN s.value IS NULL THEN 'false' ELSE public.hc_wire_value(s.salesforce_type, s.value) END)
                              FROM sent s WHERE s.relationship_field IS NULL AND (s.value IS NOT NULL OR s.salesforce_type = 'boolean')), '{}'),
        'nulls', coalesce((SELECT jsonb_agg(DISTINCT CASE WHEN s.relationship_field IS NULL THEN s.field_name ELSE s.relationship_name END)
                             FROM sent s WHERE s.value IS NULL AND s.salesforce_type <> 'boolean'), '[]'),
        'parents', coalesce((SELECT jsonb_agg(jsonb_build_object('relationship', s.relationship_name, 'object', s.relationship_object,
                                                                 'field', s.relationship_field, 'value', s.value) ORDER BY s.position)
                               FROM sent s WHERE s.relationship_field IS NOT NULL AND s.value IS NOT NULL), '[]'),
        'dropped', coalesce((SELECT jsonb_agg(coalesce(c.field_name, c.key || ' (not mapped)') ORDER BY c.key) FROM changed c
                              WHERE CASE hc_wire_record.action WHEN 'INSERT' THEN c.value IS NOT NULL AND NOT coalesce(c.createable, false)
                                                ELSE NOT coalesce(c.updateable, false) END), '[]')));
END
$$;
COMMENT ON FUNCTION public.hc_wire_record(uuid, text, text) IS
    'What one captured change sends: {"fields","nulls","parents","dropped"}. Nulls of an INSERT are left out, or they would override defaults; fields that the connected user may not write are dropped and named.';
