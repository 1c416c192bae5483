-- A merge takes a value of the table's sequence only for a row that it really inserts: a record that changes a thousand times takes none.
SELECT regress_tools.connect('seq');
SELECT public.hc_stage(connection, epoch, mapping, '[{"Id": "001xx000003DGb2AAG", "Name": "n", "Ext__c": "e1", "SystemModstamp": "2024-01-01T00:00:00.000+0000"}]', now()) FROM regress_tools.ids WHERE name = 'seq';
SELECT public.hc_merge(connection, epoch, mapping) FROM regress_tools.ids WHERE name = 'seq';
CREATE TEMP TABLE before AS SELECT last_value, is_called FROM seq.account_id_seq;
DO $$
DECLARE
  i regress_tools.ids := (SELECT t FROM regress_tools.ids t WHERE t.name = 'seq');
  merged jsonb;
  updated integer := 0;
  unchanged integer := 0;
BEGIN
  FOR n IN 1 .. 1000 LOOP
    -- every tenth time nothing has changed
    PERFORM public.hc_stage(i.connection, i.epoch, i.mapping, jsonb_build_array(jsonb_build_object('Id', '001xx000003DGb2AAG', 'Name', 'n ' || n - n % 10 / 9,
      'Ext__c', 'e1', 'SystemModstamp', to_char(timestamp '2024-01-15' + (n - n % 10 / 9) * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS.MS"+0000"'))), clock_timestamp());
    merged := public.hc_merge(i.connection, i.epoch, i.mapping);
    updated := updated + (merged ->> 'updated')::integer;
    unchanged := unchanged + (merged ->> 'unchanged')::integer;
    COMMIT;
  END LOOP;
  RAISE NOTICE 'updated %, unchanged %', updated, unchanged;
END $$;
SELECT s.last_value - b.last_value AS moved FROM seq.account_id_seq s, before b;
SELECT id, name, _hc_lastop FROM seq.account;
-- nor does a record that is refused, set aside or deleted
SELECT regress_tools.arrive('seq', '001xx000003DGb2AAG', NULL);
SELECT public.hc_merge(connection, epoch, mapping) -> 'deleted' AS deleted FROM regress_tools.ids WHERE name = 'seq';
SELECT s.last_value - b.last_value AS moved FROM seq.account_id_seq s, before b;
SELECT regress_tools.arrive('seq', '001xx000003DGb4AAG', 'e2');
SELECT public.hc_merge(connection, epoch, mapping) -> 'inserted' AS inserted FROM regress_tools.ids WHERE name = 'seq';
SELECT s.last_value - b.last_value AS moved FROM seq.account_id_seq s, before b;
