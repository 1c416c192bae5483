-- Capture does not need public, or anything else, on the search path; and nothing on the path gets in its way.
SELECT regress_connection('path') AS connection \gset
SELECT hc_mapping_create(:'connection', 'Account', '{"access": "read_write", "fields": {"Name": {}, "NumberOfEmployees": {}}}', regress_account()) IS NOT NULL AS made;
SET search_path = path;
INSERT INTO account (name) VALUES ('schema only');
UPDATE account SET name = 'still';
DELETE FROM account;
SET search_path = '';
INSERT INTO path.account (name) VALUES ('empty');
UPDATE path.account SET name = 'still';
DELETE FROM path.account;
-- A schema that shadows what the bodies use.
RESET search_path;
CREATE SCHEMA evil;
CREATE FUNCTION evil.nextval(regclass) RETURNS bigint LANGUAGE sql AS $$ SELECT -1::bigint $$;
CREATE FUNCTION evil.txid_current() RETURNS bigint LANGUAGE sql AS $$ SELECT -1::bigint $$;
CREATE FUNCTION evil.not_equal(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
CREATE OPERATOR evil.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.not_equal);
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.not_equal);
CREATE FUNCTION evil.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil'; END $$;
SET search_path = evil, pg_catalog, path, public;
INSERT INTO account (name) VALUES ('evil');
UPDATE account SET name = 'still';
DELETE FROM account;
RESET search_path;
SELECT id > 0 AS id, txid > 0 AS txid, state, action, record_id, "values" FROM path._trigger_log ORDER BY path._trigger_log.id;
SET client_min_messages = warning;
DROP SCHEMA evil CASCADE;
