
-- What the portable bundle made becomes a member of the extension; then the parts make what is missing and replace the rest.
DO $$
DECLARE
    installed text;
    statement text;
    members CONSTANT name[] := '{@NAMES@}';
BEGIN
    IF pg_catalog.to_regclass('public.hc_connection') IS NOT NULL THEN
        installed := public.hc_version();
        IF installed <> '@VERSION@' THEN
            RAISE EXCEPTION 'the portable bundle in this database has version %, the extension has @VERSION@', installed
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = pg_catalog.format('Bring it up to date first, with hc_sync--%s--@VERSION@.sql.', installed);
        END IF;
    END IF;
    FOR statement IN
        SELECT pg_catalog.format('ALTER EXTENSION hc_sync ADD %s %s',
                                 CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::pg_catalog.regclass)
          FROM pg_catalog.pg_class c
         WHERE c.relnamespace = 'public'::pg_catalog.regnamespace AND c.relkind IN ('r', 'v', 'S')
           AND (c.relname = ANY (members)
                OR EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
                            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype IN ('i', 'a')
                              AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                              AND t.relnamespace = c.relnamespace AND t.relname = ANY (members)))
        UNION ALL
        SELECT pg_catalog.format('ALTER EXTENSION hc_sync ADD ROUTINE %s', p.oid::pg_catalog.regprocedure)
          FROM pg_catalog.pg_proc p
         WHERE p.pronamespace = 'public'::pg_catalog.regnamespace AND p.proname = ANY (members)
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;
