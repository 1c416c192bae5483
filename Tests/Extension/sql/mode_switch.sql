-- A connection switches between C and portable capture; new mappings follow.
\set SHOW_CONTEXT never
SELECT hc_connection_create('swi') AS connection \gset
SELECT hc_mapping_create(:'connection', 'Account', '{"access": "read_write", "fields": {"Name": {}}}', regress_account()) IS NOT NULL AS made;
\set runs 'SELECT t.tgname, t.tgfoid::regproc FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = ''swi''::regnamespace ORDER BY 1;'
:runs
INSERT INTO swi.account (name) VALUES ('in C');
CALL hc_capture_mode(:'connection', 'portable');
:runs
INSERT INTO swi.account (name) VALUES ('portable');
SELECT hc_mapping_create(:'connection', 'Team__c', '{"fields": {}}', regress_describe('Team__c', '[]')) IS NOT NULL AS made;
:runs
CALL hc_capture_mode(:'connection', 'c');
:runs
INSERT INTO swi.account (name) VALUES ('in C again');
SELECT state, action, record_id, "values" FROM swi._trigger_log ORDER BY id;
CALL hc_capture_mode(:'connection', 'cobol');
CALL hc_capture_mode('00000000-0000-0000-0000-000000000001', 'c');

-- Calls that are wrong.
CREATE TABLE swi.odd (id int);
CREATE TRIGGER a AFTER INSERT ON swi.odd FOR EACH ROW EXECUTE FUNCTION public.hc_capture();
INSERT INTO swi.odd VALUES (1);
CREATE OR REPLACE TRIGGER a AFTER INSERT ON swi.odd FOR EACH ROW EXECUTE FUNCTION public.hc_capture('NEW');
INSERT INTO swi.odd VALUES (1);
CREATE OR REPLACE TRIGGER a BEFORE INSERT ON swi.odd FOR EACH ROW EXECUTE FUNCTION public.hc_capture('NEW');
INSERT INTO swi.odd VALUES (1);
CREATE OR REPLACE TRIGGER a AFTER INSERT ON swi.odd FOR EACH ROW EXECUTE FUNCTION public.hc_status();
INSERT INTO swi.odd VALUES (1);
SELECT public.hc_capture();
CREATE ROLE regress_app;
SET ROLE regress_app;
CREATE TEMP TABLE bait (id int, sfid text, _hc_lastop text, _hc_err text);
CREATE TRIGGER t AFTER INSERT ON bait FOR EACH ROW EXECUTE FUNCTION public.hc_capture('NEW');
DROP TABLE bait;
RESET ROLE;
DROP ROLE regress_app;
CREATE SCHEMA nolog;
CREATE TABLE nolog.t (id int, sfid text, _hc_lastop text, _hc_err text);
CREATE TRIGGER a AFTER INSERT ON nolog.t FOR EACH ROW EXECUTE FUNCTION public.hc_capture('NEW');
INSERT INTO nolog.t VALUES (1);
DROP TABLE nolog.t, swi.odd;
DROP SCHEMA nolog;

-- A prepared transaction is captured too: capture in C decides about the notification later.
BEGIN;
INSERT INTO swi.account (name) VALUES ('prepared');
PREPARE TRANSACTION 'regress_prepared';
COMMIT PREPARED 'regress_prepared';
SELECT count(*) FROM swi._trigger_log;

-- The log goes away and comes back; the schema gets another name.
ALTER TABLE swi._trigger_log RENAME TO gone;
INSERT INTO swi.account (name) VALUES ('no log');
ALTER TABLE swi.gone RENAME TO _trigger_log;
INSERT INTO swi.account (name) VALUES ('log again');
ALTER SCHEMA swi RENAME TO swo;
INSERT INTO swo.account (name) VALUES ('renamed');
ALTER SCHEMA swo RENAME TO swi;
INSERT INTO swi.account (name) VALUES ('named back');
SELECT "values"::hstore -> 'name' AS name FROM swi._trigger_log ORDER BY id DESC LIMIT 3;
