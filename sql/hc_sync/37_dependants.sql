-- What depends on a column: what a swap of the column takes along, and what stands in the way.

-- follows: indexes on plain columns, and the table's own keys, CHECK and (from PostgreSQL 18 on) NOT NULL constraints, can be made
-- again for another column.
CREATE FUNCTION public.hc_column_dependants(target regclass, column_name name)
RETURNS TABLE (kind text, object oid, identity text, follows boolean)
LANGUAGE sql STABLE STRICT AS $function$
    WITH found AS (
        SELECT DISTINCT d.classid, d.objid, d.objsubid
          FROM pg_catalog.pg_attribute a
          JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
         WHERE a.attrelid = $1 AND a.attname = $2 AND NOT a.attisdropped
           -- its own default, and the sequence behind it
           AND NOT (d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND a.attgenerated = '' AND EXISTS (
                SELECT FROM pg_catalog.pg_attrdef f WHERE f.oid = d.objid AND f.adrelid = a.attrelid AND f.adnum = a.attnum))
           AND NOT (d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND EXISTS (
                SELECT FROM pg_catalog.pg_class s WHERE s.oid = d.objid AND s.relkind = 'S'))
    )
    SELECT DISTINCT CASE WHEN v.oid IS NOT NULL THEN 'view' WHEN c.relkind IN ('i', 'I') THEN 'index' WHEN k.oid IS NOT NULL THEN 'constraint'
                WHEN f.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass THEN 'trigger' ELSE 'other' END,
           coalesce(v.oid, f.objid),
           CASE WHEN v.oid IS NOT NULL THEN pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, v.oid, 0)
                ELSE pg_catalog.pg_describe_object(f.classid, f.objid, f.objsubid) END,
           coalesce(i.indexrelid IS NOT NULL AND i.indexprs IS NULL AND i.indpred IS NULL OR k.conrelid = $1 AND k.contype IN ('p', 'u', 'c', 'n'), false)
      FROM found f
      LEFT JOIN pg_catalog.pg_rewrite r ON f.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = f.objid
      LEFT JOIN pg_catalog.pg_class v ON v.oid = r.ev_class
      LEFT JOIN pg_catalog.pg_class c ON f.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = f.objid
      LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
      LEFT JOIN pg_catalog.pg_constraint k ON f.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.oid = f.objid
$function$;
COMMENT ON FUNCTION public.hc_column_dependants(regclass, name) IS
    'What depends on a column; follows: it can be made again for the column that takes its place';

CREATE FUNCTION public.hc_refuse_dependants(target regclass, column_name name, what text, dependants text[]) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    IF pg_catalog.cardinality(dependants) > 0 THEN
        RAISE EXCEPTION 'cannot % column "%" of table %, because other objects depend on it', what, column_name, target
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = pg_catalog.array_to_string(dependants, E'\n'),
                  HINT = 'Drop them first and make them again afterwards, or have them dropped with "cascade" => true.';
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_refuse_dependants(regclass, name, text, text[]) IS 'Refuses, and lists what is in the way; does nothing for an empty list';

-- Writers queue up behind a wait for this lock, so each wait is short, and between two of them they go on.
CREATE FUNCTION public.hc_lock_table(target regclass, attempts integer DEFAULT 60) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '500ms' AS $function$
BEGIN
    FOR attempt IN 1 .. attempts LOOP
        BEGIN
            EXECUTE pg_catalog.format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            IF attempt = attempts THEN
                RAISE EXCEPTION 'table % was not locked in % attempts: it is always in use', target, attempts
                    USING ERRCODE = 'lock_not_available',
                          HINT = 'Look for long transactions in pg_stat_activity, and call again: what was done stays.';
            END IF;
        END;
        PERFORM pg_catalog.pg_sleep(0.3 + 0.4 * pg_catalog.random());
    END LOOP;
END
$function$;
COMMENT ON FUNCTION public.hc_lock_table(regclass, integer) IS
    'Locks a table for a change of its columns; waits half a second at a time, so that no writer waits longer';
