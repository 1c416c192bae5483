-- A failed parent that is set to NEW again goes before its child, though claims start behind it
SET search_path = regress_tools, public;
SELECT connect('again');
SELECT add_contact('again') IS NOT NULL AS mapped;
SELECT setting('again', '{"write_algorithm": "planned"}');
INSERT INTO again.account (name, ext__c) VALUES ('parent', 'p');
UPDATE again._trigger_log SET state = 'FAILED', processed_at = clock_timestamp();
INSERT INTO again.contact (lastname, ext__c, account__ext__c) VALUES ('child', 'c', 'P');
SELECT claim_calls('again') AS held;
SELECT table_name, state, sf_message FROM again._trigger_log ORDER BY id;
UPDATE hc_connection SET low_water = (SELECT max(id) FROM again._trigger_log) WHERE schema_name = 'again';
UPDATE again._trigger_log SET state = 'NEW' WHERE state = 'FAILED';
SELECT shown(claim_calls('again'));
SELECT answer_calls('again');
SELECT shown(claim_calls('again'));
SELECT answer_calls('again');
SELECT table_name, state FROM again._trigger_log_archive ORDER BY id;
SELECT disconnect('again');
