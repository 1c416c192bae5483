-- The status trigger: what _hc_lastop and _hc_err become.
SELECT regress_connection('stat') AS connection \gset
CREATE TABLE stat.t (name text, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
SELECT regress_adopt(:'connection', 't') AS mapping \gset
\set show 'SELECT name, _hc_lastop, _hc_err FROM stat.t ORDER BY id;'
-- A user: always PENDING, whatever he writes there.
INSERT INTO stat.t (name, _hc_lastop, _hc_err) VALUES ('user', 'SYNCED', 'error');
:show
UPDATE stat.t SET _hc_lastop = 'X', _hc_err = 'Y';
:show
-- We: SYNCED, unless we set another status.
SET xmlbinary = hex;
UPDATE stat.t SET name = 'ours';
:show
UPDATE stat.t SET _hc_lastop = 'FAILED', _hc_err = '{"msg": "no"}';
:show
UPDATE stat.t SET _hc_lastop = 'FAILED', _hc_err = '{"msg": "still no"}';
:show
UPDATE stat.t SET _hc_lastop = 'UPDATED';
:show
UPDATE stat.t SET _hc_lastop = NULL, _hc_err = 'kept?';
:show
ALTER TABLE stat.t DISABLE TRIGGER hc_t_status_trigger;
UPDATE stat.t SET _hc_lastop = NULL;
ALTER TABLE stat.t ENABLE TRIGGER hc_t_status_trigger;
UPDATE stat.t SET _hc_lastop = 'INSERTED';
:show
INSERT INTO stat.t (name, _hc_lastop, _hc_err) VALUES ('inserted', 'INSERTED', 'error');
:show
RESET xmlbinary;
UPDATE stat.t SET name = 'user again' WHERE name = 'inserted';
:show
SELECT count(*) FROM stat._trigger_log;
-- A guard that someone put in the place of ours is obeyed, by both triggers.
CREATE OR REPLACE FUNCTION public.get_xmlbinary() RETURNS varchar LANGUAGE plpgsql AS $$ BEGIN RETURN 'heroku-connect'; END $$;
INSERT INTO stat.t (name) VALUES ('stub');
SELECT _hc_lastop FROM stat.t WHERE name = 'stub';
SELECT count(*) FROM stat._trigger_log;
CREATE OR REPLACE FUNCTION public.get_xmlbinary() RETURNS varchar LANGUAGE plpgsql AS $body$BEGIN RETURN pg_catalog.current_setting('xmlbinary'); END$body$;
INSERT INTO stat.t (name) VALUES ('restored');
SELECT _hc_lastop FROM stat.t WHERE name = 'restored';
