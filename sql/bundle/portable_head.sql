-- HC Sync @VERSION@ in plain SQL, for servers that allow no extension of ours. Made by sql/assemble from sql/hc_sync.
-- Apply it as the role that owns the database: psql --single-transaction -f FILE

\set ON_ERROR_STOP on
\set QUIET on

DO $$ BEGIN PERFORM pg_catalog.set_config('hc_bundle.transaction', 'open', true); END $$;
DO $$
BEGIN
    IF pg_catalog.current_setting('hc_bundle.transaction', true) IS DISTINCT FROM 'open' THEN
        RAISE EXCEPTION 'this file is applied whole or not at all, in one transaction'
            USING ERRCODE = 'no_active_sql_transaction', HINT = 'Use psql --single-transaction -f FILE.';
    END IF;
END
$$;
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public, pg_temp;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'hc_sync') THEN
        RAISE EXCEPTION 'the extension hc_sync is installed in this database'
            USING ERRCODE = 'duplicate_object', DETAIL = 'It has all that the portable bundle has, and is updated with ALTER EXTENSION hc_sync UPDATE.',
                  HINT = 'To go on without it: CALL public.hc_uninstall(); DROP EXTENSION hc_sync.';
    END IF;
END
$$;
