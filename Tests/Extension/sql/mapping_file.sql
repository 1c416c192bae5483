-- The mapping file in its three generations, and what is wrong in it.
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION regress_file(config text) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT jsonb_build_object('version', 1, 'mappings', jsonb_build_array(jsonb_build_object('object_name', 'Account', 'config', config::jsonb))) $$;
-- now
\set now '{"connection": {"app_name": "my-app", "organization_id": "00D0R000000XXXXUA4", "exported_at": "2020-12-11T14:40:54.084290+00:00", "features": {"disable_bulk_writes": false, "poll_db_no_merge": true, "poll_external_ids": false, "rest_count_only": false}, "api_version": "50.0", "name": "my-app:herokuconnect-name", "logplex_log_enabled": false}, "mappings": [{"object_name": "Account", "config": {"access": "read_write", "sf_notify_enabled": false, "sf_polling_seconds": 600, "sf_max_daily_api_calls": 30000, "fields": {"CreatedDate": {}, "ExternalId__c": {}, "Id": {}, "IsDeleted": {}, "Name": {}, "SystemModstamp": {}}, "indexes": {"ExternalId__c": {"unique": true}, "Id": {"unique": true}, "SystemModstamp": {"unique": false}}, "upsert_field": "ExternalId__c", "revision": 7, "applied_at": "2020-12-11T14:40:54"}}], "version": 1}'
SELECT object_name, jsonb_pretty(config) FROM hc_mapping_file(:'now');
SELECT jsonb_pretty(hc_mapping_file_settings(:'now'));
-- 2016: no features, no indexes, no identifier: merged writes
\set old '{"connection": {"app_name": "my-app", "exported_at": "2016-01-01T00:00:00+00:00", "organization_id": "00D0R000000XXXXUA4"}, "mappings": [{"object_name": "Contact", "config": {"access": "read_only", "sf_polling_seconds": 120, "fields": {"Name": {}}}}], "version": 1}'
SELECT object_name, config FROM hc_mapping_file(:'old');
SELECT hc_mapping_file_settings(:'old');
-- 2019: a version and some features
SELECT hc_mapping_file_settings('{"connection": {"api_version": "39", "features": {"poll_db_no_merge": false}}, "mappings": []}');
-- without a connection nothing is said about it; without a file writes are ordered
SELECT hc_mapping_file_settings('{"mappings": []}');
SELECT hc_mapping_file_settings(NULL);
-- our own settings go through, keys of others are left alone
SELECT config FROM hc_mapping_file(regress_file('{"fields": {"Name": {"x": 1}}, "hc_sync": {"strict": true}, "color": "blue"}'));

SELECT hc_mapping_file('[]');
SELECT hc_mapping_file('{"version": 2, "mappings": []}');
SELECT hc_mapping_file('{"version": 1}');
SELECT hc_mapping_file('{"mappings": {}}');
SELECT hc_mapping_file('{"mappings": [{"object_name": "A", "config": {"fields": {}}}, 7]}');
SELECT hc_mapping_file('{"mappings": [{"config": {"fields": {}}}]}');
SELECT hc_mapping_file('{"mappings": [{"object_name": "Account"}]}');
SELECT hc_mapping_file('{"mappings": [{"object_name": "A", "config": {"fields": {}}}, {"object_name": "a", "config": {"fields": {}}}]}');
SELECT hc_mapping_file('{"mappings": [{"object_name": "A", "config": {"fields": {}}}, {"object_name": "B", "config": {"fields": {}}}, {"object_name": "C", "config": {"fields": {}, "sf_polling_seconds": 60}}]}');
SELECT hc_mapping_file(regress_file('{"fields": {}, "sf_polling_seconds": 3601}'));
SELECT hc_mapping_file(regress_file('{"fields": {}, "sf_polling_seconds": 600.5}'));
SELECT hc_mapping_file(regress_file('{"fields": {}, "sf_polling_seconds": "600"}'));
SELECT hc_mapping_file(regress_file('{"fields": {}, "sf_max_daily_api_calls": 0}'));
SELECT hc_mapping_file(regress_file('{"fields": {}, "access": "write"}'));
SELECT hc_mapping_file(regress_file('{"access": "read_write"}'));
SELECT hc_mapping_file(regress_file('{"fields": ["Name"]}'));
SELECT hc_mapping_file(regress_file('{"fields": {"Name": 1}}'));
SELECT hc_mapping_file(regress_file('{"fields": {"Name; DROP": {}}}'));
SELECT hc_mapping_file(regress_file('{"fields": {"Name": {}, "NAME": {}}}'));
SELECT hc_mapping_file(regress_file('{"fields": {"Name": {}}, "indexes": {"Phone": {"unique": true}}}'));
SELECT hc_mapping_file(regress_file('{"fields": {"Name": {}}, "indexes": {"Name": {"unique": 1}}}'));
SELECT hc_mapping_file(regress_file('{"fields": {"Name": {}}, "upsert_field": "Code__c"}'));
SELECT hc_mapping_file(regress_file('{"fields": {}, "sf_notify_enabled": "yes"}'));
SELECT hc_mapping_file(regress_file('{"fields": {}, "hc_sync": []}'));
SELECT hc_mapping_file('{"connection": {"features": {"poll_db_no_merge": "true"}}, "mappings": []}');
SELECT hc_mapping_file('{"connection": {"api_version": "latest"}, "mappings": []}');
