-- After an upgrade: what an older version generated in the schemas of connections is generated anew. An upgrade script cannot do it,
-- because what it creates becomes a member of the extension, and nothing in a connection's schema may.

CREATE FUNCTION public.hc_refresh_schema(connection uuid) RETURNS void
LANGUAGE plpgsql SET client_min_messages = warning AS $function$
DECLARE
    schema name;
BEGIN
    SELECT c.schema_name INTO schema FROM public.hc_connection c WHERE c.id = $1;
    PERFORM public.hc_guard_create();
    PERFORM public.hc_capture_functions_create(schema);
    PERFORM public.hc_wakeup_create(schema);
    PERFORM public.hc_truncate_function_create($1);
    PERFORM public.hc_connection_give_to_owner(schema);
END
$function$;
COMMENT ON FUNCTION public.hc_refresh_schema(uuid) IS 'Generates the functions of a connection''s schema anew, those of mapped tables aside';

CREATE PROCEDURE public.hc_refresh()
LANGUAGE plpgsql AS $procedure$
DECLARE
    connection uuid;
BEGIN
    FOR connection IN
        SELECT c.id FROM public.hc_connection c WHERE c.generated_by IS DISTINCT FROM public.hc_version() ORDER BY c.schema_name
    LOOP
        CALL public.hc_with_short_waits(pg_catalog.format('SELECT public.hc_refresh_schema(%L)', connection),
            'the functions of the connection''s schema were not made anew', 'Call hc_refresh again.');
        CALL public.hc_capture_mode(connection, public.hc_connection_capture_mode(connection));
        UPDATE public.hc_connection SET generated_by = public.hc_version() WHERE id = connection;
        COMMIT;
    END LOOP;
END
$procedure$;
COMMENT ON PROCEDURE public.hc_refresh() IS
    'After an upgrade: generates the functions and triggers in the schemas of connections anew, table by table; not inside a transaction block';
