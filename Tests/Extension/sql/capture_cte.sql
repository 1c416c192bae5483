-- Several writes in one statement: each is captured, and per record in the order in which the rows were changed.
SELECT regress_connection('cte') AS connection \gset
CREATE TABLE cte.t (name text UNIQUE, n int DEFAULT 0, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
CREATE TABLE cte.u (LIKE cte.t INCLUDING ALL);
SELECT regress_adopt(:'connection', 't') AS t \gset
SELECT regress_adopt(:'connection', 'u') AS u \gset
\set log 'SELECT table_name AS "table", state, action, record_id AS record, sfid, "values" FROM cte._trigger_log ORDER BY table_name, record_id, id; TRUNCATE cte._trigger_log;'
WITH a AS (INSERT INTO cte.t (name) VALUES ('a'), ('b') RETURNING *),
     b AS (INSERT INTO cte.u (name, n) SELECT name || ' too', id FROM a RETURNING *)
INSERT INTO cte.t (name, n) SELECT name || ' again', n FROM b;
:log
-- Inserts, updates and deletes of one table, of different rows.
WITH ins AS (INSERT INTO cte.t (name) VALUES ('c')),
     upd AS (UPDATE cte.t SET n = n + 1 WHERE name IN ('a', 'b') RETURNING id),
     del AS (DELETE FROM cte.t WHERE name LIKE '% again' RETURNING id)
UPDATE cte.u SET n = n + (SELECT count(*) FROM upd) + 10 * (SELECT count(*) FROM del);
:log
-- Of two changes of one row in one statement PostgreSQL makes only one, and only that one is captured.
WITH first AS (UPDATE cte.t SET n = 100 WHERE name = 'a' RETURNING id)
UPDATE cte.t SET n = 200 WHERE name = 'a';
SELECT count(*), min("values") IN ('"n"=>"100"', '"n"=>"200"') AS one_of_them,
       min("values")::hstore -> 'n' = (SELECT n::text FROM cte.t WHERE name = 'a') AS the_one_made FROM cte._trigger_log;
TRUNCATE cte._trigger_log;
WITH moved AS (DELETE FROM cte.t WHERE name = 'b' RETURNING name, n) INSERT INTO cte.u (name, n) SELECT * FROM moved;
:log
-- A function that writes the same table, called for each row of a statement that writes it.
CREATE FUNCTION cte.twin(of text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cte.t (name) VALUES ('twin of ' || of);
    UPDATE cte.t SET n = n + 1 WHERE name = 'twin of ' || of;
    RETURN of || ' with twin';
END $$;
INSERT INTO cte.t (name) SELECT cte.twin(x) FROM unnest(ARRAY['x', 'y']) x;
:log
UPDATE cte.t SET name = cte.twin('z') WHERE name = 'c';
:log

-- ON CONFLICT: nothing, the same row, a WHERE that leaves it alone, and a partial index.
INSERT INTO cte.u (name, n) VALUES ('a too', 5), ('new', 6) ON CONFLICT DO NOTHING RETURNING name;
INSERT INTO cte.u AS u (name, n) VALUES ('a too', 7), ('b too', 8) ON CONFLICT (name) DO UPDATE SET n = excluded.n WHERE u.name <> 'b too' RETURNING name, n;
INSERT INTO cte.u (name, n) VALUES ('new', 6) ON CONFLICT (name) DO UPDATE SET n = excluded.n;
INSERT INTO cte.u (name) VALUES ('twice'), ('twice') ON CONFLICT (name) DO UPDATE SET n = 1;
:log
CREATE UNIQUE INDEX ON cte.u (n) WHERE n > 1000;
INSERT INTO cte.u (name, n) VALUES ('big', 2000);
INSERT INTO cte.u (name, n) VALUES ('bigger', 2000) ON CONFLICT (n) WHERE n > 1000 DO UPDATE SET name = excluded.name;
:log
-- UPDATE and DELETE that read their own table, and a cursor.
UPDATE cte.u SET n = other.n FROM cte.u other WHERE other.name = 'bigger' AND cte.u.name = 'new' AND false;
UPDATE cte.u SET name = 'newer' FROM cte.u other WHERE other.name = 'bigger' AND cte.u.name = 'new';
DELETE FROM cte.u USING cte.t WHERE t.name = 'a' AND u.name = 'newer';
BEGIN;
DECLARE rows CURSOR FOR SELECT * FROM cte.u WHERE name = 'bigger' FOR UPDATE;
FETCH rows \gset found_
UPDATE cte.u SET n = 3000 WHERE CURRENT OF rows;
DELETE FROM cte.u WHERE CURRENT OF rows;
COMMIT;
:log
