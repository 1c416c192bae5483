-- Indexes that a mapping wants, or the log needs, and that are not there. They are built one by one, without locking the table.

CREATE FUNCTION public.hc_has_index(relation regclass, columns name[]) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = $1 AND i.indisvalid
                      AND (SELECT array_agg(a.attname ORDER BY k.place) FROM unnest(i.indkey) WITH ORDINALITY AS k(number, place)
                             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number) = $2)
$function$;
COMMENT ON FUNCTION public.hc_has_index(regclass, name[]) IS 'Whether a table has a valid index on exactly these columns, whatever its name';

CREATE FUNCTION public.hc_missing_indexes(connection uuid) RETURNS TABLE (table_name name, index_name name, statement text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    WITH wanted AS (
        SELECT c.schema_name AS schema, m.table_name, (i.value ->> 'name')::name AS index_name, (i.value ->> 'unique')::boolean AS is_unique,
               quote_ident(i.key) AS columns, '' AS predicate
          FROM public.hc_mapping m JOIN public.hc_connection c ON c.id = m.connection, jsonb_each(m.names -> 'indexes') i WHERE c.id = $1
        UNION ALL
        SELECT c.schema_name, w.table_name::name, w.index_name::name, false, array_to_string(w.columns, ', '), w.predicate
          FROM public.hc_connection c, (VALUES
            ('_trigger_log', '_trigger_log_idx_created_at', '{created_at}'::name[], ''),
            ('_trigger_log', '_trigger_log_idx_state_id', '{state,id}', ''),
            ('_trigger_log', '_trigger_log_idx_state_table_name', '{state,table_name}', ' WHERE state = ''NEW'' OR state = ''PENDING'''),
            ('_trigger_log_archive', '_trigger_log_archive_idx_created_at', '{created_at}', ''),
            ('_trigger_log_archive', '_trigger_log_archive_idx_record_id', '{record_id}', ''),
            ('_trigger_log_archive', '_trigger_log_archive_idx_state_table_name', '{state,table_name}', ' WHERE state = ''FAILED'''))
               AS w(table_name, index_name, columns, predicate)
         WHERE c.id = $1 AND NOT public.hc_has_index(to_regclass(format('%I.%I', c.schema_name, w.table_name)), w.columns))
    SELECT w.table_name, w.index_name,
           -- An index that somebody's attempt left invalid has the name already.
           CASE WHEN x.indexrelid IS NOT NULL THEN format('REINDEX INDEX CONCURRENTLY %I.%I', w.schema, w.index_name)
                ELSE format('CREATE %sINDEX CONCURRENTLY %I ON %I.%I (%s)%s', CASE WHEN w.is_unique THEN 'UNIQUE ' ELSE '' END, w.index_name, w.schema, w.table_name,
                            w.columns, w.predicate) END
      FROM wanted w LEFT JOIN pg_index x ON x.indexrelid = to_regclass(format('%I.%I', w.schema, w.index_name))
     WHERE to_regclass(format('%I.%I', w.schema, w.table_name)) IS NOT NULL
       AND (to_regclass(format('%I.%I', w.schema, w.index_name)) IS NULL OR NOT x.indisvalid)
     ORDER BY w.table_name, w.index_name
$function$;
COMMENT ON FUNCTION public.hc_missing_indexes(uuid) IS
    'Indexes that a connection''s tables want and lack, each with the statement that builds it without locking the table';
