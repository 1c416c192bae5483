
-- What the portable bundle made becomes the extension owner's and a member of the extension; then the parts make what is missing and
-- replace the rest. The owner comes first: the rights that an object has when it becomes a member are not dumped.
DO $$
DECLARE
    installed text;
    owner name;
    former_owners name[];
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
    SELECT pg_catalog.pg_get_userbyid(e.extowner) INTO owner FROM pg_catalog.pg_extension e WHERE e.extname = 'hc_sync';
    CREATE TEMP TABLE hc_bundle_objects ON COMMIT DROP AS
        SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, c.oid::pg_catalog.regclass::text AS name,
               pg_catalog.pg_get_userbyid(c.relowner) AS former_owner, c.relkind = 'S' AND d.objid IS NOT NULL AS follows
          FROM pg_catalog.pg_class c
          -- An identity column's sequence has the owner of its table.
          LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'i'
                                          AND c.relkind = 'S'
          LEFT JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
         WHERE c.relnamespace = 'public'::pg_catalog.regnamespace AND c.relkind IN ('r', 'v', 'S')
           AND coalesce(t.relname, c.relname) = ANY (members)
        UNION ALL
        SELECT 'ROUTINE', p.oid::pg_catalog.regprocedure::text, pg_catalog.pg_get_userbyid(p.proowner), false
          FROM pg_catalog.pg_proc p
         WHERE p.pronamespace = 'public'::pg_catalog.regnamespace AND p.proname = ANY (members);
    FOR statement IN
        SELECT pg_catalog.format('ALTER %s %s OWNER TO %I', o.kind, o.name, owner)
          FROM hc_bundle_objects o WHERE o.former_owner <> owner AND NOT o.follows
        UNION ALL
        SELECT pg_catalog.format('ALTER EXTENSION hc_sync ADD %s %s', o.kind, o.name) FROM hc_bundle_objects o
    LOOP
        EXECUTE statement;
    END LOOP;
    SELECT pg_catalog.array_agg(DISTINCT o.former_owner) INTO former_owners FROM hc_bundle_objects o WHERE o.former_owner <> owner;
    PERFORM pg_catalog.set_config('hc_bundle.former_owners', coalesce(former_owners, '{}')::text, true);
    DROP TABLE hc_bundle_objects;
END
$$;
