-- What users do to log entries: the statements that customers of Heroku Connect know, on the log and on the archive.
SELECT regress_tools.connect('states', false);
SELECT connection AS c, mapping AS m, epoch AS e FROM regress_tools.ids WHERE name = 'states' \gset
SET xmlbinary = hex;
INSERT INTO states.account (sfid, name, systemmodstamp) SELECT '001xx000003DGb' || n || 'AAG', 'row ' || n, '2024-01-01' FROM generate_series(1, 9) n;
RESET xmlbinary;
\set keep 'SELECT hc_housekeeping(connection, epoch) - ''purged''::text AS kept FROM regress_tools.ids WHERE name = ''states'';'
\set log 'SELECT place, id, state, action, record_id AS record, sf_message FROM regress_tools.log(''states'');'
:keep

-- A rejected change: in sight for a day, then archived, still FAILED.
UPDATE states.account SET name = 'too long' WHERE id = 1;
SELECT regress_tools.send('states', 'STRING_TOO_LONG') -> 0 AS sent;
SELECT id, action, table_name, record_id, sf_message FROM states._trigger_log WHERE state = 'FAILED' ORDER BY id;
SELECT hc_clock_advance(:'c', '23 hours 50 minutes') > now() AS moved;
:keep
SELECT hc_clock_advance(:'c', '20 minutes') > now() AS moved;
:keep
:log

-- Retried from the archive: a copy with a fresh id, the archived one marked. By name, and positional.
INSERT INTO states._trigger_log (state, action, table_name, record_id, sfid, "values") SELECT 'NEW', action, table_name, record_id, sfid, "values" FROM states._trigger_log_archive WHERE id = 1;
UPDATE states._trigger_log_archive SET state = 'REQUEUED' WHERE id = 1;
SELECT regress_tools.send('states', '001xx000003DGb1AAG') -> 1 -> 0 -> 'fields' AS fields;
-- Or whole, under its own id: what becomes of it now replaces what was archived.
INSERT INTO states._trigger_log SELECT * FROM states._trigger_log_archive WHERE id = 1;
UPDATE states._trigger_log SET state = 'NEW' WHERE id = 1;
SELECT hc_clock_advance(:'c', '2 minutes') > now() AS moved;
SELECT regress_tools.send('states', '001xx000003DGb1AAG') -> 1 -> 0 -> 'fields' AS fields;
:log

-- REQUEUE: captured again with a new id. In the log, in the archive, of each action; the archive is searched when somebody has edited it.
UPDATE states.account SET name = 'seven' WHERE id = 7;
DELETE FROM states.account WHERE id = 8;
SELECT regress_tools.send('states', 'STRING_TOO_LONG') -> 0 AS sent;
UPDATE states._trigger_log SET state = 'REQUEUE' WHERE state = 'FAILED';
SELECT regress_tools.send('states', '001xx000003DGb8AAG') -> 0 AS sent;
:keep
:log
SELECT regress_tools.send('states', '001xx000003DGb7AAG') -> 1 -> 0 -> 'fields' AS fields;
UPDATE states._trigger_log_archive SET state = 'REQUEUE' WHERE id IN (3, 4);
-- The server counts the edits with a delay of about a second; here the count is made to differ.
UPDATE public.hc_connection SET settings = settings - 'archive_edits' WHERE id = :'c';
SELECT hc_housekeeping_due(h) FROM public.hc_connection h WHERE id = :'c';
:keep
:keep
:log
SELECT regress_tools.send('states', '001xx000003DGb7AAG') -> 0 AS sent;
SELECT regress_tools.send('states', '001xx000003DGb8AAG') -> 0 AS sent;

-- IGNORE and IGNORED are put away unsent; READONLY too; a no-op is logged as IGNORE; names that nobody knows, and none, stay and disturb nobody.
TRUNCATE states._trigger_log_archive;
UPDATE states.account SET name = 'ignored ' || id WHERE id IN (2, 3, 4, 5, 6);
UPDATE states._trigger_log SET state = 'IGNORE' WHERE record_id = 2;
UPDATE states._trigger_log SET state = 'IGNORED' WHERE record_id = 3;
UPDATE states._trigger_log SET state = 'LATER' WHERE record_id = 4;
UPDATE states._trigger_log SET state = NULL WHERE record_id = 5;
UPDATE states._trigger_log SET state = 'READONLY' WHERE record_id = 6;
UPDATE states.account SET name = name WHERE id = 9;
SELECT hc_claim(:'c', :e) IS NULL AS nothing_to_send;
:keep
SELECT place, state, record_id AS record FROM regress_tools.log('states') ORDER BY record_id, place;
SELECT count(*) AS unprocessed FROM states._trigger_log_archive WHERE state = 'IGNORED' AND processed_at IS NULL;
UPDATE states._trigger_log SET state = 'NEW' WHERE record_id IN (4, 5);
SELECT hc_clock_advance(:'c', '2 minutes') > now() AS moved;
SELECT jsonb_array_length(regress_tools.send('states', '001xx000003DGb4AAG', '001xx000003DGb5AAG') -> 1) AS sent;

-- Written by hand: without sfid it is the row's; with a value of the sequence, as a trigger of a customer does; with nothing to send; for no row.
INSERT INTO states._trigger_log (id, txid, created_at, state, action, table_name, record_id, "values")
     VALUES (nextval('states._trigger_log_id_seq'), txid_current(), now(), 'NEW', 'UPDATE', 'account', 4, '"name"=>"by hand"');
INSERT INTO states._trigger_log VALUES (nextval('states._trigger_log_id_seq'), txid_current(), now(), NULL, NULL, NULL, 'NEW', 'UPDATE', 'account', 5, NULL, NULL, '"name"=>"positional"', NULL, NULL);
INSERT INTO states._trigger_log (state, action, table_name, record_id, "values") VALUES ('NEW', 'UPDATE', 'account', 6, ''), ('NEW', 'UPDATE', 'account', 77, '"name"=>"no row"'),
     ('NEW', 'DELETE', 'account', NULL, NULL), ('NEW', 'UPDATE', 'account', 9, '"no"=hstore'), ('NEW', 'upsert', 'account', 9, '"name"=>"x"'), ('NEW', NULL, NULL, NULL, NULL);
SELECT jsonb_path_query_array(regress_tools.send('states', '001xx000003DGb4AAG', '001xx000003DGb5AAG'), '$[1][*].fields') AS fields;
SELECT hc_claim(:'c', :e) IS NULL AS nothing_to_send;
SELECT state, action, record_id, split_part(sf_message, ':', 1) AS code FROM states._trigger_log ORDER BY id;
UPDATE states._trigger_log SET state = 'IGNORED';

-- Later changes of the same row, in one transaction, and back to what was: the row is not done before they are sent.
SELECT hc_clock_advance(:'c', '2 minutes') > now() AS moved;
:keep
BEGIN;
UPDATE states.account SET name = 'a' WHERE id = 2;
UPDATE states.account SET name = 'b' WHERE id = 2;
COMMIT;
UPDATE states.account SET name = 'c' WHERE id = 3;
UPDATE states.account SET name = 'b' WHERE id = 3;
UPDATE states.account SET name = 'c' WHERE id = 3;
UPDATE states.account SET name = 'once' WHERE id = 4;
SELECT jsonb_array_length(regress_tools.send('states', '001xx000003DGb2AAG') -> 1) AS sent;
SELECT id, name, _hc_lastop FROM states.account WHERE id = 2;
SELECT jsonb_array_length(regress_tools.send('states', '001xx000003DGb2AAG', '001xx000003DGb3AAG') -> 1) AS sent;
SELECT id, name, _hc_lastop FROM states.account WHERE id IN (2, 3, 4) ORDER BY id;
SELECT jsonb_array_length(regress_tools.send('states', '001xx000003DGb3AAG') -> 1) AS sent;
SELECT jsonb_array_length(regress_tools.send('states', '001xx000003DGb3AAG', '001xx000003DGb4AAG') -> 1) AS sent;
SELECT id, name, _hc_lastop FROM states.account WHERE id IN (2, 3, 4) ORDER BY id;

-- Retention: 31 days after capture, in chunks of a thousand; 7 days where the profile is demo; or as set.
TRUNCATE states._trigger_log_archive;
INSERT INTO states._trigger_log_archive (id, created_at, state) SELECT n, public.hc_clock(:'c') - n * interval '1 day', 'SUCCESS' FROM generate_series(1, 40) n;
INSERT INTO states._trigger_log_archive (id, created_at, state) SELECT 1000 + n, public.hc_clock(:'c') - interval '90 days', 'FAILED' FROM generate_series(1, 1500) n;
SELECT hc_housekeeping(:'c', :e) AS kept;
SELECT hc_housekeeping(:'c', :e) AS kept;
SELECT max(id) FROM states._trigger_log_archive;
UPDATE public.hc_connection SET settings = settings || '{"profile": "demo"}' WHERE id = :'c';
SELECT hc_housekeeping(:'c', :e) AS kept;
SELECT max(id) FROM states._trigger_log_archive;
UPDATE public.hc_connection SET settings = settings || '{"archive_kept": "3 days"}' WHERE id = :'c';
SELECT hc_housekeeping(:'c', :e) AS kept;
SELECT max(id) FROM states._trigger_log_archive;
