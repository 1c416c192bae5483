-- Adoption: Heroku Connect's triggers become ours, one table at a time. A trigger is replaced in its place and under the table's
-- lock, so at no time do two capture one change, or none.

CREATE FUNCTION public.hc_adopt_undo_of(schema name, mapping uuid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT jsonb_build_object('mapping', m.id, 'table', m.table_name,
        'triggers', (SELECT coalesce(jsonb_agg(t.tgname), '[]') FROM pg_trigger t WHERE t.tgrelid = x.relation AND NOT t.tgisinternal),
        'logger', public.hc_adopt_function_definition(to_regprocedure(format('%I.%I()', $1, m.names ->> 'logger'))),
        'status', public.hc_adopt_function_definition(to_regprocedure(format('%I.%I()', $1, m.names ->> 'status'))),
        'log_trigger', (SELECT public.hc_adopt_trigger_definition(t.oid) FROM pg_trigger t WHERE t.tgrelid = x.relation AND t.tgname = m.names ->> 'log_trigger'),
        'status_trigger', (SELECT public.hc_adopt_trigger_definition(t.oid) FROM pg_trigger t WHERE t.tgrelid = x.relation AND t.tgname = m.names ->> 'status_trigger'))
      FROM public.hc_mapping m, LATERAL (SELECT to_regclass(format('%I.%I', $1, m.table_name)) AS relation) x WHERE m.id = $2
$function$;
COMMENT ON FUNCTION public.hc_adopt_undo_of(name, uuid) IS 'What undo puts back of one table: its functions and triggers as they are now; null for what it lacks';

CREATE FUNCTION public.hc_adopt_undo_of_schema(schema name) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT jsonb_build_object(
        'truncate', public.hc_adopt_function_definition(to_regprocedure(format('%I.hc_truncate_trigger()', $1))),
        'guard', public.hc_adopt_function_definition(to_regprocedure('public.get_xmlbinary()')),
        'notify', public.hc_adopt_function_definition(to_regprocedure(format('%I.tlog_notify_trigger()', $1))),
        'notify_trigger', (SELECT public.hc_adopt_trigger_definition(t.oid) FROM pg_trigger t
                            WHERE t.tgrelid = to_regclass(format('%I._trigger_log', $1)) AND t.tgname = 'tlog_insert_trigger'))
$function$;
COMMENT ON FUNCTION public.hc_adopt_undo_of_schema(name) IS 'What undo puts back of the schema: guard, notify function and the log''s trigger';

-- A disabled trigger stays disabled: somebody had a reason.
CREATE FUNCTION public.hc_adopt_keep_enabled(target text, trigger jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    IF trigger ->> 'enabled' <> 'O' THEN
        EXECUTE format('ALTER TABLE %s %s TRIGGER %I', target,
                       CASE trigger ->> 'enabled' WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, trigger ->> 'name');
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_keep_enabled(text, jsonb) IS 'Disables a trigger again, or gives it back its other firing mode';

CREATE FUNCTION public.hc_adopt_exchange(mapping uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    schema name := public.hc_mapping_schema(mapping);
    m public.hc_mapping := public.hc_mapping_row(mapping);
    before jsonb := public.hc_adopt_undo_of(schema, mapping);
    target text := format('%I.%I', schema, m.table_name);
BEGIN
    PERFORM public.hc_mapping_triggers_create(mapping);
    PERFORM public.hc_adopt_keep_enabled(target, before -> 'log_trigger'), public.hc_adopt_keep_enabled(target, before -> 'status_trigger');
    UPDATE public.hc_adoption a SET exchanged = array_append(array_remove(a.exchanged, m.id), m.id) WHERE a.connection = m.connection;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_exchange(uuid) IS 'Exchanges functions and triggers of one adopted table in their place';

-- Heroku Connect's guard looks through all settings of the server for each row; ours reads the one.
CREATE FUNCTION public.hc_adopt_guard() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    IF (SELECT p.prosrc !~ 'pg_settings' OR NOT pg_has_role(current_user, p.proowner, 'USAGE') FROM pg_proc p
         WHERE p.oid = to_regprocedure('public.get_xmlbinary()')) THEN
        RETURN false;
    END IF;
    CREATE OR REPLACE FUNCTION public.get_xmlbinary() RETURNS character varying LANGUAGE plpgsql VOLATILE AS
        $body$BEGIN RETURN pg_catalog.current_setting('xmlbinary'); END$body$;
    RETURN true;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_guard() IS 'Replaces Heroku Connect''s slow public.get_xmlbinary() by ours, if it is there and may be replaced';

CREATE FUNCTION public.hc_adopt_log_trigger(connection uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    schema name := (SELECT c.schema_name FROM public.hc_connection c WHERE c.id = $1);
    before jsonb := public.hc_adopt_undo_of_schema(schema);
BEGIN
    PERFORM public.hc_wakeup_create(schema);
    PERFORM public.hc_wakeup_mode(schema, public.hc_connection_capture_mode($1));
    EXECUTE format('ALTER FUNCTION %I.tlog_notify_trigger() OWNER TO %I', schema, public.hc_schema_owner(schema));
    PERFORM public.hc_adopt_keep_enabled(format('%I._trigger_log', schema), before -> 'notify_trigger');
    UPDATE public.hc_adoption a SET log_exchanged = true WHERE a.connection = $1;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_log_trigger(uuid) IS 'Exchanges notify function and trigger of an adopted log in their place';

CREATE PROCEDURE public.hc_adopt_triggers(connection uuid)
LANGUAGE plpgsql AS $procedure$
DECLARE
    adoption public.hc_adoption;
    m record;
BEGIN
    SELECT a.* INTO adoption FROM public.hc_adoption a WHERE a.connection = $1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'connection "%" was not adopted', $1
            USING ERRCODE = 'undefined_object', HINT = 'hc_adopt takes a schema over; its triggers are exchanged afterwards.';
    END IF;
    PERFORM public.hc_adopt_guard();
    COMMIT;
    FOR m IN SELECT h.id, pg_catalog.format('%I.%I', c.schema_name, h.table_name) AS target
               FROM public.hc_mapping h JOIN public.hc_connection c ON c.id OPERATOR(pg_catalog.=) h.connection
              WHERE h.connection OPERATOR(pg_catalog.=) $1 AND NOT h.id OPERATOR(pg_catalog.=) ANY (adoption.exchanged) ORDER BY h.table_name LOOP
        CALL public.hc_with_short_waits(pg_catalog.format('SELECT public.hc_adopt_exchange(%L)', m.id),
            pg_catalog.format('the triggers of table %s were not exchanged', m.target), 'Call it again; what was done stays done.');
    END LOOP;
    IF NOT adoption.log_exchanged THEN
        CALL public.hc_with_short_waits(pg_catalog.format('SELECT public.hc_adopt_log_trigger(%L)', $1),
            'the trigger of the trigger log was not exchanged', 'Call it again; what was done stays done.');
    END IF;
END
$procedure$;
COMMENT ON PROCEDURE public.hc_adopt_triggers(uuid) IS
    'Exchanges the triggers of an adopted connection, each table in a transaction of its own; called again, it goes on where it stopped';
