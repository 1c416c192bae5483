-- Ordered claims: what travels together, what closes a batch, what waits
SELECT regress_tools.connect('claim');
SELECT connection AS c, mapping AS m, epoch AS e FROM regress_tools.ids WHERE name = 'claim' \gset
INSERT INTO claim.account (name, ext__c, amount__c, active__c, closed__c) VALUES ('one', 'x1', 1.5, true, '2024-02-03 04:05:06.789'), ('two', 'X2', NULL, NULL, NULL), ('twice', 'x2', NULL, false, NULL);
-- the same external id, in another case, may not travel twice in a request; nulls of an INSERT and unwritable fields are left out
SELECT b ->> 'batch' AS b1, b -> 'records' AS records FROM public.hc_claim(:'c', :e) b \gset
SELECT jsonb_pretty(:'records');
-- in flight: nothing of these records, the next batch is another one
SELECT b ->> 'batch' AS b2, b ->> 'operation' AS operation, jsonb_path_query_array(b, '$.records[*].record_id') AS records FROM public.hc_claim(:'c', :e) b \gset
SELECT :'operation' AS operation, :'records' AS records;
SELECT public.hc_claim(:'c', :e) IS NULL AS nothing_more;
SELECT id, state, sf_message FROM claim._trigger_log ORDER BY id;
SELECT public.hc_sent(:'c', :e, :b1), public.hc_answer(:'c', :e, :b1, 'answered', regress_tools.results('001xx000003DGb2AAG', 'STRING_TOO_LONG'));
SELECT public.hc_apply(:'c', :e, :b1), public.hc_sent(:'c', :e, :b2), public.hc_answer(:'c', :e, :b2, 'answered', regress_tools.results('001xx000003DGb3AAG')), public.hc_apply(:'c', :e, :b2);
SELECT id, sfid, name, _hc_lastop, _hc_err FROM claim.account ORDER BY id;
SELECT 'log' AS place, id, state, sfid, sf_message, processed_at IS NOT NULL AS processed FROM claim._trigger_log
UNION ALL SELECT 'archive', id, state, sfid, sf_message, processed_at IS NOT NULL FROM claim._trigger_log_archive ORDER BY id;
-- two columns changed: exactly two fields; a null clears; a boolean is never null; no writable field: nothing is sent
UPDATE claim.account SET name = 'uno', closed__c = NULL WHERE id = 1;
UPDATE claim.account SET active__c = NULL WHERE id = 3;
UPDATE claim.account SET formula__c = 'mine' WHERE id = 3;
SELECT regress_tools.send('claim', '001xx000003DGb2AAG', '001xx000003DGb3AAG');
SELECT regress_tools.send('claim', VARIADIC '{}');
SELECT id, state, sf_message FROM claim._trigger_log_archive ORDER BY id DESC LIMIT 1;
-- row 2 failed to be created: its later changes wait for that entry, and so does a child that names it by external id
UPDATE claim.account SET name = 'zwei' WHERE id = 2;
INSERT INTO claim.account (name, ext__c, parent__ext__c) VALUES ('child', 'c1', 'X2');
DELETE FROM claim.account WHERE id = 1;
SELECT regress_tools.send('claim', '001xx000003DGb2AAG');
SELECT id, state, action, record_id, sf_message FROM claim._trigger_log ORDER BY id;
SELECT public.hc_status(:'c') -> 'held' AS held;
-- a retry by the documented statement goes first, and then what waited; parents in an earlier request
UPDATE claim._trigger_log SET state = 'NEW' WHERE state = 'FAILED';
SELECT public.hc_clock_advance(:'c', '2 minutes') > now() AS clock_moved;
SELECT regress_tools.send('claim', '001xx000003DGb4AAG');
SELECT regress_tools.send('claim', '001xx000003DGb4AAG');
SELECT regress_tools.send('claim', '001xx000003DGb5AAG');
SELECT count(*) AS left_over FROM claim._trigger_log;
-- edits of state while a change is on its way
UPDATE claim.account SET name = 'a' WHERE id = 2;
UPDATE claim.account SET name = 'b' WHERE id = 3;
SELECT b ->> 'batch' AS b FROM public.hc_claim(:'c', :e) b \gset
UPDATE claim._trigger_log SET state = 'NEW' WHERE record_id = 2;
UPDATE claim._trigger_log SET state = 'IGNORE' WHERE record_id = 3;
SELECT public.hc_sent(:'c', :e, :b), public.hc_answer(:'c', :e, :b, 'answered', regress_tools.results('001xx000003DGb4AAG', '001xx000003DGb3AAG')), public.hc_apply(:'c', :e, :b);
SELECT state, record_id, sf_message FROM claim._trigger_log ORDER BY id;
SELECT state, record_id, sf_message FROM claim._trigger_log_archive ORDER BY id DESC LIMIT 1;
SELECT id, _hc_lastop FROM claim.account ORDER BY id;
SELECT regress_tools.send('claim', '001xx000003DGb4AAG');
-- REQUEUE takes a fresh place; IGNORE is put away; an entry of a table that is not mapped fails with what to do
UPDATE claim.account SET amount__c = 7 WHERE id = 2;
UPDATE claim._trigger_log SET state = 'REQUEUE';
UPDATE claim.account SET amount__c = 7 WHERE id = 2;
INSERT INTO claim._trigger_log (state, action, table_name, record_id) VALUES ('NEW', 'UPDATE', 'nowhere', 1), ('STRANGE', 'UPDATE', 'account', 2);
SELECT public.hc_housekeeping(:'c', :e) -> 'archived' AS archived;
SELECT regress_tools.send('claim', '001xx000003DGb4AAG');
SELECT state, table_name, record_id, sf_message FROM claim._trigger_log ORDER BY id;
-- refused by SQLSTATE: a stale epoch, a batch that is over, a batch that is not there
\set VERBOSITY sqlstate
SELECT public.hc_claim(:'c', :e - 1);
SELECT public.hc_sent(:'c', :e, :b1);
SELECT public.hc_answer(:'c', :e, 0, 'answered', '{}');
SELECT public.hc_lead('00000000-0000-0000-0000-000000000000', 'regress');
