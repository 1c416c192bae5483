-- Every sequence is watched: what is used of the numbers that sequence, column and the log's record_id can hold.
SELECT regress_tools.connect('seqs', false);
SELECT connection AS c, mapping AS m, epoch AS e FROM regress_tools.ids WHERE name = 'seqs' \gset
SELECT sequence_name, type, last_value, level, mapping IS NOT NULL AS mapped FROM hc_sequences(:'c') ORDER BY 1;
SELECT count(*) > 4 AS ours_too FROM hc_sequences() WHERE schema_name = 'public' AND type = 'bigint' AND sequence_name <> 'hc_quiet_seqs';
\set watch 'SELECT sequence_name, type, floor(used * 100) AS percent, level FROM hc_sequences(:''c'') WHERE level IS NOT NULL ORDER BY 1;'
SELECT setval('seqs._trigger_log_id_seq', 1100000000), setval('seqs.account_id_seq', 1080000000);
:watch
-- A notification at 80%, one for each state of affairs.
SELECT setval('seqs.account_id_seq', 1800000000);
:watch
SELECT hc_housekeeping(:'c', :e) -> 'more' AS more;
SELECT hc_clock_advance(:'c', '2 minutes') > now() AS moved;
SELECT hc_housekeeping(:'c', :e) -> 'more' AS more;
SELECT level, replace(message, :'c', 'CONNECTION') AS message, times FROM public.hc_notification WHERE connection = :'c' AND event_type = 'sequence';
SELECT hc_status(:'c') -> 'sequences' AS sequences;
-- A sequence of bigint is no wider than its column, and a column no wider than the log's record_id.
ALTER SEQUENCE seqs.account_id_seq AS bigint;
:watch
ALTER TABLE seqs.account ALTER COLUMN id TYPE bigint;
:watch
ALTER TABLE seqs._trigger_log ALTER COLUMN record_id TYPE bigint;
:watch
