-- Steps: what every function of the protocol begins with

CREATE FUNCTION public.hc_step(connection uuid, epoch bigint) RETURNS public.hc_connection
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection;
BEGIN
    -- KEY SHARE waits for, and is waited for by, hc_lead alone: a step of the old epoch is over before the new one begins.
    SELECT * INTO c FROM public.hc_connection h WHERE h.id = hc_step.connection FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'connection % does not exist', hc_step.connection
            USING ERRCODE = 'HC002', HINT = 'List the connections with: hc-relay connection list';
    END IF;
    IF c.epoch IS DISTINCT FROM hc_step.epoch THEN
        RAISE EXCEPTION 'another relay serves connection % since epoch %', hc_step.connection, c.epoch
            USING ERRCODE = 'HC001', DETAIL = format('This call came with epoch %s.', hc_step.epoch);
    END IF;
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    PERFORM set_config('lock_timeout', '500ms', true);
    RETURN c;
END
$$;
COMMENT ON FUNCTION public.hc_step(uuid, bigint) IS
    'Begins a step of the relay: refuses a stale epoch (HC001), makes the commit durable whatever the database defaults to, and never waits long for a lock.';

CREATE FUNCTION public.hc_writes_rows() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    -- Local to the transaction, not to a function: deferred triggers of the user must see it too.
    SELECT set_config('xmlbinary', 'hex', true), set_config('datestyle', 'ISO, MDY', true), set_config('timezone', 'UTC', true)
$$;
COMMENT ON FUNCTION public.hc_writes_rows() IS
    'Says for the rest of the transaction that the relay writes mapped rows: nothing is captured (xmlbinary = hex).';

-- Triggers of the user run inside our statements, and call get_xmlbinary() and functions of their own without a schema, as they may
-- in a session of Heroku Connect. Our functions pin their path; what they write into tables of the connection's schema they write
-- under the path that the database or the role gives to every session, behind pg_catalog. No SET of its own: the path lasts as long
-- as the function that calls this one.
CREATE FUNCTION public.hc_use_application_path() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    path text := pg_catalog.current_setting('hc_relay.application_path', true);
BEGIN
    IF path IS NULL OR path OPERATOR(pg_catalog.=) ''::text THEN
        SELECT pg_catalog.concat_ws(', ', 'pg_catalog', nullif(s.reset_val, '')) INTO path
          FROM pg_catalog.pg_settings s WHERE s.name OPERATOR(pg_catalog.=) 'search_path'::text;
        PERFORM pg_catalog.set_config('hc_relay.application_path', path, false);
    END IF;
    PERFORM pg_catalog.set_config('search_path', path, true);
END
$$;
COMMENT ON FUNCTION public.hc_use_application_path() IS
    'Gives the rest of the calling function the session''s own search_path, for statements that fire triggers of the user.';

CREATE FUNCTION public.hc_mapping_of(connection uuid, mapping uuid) RETURNS public.hc_mapping
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m public.hc_mapping;
BEGIN
    SELECT * INTO m FROM public.hc_mapping h WHERE h.id = hc_mapping_of.mapping AND h.connection = hc_mapping_of.connection;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'mapping % does not exist in connection %', hc_mapping_of.mapping, hc_mapping_of.connection
            USING ERRCODE = 'HC002', HINT = 'It may have been removed. List the mappings with: hc-relay mapping list';
    END IF;
    RETURN m;
END
$$;
COMMENT ON FUNCTION public.hc_mapping_of(uuid, uuid) IS 'The mapping, which must belong to the connection (HC002).';

-- hstore may be in another schema than public: its functions are named where they are now. The first is inlined.
DO $do$
BEGIN
    EXECUTE format($ddl$
CREATE FUNCTION public.hc_pairs(captured text) RETURNS TABLE (key text, value text)
LANGUAGE sql IMMUTABLE AS $$
    SELECT e.key, e.value FROM %1$I.each(captured::%1$I.hstore) e
$$;
CREATE FUNCTION public.hc_pairs_text(keys text[], vals text[]) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT %1$I.hstore(keys, vals)::text
$$;
$ddl$, public.hc_hstore_schema());
END
$do$;
COMMENT ON FUNCTION public.hc_pairs(text) IS 'The keys and values of a log entry''s hstore text.';
COMMENT ON FUNCTION public.hc_pairs_text(text[], text[]) IS 'Keys and values as a log entry''s hstore text.';

CREATE FUNCTION public.hc_setting(c public.hc_connection, name text, otherwise text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(c.settings ->> name, otherwise)
$$;
COMMENT ON FUNCTION public.hc_setting(public.hc_connection, text, text) IS 'A setting of the connection, or the default.';

CREATE FUNCTION public.hc_later(attempt integer, base interval DEFAULT '1 second', cap interval DEFAULT '120 seconds') RETURNS interval
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT random() * least(cap, base * power(2, least(attempt, 20)))
$$;
COMMENT ON FUNCTION public.hc_later(integer, interval, interval) IS
    'How long to wait before the given attempt: exponential with full jitter, up to the cap.';
