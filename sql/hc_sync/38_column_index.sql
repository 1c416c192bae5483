-- Another type for a column under load, third part: each index of the old column is built for the new one beside it.

CREATE FUNCTION public.hc_index_keys(index oid, old_column name, new_column name, included boolean) RETURNS text
LANGUAGE sql STABLE AS $function$
    SELECT pg_catalog.string_agg(
        CASE WHEN included THEN pg_catalog.quote_ident(shown.name)
        ELSE pg_catalog.concat_ws(' ', pg_catalog.quote_ident(shown.name),
            CASE WHEN a.attname <> old_column AND i.indcollation[n - 1] NOT IN (0, a.attcollation) THEN
                (SELECT 'COLLATE ' || l.oid::pg_catalog.regcollation FROM pg_catalog.pg_collation l WHERE l.oid = i.indcollation[n - 1]) END,
            CASE WHEN a.attname <> old_column AND NOT o.opcdefault THEN pg_catalog.format('%I.%I', s.nspname, o.opcname) END,
            CASE WHEN i.indoption[n - 1] & 1 = 1 THEN 'DESC' END,
            CASE WHEN i.indoption[n - 1] & 2 = 2 AND i.indoption[n - 1] & 1 = 0 THEN 'NULLS FIRST'
                 WHEN i.indoption[n - 1] & 2 = 0 AND i.indoption[n - 1] & 1 = 1 THEN 'NULLS LAST' END) END, ', ' ORDER BY n)
      FROM pg_catalog.pg_index i
     CROSS JOIN pg_catalog.generate_series(1, i.indnatts) n
      JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n - 1]
     CROSS JOIN LATERAL (SELECT CASE WHEN a.attname = old_column THEN new_column ELSE a.attname END) AS shown(name)
      LEFT JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[n - 1] AND n <= i.indnkeyatts
      LEFT JOIN pg_catalog.pg_namespace s ON s.oid = o.opcnamespace
     WHERE i.indexrelid = index AND (n > i.indnkeyatts) = included
$function$;
COMMENT ON FUNCTION public.hc_index_keys(oid, name, name, boolean) IS
    'Key columns, or included columns, of an index as CREATE INDEX takes them, one column replaced by another';

-- statement: what builds the twin; null when it stands and is valid.
CREATE FUNCTION public.hc_column_twins(in_schema name, of_table name, of_column name)
RETURNS TABLE (index_name name, twin name, "constraint" name, constraint_tail text, is_identity boolean, ready boolean, broken boolean, statement text)
LANGUAGE sql STABLE AS $function$
    SELECT x.relname, t.name, k.conname,
           CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' END || ' USING INDEX '
               || pg_catalog.quote_ident(t.name) || CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END
               || CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END,
           i.indisreplident, coalesce(w.indisvalid, false), NOT coalesce(w.indisvalid, true),
           pg_catalog.format('CREATE %sINDEX CONCURRENTLY %I ON %I.%I USING %I (%s)%s%s%s%s', CASE WHEN i.indisunique THEN 'UNIQUE ' END, t.name,
               in_schema, of_table, m.amname, public.hc_index_keys(x.oid, of_column, h.new_column, false),
               ' INCLUDE (' || public.hc_index_keys(x.oid, of_column, h.new_column, true) || ')',
               CASE WHEN pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct' = 'true' THEN ' NULLS NOT DISTINCT' END,
               ' WITH (' || pg_catalog.array_to_string(x.reloptions, ', ') || ')',
               (SELECT pg_catalog.format(' TABLESPACE %I', s.spcname) FROM pg_catalog.pg_tablespace s WHERE s.oid = x.reltablespace))
      FROM public.hc_column_change h
      JOIN pg_catalog.pg_attribute a ON a.attrelid = pg_catalog.format('%I.%I', in_schema, of_table)::pg_catalog.regclass AND a.attname = of_column
      JOIN pg_catalog.pg_index i ON i.indrelid = a.attrelid AND a.attnum = ANY (i.indkey::pg_catalog.int2[])
                                AND i.indexprs IS NULL AND i.indpred IS NULL AND i.indisvalid
      JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
      JOIN pg_catalog.pg_am m ON m.oid = x.relam
     CROSS JOIN LATERAL (SELECT public.hc_short_name('_hc_new_' || x.relname)) AS t(name)
      LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = x.oid AND k.conrelid = a.attrelid AND k.contype IN ('p', 'u')
      LEFT JOIN pg_catalog.pg_class y ON y.relname = t.name AND y.relnamespace = x.relnamespace
      LEFT JOIN pg_catalog.pg_index w ON w.indexrelid = y.oid AND w.indrelid = a.attrelid
     WHERE h.schema_name = in_schema AND h.table_name = of_table AND h.column_name = of_column AND h.step <> 'validate'
     ORDER BY x.relname
$function$;
COMMENT ON FUNCTION public.hc_column_twins(name, name, name) IS
    'Indexes of a column whose type changes, and their twins on the new column: ready, broken (a build was cut off) or to be built with the statement';
