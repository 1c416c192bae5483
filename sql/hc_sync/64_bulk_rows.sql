-- Bulk, the rows: which changes a job can carry, and how they read as CSV

CREATE FUNCTION public.hc_bulk_least(c public.hc_connection) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT greatest(coalesce((c.settings ->> 'bulk_threshold')::integer, 2000), 1)
$$;
COMMENT ON FUNCTION public.hc_bulk_least(public.hc_connection) IS 'From how many changes of one object and operation on a Bulk job is worth its calls: the setting bulk_threshold, 2,000 without it.';

CREATE FUNCTION public.hc_bulk_api(c public.hc_connection, operation text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    -- Results of Bulk 2.0 come in no order: a record that is created without an identifier could not be told from others.
    SELECT CASE WHEN coalesce((c.settings #>> '{features,disable_bulk_writes}')::boolean, false) THEN NULL
                WHEN operation = 'create' OR v.version < 41 THEN CASE WHEN v.version >= 39 THEN 'bulk1' END
                ELSE 'bulk2' END
      FROM (SELECT coalesce(c.api_version::numeric, 62) AS version) v
$$;
COMMENT ON FUNCTION public.hc_bulk_api(public.hc_connection, text) IS
    'The Bulk API that can carry the operation: bulk2 from version 41.0 on, where results can be matched; else bulk1 from 39.0 on; null where none can, or where the feature disable_bulk_writes is on.';

CREATE FUNCTION public.hc_bulk_limit(api text) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT CASE api WHEN 'bulk1' THEN 10000 ELSE 100000 END $$;
COMMENT ON FUNCTION public.hc_bulk_limit(text) IS 'The most changes that one job of the API carries here.';

CREATE FUNCTION public.hc_bulk_relationships(mapping uuid) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT f.relationship_name), '{}') FROM public.hc_field f
     WHERE f.mapping = hc_bulk_relationships.mapping AND f.relationship_field IS NOT NULL
$$;
COMMENT ON FUNCTION public.hc_bulk_relationships(uuid) IS 'Names of the parents that the mapping names by external id, for hc_bulk_refusal.';

CREATE FUNCTION public.hc_bulk_refusal(payload jsonb, relationships text[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT min(CASE WHEN v.value = '#N/A' THEN 'a value is the text #N/A, which means null there'
                    WHEN strpos(v.value, E'\r') > 0 THEN 'a value contains a carriage return'
                    WHEN length(v.value) > 32000 THEN 'a value has more than 32,000 characters'
                    WHEN v.is_null AND v.value = ANY (relationships) THEN 'a parent named by external id is set to null' END)
      FROM (SELECT x.value, false AS is_null FROM jsonb_each_text(payload -> 'fields') x
            UNION ALL SELECT p.value ->> 'value', false FROM jsonb_array_elements(payload -> 'parents') p
            UNION ALL SELECT n.value, true FROM jsonb_array_elements_text(payload -> 'nulls') n) v
$$;
COMMENT ON FUNCTION public.hc_bulk_refusal(jsonb, text[]) IS 'Why the change cannot travel as a row of CSV; null when it can.';

CREATE FUNCTION public.hc_bulk_columns(b public.hc_batch) RETURNS TABLE (header text, kind text, name text, field text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
    WITH sent AS MATERIALIZED (
        SELECT e.payload FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied AND e.merged_into IS NULL
    ), named AS (
        SELECT 'id' AS kind, 'Id' AS name, NULL::text AS field, NULL::text AS object WHERE b.operation IN ('update', 'delete')
        UNION
        SELECT 'field', k.name, NULL, NULL FROM sent, LATERAL jsonb_object_keys(sent.payload -> 'fields') k(name) WHERE b.operation <> 'delete'
        UNION
        SELECT 'field', n.name, NULL, NULL FROM sent, LATERAL jsonb_array_elements_text(sent.payload -> 'nulls') n(name) WHERE b.operation <> 'delete'
        UNION
        SELECT 'parent', p.value ->> 'relationship', p.value ->> 'field', p.value ->> 'object'
          FROM sent, LATERAL jsonb_array_elements(sent.payload -> 'parents') p WHERE b.operation <> 'delete'
    )
    -- The type of the parent goes before it only where the lookup may point to several: elsewhere Salesforce refuses the job.
    SELECT CASE n.kind WHEN 'parent' THEN
               CASE WHEN EXISTS (SELECT FROM public.hc_mapping m, jsonb_array_elements(m.description -> 'fields') d
                                  WHERE m.id = b.mapping AND d.value ->> 'relationshipName' = n.name AND jsonb_array_length(d.value -> 'referenceTo') > 1)
                    THEN n.object || ':' ELSE '' END || n.name || '.' || n.field
               ELSE n.name END, n.kind, n.name, n.field
      FROM named n ORDER BY n.kind = 'id' DESC, n.kind, n.name, n.field, n.object
$$;
COMMENT ON FUNCTION public.hc_bulk_columns(public.hc_batch) IS 'The columns of the batch''s CSV: all that any of its changes sends.';

CREATE FUNCTION public.hc_bulk_copy(b public.hc_batch) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    -- The header is data, because the name of a column in SQL has 63 bytes at most. Operators are named with their schema: the
    -- statement runs under the path of the relay's session. Null is #N/A; what a change does not name stays empty, and Salesforce
    -- leaves it alone.
    SELECT jsonb_build_object('header', string_agg(x.header, ',' ORDER BY x.ordinality) || E'\n',
        'copy', format('COPY (SELECT %s FROM public.hc_batch_entry e WHERE e.batch OPERATOR(pg_catalog.=) %s AND e.outcome IS NULL AND NOT e.applied AND e.merged_into IS NULL ORDER BY e.position) TO STDOUT WITH (FORMAT csv, FORCE_QUOTE *)',
            string_agg(CASE x.kind
                WHEN 'id' THEN 'e.payload OPERATOR(pg_catalog.->>) ''id''::text'
                WHEN 'field' THEN format('CASE WHEN (e.payload OPERATOR(pg_catalog.->) ''nulls''::text) OPERATOR(pg_catalog.?) %1$L::text THEN ''#N/A'' ELSE (e.payload OPERATOR(pg_catalog.->) ''fields''::text) OPERATOR(pg_catalog.->>) %1$L::text END', x.name)
                ELSE format('(SELECT p.value OPERATOR(pg_catalog.->>) ''value''::text FROM pg_catalog.jsonb_array_elements(e.payload OPERATOR(pg_catalog.->) ''parents''::text) p WHERE p.value OPERATOR(pg_catalog.@>) %L::jsonb)',
                            jsonb_build_object('relationship', x.name, 'field', x.field)
                            || CASE WHEN strpos(x.header, ':') > 0 THEN jsonb_build_object('object', split_part(x.header, ':', 1)) ELSE '{}' END) END,
                ', ' ORDER BY x.ordinality), b.id))
      FROM public.hc_bulk_columns(b) WITH ORDINALITY AS x
$$;
COMMENT ON FUNCTION public.hc_bulk_copy(public.hc_batch) IS 'The header line of the batch''s CSV, and the COPY statement that gives its rows, in order.';
