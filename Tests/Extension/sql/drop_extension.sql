-- DROP EXTENSION is refused while connections use it, and says that CASCADE would remove capture; hc_uninstall keeps everything.
\set SHOW_CONTEXT never
\set ON_ERROR_STOP off
SET client_min_messages = warning;
SELECT id AS connection FROM hc_connection WHERE schema_name = 'swi' \gset
DO $$ BEGIN EXECUTE (SELECT string_agg(format('DROP SCHEMA %I CASCADE', n.nspname), ';') FROM pg_namespace n
    WHERE n.nspname <> 'swi' AND to_regclass(format('%I._trigger_log', n.nspname)) IS NOT NULL); END $$;
DELETE FROM hc_connection WHERE schema_name <> 'swi';
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

-- A trigger of no mapping is named, not dropped. The call is not for a transaction block, which it would have to end.
RESET client_min_messages;
CREATE TABLE swi.odd (id int);
CREATE TRIGGER a AFTER INSERT ON swi.odd FOR EACH ROW EXECUTE FUNCTION public.hc_capture('NEW');
CALL hc_uninstall();
DROP TABLE swi.odd;
BEGIN;
CALL hc_uninstall();
ROLLBACK;
CALL hc_uninstall();
SELECT kind, identity FROM hc_members();
SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ((SELECT extconfig FROM pg_extension WHERE extname = 'hc_sync')::oid[]);
DROP EXTENSION hc_sync;
CALL hc_uninstall();
INSERT INTO swi.account (name) VALUES ('without the extension');
SELECT name, _hc_lastop FROM swi.account WHERE name LIKE 'without%';
SELECT state, action, "values" FROM swi._trigger_log ORDER BY id DESC LIMIT 1;
SELECT swi.hc_capture_update_from_row('id=>1,a=>1', 'account') > 0 AS captured;
SELECT hc_version(), settings ->> 'capture' AS capture, (SELECT count(*) FROM hc_mapping) AS mappings FROM hc_connection;

-- And back. A plain CREATE EXTENSION is refused.
CREATE EXTENSION hc_sync;
CREATE EXTENSION hc_sync VERSION 'portable';
ALTER EXTENSION hc_sync UPDATE;
CALL hc_capture_mode(:'connection', 'c');
INSERT INTO swi.account (name) VALUES ('in C again');
SELECT state, action, "values"::hstore -> 'name' AS name FROM swi._trigger_log ORDER BY id DESC LIMIT 1;
SELECT tgfoid::regprocedure FROM pg_trigger WHERE tgrelid = 'swi.account'::regclass ORDER BY tgname;
