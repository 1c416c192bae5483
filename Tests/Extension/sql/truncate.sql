-- TRUNCATE of a mapped table: refused, or let through with a warning, by everybody but us; and what is taken down of it.
\set SHOW_CONTEXT never
\set VERBOSITY default
CREATE ROLE regress_owner ROLE CURRENT_USER;
CREATE ROLE regress_app ROLE CURRENT_USER;
CREATE SCHEMA tru AUTHORIZATION regress_owner;
GRANT CREATE ON SCHEMA public TO regress_owner;
SELECT regress_connection('tru') AS connection \gset
SELECT hc_mapping_create(:'connection', 'Account', '{"access": "read_write", "fields": {"Name": {}}}', regress_account()) AS account \gset
SELECT hc_mapping_create(:'connection', 'Team__c', '{"fields": {}}', regress_describe('Team__c', '[]')) AS team \gset
\set generations 'SELECT m.table_name, g.reason, g.since, g.table_oid = (''tru.'' || m.table_name)::regclass AS same_table FROM hc_generation g JOIN hc_mapping m ON m.id = g.mapping WHERE m.connection = :''connection'' ORDER BY g.id;'
:generations
INSERT INTO tru.account (name) VALUES ('a'), ('b');
TRUNCATE tru.account;
TRUNCATE tru.account RESTART IDENTITY CASCADE;
SELECT count(*) FROM tru.account;
:generations
-- A mapping that sends nothing refuses nothing.
INSERT INTO tru.team__c (sfid) VALUES (NULL);
TRUNCATE tru.team__c;
:generations
-- By a cascade from the user's table, and through a parent.
CREATE TABLE tru.region (code text PRIMARY KEY);
ALTER TABLE tru.account ADD COLUMN region text REFERENCES tru.region;
TRUNCATE tru.region CASCADE;
CREATE TABLE tru.parent (name varchar(255));
ALTER TABLE tru.account INHERIT tru.parent;
TRUNCATE tru.parent;
TRUNCATE ONLY tru.parent;
ALTER TABLE tru.account NO INHERIT tru.parent;
-- A session that says that it is not a user.
BEGIN;
SET LOCAL xmlbinary = hex;
TRUNCATE tru.account;
ROLLBACK;
:generations
BEGIN;
SET LOCAL xmlbinary = hex;
TRUNCATE tru.account;
COMMIT;
:generations
-- Warned only. The role needs the right to truncate and nothing of ours.
SELECT hc_truncate(:'connection', 'warn');
GRANT USAGE ON SCHEMA tru TO regress_app;
GRANT SELECT, INSERT, TRUNCATE ON tru.account TO regress_app;
SET ROLE regress_app;
INSERT INTO tru.account (name) VALUES ('c');
TRUNCATE tru.account;
SELECT hc_rows_gone('tru.account');
RESET ROLE;
:generations
SELECT state, action, record_id FROM tru._trigger_log ORDER BY id;
SELECT hc_truncate(:'connection', 'refuse');
TRUNCATE tru.account;
-- The policy goes with the access; a replica is told nothing.
UPDATE hc_mapping SET access = 'read_only' WHERE id = :'account';
SELECT hc_mapping_triggers_create(:'account');
TRUNCATE tru.account;
UPDATE hc_mapping SET access = 'read_write' WHERE id = :'account';
SELECT hc_mapping_triggers_create(:'account');
SELECT hc_truncate(:'connection', 'forget');
SELECT hc_truncate('00000000-0000-0000-0000-000000000001', 'warn');

-- A table that is made anew: its triggers begin a generation; rewriting it does not.
VACUUM FULL tru.account;
ALTER TABLE tru.account ALTER COLUMN name TYPE text;
SELECT hc_mapping_triggers_create(:'account');
SELECT count(*) FROM hc_generation WHERE mapping = :'account';
INSERT INTO tru.account (name) VALUES ('d');
CREATE TABLE tru.copy AS SELECT * FROM tru.account;
DROP TABLE tru.account;
SELECT regexp_replace(hc_capture_trouble(:'account'), :'account', 'MAPPING');
ALTER TABLE tru.copy RENAME TO account;
SELECT regexp_replace(hc_capture_trouble(:'account'), :'account', 'MAPPING');
SELECT hc_mapping_triggers_create(:'account');
SELECT hc_capture_trouble(:'account');
SELECT reason, since = (SELECT max(id) FROM tru._trigger_log) AS since_the_last_entry FROM hc_generation WHERE mapping = :'account' ORDER BY id DESC LIMIT 1;
SELECT level, message FROM hc_notification WHERE connection = :'connection' ORDER BY id;
-- What belongs to no mapping any more is an ordinary table.
DELETE FROM hc_mapping WHERE id = :'team';
TRUNCATE tru.team__c;

SET client_min_messages = warning;
DELETE FROM hc_connection WHERE id = :'connection';
DROP SCHEMA tru CASCADE;
DROP OWNED BY regress_owner CASCADE;
DROP ROLE regress_app, regress_owner;
