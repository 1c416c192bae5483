-- What a user's changes leave in the trigger log: the vectors of the reference.
SELECT regress_connection('vec') AS connection \gset
CREATE TABLE vec.t (name varchar, amt float8, flag boolean, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
SELECT regress_adopt(:'connection', 't') AS mapping \gset
SELECT bool_and((tgfoid::regproc::text = 'hc_capture') = (current_setting('regress.capture') = 'c')) AS in_the_mode_asked_for
  FROM pg_trigger WHERE tgrelid = 'vec.t'::regclass AND tgname = 'hc_t_logtrigger';
\set log 'SELECT state, action, sfid, old, "values" FROM vec._trigger_log ORDER BY id DESC LIMIT 1;'
INSERT INTO vec.t (name, amt, flag) VALUES ('n', 1.5, true);
:log
UPDATE vec.t SET name = 'm', amt = NULL;
:log
UPDATE vec.t SET name = 'm';
:log
UPDATE vec.t SET _hc_lastop = 'X';
:log
SELECT _hc_lastop, _hc_err FROM vec.t;
DELETE FROM vec.t;
:log
SET xmlbinary = hex;
INSERT INTO vec.t (name, sfid) VALUES ('k', '001000000000001AAA');
RESET xmlbinary;
:log
UPDATE vec.t SET name = 'l';
:log
DELETE FROM vec.t;
:log
SELECT count(*) FROM vec._trigger_log;
SET xmlbinary = hex;
INSERT INTO vec.t (name) VALUES ('a');
UPDATE vec.t SET name = 'b';
DELETE FROM vec.t;
RESET xmlbinary;
SELECT count(*) FROM vec._trigger_log;

-- The other columns of an entry: no default applies, and the time is the clock's.
BEGIN;
SELECT pg_sleep(0.01);
INSERT INTO vec.t (id, name) VALUES (77, 'a');
SELECT table_name, record_id, txid = txid_current() AS own_txid, created_at > now() AS clock_time, created_at <= clock_timestamp() AS past,
       updated_at, processed_at, processed_tx, sf_result, sf_message FROM vec._trigger_log ORDER BY id DESC LIMIT 1;
COMMIT;
UPDATE vec.t SET id = 78;
SELECT record_id, old, "values" FROM vec._trigger_log ORDER BY id DESC LIMIT 1;

-- A read-only mapping logs everything and ignores nothing.
UPDATE hc_mapping SET access = 'read_only' WHERE id = :'mapping';
SELECT hc_mapping_triggers_create(:'mapping');
TRUNCATE vec._trigger_log;
INSERT INTO vec.t (name) VALUES ('r');
UPDATE vec.t SET name = name;
DELETE FROM vec.t;
SELECT state, action, count(*) FROM vec._trigger_log GROUP BY 1, 2 ORDER BY 1, 2;
