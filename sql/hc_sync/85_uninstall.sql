-- From the extension to what the portable bundle would have made: capture in PL/pgSQL, and a catalog that is no member any more.

CREATE FUNCTION public.hc_leave_extension() RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    owner name;
    statements text[];
    statement text;
BEGIN
    SELECT pg_catalog.pg_get_userbyid(d.datdba) INTO owner FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database();
    SELECT pg_catalog.array_agg(s) INTO statements FROM (
        SELECT s FROM public.hc_members_to_owner(owner) AS given(s)
        UNION ALL
        SELECT pg_catalog.format('ALTER EXTENSION hc_sync DROP %s %s', m.kind, m.identity)
          FROM public.hc_members() m WHERE NOT public.hc_is_in_c(m.class, m.object)) AS all_of_them(s);
    FOREACH statement IN ARRAY coalesce(statements, '{}') LOOP
        EXECUTE statement;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION public.hc_leave_extension() IS
    'Takes all but the functions in C out of the extension hc_sync and gives it to the owner of the database; for a superuser';

CREATE PROCEDURE public.hc_uninstall()
LANGUAGE plpgsql AS $procedure$
DECLARE
    connection uuid;
    left_over text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'hc_sync') THEN
        RAISE EXCEPTION 'the extension hc_sync is not installed in this database'
            USING ERRCODE = 'undefined_object', DETAIL = 'HC Sync is here as the portable bundle, which needs no extension.';
    END IF;
    FOR connection IN SELECT c.id FROM public.hc_connection c ORDER BY c.schema_name LOOP
        CALL public.hc_capture_mode(connection, 'portable');
    END LOOP;
    SELECT pg_catalog.string_agg(pg_catalog.format('DROP TRIGGER %I ON %s;', t.tgname, t.tgrelid::pg_catalog.regclass), ' '
                                 ORDER BY t.tgrelid::pg_catalog.regclass::text, t.tgname) INTO left_over
      FROM pg_catalog.pg_trigger t JOIN public.hc_members() m ON m.object = t.tgfoid AND public.hc_is_in_c(m.class, m.object);
    IF left_over IS NOT NULL THEN
        RAISE EXCEPTION 'triggers that belong to no mapping execute functions in C'
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = left_over, HINT = 'Drop them or exchange them, then call hc_uninstall again.';
    END IF;
    COMMIT;
    IF NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) THEN
        RAISE NOTICE 'capture is portable now; only a superuser can take the catalog out of the extension'
            USING HINT = 'As a superuser: CALL public.hc_uninstall(); DROP EXTENSION hc_sync;';
        RETURN;
    END IF;
    -- The catalog's tables are locked for a moment, and a relay at work uses them in many orders.
    CALL public.hc_with_short_waits('SELECT public.hc_leave_extension()', 'the catalog was not taken out of the extension',
        'Capture is portable now. Stop the relay, and call hc_uninstall again.', wait => '500ms');
    RAISE NOTICE 'all that is left in the extension is capture in C, which no table uses'
        USING HINT = 'DROP EXTENSION hc_sync;';
END
$procedure$;
COMMENT ON PROCEDURE public.hc_uninstall() IS
    'Makes of the extension what the portable bundle would have made: capture table by table, then the catalog; DROP EXTENSION hc_sync loses nothing then. Not inside a transaction block';
