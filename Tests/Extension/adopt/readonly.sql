-- Read-only mappings (evidence A, B): changed primary keys, sfid NOT NULL, UNIQUE (sfid, id), log triggers not made again after a
-- restore, a disabled one, several currencies, columns that were mapped later, no event log.
SELECT heroku.log(:'schema', true, true);
DROP TABLE :"schema"._sf_event_log;
CREATE TABLE :"schema".opportunity (
    amount double precision, currencyisocode character varying(3), isdeleted boolean, systemmodstamp timestamp without time zone,
    sfid character varying(18) NOT NULL, id serial, _hc_lastop character varying(32), _hc_err text, closedate date, description text,
    CONSTRAINT opportunity_pkey PRIMARY KEY (id, sfid), CONSTRAINT opportunity_key UNIQUE (sfid, id));
CREATE UNIQUE INDEX hcu_idx_opportunity_sfid ON :"schema".opportunity (sfid);
CREATE INDEX hc_idx_opportunity_systemmodstamp ON :"schema".opportunity (systemmodstamp);
CREATE TABLE :"schema".recordtype (
    name character varying(80), sobjecttype character varying(40), systemmodstamp timestamp without time zone,
    sfid character varying(18), id serial CONSTRAINT recordtype_pkey PRIMARY KEY, _hc_lastop character varying(32), _hc_err text);
CREATE UNIQUE INDEX hcu_idx_recordtype_sfid ON :"schema".recordtype (sfid);
CREATE INDEX hc_idx_recordtype_systemmodstamp ON :"schema".recordtype (systemmodstamp);
SELECT heroku.triggers(:'schema', 'opportunity', 'read_only', false), heroku.triggers(:'schema', 'recordtype', 'read_only');
ALTER TABLE :"schema".recordtype DISABLE TRIGGER hc_recordtype_logtrigger;
SET xmlbinary = hex;
INSERT INTO :"schema".opportunity (sfid, amount, currencyisocode, systemmodstamp) VALUES ('006xx0000000001AAA', 1.5, 'EUR', heroku.stamp(60 * 24 * 14));
INSERT INTO :"schema".recordtype (sfid, name, systemmodstamp) VALUES ('012xx0000000001AAA', 'Person', heroku.stamp(60 * 24 * 16));
RESET xmlbinary;
ANALYZE :"schema".opportunity, :"schema".recordtype;
