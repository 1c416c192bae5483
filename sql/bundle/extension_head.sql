
DO $$
BEGIN
    IF pg_catalog.to_regclass('public.hc_connection') IS NOT NULL THEN
        RAISE EXCEPTION 'the portable bundle is installed in this database'
            USING ERRCODE = 'duplicate_object',
                  HINT = 'CREATE EXTENSION hc_sync VERSION ''portable''; ALTER EXTENSION hc_sync UPDATE; takes it over as it is.';
    END IF;
END
$$;
