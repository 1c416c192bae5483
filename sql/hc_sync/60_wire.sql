-- Wire values: captured hstore text becomes what Salesforce is sent, and both sides are made comparable

CREATE FUNCTION public.hc_no_value(captured text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'Salesforce has no value for "%"', captured USING ERRCODE = 'invalid_parameter_value';
END
$$;
COMMENT ON FUNCTION public.hc_no_value(text) IS 'Refuses a captured value that PostgreSQL has and Salesforce has not, such as infinity.';

CREATE FUNCTION public.hc_wire_number(captured text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN captured OPERATOR(pg_catalog.=) ANY ('{NaN,Infinity,-Infinity}'::text[]) THEN public.hc_no_value(captured) ELSE captured END
$$;
COMMENT ON FUNCTION public.hc_wire_number(text) IS 'A captured number, which is in Salesforce''s spelling but for what is no number.';

CREATE FUNCTION public.hc_is_mask(captured text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT captured OPERATOR(pg_catalog.~) '^([*X])(\1|-)*$' OR captured OPERATOR(pg_catalog.~) '^([*X])\1(\1|-)*.{1,4}$'
$$;
COMMENT ON FUNCTION public.hc_is_mask(text) IS
    'Whether a value of an encrypted field is what Salesforce shows to those who may not see it: all stars or Xs, or all but the last four characters. Sent back it would take the place of the value.';

CREATE FUNCTION public.hc_wire_value(salesforce_type text, captured text) RETURNS text
LANGUAGE sql STABLE AS $$
    -- No SET clause and every name qualified, so that it is inlined: it runs once for each field of each change.
    SELECT CASE salesforce_type
        WHEN 'boolean' THEN CASE WHEN captured::boolean THEN 'true' ELSE 'false' END
        WHEN 'datetime' THEN coalesce(pg_catalog.to_char(captured::timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), public.hc_no_value(captured))
        WHEN 'date' THEN coalesce(pg_catalog.to_char(captured::date, 'YYYY-MM-DD'), public.hc_no_value(captured))
        WHEN 'time' THEN CASE WHEN captured::time OPERATOR(pg_catalog.=) time '24:00' THEN public.hc_no_value(captured)
                              ELSE pg_catalog.to_char(date '2000-01-01' OPERATOR(pg_catalog.+) captured::time, 'HH24:MI:SS.MS"Z"') END
        WHEN 'double' THEN public.hc_wire_number(captured)
        WHEN 'currency' THEN public.hc_wire_number(captured)
        WHEN 'percent' THEN public.hc_wire_number(captured)
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

-- hstore may be in another schema than public: its functions are named where they are now. The first is inlined, and takes all texts at
-- once, because a set that is made anew for each row costs more than what is done with it.
DO $do$
BEGIN
    EXECUTE format($ddl$
CREATE FUNCTION public.hc_pairs_of(captured text[]) RETURNS TABLE (n bigint, key text, value text)
LANGUAGE sql IMMUTABLE AS $$
    SELECT x.n, %1$I.skeys(x.pairs), %1$I.svals(x.pairs)
      FROM (SELECT c.n, c.pairs::%1$I.hstore AS pairs FROM pg_catalog.unnest(captured) WITH ORDINALITY c(pairs, n) OFFSET 0) x
$$;
CREATE FUNCTION public.hc_pairs_values(captured text, keys text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT captured::%1$I.hstore OPERATOR(%1$I.->) keys
$$;
$ddl$, public.hc_hstore_schema());
END
$do$;
COMMENT ON FUNCTION public.hc_pairs_of(text[]) IS 'The keys and values of the hstore texts of several log entries, with the place of each text.';
COMMENT ON FUNCTION public.hc_pairs_values(text, text[]) IS 'The values of some keys of a log entry''s hstore text.';

CREATE FUNCTION public.hc_wire_built(mapping uuid, actions text[], captured text[]) RETURNS TABLE (n bigint, wire jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off SET work_mem = '64MB' AS $$
#variable_conflict use_column
BEGIN
    -- Not in SQL, and with one plan for all: planning costs more than running it for a few entries. None of the aggregates sorts: most
    -- groups have nothing to sort, and preparing for it takes longer than all else.
    RETURN QUERY
    WITH field AS MATERIALIZED (
        SELECT f.column_name::text AS key, f.position, f.field_name, f.salesforce_type, f.createable, f.updateable, f.relationship_name,
               f.relationship_field, f.relationship_object, f.relationship_field IS NOT NULL AS names_parent,
               (SELECT array_agg(r.column_name::text) FROM public.hc_field r
                 WHERE r.mapping = f.mapping AND (r.relationship_name = f.relationship_name AND (r.relationship_field IS NULL) <> (f.relationship_field IS NULL)
                                                  OR f.field_name = 'Name' AND r.field_name = 'LastName')) AS rivals
          FROM public.hc_field f WHERE f.mapping = hc_wire_built.mapping
    ), pair AS (
        SELECT p.n, p.key, nullif(p.value, '') AS value, actions[p.n] = 'INSERT' AS creates
          FROM public.hc_pairs_of(hc_wire_built.captured) p WHERE p.key <> ALL ('{id,sfid,_hc_lastop,_hc_err}'::text[])
    ), changed AS (
        SELECT p.n, p.key, p.value, f.position, f.field_name, f.salesforce_type, f.names_parent, f.relationship_name, f.relationship_object, f.relationship_field,
               CASE WHEN p.creates THEN f.createable AND p.value IS NOT NULL ELSE f.updateable END
                   -- Of a lookup and the same parent named by external id one is sent: the external id, unless that is null. A person
                   -- account, which has a last name, makes its name of its parts.
                   AND NOT (f.rivals IS NOT NULL AND (p.value IS NULL OR NOT f.names_parent)
                            AND array_to_string(public.hc_pairs_values(captured[p.n], f.rivals), '') <> '') AND NOT x.masked AS sent,
               x.masked, x.masked OR CASE WHEN p.creates THEN p.value IS NOT NULL AND NOT coalesce(f.createable, false) ELSE NOT coalesce(f.updateable, false) END AS dropped
          FROM pair p LEFT JOIN field f ON f.key = p.key,
               LATERAL (SELECT coalesce(f.salesforce_type = 'encryptedstring' AND public.hc_is_mask(p.value), false) AS masked) x
    ), built AS (
        SELECT c.n,
               jsonb_object_agg(c.field_name, CASE WHEN c.value IS NULL THEN 'false' ELSE public.hc_wire_value(c.salesforce_type, c.value) END)
                   FILTER (WHERE c.sent AND NOT c.names_parent AND (c.value IS NOT NULL OR c.salesforce_type = 'boolean')) AS fields,
               array_agg(CASE WHEN c.names_parent THEN c.relationship_name ELSE c.field_name END)
                   FILTER (WHERE c.sent AND c.value IS NULL AND c.salesforce_type <> 'boolean') AS nulls,
               array_agg(jsonb_build_object('position', c.position, 'relationship', c.relationship_name, 'object', c.relationship_object,
                                            'field', c.relationship_field, 'value', c.value))
                   FILTER (WHERE c.sent AND c.names_parent AND c.value IS NOT NULL) AS parents,
               jsonb_object_agg(c.key, coalesce(c.field_name || CASE WHEN c.masked THEN ' (a mask)' ELSE '' END, c.key || ' (not mapped)')) FILTER (WHERE c.dropped) AS dropped
          FROM changed c GROUP BY c.n
    )
    SELECT e.n, jsonb_build_object(
               'fields', coalesce(b.fields, '{}'),
               'nulls', CASE WHEN b.nulls IS NULL THEN '[]' ELSE (SELECT jsonb_agg(DISTINCT x) FROM unnest(b.nulls) x) END,
               'parents', CASE WHEN b.parents IS NULL THEN '[]' ELSE (SELECT jsonb_agg(x - 'position' ORDER BY (x -> 'position')::integer) FROM unnest(b.parents) x) END,
               'dropped', CASE WHEN b.dropped IS NULL THEN '[]' ELSE (SELECT jsonb_agg(x.value ORDER BY x.key) FROM jsonb_each(b.dropped) x) END)
      FROM generate_series(1::bigint, cardinality(hc_wire_built.captured)) e(n) LEFT JOIN built b ON b.n = e.n;
END
$$;
COMMENT ON FUNCTION public.hc_wire_built(uuid, text[], text[]) IS
    'What captured changes of one mapping send, by their place: {"fields","nulls","parents","dropped"}. Nulls of an INSERT are left out, or they would override defaults; fields that the connected user may not write are dropped and named. Raises for a value that is none of its type.';

CREATE FUNCTION public.hc_wire_record(mapping uuid, action text, captured text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    -- The same for one entry, at a third of what hc_wire_built takes for one. Not in SQL, and with one plan for all: planning it costs more
    -- than running it.
    RETURN (
    WITH changed AS (
        SELECT f.*, nullif(p.value, '') AS value, p.key, coalesce(f.salesforce_type = 'encryptedstring' AND public.hc_is_mask(p.value), false) AS masked
          FROM public.hc_pairs(hc_wire_record.captured) p
          LEFT JOIN public.hc_field f ON f.mapping = hc_wire_record.mapping AND f.column_name = p.key
         WHERE p.key NOT IN ('id', 'sfid', '_hc_lastop', '_hc_err')
    ), sent AS (
        SELECT c.*
          FROM changed c
         WHERE NOT c.masked AND CASE hc_wire_record.action WHEN 'INSERT' THEN c.createable AND c.value IS NOT NULL ELSE c.updateable END
           -- a person account, which has a last name, makes its name of its parts
           AND NOT (c.field_name = 'Name' AND EXISTS (SELECT FROM changed r WHERE r.field_name = 'LastName' AND r.value IS NOT NULL))
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
        'dropped', coalesce((SELECT jsonb_agg(coalesce(c.field_name || CASE WHEN c.masked THEN ' (a mask)' ELSE '' END, c.key || ' (not mapped)') ORDER BY c.key) FROM changed c
                              WHERE c.masked OR CASE hc_wire_record.action WHEN 'INSERT' THEN c.value IS NOT NULL AND NOT coalesce(c.createable, false)
                                                ELSE NOT coalesce(c.updateable, false) END), '[]')));
END
$$;
COMMENT ON FUNCTION public.hc_wire_record(uuid, text, text) IS
    'What one captured change sends: {"fields","nulls","parents","dropped"}. Nulls of an INSERT are left out, or they would override defaults; fields that the connected user may not write are dropped and named.';

CREATE FUNCTION public.hc_wire_records(mapping uuid, ids bigint[], actions text[], captured text[]) RETURNS TABLE (id bigint, wire jsonb, error text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    half integer := cardinality(ids) / 2;
    last integer := cardinality(ids);
BEGIN
    BEGIN
        RETURN QUERY SELECT ids[b.n], b.wire, NULL::text FROM public.hc_wire_built(hc_wire_records.mapping, actions, captured) b;
        RETURN;
    EXCEPTION WHEN data_exception OR syntax_error OR internal_error THEN   -- the last two: text that is no hstore, in an entry written by hand
        id := ids[1];
        error := SQLERRM;
    END;
    IF last = 1 THEN
        RETURN NEXT;
        RETURN;
    END IF;
    -- One of them is bad: halves find it in as many steps as its place has digits in binary.
    RETURN QUERY SELECT * FROM public.hc_wire_records(hc_wire_records.mapping, ids[:half], actions[:half], captured[:half]);
    RETURN QUERY SELECT * FROM public.hc_wire_records(hc_wire_records.mapping, ids[half + 1:], actions[half + 1:], captured[half + 1:]);
END
$$;
COMMENT ON FUNCTION public.hc_wire_records(uuid, bigint[], text[], text[]) IS
    'What many captured changes of one mapping send, each as hc_wire_record says; for a change with a value that is none of its type, the error instead.';
