-- Changing a mapping, last part: what is left to do outside a transaction, in its order. Asked again after each interruption, it lists
-- what is left then.

-- Surplus is what a changed configuration does not ask for any more; indexes that a user made are never listed.
CREATE FUNCTION public.hc_mapping_indexes(mapping uuid) RETURNS TABLE (index_name name, column_name name, state text, statement text)
LANGUAGE sql STABLE AS $function$
    WITH m AS (
        SELECT h.*, n.schema, pg_catalog.to_regclass(pg_catalog.format('%I.%I', n.schema, h.table_name)) AS target
          FROM public.hc_mapping h CROSS JOIN LATERAL (SELECT public.hc_mapping_schema(h.id)) AS n(schema) WHERE h.id = $1
    ), planned AS (
        SELECT m.schema, m.target, (i.value ->> 'name')::name AS index_name, i.key::name AS column_name, (i.value ->> 'unique')::boolean AS is_unique,
               x.indisvalid AND x.indrelid = m.target AS is_valid,
               EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = x.indexrelid) AS is_building
          FROM m CROSS JOIN LATERAL pg_catalog.jsonb_each(m.names -> 'indexes') i
          LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', m.schema, i.value ->> 'name'))
         WHERE m.target IS NOT NULL
    )
    SELECT s.index_name, s.column_name, s.state, s.statement FROM (
        SELECT 1 AS place, p.index_name, p.column_name, 'invalid' AS state, pg_catalog.format('DROP INDEX CONCURRENTLY %I.%I', p.schema, p.index_name) AS statement
          FROM planned p WHERE NOT p.is_valid AND NOT p.is_building
        UNION ALL
        SELECT 2, p.index_name, p.column_name, CASE WHEN p.is_building THEN 'building' ELSE 'missing' END,
               CASE WHEN NOT p.is_building THEN pg_catalog.format('CREATE %sINDEX CONCURRENTLY %I ON %s (%I)', CASE WHEN p.is_unique THEN 'UNIQUE ' END,
                                                                  p.index_name, p.target, p.column_name) END
          FROM planned p WHERE p.is_valid IS NOT TRUE
        UNION ALL
        SELECT 3, d.name::name, NULL, 'surplus', pg_catalog.format('DROP INDEX CONCURRENTLY %I.%I', m.schema, d.name)
          FROM m CROSS JOIN LATERAL pg_catalog.jsonb_array_elements_text(m.names -> 'surplus') d(name)
          JOIN pg_catalog.pg_index x ON x.indexrelid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', m.schema, d.name)) AND x.indrelid = m.target) s
     ORDER BY s.place, s.index_name
$function$;
COMMENT ON FUNCTION public.hc_mapping_indexes(uuid) IS
    'Indexes of a mapping that are missing, left invalid by a build that was cut off, or surplus, each with the statement to run outside a transaction';

CREATE FUNCTION public.hc_mapping_pending(mapping uuid) RETURNS TABLE (step text, statement text)
LANGUAGE sql STABLE AS $function$
    WITH changes AS (
        SELECT h.*, pg_catalog.format('(%L, %L, %L)', h.schema_name, h.table_name, h.column_name) AS arguments
          FROM public.hc_column_change h WHERE h.mapping = $1
    )
    SELECT s.step, s.statement FROM (
        SELECT c.column_name, 1 AS place, ''::text AS name, 'fill column'::text AS step, 'CALL public.hc_column_fill' || c.arguments AS statement
          FROM changes c WHERE c.step = 'fill'
        UNION ALL
        SELECT c.column_name, 2, w.index_name::text, 'drop index', pg_catalog.format('DROP INDEX CONCURRENTLY %I.%I', c.schema_name, w.twin)
          FROM changes c CROSS JOIN LATERAL public.hc_column_twins(c.schema_name, c.table_name, c.column_name) w WHERE w.broken
        UNION ALL
        SELECT c.column_name, 3, w.index_name::text, 'build index', w.statement
          FROM changes c CROSS JOIN LATERAL public.hc_column_twins(c.schema_name, c.table_name, c.column_name) w WHERE NOT w.ready
        UNION ALL
        SELECT c.column_name, 4, '', 'swap column', 'SELECT public.hc_column_swap' || c.arguments FROM changes c WHERE c.step <> 'validate'
        UNION ALL
        SELECT c.column_name, 5, '', 'validate', 'CALL public.hc_column_validate' || c.arguments FROM changes c WHERE c.step = 'validate'
        UNION ALL
        SELECT NULL, 6, pg_catalog.row_number() OVER ()::text, CASE i.state WHEN 'missing' THEN 'build index' ELSE 'drop index' END, i.statement
          FROM public.hc_mapping_indexes($1) i WHERE i.statement IS NOT NULL) s
     ORDER BY s.column_name NULLS LAST, s.place, s.name
$function$;
COMMENT ON FUNCTION public.hc_mapping_pending(uuid) IS
    'What is left of a changed mapping, as statements to be run in this order, each by itself outside a transaction; ask again until nothing is left';
