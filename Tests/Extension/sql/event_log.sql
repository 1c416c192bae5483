-- _sf_event_log: one row for each record that a merge wrote or deleted, in its transaction; off unless asked for.
SELECT regress_tools.connect('evt', false);
SELECT connection AS c, mapping AS m, epoch AS e FROM regress_tools.ids WHERE name = 'evt' \gset
\set merge 'SELECT hc_merge(connection, epoch, mapping) - ''{more,waiting}''::text[] AS merged FROM regress_tools.ids WHERE name = ''evt'';'
\set events 'SELECT id, table_name, action, synced_at = now() AS now, sf_timestamp, sfid, record::jsonb ->> ''Name'' AS name, processed FROM evt._sf_event_log ORDER BY id;'
SET TIME ZONE 'UTC';
SET xmlbinary = hex;
INSERT INTO evt.account (sfid, name, systemmodstamp) SELECT '001xx000003DGb' || n || 'AAG', 'old', '2024-01-01' FROM generate_series(1, 3) n;
RESET xmlbinary;
SELECT regress_tools.arrive('evt', '001xx000003DGb1AAG', 'e1');
:merge
SELECT count(*) AS not_asked_for FROM evt._sf_event_log;

UPDATE public.hc_connection SET settings = settings || '{"event_log": true}' WHERE id = :'c';
BEGIN;
-- written, unchanged, new, deleted, deleted and never here
SELECT regress_tools.arrive('evt', '001xx000003DGb2AAG', 'e2'), regress_tools.arrive('evt', '001xx000003DGb1AAG', 'e1'), regress_tools.arrive('evt', '001xx000003DGb4AAG', 'e4'),
       regress_tools.arrive('evt', '001xx000003DGb3AAG', NULL), regress_tools.arrive('evt', '001xx000003DGb9AAG', NULL);
:merge
:events
ROLLBACK;
SELECT count(*) AS with_the_merge FROM evt._sf_event_log;
-- a row that refuses leaves no event, the others do
ALTER TABLE evt.account ADD CHECK (ext__c <> 'e2');
SELECT regress_tools.arrive('evt', '001xx000003DGb2AAG', 'e2'), regress_tools.arrive('evt', '001xx000003DGb4AAG', 'e4');
:merge
SELECT action, sfid FROM evt._sf_event_log ORDER BY id;
-- kept as long as the archive
UPDATE evt._sf_event_log SET processed = true, synced_at = now() - interval '32 days';
INSERT INTO evt._sf_event_log (table_name, action, sfid) VALUES ('account', 'UPDATE', 'young');
SELECT hc_housekeeping(:'c', :e) -> 'purged' AS purged;
SELECT sfid FROM evt._sf_event_log;
