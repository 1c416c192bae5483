-- A first load fills a private table; one step gives it its name, its triggers and its grants.
\set SHOW_CONTEXT never
CREATE ROLE regress_reader ROLE CURRENT_USER;
SELECT regress_connection('priv') AS connection \gset
SELECT hc_mapping_register(:'connection', 'Account', '{"access": "read_write", "fields": {"Name": {}}, "indexes": {"Name": {"unique": false}}}', regress_account()) AS mapping \gset
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO regress_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA priv GRANT INSERT ON TABLES TO regress_reader;
SELECT hc_mapping_table_create(:'mapping', 'public', 'hc_load_1', true);
SELECT has_table_privilege('regress_reader', 'public.hc_load_1', 'SELECT, INSERT') AS others_see_it;
INSERT INTO public.hc_load_1 (sfid, name, _hc_lastop) VALUES ('001000000000001AAA', 'loaded', 'SYNCED');
SELECT hc_mapping_indexes_create(:'mapping', 'public', 'hc_load_1');
SELECT hc_mapping_adopt_private_table(:'mapping', 'hc_load_1');
SELECT to_regclass('public.hc_load_1') IS NULL AS moved, count(*) FROM priv.account;
SELECT indexname FROM pg_indexes WHERE schemaname = 'priv' AND tablename = 'account' ORDER BY 1;
SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'priv.account'::regclass;
SELECT pg_get_serial_sequence('priv.account', 'id');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'priv.account'::regclass ORDER BY 1;
-- Its rows are the first ones; this is no table made anew.
SELECT reason, since, table_oid = 'priv.account'::regclass AS this_table FROM hc_generation WHERE mapping = :'mapping';
SELECT has_table_privilege('regress_reader', 'priv.account', 'SELECT') AS by_default,
       has_table_privilege('regress_reader', 'priv.account', 'INSERT') AS by_default_in_schema,
       has_table_privilege('regress_reader', 'priv.account', 'UPDATE') AS never_granted;
INSERT INTO priv.account (name) VALUES ('written') RETURNING id, _hc_lastop;
SELECT state, action, record_id FROM priv._trigger_log;
ALTER DEFAULT PRIVILEGES IN SCHEMA priv REVOKE INSERT ON TABLES FROM regress_reader;
ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM regress_reader;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;
