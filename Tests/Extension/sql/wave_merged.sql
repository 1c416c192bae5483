-- Merged writes: one change of all that waits of a record. And folding in planned writes, cycles, and older changes that are sent again
SELECT regress_tools.connect('merged');
SELECT regress_tools.add_contact('merged') IS NOT NULL AS mapped;
SELECT connection AS c, epoch AS e FROM regress_tools.ids WHERE name = 'merged' \gset
SELECT regress_tools.setting('merged', '{"write_algorithm": "merged"}');
-- INSERT and UPDATEs: an INSERT with the last values; the others share its outcome
INSERT INTO merged.account (name, ext__c, amount__c) VALUES ('a', 'x1', 1), ('b', 'x2', 1);
UPDATE merged.account SET name = 'aa' WHERE id = 1;
UPDATE merged.account SET name = 'aaa', amount__c = NULL WHERE id = 1;
SELECT regress_tools.turn('merged', true);
SELECT place, id, state, action, record_id, sf_message FROM regress_tools.log('merged');
SELECT id, sfid, name, _hc_lastop FROM merged.account ORDER BY id;
-- UPDATEs: the last value of each field; UPDATE and DELETE: a DELETE; INSERT and DELETE: nothing
UPDATE merged.account SET name = 'one', amount__c = 5 WHERE id = 1;
UPDATE merged.account SET name = 'two' WHERE id = 1;
UPDATE merged.account SET name = 'gone' WHERE id = 2;
DELETE FROM merged.account WHERE id = 2;
INSERT INTO merged.account (name, ext__c) VALUES ('never', 'x3');
UPDATE merged.account SET name = 'never ever' WHERE id = 3;
DELETE FROM merged.account WHERE id = 3;
SELECT regress_tools.turn('merged', true);
SELECT place, id, state, action, record_id, sf_message FROM regress_tools.log('merged') WHERE id > 4;
-- a change between others of a record still finds its place: the DELETE of the parent goes after the child has left it
INSERT INTO merged.account (name, ext__c) VALUES ('old parent', 'p1'), ('new parent', 'p2');
INSERT INTO merged.contact (lastname, ext__c, account__ext__c) VALUES ('child', 'c1', 'p1');
SELECT regress_tools.turn('merged');
SELECT regress_tools.turn('merged');
UPDATE merged.contact SET lastname = 'moves' WHERE id = 1;
UPDATE merged.contact SET account__ext__c = 'p2' WHERE id = 1;
DELETE FROM merged.account WHERE id = 4;
UPDATE merged.contact SET lastname = 'moved' WHERE id = 1;
SELECT regress_tools.turn('merged', true);
SELECT regress_tools.turn('merged', true);
-- a failed INSERT is sent again with the next UPDATE of its row
INSERT INTO merged.account (name, ext__c) VALUES ('too long', 'x6');
SELECT regress_tools.turn('merged', false, '{"Account 6": "STRING_TOO_LONG"}');
SELECT regress_tools.turn('merged'), 'nothing' AS sent;
UPDATE merged.account SET name = 'short' WHERE id = 6;
SELECT regress_tools.turn('merged', true);
SELECT place, state, action, record_id, sf_message FROM regress_tools.log('merged') WHERE record_id = 6;
SELECT id, sfid IS NOT NULL AS has_sfid, _hc_lastop FROM merged.account WHERE id = 6;
-- what fails takes along what was folded into it
UPDATE merged.account SET name = 'x' WHERE id = 1;
UPDATE merged.account SET name = 'y' WHERE id = 1;
SELECT regress_tools.turn('merged', true, '{"Account 1": "STRING_TOO_LONG"}');
SELECT place, state, action, record_id, sf_message FROM regress_tools.log('merged') WHERE place = 'log';
DELETE FROM merged._trigger_log;
-- an edit of one of the folded takes all of them out
SELECT regress_tools.setting('merged', '{"objects_per_call": 1}');
INSERT INTO merged.contact (lastname) VALUES ('goes first');
UPDATE merged.account SET name = 'x1' WHERE id = 1;
UPDATE merged.account SET amount__c = 11 WHERE id = 1;
SELECT regress_tools.shown(regress_tools.claim_calls('merged', 1));
UPDATE merged._trigger_log SET state = 'IGNORE' WHERE "values" = '"name"=>"x1"';
SELECT regress_tools.shown(regress_tools.claim_calls('merged', 1));
SELECT regress_tools.answer_calls('merged');
SELECT regress_tools.turn('merged', true);
SELECT state, "values" FROM merged._trigger_log;
DELETE FROM merged._trigger_log;
-- planned writes fold repeated edits where the setting or the mapping allows it, unless a change that depends on one of them lies between
SELECT regress_tools.setting('merged', '{"objects_per_call": 10, "write_algorithm": "planned"}');
UPDATE merged.account SET name = 'f1' WHERE id = 1;
UPDATE merged.account SET name = 'f2' WHERE id = 1;
SELECT regress_tools.turn('merged', true);
SELECT regress_tools.turn('merged', true);
SELECT regress_tools.setting('merged', '{"fold": true}');
INSERT INTO merged.account (name, ext__c) VALUES ('g0', 'g');
UPDATE merged.account SET name = 'g1' WHERE id = 7;
UPDATE merged.account SET name = 'f3' WHERE id = 1;
INSERT INTO merged.contact (lastname, ext__c, account__ext__c) VALUES ('depends', 'c2', 'g');
UPDATE merged.account SET name = 'f4', amount__c = 4 WHERE id = 1;
UPDATE merged.account SET name = 'g2' WHERE id = 7;
UPDATE merged.account SET amount__c = 2 WHERE id = 7;
SELECT regress_tools.turn('merged', true);
SELECT regress_tools.turn('merged', true);
SELECT count(*) AS left_over FROM merged._trigger_log;
SELECT regress_tools.setting('merged', '{"fold": false}');
UPDATE public.hc_mapping SET config = jsonb_set(config, '{hc_sync}', '{"fold": true}') WHERE connection = :'c' AND object_name = 'Contact';
UPDATE merged.contact SET lastname = 'f1' WHERE id = 1;
UPDATE merged.contact SET lastname = 'f2' WHERE id = 1;
SELECT regress_tools.turn('merged', true);
-- two records that name each other, and one that names itself: the first goes without the lookup, which follows
INSERT INTO merged.contact (lastname, ext__c, reportsto__ext__c) VALUES ('one', 'r1', 'r2'), ('two', 'r2', 'r3'), ('three', 'r3', 'r1'), ('self', 'r4', 'r4'), ('below', 'r5', 'r1');
SELECT regress_tools.turn('merged', true);
SELECT regress_tools.turn('merged', true);
SELECT regress_tools.turn('merged', true);
SELECT count(*) AS left_over FROM merged._trigger_log;
-- an older change that is sent again puts back nothing that a newer accepted one has changed: what is left is sent, and the rest noted
SELECT regress_tools.turn('merged');
SELECT regress_tools.setting('merged', '{"write_algorithm": "planned"}');
UPDATE merged.account SET name = 'older', amount__c = 1 WHERE id = 1;
SELECT regress_tools.turn('merged', true, '{"Account 1": "STRING_TOO_LONG"}');
UPDATE merged.account SET name = 'newer' WHERE id = 1;
SELECT regress_tools.turn('merged', true);
UPDATE merged._trigger_log SET state = 'NEW' WHERE state = 'FAILED';
SELECT regress_tools.turn('merged', true);
SELECT state, sf_message FROM merged._trigger_log_archive ORDER BY updated_at DESC LIMIT 1;
UPDATE merged.account SET name = 'older' WHERE id = 1;
UPDATE merged._trigger_log SET state = 'REQUEUE' WHERE "values" = '"name"=>"older"';
UPDATE merged.account SET name = 'newer' WHERE id = 1;
SELECT public.hc_housekeeping(:'c', :e) -> 'requeued' AS requeued;
SELECT regress_tools.turn('merged', true);
SELECT regress_tools.turn('merged'), 'nothing' AS sent;
SELECT state, sf_message FROM merged._trigger_log_archive ORDER BY updated_at DESC LIMIT 1;
SELECT regress_tools.setting('merged', '{"requeued_change": "send"}');
UPDATE merged.account SET name = 'older' WHERE id = 1;
SELECT regress_tools.turn('merged', true, '{"Account 1": "STRING_TOO_LONG"}');
UPDATE merged.account SET name = 'newer' WHERE id = 1;
SELECT regress_tools.turn('merged', true);
UPDATE merged._trigger_log SET state = 'NEW' WHERE state = 'FAILED';
SELECT regress_tools.turn('merged', true);
-- what a failed change carried was not accepted, and takes nothing out of an older one
SELECT regress_tools.setting('merged', '{"write_algorithm": "merged", "requeued_change": "drop"}');
UPDATE merged.account SET name = 'first' WHERE id = 1;
SELECT regress_tools.turn('merged', true, '{"Account 1": "STRING_TOO_LONG"}');
UPDATE merged.account SET name = 'second' WHERE id = 1;
UPDATE merged.account SET amount__c = 77 WHERE id = 1;
SELECT regress_tools.turn('merged', true, '{"Account 1": "STRING_TOO_LONG"}');
UPDATE merged._trigger_log SET state = 'NEW' WHERE state = 'FAILED' AND "values" = '"name"=>"first"';
SELECT regress_tools.turn('merged', true);
