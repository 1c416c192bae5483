-- Errors: what each code of a record, and each kind of refusal of a request, does to the changes that met it
SELECT regress_tools.connect('errors');
SELECT connection AS c, mapping AS m, epoch AS e FROM regress_tools.ids WHERE name = 'errors' \gset

-- One batch of two inserts whose results are the given ones: what it comes to, undone afterwards
CREATE FUNCTION regress_tools.met(VARIADIC r text[]) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  i regress_tools.ids := (SELECT t FROM regress_tools.ids t WHERE t.name = 'errors');
  seen jsonb;
BEGIN
  BEGIN
    INSERT INTO errors.account (name, ext__c) SELECT 'n', 'e' || g FROM generate_series(1, cardinality(r)) g;
    PERFORM regress_tools.send('errors', VARIADIC r);
    SELECT jsonb_build_object('log', (SELECT array_agg(DISTINCT state) FROM errors._trigger_log),
        'wait', (SELECT max(due_at) - public.hc_clock(i.connection) FROM public.hc_batch WHERE connection = i.connection AND state = 'REPEAT'),
        'mapping', (SELECT state FROM public.hc_mapping WHERE id = i.mapping)) INTO seen;
    RAISE EXCEPTION USING ERRCODE = 'ZZZZZ';
  EXCEPTION WHEN SQLSTATE 'ZZZZZ' THEN
    RETURN seen;
  END;
END $$;
CREATE FUNCTION regress_tools.action(code text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  one jsonb := regress_tools.met(code, '001xx000003DGb2AAG');
  alone jsonb := regress_tools.met(code);
  pair jsonb := regress_tools.met(code, code);
BEGIN
  RETURN (SELECT CASE
    WHEN one #>> '{log,0}' = 'PENDING' AND pair #>> '{log,0}' = 'PENDING' AND pair ->> 'mapping' = 'DATA_SYNCED' THEN
      CASE WHEN (one ->> 'wait')::interval >= '15 minutes' AND (pair ->> 'wait')::interval >= '15 minutes' THEN 'waits for the limit'
           WHEN (one ->> 'wait')::interval BETWEEN '0' AND '2 minutes' THEN 'is tried again' END
    WHEN one #>> '{log,0}' = 'FAILED' AND alone #>> '{log,0}' = 'FAILED' AND alone ->> 'mapping' = 'DATA_SYNCED' THEN
      CASE WHEN pair -> 'log' = '["FAILED"]' AND pair ->> 'mapping' = 'DATA_SYNCED' THEN 'fails'
           WHEN pair -> 'log' = '["NEW"]' AND pair ->> 'mapping' = 'BAD_CONFIG' THEN 'fails, stops the mapping if all do' END
    END);
END $$;
CREATE TABLE regress_tools.codes (class text, codes text);
INSERT INTO regress_tools.codes VALUES
 ('is tried again', 'UNABLE_TO_LOCK_ROW REQUEST_RUNNING_TOO_LONG QUERY_TIMEOUT UNKNOWN_EXCEPTION INTERNAL_ERROR ALREADY_IN_PROCESS OPERATION_ENQUEUED
   RECORD_IN_USE_BY_WORKFLOW TERRITORY_REALIGN_IN_PROGRESS PROCESSING_HALTED INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE TOO_MANY_APEX_REQUESTS
   PLATFORM_EVENT_PUBLISHING_UNAVAILABLE ALL_OR_NONE_OPERATION_ROLLED_BACK COLLISION_DETECTED INVALID_SESSION_ID'),
 ('fails', 'REQUIRED_FIELD_MISSING FIELD_CUSTOM_VALIDATION_EXCEPTION FIELD_FILTER_VALIDATION_EXCEPTION FIELD_INTEGRITY_EXCEPTION STRING_TOO_LONG
   NUMBER_OUTSIDE_VALID_RANGE INVALID_EMAIL_ADDRESS INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST INVALID_TYPE_ON_FIELD_IN_RECORD INVALID_STATUS INVALID_CURRENCY_ISO
   DATE_OUT_OF_RANGE TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET INVALID_ARGUMENT_TYPE UNSAFE_HTML_CONTENT
   DUPLICATE_VALUE DUPLICATE_EXTERNAL_ID DUPLICATES_DETECTED DUPLICATE_USERNAME DUPLICATE_COMM_NICKNAME DUPLICATE_DEVELOPER_NAME DUPLICATE_MASTER_LABEL
   INVALID_CROSS_REFERENCE_KEY INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY INVALID_CROSS_REFERENCE_TYPE_FOR_FIELD MALFORMED_ID INVALID_ID_FIELD MISSING_ARGUMENT
   CIRCULAR_DEPENDENCY DELETE_FAILED DEPENDENCY_EXISTS DELETE_REQUIRED_ON_CASCADE CANNOT_REPARENT_RECORD
   ENTITY_IS_DELETED ENTITY_IS_LOCKED ENTITY_IS_ARCHIVED CANNOT_UPDATE_CONVERTED_LEAD CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY CANNOT_EXECUTE_FLOW_TRIGGER
   CUSTOM_APEX_ERROR APEX_DATA_ACCESS_RESTRICTION SELF_REFERENCE_FROM_TRIGGER MERGE_FAILED UNDELETE_FAILED
   A_CODE_OF_NEXT_YEAR'),
 ('fails, stops the mapping if all do', 'INSUFFICIENT_ACCESS_OR_READONLY INSUFFICIENT_ACCESS INVALID_FIELD_FOR_INSERT_UPDATE INVALID_FIELD INVALID_TYPE
   INVALID_TYPE_FOR_OPERATION FIELD_NOT_UPDATABLE INVALID_OPERATION INVALID_ENTITY_FOR_UPSERT INVALID_EXTERNAL_ID_FIELD_NAME FUNCTIONALITY_NOT_ENABLED
   INACTIVE_OWNER_OR_USER OP_WITH_INVALID_USER_TYPE_EXCEPTION TRANSFER_REQUIRES_READ INVALID_ASSIGNMENT_RULE PACKAGE_LICENSE_REQUIRED LICENSE_LIMIT_EXCEEDED
   REQUIRED_FEATURE_MISSING UNAVAILABLE_RECORDTYPE_EXCEPTION INVALID_READ_ONLY_USER_DML MIXED_DML_OPERATION'),
 ('waits for the limit', 'STORAGE_LIMIT_EXCEEDED LIMIT_EXCEEDED MAX_LIMIT_EXCEEDED DELETE_OPERATION_TOO_LARGE FILE_SIZE_LIMIT_EXCEEDED
   MAXIMUM_SIZE_OF_ATTACHMENT SINGLE_EMAIL_LIMIT_EXCEEDED MASS_MAIL_LIMIT_EXCEEDED');
SELECT class, count(*) AS codes, string_agg(code || ' ' || coalesce(action, 'does something else'), ', ') FILTER (WHERE action IS DISTINCT FROM class) AS others
  FROM regress_tools.codes, regexp_split_to_table(codes, '\s+') code, LATERAL regress_tools.action(code) action GROUP BY 1 ORDER BY 1;

-- a parent that is not there is no matter of configuration
CREATE FUNCTION regress_tools.all_met(code text, message text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  i regress_tools.ids := (SELECT t FROM regress_tools.ids t WHERE t.name = 'errors');
  b bigint;
BEGIN
  b := (public.hc_claim(i.connection, i.epoch) ->> 'batch')::bigint;
  PERFORM public.hc_sent(i.connection, i.epoch, b);
  PERFORM public.hc_answer(i.connection, i.epoch, b, 'answered', jsonb_build_object('results', (SELECT jsonb_agg(jsonb_build_object('id', NULL, 'success', false, 'errors',
      jsonb_build_array(jsonb_build_object('code', code, 'message', message, 'fields', '[]'::jsonb)))) FROM public.hc_batch_entry e WHERE e.batch = b)));
  PERFORM public.hc_apply(i.connection, i.epoch, b);
  RETURN (SELECT state || coalesce(': ' || state_detail, '') FROM public.hc_mapping WHERE id = i.mapping);
END $$;
INSERT INTO errors.account (name, ext__c) VALUES ('child 1', 'k1'), ('child 2', 'k2');
SELECT regress_tools.all_met('INVALID_FIELD', 'Foreign key external ID: p not found for field Ext__c in entity Account');
SELECT state, sf_message FROM errors._trigger_log ORDER BY id;
DELETE FROM errors._trigger_log;

-- a mapping that stops: its changes go back to the log and wait, what a person ignores is gone, an edit of the mapping tries again
INSERT INTO errors.account (name, ext__c) VALUES ('stop 1', 's1'), ('stop 2', 's2');
SELECT regress_tools.all_met('INSUFFICIENT_ACCESS_OR_READONLY', 'insufficient access rights on object id');
SELECT state, sf_message FROM errors._trigger_log ORDER BY id;
SELECT event_type, level, message FROM public.hc_notification WHERE mapping = :'m' AND acknowledged_at IS NULL AND event_type = 'mapping-error';
SELECT public.hc_claim(:'c', :e) IS NULL AS waits;
UPDATE errors._trigger_log SET state = 'IGNORE' WHERE id = (SELECT min(id) FROM errors._trigger_log);
SELECT public.hc_resume(:'c');
SELECT jsonb_array_length(b -> 'records') AS tried_again FROM public.hc_claim(:'c', :e) b;
SELECT public.hc_sent(:'c', :e, regress_tools.batch('errors')), public.hc_answer(:'c', :e, regress_tools.batch('errors'), 'answered', regress_tools.results('001xx000003DGb2AAG')),
       public.hc_apply(:'c', :e, regress_tools.batch('errors'));
SELECT state, state_detail, sending_held FROM public.hc_mapping WHERE id = :'m';

-- full jitter, capped for each kind, and an end of the tries; null: as long as it lasts
SELECT kind, tries, minimum, max(w) <= minimum + cap AND min(w) >= minimum AS within, max(w) - min(w) > cap / 2 AS jitter
  FROM unnest('{outage,lock,slow,unknown,session,concurrency,quota,limit,size,login,inactive,organization}'::text[]) WITH ORDINALITY k(kind, n),
       LATERAL public.hc_retry_rule(kind) r, generate_series(1, 40) g, LATERAL public.hc_retry_wait(kind, 20 + g) w GROUP BY n, kind, tries, minimum, cap ORDER BY n;
DELETE FROM errors._trigger_log;
INSERT INTO errors.account (name, ext__c) VALUES ('locked', 'l1');
CREATE FUNCTION regress_tools.until_failed(code text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  i regress_tools.ids := (SELECT t FROM regress_tools.ids t WHERE t.name = 'errors');
BEGIN
  FOR calls IN 1 .. 200 LOOP
    PERFORM public.hc_clock_advance(i.connection, '20 minutes');
    PERFORM regress_tools.send('errors', code);
    IF EXISTS (SELECT FROM errors._trigger_log WHERE state = 'FAILED') THEN RETURN calls; END IF;
  END LOOP;
  RETURN NULL;
END $$;
SELECT regress_tools.until_failed('UNABLE_TO_LOCK_ROW') AS calls;
SELECT state, sf_message FROM errors._trigger_log;
UPDATE errors._trigger_log SET state = 'NEW'; SELECT public.hc_clock_advance(:'c', '3 minutes') > now() AS clock_moved;
SELECT regress_tools.until_failed('UNKNOWN_EXCEPTION') AS calls;
UPDATE errors._trigger_log SET state = 'NEW'; SELECT public.hc_clock_advance(:'c', '3 minutes') > now() AS clock_moved;
SELECT regress_tools.until_failed('FILE_SIZE_LIMIT_EXCEEDED') AS calls;
UPDATE errors._trigger_log SET state = 'NEW'; SELECT public.hc_clock_advance(:'c', '3 minutes') > now() AS clock_moved;
SELECT regress_tools.until_failed('STORAGE_LIMIT_EXCEEDED') AS calls;
DELETE FROM errors._trigger_log;

-- what waits for a limit keeps nothing else of its batch waiting
INSERT INTO errors.account (name, ext__c) VALUES ('full', 'f1'), ('busy', 'f2'), ('fine', 'f3');
SELECT regress_tools.send('errors', 'STORAGE_LIMIT_EXCEEDED', 'UNABLE_TO_LOCK_ROW', '001xx000003DGb3AAG') IS NOT NULL AS sent;
SELECT (SELECT array_agg(e.payload #>> '{fields,Name}' ORDER BY e.position) FROM public.hc_batch_entry e WHERE e.batch = b.id AND NOT e.applied) AS changes, state,
       due_at - public.hc_clock(:'c') > '14 minutes' AS after_the_limit FROM public.hc_batch b WHERE connection = :'c' AND state <> 'DONE' ORDER BY id;
SELECT public.hc_clock_advance(:'c', '30 seconds') > now() AS clock_moved;
SELECT regress_tools.send('errors', '001xx000003DGb4AAG') -> 1 -> 0 -> 'fields' ->> 'Name' AS next;
SELECT regress_tools.send('errors', '001xx000003DGb4AAG') AS nothing;
SELECT public.hc_clock_advance(:'c', '16 minutes') > now() AS clock_moved;
SELECT regress_tools.send('errors', '001xx000003DGb5AAG') -> 1 -> 0 -> 'fields' ->> 'Name' AS next;

-- deletes of what is gone
DELETE FROM errors.account WHERE name IN ('full', 'busy');
SELECT regress_tools.send('errors', 'ENTITY_IS_DELETED', 'INVALID_CROSS_REFERENCE_KEY') -> 0 AS operation;
SELECT state, sf_message FROM errors._trigger_log_archive WHERE action = 'DELETE' ORDER BY id;

-- a request that is refused whole: halves, until the change that cannot be taken is alone; calls are counted
CREATE FUNCTION regress_tools.drain(poison text, kind text, code text DEFAULT 'XML_PARSER_ERROR') RETURNS TABLE (call integer, records integer, outcome text) LANGUAGE plpgsql AS $$
DECLARE
  i regress_tools.ids := (SELECT t FROM regress_tools.ids t WHERE t.name = 'errors');
  b jsonb;
BEGIN
  FOR n IN 1 .. 60 LOOP
    b := public.hc_claim(i.connection, i.epoch);
    EXIT WHEN b IS NULL;
    call := n;
    records := jsonb_array_length(b -> 'records');
    outcome := CASE WHEN EXISTS (SELECT FROM jsonb_array_elements(b -> 'records') r WHERE r.value #>> '{fields,Name}' ~ poison) THEN 'refused' ELSE 'answered' END;
    PERFORM public.hc_sent(i.connection, i.epoch, (b ->> 'batch')::bigint);
    PERFORM public.hc_answer(i.connection, i.epoch, (b ->> 'batch')::bigint, outcome, CASE outcome
        WHEN 'refused' THEN jsonb_build_object('code', drain.code, 'message', 'the call is refused', 'kind', drain.kind)
        ELSE jsonb_build_object('results', (SELECT jsonb_agg(jsonb_build_object('success', true, 'created', true, 'errors', '[]'::jsonb,
               'id', '001xx' || to_char((r.value ->> 'log_id')::integer, 'FM0000000000') || 'AAA')) FROM jsonb_array_elements(b -> 'records') r)) END);
    PERFORM public.hc_apply(i.connection, i.epoch, (b ->> 'batch')::bigint);
    RETURN NEXT;
    PERFORM public.hc_apply(i.connection, i.epoch, w.value::bigint) FROM jsonb_array_elements_text(public.hc_work(i.connection, i.epoch) -> 'apply') w;
  END LOOP;
END $$;
INSERT INTO errors.account (name, ext__c) SELECT CASE g WHEN 137 THEN 'poison' ELSE 'good' END, 'p' || g FROM generate_series(1, 200) g;
SELECT * FROM regress_tools.drain('poison', 'request');
SELECT state, count(*), min(sf_message) FROM errors._trigger_log GROUP BY 1;
SELECT count(*) AS sent FROM errors.account WHERE _hc_lastop = 'INSERTED' AND name = 'good';
SELECT _hc_err FROM errors.account WHERE name = 'poison';
DELETE FROM errors._trigger_log;
-- schema or rights: some of the changes are told apart likewise, and the mapping goes on
INSERT INTO errors.account (name, ext__c) SELECT CASE WHEN g IN (1, 2) THEN 'poison' ELSE 'good' END, 'q' || g FROM generate_series(1, 200) g;
SELECT count(*) AS calls FROM regress_tools.drain('poison', 'configuration', 'INVALID_FIELD');
SELECT state, count(*), min(sf_message) FROM errors._trigger_log GROUP BY 1;
SELECT state, sending_held FROM public.hc_mapping WHERE id = :'m';
DELETE FROM errors._trigger_log;
-- all of them: the mapping stops after ten calls, none of its changes fails
INSERT INTO errors.account (name, ext__c) SELECT 'poison', 'r' || g FROM generate_series(1, 200) g;
SELECT count(*) AS calls FROM regress_tools.drain('poison', 'configuration', 'INVALID_FIELD');
SELECT state, count(*), min(sf_message) FROM errors._trigger_log GROUP BY 1;
SELECT state, state_detail FROM public.hc_mapping WHERE id = :'m';
SELECT public.hc_clock_advance(:'c', '13 minutes') > now() AS clock_moved;
SELECT count(*) AS one_call_tries FROM regress_tools.drain('poison', 'configuration', 'INVALID_FIELD');
SELECT public.hc_clock_advance(:'c', '13 minutes') > now() AS clock_moved;
SELECT count(*) AS calls FROM regress_tools.drain('nothing', '');
SELECT state, state_detail, sending_held FROM public.hc_mapping WHERE id = :'m';
SELECT count(*) AS left FROM errors._trigger_log;
-- batches that travelled in one call are told apart before they are halved
INSERT INTO errors.account (name, ext__c) VALUES ('one', 't1'); SELECT regress_tools.claim('errors') ->> 'operation' AS operation;
UPDATE errors.account SET name = 'two' WHERE ext__c = 'f3'; INSERT INTO errors.account (name, ext__c) VALUES ('three', 't3');
UPDATE public.hc_batch SET call = id WHERE id = regress_tools.batch('errors');
SELECT regress_tools.claim('errors') ->> 'operation' AS operation;
UPDATE public.hc_batch SET call = (SELECT min(id) FROM public.hc_batch WHERE connection = :'c' AND state = 'CLAIMED') WHERE id = regress_tools.batch('errors');
SELECT public.hc_sent(:'c', :e, id) FROM public.hc_batch WHERE connection = :'c' AND state = 'CLAIMED';
SELECT public.hc_answer_batches(:'c', :e, jsonb_agg(jsonb_build_object('batch', id, 'outcome', 'refused', 'answer', '{"code":"XML_PARSER_ERROR","message":"no","kind":"request"}'::jsonb) ORDER BY id))
  FROM public.hc_batch WHERE connection = :'c' AND state = 'SENT';
SELECT state, call = min(id) OVER () AS first_call, call = id AS own_call FROM public.hc_batch WHERE connection = :'c' AND state <> 'DONE' ORDER BY id;
SELECT call, records, outcome FROM regress_tools.drain('two', 'request');
SELECT state, action FROM errors._trigger_log;
DELETE FROM errors._trigger_log;

-- requests of which nothing ran, by kind: how long the batch waits, what is held back meanwhile, what is shown
CREATE FUNCTION regress_tools.not_run(kind text, outcome text DEFAULT 'not_run', wait_ms integer DEFAULT NULL) RETURNS TABLE (waits text, parts bigint, others_wait boolean, state text, told text) LANGUAGE plpgsql AS $$
DECLARE
  i regress_tools.ids := (SELECT t FROM regress_tools.ids t WHERE t.name = 'errors');
  b bigint;
BEGIN
  BEGIN
    DELETE FROM public.hc_notification WHERE connection = i.connection;
    INSERT INTO errors.account (name, ext__c) SELECT 'n', 'u' || g FROM generate_series(1, 4) g;
    b := (public.hc_claim(i.connection, i.epoch) ->> 'batch')::bigint;
    PERFORM public.hc_sent(i.connection, i.epoch, b);
    PERFORM public.hc_answer(i.connection, i.epoch, b, outcome, jsonb_build_object('code', 'A_CODE', 'message', 'why', 'kind', kind, 'retry_after_ms', wait_ms));
    INSERT INTO errors.account (name, ext__c) VALUES ('another', 'u5');
    SELECT CASE WHEN max(x.due_at) - public.hc_clock(i.connection) > '14 minutes' THEN 'for the window' WHEN max(x.due_at) - public.hc_clock(i.connection) > '29 seconds' THEN 'half a minute and more'
                WHEN max(x.due_at) - public.hc_clock(i.connection) <= '4 seconds' THEN 'a moment' END, count(*) INTO waits, parts
      FROM public.hc_batch x WHERE x.connection = i.connection AND x.state = 'REPEAT';
    others_wait := public.hc_claim(i.connection, i.epoch) IS NULL;
    SELECT c.state || coalesce(': ' || c.state_detail, '') INTO state FROM public.hc_connection c WHERE c.id = i.connection;
    SELECT string_agg(n.event_type || ' ' || n.level, ', ') INTO told FROM public.hc_notification n WHERE n.connection = i.connection AND n.event_type <> 'in-doubt';
    RAISE EXCEPTION USING ERRCODE = 'ZZZZZ';
  EXCEPTION WHEN SQLSTATE 'ZZZZZ' THEN
    RETURN NEXT;
  END;
END $$;
SELECT kind, n.* FROM unnest('{outage,lock,slow,unknown,concurrency,quota,login,inactive,organization}'::text[]) WITH ORDINALITY k(kind, o), LATERAL regress_tools.not_run(kind) n ORDER BY o;
SELECT 'in doubt ' || kind AS kind, n.* FROM unnest('{outage,slow,unknown}'::text[]) WITH ORDINALITY k(kind, o), LATERAL regress_tools.not_run(kind, 'in_doubt') n ORDER BY o;
-- a wait that Salesforce gives counts, but not below the least of the kind
SELECT 'quota, 2 minutes given' AS kind, n.* FROM regress_tools.not_run('quota', 'not_run', 120000) n;
-- what holds a connection back ends with an answer, and is no longer shown
INSERT INTO errors.account (name, ext__c) VALUES ('held', 'v1');
SELECT public.hc_answer(:'c', :e, (b ->> 'batch')::bigint, 'not_run', '{"code":"API_DISABLED_FOR_ORG","message":"API is disabled","kind":"organization"}') FROM public.hc_claim(:'c', :e) b;
SELECT state, state_detail FROM public.hc_connection WHERE id = :'c';
SELECT public.hc_claim(:'c', :e) IS NULL AS held;
SELECT public.hc_clock_advance(:'c', '3 minutes') > now() AS clock_moved;
SELECT regress_tools.send('errors', '001xx000003DGb9AAG') -> 0 AS operation;
SELECT state, state_detail, sending_held FROM public.hc_connection WHERE id = :'c';

-- an identifier that Salesforce knows: linked, and fields that only a new record may have are left out the second time
UPDATE public.hc_field SET updateable = false WHERE mapping = :'m' AND field_name = 'Amount__c';
INSERT INTO errors.account (name, ext__c, amount__c) VALUES ('known', 'w1', 5), ('new', 'w2', 6);
SELECT regress_tools.send('errors', 'INVALID_FIELD_FOR_INSERT_UPDATE', '001xx000003DGc1AAG') -> 1 -> 0 -> 'fields' AS sent;
SELECT b ->> 'batch' AS b, b -> 'records' -> 0 -> 'fields' AS sent_again FROM public.hc_claim(:'c', :e) b \gset
\echo :sent_again
SELECT public.hc_sent(:'c', :e, :b), public.hc_answer(:'c', :e, :b, 'answered', '{"results":[{"id":"001xx000003DGc2AAG","success":true,"created":false,"errors":[]}]}'), public.hc_apply(:'c', :e, :b);
INSERT INTO errors.account (name, ext__c) VALUES ('found', 'w3');
SELECT b ->> 'batch' AS b FROM public.hc_claim(:'c', :e) b \gset
SELECT public.hc_sent(:'c', :e, :b), public.hc_answer(:'c', :e, :b, 'answered', '{"results":[{"id":"001xx000003DGc3AAG","success":true,"created":false,"errors":[]}]}'), public.hc_apply(:'c', :e, :b);
UPDATE errors.account SET ext__c = 'w4' WHERE ext__c = 'w3';
SELECT regress_tools.send('errors', '001xx000003DGc3AAG') -> 0 AS operation;
SELECT action, state, sf_message FROM errors._trigger_log_archive WHERE sf_message IS NOT NULL AND id > (SELECT max(id) - 4 FROM errors._trigger_log_archive) ORDER BY id;
SELECT name, sfid, _hc_lastop FROM errors.account WHERE ext__c IN ('w1', 'w2', 'w4') ORDER BY id;
SELECT regexp_replace(message, 'batch \d+', 'batch N') FROM public.hc_event WHERE connection = :'c' AND event_type = 'linked';
-- a parent is the one that is meant in whatever case: the child waits for it
INSERT INTO errors.account (name, ext__c) VALUES ('parent', 'Dad'); INSERT INTO errors.account (name, ext__c, parent__ext__c) VALUES ('child', 'Kid', 'dAD');
SELECT regress_tools.send('errors', '001xx000003DGc5AAG') #> '{1,0,fields,Name}' AS first, regress_tools.send('errors', '001xx000003DGc6AAG') #> '{1,0,fields,Name}' AS then;
SELECT regress_tools.disconnect('errors');
DROP TABLE regress_tools.codes;
DROP FUNCTION regress_tools.met, regress_tools.action, regress_tools.all_met, regress_tools.until_failed, regress_tools.drain, regress_tools.not_run;
