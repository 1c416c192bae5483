-- What the log's owner has added to the log is honoured, and what an entry does not fit is refused as by a plain INSERT. (Portable
-- capture writes a row of the log's type, as Heroku Connect does: columns without a value of ours are null.)
\set VERBOSITY terse
SELECT regress_connection('additions') AS connection \gset
CREATE TABLE additions.a (id serial PRIMARY KEY, sfid varchar(18), _hc_lastop varchar(32), _hc_err text);
SELECT regress_adopt(:'connection', 'a') IS NOT NULL AS mapped;
ALTER TABLE additions._trigger_log ADD COLUMN note text DEFAULT 'noted';
INSERT INTO additions.a (id) VALUES (1), (2);
SELECT record_id, note FROM additions._trigger_log ORDER BY id;
ALTER TABLE additions._trigger_log ALTER note DROP DEFAULT, ADD CONSTRAINT few CHECK (record_id < 10);
INSERT INTO additions.a (id) VALUES (3), (11);
ALTER TABLE additions._trigger_log DROP COLUMN note, DROP CONSTRAINT few;
ALTER TABLE additions.a ALTER sfid TYPE text;
INSERT INTO additions.a (id, sfid) VALUES (4, '001000000000000000x');
DELETE FROM additions.a;
DELETE FROM additions.a WHERE id < 4;
DELETE FROM additions._trigger_log;
CREATE FUNCTION additions.mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.sf_message = 'seen'; RETURN NEW; END $$;
CREATE TRIGGER mark BEFORE INSERT ON additions._trigger_log FOR EACH ROW EXECUTE FUNCTION additions.mark();
INSERT INTO additions.a (id) VALUES (5);
DELETE FROM additions.a WHERE id = 5;
SELECT action, state, record_id, sfid, sf_message FROM additions._trigger_log ORDER BY id;
DROP TRIGGER mark ON additions._trigger_log;


-- An announcer that is off announces nothing; entries are written all the same.
ALTER TABLE additions._trigger_log DISABLE TRIGGER tlog_insert_trigger;
SELECT setval('hc_quiet_additions', 1);
LISTEN "additions.hc_trigger_log";
INSERT INTO additions.a (id) VALUES (6), (7);
SELECT last_value FROM hc_quiet_additions;
ALTER TABLE additions._trigger_log ENABLE TRIGGER tlog_insert_trigger;
SET session_replication_role = replica;
INSERT INTO additions.a (id) VALUES (8);
RESET session_replication_role;
SELECT record_id FROM additions._trigger_log WHERE action = 'INSERT' ORDER BY id;
UNLISTEN *;

SET client_min_messages = warning;
DROP SCHEMA additions CASCADE;
DELETE FROM hc_connection WHERE schema_name = 'additions';
