-- Loads: a first load is seen when it is whole, a reload keeps rows, ids and what is not sent
SELECT public.hc_connection_create('load', NULL, '62.0') AS c \gset
SELECT public.hc_mapping_register(:'c', 'Account', '{"access":"read_write","fields":{"Name":{},"Ext__c":{},"Amount__c":{}},"upsert_field":"Ext__c"}', regress_tools.description()) AS m \gset
SELECT public.hc_lead(:'c', 'regress') AS e \gset
SELECT public.hc_identify(:'c', :e, '00Dxx0000001gPLEAY', '005xx000001Sv6AAAS', now(), true);
SELECT jsonb_array_length(public.hc_work(:'c', :e) -> 'loads') AS loads_due;
SELECT b ->> 'load' AS l, b ->> 'copy' AS copy, b ->> 'table' AS t FROM public.hc_load_begin(:'c', :e, :'m') b \gset
SELECT b - 'load' - 'table' - 'copy' AS begun FROM public.hc_load_begin(:'c', :e, :'m') b;
SELECT regexp_replace(:'copy', 'hc_private_[0-9a-f]+', 'PRIVATE') AS copy;
SELECT public.hc_load_job(:'c', :e, :l, '{"id":"750xx"}', 3);
BEGIN;
:copy;
"3.5","x1","false","one, ""1""","2024-01-01T00:00:00.000Z","001xx000003DGb2AAG"
"","","false","line
break","2024-01-01T00:00:00.000Z","001xx000003DGb3AAG"
\.
SELECT public.hc_load_page(:'c', :e, :l, 'page2', 2);
COMMIT;
SELECT to_regclass('load.account') IS NULL AS not_seen_yet;
-- killed and taken up: job, locator and rows are what committed
SELECT b ->> 'locator' AS locator, b -> 'job' AS job, b -> 'rows' AS rows FROM public.hc_load_begin(:'c', :e, :'m') b;
BEGIN;
:copy;
"1","x3","false","three","2024-01-01T00:00:00.000Z","001xx000003DGb4AAG"
\.
SELECT public.hc_load_page(:'c', :e, :l, NULL, 1);
COMMIT;
SELECT public.hc_load_finish(:'c', :e, :l, now());
SELECT public.hc_load_finish(:'c', :e, :l, now());
SELECT public.hc_load_finish(:'c', :e, :l, now());
SELECT tgname FROM pg_trigger WHERE tgrelid = 'load.account'::regclass AND NOT tgisinternal ORDER BY 1;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'load' AND tablename = 'account' ORDER BY 1;
SELECT attname, pg_get_expr(adbin, adrelid) AS default FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE adrelid = 'load.account'::regclass;
SELECT id, sfid, name, ext__c, amount__c, _hc_lastop FROM load.account ORDER BY id;
SELECT state, poll_cursor <= now() - interval '10 minutes' AS overlaps, (SELECT count(*) FROM public.hc_load WHERE mapping = :'m') AS loads FROM public.hc_mapping WHERE id = :'m';
UPDATE load.account SET name = 'captured at once' WHERE id = 1;
INSERT INTO load.account (name) VALUES ('no sfid yet');
SELECT id, state, action FROM load._trigger_log ORDER BY id;
-- a reload: one record gone, one changed, one new; row 1 has an unsent change
CREATE VIEW load.names AS SELECT name FROM load.account;
UPDATE load._trigger_log SET state = 'FAILED' WHERE id = 2;
SELECT public.hc_mapping_reload(:'m');
SELECT b ->> 'load' AS l, b ->> 'kind' AS kind FROM public.hc_load_begin(:'c', :e, :'m') b \gset
SELECT :'kind' AS kind, public.hc_load_records(:'c', :e, :l, '[
 {"Id":"001xx000003DGb2AAG","Name":"theirs","Ext__c":"x1","Amount__c":4,"IsDeleted":false,"SystemModstamp":"2024-01-02T00:00:00.000+0000"},
 {"Id":"001xx000003DGb4AAG","Name":"drei","Ext__c":"x3","Amount__c":1,"IsDeleted":false,"SystemModstamp":"2024-01-02T00:00:00.000+0000"},
 {"Id":"001xx000003DGb6AAG","Name":"new","IsDeleted":false,"SystemModstamp":"2024-01-02T00:00:00.000+0000"}]') AS rows;
DO $$ DECLARE d boolean := false; i integer := 0; l record; BEGIN
  SELECT x.*, h.epoch INTO l FROM public.hc_load x JOIN public.hc_connection h ON h.id = x.connection WHERE h.schema_name = 'load';
  WHILE NOT d AND i < 20 LOOP i := i + 1; d := (public.hc_load_finish(l.connection, l.epoch, l.id, now()) ->> 'done')::boolean; END LOOP;
  RAISE NOTICE 'done %', d; END $$;
SELECT id, sfid, name, _hc_lastop FROM load.account ORDER BY id;
SELECT count(*) AS private_tables FROM pg_class WHERE relname LIKE 'hc_private_%';
