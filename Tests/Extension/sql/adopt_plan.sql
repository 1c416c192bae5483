-- The plan of an adoption, for schemas of every generation: what would be done, what is odd, and that saying so changes nothing.
-- All of it as a role that owns the schema and is no superuser.
\getenv inputdir PG_ABS_SRCDIR
\set heroku :inputdir /adopt/heroku.sql
\set canonical :inputdir /adopt/canonical.sql
\set shuffled :inputdir /adopt/shuffled.sql
\set readonly :inputdir /adopt/readonly.sql
\set crowded :inputdir /adopt/crowded.sql
\set first_generation :inputdir /adopt/first_generation.sql
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_keeper ROLE CURRENT_USER;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_keeper', current_database()); END $$;
GRANT CREATE ON SCHEMA public TO regress_keeper;
SELECT hc_grant_administration('regress_keeper');
DO $$ BEGIN EXECUTE format('GRANT regress_keeper TO %I', current_user); END $$;
SET ROLE regress_keeper;
\set ECHO none
\o /dev/null
\i :heroku
\set schema regress_2019
\i :canonical
\set schema regress_2016
\i :shuffled
\set schema regress_readonly
\i :readonly
\set schema regress_crowded
\i :crowded
\set schema regress_2013
\i :first_generation
\o
\set ECHO all
-- Times differ from run to run.
CREATE FUNCTION heroku.plan(schema name, configuration jsonb DEFAULT NULL) RETURNS TABLE (step text, detail text) LANGUAGE sql AS $$
    SELECT p.step, regexp_replace(p.detail, '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?', 'TIME', 'g') FROM public.hc_adopt($1, $2, true) p
$$;
CREATE FUNCTION heroku.catalogs() RETURNS text LANGUAGE sql AS $$
    SELECT md5(string_agg(x, ' ' ORDER BY x)) FROM (
        SELECT c.oid || c.relname || c.relfilenode || c.relowner || coalesce(c.relacl::text, '') || c.relhastriggers FROM pg_class c WHERE c.relpersistence = 'p'
        UNION ALL SELECT p.oid || p.prosrc || p.proowner || coalesce(p.proacl::text, '') FROM pg_proc p
        UNION ALL SELECT t.oid || t.tgname || t.tgenabled::text || t.tgfoid || t.tgtype FROM pg_trigger t
        UNION ALL SELECT 'connection ' || c.id FROM public.hc_connection c UNION ALL SELECT 'mapping ' || m.id FROM public.hc_mapping m
        UNION ALL SELECT 'batch ' || b.id FROM public.hc_batch b) AS everything(x)
$$;
\pset format unaligned
\pset fieldsep ': '
SELECT heroku.catalogs() AS before \gset
SELECT * FROM heroku.plan('regress_2019');
SELECT * FROM heroku.plan('regress_2016') WHERE step NOT IN ('setting', 'trigger');
SELECT * FROM heroku.plan('regress_readonly') WHERE step <> 'setting';
SELECT * FROM heroku.plan('regress_crowded') WHERE step NOT IN ('setting', 'trigger');
-- With the mapping file: it decides about access, fields, indexes and settings; what contradicts the tables is said.
SELECT * FROM heroku.plan('regress_2019', '{"version": 1, "connection": {"organization_id": "00Dxx0000009999EAC", "api_version": 58, "features": {"cdc_for_accelerated_polling": true}},
    "mappings": [
        {"object_name": "Account", "config": {"access": "read_only", "sf_polling_seconds": 300, "upsert_field": "ExternalId__c",
            "fields": {"Id": {}, "Name": {}, "SystemModstamp": {}, "IsDeleted": {}, "ExternalId__c": {}, "Removed__c": {}}, "indexes": {"ExternalId__c": {"unique": true}, "Name": {}}}},
        {"object_name": "Case", "config": {"fields": {"Subject": {}}}},
        {"object_name": "User", "config": {"fields": {"Username": {}}}}]}') WHERE step <> 'trigger';
-- The oldest form of the file says nothing about settings.
SELECT * FROM heroku.plan('regress_2016', '{"connection": {"app_name": "a", "exported_at": "2016-01-01", "organization_id": "00Dxx0000001gPL"},
    "mappings": [{"object_name": "I_M__Category__c", "config": {"access": "read_write", "fields": {"Name": {}, "I_M__Parent__r__I_M__ExternalId__c": {}}}}]}')
    WHERE step IN ('connection', 'setting', 'mapping', 'index');
SELECT heroku.catalogs() = :'before' AS nothing_changed;

-- Refused whole, with the reason.
SELECT * FROM hc_adopt('regress_2013', NULL, true);
SELECT * FROM hc_adopt('regress_nowhere');
SELECT * FROM hc_adopt('public');
CREATE SCHEMA regress_empty;
SELECT * FROM hc_adopt('regress_empty');
SELECT * FROM hc_adopt('regress_2019', '{"mappings": [{"object_name": "Account", "config": {"access": "rw", "fields": {}}}]}', true);
BEGIN;
ALTER TABLE regress_2019.contact DROP COLUMN _hc_err;
SELECT * FROM hc_adopt('regress_2019', NULL, true);
ROLLBACK;
BEGIN;
ALTER TABLE regress_2019.contact ALTER id DROP DEFAULT;
SELECT * FROM hc_adopt('regress_2019', NULL, true);
ROLLBACK;
BEGIN;
ALTER TABLE regress_2019._trigger_log DROP COLUMN old, DROP COLUMN txid;
SELECT * FROM hc_adopt('regress_2019', NULL, true);
ROLLBACK;
BEGIN;
ALTER TABLE regress_2019._trigger_log_archive DROP CONSTRAINT _trigger_log_archive_pkey;
SELECT * FROM hc_adopt('regress_2019', NULL, true);
ROLLBACK;
RESET ROLE;
CREATE ROLE regress_stranger ROLE CURRENT_USER;
DO $$ BEGIN EXECUTE format('GRANT regress_stranger TO %I', current_user); END $$;
GRANT regress_stranger TO regress_keeper;
GRANT CREATE ON SCHEMA regress_2019 TO regress_stranger;
ALTER TABLE regress_2019.contact OWNER TO regress_stranger;
REVOKE regress_stranger FROM regress_keeper;
SET ROLE regress_keeper;
SELECT * FROM hc_adopt('regress_2019', NULL, true);
RESET ROLE;
SELECT hc_grant_administration('regress_stranger');
SET ROLE regress_stranger;
SELECT * FROM hc_adopt('regress_2019', NULL, true);
RESET ROLE;
DROP SCHEMA regress_2019, regress_2016, regress_readonly, regress_crowded, regress_2013, regress_empty, heroku CASCADE;
DROP OWNED BY regress_keeper, regress_stranger;
DROP ROLE regress_keeper, regress_stranger;
