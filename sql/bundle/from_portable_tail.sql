-- Members belong to the extension's owner. Their former owner keeps the right to administer connections.
DO $$
DECLARE
    owner name;
    former name;
    former_owners name[];
    statement text;
BEGIN
    SELECT pg_catalog.pg_get_userbyid(e.extowner) INTO owner FROM pg_catalog.pg_extension e WHERE e.extname = 'hc_sync';
    SELECT pg_catalog.array_agg(DISTINCT pg_catalog.pg_get_userbyid(c.relowner)) INTO former_owners
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
      JOIN pg_catalog.pg_extension e ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.oid = d.refobjid
     WHERE e.extname = 'hc_sync' AND pg_catalog.pg_get_userbyid(c.relowner) <> owner;
    FOR statement IN SELECT s FROM public.hc_members_to_owner(owner) AS statements(s) LOOP
        EXECUTE statement;
    END LOOP;
    FOREACH former IN ARRAY coalesce(former_owners, '{}') LOOP
        IF NOT pg_catalog.has_table_privilege(former, 'public.hc_connection', 'INSERT') THEN
            PERFORM public.hc_grant_administration(former);
        END IF;
    END LOOP;
END
$$;
