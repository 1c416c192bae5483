-- An application role that may only change mapped tables; an owner that is no superuser.
\set SHOW_CONTEXT never
CREATE ROLE regress_owner ROLE CURRENT_USER;
CREATE ROLE regress_app ROLE CURRENT_USER;
CREATE SCHEMA app AUTHORIZATION regress_owner;
GRANT CREATE ON SCHEMA public TO regress_owner;
SELECT regress_connection('app') AS connection \gset
SELECT hc_mapping_create(:'connection', 'Account', '{"access": "read_write", "fields": {"Name": {}}}', regress_account()) AS mapping \gset
GRANT USAGE ON SCHEMA app TO regress_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON app.account TO regress_app;

-- Everything belongs to the owner of the schema, and nothing that runs with its owner's rights belongs to a superuser.
SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind IN ('r', 'S', 'i');
SELECT DISTINCT pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'app'::regnamespace;
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
 WHERE p.prosecdef AND r.rolsuper AND p.pronamespace IN ('app'::regnamespace, 'public'::regnamespace);

SET ROLE regress_app;
INSERT INTO app.account (name) VALUES ('a');
UPDATE app.account SET name = 'b';
DELETE FROM app.account;
SELECT count(*) FROM app._trigger_log;
INSERT INTO app._trigger_log (state) VALUES ('NEW');
UPDATE app._trigger_log SET state = 'NEW';
SELECT app.hc_capture_insert_from_row('id=>1', 'account');
SELECT nextval('app._trigger_log_id_seq');
SELECT setval('app.account_id_seq', 1);
SELECT setval('public.hc_quiet_app', 1);
SELECT * FROM public.hc_connection;
SELECT public.hc_raise(NULL, NULL, 'x', 'error', 'x');
SELECT public.hc_connection_create('mine');
CREATE TEMP TABLE bait (id int, sfid text, _hc_lastop text, _hc_err text);
CREATE TRIGGER t AFTER INSERT ON bait FOR EACH ROW EXECUTE FUNCTION app.hc_account_logger();
CREATE TRIGGER t AFTER INSERT ON bait FOR EACH ROW EXECUTE FUNCTION app.tlog_notify_trigger();
DROP TABLE bait;
DELETE FROM app._trigger_log;
TRUNCATE app._trigger_log;
SELECT setval('app._trigger_log_id_seq', 1);
SELECT * FROM public.hc_batch;
DELETE FROM public.hc_fence;
SELECT public.hc_lead(:'connection', 'app');
SELECT public.hc_rebind(:'connection');
RESET ROLE;
-- With functions and a table of the same names in its own temporary schema and ahead on the path, and under row
-- security: what is captured is what was written, and nothing of the application's runs as the owner of the log.
CREATE SCHEMA regress_app AUTHORIZATION regress_app;
SET ROLE regress_app;
CREATE FUNCTION regress_app.nextval(regclass) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'ran as %', current_user; END $$;
CREATE FUNCTION regress_app.get_xmlbinary() RETURNS varchar LANGUAGE sql AS $$ SELECT 'hex'::varchar $$;
CREATE TEMP TABLE _trigger_log (LIKE app.account);
SET search_path = regress_app, pg_temp, app, pg_catalog, public;
INSERT INTO account (name) VALUES ('shadowed');
RESET search_path;
DROP TABLE pg_temp._trigger_log;
DROP FUNCTION regress_app.nextval(regclass), regress_app.get_xmlbinary();
RESET ROLE;
ALTER TABLE app.account ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON app.account USING (name = 'mine');
SET ROLE regress_app;
INSERT INTO app.account (name) VALUES ('mine');
INSERT INTO app.account (name) VALUES ('theirs');
UPDATE app.account SET name = 'mine' WHERE name = 'shadowed';
RESET ROLE;
DROP POLICY mine ON app.account;
ALTER TABLE app.account DISABLE ROW LEVEL SECURITY;
DROP SCHEMA regress_app;
-- What hc_capture_insert_from_row and hc_capture_update_from_row need, as with Heroku Connect: to insert into the log, no more.
GRANT INSERT, SELECT (id) ON app._trigger_log TO regress_app;
GRANT USAGE ON SEQUENCE app._trigger_log_id_seq TO regress_app;
SET ROLE regress_app;
SELECT app.hc_capture_insert_from_row('id=>1', 'account') IS NOT NULL AS captured;
SELECT app.hc_capture_update_from_row('id=>1,name=>a', 'account') IS NOT NULL AS captured;
UPDATE app._trigger_log SET state = 'NEW';
RESET ROLE;
SELECT state, action, "values" ->> 0 FROM (SELECT state, action, to_jsonb("values") AS "values", id FROM app._trigger_log) l ORDER BY id;

-- The owner administers without being a superuser.
SET ROLE regress_owner;
SELECT hc_mapping_create(:'connection', 'Team__c', '{"access": "read_write", "fields": {}}', regress_describe('Team__c', '[]')) AS team \gset
INSERT INTO app.team__c (sfid) VALUES (NULL);
SELECT count(*) FROM app._trigger_log WHERE table_name = 'team__c';
SELECT hc_busy(:'connection', true);
SELECT hc_busy(:'connection', false);
SELECT hc_raise(:'connection', NULL, 'test', 'info', 'the owner may');
SELECT hc_mapping_drop(:'team');
RESET ROLE;
GRANT CREATE ON DATABASE contrib_regression TO regress_owner;
SET ROLE regress_owner;
SELECT regress_connection('app2') AS second \gset
SELECT hc_mapping_create(:'second', 'Account', '{"access": "read_write", "fields": {"Name": {}}}', regress_account()) IS NOT NULL AS made;
CALL hc_capture_mode(:'second', 'portable');
SELECT current_setting('regress.capture') AS mode \gset
CALL hc_capture_mode(:'second', :'mode');
INSERT INTO app2.account (name) VALUES ('owned');
SELECT state, action FROM app2._trigger_log;
RESET ROLE;
SET client_min_messages = warning;
DELETE FROM hc_connection WHERE id IN (:'connection', :'second');
DROP SCHEMA app, app2 CASCADE;
DROP OWNED BY regress_owner CASCADE;
DROP ROLE regress_app, regress_owner;
