-- Changing a mapping: what differs is done, what cannot be done is said, and what is open in the log keeps working.
\set SHOW_CONTEXT never
\pset null -
SELECT regress_connection('alter') AS connection \gset
\set before '{"access": "read_write", "fields": {"Name": {}, "AnnualRevenue": {}, "BillingStreet": {}}, "indexes": {"AnnualRevenue": {}, "BillingStreet": {}}}'
SELECT hc_mapping_create(:'connection', 'Account', :'before', regress_account()) AS mapping \gset
UPDATE hc_mapping SET state = 'DATA_SYNCED', poll_cursor = now(), poll_at = now() + interval '1 hour' WHERE id = :'mapping';
SELECT hc_lead(:'connection', 'regress') AS epoch \gset
INSERT INTO alter.account (name, annualrevenue, billingstreet) SELECT 'n' || g, g / 2.0, 'street ' || g FROM generate_series(1, 5) g;
CREATE VIEW columns AS SELECT a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type FROM pg_attribute a
 WHERE a.attrelid = 'alter.account'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;
CREATE VIEW mapping AS SELECT state, state_detail, access, polling, upsert_column, revision, poll_at IS NULL AS reads_now FROM hc_mapping WHERE connection = (SELECT id FROM hc_connection WHERE schema_name = 'alter');

-- Nothing differs: nothing is done.
SELECT * FROM hc_mapping_alter(:'mapping', :'before', regress_account());
SELECT * FROM mapping;

-- Adding and lengthening touch no row. A column may be longer than what Salesforce says.
CREATE FUNCTION longer(field text, length integer) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_set(regress_account(), '{fields}', (SELECT jsonb_agg(CASE WHEN f ->> 'name' = field THEN f || jsonb_build_object('length', length) ELSE f END)
                                                       FROM jsonb_array_elements(regress_account() -> 'fields') f)) $$;
CREATE TEMP TABLE files AS SELECT c.oid, c.relfilenode FROM pg_class c WHERE c.relnamespace = 'alter'::regnamespace AND c.relname ~ 'account';
ALTER TABLE alter.account ADD CONSTRAINT short CHECK (length(billingstreet) < 200);
\set more '{"access": "read_write", "fields": {"Name": {}, "AnnualRevenue": {}, "BillingStreet": {}, "NumberOfEmployees": {}, "Parent__ExternalId__c": {}, "ExternalId__c": {}}, "indexes": {"BillingStreet": {}, "NumberOfEmployees": {}}, "upsert_field": "ExternalId__c", "sf_polling_seconds": 120}'
SELECT * FROM hc_mapping_alter(:'mapping', :'more', longer('BillingStreet', 500), true);
SELECT * FROM mapping;
SELECT * FROM hc_mapping_alter(:'mapping', :'more', longer('BillingStreet', 500));
SELECT * FROM mapping;
SELECT count(*) FROM files f JOIN pg_class c ON c.oid = f.oid WHERE c.relfilenode <> f.relfilenode;
SELECT index_name, state FROM hc_mapping_indexes(:'mapping');
SELECT statement FROM hc_mapping_pending(:'mapping') \gexec
SELECT * FROM hc_mapping_pending(:'mapping');
SELECT conname, convalidated FROM pg_constraint WHERE conrelid = 'alter.account'::regclass AND contype = 'c';
SELECT * FROM columns;
SELECT column_name, postgres_type, length, createable FROM hc_field WHERE mapping = :'mapping' ORDER BY position;
SELECT * FROM hc_mapping_alter(:'mapping', :'more', longer('BillingStreet', 80));
-- The relay is told to load, and the load is one that merges.
SELECT jsonb_array_length(hc_work(:'connection', :epoch) -> 'loads') AS loads;
SELECT hc_load_begin(:'connection', :epoch, :'mapping') - 'load' - 'table' - 'copy' AS load;
SELECT * FROM mapping;
-- A change of the columns while it runs: it begins anew, with the columns that there are then.
SELECT hc_mapping_alter(:'mapping', replace(:'more', '"NumberOfEmployees": {}', '"BillingCity": {}')::jsonb, regress_account()) \g /dev/null
SELECT hc_load_begin(:'connection', :epoch, :'mapping') ->> 'columns' AS columns;
DELETE FROM hc_load;
SELECT hc_mapping_alter(:'mapping', :'more', regress_account()) \g /dev/null
UPDATE hc_mapping SET state = 'DATA_SYNCED', poll_at = now() + interval '1 hour' WHERE id = :'mapping';

-- A page that was asked for before the field was added must not empty it: the record is read once more.
SET xmlbinary = hex;
UPDATE alter.account SET sfid = '001xx000003DGb1AAG', numberofemployees = 7, systemmodstamp = '2026-01-01' WHERE id = 1;
RESET xmlbinary;
TRUNCATE alter._trigger_log;
SELECT hc_stage(:'connection', :epoch, :'mapping', '[{"Id": "001xx000003DGb1AAG", "SystemModstamp": "2026-01-01T00:00:00.000Z", "IsDeleted": false, "Name": "old page", "AnnualRevenue": 1, "BillingStreet": null}]', now() - interval '1 hour');
SELECT hc_merge(:'connection', :epoch, :'mapping');
SELECT name, numberofemployees FROM alter.account WHERE id = 1;
SELECT hc_read_back_next(:'connection', :epoch) -> 'ids' AS read_again;
DELETE FROM hc_read_back;

-- Dropping: what depends on the column is listed and refused; an entry that carries it is sent without it.
CREATE VIEW alter.streets AS SELECT billingstreet FROM alter.account;
CREATE INDEX account_by_street ON alter.account (billingstreet, name);
UPDATE alter.account SET name = 'renamed', billingstreet = 'new street' WHERE id = 1;
UPDATE alter.account SET billingstreet = 'moved' WHERE id = 1;
\set fewer '{"access": "read_write", "fields": {"Name": {}, "AnnualRevenue": {}, "NumberOfEmployees": {}, "Parent__ExternalId__c": {}, "ExternalId__c": {}}, "indexes": {"NumberOfEmployees": {}}, "upsert_field": "ExternalId__c", "sf_polling_seconds": 120}'
SELECT * FROM hc_mapping_alter(:'mapping', :'fewer', regress_account(), true);
SELECT * FROM hc_mapping_alter(:'mapping', :'fewer', regress_account());
SELECT hc_load_begin(:'connection', :epoch, :'mapping') \g /dev/null
SELECT * FROM hc_mapping_alter(:'mapping', :'fewer', regress_account(), false, true);
SELECT count(*) AS loads_with_the_column FROM hc_load WHERE mapping = :'mapping';
UPDATE hc_mapping SET state = 'DATA_SYNCED', poll_at = now() + interval '1 hour' WHERE id = :'mapping';
SELECT to_regclass('alter.streets') AS view, to_regclass('alter.account_by_street') AS index;
SELECT e.value -> 'fields' AS sent FROM jsonb_array_elements(hc_claim(:'connection', :epoch) -> 'records') e;
SELECT hc_sent(:'connection', :epoch, max(id)) FROM hc_batch \g /dev/null
SELECT hc_answer(:'connection', :epoch, max(id), 'answered', '{"results": [{"id": "001xx000003DGb1AAG", "success": true, "errors": []}]}') FROM hc_batch \g /dev/null
SELECT hc_apply(:'connection', :epoch, max(id)) FROM hc_batch;
SELECT hc_claim(:'connection', :epoch) IS NULL AS nothing_left;
SELECT state, "values", sf_message FROM alter._trigger_log_archive ORDER BY id;

-- Access: what was captured before a switch to read_only is still sent, what is captured afterwards is not.
UPDATE alter.account SET name = 'before' WHERE id = 1;
\set reader '{"fields": {"Name": {}, "AnnualRevenue": {}, "NumberOfEmployees": {}, "ExternalId__c": {}, "Parent__ExternalId__c": {}}, "indexes": {"NumberOfEmployees": {}}, "upsert_field": "ExternalId__c", "sf_polling_seconds": 120}'
SELECT * FROM hc_mapping_alter(:'mapping', :'reader', regress_account());
UPDATE alter.account SET name = 'after' WHERE id = 1;
SELECT alter.hc_capture_update_from_row(hstore(a), 'account', ARRAY['name']) IS NOT NULL AS captured FROM alter.account a WHERE id = 2;
SELECT e.value -> 'fields' AS sent FROM jsonb_array_elements(hc_claim(:'connection', :epoch) -> 'records') e;
SELECT state, left(sf_message, 17) AS message FROM alter._trigger_log ORDER BY id;
DELETE FROM alter._trigger_log;
DELETE FROM hc_batch;

-- Another type: refused while values do not convert, then begun; capture and merges go on with the old one until the swap.
\set texts '{"fields": {"Name": {}, "AnnualRevenue": {}, "NumberOfEmployees": {}, "ExternalId__c": {}, "Parent__ExternalId__c": {}}, "indexes": {"NumberOfEmployees": {}}, "upsert_field": "ExternalId__c", "sf_polling_seconds": 120}'
CREATE FUNCTION retyped(field text, type text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_set(regress_account(), '{fields}', (SELECT jsonb_agg(CASE WHEN f ->> 'name' = field THEN f || jsonb_build_object('type', type) ELSE f END)
                                                       FROM jsonb_array_elements(regress_account() -> 'fields') f)) $$;
SELECT * FROM hc_mapping_alter(:'mapping', :'texts', retyped('Name', 'double'), true);
SELECT * FROM hc_mapping_alter(:'mapping', :'texts', retyped('Name', 'double'));
SELECT step, detail FROM hc_mapping_alter(:'mapping', :'texts', retyped('NumberOfEmployees', 'double'));
SELECT postgres_type FROM hc_field WHERE mapping = :'mapping' AND field_name = 'NumberOfEmployees';
SELECT state FROM mapping;
-- Changed again before it was done: the first change is given up.
SELECT step, detail FROM hc_mapping_alter(:'mapping', :'texts', retyped('NumberOfEmployees', 'date'));
SELECT step, detail FROM hc_mapping_alter(:'mapping', :'texts', jsonb_set(retyped('NumberOfEmployees', 'string'), '{fields}', (SELECT jsonb_agg(f || '{"length": 40}') FROM jsonb_array_elements(retyped('NumberOfEmployees', 'string') -> 'fields') f WHERE f ->> 'name' <> 'BillingAddress')));
SELECT statement FROM hc_mapping_pending(:'mapping') \gexec
SELECT * FROM hc_mapping_pending(:'mapping');
SELECT * FROM mapping;
SELECT * FROM columns WHERE "column" = 'numberofemployees';
SELECT salesforce_type, postgres_type, length FROM hc_field WHERE mapping = :'mapping' AND field_name = 'NumberOfEmployees';

-- An index whose build was cut off is dropped and built again; so is one that somebody dropped.
DROP INDEX alter.hcu_idx_account_externalid__c;
UPDATE alter.account SET numberofemployees = 'same', externalid__c = 'same';
CREATE UNIQUE INDEX CONCURRENTLY hcu_idx_account_externalid__c ON alter.account (externalid__c);
SELECT state, statement FROM hc_mapping_indexes(:'mapping');
UPDATE alter.account SET externalid__c = id;
SELECT statement FROM hc_mapping_pending(:'mapping') \gexec
SELECT * FROM hc_mapping_indexes(:'mapping');

-- A mapping that could not be read is tried at once when it is edited, and a poll that began before a change does not put off what the change asks for.
UPDATE hc_mapping SET state = 'BAD_CONFIG', state_detail = 'INVALID_FIELD', poll_at = now() + interval '1 hour' WHERE id = :'mapping';
SELECT hc_mapping_alter(:'mapping', jsonb_set(:'texts', '{sf_polling_seconds}', '240'), retyped('NumberOfEmployees', 'string')) \g /dev/null
SELECT state, poll_at <= clock_timestamp() AS due FROM hc_mapping WHERE id = :'mapping';
SELECT hc_poll_begin(:'connection', :epoch, :'mapping') \g /dev/null
SELECT hc_mapping_read_again(:'mapping', 'asked for while a poll ran');
SELECT hc_poll_done(:'connection', :epoch, :'mapping', 0, now(), NULL);
SELECT hc_poll_failed(:'connection', :epoch, :'mapping', 'INVALID_FIELD', 'of the old columns', 'configuration');
SELECT * FROM mapping;
-- A load that failed for the configuration is a load still.
SELECT (hc_load_begin(:'connection', :epoch, :'mapping') ->> 'load')::bigint AS load \gset
SELECT hc_load_failed(:'connection', :epoch, :load, 'INVALID_FIELD', 'no such field', 'configuration');
UPDATE hc_mapping SET poll_at = now() - interval '1 second' WHERE id = :'mapping';
SELECT jsonb_array_length(w -> 'loads') AS loads, jsonb_array_length(w -> 'polls') AS polls FROM hc_work(:'connection', :epoch) w;
SELECT hc_mapping_alter(:'mapping', :'texts', retyped('NumberOfEmployees', 'string')) \g /dev/null
SELECT state, state_detail FROM mapping;

-- Ids that become bigint meanwhile are no field: new columns do not wait for them.
UPDATE hc_mapping SET state = 'DATA_SYNCED', state_detail = NULL WHERE id = :'mapping';
SELECT hc_column_begin('alter.account', 'id', 'bigint', :'mapping');
SELECT hc_mapping_alter(:'mapping', jsonb_set(:'texts', '{fields,BillingStreet}', '{}'), retyped('NumberOfEmployees', 'string')) \g /dev/null
SELECT state, state_detail FROM mapping;
SELECT hc_column_cancel('alter', 'account', 'id');

-- What cannot be mapped is refused as when a mapping is made.
SELECT * FROM hc_mapping_alter(:'mapping', '{"fields": {"BillingAddress": {}}}', regress_account());
SELECT * FROM hc_mapping_alter(:'mapping', '{"fields": {"Name": {}}, "upsert_field": "Name"}', regress_account());
ALTER TABLE alter.account ADD COLUMN billingcity text;
SELECT * FROM hc_mapping_alter(:'mapping', '{"fields": {"Name": {}, "BillingCity": {}}}', regress_account());
SELECT * FROM hc_mapping_alter('00000000-0000-0000-0000-000000000001', '{"fields": {}}', regress_account());
SELECT event_type, count(*) FROM hc_event WHERE mapping = :'mapping' AND event_type = 'mapping-changed' GROUP BY 1;
SET client_min_messages = warning;
SELECT pg_advisory_unlock_all();
DROP FUNCTION longer, retyped;
DROP VIEW columns, mapping;
CALL hc_connection_drop(:'connection', true);
DROP SCHEMA alter CASCADE;
