-- A connection's schema: trigger log, archive, metadata, event log, and the functions that applications call.
-- Nothing made here is a member of the extension: it is the user's, and outlives DROP EXTENSION.

-- hstore may live in any schema, so generated bodies name it.
CREATE FUNCTION public.hc_hstore_schema() RETURNS name
LANGUAGE sql STABLE AS $function$
    SELECT n.nspname
      FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace
     WHERE e.extname OPERATOR(pg_catalog.=) 'hstore'
$function$;
COMMENT ON FUNCTION public.hc_hstore_schema() IS 'Schema of the extension hstore';

CREATE FUNCTION public.hc_schema_owner(schema name) RETURNS name
LANGUAGE sql STABLE STRICT AS $function$
    SELECT pg_catalog.pg_get_userbyid(n.nspowner) FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) $1
$function$;
COMMENT ON FUNCTION public.hc_schema_owner(name) IS 'Role that owns a connection''s schema, log and mapped tables';

-- A definer function that a superuser owns would lend its rights to every caller, so such an owner gets invoker functions.
CREATE FUNCTION public.hc_security_clause(owner name) RETURNS text
LANGUAGE sql STABLE STRICT AS $function$
    SELECT CASE WHEN r.rolsuper THEN 'SECURITY INVOKER' ELSE 'SECURITY DEFINER' END
      FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) $1
$function$;
COMMENT ON FUNCTION public.hc_security_clause(name) IS 'SECURITY DEFINER, or SECURITY INVOKER where the owner is a superuser';

-- The guard between the user's and our own changes: the setting xmlbinary is base64 for a user and hex for us. In SQL and not
-- PL/pgSQL, so that the condition of a log trigger is evaluated inline.
-- In PL/pgSQL, as Heroku Connect's: the condition of the log trigger is planned anew for each statement, and a function in SQL would be
-- parsed and inlined there each time, which costs a single-row write a tenth of its rate. The C code knows the text.
CREATE FUNCTION public.hc_guard_create() RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    IF coalesce((SELECT p.prosrc = $body$SELECT pg_catalog.current_setting('xmlbinary')::pg_catalog.varchar$body$ -- of version 0.9
                        AND pg_catalog.pg_has_role(current_user, p.proowner, 'USAGE')
                   FROM pg_catalog.pg_proc p WHERE p.oid = pg_catalog.to_regprocedure('public.get_xmlbinary()')), true) THEN
        CREATE OR REPLACE FUNCTION public.get_xmlbinary() RETURNS character varying LANGUAGE plpgsql VOLATILE AS
            $body$BEGIN RETURN pg_catalog.current_setting('xmlbinary'); END$body$;
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_guard_create() IS 'Makes public.get_xmlbinary() where the database has none, or that of version 0.9';

CREATE FUNCTION public.hc_meta_table_create(schema name) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    EXECUTE pg_catalog.format($ddl$
CREATE TABLE %1$I._hcmeta (
    id serial CONSTRAINT _hcmeta_pkey PRIMARY KEY,
    hcver integer,
    org_id character varying(50),
    details text
);
$ddl$, schema);
END
$function$;
COMMENT ON FUNCTION public.hc_meta_table_create(name) IS 'Makes _hcmeta';

CREATE FUNCTION public.hc_event_log_create(schema name) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    EXECUTE pg_catalog.format($ddl$
CREATE TABLE %1$I._sf_event_log (
    id serial CONSTRAINT _sf_event_log_pkey PRIMARY KEY,
    table_name character varying(128),
    action character varying(7),
    synced_at timestamp with time zone DEFAULT pg_catalog.now(),
    sf_timestamp timestamp with time zone,
    sfid character varying(20),
    record text,
    processed boolean
);
CREATE INDEX idx__sf_event_log_comp_key ON %1$I._sf_event_log (table_name, synced_at);
CREATE INDEX idx__sf_event_log_sfid ON %1$I._sf_event_log (sfid);
$ddl$, schema);
END
$function$;
COMMENT ON FUNCTION public.hc_event_log_create(name) IS 'Makes _sf_event_log';

CREATE FUNCTION public.hc_log_create(schema name) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    EXECUTE pg_catalog.format($ddl$
CREATE TABLE %1$I._trigger_log (
    id serial CONSTRAINT _trigger_log_pkey PRIMARY KEY,
    txid bigint,
    created_at timestamp with time zone DEFAULT pg_catalog.now(),
    updated_at timestamp with time zone DEFAULT pg_catalog.now(),
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
CREATE INDEX _trigger_log_idx_created_at ON %1$I._trigger_log (created_at);
CREATE INDEX _trigger_log_idx_state_id ON %1$I._trigger_log (state, id);
CREATE INDEX _trigger_log_idx_state_table_name ON %1$I._trigger_log (state, table_name)
    WHERE state::text = 'NEW'::text OR state::text = 'PENDING'::text;
$ddl$, schema);
END
$function$;
COMMENT ON FUNCTION public.hc_log_create(name) IS 'Makes _trigger_log';

CREATE FUNCTION public.hc_archive_create(schema name) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    EXECUTE pg_catalog.format($ddl$
CREATE TABLE %1$I._trigger_log_archive (
    id integer CONSTRAINT _trigger_log_archive_pkey PRIMARY KEY,
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
CREATE INDEX _trigger_log_archive_idx_created_at ON %1$I._trigger_log_archive (created_at);
CREATE INDEX _trigger_log_archive_idx_record_id ON %1$I._trigger_log_archive (record_id);
CREATE INDEX _trigger_log_archive_idx_state_table_name ON %1$I._trigger_log_archive (state, table_name)
    WHERE state::text = 'FAILED'::text;
$ddl$, schema);
END
$function$;
COMMENT ON FUNCTION public.hc_archive_create(name) IS 'Makes _trigger_log_archive';

CREATE FUNCTION public.hc_log_tables_create(schema name) RETURNS void
LANGUAGE sql AS $function$
    SELECT public.hc_meta_table_create($1), public.hc_event_log_create($1), public.hc_log_create($1), public.hc_archive_create($1)
$function$;
COMMENT ON FUNCTION public.hc_log_tables_create(name) IS 'Makes _hcmeta, _sf_event_log, _trigger_log and _trigger_log_archive';

-- Of 32 bits, as Heroku Connect's, unless the connection was changed by hc_bigint.
CREATE FUNCTION public.hc_id_type(schema name) RETURNS text
LANGUAGE sql STABLE STRICT AS $function$
    SELECT CASE WHEN EXISTS (SELECT FROM public.hc_connection c WHERE c.schema_name OPERATOR(pg_catalog.=) $1
                                AND c.settings OPERATOR(pg_catalog.->>) 'bigint_ids' OPERATOR(pg_catalog.=) 'true') THEN 'bigint' ELSE 'integer' END
$function$;
COMMENT ON FUNCTION public.hc_id_type(name) IS 'Type of ids of new tables of a connection''s schema, and of what its capture functions return: the setting bigint_ids';

CREATE FUNCTION public.hc_capture_functions_create(schema name) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    EXECUTE pg_catalog.format($ddl$
CREATE OR REPLACE FUNCTION %1$I.hc_capture_insert_from_row(source_row %2$I.hstore, table_name character varying,
                                                           excluded_cols text[] DEFAULT ARRAY[]::text[]) RETURNS %3$s
LANGUAGE plpgsql AS $body$
-- VERSION 1 --
DECLARE
    excluded text[] := pg_catalog.array_remove(pg_catalog.array_remove(
                           coalesce(excluded_cols, ARRAY[]::text[]), 'id'), 'sfid')
                       OPERATOR(pg_catalog.||) ARRAY['_hc_lastop', '_hc_err'];
    log_id %3$s;
BEGIN
    IF (source_row OPERATOR(%2$I.->) 'id'::text) IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO %1$I._trigger_log (action, table_name, txid, created_at, state, record_id, "values")
         VALUES ('INSERT', hc_capture_insert_from_row.table_name, pg_catalog.txid_current(), pg_catalog.clock_timestamp(), 'NEW',
                 (source_row OPERATOR(%2$I.->) 'id'::text)::%3$s, (source_row OPERATOR(%2$I.-) excluded)::text)
      RETURNING id INTO log_id;
    RETURN log_id;
END
$body$;
CREATE OR REPLACE FUNCTION %1$I.hc_capture_update_from_row(source_row %2$I.hstore, table_name character varying,
                                                           columns_to_include text[] DEFAULT ARRAY[]::text[]) RETURNS %3$s
LANGUAGE plpgsql AS $body$
-- VERSION 1 --
DECLARE
    excluded text[] := ARRAY['_hc_lastop', '_hc_err'];
    log_id %3$s;
BEGIN
    IF (source_row OPERATOR(%2$I.->) 'id'::text) IS NULL THEN
        RETURN NULL;
    END IF;
    IF pg_catalog.array_length(columns_to_include, 1) OPERATOR(pg_catalog.<>) 0 THEN
        excluded := excluded OPERATOR(pg_catalog.||) ARRAY(
            SELECT column_name FROM %2$I.skeys(source_row) AS keys(column_name)
             WHERE NOT coalesce(column_name OPERATOR(pg_catalog.=) ANY (columns_to_include), false));
    END IF;
    INSERT INTO %1$I._trigger_log (action, table_name, txid, created_at, state, record_id, sfid, "values")
         VALUES ('UPDATE', hc_capture_update_from_row.table_name, pg_catalog.txid_current(), pg_catalog.clock_timestamp(), 'NEW',
                 (source_row OPERATOR(%2$I.->) 'id'::text)::%3$s, source_row OPERATOR(%2$I.->) 'sfid'::text,
                 (source_row OPERATOR(%2$I.-) excluded)::text)
      RETURNING id INTO log_id;
    RETURN log_id;
END
$body$;
$ddl$, schema, public.hc_hstore_schema(), public.hc_id_type(schema));
END
$function$;
COMMENT ON FUNCTION public.hc_capture_functions_create(name) IS
    'Makes hc_capture_insert_from_row and hc_capture_update_from_row, with which applications capture a row again';

CREATE FUNCTION public.hc_connection_give_to_owner(schema name) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    owner name := public.hc_schema_owner(schema);
    statement text;
BEGIN
    IF owner = current_user THEN
        RETURN;
    END IF;
    FOR statement IN
        SELECT pg_catalog.format('ALTER TABLE %I.%I OWNER TO %I', schema, table_name, owner)
          FROM pg_catalog.unnest(ARRAY['_hcmeta', '_sf_event_log', '_trigger_log', '_trigger_log_archive']) AS tables(table_name)
        UNION ALL
        SELECT pg_catalog.format('ALTER FUNCTION %s OWNER TO %I', p.oid::pg_catalog.regprocedure, owner)
          FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname = schema
           AND p.proname IN ('tlog_notify_trigger', 'hc_capture_insert_from_row', 'hc_capture_update_from_row')
        UNION ALL
        SELECT pg_catalog.format('ALTER SEQUENCE public.%I OWNER TO %I', public.hc_quiet_name(schema), owner)
    LOOP
        EXECUTE statement;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION public.hc_connection_give_to_owner(name) IS
    'Gives what a connection''s schema was made with to the schema''s owner';

CREATE FUNCTION public.hc_connection_create(schema name, organization_id text DEFAULT NULL, api_version text DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
    new_connection uuid;
BEGIN
    PERFORM public.hc_check_schema_name($1);
    IF EXISTS (SELECT FROM public.hc_connection c WHERE c.schema_name = $1) THEN
        RAISE EXCEPTION 'schema "%" already has a connection', $1
            USING ERRCODE = 'duplicate_object', HINT = 'Use another schema, or remove that connection first.';
    ELSIF pg_catalog.to_regclass(pg_catalog.format('%I._trigger_log', $1)) IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" already has a trigger log', $1
            USING ERRCODE = 'duplicate_table', HINT = 'A schema that was synced before is taken over with hc_adopt.';
    ELSIF $3 IS NOT NULL AND $3 !~ '^[0-9]{2,3}(\.[0-9])?$' THEN
        RAISE EXCEPTION 'API version "%" is not a version', $3
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Write it like 61.0.';
    END IF;

    IF public.hc_schema_owner($1) IS NULL THEN
        -- A superuser makes it for the owner of the database, who then needs no superuser to administer it.
        EXECUTE pg_catalog.format('CREATE SCHEMA %I AUTHORIZATION %I', $1, CASE
            WHEN (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)
            THEN (SELECT pg_catalog.pg_get_userbyid(d.datdba) FROM pg_catalog.pg_database d
                   WHERE d.datname = pg_catalog.current_database())
            ELSE current_user END);
    END IF;
    INSERT INTO public.hc_connection (schema_name, organization_id, api_version)
         VALUES ($1, $2, CASE WHEN $3 LIKE '%.%' THEN $3 ELSE $3 || '.0' END)
      RETURNING id INTO new_connection;

    PERFORM public.hc_guard_create();
    PERFORM public.hc_log_tables_create($1);
    EXECUTE pg_catalog.format('INSERT INTO %I._hcmeta (hcver, org_id, details) VALUES (1, $1, $2)', $1) USING $2, '{}';
    PERFORM public.hc_capture_functions_create($1);
    PERFORM public.hc_wakeup_create($1);
    PERFORM public.hc_connection_give_to_owner($1);
    IF NOT pg_catalog.has_table_privilege(public.hc_schema_owner($1), 'public.hc_connection', 'INSERT') THEN
        PERFORM public.hc_grant_administration(public.hc_schema_owner($1));
    END IF;
    UPDATE public.hc_connection c SET identity = public.hc_identity($1) || pg_catalog.jsonb_build_object('bound_at', pg_catalog.clock_timestamp())
     WHERE c.id = new_connection;
    RETURN new_connection;
END
$function$;
COMMENT ON FUNCTION public.hc_connection_create(name, text, text) IS
    'Makes the schema where it is missing, and in it the trigger log and all that belongs to a connection; answers its id';
