
DO $$
DECLARE
    installed text;
    reason text;
BEGIN
    IF pg_catalog.to_regclass('public.hc_connection') IS NOT NULL THEN
        IF pg_catalog.to_regprocedure('public.hc_version()') IS NOT NULL THEN
            installed := public.hc_version();
        END IF;
        RAISE EXCEPTION 'the portable bundle is installed in this database already, in version %', coalesce(installed, 'unknown')
            USING ERRCODE = 'duplicate_object',
                  HINT = CASE WHEN installed = '@VERSION@' THEN 'There is nothing to do.'
                              ELSE pg_catalog.format('Apply hc_sync--%s--@VERSION@.sql instead.', coalesce(installed, 'VERSION')) END;
    ELSIF NOT pg_catalog.has_schema_privilege('public', 'CREATE') THEN
        RAISE EXCEPTION 'role "%" may not create objects in schema public', current_user
            USING ERRCODE = 'insufficient_privilege', HINT = 'Use the role that owns the database, or GRANT CREATE ON SCHEMA public.';
    ELSIF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'hstore') THEN
        BEGIN
            CREATE EXTENSION hstore SCHEMA public;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT;
            RAISE EXCEPTION 'the extension hstore is needed and cannot be created: %', reason
                USING ERRCODE = SQLSTATE, HINT = 'Have it created in this database first; it belongs to PostgreSQL''s contrib modules.';
        END;
    END IF;
END
$$;
