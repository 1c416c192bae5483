-- Triggers of the application that switch the guard, as Heroku documents it.
SELECT regress_connection('trg') AS connection \gset
CREATE TABLE trg.t (name text, ext text, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
SELECT regress_adopt(:'connection', 't') AS mapping \gset
-- An external id is given to every row that has none, also to those that come from Salesforce, and is sent.
CREATE FUNCTION trg.give_ext() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := public.get_xmlbinary();
BEGIN
    SET LOCAL xmlbinary TO 'base64';
    UPDATE trg.t SET ext = 'ext-' || NEW.id WHERE id = NEW.id;
    EXECUTE 'SET LOCAL xmlbinary TO ' || before;
    RETURN NULL;
END $$;
CREATE TRIGGER give_ext AFTER INSERT OR UPDATE ON trg.t FOR EACH ROW WHEN (NEW.ext IS NULL) EXECUTE FUNCTION trg.give_ext();
-- And one that runs only for data from Salesforce.
CREATE TABLE trg.arrived (name text);
CREATE FUNCTION trg.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trg.arrived VALUES (NEW.name); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON trg.t FOR EACH ROW WHEN (public.get_xmlbinary()::text != 'base64'::text) EXECUTE FUNCTION trg.note();

BEGIN;
SET LOCAL xmlbinary = hex;
INSERT INTO trg.t (name, sfid) VALUES ('from Salesforce', '001000000000001AAA'), ('and another', '001000000000002AAA');
SHOW xmlbinary;
COMMIT;
SHOW xmlbinary;
SELECT name, ext, _hc_lastop FROM trg.t ORDER BY id;
SELECT state, action, record_id, sfid, "values" FROM trg._trigger_log ORDER BY id;
SELECT * FROM trg.arrived ORDER BY 1;
TRUNCATE trg._trigger_log, trg.arrived;
INSERT INTO trg.t (name) VALUES ('by a user');
SELECT state, action, record_id, sfid, "values" FROM trg._trigger_log ORDER BY id;
SELECT * FROM trg.arrived ORDER BY 1;
TRUNCATE trg._trigger_log;

-- Hand-written capture of one column: the next id, and the row put into the log.
INSERT INTO trg._trigger_log (id, action, state, table_name, record_id, txid, created_at, "values")
SELECT nextval('trg._trigger_log_id_seq'), 'UPDATE', 'NEW', 't', id, txid_current(), clock_timestamp(), hstore('ext', ext) FROM trg.t WHERE id = 1;
SELECT state, action, record_id, "values" FROM trg._trigger_log;
-- A disabled log trigger captures nothing.
ALTER TABLE trg.t DISABLE TRIGGER hc_t_logtrigger;
UPDATE trg.t SET name = 'silent';
SELECT count(*) FROM trg._trigger_log;
ALTER TABLE trg.t ENABLE TRIGGER hc_t_logtrigger;
