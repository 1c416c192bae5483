-- Schema of 2019 and later (evidence D, E, J, K): canonical order, ucs_basic, all states in the log, and what users add.
SELECT heroku.log(:'schema');
CREATE TABLE :"schema".account (
    createddate timestamp without time zone, isdeleted boolean, name character varying(255), externalid__c character varying(36), annualrevenue double precision,
    numberofemployees integer, phone character varying(40), ratings__c character varying(40), systemmodstamp timestamp without time zone,
    sfid character varying(18) COLLATE pg_catalog.ucs_basic, id serial CONSTRAINT account_pkey PRIMARY KEY, _hc_lastop character varying(32), _hc_err text);
CREATE UNIQUE INDEX hcu_idx_account_sfid ON :"schema".account (sfid);
CREATE UNIQUE INDEX hcu_idx_account_externalid__c ON :"schema".account (externalid__c);
CREATE INDEX hc_idx_account_systemmodstamp ON :"schema".account (systemmodstamp);
CREATE TABLE :"schema".contact (
    lastname character varying(80), email character varying(80), accountid character varying(18), isdeleted boolean, systemmodstamp timestamp without time zone,
    sfid character varying(18) COLLATE pg_catalog.ucs_basic, id serial CONSTRAINT contact_pkey PRIMARY KEY, _hc_lastop character varying(32), _hc_err text,
    firstname character varying(40));   -- mapped later, so behind _hc_err
CREATE UNIQUE INDEX hcu_idx_contact_sfid ON :"schema".contact (sfid);
CREATE INDEX hc_idx_contact_systemmodstamp ON :"schema".contact (systemmodstamp);
CREATE TABLE :"schema"."user" (
    username character varying(80), systemmodstamp timestamp without time zone, sfid character varying(18) COLLATE pg_catalog.ucs_basic,
    id serial CONSTRAINT user_pkey PRIMARY KEY, _hc_lastop character varying(32), _hc_err text);
CREATE UNIQUE INDEX hcu_idx_user_sfid ON :"schema"."user" (sfid);
CREATE INDEX hc_idx_user_systemmodstamp ON :"schema"."user" (systemmodstamp);
SELECT heroku.triggers(:'schema', 'account'), heroku.triggers(:'schema', 'contact'), heroku.triggers(:'schema', 'user', 'read_only');
SET xmlbinary = hex;
INSERT INTO :"schema".account (sfid, name, externalid__c, isdeleted, createddate, systemmodstamp)
     VALUES ('001xx0000000001AAA', 'old', 'x1', false, heroku.stamp(60), heroku.stamp(60)), ('001xx0000000002AAA', 'newest', 'x2', false, heroku.stamp(30), heroku.stamp(30));
INSERT INTO :"schema".contact (sfid, lastname, systemmodstamp) VALUES ('003xx0000000001AAA', 'Doe', heroku.stamp(60 * 24 * 20));
RESET xmlbinary;
-- The user's: a column, an index, a trigger, a foreign key, a view, a table, a copy.
ALTER TABLE :"schema".account ADD COLUMN note text DEFAULT '';
CREATE INDEX account_name ON :"schema".account (lower(name));
CREATE TABLE :"schema".visit (id serial PRIMARY KEY, account character varying(36) REFERENCES :"schema".account (externalid__c) ON DELETE CASCADE);
CREATE VIEW :"schema".big_account AS SELECT id, name FROM :"schema".account WHERE annualrevenue > 1000000;
CREATE TABLE :"schema".account_backup AS TABLE :"schema".account;
CREATE FUNCTION :"schema".shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.phone := trim(NEW.phone); RETURN NEW; END $$;
CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON :"schema".account FOR EACH ROW EXECUTE FUNCTION :"schema".shout();
-- Every state, as the writer left it.
INSERT INTO :"schema".account (name, externalid__c) VALUES ('unsent', 'x3');
UPDATE :"schema".account SET name = 'in flight' WHERE externalid__c = 'x1';
INSERT INTO :"schema"._trigger_log (state, action, table_name, record_id, "values", processed_at, sf_message) VALUES
    ('FAILED', 'INSERT', 'account', 99, '"name"=>"bad"', now(), 'REQUIRED_FIELD_MISSING'), ('SUCCESS', 'UPDATE', 'account', 2, '"name"=>"newest"', now(), NULL),
    ('IGNORE', 'UPDATE', 'account', 2, '', NULL, NULL), ('INVALID', 'UPDATE', 'account', 2, '"name"=>"?"', NULL, NULL), ('NEW', 'INSERT', 'gone__c', 1, '"name"=>"?"', NULL, NULL),
    ('READONLY', 'UPDATE', 'user', 1, '"username"=>"?"', NULL, NULL);
UPDATE :"schema"._trigger_log SET state = 'PENDING' WHERE "values" = '"name"=>"in flight"';
INSERT INTO :"schema"._trigger_log_archive (id, state, action, table_name, record_id, "values", created_at) VALUES (0, 'FAILED', 'INSERT', 'contact', 7, '"lastname"=>"x"', now());
ANALYZE :"schema".account, :"schema".contact, :"schema"."user";
