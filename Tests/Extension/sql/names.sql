-- Names of tables, columns, indexes, sequences, functions and triggers.
\set SHOW_CONTEXT never
SELECT hc_table_name('Account'), hc_table_name('User'), hc_table_name('infrm__SupportPlan__c'), hc_table_name('Event_Participant__c');
SELECT hc_column_name('Id'), hc_column_name('AccountNumber'), hc_column_name('Event_Start_Date__c'), hc_column_name('Account__ExternalId__c');
SELECT hc_index_name('account', 'sfid', true), hc_index_name('account', 'systemmodstamp', false);

-- The two names that were seen in real schemas.
SELECT hc_index_name('i_m__request_entity__c', 'i_m__to_request_bom__r__i_m__externalid__c', false)
     = 'hc_idx_i_m__request_entity__c_i_m__to_request_bom__r__i_a84c' AS first,
       hc_index_name('i_m__suggested_rental_entity__c', 'i_m__to_suggested_rental_set__c', false)
     = 'hc_idx_i_m__suggested_rental_entity__c_i_m__to_suggeste_fae1' AS second;

-- 63 bytes stay, 64 are shortened to 60.
SELECT length(hc_short_name(repeat('a', 63))), length(hc_short_name(repeat('a', 64)));

SELECT key, value FROM jsonb_each_text(hc_object_names('account')) ORDER BY key;
SELECT key, value, length(value) FROM jsonb_each_text(hc_object_names('a23456789012345__' || repeat('b', 40) || '__c')) ORDER BY key;

-- The sequence is called as PostgreSQL itself calls it.
CREATE TEMP TABLE a23456789012345__bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb__c (id serial PRIMARY KEY);
SELECT relname, relname = hc_suffixed_name('a23456789012345__' || repeat('b', 40) || '__c', CASE relkind WHEN 'S' THEN '_id_seq' ELSE '_pkey' END) AS same
  FROM pg_class WHERE relname LIKE 'a23456789012345\_\_b%' AND relkind IN ('S', 'i') ORDER BY 1;

SELECT hc_check_schema_name(repeat('s', 48));
SELECT hc_check_schema_name(repeat('s', 49));
SELECT hc_connection_create('public');
