-- Planned writes: what may be sent at the same time, what waits for what, and what travels together
SELECT regress_tools.connect('wave');
SELECT regress_tools.add_contact('wave') IS NOT NULL AS mapped;
SELECT connection AS c, epoch AS e FROM regress_tools.ids WHERE name = 'wave' \gset
-- a child waits for its parent's INSERT wherever that stands in the log; what others wait for goes first, and the rest shares what comes then
INSERT INTO wave.contact (lastname, ext__c, account__ext__c) VALUES ('child of one', 'c1', 'A1'), ('child of two', 'c2', 'a2'), ('child of nobody', 'c3', NULL);
INSERT INTO wave.account (name, ext__c) VALUES ('one', 'a1'), ('two', 'a2');
UPDATE wave.account SET name = 'uno' WHERE id = 1;
INSERT INTO wave.account (name) VALUES ('without identifier');
SELECT regress_tools.turn('wave', true);
SELECT regress_tools.turn('wave', true);
SELECT regress_tools.turn('wave');
-- a DELETE waits for earlier changes that name the record, and for those that leave it; a child of a deleted parent stays behind it
UPDATE wave.contact SET accountid = '001000000000002AAA', account__ext__c = NULL WHERE id = 1;
INSERT INTO wave.contact (lastname, accountid) VALUES ('late child', '001000000000002AAA');
DELETE FROM wave.account WHERE id = 2;
DELETE FROM wave.account WHERE id = 1;
SELECT regress_tools.turn('wave');
SELECT regress_tools.turn('wave');
-- each record's changes in order, one at a time; an identifier moves from one record to another
UPDATE wave.contact SET lastname = 'a' WHERE id = 3;
UPDATE wave.contact SET lastname = 'b' WHERE id = 3;
UPDATE wave.contact SET ext__c = 'c2 old' WHERE id = 2;
INSERT INTO wave.contact (lastname, ext__c) VALUES ('takes c2', 'C2');
DELETE FROM wave.contact WHERE id = 2;
SELECT regress_tools.turn('wave', true);
SELECT regress_tools.turn('wave', true);
-- a failed INSERT holds its record and its dependants; the others go on. It blocks no other record with its identifier
INSERT INTO wave.account (name, ext__c) VALUES ('bad', 'a9'), ('good', 'a10');
INSERT INTO wave.contact (lastname, ext__c, account__ext__c) VALUES ('held', 'c9', 'a9'), ('goes', 'c10', 'a10');
INSERT INTO wave.contact (lastname, ext__c, reportsto__ext__c) VALUES ('held too', 'c11', 'c9');
SELECT regress_tools.turn('wave', false, '{"Account 4": "STRING_TOO_LONG"}');
UPDATE wave.account SET name = 'better' WHERE id = 4;
SELECT regress_tools.turn('wave');
SELECT regress_tools.turn('wave');
SELECT id, state, action, table_name, record_id, sf_message FROM wave._trigger_log ORDER BY id;
SELECT public.hc_status(:'c') -> 'held' AS held;
UPDATE wave._trigger_log SET state = 'NEW' WHERE state = 'FAILED';
SELECT regress_tools.turn('wave');
SELECT regress_tools.turn('wave');
SELECT regress_tools.turn('wave');
SELECT count(*) AS left_over FROM wave._trigger_log;
-- strict: a failed INSERT stops the queue, and the connection says so until it is dealt with
SELECT regress_tools.setting('wave', '{"strict": true}');
INSERT INTO wave.account (name) VALUES ('bad'), ('good');
INSERT INTO wave.contact (lastname) VALUES ('stopped');
SELECT regress_tools.turn('wave', false, '{"Account 6": "STRING_TOO_LONG"}');
INSERT INTO wave.contact (lastname) VALUES ('stopped');
SELECT regress_tools.turn('wave'), 'nothing' AS sent;
SELECT regexp_replace(state_detail, 'entry \d+', 'entry N') AS state_detail, (SELECT count(*) FROM public.hc_notification n WHERE n.connection = :'c' AND n.event_type = 'queue-stopped') AS raised FROM public.hc_connection WHERE id = :'c';
UPDATE wave._trigger_log SET state = 'IGNORE' WHERE state = 'FAILED';
SELECT regress_tools.turn('wave');
SELECT state_detail FROM public.hc_connection WHERE id = :'c';
SELECT regress_tools.setting('wave', '{"strict": false}');
-- what cannot be sent fails with what to do, and holds up nothing: no mapping, no record, no Salesforce id, an unknown action, a value that
-- is none, text that is no hstore, no field that may be written
DELETE FROM wave._trigger_log;
INSERT INTO wave._trigger_log (state, action, table_name, record_id, sfid, "values") VALUES
  ('NEW', 'UPDATE', 'nowhere', 1, NULL, '"name"=>"x"'), ('NEW', 'UPDATE', 'account', NULL, NULL, '"name"=>"x"'), ('NEW', 'UPDATE', 'account', 999, NULL, '"name"=>"x"'),
  ('NEW', 'MERGE', 'account', 5, NULL, NULL), ('NEW', 'UPDATE', 'account', 5, '001000000000005AAA', '"closed__c"=>"soon"'), ('NEW', 'UPDATE', 'account', 5, '001000000000005AAA', '"formula__c"=>"x"'),
  ('NEW', 'UPDATE', 'account', 5, '001000000000005AAA', '"name"=>"fine"');
SELECT regress_tools.turn('wave');
INSERT INTO wave._trigger_log (state, action, table_name, record_id, sfid, "values") VALUES
  ('NEW', 'UPDATE', 'account', 7, '001000000000007AAA', 'no hstore'), ('FAILED', 'INSERT', 'account', 8, NULL, 'nor this'), ('NEW', 'UPDATE', 'account', 5, '001000000000005AAA', '"name"=>"fine"');
SELECT regress_tools.turn('wave');
SELECT regress_tools.turn('wave');
SELECT state, record_id, "values", left(sf_message, 17) FROM wave._trigger_log WHERE record_id IN (7, 8);
-- (The words for what is no hstore are those of the version.)
SELECT place, state, action, record_id, regexp_replace(sf_message, 'syntax error.*near "." at position \d+', 'no hstore', 'i') AS sf_message FROM regress_tools.log('wave') WHERE place = 'log' OR state = 'IGNORED' ORDER BY id;
UPDATE public.hc_mapping SET access = 'read_only' WHERE connection = :'c' AND object_name = 'Contact';
INSERT INTO wave.contact (lastname) VALUES ('not sent');
SELECT regress_tools.turn('wave'), 'nothing' AS sent;
SELECT sf_message FROM wave._trigger_log ORDER BY id DESC LIMIT 1;
UPDATE public.hc_mapping SET access = 'read_write' WHERE connection = :'c';
DELETE FROM wave._trigger_log;
-- a trigger of the user that sorts before ours captures an UPDATE before the INSERT of its row
INSERT INTO wave._trigger_log (state, action, table_name, record_id, "values") VALUES ('NEW', 'UPDATE', 'account', 5000, '"name"=>"second"'), ('NEW', 'INSERT', 'account', 5000, '"name"=>"first"');
SET xmlbinary = hex;
INSERT INTO wave.account (id, name) VALUES (5000, 'second');
RESET xmlbinary;
SELECT regress_tools.turn('wave', true);
SELECT regress_tools.turn('wave', true);
-- rows of an earlier generation: their changes are sent, and a new row of the same id is another one
INSERT INTO wave.contact (id, lastname) VALUES (7000, 'old');
SET client_min_messages = error;
SELECT public.hc_truncate(:'c', 'warn');
TRUNCATE wave.contact;
RESET client_min_messages;
INSERT INTO wave.contact (id, lastname) VALUES (7000, 'new');
SELECT regress_tools.turn('wave', true);
SELECT id, lastname, sfid FROM wave.contact;
-- entries handed out later than claimed: an edit of state has its effect until then
DELETE FROM wave._trigger_log;
SELECT regress_tools.setting('wave', '{"objects_per_call": 1}');
UPDATE wave.account SET name = 'edited' WHERE id IN (5, 7);
INSERT INTO wave.contact (lastname) VALUES ('first');
UPDATE wave.contact SET lastname = 'newest' WHERE id = 7000;
SELECT regress_tools.shown(regress_tools.claim_calls('wave', 1));
SELECT state, count(*) FROM public.hc_batch b WHERE b.state <> 'DONE' AND b.connection = :'c' GROUP BY 1;
UPDATE wave._trigger_log SET state = 'IGNORE' WHERE table_name = 'account' AND record_id = 5;
SELECT regress_tools.shown(regress_tools.claim_calls('wave'));
SELECT regress_tools.answer_calls('wave');
SELECT regress_tools.turn('wave'), 'nothing' AS sent;
SELECT place, state, action, record_id, sf_message FROM regress_tools.log('wave') WHERE place = 'log';
SELECT regress_tools.setting('wave', '{"objects_per_call": 10}');
DELETE FROM wave._trigger_log;
-- full calls first and alone; then what is left, several objects in a call
INSERT INTO wave.account (name) SELECT 'many' FROM generate_series(1, 450);
INSERT INTO wave.contact (lastname) SELECT 'many' FROM generate_series(1, 120);
SELECT c.value ->> 'operation' AS operation, (SELECT jsonb_agg(jsonb_build_array(b -> 'object', jsonb_array_length(b -> 'records'))) FROM jsonb_array_elements(c.value -> 'batches') b) AS batches
  FROM jsonb_array_elements(regress_tools.claim_calls('wave')) c;
SELECT jsonb_array_length(regress_tools.claim_calls('wave')) AS while_these_run;
SELECT regress_tools.answer_calls('wave');
SELECT c.value ->> 'operation' AS operation, (SELECT jsonb_agg(jsonb_build_array(b -> 'object', jsonb_array_length(b -> 'records'))) FROM jsonb_array_elements(c.value -> 'batches') b) AS batches
  FROM jsonb_array_elements(regress_tools.claim_calls('wave')) c;
SELECT regress_tools.answer_calls('wave');
-- calls that have a parent in common do not run at the same time
INSERT INTO wave.contact (lastname, accountid) SELECT 'of one parent', CASE WHEN n <= 300 THEN '001000000000005AAA' ELSE '001000000000007AAA' END FROM generate_series(1, 600) n;
SELECT jsonb_array_length(regress_tools.claim_calls('wave')) AS at_once;
SELECT count(*) AS made FROM public.hc_batch WHERE connection = :'c' AND state = 'CLAIMED';
SELECT regress_tools.answer_calls('wave');
SELECT jsonb_array_length(regress_tools.claim_calls('wave')) AS then;
SELECT regress_tools.answer_calls('wave');
SELECT count(*) AS left_over FROM wave._trigger_log;
