-- In doubt: what is repeated, what is compared, what is looked for, what is parked
SELECT regress_tools.connect('doubt', false);
SELECT connection AS c, mapping AS m, epoch AS e FROM regress_tools.ids WHERE name = 'doubt' \gset
INSERT INTO doubt.account (name, amount__c) VALUES ('one', 1.005), ('same', 2), ('same', 2), ('refused', 3);
SELECT b ->> 'batch' AS b, b ->> 'operation' AS op FROM public.hc_claim(:'c', :e) b \gset
SELECT public.hc_sent(:'c', :e, :b), public.hc_answer(:'c', :e, :b, 'in_doubt', '{"code":"TIMEOUT","message":"no answer"}');
-- never guessed: not offered again, and looked for only when the call can no longer be running
SELECT public.hc_claim(:'c', :e) IS NULL AS nothing, public.hc_work(:'c', :e) -> 'doubts' AS doubts;
UPDATE doubt.account SET name = 'later' WHERE id = 1;
SELECT public.hc_claim(:'c', :e) IS NULL AS later_change_waits;
SELECT public.hc_clock_advance(:'c', '10 minutes') > now() AS clock_moved;
SELECT public.hc_work(:'c', :e) -> 'doubts' -> 0 ->> 'way' AS way;
SELECT regexp_replace(public.hc_doubt(:'c', :e, :b) ->> 'soql', '>= \S+', '>= T') AS soql;
-- three of four were created, one is linked to another row; the fourth was not, but a stranger is there: parked, all that is open
SELECT public.hc_doubt_resolve(:'c', :e, :b, '[
 {"Id":"001xx000003DGb2AAG","Name":"one ","Amount__c":1.01},
 {"Id":"001xx000003DGb3AAG","Name":"same","Amount__c":2.0},
 {"Id":"001xx000003DGb4AAG","Name":"same","Amount__c":2},
 {"Id":"001xx000003DGb5AAG","Name":"stranger","Amount__c":9}]');
SELECT public.hc_apply(:'c', :e, :b);
SELECT id, sfid, name, _hc_lastop FROM doubt.account ORDER BY id;
SELECT id, state, record_id, regexp_replace(sf_message, 'batch \d+', 'batch N') AS sf_message FROM doubt._trigger_log ORDER BY id;
SELECT jsonb_path_query_array(answer, '$.candidates[*].Id') AS candidates, state FROM public.hc_batch WHERE id = :b;
\set VERBOSITY terse
SELECT public.hc_doubt_decide(:b, 4, 'whatever');
SELECT public.hc_doubt_decide(:b, 4, 'send');
SELECT b ->> 'operation' AS operation, b ->> 'attempt' AS attempt, b -> 'records' -> 0 -> 'fields' AS fields, jsonb_array_length(b -> 'records') AS n FROM public.hc_claim(:'c', :e) b;
SELECT public.hc_sent(:'c', :e, :b), public.hc_answer(:'c', :e, :b, 'answered', regress_tools.results('001xx000003DGb6AAG')), public.hc_apply(:'c', :e, :b);
-- no candidate of any kind: sent again
SELECT regress_tools.send('doubt', '001xx000003DGb2AAG');
INSERT INTO doubt.account (name) VALUES ('lost before');
SELECT b ->> 'batch' AS b FROM public.hc_claim(:'c', :e) b \gset
SELECT public.hc_sent(:'c', :e, :b), public.hc_answer(:'c', :e, :b, 'in_doubt', '{"code":"CUT","message":"cut"}');
SELECT public.hc_clock_advance(:'c', '10 minutes') > now() AS clock_moved;
SELECT public.hc_doubt_resolve(:'c', :e, :b, '[]');
SELECT public.hc_claim(:'c', :e) -> 'records' -> 0 -> 'fields' AS sent_again;
SELECT public.hc_sent(:'c', :e, :b), public.hc_answer(:'c', :e, :b, 'answered', regress_tools.results('001xx000003DGb7AAG')), public.hc_apply(:'c', :e, :b);
-- an update: fields that are equal already are not sent again; an equal record is done
UPDATE doubt.account SET name = 'eins', amount__c = NULL WHERE id = 1;
UPDATE doubt.account SET name = 'zwei' WHERE id = 2;
SELECT b ->> 'batch' AS b FROM public.hc_claim(:'c', :e) b \gset
SELECT public.hc_sent(:'c', :e, :b), public.hc_answer(:'c', :e, :b, 'in_doubt', '{"code":"CUT","message":"cut"}');
SELECT public.hc_doubt(:'c', :e, :b) - 'mapping' AS hc_doubt;
SELECT public.hc_doubt_resolve(:'c', :e, :b, '[{"Id":"001xx000003DGb2AAG","Name":"eins","Amount__c":1.01},{"Id":"001xx000003DGb3AAG","Name":"zwei"}]');
SELECT public.hc_apply(:'c', :e, :b);
SELECT b -> 'records' AS only_what_differs FROM public.hc_claim(:'c', :e) b;
SELECT public.hc_answer(:'c', :e, :b, 'not_run', '{"code":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded.","retry_after_ms":60000}');
SELECT public.hc_claim(:'c', :e) IS NULL AS waits, (public.hc_work(:'c', :e) ->> 'repeats')::boolean AS due;
SELECT public.hc_clock_advance(:'c', '1 minute') > now() AS clock_moved;
SELECT public.hc_claim(:'c', :e) ->> 'attempt' AS attempt;
-- the relay ends: what it claimed is offered again, what it had sent is in doubt
SELECT public.hc_lead(:'c', 'another') AS e \gset
SELECT public.hc_claim(:'c', :e) ->> 'operation' AS offered_again;
SELECT public.hc_sent(:'c', :e, :b);
SELECT public.hc_lead(:'c', 'a third') AS e \gset
SELECT state, reason FROM public.hc_batch WHERE id = :b;
-- deletes are repeated; a record that is gone already counts as deleted
SELECT public.hc_doubt_resolve(:'c', :e, :b, '[]') ->> 'state' AS state;
SELECT public.hc_claim(:'c', :e) IS NOT NULL AS claimed;
SELECT public.hc_sent(:'c', :e, :b), public.hc_answer(:'c', :e, :b, 'refused', '{"code":"INVALID_FIELD","message":"No such column"}'), public.hc_apply(:'c', :e, :b);
SELECT id, _hc_lastop, _hc_err FROM doubt.account WHERE id = 1;
DELETE FROM doubt.account WHERE id = 3;
SELECT b ->> 'batch' AS b FROM public.hc_claim(:'c', :e) b \gset
SELECT public.hc_sent(:'c', :e, :b), public.hc_answer(:'c', :e, :b, 'in_doubt', '{"code":"CUT","message":"cut"}');
SELECT state FROM public.hc_batch WHERE id = :b;
SELECT public.hc_clock_advance(:'c', '5 minutes') > now() AS clock_moved;
SELECT public.hc_claim(:'c', :e) -> 'records' -> 0 ->> 'id' AS deleted_again;
SELECT public.hc_sent(:'c', :e, :b), public.hc_answer(:'c', :e, :b, 'answered', regress_tools.results('ENTITY_IS_DELETED')), public.hc_apply(:'c', :e, :b);
SELECT state, sfid FROM doubt._trigger_log_archive WHERE action = 'DELETE';
