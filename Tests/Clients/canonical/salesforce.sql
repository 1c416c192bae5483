-- A connection's schema as pg_dump prints it where Heroku Connect made it (reference 1.1 to 1.12): what test_schema.py maps, with
-- <body> for the bodies of functions. One statement per paragraph.

CREATE SCHEMA salesforce;

CREATE FUNCTION salesforce.hc_account_logger() RETURNS trigger
    LANGUAGE plpgsql
    AS <body>;

CREATE FUNCTION salesforce.hc_account_status() RETURNS trigger
    LANGUAGE plpgsql
    AS <body>;

CREATE FUNCTION salesforce.hc_capture_insert_from_row(source_row public.hstore, table_name character varying, excluded_cols text[] DEFAULT ARRAY[]::text[]) RETURNS integer
    LANGUAGE plpgsql
    AS <body>;

CREATE FUNCTION salesforce.hc_capture_update_from_row(source_row public.hstore, table_name character varying, columns_to_include text[] DEFAULT ARRAY[]::text[]) RETURNS integer
    LANGUAGE plpgsql
    AS <body>;

CREATE FUNCTION salesforce.hc_event_participant__c_logger() RETURNS trigger
    LANGUAGE plpgsql
    AS <body>;

CREATE FUNCTION salesforce.hc_event_participant__c_status() RETURNS trigger
    LANGUAGE plpgsql
    AS <body>;

CREATE FUNCTION salesforce.hc_i_m__request_entity__c_logger() RETURNS trigger
    LANGUAGE plpgsql
    AS <body>;

CREATE FUNCTION salesforce.hc_i_m__request_entity__c_status() RETURNS trigger
    LANGUAGE plpgsql
    AS <body>;

CREATE FUNCTION salesforce.hc_i_m__suggested_rental_entity__c_logger() RETURNS trigger
    LANGUAGE plpgsql
    AS <body>;

CREATE FUNCTION salesforce.hc_i_m__suggested_rental_entity__c_status() RETURNS trigger
    LANGUAGE plpgsql
    AS <body>;

CREATE FUNCTION salesforce.hc_user_logger() RETURNS trigger
    LANGUAGE plpgsql
    AS <body>;

CREATE FUNCTION salesforce.hc_user_status() RETURNS trigger
    LANGUAGE plpgsql
    AS <body>;

CREATE FUNCTION salesforce.tlog_notify_trigger() RETURNS trigger
    LANGUAGE plpgsql
    AS <body>;

CREATE TABLE salesforce._hcmeta (
    id integer NOT NULL,
    hcver integer,
    org_id character varying(50),
    details text
);

CREATE SEQUENCE salesforce._hcmeta_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE salesforce._hcmeta_id_seq OWNED BY salesforce._hcmeta.id;

CREATE TABLE salesforce._sf_event_log (
    id integer NOT NULL,
    table_name character varying(128),
    action character varying(7),
    synced_at timestamp with time zone DEFAULT now(),
    sf_timestamp timestamp with time zone,
    sfid character varying(20),
    record text,
    processed boolean
);

CREATE SEQUENCE salesforce._sf_event_log_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE salesforce._sf_event_log_id_seq OWNED BY salesforce._sf_event_log.id;

CREATE TABLE salesforce._trigger_log (
    id integer NOT NULL,
    txid bigint,
    created_at timestamp with time zone DEFAULT now(),
    updated_at timestamp with time zone DEFAULT now(),
    processed_at timestamp with time zone,
    processed_tx bigint,
    state character varying(8),
    action character varying(7),
    table_name character varying(128),
    record_id integer,
    sfid character varying(18),
    old text,
    "values" text,
    sf_result integer,
    sf_message text
);

CREATE TABLE salesforce._trigger_log_archive (
    id integer NOT NULL,
    txid bigint,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    processed_at timestamp with time zone,
    processed_tx bigint,
    state character varying(8),
    action character varying(7),
    table_name character varying(128),
    record_id integer,
    sfid character varying(18),
    old text,
    "values" text,
    sf_result integer,
    sf_message text
);

CREATE SEQUENCE salesforce._trigger_log_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE salesforce._trigger_log_id_seq OWNED BY salesforce._trigger_log.id;

CREATE TABLE salesforce.account (
    accountnumber character varying(40),
    annualrevenue double precision,
    createddate timestamp without time zone,
    description text,
    externalid__c character varying(36),
    industry character varying(255),
    isdeleted boolean,
    name character varying(255),
    numberofemployees integer,
    parentid character varying(18),
    systemmodstamp timestamp without time zone,
    sfid character varying(18),
    id integer NOT NULL,
    _hc_lastop character varying(32),
    _hc_err text
);

CREATE SEQUENCE salesforce.account_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE salesforce.account_id_seq OWNED BY salesforce.account.id;

CREATE TABLE salesforce.event_participant__c (
    account__r__externalid__c character varying(36),
    event_start_date__c date,
    isdeleted boolean,
    systemmodstamp timestamp without time zone,
    sfid character varying(18),
    id integer NOT NULL,
    _hc_lastop character varying(32),
    _hc_err text
);

CREATE SEQUENCE salesforce.event_participant__c_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE salesforce.event_participant__c_id_seq OWNED BY salesforce.event_participant__c.id;

CREATE TABLE salesforce.i_m__request_entity__c (
    i_m__to_request_bom__r__i_m__externalid__c character varying(20),
    isdeleted boolean,
    systemmodstamp timestamp without time zone,
    sfid character varying(18),
    id integer NOT NULL,
    _hc_lastop character varying(32),
    _hc_err text
);

CREATE SEQUENCE salesforce.i_m__request_entity__c_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE salesforce.i_m__request_entity__c_id_seq OWNED BY salesforce.i_m__request_entity__c.id;

CREATE TABLE salesforce.i_m__suggested_rental_entity__c (
    i_m__to_suggested_rental_set__c character varying(18),
    isdeleted boolean,
    systemmodstamp timestamp without time zone,
    sfid character varying(18),
    id integer NOT NULL,
    _hc_lastop character varying(32),
    _hc_err text
);

CREATE SEQUENCE salesforce.i_m__suggested_rental_entity__c_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE salesforce.i_m__suggested_rental_entity__c_id_seq OWNED BY salesforce.i_m__suggested_rental_entity__c.id;

CREATE TABLE salesforce."user" (
    email character varying(128),
    systemmodstamp timestamp without time zone,
    sfid character varying(18),
    id integer NOT NULL,
    _hc_lastop character varying(32),
    _hc_err text
);

CREATE SEQUENCE salesforce.user_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE salesforce.user_id_seq OWNED BY salesforce."user".id;

ALTER TABLE ONLY salesforce._hcmeta ALTER COLUMN id SET DEFAULT nextval('salesforce._hcmeta_id_seq'::regclass);

ALTER TABLE ONLY salesforce._sf_event_log ALTER COLUMN id SET DEFAULT nextval('salesforce._sf_event_log_id_seq'::regclass);

ALTER TABLE ONLY salesforce._trigger_log ALTER COLUMN id SET DEFAULT nextval('salesforce._trigger_log_id_seq'::regclass);

ALTER TABLE ONLY salesforce.account ALTER COLUMN id SET DEFAULT nextval('salesforce.account_id_seq'::regclass);

ALTER TABLE ONLY salesforce.event_participant__c ALTER COLUMN id SET DEFAULT nextval('salesforce.event_participant__c_id_seq'::regclass);

ALTER TABLE ONLY salesforce.i_m__request_entity__c ALTER COLUMN id SET DEFAULT nextval('salesforce.i_m__request_entity__c_id_seq'::regclass);

ALTER TABLE ONLY salesforce.i_m__suggested_rental_entity__c ALTER COLUMN id SET DEFAULT nextval('salesforce.i_m__suggested_rental_entity__c_id_seq'::regclass);

ALTER TABLE ONLY salesforce."user" ALTER COLUMN id SET DEFAULT nextval('salesforce.user_id_seq'::regclass);

ALTER TABLE ONLY salesforce._hcmeta
    ADD CONSTRAINT _hcmeta_pkey PRIMARY KEY (id);

ALTER TABLE ONLY salesforce._sf_event_log
    ADD CONSTRAINT _sf_event_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY salesforce._trigger_log_archive
    ADD CONSTRAINT _trigger_log_archive_pkey PRIMARY KEY (id);

ALTER TABLE ONLY salesforce._trigger_log
    ADD CONSTRAINT _trigger_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY salesforce.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY salesforce.event_participant__c
    ADD CONSTRAINT event_participant__c_pkey PRIMARY KEY (id);

ALTER TABLE ONLY salesforce.i_m__request_entity__c
    ADD CONSTRAINT i_m__request_entity__c_pkey PRIMARY KEY (id);

ALTER TABLE ONLY salesforce.i_m__suggested_rental_entity__c
    ADD CONSTRAINT i_m__suggested_rental_entity__c_pkey PRIMARY KEY (id);

ALTER TABLE ONLY salesforce."user"
    ADD CONSTRAINT user_pkey PRIMARY KEY (id);

CREATE INDEX _trigger_log_archive_idx_created_at ON salesforce._trigger_log_archive USING btree (created_at);

CREATE INDEX _trigger_log_archive_idx_record_id ON salesforce._trigger_log_archive USING btree (record_id);

CREATE INDEX _trigger_log_archive_idx_state_table_name ON salesforce._trigger_log_archive USING btree (state, table_name) WHERE ((state)::text = 'FAILED'::text);

CREATE INDEX _trigger_log_idx_created_at ON salesforce._trigger_log USING btree (created_at);

CREATE INDEX _trigger_log_idx_state_id ON salesforce._trigger_log USING btree (state, id);

CREATE INDEX _trigger_log_idx_state_table_name ON salesforce._trigger_log USING btree (state, table_name) WHERE (((state)::text = 'NEW'::text) OR ((state)::text = 'PENDING'::text));

CREATE INDEX hc_idx_account_parentid ON salesforce.account USING btree (parentid);

CREATE INDEX hc_idx_account_systemmodstamp ON salesforce.account USING btree (systemmodstamp);

CREATE INDEX hc_idx_event_participant__c_systemmodstamp ON salesforce.event_participant__c USING btree (systemmodstamp);

CREATE INDEX hc_idx_i_m__request_entity__c_i_m__to_request_bom__r__i_a84c ON salesforce.i_m__request_entity__c USING btree (i_m__to_request_bom__r__i_m__externalid__c);

CREATE INDEX hc_idx_i_m__request_entity__c_systemmodstamp ON salesforce.i_m__request_entity__c USING btree (systemmodstamp);

CREATE INDEX hc_idx_i_m__suggested_rental_entity__c_i_m__to_suggeste_fae1 ON salesforce.i_m__suggested_rental_entity__c USING btree (i_m__to_suggested_rental_set__c);

CREATE INDEX hc_idx_i_m__suggested_rental_entity__c_systemmodstamp ON salesforce.i_m__suggested_rental_entity__c USING btree (systemmodstamp);

CREATE INDEX hc_idx_user_systemmodstamp ON salesforce."user" USING btree (systemmodstamp);

CREATE UNIQUE INDEX hcu_idx_account_externalid__c ON salesforce.account USING btree (externalid__c);

CREATE UNIQUE INDEX hcu_idx_account_sfid ON salesforce.account USING btree (sfid);

CREATE UNIQUE INDEX hcu_idx_event_participant__c_sfid ON salesforce.event_participant__c USING btree (sfid);

CREATE UNIQUE INDEX hcu_idx_i_m__request_entity__c_sfid ON salesforce.i_m__request_entity__c USING btree (sfid);

CREATE UNIQUE INDEX hcu_idx_i_m__suggested_rental_entity__c_sfid ON salesforce.i_m__suggested_rental_entity__c USING btree (sfid);

CREATE UNIQUE INDEX hcu_idx_user_sfid ON salesforce."user" USING btree (sfid);

CREATE INDEX idx__sf_event_log_comp_key ON salesforce._sf_event_log USING btree (table_name, synced_at);

CREATE INDEX idx__sf_event_log_sfid ON salesforce._sf_event_log USING btree (sfid);

CREATE TRIGGER hc_account_logtrigger AFTER INSERT OR DELETE OR UPDATE ON salesforce.account FOR EACH ROW WHEN (((public.get_xmlbinary())::text = 'base64'::text)) EXECUTE FUNCTION salesforce.hc_account_logger();

CREATE TRIGGER hc_account_status_trigger BEFORE INSERT OR UPDATE ON salesforce.account FOR EACH ROW EXECUTE FUNCTION salesforce.hc_account_status();

CREATE TRIGGER hc_event_participant__c_logtrigger AFTER INSERT OR DELETE OR UPDATE ON salesforce.event_participant__c FOR EACH ROW WHEN (((public.get_xmlbinary())::text = 'base64'::text)) EXECUTE FUNCTION salesforce.hc_event_participant__c_logger();

CREATE TRIGGER hc_event_participant__c_status_trigger BEFORE INSERT OR UPDATE ON salesforce.event_participant__c FOR EACH ROW EXECUTE FUNCTION salesforce.hc_event_participant__c_status();

CREATE TRIGGER hc_i_m__request_entity__c_logtrigger AFTER INSERT OR DELETE OR UPDATE ON salesforce.i_m__request_entity__c FOR EACH ROW WHEN (((public.get_xmlbinary())::text = 'base64'::text)) EXECUTE FUNCTION salesforce.hc_i_m__request_entity__c_logger();

CREATE TRIGGER hc_i_m__request_entity__c_status_trigger BEFORE INSERT OR UPDATE ON salesforce.i_m__request_entity__c FOR EACH ROW EXECUTE FUNCTION salesforce.hc_i_m__request_entity__c_status();

CREATE TRIGGER hc_i_m__suggested_rental_entity__c_logtrigger AFTER INSERT OR DELETE OR UPDATE ON salesforce.i_m__suggested_rental_entity__c FOR EACH ROW WHEN (((public.get_xmlbinary())::text = 'base64'::text)) EXECUTE FUNCTION salesforce.hc_i_m__suggested_rental_entity__c_logger();

CREATE TRIGGER hc_i_m__suggested_rental_entity__c_status_trigger BEFORE INSERT OR UPDATE ON salesforce.i_m__suggested_rental_entity__c FOR EACH ROW EXECUTE FUNCTION salesforce.hc_i_m__suggested_rental_entity__c_status();

CREATE TRIGGER hc_user_logtrigger AFTER INSERT OR DELETE OR UPDATE ON salesforce."user" FOR EACH ROW WHEN (((public.get_xmlbinary())::text = 'base64'::text)) EXECUTE FUNCTION salesforce.hc_user_logger();

CREATE TRIGGER hc_user_status_trigger BEFORE INSERT OR UPDATE ON salesforce."user" FOR EACH ROW EXECUTE FUNCTION salesforce.hc_user_status();

CREATE TRIGGER tlog_insert_trigger AFTER INSERT ON salesforce._trigger_log FOR EACH ROW EXECUTE FUNCTION salesforce.tlog_notify_trigger();
