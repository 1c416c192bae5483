-- Bulk: the rows of a job, the steps of a job, its results, and what becomes of the rest
SELECT regress_tools.connect('bulkjob');
SELECT connection AS c, mapping AS m, epoch AS e FROM regress_tools.ids WHERE name = 'bulkjob' \gset
UPDATE public.hc_connection SET settings = settings || '{"write_algorithm": "ordered", "bulk_threshold": 3}' WHERE id = :'c';
\set VERBOSITY terse
-- which API can carry what
SELECT v AS version, o AS operation, public.hc_bulk_api(c, o) AS api
  FROM unnest(ARRAY['38.0', '39.0', '41.0', '62.0']) v, unnest(ARRAY['create', 'upsert', 'update']) o,
       LATERAL (SELECT x AS c FROM jsonb_populate_record(NULL::public.hc_connection, jsonb_build_object('api_version', v, 'settings', '{}'::jsonb)) x) s ORDER BY v, o DESC;
SELECT public.hc_bulk_api(jsonb_populate_record(NULL::public.hc_connection, '{"settings": {"features": {"disable_bulk_writes": true}}}'), 'upsert') AS disabled;
-- what no row of CSV can say
SELECT p, public.hc_bulk_refusal(p || '{"parents": []}', '{Parent}') FROM (VALUES
  ('{"fields": {"Name": "fine, \"quoted\"\n"}, "nulls": ["Amount__c", "ParentId"]}'::jsonb),
  ('{"fields": {"Name": "#N/A"}, "nulls": []}'), ('{"fields": {"Name": "a\rb"}, "nulls": []}'), ('{"fields": {}, "nulls": ["Parent"]}')) t(p);
SELECT public.hc_bulk_refusal(jsonb_build_object('fields', jsonb_build_object('Name', repeat('x', n)), 'nulls', '[]'::jsonb, 'parents', '[]'::jsonb), '{}') FROM unnest('{32000,32001}'::int[]) n;

-- ordered: two changes are too few, three of one action make a job; a value that CSV cannot say ends it
INSERT INTO bulkjob.account (name, ext__c, active__c) VALUES ('one', 'e1', true), ('two "x", y', 'E2', NULL);
SELECT b ->> 'operation' AS operation, jsonb_array_length(b -> 'records') AS records FROM public.hc_claim(:'c', :e) b;
SELECT regress_tools.answer('bulkjob', '001xx000003DGb1AAG', '001xx000003DGb2AAG');
INSERT INTO bulkjob.account (name, ext__c, amount__c, closed__c, parent__ext__c) VALUES
  ('three', 'e3', 1.5, '2024-01-02 03:04:05', NULL), (E'fo\nur', 'E4', NULL, NULL, 'e1'), (' five ', 'e5', NULL, NULL, NULL), ('#N/A', 'e6', NULL, NULL, NULL), ('seven', 'e7', NULL, NULL, NULL);
SELECT b ->> 'batch' AS b, b ->> 'operation' AS operation, b -> 'records' AS records FROM public.hc_claim(:'c', :e) b \gset
\echo :operation :records
SELECT api, state, external_id_field, job FROM public.hc_batch WHERE id = :b;
SELECT state, count(*) FROM bulkjob._trigger_log GROUP BY 1 ORDER BY 1;

-- the steps, each only after the one before it
SELECT public.hc_bulk_next(:'c', :e, :b) - 'batch' - 'mapping' AS next;
\set VERBOSITY sqlstate
SELECT public.hc_bulk_step(:'c', :e, :b, 'uploaded');
\set VERBOSITY terse
SELECT public.hc_bulk_step(:'c', :e, :b, 'create');
SELECT state, job ->> 'step' AS step, job ? 'since' AS since, first_sent_at IS NOT NULL AS sent FROM public.hc_batch WHERE id = :b;
-- the relay ends: another one goes on where it was, and the changes are in flight all the time
SELECT public.hc_lead(:'c', 'another') AS e \gset
UPDATE regress_tools.ids SET epoch = :e WHERE name = 'bulkjob';
SELECT state, job ->> 'step' AS step FROM public.hc_batch WHERE id = :b;
SELECT (x ->> 'batch')::bigint = :b AS same, x ->> 'attempt' AS attempt FROM public.hc_claim(:'c', :e) x;
SELECT n ->> 'do' AS lost FROM public.hc_bulk_next(:'c', :e, :b) n;
-- the answer of create was lost: ours is the open job of our user since then; two cannot both be ours, and are left alone
SELECT set_config('regress.jobs', (SELECT jsonb_agg(jsonb_build_object('id', j ->> 0, 'state', j ->> 1, 'object', 'account', 'operation', j ->> 2, 'external_id_field', 'ext__c',
         'created_by', j ->> 3, 'created', (clock_timestamp() + (j ->> 4)::interval)::text)) FROM (VALUES
  ('["750old","Open","upsert","005xx000001Sv6A","-1 hour"]'::jsonb), ('["750done","UploadComplete","upsert","005xx000001Sv6A","0"]'),
  ('["750their","Open","upsert","005xx000001SAAA","0"]'), ('["750other","Open","update","005xx000001Sv6A","0"]'), ('["750ours","Open","upsert","005xx000001Sv6AAAS","0"]')) t(j))::text, false) IS NOT NULL AS set;
SELECT public.hc_bulk_lost(:'c', :e, :b, current_setting('regress.jobs')::jsonb) AS ours;
SELECT public.hc_bulk_lost(:'c', :e, :b, current_setting('regress.jobs')::jsonb || (SELECT jsonb_agg(j || '{"id": "750more"}') FROM jsonb_array_elements(current_setting('regress.jobs')::jsonb) j WHERE j ->> 'id' = '750ours')) AS not_ours;
SELECT public.hc_bulk_give_up(:'c', :e, :b, 'not_run', '{"code": "LOST", "message": "no job"}');
SELECT state, job, reason FROM public.hc_batch WHERE id = :b;
SELECT (x ->> 'batch')::bigint = :b AS same FROM public.hc_claim(:'c', :e) x;
SELECT public.hc_bulk_next(:'c', :e, :b) ->> 'do' AS again;
SELECT public.hc_bulk_step(:'c', :e, :b, 'create'), public.hc_bulk_step(:'c', :e, :b, 'created', '{"id": "750xx"}');
SELECT n ->> 'do' AS do, n ->> 'job' AS job, n ->> 'header' AS header, n ->> 'copy' AS copy FROM public.hc_bulk_next(:'c', :e, :b) n \gset
\echo :do :job :header
:copy;
SELECT public.hc_bulk_step(:'c', :e, :b, 'upload');
SELECT public.hc_bulk_next(:'c', :e, :b) ->> 'do' AS rows_may_have_arrived;
SELECT public.hc_bulk_step(:'c', :e, :b, 'uploaded');
SELECT public.hc_bulk_next(:'c', :e, :b) ->> 'do' AS do;
SELECT public.hc_bulk_step(:'c', :e, :b, 'close');
SELECT public.hc_bulk_next(:'c', :e, :b) ->> 'do' AS may_be_closed;
SELECT public.hc_bulk_step(:'c', :e, :b, 'closed');
SELECT public.hc_bulk_next(:'c', :e, :b) ->> 'do' AS do;
SELECT public.hc_bulk_step(:'c', :e, :b, 'settled', '{"state": "JobComplete", "processed": 3}');
SELECT n ->> 'do' AS do, n ->> 'file' AS file FROM public.hc_bulk_next(:'c', :e, :b) n;

-- results: in no order, identifiers without case; a lock error is no outcome
BEGIN;
SELECT public.hc_bulk_result_copy('{sf__Id,sf__Created,Ext__c,Name}');
INSERT INTO pg_temp.hc_bulk_result (c1, c2, c3, c4) VALUES ('001xx000003DGb4AAG', 'true', 'e4', 'four');
SELECT public.hc_bulk_result(:'c', :e, :b, 'successfulResults', '{sf__Id,sf__Created,Ext__c,Name}');
COMMIT;
BEGIN;
SELECT public.hc_bulk_result_copy('{sf__Id,sf__Error,EXT__C,Name}') IS NOT NULL AS copy;
INSERT INTO pg_temp.hc_bulk_result (c1, c2, c3) VALUES (NULL, 'REQUIRED_FIELD_MISSING:Required: are missing: [Name, X]:Name X --', 'e3'), (NULL, 'UNABLE_TO_LOCK_ROW:unable to obtain exclusive access:--', 'E5');
SELECT public.hc_bulk_result(:'c', :e, :b, 'failedResults', '{sf__Id,sf__Error,EXT__C,Name}');
COMMIT;
SELECT n ->> 'do' AS do, n ->> 'file' AS file FROM public.hc_bulk_next(:'c', :e, :b) n;
SELECT position, outcome, reason, payload ? 'lock_error' AS again FROM public.hc_batch_entry WHERE batch = :b ORDER BY position;
SELECT public.hc_bulk_end(:'c', :e, :b);
SELECT b.id = :b AS same, b.api, b.state, b.reason, b.locks, count(e.*) FROM public.hc_batch b LEFT JOIN public.hc_batch_entry e ON e.batch = b.id WHERE b.state <> 'DONE' GROUP BY b.id ORDER BY b.id;
SELECT public.hc_apply(:'c', :e, :b);
SELECT x ->> 'operation' AS operation, jsonb_path_query_array(x, '$.records[*].fields.Ext__c') AS single FROM public.hc_claim(:'c', :e) x;
SELECT regress_tools.answer('bulkjob', '001xx000003DGb5AAG');
SELECT state, id, record_id, sf_message FROM regress_tools.log('bulkjob') WHERE id > 2 ORDER BY id;
SELECT id, sfid, _hc_lastop FROM bulkjob.account ORDER BY id;
SELECT regress_tools.send('bulkjob', '001xx000003DGb6AAG', '001xx000003DGb7AAG') -> 0 AS the_rest;

-- errors as rows say them
SELECT x, public.hc_bulk_error(x) FROM unnest(ARRAY['A_B:m:F1 F2 --', 'A_B:m: n:--', 'A_B:', 'text', '', E'DUPLICATE_VALUE:two\nlines: <unknown>:--']) x;

-- updates, matched by record id; the job fails: what it did not reach goes by single calls, what no result names is in doubt
UPDATE bulkjob.account SET name = 'n' || id WHERE id IN (1, 2, 4);
SELECT b ->> 'batch' AS b, b ->> 'operation' AS operation FROM public.hc_claim(:'c', :e) b \gset
SELECT public.hc_bulk_next(:'c', :e, :b) ->> 'do' AS do, public.hc_bulk_step(:'c', :e, :b, 'create'), public.hc_bulk_step(:'c', :e, :b, 'created', '{"id": "750yy"}');
SELECT n ->> 'header' AS header, n ->> 'copy' AS copy FROM public.hc_bulk_next(:'c', :e, :b) n \gset
\echo :header
:copy;
-- a relay that ends leaves no doubt about the updates of a job that is known
SELECT public.hc_lead(:'c', 'a third') AS e \gset
UPDATE regress_tools.ids SET epoch = :e WHERE name = 'bulkjob';
SELECT state, job ->> 'step' AS step FROM public.hc_batch WHERE id = :b;
SELECT (x ->> 'batch')::bigint = :b AS same FROM public.hc_claim(:'c', :e) x;
SELECT n ->> 'do' AS do FROM public.hc_bulk_next(:'c', :e, :b) n;
SELECT public.hc_bulk_step(:'c', :e, :b, 'upload'), public.hc_bulk_step(:'c', :e, :b, 'uploaded'), public.hc_bulk_step(:'c', :e, :b, 'closed'),
       public.hc_bulk_step(:'c', :e, :b, 'settled', '{"state": "Failed", "message": "InvalidBatch : Field name not found : X"}');
BEGIN;
SELECT public.hc_bulk_result_copy('{sf__Id,sf__Created,Id,Name}') IS NOT NULL AS copy;
INSERT INTO pg_temp.hc_bulk_result (c1, c2, c3, c4) VALUES ('001xx000003DGb1AAG', 'false', '001xx000003DGb1', 'n1');
SELECT public.hc_bulk_result(:'c', :e, :b, 'successfulResults', '{sf__Id,sf__Created,Id,Name}');
COMMIT;
BEGIN;
SELECT public.hc_bulk_result_copy('{Id,Name}') IS NOT NULL AS copy;
INSERT INTO pg_temp.hc_bulk_result (c1, c2) VALUES ('001xx000003DGb2AAG', 'n2');
SELECT public.hc_bulk_result(:'c', :e, :b, 'unprocessedrecords', '{Id,Name}');
COMMIT;
SELECT n ->> 'do' AS do, n ->> 'file' AS file FROM public.hc_bulk_next(:'c', :e, :b) n;
SELECT public.hc_bulk_end(:'c', :e, :b);
SELECT b.id = :b AS same, b.api, b.state, b.reason, array_agg(e.record_id ORDER BY e.position) FROM public.hc_batch b LEFT JOIN public.hc_batch_entry e ON e.batch = b.id WHERE b.state <> 'DONE' GROUP BY b.id ORDER BY b.id;
SELECT regress_tools.disconnect('bulkjob');

-- Bulk 1.0: results in the order of the rows; one row short is refused; a failed batch leaves creates in doubt
SELECT regress_tools.connect('bulkone', false);
SELECT connection AS c, mapping AS m, epoch AS e FROM regress_tools.ids WHERE name = 'bulkone' \gset
INSERT INTO bulkone.account (name) SELECT 'r' || g FROM generate_series(1, 4) g;
SELECT b ->> 'batch' AS b FROM public.hc_claim(:'c', :e) b \gset
UPDATE public.hc_batch SET api = 'bulk1' WHERE id = :b;
SELECT n ->> 'do' AS do, n ->> 'operation' AS operation, n ->> 'rows' AS rows FROM public.hc_bulk_next(:'c', :e, :b) n;
SELECT public.hc_bulk_step(:'c', :e, :b, 'create'), public.hc_bulk_step(:'c', :e, :b, 'created', '{"id": "750zz"}'), public.hc_bulk_step(:'c', :e, :b, 'upload');
SELECT public.hc_bulk_step(:'c', :e, :b, 'uploaded');
SELECT public.hc_bulk_step(:'c', :e, :b, 'uploaded', '{"part": "751zz"}'), public.hc_bulk_step(:'c', :e, :b, 'closed'), public.hc_bulk_step(:'c', :e, :b, 'settled', '{"state": "Failed"}');
BEGIN;
SELECT public.hc_bulk_result_copy('{Id,Success,Created,Error}') IS NOT NULL AS copy;
INSERT INTO pg_temp.hc_bulk_result (c1, c2, c3, c4) VALUES ('001xx000003DGc1AAG', 'true', 'true', ''), (NULL, 'false', 'false', 'A_B:no:--'), ('001xx000003DGc3AAG', 'true', 'true', NULL);
SAVEPOINT s;
SELECT public.hc_bulk_result(:'c', :e, :b, 'batch', '{Id,Success,Created,Error}');
ROLLBACK TO s;
SELECT public.hc_bulk_result(:'c', :e, :b, 'batch', '{Id,Success,Created,Error}', false);
COMMIT;
SELECT position, outcome FROM public.hc_batch_entry WHERE batch = :b ORDER BY position;
SELECT public.hc_bulk_end(:'c', :e, :b);
SELECT b.id = :b AS same, b.api, b.state, b.due_at - public.hc_clock(:'c') > '9 minutes' AS later, array_agg(e.record_id ORDER BY e.position) FROM public.hc_batch b JOIN public.hc_batch_entry e ON e.batch = b.id GROUP BY b.id ORDER BY b.id;
SELECT public.hc_apply(:'c', :e, :b);
SELECT id, sfid, _hc_lastop FROM bulkone.account ORDER BY id;
SELECT regress_tools.disconnect('bulkone');
