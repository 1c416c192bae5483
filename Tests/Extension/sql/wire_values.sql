-- Values: what is sent for each type, what is left out and what is refused, by the function for one change and by that for many
SELECT public.hc_connection_create('wire_values', NULL, '62.0') AS connection \gset
SELECT public.hc_mapping_create(:'connection', 'Account', '{"access":"read_write","fields":{"Name":{},"LastName":{},"FirstName":{},"Secret__c":{},"Amount__c":{},"Whole__c":{},"Day__c":{},
  "Moment__c":{},"Hour__c":{},"Flag__c":{},"Formula__c":{},"Number__c":{},"BillingStreet":{},"Once__c":{},"ParentId":{},"Key__c":{},"Parent__Key__c":{}}}', jsonb_build_object('name', 'Account', 'queryable', true, 'fields', '[
  {"name":"Id","type":"id","length":18},{"name":"SystemModstamp","type":"datetime"},
  {"name":"Name","type":"string","length":255,"createable":true,"updateable":true},
  {"name":"FirstName","type":"string","length":40,"createable":true,"updateable":true},{"name":"LastName","type":"string","length":80,"createable":true,"updateable":true},
  {"name":"Secret__c","type":"encryptedstring","length":175,"createable":true,"updateable":true},
  {"name":"Amount__c","type":"double","precision":18,"scale":4,"createable":true,"updateable":true},{"name":"Whole__c","type":"int","createable":true,"updateable":true},
  {"name":"Day__c","type":"date","createable":true,"updateable":true},{"name":"Moment__c","type":"datetime","createable":true,"updateable":true},
  {"name":"Hour__c","type":"time","createable":true,"updateable":true},{"name":"Flag__c","type":"boolean","createable":true,"updateable":true},
  {"name":"Formula__c","type":"string","length":1300,"calculated":true},{"name":"Number__c","type":"string","length":30,"autoNumber":true},
  {"name":"BillingStreet","type":"textarea","length":255,"createable":true,"updateable":true},
  {"name":"Once__c","type":"string","length":10,"createable":true,"updateable":false},
  {"name":"Key__c","type":"double","precision":18,"scale":0,"externalId":true,"createable":true,"updateable":true},
  {"name":"ParentId","type":"reference","length":18,"referenceTo":["Account"],"relationshipName":"Parent","createable":true,"updateable":true}]'::jsonb)) AS mapping \gset
CREATE FUNCTION wire_values.sent(action text, captured text) RETURNS TABLE (fields jsonb, nulls jsonb, dropped jsonb, refused text, same boolean) LANGUAGE plpgsql AS $$
DECLARE
  mapping uuid := (SELECT m.id FROM public.hc_mapping m JOIN public.hc_connection c ON c.id = m.connection WHERE c.schema_name = 'wire_values');
  one jsonb;
  many record;
BEGIN
  SELECT * INTO many FROM public.hc_wire_records(mapping, '{1}', ARRAY[action], ARRAY[captured]);
  BEGIN
    one := public.hc_wire_record(mapping, action, captured);
  EXCEPTION WHEN data_exception THEN refused := SQLERRM; END;
  RETURN QUERY SELECT one -> 'fields', one -> 'nulls', one -> 'dropped', refused, one IS NOT DISTINCT FROM many.wire AND refused IS NOT DISTINCT FROM many.error;
END $$;
CREATE FUNCTION wire_values.seen(action text, VARIADIC pairs text[]) RETURNS TABLE (fields jsonb, nulls jsonb, dropped jsonb, refused text, same boolean) LANGUAGE sql AS $$
  SELECT * FROM wire_values.sent(action, public.hc_pairs_text(ARRAY(SELECT pairs[i] FROM generate_series(1, cardinality(pairs), 2) i), ARRAY(SELECT pairs[i + 1] FROM generate_series(1, cardinality(pairs), 2) i))) $$;
\pset null -
-- types
SELECT s.* FROM wire_values.seen('UPDATE', 'day__c', '2024-02-29', 'moment__c', '2024-01-31 12:00:00.5', 'hour__c', '13:30:00', 'flag__c', 't', 'amount__c', '1e+20', 'whole__c', '-12') s;
SELECT s.* FROM wire_values.seen('UPDATE', 'day__c', NULL, 'flag__c', NULL, 'amount__c', NULL, 'name', '', 'billingstreet', E'1 Rd\r\nUp') s;
SELECT s.* FROM wire_values.seen('INSERT', 'day__c', NULL, 'flag__c', NULL, 'name', '', 'billingstreet', E'a\nb') s;
-- what PostgreSQL has and Salesforce has not is refused, never changed into something else
SELECT v[1] AS "column", v[2] AS value, s.refused, s.same FROM (VALUES (ARRAY['day__c', 'infinity']), (ARRAY['day__c', '-infinity']), (ARRAY['moment__c', 'infinity']), (ARRAY['hour__c', '24:00:00']),
  (ARRAY['amount__c', 'NaN']), (ARRAY['amount__c', '-Infinity']), (ARRAY['flag__c', 'perhaps']), (ARRAY['day__c', '2024-02-30'])) x(v), LATERAL wire_values.seen('UPDATE', VARIADIC v) s;
-- read-only, calculated, numbered: dropped and named; a field only for new records is dropped from an update
SELECT s.* FROM wire_values.seen('INSERT', 'formula__c', 'x', 'number__c', '7', 'once__c', 'o', 'systemmodstamp', '2024-01-01', 'nowhere', 'n') s;
SELECT s.* FROM wire_values.seen('UPDATE', 'formula__c', 'x', 'number__c', NULL, 'once__c', 'o') s;
-- encrypted: a value is sent, what Salesforce shows in its place is not
SELECT v AS value, s.fields, s.dropped, s.same FROM unnest('{plain,X-ray,4111,*,*******,XXXX-XXXX-XXXX-1234,XXX-XX-1234,****1234,XXXXX}'::text[]) v, LATERAL wire_values.seen('UPDATE', 'secret__c', v) s;
-- a person account has no name to send
SELECT s.* FROM wire_values.seen('INSERT', 'name', 'Ada Lovelace', 'firstname', 'Ada', 'lastname', 'Lovelace') s;
SELECT s.* FROM wire_values.seen('INSERT', 'name', 'Acme', 'lastname', NULL) s;
-- a parent named by a number, whose child waits for it
INSERT INTO wire_values.account (name, key__c) VALUES ('parent', 5);
INSERT INTO wire_values.account (name, parent__key__c) VALUES ('child', 5);
SELECT public.hc_wire_record(:'mapping', action, "values") -> 'parents' AS parents FROM wire_values._trigger_log ORDER BY id;
SELECT public.hc_lead(:'connection', 'regress') AS epoch \gset
UPDATE public.hc_mapping SET state = 'DATA_SYNCED', poll_cursor = now() WHERE id = :'mapping';
SELECT b ->> 'operation' AS operation, jsonb_path_query_array(b, '$.records[*].fields.Name') AS names FROM public.hc_claim(:'connection', :epoch) b;
SELECT sf_message FROM wire_values._trigger_log WHERE state = 'NEW';
SELECT pg_advisory_unlock_all();
DROP FUNCTION wire_values.sent, wire_values.seen;
SET client_min_messages = error;
DELETE FROM public.hc_connection WHERE id = :'connection';
DROP SCHEMA wire_values CASCADE;
