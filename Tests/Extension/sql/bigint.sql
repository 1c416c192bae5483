-- bigint ids for a connection in use: log, archive, event log, capture functions, mapped tables and their sequences.
\set SHOW_CONTEXT never
SELECT regress_tools.connect('big', false);
SELECT connection AS c, mapping AS m, epoch AS e FROM regress_tools.ids WHERE name = 'big' \gset
\set types 'SELECT attrelid::regclass AS "table", attname, format_type(atttypid, NULL) AS type FROM pg_attribute WHERE attrelid IN (''big.account''::regclass, ''big._trigger_log''::regclass, ''big._trigger_log_archive''::regclass, ''big._sf_event_log''::regclass) AND attname IN (''id'', ''record_id'') ORDER BY 1, 2;'
\set sequences 'SELECT sequence_name, type, last_value FROM hc_sequences(''' :c ''') WHERE sequence_name <> ''_hcmeta_id_seq'' ORDER BY 1;'
INSERT INTO big.account (name) SELECT 'n ' || n FROM generate_series(1, 2500) n;
CREATE TABLE big.mine (account integer REFERENCES big.account);
SELECT regress_tools.send('big', VARIADIC ARRAY(SELECT '001xx0000' || lpad(n::text, 6, '0') || 'AAG' FROM generate_series(1, 200) n)) -> 0 AS sent;
:types
-- what depends on an id is listed, never dropped
CALL hc_bigint(:'c');
DROP TABLE big.mine;
SET client_min_messages = warning;
CALL hc_bigint(:'c');
RESET client_min_messages;
INSERT INTO big.account (name) VALUES ('meanwhile');
SELECT statement || ';' FROM hc_mapping_pending(:'m') WHERE step = 'build index' \gexec
CALL hc_bigint(:'c');
:types
:sequences
SELECT proname, prorettype::regtype FROM pg_proc WHERE pronamespace = 'big'::regnamespace AND proname LIKE 'hc_capture%' ORDER BY 1;
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'big.account'::regclass AND contype <> 'n';
SELECT count(*), min(id), max(id) FROM big.account;
-- and everything goes on above 32 bits
SELECT setval('big.account_id_seq', 5000000000), setval('big._trigger_log_id_seq', 6000000000);
INSERT INTO big.account (name) VALUES ('big');
UPDATE big._trigger_log SET state = 'IGNORED' WHERE id < 6000000000;
SELECT hc_clock_advance(:'c', '2 minutes') > now() AS moved;
SELECT regress_tools.send('big', '001xx000003DGb1AAG') -> 1 AS sent;
SELECT id, sfid, _hc_lastop FROM big.account WHERE name = 'big';
SELECT id, state, record_id FROM big._trigger_log_archive ORDER BY id DESC LIMIT 1;
SELECT big.hc_capture_update_from_row(public.hstore(a.*), 'account', ARRAY['name']) FROM big.account a WHERE name = 'big';
SELECT big.hc_capture_insert_from_row(public.hstore(a.*), 'account') FROM big.account a WHERE name = 'big';
UPDATE big._trigger_log SET state = 'REQUEUE' WHERE id = 6000000002;
SELECT hc_housekeeping(:'c', :e) -> 'requeued' AS requeued;
SELECT regress_tools.arrive('big', '001xx000003DGb9AAG', 'e9'), regress_tools.arrive('big', '001xx000003DGb1AAG', 'e1');
SELECT hc_merge(:'c', :e, :'m') - 'more' AS merged;
SELECT id FROM big.account WHERE sfid = '001xx000003DGb9AAG';
SELECT regress_tools.send('big', '001xx000003DGb1AAG') -> 1 -> 0 -> 'record_id' AS sent;
DELETE FROM big.account WHERE name = 'big';
SELECT regress_tools.send('big', '001xx000003DGb1AAG') -> 0 AS sent;
-- nothing is left, and a new mapping of the connection has bigint ids at once
CALL hc_bigint(:'c');
SELECT hc_mapping_create(:'c', 'Other', '{"fields": {}}', regress_describe('Other', '[]')) IS NOT NULL AS made;
SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'big.other'::regclass AND attname = 'id';
