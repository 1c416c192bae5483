-- The first generation, 2013 to 2014 (evidence H).
CREATE SCHEMA :"schema";
CREATE TABLE :"schema".c5_versions (org_id character varying(60), app character varying(20) NOT NULL, version integer);
CREATE TABLE :"schema"._trigger_log (
    id serial PRIMARY KEY, table_name character varying(40), _c5_source character varying(40), action character varying(7), created_at timestamp without time zone DEFAULT now(),
    record_id integer, "values" character varying(16384), state character varying(8), sf_result integer, sf_message character varying(1024));
CREATE INDEX idx__trigger_log_comp_key ON :"schema"._trigger_log (state, id, created_at);
CREATE TABLE :"schema".account (id serial PRIMARY KEY, sfid character varying(18), name character varying(255), lastmodifieddate timestamp without time zone, _c5_source character varying(18));
CREATE INDEX account_idx_sfid ON :"schema".account (sfid);
