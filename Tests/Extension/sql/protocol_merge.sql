-- Merge: what arrives, and what it must not overwrite
SELECT regress_tools.connect('merge');
SELECT connection AS c, mapping AS m, epoch AS e FROM regress_tools.ids WHERE name = 'merge' \gset
SELECT public.hc_stage(:'c', :e, :'m', '[
 {"attributes":{"type":"Account"},"Id":"001xx000003DGb2AAG","Name":"one","Ext__c":"x1","Amount__c":1.5,"Active__c":true,"Closed__c":"2024-02-03T04:05:06.000+0000","SystemModstamp":"2024-01-01T00:00:01.000+0000","IsDeleted":false,"CreatedDate":"2024-01-01T00:00:00.000+0000"},
 {"attributes":{"type":"Account"},"Id":"001xx000003DGb3AAG","Name":"zwei \"quoted\", \n\\ 😀","Amount__c":null,"Active__c":false,"SystemModstamp":"2024-01-01T00:00:01.000+0000","IsDeleted":false}]', now());
SELECT public.hc_merge(:'c', :e, :'m');
SELECT id, sfid, name, amount__c, active__c, closed__c, systemmodstamp, isdeleted, _hc_lastop FROM merge.account ORDER BY id;
SELECT count(*) AS captured FROM merge._trigger_log;
-- the same again: nothing is written; an older version: left out
SELECT xmin AS before FROM merge.account WHERE id = 1 \gset
SELECT public.hc_stage(:'c', :e, :'m', '[{"Id":"001xx000003DGb2AAG","Name":"one","Ext__c":"x1","Amount__c":1.5,"Active__c":true,"Closed__c":"2024-02-03T04:05:06.000+0000","SystemModstamp":"2024-01-01T00:00:01.000+0000","IsDeleted":false,"CreatedDate":"2024-01-01T00:00:00.000+0000"},
  {"Id":"001xx000003DGb3AAG","Name":"older","SystemModstamp":"2023-12-31T00:00:00.000+0000"}]', now());
SELECT public.hc_merge(:'c', :e, :'m');
SELECT xmin = :'before' AS untouched FROM merge.account WHERE id = 1;
-- a change that is not sent yet protects its row; a change that failed does not
UPDATE merge.account SET name = 'mine' WHERE id = 1;
SELECT public.hc_stage(:'c', :e, :'m', '[{"Id":"001xx000003DGb2AAG","Name":"theirs","SystemModstamp":"2024-01-02T00:00:00.000+0000"}]', now());
SELECT public.hc_merge(:'c', :e, :'m');
SELECT name, _hc_lastop FROM merge.account WHERE id = 1;
SELECT reason FROM public.hc_staged WHERE mapping = :'m';
SELECT regress_tools.send('merge', 'FIELD_CUSTOM_VALIDATION_EXCEPTION');
SELECT public.hc_merge(:'c', :e, :'m');
SELECT name, _hc_lastop, _hc_err FROM merge.account WHERE id = 1;
-- once accepted, what arrives of the record is older than our write until it is read back
UPDATE merge.account SET name = 'ours' WHERE id = 1;
SELECT regress_tools.send('merge', '001xx000003DGb2AAG');
SELECT public.hc_stage(:'c', :e, :'m', '[{"Id":"001xx000003DGb2AAG","Name":"read before","SystemModstamp":"2024-01-03T00:00:00.000+0000"}]', now());
SELECT public.hc_merge(:'c', :e, :'m');
SELECT name, _hc_lastop FROM merge.account WHERE id = 1;
SELECT r ->> 'token' AS token, r -> 'ids' AS ids, r -> 'fields' ? 'CreatedById' AS asks_creator FROM public.hc_read_back_next(:'c', :e) r \gset
SELECT public.hc_read_back_next(:'c', :e) IS NULL AS taken;
SELECT public.hc_read_back_merge(:'c', :e, :'m', :token, ARRAY['001xx000003DGb2AAG'], '[{"Id":"001xx000003DGb2AAG","Name":"ours","Formula__c":"calculated","SystemModstamp":"2024-01-04T00:00:00.000+0000"}]');
SELECT name, formula__c, _hc_lastop FROM merge.account WHERE id = 1;
-- an unknown record by our user may be the answer to a create that is on its way; one by somebody else is not
INSERT INTO merge.account (name) VALUES ('created here');
SELECT b ->> 'batch' AS b FROM public.hc_claim(:'c', :e) b \gset
SELECT public.hc_sent(:'c', :e, :b);
SELECT public.hc_stage(:'c', :e, :'m', jsonb_build_array(
  jsonb_build_object('Id', '001xx000003DGb4AAG', 'Name', 'created here', 'CreatedById', '005xx000001Sv6AAAS', 'CreatedDate', now(), 'SystemModstamp', now()),
  jsonb_build_object('Id', '001xx000003DGb5AAG', 'Name', 'created there', 'CreatedById', '005xx000001Sv6BAAA', 'CreatedDate', now(), 'SystemModstamp', now())), now());
SELECT public.hc_merge(:'c', :e, :'m');
SELECT id, sfid, name FROM merge.account ORDER BY id;
SELECT public.hc_answer(:'c', :e, :b, 'answered', regress_tools.results('001xx000003DGb4AAG')), public.hc_apply(:'c', :e, :b);
SELECT id, sfid, name, _hc_lastop FROM merge.account ORDER BY id;
SELECT count(*) AS still_staged FROM public.hc_staged WHERE mapping = :'m';
-- a row without sfid is found by the unique identifier; no sequence value is lost
INSERT INTO merge.account (name, ext__c) VALUES ('by identifier', 'x9');
UPDATE merge._trigger_log SET state = 'IGNORE';
SELECT public.hc_housekeeping(:'c', :e) -> 'archived' AS archived;
SELECT public.hc_stage(:'c', :e, :'m', '[{"Id":"001xx000003DGb9AAG","Name":"theirs","Ext__c":"x9","SystemModstamp":"2024-01-01T00:00:01.000+0000"}]', now());
SELECT public.hc_merge(:'c', :e, :'m');
SELECT id, sfid, name, _hc_lastop FROM merge.account WHERE ext__c = 'x9';
SELECT last_value = (SELECT max(id) FROM merge.account) AS no_gap FROM merge.account_id_seq;
-- deletes: in the org, here (skipped only while the DELETE is unsent), and after our own
DELETE FROM merge.account WHERE sfid = '001xx000003DGb9AAG';
SELECT public.hc_stage(:'c', :e, :'m', '[{"Id":"001xx000003DGb9AAG","Name":"back","Ext__c":"x9","SystemModstamp":"2024-01-02T00:00:01.000+0000"}]', now());
SELECT public.hc_deleted(:'c', :e, :'m', jsonb_build_array(jsonb_build_object('id', '001xx000003DGb5AAG', 'deletedDate', now() + interval '1 second')), now() - interval '15 days', now());
SELECT public.hc_merge(:'c', :e, :'m');
SELECT sfid FROM merge.account ORDER BY id;
SELECT regress_tools.send('merge', '001xx000003DGb9AAG');
SELECT public.hc_stage(:'c', :e, :'m', '[{"Id":"001xx000003DGb9AAG","Name":"a page that was read before the delete","Ext__c":"x9","SystemModstamp":"2024-01-02T00:00:01.000+0000"}]', now() - interval '1 minute');
SELECT public.hc_merge(:'c', :e, :'m') -> 'inserted' AS inserted;
-- a bad record is isolated: the others go in, it stays with its reason
ALTER TABLE merge.account ADD CHECK (name <> 'bad');
SELECT public.hc_stage(:'c', :e, :'m', '[{"Id":"001xx000003DGbAAAW","Name":"good","SystemModstamp":"2024-01-01T00:00:01.000+0000"},{"Id":"001xx000003DGbBAAW","Name":"bad","SystemModstamp":"2024-01-01T00:00:01.000+0000"},{"Id":"001xx000003DGbCAAW","Name":"fine","SystemModstamp":"2024-01-01T00:00:01.000+0000"}]', now());
SELECT public.hc_merge(:'c', :e, :'m');
SELECT sfid, reason FROM public.hc_staged WHERE mapping = :'m';
SELECT count(*) AS captured FROM merge._trigger_log;

-- an identifier that differs in case alone is the same to Salesforce: the record is the row's, and makes no second one
INSERT INTO merge.account (name, ext__c) VALUES ('mine', 'Case-AB');
DELETE FROM merge._trigger_log WHERE "values" LIKE '%Case-AB%';
SELECT regress_tools.arrive('merge', '001xx000003DGz9AAG', 'cASE-ab') AS staged;
SELECT public.hc_merge(:'c', :e, :'m') -> 'updated' AS updated;
SELECT name, ext__c, sfid FROM merge.account WHERE lower(ext__c) = 'case-ab';
