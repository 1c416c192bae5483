-- Writes within writes: triggers, functions, views, rules, deferred triggers, and sessions that switch the guard.
\set SHOW_CONTEXT never
CREATE ROLE regress_owner ROLE CURRENT_USER;
CREATE SCHEMA nes AUTHORIZATION regress_owner;
GRANT CREATE ON SCHEMA public TO regress_owner;
SELECT regress_connection('nes') AS connection \gset
CREATE TABLE nes.t (name text, ext text, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
CREATE TABLE nes.child (parent int, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
SELECT regress_adopt(:'connection', 't') AS t \gset
SELECT regress_adopt(:'connection', 'child') AS child \gset
\set log 'SELECT table_name AS "table", state, action, record_id AS record, sfid, "values" FROM nes._trigger_log ORDER BY table_name, record_id, id; TRUNCATE nes._trigger_log;'

-- A trigger that runs after ours, with SET SESSION instead of SET LOCAL, for every row of a statement.
CREATE FUNCTION nes.give_ext() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := public.get_xmlbinary();
BEGIN
    SET SESSION xmlbinary TO 'base64';
    UPDATE nes.t SET ext = 'ext-' || NEW.id WHERE id = NEW.id;
    EXECUTE 'SET SESSION xmlbinary TO ' || before;
    RETURN NULL;
END $$;
CREATE TRIGGER z_give_ext AFTER INSERT ON nes.t FOR EACH ROW WHEN (NEW.ext IS NULL) EXECUTE FUNCTION nes.give_ext();
INSERT INTO nes.t (name) VALUES ('a'), ('b');
:log
BEGIN;
SET LOCAL xmlbinary = hex;
INSERT INTO nes.t (name, sfid) VALUES ('c', '001000000000003AAA'), ('d', '001000000000004AAA');
COMMIT;
:log
SELECT id, ext, _hc_lastop FROM nes.t ORDER BY id;
-- The session was left as hex by the trigger, as on Heroku; the application's own transactions begin with base64.
SHOW xmlbinary;
RESET xmlbinary;
DROP TRIGGER z_give_ext ON nes.t;

-- A trigger that writes another mapped table; one of a statement; and one that is deferred to the commit.
CREATE FUNCTION nes.add_child() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_LEVEL = 'ROW' THEN
        INSERT INTO nes.child (parent) VALUES (NEW.id);
    ELSE
        INSERT INTO nes.child (parent) SELECT -count(*) FROM added;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER a_row AFTER INSERT ON nes.t FOR EACH ROW EXECUTE FUNCTION nes.add_child();
CREATE TRIGGER z_statement AFTER INSERT ON nes.t REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION nes.add_child();
CREATE CONSTRAINT TRIGGER z_deferred AFTER UPDATE ON nes.t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nes.add_child();
INSERT INTO nes.t (name) VALUES ('e'), ('f');
:log
BEGIN;
UPDATE nes.t SET name = upper(name) WHERE name IN ('e', 'f');
SELECT count(*) FROM nes._trigger_log;
COMMIT;
:log
-- Ours stays ours to the end of the transaction, deferred triggers included.
BEGIN;
SET LOCAL xmlbinary = hex;
UPDATE nes.t SET name = 'hex' WHERE name = 'E';
COMMIT;
:log
DROP TRIGGER a_row ON nes.t;
DROP TRIGGER z_statement ON nes.t;
DROP TRIGGER z_deferred ON nes.t;

-- A function sees in the log what it has just written, also within a statement of its caller.
CREATE FUNCTION nes.write_and_look(text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO nes.t (name) VALUES ($1);
    RETURN (SELECT count(*) FROM nes._trigger_log);
END $$;
SELECT nes.write_and_look(x) FROM unnest(ARRAY['g', 'h']) x;
SELECT count(*) FROM nes._trigger_log;
TRUNCATE nes._trigger_log;
-- Views and rules.
CREATE VIEW nes.v AS SELECT id, name FROM nes.t WHERE name < 'x' WITH CHECK OPTION;
INSERT INTO nes.v (name) VALUES ('by view');
UPDATE nes.v SET name = 'by view, twice' WHERE name = 'by view';
INSERT INTO nes.v (name) VALUES ('zzz');
DELETE FROM nes.v WHERE name = 'by view, twice';
CREATE RULE also AS ON INSERT TO nes.child DO ALSO INSERT INTO nes.t (name) VALUES ('by rule');
INSERT INTO nes.child (parent) VALUES (0);
DROP RULE also ON nes.child;
:log
-- A row that row-level security hides is neither written nor captured; the writer needs no right on the log.
CREATE ROLE regress_writer ROLE CURRENT_USER;
GRANT USAGE ON SCHEMA nes TO regress_writer;
GRANT SELECT, INSERT, UPDATE ON nes.t TO regress_writer;
GRANT USAGE ON SEQUENCE nes.t_id_seq TO regress_writer;
ALTER TABLE nes.t ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON nes.t TO regress_writer USING (name LIKE 'own%');
SET ROLE regress_writer;
INSERT INTO nes.t (name) VALUES ('own');
INSERT INTO nes.t (name) VALUES ('other');
UPDATE nes.t SET name = 'own too';
RESET ROLE;
:log
DROP OWNED BY regress_writer;
DROP ROLE regress_writer;

-- A replica applies what was captured where it was written: no status, no entry.
SET session_replication_role = replica;
INSERT INTO nes.t (name, sfid, _hc_lastop) VALUES ('replicated', '001000000000009AAA', 'SYNCED');
UPDATE nes.t SET name = 'replicated again' WHERE name = 'replicated';
SELECT name, _hc_lastop FROM nes.t WHERE sfid = '001000000000009AAA';
DELETE FROM nes.t WHERE name = 'replicated again';
RESET session_replication_role;
:log
-- Unless the database owner wants it so.
ALTER TABLE nes.t ENABLE ALWAYS TRIGGER hc_t_logtrigger;
SET session_replication_role = replica;
INSERT INTO nes.t (name) VALUES ('always');
RESET session_replication_role;
:log
SET client_min_messages = warning;
DELETE FROM hc_connection WHERE id = :'connection';
DROP SCHEMA nes CASCADE;
DROP OWNED BY regress_owner CASCADE;
DROP ROLE regress_owner;
