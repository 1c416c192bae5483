-- hc_capture_insert_from_row and hc_capture_update_from_row: a row captured again by the application.
\set SHOW_CONTEXT never
SELECT regress_connection('rowf') AS connection \gset
\set log 'SELECT state, action, table_name, record_id, sfid, old, "values", updated_at IS NOT NULL AS updated, created_at > now() - interval ''1 minute'' AS recent FROM rowf._trigger_log ORDER BY id; TRUNCATE rowf._trigger_log;'
SELECT rowf.hc_capture_insert_from_row('id=>7,sfid=>x,a=>1,b=>NULL,_hc_err=>e', 't') > 0 AS captured;
:log
SELECT rowf.hc_capture_insert_from_row('id=>7,sfid=>x,a=>1,b=>NULL,_hc_err=>e', 't', ARRAY['id', 'sfid', 'a', 'b']) > 0 AS captured;
:log
SELECT rowf.hc_capture_insert_from_row('a=>1', 't') IS NULL AS nothing;
SELECT rowf.hc_capture_insert_from_row('id=>NULL,a=>1', 't') IS NULL AS nothing;
SELECT rowf.hc_capture_insert_from_row('id=>7,a=>1', 't', NULL) > 0 AS captured;
:log
SELECT rowf.hc_capture_insert_from_row('id=>seven', 't');
SELECT rowf.hc_capture_update_from_row('id=>7,sfid=>x,a=>1,b=>2', 't') > 0 AS captured;
:log
SELECT rowf.hc_capture_update_from_row('id=>7,sfid=>x,a=>1,b=>2', 't', ARRAY['b', 'zz']) > 0 AS captured;
:log
SELECT rowf.hc_capture_update_from_row('id=>7,sfid=>x,a=>1,b=>2,_hc_lastop=>P', 't', NULL) > 0 AS captured;
:log
SELECT rowf.hc_capture_update_from_row('id=>7,sfid=>x,a=>1,_hc_err=>e', 't', ARRAY['_hc_err']) > 0 AS captured;
:log
SELECT rowf.hc_capture_update_from_row('a=>1', 't') IS NULL AS nothing;
-- The answer is the id of the entry; a whole row goes in as hstore; positional and text arguments bind.
SELECT rowf.hc_capture_update_from_row(hstore(r.*), 'contact', ARRAY['accountid']) = (SELECT last_value FROM rowf._trigger_log_id_seq) AS its_id
  FROM (SELECT 7 AS id, '001'::text AS accountid, 'n' AS name) r;
:log
SELECT rowf.hc_capture_insert_from_row(hstore(r.*), 'contact', ARRAY['accountid']::text[]) > 0 AS captured FROM (SELECT 7 AS id, '001'::text AS accountid, 'n' AS name) r;
:log
-- They work where neither public nor the schema is on the path.
SET search_path = pg_catalog;
SELECT rowf.hc_capture_insert_from_row('id=>7,a=>1', 't', ARRAY['a']) > 0 AS captured;
SELECT rowf.hc_capture_update_from_row('id=>7,a=>1', 't', ARRAY['a']) > 0 AS captured;
RESET search_path;
:log
