-- Adoption carried out: the catalog in one transaction, triggers table by table, PENDING parked, names in Salesforce's spelling from
-- describe, NEW sent and nothing else; undone, and not undone any more. As a role that owns the schema and is no superuser.
\getenv inputdir PG_ABS_SRCDIR
\set heroku :inputdir /adopt/heroku.sql
\set states :inputdir /adopt/states.sql
\set canonical :inputdir /adopt/canonical.sql
\set shuffled :inputdir /adopt/shuffled.sql
\set readonly :inputdir /adopt/readonly.sql
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_keeper ROLE CURRENT_USER;
CREATE ROLE regress_app ROLE CURRENT_USER;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_keeper', current_database()); END $$;
GRANT CREATE ON SCHEMA public TO regress_keeper;
SELECT hc_grant_administration('regress_keeper');
SET ROLE regress_keeper;
\set ECHO none
\o /dev/null
\i :heroku
\i :states
\set schema regress_2019
\i :canonical
\set schema regress_2016
\i :shuffled
\set schema regress_readonly
\i :readonly
\o
\set ECHO all
\pset format unaligned
\pset fieldsep ': '
GRANT USAGE ON SCHEMA regress_2019 TO regress_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON regress_2019.account TO regress_app;
GRANT USAGE ON SEQUENCE regress_2019.account_id_seq TO regress_app;
GRANT SELECT, INSERT ON regress_2019._trigger_log TO regress_app;
GRANT USAGE ON SEQUENCE regress_2019._trigger_log_id_seq TO regress_app;
GRANT EXECUTE ON FUNCTION regress_2019.hc_contact_logger() TO regress_app;
CREATE TEMP TABLE before AS SELECT heroku.made('regress_2019') AS x;
SELECT heroku.versions('{regress_2019.account,regress_2019.contact,regress_2019._trigger_log,regress_2019._trigger_log_archive}') AS versions \gset
SELECT count(*) AS planned FROM hc_adopt('regress_2019', NULL, true) \gset
SELECT count(*) = :planned AS as_planned FROM hc_adopt('regress_2019');
SELECT heroku.versions('{regress_2019.account,regress_2019.contact,regress_2019._trigger_log,regress_2019._trigger_log_archive}') = :'versions' AS no_row_touched;
SELECT * FROM hc_adopt('regress_2019');
SELECT c.state, c.organization_id, (SELECT count(*) FROM hc_mapping m WHERE m.connection = c.id) AS mappings FROM hc_connection c WHERE c.schema_name = 'regress_2019';
SELECT b.operation, b.state, e.log_id, e.record_id, e.sfid FROM hc_batch b JOIN hc_batch_entry e ON e.batch = b.id JOIN hc_connection c ON c.id = b.connection WHERE c.schema_name = 'regress_2019';
SELECT id AS c FROM hc_connection WHERE schema_name = 'regress_2019' \gset

-- Until the exchange Heroku Connect's own triggers write the log; after it ours; a change is captured once at any time.
CREATE VIEW heroku.captured AS SELECT action, state, created_at IS NOT NULL AS stamped, "values" LIKE '%"name"=>"by the app"%' AS new_values, old IS NOT NULL AS old_values
    FROM regress_2019._trigger_log WHERE table_name = 'account' AND (old || coalesce("values", '') LIKE '%by the app%' OR "values" LIKE '%by the app%') ORDER BY id;
SET ROLE regress_app;
INSERT INTO regress_2019.account (name, externalid__c) VALUES ('by the app', 'app1');
SET ROLE regress_keeper;
SELECT * FROM heroku.captured;
CALL hc_adopt_triggers(:'c');
CALL hc_adopt_triggers(:'c');
SET ROLE regress_app;
INSERT INTO regress_2019.account (name, externalid__c) VALUES ('by the app', 'app2');
UPDATE regress_2019.account SET phone = '1' WHERE externalid__c = 'app1';
DELETE FROM regress_2019.account WHERE externalid__c = 'app2';
SET ROLE regress_keeper;
SELECT * FROM heroku.captured;
SELECT tgname, tgenabled, tgfoid::regproc::text !~ 'logger|regress_2019.hc_account_status' OR NOT public.hc_has_c_capture() AS ours FROM pg_trigger
 WHERE tgrelid = 'regress_2019.account'::regclass AND NOT tgisinternal ORDER BY 1;
-- An adopted schema keeps Heroku's rights.
SELECT x FROM before WHERE x ~ '^_?(account|trigger_log|account_id_seq|_trigger_log_id_seq) [rS] ' EXCEPT SELECT heroku.made('regress_2019');

-- Undone: as it was, and what was captured meanwhile is in the log.
CALL hc_adopt_undo('regress_2019');
SELECT x FROM before EXCEPT SELECT heroku.made('regress_2019');
SELECT heroku.made('regress_2019') EXCEPT SELECT x FROM before;
SELECT count(*) FROM hc_connection WHERE schema_name = 'regress_2019';
SELECT state, count(*) FROM regress_2019._trigger_log GROUP BY 1 ORDER BY 1;
CALL hc_adopt_undo('regress_2019');

-- Taken over again, and served: nothing is sent or read before the object is described.
SELECT count(*) > 0 AS adopted FROM hc_adopt('regress_2019');
SELECT id AS c FROM hc_connection WHERE schema_name = 'regress_2019' \gset
CALL hc_adopt_triggers(:'c');
SELECT m.id AS account FROM hc_mapping m WHERE m.connection = :'c' AND m.table_name = 'account' \gset
SELECT public.hc_lead(:'c', 'regress') AS e \gset
SELECT public.hc_identify(:'c', :e, '00Dxx0000001gPLEAY', '005xx000001Sv6AAAS', clock_timestamp(), true);
SELECT public.hc_claim(:'c', :e)::text AS claimed, jsonb_array_length(public.hc_work(:'c', :e) -> 'polls') AS polls, jsonb_array_length(public.hc_work(:'c', :e) -> 'loads') AS loads;
SELECT d ->> 'object' AS object, d ->> 'names' AS names FROM jsonb_array_elements(public.hc_work(:'c', :e) -> 'describe') d;
-- What was a custom field must be one still; another column that is no field is the user's.
SELECT public.hc_mapping_describe(:'c', :e, :'account', regress_account());
SELECT state, state_detail FROM hc_mapping WHERE id = :'account';
SELECT public.hc_mapping_describe(:'c', :e, :'account', regress_describe('Account', (regress_account() -> 'fields') ||
    '[{"name": "Ratings__c", "type": "boolean", "length": 0}, {"name": "CreatedDate", "type": "datetime"}]'));
SELECT public.hc_mapping_describe(:'c', :e, :'account', regress_describe('Account', (regress_account() -> 'fields') ||
    '[{"name": "Ratings__c", "type": "picklist", "length": 255, "createable": true, "updateable": true}, {"name": "CreatedDate", "type": "datetime"}]'));
SELECT object_name, state, state_detail, upsert_field, upsert_column, config -> 'indexes' AS indexes FROM hc_mapping WHERE id = :'account';
SELECT field_name, column_name, postgres_type FROM hc_field WHERE mapping = :'account' ORDER BY position;
SELECT event_type, message FROM hc_notification WHERE connection = :'c' ORDER BY id;
SELECT d ->> 'object' AS object FROM jsonb_array_elements(public.hc_work(:'c', :e) -> 'describe') d;
-- The NEW entries go, in the order of their ids; PENDING, SUCCESS, FAILED and unknown ones do not.
CREATE FUNCTION heroku.send(c uuid, e bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    b jsonb := public.hc_claim(c, e);
BEGIN
    IF b IS NULL THEN RETURN NULL; END IF;
    PERFORM public.hc_sent(c, e, (b ->> 'batch')::bigint);
    PERFORM public.hc_answer(c, e, (b ->> 'batch')::bigint, 'answered', jsonb_build_object('results', (SELECT jsonb_agg(jsonb_build_object('success', true,
        'id', coalesce(r ->> 'id', '001zz00000' || lpad(r ->> 'log_id', 5, '0') || 'AAA'), 'errors', '[]'::jsonb)) FROM jsonb_array_elements(b -> 'records') r)));
    PERFORM public.hc_apply(c, e, (b ->> 'batch')::bigint);
    RETURN concat_ws(' ', b ->> 'operation', (SELECT string_agg(coalesce(r #>> '{fields,Name}', r ->> 'id'), ', ') FROM jsonb_array_elements(b -> 'records') r));
END $$;
SELECT heroku.send(:'c', :e);
SELECT heroku.send(:'c', :e);
SELECT heroku.send(:'c', :e);
SELECT l.table_name, l.action, l.state, l.sf_message FROM regress_2019._trigger_log l ORDER BY id;
SELECT name, sfid IS NOT NULL AS has_sfid, _hc_lastop FROM regress_2019.account ORDER BY id;
\set VERBOSITY terse
CALL hc_adopt_undo('regress_2019');
\set VERBOSITY default
SELECT a.final_reason FROM hc_adoption a WHERE a.connection = :'c';
-- A person decides what Heroku Connect left.
SELECT b.id AS batch, e.log_id AS entry FROM hc_batch b JOIN hc_batch_entry e ON e.batch = b.id WHERE b.connection = :'c' AND b.state = 'PARKED' \gset
SELECT hc_doubt_decide(:batch, :entry, 'perhaps');
SELECT hc_doubt_decide(:batch, :entry, 'send');
SELECT heroku.send(:'c', :e);
SELECT count(*) FROM regress_2019._trigger_log WHERE state IN ('NEW', 'PENDING');

-- Any order of columns, missing tables and indexes, names that are too long.
SELECT count(*) > 0 AS adopted FROM hc_adopt('regress_2016');
SELECT id AS c FROM hc_connection WHERE schema_name = 'regress_2016' \gset
CALL hc_adopt_triggers(:'c');
INSERT INTO regress_2016.i_m__an_object_whose_name_is_as_long_as_names_can_be_xx__c (name) VALUES ('x');
SELECT table_name, action, state, "values" FROM regress_2016._trigger_log WHERE table_name LIKE '%long%';
SELECT tgname FROM pg_trigger WHERE tgrelid = 'regress_2016.i_m__an_object_whose_name_is_as_long_as_names_can_be_xx__c'::regclass AND tgname ~ 'hc_' ORDER BY 1;
SELECT statement FROM hc_missing_indexes(:'c');
SELECT statement FROM hc_missing_indexes(:'c') \gexec
SELECT count(*) FROM hc_missing_indexes(:'c');
SELECT to_regclass('regress_2016._trigger_log_archive') IS NOT NULL AS has_archive;
CALL hc_adopt_undo('regress_2016');
SELECT to_regclass('regress_2016._trigger_log_archive') IS NOT NULL AS has_archive;

-- Access of the mapping file wins, and a disabled trigger stays so.
SELECT detail FROM hc_adopt('regress_readonly', '{"mappings": [{"object_name": "Opportunity", "config": {"access": "read_write", "fields": {"Amount": {}, "CloseDate": {}}}}]}') WHERE step = 'oddity';
SELECT id AS c FROM hc_connection WHERE schema_name = 'regress_readonly' \gset
CALL hc_adopt_triggers(:'c');
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE tgrelid IN ('regress_readonly.opportunity'::regclass, 'regress_readonly.recordtype'::regclass) AND NOT tgisinternal ORDER BY 2;
UPDATE regress_readonly.opportunity SET amount = 2;
UPDATE regress_readonly.recordtype SET name = 'x';
SELECT table_name, state, "values" FROM regress_readonly._trigger_log;
SELECT h.table_name, h.config -> 'fields' AS fields FROM hc_mapping h WHERE h.connection = :'c' ORDER BY 1;

-- A connection of ours that was removed left a schema that is taken over like Heroku Connect's; its triggers are gone.
CALL hc_connection_drop(:'c');
SELECT step, detail FROM hc_adopt('regress_readonly', '{"mappings": [{"object_name": "RecordType", "config": {"access": "read_only", "fields": {"Name": {}}}}]}', true)
 WHERE step IN ('mapping', 'oddity') AND detail LIKE 'recordtype%';

DELETE FROM hc_connection WHERE schema_name IN ('regress_2019', 'regress_readonly');
RESET ROLE;
DELETE FROM hc_event WHERE event_type IN ('adopt', 'mapping-error', 'mapping-removed', 'connection-removed');
DROP SEQUENCE IF EXISTS hc_quiet_regress_2019, hc_quiet_regress_readonly;
DROP SCHEMA regress_2019, regress_2016, regress_readonly, heroku CASCADE;
DROP OWNED BY regress_keeper, regress_app;
DROP ROLE regress_keeper, regress_app;
