-- Superseded: an older change that is sent again must not put back what a newer one, which Salesforce has accepted, has changed since

CREATE FUNCTION public.hc_supersede(c public.hc_connection, m public.hc_mapping, entry bigint) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    log text := public.hc_log_table(c);
    captured text; record_id bigint; origin bigint; action text;
    columns text[];
BEGIN
    EXECUTE format('SELECT g."values", g.record_id::bigint, g.action, coalesce(substring(g.sf_message FROM ''^captured again from entry (\d+)'')::bigint, g.id) FROM %s g WHERE g.id = $1', log)
        INTO captured, record_id, action, origin USING entry;
    IF action = 'DELETE' OR record_id IS NULL OR public.hc_setting(c, 'requeued_change', 'drop') = 'send' THEN
        RETURN captured;
    END IF;
    -- The newest accepted value of each column counts: one that is the same, as of a copy of this very change, is sent again.
    EXECUTE format('SELECT array_agg(p.key ORDER BY p.key) FROM public.hc_pairs($1) p, (
                        SELECT DISTINCT ON (q.key) q.key, q.value
                          FROM public.hc_generation_of($2, $4) g, %I._trigger_log_archive a, public.hc_pairs(a."values") q
                         WHERE a.record_id = $3 AND a.table_name = $5 AND a.id > $4 AND a.id <> $6 AND a.id > g.above AND a.id <= g.upto
                           AND (a.state = ''SUCCESS'' OR a.state = ''MERGED'' AND a.sf_result IS DISTINCT FROM 1) AND a.action IN (''INSERT'', ''UPDATE'') ORDER BY q.key, a.id DESC) n
                     WHERE n.key = p.key AND n.value IS DISTINCT FROM p.value AND p.key NOT IN (''id'', ''sfid'')', c.schema_name)
        INTO columns USING captured, m.id, record_id, origin, m.table_name::text, entry;
    IF columns IS NOT NULL THEN
        PERFORM public.hc_use_application_path();
        EXECUTE format('UPDATE %s g SET sf_message = $3, updated_at = clock_timestamp(),
                               "values" = coalesce((SELECT public.hc_pairs_text(array_agg(p.key), array_agg(p.value)) FROM public.hc_pairs(g."values") p WHERE NOT p.key = ANY ($2)), '''')
                         WHERE g.id = $1 RETURNING g."values"', log) INTO captured
            USING entry, columns, format('not sent, because newer changes of the record were accepted meanwhile: %s',
                (SELECT string_agg(coalesce(f.field_name, k), ', ' ORDER BY k) FROM unnest(columns) k LEFT JOIN public.hc_field f ON f.mapping = m.id AND f.column_name = k));
    END IF;
    RETURN captured;
END
$$;
COMMENT ON FUNCTION public.hc_supersede(public.hc_connection, public.hc_mapping, bigint) IS
    'Takes out of a change that is sent again the columns that newer accepted changes of its record have, says so in its sf_message, and returns what is left; not with the setting requeued_change = send.';
