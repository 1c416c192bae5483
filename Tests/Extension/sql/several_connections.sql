-- Two connections in one database: each table writes the log of its own schema.
\set SHOW_CONTEXT never
SELECT regress_connection('one') AS one \gset
SELECT regress_connection('Two "2"') AS two \gset
SELECT hc_mapping_create(:'one', 'Account', '{"access": "read_write", "fields": {"Name": {}}}', regress_account()) IS NOT NULL AS made;
SELECT hc_mapping_create(:'two', 'Account', '{"access": "read_only", "fields": {"Name": {}}}', regress_account()) IS NOT NULL AS made;
SELECT regress_connection('one');
BEGIN;
INSERT INTO one.account (name) VALUES ('1');
INSERT INTO "Two ""2""".account (name) VALUES ('2');
COMMIT;
SELECT state, "values" FROM one._trigger_log;
SELECT state, "values" FROM "Two ""2"""._trigger_log;
