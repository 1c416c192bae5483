-- What is undone leaves no entry, however small the part that was undone; what stays keeps its order.
\set SHOW_CONTEXT never
SELECT regress_connection('abo') AS connection \gset
CREATE TABLE abo.t (name text, n int CHECK (n < 100), sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
SELECT regress_adopt(:'connection', 't') AS mapping \gset
\set log 'SELECT action, record_id, "values"::hstore -> ''name'' AS name, "values"::hstore -> ''n'' AS n FROM abo._trigger_log ORDER BY id; TRUNCATE abo._trigger_log; SET xmlbinary = hex; TRUNCATE abo.t RESTART IDENTITY; RESET xmlbinary;'
-- A statement that fails in its middle, alone and in a block that catches it.
INSERT INTO abo.t (name, n) SELECT 'never', i FROM generate_series(95, 105) i;
COPY abo.t (name, n) FROM stdin;
never	1
never	1000
\.
DO $$
BEGIN
    INSERT INTO abo.t (id, name, n) VALUES (1, 'before', 1);
    BEGIN
        INSERT INTO abo.t (name, n) SELECT 'never', i FROM generate_series(95, 105) i;
    EXCEPTION WHEN check_violation THEN
        INSERT INTO abo.t (id, name, n) VALUES (2, 'in the handler', 2);
    END;
    UPDATE abo.t SET name = 'after' WHERE id = 1;
END $$;
:log
-- Nested savepoints: released into one that is rolled back, rolled back within one that is released.
BEGIN;
INSERT INTO abo.t (id, name) VALUES (1, 'outside');
SAVEPOINT a;
INSERT INTO abo.t (id, name) VALUES (2, 'in a');
SAVEPOINT b;
INSERT INTO abo.t (id, name) VALUES (3, 'in b');
RELEASE b;
ROLLBACK TO a;
INSERT INTO abo.t (id, name) VALUES (2, 'in a again');
SAVEPOINT c;
INSERT INTO abo.t (id, name) VALUES (3, 'in c');
ROLLBACK TO c;
RELEASE a;
INSERT INTO abo.t (id, name) VALUES (4, 'outside again');
COMMIT;
:log
-- A trigger that refuses some rows: quietly, or by an exception that the writing function catches row by row.
CREATE FUNCTION abo.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name = 'skip' THEN
        RETURN NULL;
    ELSIF NEW.name = 'raise' THEN
        RAISE 'refused';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER b_refuse BEFORE INSERT OR UPDATE ON abo.t FOR EACH ROW EXECUTE FUNCTION abo.refuse();
INSERT INTO abo.t (id, name) VALUES (1, 'kept'), (2, 'skip'), (3, 'kept too');
CREATE TRIGGER z_refuse AFTER INSERT OR UPDATE ON abo.t FOR EACH ROW WHEN (NEW.n = 13) EXECUTE FUNCTION abo.refuse();
DO $$
BEGIN
    FOR i IN 4 .. 7 LOOP
        BEGIN
            INSERT INTO abo.t (id, name) VALUES (i, CASE WHEN i % 2 = 0 THEN 'raise' ELSE 'odd' END);
        EXCEPTION WHEN raise_exception THEN
            NULL;
        END;
    END LOOP;
END $$;
:log
-- An AFTER trigger that raises when a part of the rows has been captured already.
DROP TRIGGER b_refuse ON abo.t;
INSERT INTO abo.t (id, name, n) VALUES (1, 'good', 1), (2, 'raise', 13);
BEGIN;
INSERT INTO abo.t (id, name, n) VALUES (1, 'good', 1);
SAVEPOINT a;
INSERT INTO abo.t (id, name, n) VALUES (2, 'good', 1), (3, 'raise', 13), (4, 'good', 1);
ROLLBACK TO a;
INSERT INTO abo.t (id, name, n) VALUES (2, 'good', 1);
COMMIT;
:log
-- Procedures that commit and roll back in their middle.
CREATE PROCEDURE abo.steps() LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. 4 LOOP
        INSERT INTO abo.t (id, name) VALUES (i, 'step');
        IF i % 2 = 0 THEN ROLLBACK; ELSE COMMIT; END IF;
    END LOOP;
END $$;
CALL abo.steps();
:log
-- A cancelled statement, and a transaction that ends with an error at its commit.
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON abo.t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.name = 'raise') EXECUTE FUNCTION abo.refuse();
BEGIN;
INSERT INTO abo.t (name) VALUES ('fine'), ('raise');
COMMIT;
SET statement_timeout = '50ms';
INSERT INTO abo.t (name) SELECT 'slow' FROM generate_series(1, 3), pg_sleep(10);
RESET statement_timeout;
:log
-- Writing the log itself fails or is cancelled in its middle: an index of the user on the log raises at the 100th of 200 entries.
CREATE FUNCTION abo.trip(id int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF id = 100 AND current_setting('abo.trip') = 'raise' THEN
        RAISE 'tripped';
    ELSIF id = 100 AND current_setting('abo.trip') = 'cancel' THEN
        PERFORM pg_cancel_backend(pg_backend_pid()), pg_sleep(10);
    END IF;
    RETURN id;
END $$;
SET abo.trip = '';
CREATE INDEX tripwire ON abo._trigger_log (abo.trip(record_id));
SET abo.trip = 'raise';
INSERT INTO abo.t (id, name) SELECT i, 'never' FROM generate_series(1, 200) i;
SET abo.trip = 'cancel';
INSERT INTO abo.t (id, name) SELECT i, 'never' FROM generate_series(1, 200) i;
DO $$
DECLARE
    how text;
BEGIN
    INSERT INTO abo.t (id, name) VALUES (1, 'before');
    FOREACH how IN ARRAY ARRAY['raise', 'cancel'] LOOP
        PERFORM set_config('abo.trip', how, false);
        BEGIN
            INSERT INTO abo.t (id, name) SELECT i, 'never' FROM generate_series(2, 200) i;
        EXCEPTION WHEN raise_exception OR query_canceled THEN
            UPDATE abo.t SET name = how WHERE id = 1;
        END;
    END LOOP;
    PERFORM set_config('abo.trip', '', false);
    INSERT INTO abo.t (id, name) VALUES (100, 'after');
END $$;
SELECT id, name FROM abo.t ORDER BY id;
SELECT count(*) FROM abo._trigger_log WHERE abo.trip(record_id) = 100;
DROP INDEX abo.tripwire;
:log
