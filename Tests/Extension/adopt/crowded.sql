-- A schema shared with the application (evidence C, I, K): tables of the user beside mapped ones, functions lost in an export, a
-- hand-written trigger that writes the log, an entry of the user without action, and a table that HC Sync itself once captured.
SELECT heroku.log(:'schema');
CREATE TABLE :"schema".record__c (
    uuid__c character varying(36), name character varying(80), body__c character varying(8000), big__c text, isdeleted boolean, systemmodstamp timestamp without time zone,
    sfid character varying(18), id serial4 NOT NULL CONSTRAINT record__c_pkey PRIMARY KEY, _hc_lastop character varying(32), _hc_err text);
CREATE UNIQUE INDEX hcu_idx_record__c_sfid ON :"schema".record__c (sfid);
CREATE UNIQUE INDEX hcu_idx_record__c_uuid__c ON :"schema".record__c (uuid__c);
CREATE INDEX hc_idx_record__c_systemmodstamp ON :"schema".record__c (systemmodstamp);   -- neither triggers nor functions
CREATE TABLE :"schema".box__c (
    name character varying(80), systemmodstamp timestamp without time zone, sfid character varying(18), id serial, _hc_lastop character varying(32), _hc_err text);
CREATE INDEX box_sfid ON :"schema".box__c (sfid);   -- of the user; no unique one, no primary key
SELECT heroku.triggers(:'schema', 'box__c');
CREATE FUNCTION :"schema".send_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I._trigger_log (id, action, state, table_name, record_id, "values") VALUES (nextval(''%1$I._trigger_log_id_seq''), ''UPDATE'', ''NEW'', %L, $1, $2)',
                   TG_TABLE_SCHEMA, TG_TABLE_NAME) USING NEW.id, '"pgid__c"=>"' || NEW.id || '"';
    RETURN NULL;
END $$;
CREATE TRIGGER hc_send_id AFTER INSERT ON :"schema".box__c FOR EACH ROW EXECUTE FUNCTION :"schema".send_id();
CREATE TABLE :"schema".orders (id serial PRIMARY KEY, sfid character varying(18), record character varying(36) REFERENCES :"schema".record__c (uuid__c));
CREATE TABLE :"schema".settings (key text PRIMARY KEY, value text);
SET xmlbinary = hex;
INSERT INTO :"schema".record__c (sfid, uuid__c, systemmodstamp) VALUES ('a01xx0000000001AAA', 'u1', heroku.stamp(10));
INSERT INTO :"schema".box__c (sfid, name, systemmodstamp) VALUES ('a02xx0000000001AAA', 'b', heroku.stamp(10));
RESET xmlbinary;
ANALYZE :"schema".record__c, :"schema".box__c;
