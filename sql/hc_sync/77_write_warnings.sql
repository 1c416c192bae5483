-- Warnings of merged writes: what it may cost to send the net effect of changes

CREATE FUNCTION public.hc_parent_cycles(connection uuid) RETURNS TABLE (objects text[], fields text[])
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE edge AS (
        SELECT m.object_name AS child, f.field_name AS field, p.object_name AS parent
          FROM public.hc_mapping m JOIN public.hc_field f ON f.mapping = m.id AND (f.createable OR f.updateable)
          JOIN public.hc_mapping p ON p.connection = m.connection AND p.access = 'read_write'
                                  AND (p.object_name = f.relationship_object OR f.relationship_object IS NULL AND p.object_name = ANY (f.reference_to))
         WHERE m.connection = hc_parent_cycles.connection AND m.access = 'read_write'
    ), way AS (
        -- Each cycle once: from the first of its objects, over later ones only.
        SELECT e.child AS first, e.parent AS last, ARRAY[e.child] AS objects, ARRAY[e.child || '.' || e.field] AS fields FROM edge e WHERE e.parent >= e.child
        UNION ALL
        SELECT w.first, e.parent, w.objects || e.child, w.fields || (e.child || '.' || e.field)
          FROM way w JOIN edge e ON e.child = w.last
         WHERE w.last <> w.first AND cardinality(w.objects) < 8 AND NOT e.child = ANY (w.objects) AND e.parent >= w.first
    )
    SELECT w.objects, w.fields FROM way w WHERE w.last = w.first ORDER BY cardinality(w.objects), w.objects COLLATE "C", w.fields COLLATE "C" LIMIT 20
$$;
COMMENT ON FUNCTION public.hc_parent_cycles(uuid) IS
    'Mapped objects, read and written, that name each other as parents in a circle of up to eight, and the fields by which they do; an object that names itself is one, too.';

CREATE FUNCTION public.hc_write_warnings(c public.hc_connection) RETURNS TABLE (topic text, warning text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'circular dependency', format('%s: new records that name each other in this circle (%s) cannot each wait for its parent, so one is sent without its parent, which follows as an update. Merged writes change the order of the log, so this is met more often; write_algorithm planned or ordered keeps it',
                                         array_to_string(x.objects || x.objects[1], ' → '), array_to_string(x.fields, ', '))
      FROM public.hc_parent_cycles(c.id) x WHERE public.hc_write_algorithm(c) = 'merged'
    UNION ALL
    SELECT 'automation', format('flows, triggers and rules in the org see the net effect of a record''s changes, not each change: repeated edits of %s arrive as one. No description says which objects have automation that must see each change; if one has, set the connection''s write_algorithm to planned or ordered',
                                string_agg(m.object_name, ', ' ORDER BY m.object_name COLLATE "C"))
      FROM public.hc_mapping m WHERE m.connection = c.id AND m.access = 'read_write' AND public.hc_write_algorithm(c) = 'merged'
    HAVING count(*) > 0
$$;
COMMENT ON FUNCTION public.hc_write_warnings(public.hc_connection) IS
    'What a person must know who has merged writes: circles of parents, and automation in the org that must see each change; nothing for the other algorithms.';
