-- TRUNCATE by a user: nothing captures it row by row, so the rows would be gone here and stay in Salesforce. A trigger of each mapped
-- table refuses it, or warns and lets it pass, as the connection's setting "truncate" says. Whoever truncates, the relay and a session
-- with xmlbinary = hex too, begins a new generation of rows: open log entries of the old rows must not meet new ones of the same id.

CREATE FUNCTION public.hc_truncate_policy(connection uuid) RETURNS text
LANGUAGE sql STABLE AS $function$
    SELECT coalesce((SELECT c.settings ->> 'truncate' FROM public.hc_connection c WHERE c.id = $1), 'refuse')
$function$;
COMMENT ON FUNCTION public.hc_truncate_policy(uuid) IS 'What TRUNCATE of a read-write mapped table does: refuse, or warn; the connection''s setting "truncate", by default refuse';

-- One function for all tables of a connection; the policy is in its text, so that changing it locks no table. It stands in the
-- connection's schema and works without the catalog too: a dump of the schema alone carries it.
CREATE FUNCTION public.hc_truncate_function_create(connection uuid) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    schema name := (SELECT c.schema_name FROM public.hc_connection c WHERE c.id = $1);
    owner name := public.hc_schema_owner(schema);
BEGIN
    EXECUTE pg_catalog.format($ddl$
CREATE OR REPLACE FUNCTION %1$I.hc_truncate_trigger() RETURNS trigger
LANGUAGE plpgsql %2$s SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    unsent bigint;
BEGIN
    IF TG_ARGV[0] = 'read_write' AND public.get_xmlbinary() = 'base64' THEN
        SELECT count(*) INTO unsent FROM %1$I._trigger_log l WHERE l.state IN ('NEW', 'PENDING') AND l.table_name = TG_TABLE_NAME;
        RAISE %3$s 'TRUNCATE of table "%%.%%" is not sent to Salesforce', TG_TABLE_SCHEMA, TG_TABLE_NAME
            USING ERRCODE = %4$L,
                  DETAIL = format('Its rows %5$s here and stay in Salesforce; they come back with the next reload. Changes of the table that are not sent yet: %%s.', unsent),
                  HINT = format('To delete the records in Salesforce too, use DELETE FROM %%1$I.%%2$I. To empty the table here only, '
                                'begin the transaction with SET LOCAL xmlbinary = hex.', TG_TABLE_SCHEMA, TG_TABLE_NAME);
    END IF;
    IF to_regprocedure('public.hc_rows_gone(regclass)') IS NOT NULL THEN
        PERFORM public.hc_rows_gone(TG_RELID);
    END IF;
    RETURN NULL;
END
$body$;
REVOKE ALL ON FUNCTION %1$I.hc_truncate_trigger() FROM PUBLIC;
$ddl$, schema, public.hc_security_clause(owner),
       CASE public.hc_truncate_policy($1) WHEN 'warn' THEN 'WARNING' ELSE 'EXCEPTION' END,
       CASE public.hc_truncate_policy($1) WHEN 'warn' THEN '01000' ELSE '55000' END,
       CASE public.hc_truncate_policy($1) WHEN 'warn' THEN 'are gone' ELSE 'would be gone' END);
    IF owner <> current_user THEN
        EXECUTE pg_catalog.format('ALTER FUNCTION %I.hc_truncate_trigger() OWNER TO %I', schema, owner);
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_truncate_function_create(uuid) IS
    'Makes or replaces the function of a connection''s TRUNCATE triggers, for its setting "truncate"';

CREATE FUNCTION public.hc_truncate(connection uuid, policy text) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    IF policy IS NULL OR policy NOT IN ('refuse', 'warn') THEN
        RAISE EXCEPTION 'TRUNCATE of mapped tables is to refuse or to warn, not %', pg_catalog.quote_nullable(policy)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE public.hc_connection c SET settings = c.settings || pg_catalog.jsonb_build_object('truncate', policy) WHERE c.id = $1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'connection "%" does not exist', $1 USING ERRCODE = 'undefined_object';
    END IF;
    PERFORM public.hc_truncate_function_create($1);
END
$function$;
COMMENT ON FUNCTION public.hc_truncate(uuid, text) IS
    'Sets what TRUNCATE of a connection''s read-write mapped tables does: refuse, or warn and let it pass; locks no table';

CREATE FUNCTION public.hc_truncate_trigger_create(mapping uuid) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    schema name := public.hc_mapping_schema($1);
BEGIN
    -- Two loads that end at the same time would both make it.
    PERFORM pg_catalog.pg_advisory_xact_lock(18499, pg_catalog.hashtext(schema || '.hc_truncate_trigger'));
    IF pg_catalog.to_regprocedure(pg_catalog.format('%I.hc_truncate_trigger()', schema)) IS NULL THEN
        PERFORM public.hc_truncate_function_create(m.connection);
    END IF;
    EXECUTE pg_catalog.format('CREATE OR REPLACE TRIGGER %I BEFORE TRUNCATE ON %I.%I FOR EACH STATEMENT EXECUTE FUNCTION %2$I.hc_truncate_trigger(%4$L)',
        coalesce(m.names ->> 'truncate_trigger', public.hc_object_names(m.table_name) ->> 'truncate_trigger'), schema, m.table_name, m.access);
END
$function$;
COMMENT ON FUNCTION public.hc_truncate_trigger_create(uuid) IS 'Makes or replaces the TRUNCATE trigger of a mapped table, for the access that the mapping has now';
