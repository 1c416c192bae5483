-- The protocol and the administration under a path on which a hostile schema comes first, and with hostile temporary objects.
\set SHOW_CONTEXT never
-- Which functions have no path of their own: procedures, which commit, SQL that is inlined, and what fires triggers of the user.
SELECT p.proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE p.pronamespace = 'public'::regnamespace AND p.proname ~ '^hc_' AND l.lanname = 'plpgsql' AND p.prokind = 'f'
   AND NOT EXISTS (SELECT FROM unnest(p.proconfig) s WHERE s ~ '^search_path=.*pg_temp') ORDER BY 1;
-- Nothing of ours runs with another's rights but capture, which runs as the owner of the log.
SELECT p.oid::regprocedure FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace AND p.proname ~ '^hc_' ORDER BY 1;

CREATE SCHEMA hostile;
CREATE FUNCTION hostile.harm() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'hostile code ran'; END $$;
DO $$
DECLARE
    arguments text;
BEGIN
    -- What the bodies use without a schema, with more exact types than those of pg_catalog where there are any.
    FOREACH arguments IN ARRAY ARRAY['format(text, name)', 'format(text, name, name)', 'format(text, text)', 'quote_ident(name)', 'lower(name)', 'to_regclass(name)',
            'clock_timestamp()', 'pg_notify(text, text)', 'set_config(text, text, boolean)', 'hc_clock(uuid)', 'hc_raise(uuid, uuid, text, text, text)',
            'jsonb_build_object(text, uuid)', 'pg_try_advisory_lock(bigint)', 'hc_step(uuid, bigint)', 'get_xmlbinary()'] LOOP
        EXECUTE format('CREATE FUNCTION hostile.%s RETURNS text LANGUAGE sql AS $f$ SELECT hostile.harm() $f$', arguments);
    END LOOP;
END $$;
CREATE FUNCTION hostile.equal(name, name) RETURNS boolean LANGUAGE sql AS $$ SELECT hostile.harm() IS NULL $$;
CREATE FUNCTION hostile.equal(uuid, uuid) RETURNS boolean LANGUAGE sql AS $$ SELECT hostile.harm() IS NULL $$;
CREATE FUNCTION hostile.equal(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT hostile.harm() IS NULL $$;
CREATE OPERATOR hostile.= (LEFTARG = name, RIGHTARG = name, FUNCTION = hostile.equal);
CREATE OPERATOR hostile.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = hostile.equal);
CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.equal);
CREATE TABLE hostile.hc_connection (id uuid);
CREATE TABLE hostile._trigger_log (id integer);
CREATE TEMP TABLE hc_mapping (id uuid);
CREATE TEMP TABLE pg_class (oid oid);

SELECT regress_account() AS description \gset
SET search_path = hostile, pg_temp, pg_catalog, public;
-- The schema does shadow what it means to shadow.
SELECT 'a'::name = 'a'::name;
SELECT public.hc_connection_create('walked') AS c \gset
SELECT public.hc_mapping_create(:'c', 'Account', '{"access": "read_write", "fields": {"Name": {}}}', :'description') AS m \gset
SELECT public.hc_lead(:'c', 'regress') AS e \gset
SELECT public.hc_identify(:'c', :e, '00Dxx0000001gPLEAY', '005xx000001Sv6AAAS', pg_catalog.clock_timestamp(), true);
INSERT INTO walked.account (name) VALUES ('one');
SELECT public.hc_claim(:'c', :e) ->> 'batch' AS b \gset
SELECT public.hc_sent(:'c', :e, :b);
SELECT public.hc_answer(:'c', :e, :b, 'answered', '{"results": [{"id": "001xx000003DGb2AAG", "success": true, "created": true, "errors": []}]}');
SELECT public.hc_apply(:'c', :e, :b) IS NOT NULL AS applied;
SELECT public.hc_work(:'c', :e) IS NOT NULL AS work;
SELECT public.hc_housekeeping(:'c', :e) IS NOT NULL AS kept;
SELECT public.hc_cycle_done(:'c', :e), public.hc_busy(:'c', false);
SELECT public.hc_status(:'c') ->> 'state' AS state;
SELECT public.hc_fence_advance(:'c', :e, '{"keeper": "k"}', 'v') IS NOT NULL AS advanced;
SELECT public.hc_rebind(:'c');
SELECT name, sfid, _hc_lastop FROM walked.account;
SELECT public.hc_mapping_drop(:'m', true);
RESET search_path;
DROP TABLE pg_temp.hc_mapping, pg_temp.pg_class;
SET client_min_messages = warning;
DELETE FROM hc_connection WHERE id = :'c';
DROP SCHEMA walked, hostile CASCADE;
DROP SEQUENCE hc_quiet_walked;
