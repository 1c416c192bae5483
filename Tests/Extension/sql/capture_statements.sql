-- Every way of writing rows is captured row by row; what is rolled back is not.
SELECT regress_connection('sta') AS connection \gset
CREATE TABLE sta.t (name varchar(20) UNIQUE, n int, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
SELECT regress_adopt(:'connection', 't') AS mapping \gset
\set log 'SELECT state, action, record_id, "values" FROM sta._trigger_log ORDER BY id; TRUNCATE sta._trigger_log;'
COPY sta.t (name, n) FROM stdin;
a	1
b	2
\.
:log
INSERT INTO sta.t (name, n) VALUES ('b', 20), ('c', 3) ON CONFLICT (name) DO UPDATE SET n = excluded.n;
:log
INSERT INTO sta.t (name, n) VALUES ('c', 30) ON CONFLICT DO NOTHING;
:log
MERGE INTO sta.t USING (VALUES ('a', 10), ('b', 0), ('d', 4)) AS s(name, n) ON t.name = s.name
 WHEN MATCHED AND s.n = 0 THEN DELETE
 WHEN MATCHED THEN UPDATE SET n = s.n
 WHEN NOT MATCHED THEN INSERT (name, n) VALUES (s.name, s.n);
:log
WITH gone AS (DELETE FROM sta.t WHERE name = 'd' RETURNING n) INSERT INTO sta.t (name, n) SELECT 'e', n FROM gone;
SELECT action, record_id FROM sta._trigger_log ORDER BY action; TRUNCATE sta._trigger_log;
BEGIN;
UPDATE sta.t SET n = n + 1 WHERE name = 'a';
SAVEPOINT s;
UPDATE sta.t SET n = n + 100 WHERE name = 'a';
ROLLBACK TO s;
DO $$ BEGIN
    INSERT INTO sta.t (name) VALUES ('never');
    RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN NULL;
END $$;
UPDATE sta.t SET n = n + 10 WHERE name = 'a';
COMMIT;
:log
BEGIN;
DELETE FROM sta.t;
ROLLBACK;
:log
:log
-- The guard is looked at for each row: here a part of the transaction is ours.
BEGIN;
INSERT INTO sta.t (name) VALUES ('user');
SET LOCAL xmlbinary = hex;
INSERT INTO sta.t (name) VALUES ('ours');
SET LOCAL xmlbinary = base64;
INSERT INTO sta.t (name) VALUES ('user again');
COMMIT;
SELECT name, _hc_lastop FROM sta.t ORDER BY id;
:log
