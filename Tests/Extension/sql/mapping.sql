-- Making and dropping mappings: what describe and configuration become, and what is refused.
\set SHOW_CONTEXT never
SELECT regress_connection('map') AS connection \gset
SELECT hc_mapping_create(:'connection', 'account', '{"access": "read_write", "fields": {"name": {}, "externalid__c": {}, "parent__EXTERNALID__c": {}}, "upsert_field": "ExternalId__C"}', regress_account()) AS mapping \gset
SELECT object_name, table_name, access, state, upsert_field, upsert_column, polling, revision, config -> 'fields' AS fields FROM hc_mapping WHERE id = :'mapping';
SELECT position, field_name, column_name, salesforce_type, length, scale, createable, external_id, relationship_name, reference_to, relationship_field, relationship_object FROM hc_field WHERE mapping = :'mapping' ORDER BY position;

-- A parent in another object: its describe comes from its mapping, or with the description.
\set contact '{"name": "Contact", "fields": [{"name": "Id", "type": "id", "length": 18}, {"name": "SystemModstamp", "type": "datetime"}, {"name": "AccountId", "type": "reference", "length": 18, "referenceTo": ["Account"], "relationshipName": "Account", "createable": true}, {"name": "OwnerId", "type": "reference", "length": 18, "referenceTo": ["Group", "User"], "relationshipName": "Owner"}, {"name": "Team__c", "type": "reference", "length": 18, "referenceTo": ["Team__c"], "relationshipName": "Team__r", "createable": true, "updateable": true}], "hc_sync": {"parents": {"Team__c": {"name": "Team__c", "fields": [{"name": "Code__c", "type": "double", "length": 0, "externalId": true}]}}}}'
SELECT hc_mapping_register(:'connection', 'Contact', '{"fields": {"Account__ExternalId__c": {}, "Team__r__Code__c": {}, "Id": {}}}', :'contact') AS contact_mapping \gset
SELECT field_name, column_name, postgres_type, createable, updateable, relationship_object FROM hc_field WHERE mapping = :'contact_mapping' ORDER BY position;
SELECT to_regclass('map.contact') IS NULL AS no_table_yet, description #> '{hc_sync,parents}' AS parents FROM hc_mapping WHERE id = :'contact_mapping';
SELECT hc_mapping_drop(:'contact_mapping');
SELECT hc_mapping_register(:'connection', 'Contact', '{"fields": {"Owner__ExternalId__c": {}}}', :'contact');
SELECT hc_mapping_register(:'connection', 'Contact', '{"fields": {"Team__r__Code__c": {}}}', :'contact'::jsonb - 'hc_sync');
SELECT hc_mapping_register(:'connection', 'Contact', '{"fields": {"Account__Name": {}}}', :'contact');
SELECT hc_mapping_register(:'connection', 'Contact', '{"fields": {"Phone": {}}}', :'contact');

SELECT hc_mapping_create(:'connection', 'ACCOUNT', '{"fields": {}}', regress_account());
SELECT hc_mapping_create('00000000-0000-0000-0000-000000000001', 'Account', '{"fields": {}}', regress_account());
SELECT hc_mapping_create(:'connection', 'Lead', '{"fields": {}}', NULL);
SELECT hc_mapping_create(:'connection', 'Lead', '{"fields": {}}', regress_account());
SELECT hc_mapping_create(:'connection', 'Log__b', '{"fields": {}}', regress_describe('Log__b', '[]'));
SELECT hc_mapping_create(:'connection', 'Tick__e', '{"fields": {}}', regress_describe('Tick__e', '[]'));
SELECT hc_mapping_create(:'connection', 'Faq__kav', '{"fields": {}}', regress_describe('Faq__kav', '[]'));
SELECT hc_mapping_create(:'connection', 'Lead', '{"fields": {}}', '{"name": "Lead", "fields": [{"name": "Id", "type": "id"}]}');
SELECT hc_mapping_create(:'connection', 'Lead', '{"fields": {"Body": {}}}', regress_describe('Lead', '[{"name": "Body", "type": "base64"}]'));
SELECT hc_mapping_create(:'connection', 'Lead', '{"fields": {"Name": {}}, "upsert_field": "Name"}', regress_describe('Lead', '[{"name": "Name", "type": "string", "length": 80}]'));
CREATE TABLE map.lead (id int);
SELECT hc_mapping_create(:'connection', 'Lead', '{"fields": {}}', regress_describe('Lead', '[]'));
SELECT object_name FROM hc_mapping WHERE connection = :'connection';

-- Dropping the table answers the number of rows and refuses while something depends on it.
INSERT INTO map.account (name) VALUES ('a'), ('b');
CREATE VIEW map.names AS SELECT name FROM map.account;
SELECT hc_mapping_drop_table(:'mapping');
SELECT count(*) FROM map.account;
SELECT hc_mapping_drop_table(:'mapping', true);
SELECT to_regclass('map.account'), to_regproc('map.hc_account_logger'), to_regproc('map.hc_account_status');
SELECT count(*) FROM hc_mapping m JOIN hc_field f ON f.mapping = m.id WHERE m.connection = :'connection';
