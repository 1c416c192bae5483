
DO $$
DECLARE
    installed text;
    owner name;
BEGIN
    SELECT pg_catalog.pg_get_userbyid(c.relowner) INTO owner FROM pg_catalog.pg_class c
     WHERE c.oid = pg_catalog.to_regclass('public.hc_connection');
    IF owner IS NULL THEN
        RAISE EXCEPTION 'the portable bundle is not installed in this database'
            USING ERRCODE = 'undefined_object', HINT = 'Apply hc_sync--@VERSION@.sql instead.';
    END IF;
    installed := public.hc_version();
    IF installed <> '@FROM@' THEN
        RAISE EXCEPTION 'this file upgrades version @FROM@ of the portable bundle, and version % is installed', installed
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = CASE WHEN installed = '@VERSION@' THEN 'There is nothing to do.'
                              ELSE pg_catalog.format('Apply hc_sync--%s--@VERSION@.sql instead.', installed) END;
    ELSIF NOT pg_catalog.pg_has_role(owner, 'MEMBER') THEN
        RAISE EXCEPTION 'the portable bundle belongs to role "%"', owner
            USING ERRCODE = 'insufficient_privilege', HINT = 'Apply this file as that role.';
    END IF;
    -- What is new belongs to the same role.
    PERFORM pg_catalog.set_config('role', owner, true);
END
$$;
