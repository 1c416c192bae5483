-- Entries that are made while their statement still runs, without a call of the log trigger: when that happens, that nobody can tell,
-- and that whatever could tell goes the trigger's way.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT regress_connection('ear') AS connection \gset
CREATE TABLE ear.t (name text, n int, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
CREATE TABLE ear.u (name text, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
SELECT regress_adopt(:'connection', 't') AS t, regress_adopt(:'connection', 'u') AS u \gset
SET search_path = ear, public;
SET track_functions = 'all';
CREATE FUNCTION calls_since() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := coalesce(nullif(current_setting('regress.calls', true), ''), '0');
    now bigint := coalesce(pg_stat_get_function_calls('hc_capture()'::regprocedure), 0);
BEGIN
    PERFORM set_config('regress.calls', now::text, false);
    RETURN now - before;
END $$;
\set calls 'SELECT count(*) AS entries FROM _trigger_log, pg_stat_force_next_flush(); ROLLBACK; SELECT calls_since();'
\set writes 'BEGIN; INSERT INTO t (name, n) VALUES (''a'', 1), (''b'', 2); UPDATE t SET n = n + 1; DELETE FROM t WHERE name = ''b'';'
\set log 'SELECT row_number() OVER (ORDER BY id) AS entry, table_name AS "table", action, state, record_id AS record, old, "values" FROM _trigger_log ORDER BY id; TRUNCATE _trigger_log;'

-- The library is loaded by the first write, which it does not see the beginning of.
:writes :calls
:writes :calls
-- Not while another trigger fires after a row, also one of a foreign key; a disabled one, or one of the statement, is none.
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM count(*) FROM _trigger_log; RETURN NULL; END $$;
CREATE TRIGGER z_look AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION look();
:writes :calls
ALTER TABLE t DISABLE TRIGGER z_look;
:writes :calls
DROP TRIGGER z_look ON t;
CREATE TRIGGER z_look AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION look();
:writes :calls
DROP TRIGGER z_look ON t;
CREATE TABLE of_t (t int REFERENCES t);
:writes :calls
DROP TABLE of_t;
-- Not for COPY, nor where a trigger of the log may look, nor when EXPLAIN shows what triggers cost.
BEGIN;
COPY t (name) FROM stdin;
copied
\.
:calls
CREATE TRIGGER z_look AFTER INSERT ON _trigger_log FOR EACH ROW EXECUTE FUNCTION look();
:writes :calls
DROP TRIGGER z_look ON _trigger_log;
CREATE FUNCTION explained(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) ' || statement LOOP
        IF line ~ '^Trigger' THEN
            RETURN NEXT line;
        END IF;
    END LOOP;
END $$;
BEGIN;
SELECT explained('INSERT INTO t (name) VALUES (''explained'')');
:calls
-- A value that the log cannot hold gets the error of an INSERT.
ALTER TABLE t ALTER sfid TYPE text;
BEGIN;
INSERT INTO t (name, sfid) VALUES ('a', repeat('x', 19));
UPDATE t SET n = 1;
ROLLBACK;
ALTER TABLE t ALTER sfid TYPE varchar(18);

-- Nor when the guard is another, or another's.
BEGIN;
ALTER FUNCTION public.get_xmlbinary() RENAME TO former_guard;
CREATE FUNCTION public.get_xmlbinary() RETURNS character varying LANGUAGE sql AS $$ SELECT 'hex'::varchar $$;
INSERT INTO t (name) VALUES ('the trigger asks the former guard, the status the new one');
SELECT _hc_lastop FROM t;
:calls
BEGIN;
CREATE OR REPLACE FUNCTION public.get_xmlbinary() RETURNS character varying LANGUAGE sql AS $$ SELECT 'heroku-connect'::varchar $$;
INSERT INTO t (name) VALUES ('a');
:calls
-- The trigger decides: disabled, for a column, on a replica.
BEGIN;
ALTER TABLE t DISABLE TRIGGER hc_t_logtrigger;
INSERT INTO t (name) VALUES ('a');
:calls
BEGIN;
CREATE OR REPLACE TRIGGER hc_t_logtrigger AFTER UPDATE OF name ON t FOR EACH ROW WHEN ((public.get_xmlbinary())::text = 'base64'::text) EXECUTE FUNCTION hc_capture('NEW');
INSERT INTO t (name) VALUES ('a');
UPDATE t SET n = 1;
UPDATE t SET name = 'b';
:calls
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO t (name) VALUES ('a');
:calls

-- What runs before the end of the statement sees no entry of it, but those of statements within; ids have the order of the writes.
CREATE TABLE seen (what text, entries bigint);
CREATE FUNCTION before_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO u (name) VALUES ('for ' || NEW.name);
    INSERT INTO seen SELECT 'before ' || NEW.name, count(*) FROM _trigger_log;
    BEGIN
        INSERT INTO u (name) VALUES ('in vain');
        RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN
        INSERT INTO seen SELECT 'after the error', count(*) FROM _trigger_log;
    END;
    -- Each row is a user's or ours as it was when it was written.
    PERFORM set_config('xmlbinary', CASE WHEN NEW.n % 2 = 0 THEN 'hex' ELSE 'base64' END, true);
    RETURN NEW;
END $$;
CREATE TRIGGER a_before BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION before_row();
BEGIN;
INSERT INTO t (name, n) VALUES ('a', 1), ('b', 3), ('c', 4);
SELECT * FROM seen;
COMMIT;
:log
DROP TRIGGER a_before ON t;
TRUNCATE seen;

-- A function in a statement that writes the same row, and fails in a block of its own.
CREATE FUNCTION again(t) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        INSERT INTO u (name) VALUES ('lost with ' || $1.name);
        RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN
        INSERT INTO u (name) VALUES ('kept with ' || $1.name);
    END;
    RETURN $1.n + 10;
END $$;
UPDATE t SET n = again(t) RETURNING name, n;
:log
-- A statement that fails at its last row leaves nothing, whatever its savepoint does next.
BEGIN;
SAVEPOINT s;
INSERT INTO t (name, n) SELECT 'x', 10 / (3 - i) FROM generate_series(1, 3) i;
ROLLBACK TO s;
INSERT INTO t (name, n) VALUES ('y', 1);
SAVEPOINT s;
INSERT INTO t (name, n) VALUES ('z', 1);
ROLLBACK TO s;
COMMIT;
:log
-- More rows than wait at a time, with an entry of another table after each.
CREATE FUNCTION one_more(int) RETURNS int LANGUAGE sql AS $$ INSERT INTO u (name) VALUES ($1) RETURNING $1 $$;
INSERT INTO t (name, n) SELECT 'many', one_more(i) FROM generate_series(1, 1500) i;
SELECT table_name, count(*), count(DISTINCT record_id), bool_and(lag IS NULL OR lag <> table_name) AS alternating
  FROM (SELECT *, lag(table_name) OVER (ORDER BY id) FROM _trigger_log) l GROUP BY 1 ORDER BY 1;
TRUNCATE _trigger_log;
-- ON CONFLICT, a row without effect, a deletion without sfid, values that are kept outside the row, a key of another row.
INSERT INTO t (id, name) VALUES (9001, 'first'), (9001, 'first') ON CONFLICT DO NOTHING;
INSERT INTO t (id, name) VALUES (9001, 'second'), (9002, repeat('long ', 4)) ON CONFLICT (id) DO UPDATE SET name = excluded.name;
UPDATE t SET name = name WHERE id = 9001;
UPDATE t SET id = 9003 WHERE id = 9002;
DELETE FROM t WHERE id = 9003;
:log
ALTER TABLE t ALTER name SET STORAGE EXTERNAL;
INSERT INTO t (id, name) VALUES (9004, repeat('x', 10000));
UPDATE t SET n = 1 WHERE id = 9004;
SELECT action, length(old), length("values") FROM _trigger_log ORDER BY id;
TRUNCATE _trigger_log;

RESET search_path;
DELETE FROM hc_connection WHERE id = :'connection';
DROP SCHEMA ear CASCADE;
