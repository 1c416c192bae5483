-- Schema of 2016 (evidence F, G, L, M): arbitrary order in log and tables, _trigger_last_id, neither archive nor event log,
-- __r__ columns, picklists of 40 characters, shortened names, an index on lastmodifieddate, no ucs_basic.
SELECT heroku.log(:'schema', false, false);
CREATE TABLE :"schema".i_m__category__c (
    _hc_err text, i_m__parent__r__i_m__externalid__c character varying(20), name character varying(80), lastmodifieddate timestamp without time zone,
    i_m__status__c character varying(40), id serial CONSTRAINT i_m__category__c_pkey PRIMARY KEY, systemmodstamp timestamp without time zone, _hc_lastop character varying(32),
    isdeleted boolean, i_m__parent__c character varying(18), sfid character varying(18), i_m__text__c character varying(1300));
CREATE UNIQUE INDEX hcu_idx_i_m__category__c_sfid ON :"schema".i_m__category__c (sfid);
CREATE INDEX hc_idx_i_m__category__c_lastmodifieddate ON :"schema".i_m__category__c (lastmodifieddate);   -- polled on this, later on systemmodstamp
CREATE INDEX hc_idx_i_m__category__c_i_m__parent__r__i_m__externalid_1f2e ON :"schema".i_m__category__c (i_m__parent__r__i_m__externalid__c);
-- 58 characters: every name made of it is too long.
CREATE TABLE :"schema".i_m__an_object_whose_name_is_as_long_as_names_can_be_xx__c (
    name character varying(80), systemmodstamp timestamp without time zone, _hc_lastop character varying(32), id serial PRIMARY KEY,
    _hc_err text, isdeleted boolean, sfid character varying(18));
CREATE UNIQUE INDEX hcu_idx_i_m__an_object_whose_name_is_as_long_as_names_c_5cdd ON :"schema".i_m__an_object_whose_name_is_as_long_as_names_can_be_xx__c (sfid);
SELECT heroku.triggers(:'schema', 'i_m__category__c'), heroku.triggers(:'schema', 'i_m__an_object_whose_name_is_as_long_as_names_can_be_xx__c');
DROP TRIGGER hc_i_m__category__c_logtrigger ON :"schema".i_m__category__c;
CREATE TRIGGER hc_i_m__category__c_logtrigger AFTER INSERT OR DELETE OR UPDATE ON :"schema".i_m__category__c
    FOR EACH ROW WHEN (get_xmlbinary() = 'base64') EXECUTE PROCEDURE :"schema".hc_i_m__category__c_logger();
SET xmlbinary = hex;
INSERT INTO :"schema".i_m__category__c (sfid, name, systemmodstamp) VALUES ('a00xx0000000001AAA', 'one', heroku.stamp(5)), ('a00xx0000000002AAA', 'zero', heroku.stamp(9));
RESET xmlbinary;
INSERT INTO :"schema".i_m__category__c (name, i_m__parent__r__i_m__externalid__c) VALUES ('two', 'p1');
DELETE FROM :"schema".i_m__category__c WHERE name = 'one';
ANALYZE :"schema".i_m__category__c, :"schema".i_m__an_object_whose_name_is_as_long_as_names_can_be_xx__c;
