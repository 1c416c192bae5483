-- Adoption, first part: what Heroku Connect left in a schema, read from the catalogs. Nothing here reads a mapped table. Every
-- name is taken as it stands, because generations of Heroku Connect named, ordered and spelled things differently.

-- Only a plain column of a type that Heroku Connect makes can be a field; all others are the user's.
CREATE FUNCTION public.hc_adopt_columns(relation pg_catalog.oid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT coalesce(jsonb_object_agg(a.attname, jsonb_build_object(
               'type', format_type(a.atttypid, a.atttypmod), 'filled', a.atthasdef OR a.attidentity <> '',
               'required', a.attnotnull,
               'field', NOT a.atthasdef AND a.attidentity = '' AND (NOT a.attnotnull OR a.attname = 'sfid')
                        AND a.attname ~ '^[a-z][a-z0-9_]*$' AND a.attname NOT IN ('id', '_hc_lastop', '_hc_err')
                        AND format_type(a.atttypid, NULL) IN ('character varying', 'text', 'boolean', 'integer', 'bigint', 'double precision',
                            'date', 'timestamp without time zone', 'time without time zone'),
               'collation', (SELECT l.collname FROM pg_collation l WHERE l.oid = a.attcollation))), '{}')
      FROM pg_attribute a
     WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
$function$;
COMMENT ON FUNCTION public.hc_adopt_columns(pg_catalog.oid) IS 'Columns of a table by name: type, and whether it can be a mapped field';

-- A trigger of Heroku Connect is told by its name and by what its function does: hand-written triggers write the log too.
CREATE FUNCTION public.hc_adopt_trigger(schema name, relation pg_catalog.oid, kind text) RETURNS pg_catalog.pg_trigger
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT few.t
      -- First the few triggers of the table: to look through all bodies first would take milliseconds for each table.
      FROM (SELECT t, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
             WHERE t.tgrelid = $2 AND NOT t.tgisinternal AND t.tgname ~ '^hc_' AND t.tgtype & 1 = 1
               AND (t.tgtype & 66 = 0) = (kind = 'log')   -- 2: BEFORE, 64: INSTEAD OF
            OFFSET 0) few
     WHERE EXISTS (SELECT FROM (SELECT p.proname, p.prosrc, p.pronamespace FROM pg_proc p WHERE p.oid = (few.t).tgfoid OFFSET 0) p
                     JOIN pg_namespace n ON n.oid = p.pronamespace
                    WHERE n.nspname = $1 AND p.proname ~ '^hc_' AND p.prosrc ~ CASE kind WHEN 'log' THEN '_trigger_log' ELSE '_hc_lastop' END
                       OR n.nspname = 'public' AND p.proname = CASE kind WHEN 'log' THEN 'hc_capture' ELSE 'hc_status' END)
     ORDER BY (few.t).tgname = 'hc_' || few.relname || CASE kind WHEN 'log' THEN '_logtrigger' ELSE '_status_trigger' END DESC, (few.t).tgname
     LIMIT 1
$function$;
COMMENT ON FUNCTION public.hc_adopt_trigger(name, pg_catalog.oid, text) IS 'The log or status trigger that Heroku Connect made on a table; kind is log or status';

-- The function stays when its trigger was dropped. A name over 63 bytes may have been cut by PostgreSQL or shortened like an index.
CREATE FUNCTION public.hc_adopt_function(schema name, table_name name, suffix text) RETURNS pg_catalog.oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = $1 AND p.pronargs = 0 AND p.prorettype = 'trigger'::regtype
       AND p.proname IN (left('hc_' || $2 || $3, 63), public.hc_short_name('hc_' || $2 || $3))
     ORDER BY p.proname LIMIT 1
$function$;
COMMENT ON FUNCTION public.hc_adopt_function(name, name, text) IS 'The trigger function of a table by its name, with or without a trigger that calls it';

-- What the logger writes as initial state decides whether changes are sent.
CREATE FUNCTION public.hc_adopt_access(log_trigger pg_catalog.pg_trigger, logger pg_catalog.oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT CASE coalesce(substring(encode($1.tgargs, 'escape') FROM '^(NEW|READONLY)'),
                         (SELECT substring(p.prosrc FROM 'state\s*:?=\s*''(NEW|READONLY)''') FROM pg_proc p WHERE p.oid = $2))
                WHEN 'NEW' THEN 'read_write' WHEN 'READONLY' THEN 'read_only' END
$function$;
COMMENT ON FUNCTION public.hc_adopt_access(pg_catalog.pg_trigger, pg_catalog.oid) IS 'Access of a mapping as its log trigger says it; null where it says nothing';

-- A table is mapped if it has a trigger of Heroku Connect, or all its system columns together with a function or an index that
-- bears its name: a copy that somebody made of a mapped table has the columns, but neither.
CREATE FUNCTION public.hc_adopt_tables(schema name)
RETURNS TABLE (table_name name, relation pg_catalog.oid, owner name, "rows" bigint, columns jsonb, log_trigger pg_catalog.pg_trigger,
               status_trigger pg_catalog.pg_trigger, logger pg_catalog.oid, status pg_catalog.oid, is_mapped boolean, resembles boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    WITH found AS MATERIALIZED (   -- or each use of a column would look it up again
        SELECT c.oid, c.relname, c.relnamespace, pg_get_userbyid(c.relowner) AS owner, greatest(c.reltuples, 0)::bigint AS rows, public.hc_adopt_columns(c.oid) AS columns,
               public.hc_adopt_trigger($1, c.oid, 'log') AS log_trigger, public.hc_adopt_trigger($1, c.oid, 'status') AS status_trigger
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
           AND c.relname NOT IN ('_hcmeta', '_sf_event_log', '_trigger_log', '_trigger_log_archive', '_trigger_last_id', 'c5_versions')
    ), named AS MATERIALIZED (
        SELECT f.*, coalesce((SELECT p.oid FROM pg_proc p WHERE p.oid = (f.log_trigger).tgfoid AND p.pronamespace = f.relnamespace),
                             public.hc_adopt_function($1, f.relname, '_logger')) AS logger,
               coalesce((SELECT p.oid FROM pg_proc p WHERE p.oid = (f.status_trigger).tgfoid AND p.pronamespace = f.relnamespace),
                        public.hc_adopt_function($1, f.relname, '_status')) AS status
          FROM found f)
    SELECT t.relname, t.oid, t.owner, t.rows, t.columns, t.log_trigger, t.status_trigger, t.logger, t.status,
           (t.log_trigger).oid IS NOT NULL OR (t.status_trigger).oid IS NOT NULL
           OR t.columns ?& ARRAY['id', 'sfid', '_hc_lastop', '_hc_err'] AND (t.logger IS NOT NULL OR t.status IS NOT NULL
              OR EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                          WHERE i.indrelid = t.oid AND x.relname = public.hc_index_name(t.relname, 'sfid', true))),
           t.columns ?& ARRAY['id', 'sfid', '_hc_lastop', '_hc_err']
      FROM named t
$function$;
COMMENT ON FUNCTION public.hc_adopt_tables(name) IS
    'Tables of a schema: which of them Heroku Connect mapped, and the triggers and functions of each as they are named';

-- Every index that a mapping wants or has: column => {name, unique}. The names of those that are there; else the usual ones.
CREATE FUNCTION public.hc_adopt_indexes(table_name name, relation pg_catalog.oid, wanted jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    WITH found AS (
        SELECT a.attname AS column_name, x.relname AS index_name, i.indisunique AS is_unique
          FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
         WHERE i.indrelid = $2 AND i.indnkeyatts = 1 AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid AND m.amname = 'btree')
    SELECT coalesce(jsonb_object_agg(w.column_name, coalesce(
               (SELECT jsonb_build_object('name', f.index_name, 'unique', f.is_unique) FROM found f
                 WHERE f.column_name = w.column_name AND (f.is_unique OR NOT w.is_unique)
                 ORDER BY f.index_name ~ '^hcu?_idx_' DESC, f.is_unique = w.is_unique DESC, f.index_name LIMIT 1),
               jsonb_build_object('name', public.hc_index_name($1, w.column_name, w.is_unique), 'unique', w.is_unique))), '{}')
      FROM (SELECT u.column_name, bool_or(u.is_unique) AS is_unique
              FROM (SELECT 'sfid', true UNION ALL SELECT 'systemmodstamp', false
                    UNION ALL SELECT k, (v ->> 'unique')::boolean FROM jsonb_each($3) AS members(k, v)
                    UNION ALL SELECT f.column_name, f.is_unique FROM found f WHERE f.index_name ~ '^hcu?_idx_') AS u(column_name, is_unique)
             GROUP BY 1) w
$function$;
COMMENT ON FUNCTION public.hc_adopt_indexes(name, pg_catalog.oid, jsonb) IS 'Indexes of an adopted table by column, with their real names; those that are missing with the name they will get';

-- hc_mapping.names of an adopted table. What is missing gets the usual name, and is made when the triggers are exchanged.
CREATE FUNCTION public.hc_adopt_names(t record, wanted_indexes jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    RETURN public.hc_object_names(t.table_name) || jsonb_strip_nulls(jsonb_build_object(
        'sequence', (SELECT s.relname FROM pg_depend d JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
                      JOIN pg_attrdef f ON f.oid = d.objid JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
                     WHERE d.classid = 'pg_attrdef'::regclass AND f.adrelid = t.relation AND a.attname = 'id' LIMIT 1),
        'primary_key', (SELECT k.conname FROM pg_constraint k WHERE k.conrelid = t.relation AND k.contype = 'p'),
        'logger', (SELECT p.proname FROM pg_proc p WHERE p.oid = t.logger),
        'status', (SELECT p.proname FROM pg_proc p WHERE p.oid = t.status),
        'log_trigger', (t.log_trigger).tgname,
        'status_trigger', (t.status_trigger).tgname,
        'indexes', public.hc_adopt_indexes(t.table_name, t.relation, wanted_indexes)));
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_names(record, jsonb) IS 'Names of an adopted table''s objects as they really are';
