-- pg_dump carries the rows of our own tables, and where our sequences stand. Every table and sequence that is a member is
-- registered; mapped tables and logs are no members, and are dumped as any table is. The portable bundle leaves this part out.

DO $$
DECLARE
    member pg_catalog.regclass;
BEGIN
    FOR member IN
        SELECT c.oid
          FROM pg_catalog.pg_extension e
          JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid
                                     AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e'
          JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'S')
         WHERE e.extname = 'hc_sync'
         ORDER BY c.relname COLLATE "C"
    LOOP
        PERFORM pg_catalog.pg_extension_config_dump(member, '');
    END LOOP;
END
$$;
