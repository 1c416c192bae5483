-- DROP EXTENSION leaves tables and log alone, and says that CASCADE would remove capture.
\set SHOW_CONTEXT never
\set ON_ERROR_STOP off
SET client_min_messages = warning;
SELECT id AS connection FROM hc_connection WHERE schema_name = 'swi' \gset
DO $$ BEGIN EXECUTE (SELECT string_agg(format('DROP SCHEMA %I CASCADE', n.nspname), ';') FROM pg_namespace n
    WHERE n.nspname <> 'swi' AND to_regclass(format('%I._trigger_log', n.nspname)) IS NOT NULL); END $$;
DROP EXTENSION hc_sync;
DROP EXTENSION IF EXISTS pg_none, hc_sync RESTRICT;
SELECT count(*) AS capturing FROM pg_trigger WHERE tgfoid = 'public.hc_capture()'::regprocedure;
BEGIN;
DROP EXTENSION hc_sync CASCADE;
SELECT count(*) AS capturing FROM pg_trigger WHERE tgname ~ 'logtrigger';
SELECT count(*) FROM swi.account;
ROLLBACK;
CALL hc_capture_mode(:'connection', 'portable');
DROP EXTENSION hc_sync;
INSERT INTO swi.account (name) VALUES ('without the extension');
SELECT name, _hc_lastop FROM swi.account WHERE name LIKE 'without%';
SELECT state, action, "values" FROM swi._trigger_log ORDER BY id DESC LIMIT 1;
SELECT swi.hc_capture_update_from_row('id=>1,a=>1', 'account') > 0 AS captured;
