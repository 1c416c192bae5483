-- Indexes that the log's owner adds have an entry for each row, whatever they compute and whenever they come and go.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT regress_connection('ind') AS connection \gset
CREATE TABLE ind.t (name text, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
SELECT regress_adopt(:'connection', 't') AS t \gset
SET search_path = ind, public;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
-- Three statements of one row, and one of many.
\set write 'INSERT INTO t (name) VALUES (''one''); UPDATE t SET name = ''two'' WHERE id = (SELECT max(id) FROM t); DELETE FROM t WHERE id = (SELECT max(id) FROM t); INSERT INTO t (name) SELECT ''many'' FROM generate_series(1, 70);'
:write
SELECT count(*) FROM _trigger_log;

-- What a function in a condition or an expression says is what it says when the entry is made.
CREATE FUNCTION is_wanted(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN $1 = 'UPDATE'; END $$;
CREATE FUNCTION short(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN left($1, 1); END $$;
CREATE INDEX wanted ON _trigger_log (record_id) WHERE is_wanted(action);
CREATE INDEX short ON _trigger_log (short(action));
:write
SELECT count(*) FROM _trigger_log WHERE is_wanted(action) AND record_id > 0;
SELECT count(*) FROM _trigger_log WHERE short(action) = 'D';
CREATE OR REPLACE FUNCTION is_wanted(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN $1 = 'INSERT'; END $$;
CREATE OR REPLACE FUNCTION short(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN 'x' || left($1, 1); END $$;
:write
-- In the index are 2 UPDATEs of before, which nobody told it about, and 71 INSERTs.
SELECT count(*) FROM _trigger_log WHERE is_wanted(action) AND record_id > 0;
SELECT count(*) FROM _trigger_log WHERE short(action) = 'xI';
DROP INDEX wanted, short;
-- A condition of the server's functions alone, of which the second is made between two writes.
CREATE INDEX long ON _trigger_log (record_id) WHERE length("values") > 40;
:write
CREATE INDEX action ON _trigger_log (lower(action), id) WHERE action = 'DELETE';
:write
SELECT count(*) FROM _trigger_log WHERE lower(action) = 'delete' AND action = 'DELETE';
SELECT count(*) FROM _trigger_log WHERE length("values") > 40 AND record_id > 0;
SELECT count(*) FROM (SELECT FROM _trigger_log WHERE length("values") > 40 OFFSET 0) l;
-- Other kinds of index; hash keeps nothing, GIN and BRIN do.
CREATE INDEX gin ON _trigger_log USING gin (to_tsvector('simple', "values"));
CREATE INDEX brin ON _trigger_log USING brin (record_id) WITH (pages_per_range = 1);
CREATE INDEX hash ON _trigger_log USING hash (record_id);
:write
:write
SET enable_bitmapscan = on;
SELECT count(*) FROM _trigger_log WHERE to_tsvector('simple', "values") @@ 'two';
RESET enable_bitmapscan;
DROP INDEX gin, brin, hash, action, long;

-- A key that is violated fails the statement, and what comes after it goes on; an index that is rolled back is gone.
TRUNCATE _trigger_log;
CREATE UNIQUE INDEX once ON _trigger_log ("values") WHERE action = 'UPDATE' AND id > 0;
UPDATE t SET name = 'a' WHERE id = (SELECT min(id) FROM t);
UPDATE t SET name = 'a' WHERE id = (SELECT max(id) FROM t);
BEGIN;
SAVEPOINT s;
UPDATE t SET name = 'a';
ROLLBACK TO s;
UPDATE t SET name = 'b' WHERE id = (SELECT max(id) FROM t);
COMMIT;
UPDATE t SET name = 'c' WHERE id = (SELECT max(id) FROM t);
BEGIN;
DROP INDEX once;
CREATE INDEX passing ON _trigger_log (sfid);
UPDATE t SET name = 'c' WHERE id = (SELECT min(id) FROM t);
ROLLBACK;
UPDATE t SET name = 'c' WHERE id = (SELECT min(id) FROM t);
UPDATE t SET name = 'd' WHERE id = (SELECT min(id) FROM t);
SELECT "values" FROM _trigger_log WHERE id > 0 ORDER BY id;
SELECT count(*) FROM _trigger_log WHERE action = 'UPDATE' AND id > 0 AND "values" >= '';

RESET search_path;
DELETE FROM hc_connection WHERE id = :'connection';
DROP SCHEMA ind CASCADE;
