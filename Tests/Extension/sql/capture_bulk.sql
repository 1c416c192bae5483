-- Entries that are collected and written together are those that an INSERT for each row would have written: each case runs in two
-- schemas, with the setting on and off, and what is in the two logs, and what triggers saw of them in between, must be equal.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE FUNCTION public.regress_bulk(schema name) RETURNS void LANGUAGE plpgsql AS $regress$
DECLARE
    connection uuid := public.regress_connection(schema);
BEGIN
    PERFORM set_config('search_path', schema || ', public', true);
    CREATE TABLE t (name text, n int, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
    CREATE TABLE u (name text, n int, t int REFERENCES t ON UPDATE CASCADE ON DELETE CASCADE, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
    CREATE TABLE seen (what text, entries bigint, newest text);
    PERFORM public.regress_adopt(connection, 't');
    PERFORM public.regress_adopt(connection, 'u');
    -- What an application's trigger may do: look into the log, also in a block of its own, which it may leave with an error.
    CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO seen SELECT 'look ' || TG_OP, count(*), (SELECT action || record_id FROM _trigger_log ORDER BY id DESC LIMIT 1) FROM _trigger_log;
        IF coalesce(NEW.n, OLD.n) % 2 = 0 THEN
            BEGIN
                INSERT INTO t (name) VALUES ('in a block');
                INSERT INTO seen SELECT 'in the block', count(*) FROM _trigger_log;
                IF coalesce(NEW.n, OLD.n) % 4 = 0 THEN
                    RAISE division_by_zero;
                END IF;
            EXCEPTION WHEN division_by_zero THEN
                INSERT INTO seen SELECT 'after the error', count(*) FROM _trigger_log;
            END;
        END IF;
        RETURN NULL;
    END $$;
END $regress$;
SELECT regress_bulk('fas'), regress_bulk('slo');
CREATE FUNCTION regress_compare() RETURNS TABLE (entries bigint, same_log boolean, looks bigint, same_sight boolean) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE (SELECT format('SELECT f.c, f.m IS NOT DISTINCT FROM s.m, f.d, f.e IS NOT DISTINCT FROM s.e FROM %s, %s', pg_catalog.replace(q, '%s', 'fas') || ' f', pg_catalog.replace(q, '%s', 'slo') || ' s')
        FROM (VALUES ('(SELECT * FROM (SELECT count(*) AS c, md5(string_agg(concat_ws(''|'', id - (SELECT min(id) FROM %s._trigger_log), action, state, table_name, record_id, sfid, coalesce(old, ''null''), coalesce("values", ''null''), processed_tx, updated_at, sf_result), ''/'' ORDER BY id)) AS m FROM %s._trigger_log) a, (SELECT count(*) AS d, md5(string_agg(concat_ws(''|'', what, entries, newest), ''/'' ORDER BY ctid)) AS e FROM %s.seen) b)')) v(q));
    -- Ids are taken when the rows change; sequences run alike in both.
    SET LOCAL xmlbinary = hex;
    EXECUTE 'TRUNCATE fas.t, fas.u, slo.t, slo.u RESTART IDENTITY; TRUNCATE fas.seen, slo.seen; TRUNCATE fas._trigger_log, slo._trigger_log RESTART IDENTITY';
END $$;
\set fast 'SET search_path = fas, public; SET hc_sync.bulk_capture = on;'
\set slow 'SET search_path = slo, public; SET hc_sync.bulk_capture = off;'
\set compare 'SELECT * FROM regress_compare();'

-- More rows than are collected at once, with values of more than the room of the buffer.
\set case 'INSERT INTO t (name, n) SELECT md5(i::text), i FROM generate_series(1, 1100) i; UPDATE t SET n = n + 1 WHERE id % 3 = 0; UPDATE t SET n = n; DELETE FROM t WHERE id > 10; UPDATE t SET name = repeat(name, 10000); DELETE FROM t; COPY t (n) FROM PROGRAM ''seq 1 1001'';'
:fast :case :slow :case :compare
-- A trigger that looks between the rows of a statement, of a table of its own and of one whose entries come between.
CREATE TRIGGER z_look AFTER INSERT OR UPDATE OR DELETE ON fas.u FOR EACH ROW EXECUTE FUNCTION fas.look();
CREATE TRIGGER z_look AFTER INSERT OR UPDATE OR DELETE ON slo.u FOR EACH ROW EXECUTE FUNCTION slo.look();
\set case 'INSERT INTO t (name, n) SELECT i, i FROM generate_series(1, 9) i; INSERT INTO u (t, n) SELECT i, i FROM generate_series(1, 9) i; WITH a AS (UPDATE t SET n = n + 1 RETURNING id) UPDATE u SET n = u.n + 1 FROM a WHERE u.t = a.id; UPDATE t SET id = id + 100; DELETE FROM t WHERE id < 105; DELETE FROM t WHERE id = 105;'
:fast :case :slow :case
SELECT * FROM fas.seen LIMIT 8;
:compare
-- The same in one statement that begins with the table nobody watches.
\set case 'WITH a AS (INSERT INTO t (id, name) SELECT i, i FROM generate_series(100, 109) i RETURNING id) INSERT INTO u (n) SELECT id FROM a; UPDATE u SET n = n + 1;'
:fast :case :slow :case :compare
-- Statement triggers, deferred ones, and an error in the middle of a statement, in a block and in a savepoint.
DROP TRIGGER z_look ON fas.u;
DROP TRIGGER z_look ON slo.u;
CREATE TRIGGER z_look AFTER INSERT ON fas.t FOR EACH STATEMENT EXECUTE FUNCTION fas.look();
CREATE TRIGGER z_look AFTER INSERT ON slo.t FOR EACH STATEMENT EXECUTE FUNCTION slo.look();
CREATE CONSTRAINT TRIGGER z_late AFTER UPDATE ON fas.t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.n < 20) EXECUTE FUNCTION fas.look();
CREATE CONSTRAINT TRIGGER z_late AFTER UPDATE ON slo.t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.n < 20) EXECUTE FUNCTION slo.look();
\set case 'INSERT INTO t (n) SELECT i FROM generate_series(1, 5) i; BEGIN; UPDATE t SET n = n + 10; SAVEPOINT a; INSERT INTO t (n) VALUES (30); UPDATE t SET n = n + 1; UPDATE t SET n = 1 / (id - 3); ROLLBACK TO a; UPDATE t SET n = n + 2; SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; UPDATE t SET n = n + 1; COMMIT;'
:fast :case :slow :case :compare
-- Cursors, functions that write and look within a statement, a prepared transaction.
CREATE FUNCTION fas.write_and_look(i int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
    FOR r IN INSERT INTO t (n) SELECT x FROM generate_series(1, i) x RETURNING id LOOP
        UPDATE t SET n = r.id WHERE id = r.id;
    END LOOP;
    RETURN (SELECT count(*) FROM _trigger_log);
END $$;
\set case 'INSERT INTO seen SELECT ''function'', public.write_and_look(i) FROM generate_series(1, 3) i; INSERT INTO t (n) SELECT public.write_and_look(2) FROM generate_series(1, 3); BEGIN; DECLARE c CURSOR FOR SELECT * FROM t FOR UPDATE; MOVE 3 IN c; UPDATE t SET n = -1 WHERE CURRENT OF c; DELETE FROM t WHERE CURRENT OF c; MOVE 1 IN c; DELETE FROM t WHERE CURRENT OF c; PREPARE TRANSACTION ''regress_bulk''; COMMIT PREPARED ''regress_bulk'';'
ALTER FUNCTION fas.write_and_look SET SCHEMA public;
:fast :case :slow :case :compare

-- Logs that are not plain are written as ever, and what makes them so is honoured.
CREATE TABLE public.regress_mirror (entry int, action text, during text);
CREATE FUNCTION public.regress_mirror() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.regress_mirror VALUES (NEW.id, NEW.action, TG_ARGV[0]);
    RETURN NEW;
END $$;
\set case 'INSERT INTO t (n) VALUES (1), (2); UPDATE t SET n = n + 1; DELETE FROM t WHERE id = 1;'
CREATE TRIGGER mirror AFTER INSERT ON fas._trigger_log FOR EACH ROW EXECUTE FUNCTION regress_mirror('fast');
CREATE TRIGGER mirror AFTER INSERT ON slo._trigger_log FOR EACH ROW EXECUTE FUNCTION regress_mirror('slow');
:fast :case :slow :case :compare
SELECT during, count(*), string_agg(action, ' ' ORDER BY entry) FROM regress_mirror GROUP BY 1 ORDER BY 1;
TRUNCATE regress_mirror;
-- Of a trigger that a role of the session enables, too.
ALTER TABLE fas._trigger_log ENABLE REPLICA TRIGGER mirror;
ALTER TABLE slo._trigger_log ENABLE REPLICA TRIGGER mirror;
:fast :case :slow :case :compare
SELECT count(*) FROM regress_mirror;
ALTER TABLE fas._trigger_log DISABLE TRIGGER mirror;
ALTER TABLE slo._trigger_log DISABLE TRIGGER mirror;
:fast :case :slow :case :compare
SELECT count(*) FROM regress_mirror;
DROP TRIGGER mirror ON fas._trigger_log;
DROP TRIGGER mirror ON slo._trigger_log;
ALTER TABLE fas._trigger_log ADD COLUMN note text, ADD COLUMN seen_by text DEFAULT 'nobody', ADD COLUMN twice int GENERATED ALWAYS AS (record_id * 2) STORED;
ALTER TABLE slo._trigger_log ADD COLUMN note text, ADD COLUMN seen_by text DEFAULT 'nobody', ADD COLUMN twice int GENERATED ALWAYS AS (record_id * 2) STORED;
:fast :case
SELECT DISTINCT note, seen_by, twice = 2 * record_id AS doubled FROM fas._trigger_log;
:slow :case :compare
ALTER TABLE fas._trigger_log DROP COLUMN seen_by, DROP COLUMN twice;
ALTER TABLE slo._trigger_log DROP COLUMN seen_by, DROP COLUMN twice;
:fast :case :slow :case :compare
-- Checks, keys that are checked later, rules and policies.
ALTER TABLE fas._trigger_log ADD CONSTRAINT few CHECK (record_id < 3);
ALTER TABLE slo._trigger_log ADD CONSTRAINT few CHECK (record_id < 3);
:fast :case :slow :case :compare
ALTER TABLE fas._trigger_log DROP CONSTRAINT few, ADD CONSTRAINT once UNIQUE (txid, action, record_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE slo._trigger_log DROP CONSTRAINT few, ADD CONSTRAINT once UNIQUE (txid, action, record_id) DEFERRABLE INITIALLY DEFERRED;
\set more 'BEGIN; UPDATE t SET n = 7; UPDATE t SET n = 8; SELECT count(*) FROM _trigger_log; COMMIT;'
:fast :case :more :slow :case :more :compare
ALTER TABLE fas._trigger_log DROP CONSTRAINT once;
ALTER TABLE slo._trigger_log DROP CONSTRAINT once;
CREATE RULE two AS ON INSERT TO fas._trigger_log DO ALSO INSERT INTO public.regress_mirror VALUES (NEW.id, NEW.action, 'rule');
:fast :case
SELECT count(*) FROM regress_mirror;
DROP RULE two ON fas._trigger_log;
SELECT * FROM regress_compare() \g /dev/null
-- Ids beyond integer, a value that is too long, and a log that a trigger changes in the middle of a statement.
SELECT setval('fas._trigger_log_id_seq', 2147483646), setval('slo._trigger_log_id_seq', 2147483646), setval('fas._trigger_log_id_seq', 2147483646);
ALTER SEQUENCE fas._trigger_log_id_seq AS bigint;
ALTER SEQUENCE slo._trigger_log_id_seq AS bigint;
:fast :case :slow :case :compare
ALTER TABLE fas.t ALTER sfid TYPE text;
ALTER TABLE slo.t ALTER sfid TYPE text;
\set more 'INSERT INTO t (n, sfid) VALUES (5, ''00100000000000äAAA''), (6, ''a text of more than 18 characters''); UPDATE t SET n = 0 WHERE n = 5; UPDATE t SET n = 0;'
:fast :case :more :slow :case :more :compare
CREATE FUNCTION fas.change_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I._trigger_log ADD COLUMN IF NOT EXISTS extra text DEFAULT ''there''', TG_TABLE_SCHEMA);
    RETURN NULL;
END $$;
CREATE TRIGGER z_change AFTER INSERT ON fas.t FOR EACH ROW WHEN (NEW.n = 2) EXECUTE FUNCTION fas.change_log();
CREATE TRIGGER z_change AFTER INSERT ON slo.t FOR EACH ROW WHEN (NEW.n = 2) EXECUTE FUNCTION fas.change_log();
\set case 'INSERT INTO t (n) SELECT i FROM generate_series(1, 5) i;'
:fast :case
SELECT record_id, extra FROM fas._trigger_log ORDER BY id;
:slow :case :compare
RESET hc_sync.bulk_capture;
RESET search_path;
DELETE FROM hc_connection WHERE schema_name IN ('fas', 'slo');
DROP SCHEMA fas, slo CASCADE;
DROP FUNCTION regress_bulk, regress_compare, regress_mirror, write_and_look;
DROP TABLE regress_mirror;
