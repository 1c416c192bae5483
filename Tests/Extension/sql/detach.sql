-- The end of a mapping and of a connection: tables are detached and kept; what is open in the log poisons nothing.
\set SHOW_CONTEXT never
\pset null -
SELECT regress_connection('detach') AS connection \gset
SELECT hc_mapping_create(:'connection', 'Account', '{"access": "read_write", "fields": {"Name": {}, "AnnualRevenue": {}}}', regress_account()) AS mapping \gset
SELECT hc_mapping_create(:'connection', 'Team__c', '{"access": "read_write", "fields": {"Name": {}}}', regress_describe('Team__c', '[{"name": "Name", "type": "string", "length": 80, "createable": true, "updateable": true}]')) AS team \gset
SELECT hc_lead(:'connection', 'regress') AS epoch \gset
CREATE ROLE regress_reader;
GRANT SELECT ON detach.account TO regress_reader;
CREATE INDEX account_mine ON detach.account (name);
CREATE VIEW detach.names AS SELECT name FROM detach.account;
CREATE TABLE detach.other (account integer REFERENCES detach.account);
INSERT INTO detach.account (name, annualrevenue) VALUES ('one', 1), ('two', 2);
CREATE VIEW left_behind AS
    SELECT (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'detach.account'::regclass AND NOT tgisinternal) AS triggers,
           (SELECT string_agg(proname, ', ' ORDER BY proname) FROM pg_proc WHERE pronamespace = 'detach'::regnamespace AND proname LIKE '%account%') AS functions,
           (SELECT count(*) FROM pg_index WHERE indrelid = 'detach.account'::regclass) AS indexes,
           pg_get_serial_sequence('detach.account', 'id') AS sequence, has_table_privilege('regress_reader', 'detach.account', 'SELECT') AS granted,
           (SELECT count(*) FROM detach.account) AS rows;
SELECT * FROM left_behind;

-- Refused while a change is on its way: the answer would find no mapping.
SELECT hc_claim(:'connection', :epoch) ->> 'batch' AS batch \gset
SELECT hc_sent(:'connection', :epoch, :batch);
SELECT hc_mapping_drop(:'mapping');
-- Given up: what was sent is FAILED, and the table is left, half a change of type with it.
INSERT INTO detach.account (name) VALUES ('waits');
SELECT hc_column_begin('detach.account', 'annualrevenue', 'text', :'mapping');
SELECT hc_mapping_drop(:'mapping', true);
SELECT * FROM left_behind;
SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'detach.account'::regclass AND attnum > 0 AND NOT attisdropped;
INSERT INTO detach.account (name) VALUES ('not captured') RETURNING id;
-- Entries of a table that is not mapped hold up nobody, and say what to do.
INSERT INTO detach.team__c (name) VALUES ('of another table');
SELECT e.value -> 'fields' AS sent FROM jsonb_array_elements(hc_claim(:'connection', :epoch) -> 'records') e;
SELECT table_name, state, record_id, sf_message FROM detach._trigger_log ORDER BY id;
SELECT event_type, message FROM hc_event WHERE connection = :'connection' AND event_type LIKE 'mapping-%' ORDER BY id;

-- A table that is there is not replaced.
SELECT hc_mapping_create(:'connection', 'Account', '{"fields": {"Name": {}}}', regress_account());

-- A connection: all tables detached, the log kept and nobody woken by it.
CREATE TABLE detach.mine (id integer, sfid text, _hc_lastop text, _hc_err text);
CREATE TRIGGER mine BEFORE INSERT ON detach.mine FOR EACH ROW EXECUTE FUNCTION detach.hc_team__c_status();
DELETE FROM hc_batch WHERE connection = :'connection';
CALL hc_connection_drop(:'connection');
DROP TABLE detach.mine;
CALL hc_connection_drop(:'connection');
SELECT count(*) FROM hc_connection WHERE id = :'connection';
SELECT tgname FROM pg_trigger WHERE tgrelid IN ('detach.team__c'::regclass, 'detach._trigger_log'::regclass) AND NOT tgisinternal;
SELECT count(*) FROM detach.team__c;
SELECT detach.hc_capture_insert_from_row(hstore(t), 'team__c') IS NOT NULL AS captured FROM detach.team__c t;
SELECT to_regclass('public.hc_quiet_detach');
CALL hc_connection_drop('00000000-0000-0000-0000-000000000001');
-- What was left behind is taken over as any schema is, and let go again.
SELECT count(*) FILTER (WHERE step = 'mapping') AS mappings FROM hc_adopt('detach');
SELECT m.table_name FROM hc_mapping m JOIN hc_connection c ON c.id = m.connection WHERE c.schema_name = 'detach' ORDER BY 1;
SELECT id AS taken FROM hc_connection WHERE schema_name = 'detach' \gset
CALL hc_connection_drop(:'taken', true);
SELECT (SELECT count(*) FROM detach.account) AS accounts, (SELECT count(*) FROM detach.team__c) AS teams;
-- Its tables dropped with it: all or none.
SELECT regress_connection('gone') AS gone \gset
SELECT hc_mapping_create(:'gone', 'Account', '{"fields": {"Name": {}}}', regress_account()) \g /dev/null
SELECT hc_mapping_create(:'gone', 'Team__c', '{"fields": {}}', regress_describe('Team__c', '[]')) \g /dev/null
CREATE VIEW gone.teams AS SELECT sfid FROM gone.team__c;
CALL hc_connection_drop(:'gone', false, true);
SELECT to_regclass('gone.account') IS NOT NULL AS kept;
CALL hc_connection_drop(:'gone', true, true);
SELECT to_regclass('gone.account'), to_regclass('gone.team__c'), to_regclass('gone._trigger_log');
SET client_min_messages = warning;
SELECT pg_advisory_unlock_all();
DROP VIEW left_behind;
DROP SCHEMA detach, gone CASCADE;
DROP ROLE regress_reader;
