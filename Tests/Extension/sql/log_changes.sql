-- The trigger log and the schema change under capture's feet; entries written while an entry is written.
\set SHOW_CONTEXT never
SELECT regress_connection('chg') AS connection \gset
CREATE TABLE chg.t (name text, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
SELECT regress_adopt(:'connection', 't') AS mapping \gset
\set log 'SELECT id, action, record_id, "values" FROM chg._trigger_log ORDER BY id DESC LIMIT 1;'
INSERT INTO chg.t (name) VALUES ('first');
ALTER TABLE chg._trigger_log ADD COLUMN note text DEFAULT 'n', DROP COLUMN sf_result;
INSERT INTO chg.t (name) VALUES ('column added and dropped');
:log
ALTER TABLE chg._trigger_log ALTER COLUMN id TYPE bigint, ALTER COLUMN record_id TYPE bigint;
ALTER SEQUENCE chg._trigger_log_id_seq AS bigint RESTART 3000000000;
INSERT INTO chg.t (name) VALUES ('bigint');
:log
-- Ids of mapped rows may be bigint too, and are refused where the log has no room for them. Sessions that have run the portable
-- functions need new ones when a column changes its type.
ALTER TABLE chg.t ALTER COLUMN id TYPE bigint;
SELECT hc_mapping_triggers_create(:'mapping');
INSERT INTO chg.t (id, name) VALUES (5000000000, 'big id');
:log
ALTER TABLE chg._trigger_log ALTER COLUMN record_id TYPE int USING NULL;
SELECT hc_mapping_triggers_create(:'mapping');
INSERT INTO chg.t (id, name) VALUES (5000000001, 'too big');
SELECT count(*) FROM chg.t WHERE name = 'too big';

-- A trigger on the log that writes a mapped row, which is captured in turn.
CREATE FUNCTION chg.echo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chg.t (id, name) VALUES (NEW.record_id + 1000, 'echo');
    RETURN NULL;
END $$;
CREATE TRIGGER echo AFTER INSERT ON chg._trigger_log FOR EACH ROW WHEN (NEW.record_id < 1000) EXECUTE FUNCTION chg.echo();
INSERT INTO chg.t (id, name) VALUES (50, 'echoed'), (51, 'echoed');
SELECT action, record_id FROM chg._trigger_log ORDER BY id DESC LIMIT 4;
