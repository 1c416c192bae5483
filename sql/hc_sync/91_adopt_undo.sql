-- Adoption undone: until something was sent, merged or decided, everything can be put back as it was.

CREATE FUNCTION public.hc_adopt_final(connection uuid, reason text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $function$
    UPDATE public.hc_adoption a SET final_at = public.hc_clock(a.connection), final_reason = $2 WHERE a.connection = $1 AND a.final_at IS NULL
$function$;
COMMENT ON FUNCTION public.hc_adopt_final(uuid, text) IS 'Notes the first thing after which an adoption cannot be undone';

CREATE FUNCTION public.hc_adopt_put_back_function(was jsonb, now_named text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    IF jsonb_typeof(was) = 'object' THEN
        EXECUTE was ->> 'definition';
        EXECUTE format('%s EXECUTE ON FUNCTION %s %s PUBLIC', CASE WHEN (was ->> 'public')::boolean THEN 'GRANT' ELSE 'REVOKE' END, was ->> 'name',
                       CASE WHEN (was ->> 'public')::boolean THEN 'TO' ELSE 'FROM' END);
    ELSE
        EXECUTE 'DROP FUNCTION IF EXISTS ' || now_named;
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_put_back_function(jsonb, text) IS 'Makes a function as it was, with PUBLIC''s right to it, or drops what was not there';

CREATE FUNCTION public.hc_adopt_put_back_trigger(target text, was jsonb, now_named text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    IF jsonb_typeof(was) = 'object' THEN
        EXECUTE was ->> 'definition';
        PERFORM public.hc_adopt_keep_enabled(target, was);
    ELSE
        EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', now_named, target);
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_put_back_trigger(text, jsonb, text) IS 'Makes a trigger as it was, or drops what was not there';

CREATE FUNCTION public.hc_adopt_put_back_table(mapping uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row(mapping);
    schema name := public.hc_mapping_schema(mapping);
    target text := format('%I.%I', schema, m.table_name);
    was jsonb;
    ours name;
BEGIN
    SELECT u.value INTO was FROM public.hc_adoption a, jsonb_array_elements(a.undo -> 'mappings') u
     WHERE a.connection = m.connection AND u.value ->> 'mapping' = m.id::text;
    PERFORM public.hc_adopt_put_back_trigger(target, was -> 'log_trigger', m.names ->> 'log_trigger'),
            public.hc_adopt_put_back_trigger(target, was -> 'status_trigger', m.names ->> 'status_trigger');
    FOR ours IN SELECT t.tgname FROM pg_trigger t
                 WHERE t.tgrelid = target::regclass AND NOT t.tgisinternal AND t.tgname ~ '^hc_' AND NOT was -> 'triggers' ? t.tgname LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', ours, target);
    END LOOP;
    PERFORM public.hc_adopt_put_back_function(was -> 'logger', format('%I.%I()', schema, m.names ->> 'logger')),
            public.hc_adopt_put_back_function(was -> 'status', format('%I.%I()', schema, m.names ->> 'status'));
    UPDATE public.hc_adoption a SET exchanged = array_remove(a.exchanged, m.id) WHERE a.connection = m.connection;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_put_back_table(uuid) IS 'Puts functions and triggers of one table back as they were before it was adopted';

CREATE FUNCTION public.hc_adopt_check_undo(schema name) RETURNS public.hc_adoption
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    c public.hc_connection;
    adoption public.hc_adoption;
BEGIN
    -- FOR UPDATE waits for steps of a relay that are running now.
    SELECT h.* INTO c FROM public.hc_connection h WHERE h.schema_name = schema FOR UPDATE;
    SELECT a.* INTO adoption FROM public.hc_adoption a WHERE a.connection = c.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'schema "%" was not adopted', schema USING ERRCODE = 'undefined_object';
    ELSIF adoption.final_at IS NOT NULL THEN
        RAISE EXCEPTION 'the adoption of schema "%" cannot be undone any more', schema
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('%s (%s): Heroku Connect would not know of it.', adoption.final_reason, to_char(adoption.final_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')),
                  HINT = 'To end the sync, remove the connection: its tables stay.';
    END IF;
    RETURN adoption;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_check_undo(name) IS 'Refuses to undo an adoption after which something was sent, merged or decided';

CREATE FUNCTION public.hc_adopt_put_back_schema(schema name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    adoption public.hc_adoption := public.hc_adopt_check_undo(schema);
    made text;
    has_rows boolean;
BEGIN
    PERFORM public.hc_adopt_put_back_trigger(format('%I._trigger_log', schema), adoption.undo -> 'notify_trigger', 'tlog_insert_trigger');
    PERFORM public.hc_adopt_put_back_function(adoption.undo -> 'notify', format('%I.tlog_notify_trigger()', schema)),
            public.hc_adopt_put_back_function(adoption.undo -> 'truncate', format('%I.hc_truncate_trigger()', schema));
    IF jsonb_typeof(adoption.undo -> 'guard') = 'object' AND (SELECT pg_has_role(current_user, p.proowner, 'USAGE') FROM pg_proc p
                                                              WHERE p.oid = to_regprocedure('public.get_xmlbinary()')) THEN
        PERFORM public.hc_adopt_put_back_function(adoption.undo -> 'guard', 'public.get_xmlbinary()');
    END IF;
    -- Claimed, but never sent.
    EXECUTE format('UPDATE %I._trigger_log l SET state = ''NEW'' WHERE l.state = ''PENDING'' AND l.id IN (
                        SELECT e.log_id FROM public.hc_batch_entry e JOIN public.hc_batch b ON b.id = e.batch
                         WHERE b.connection = $1 AND b.first_sent_at IS NULL AND NOT e.applied)', schema) USING adoption.connection;
    FOR made IN SELECT t FROM jsonb_array_elements_text(adoption.plan -> 'make') AS tables(t) WHERE to_regclass(format('%I.%I', schema, t)) IS NOT NULL LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', schema, made) INTO has_rows;
        IF NOT has_rows THEN
            EXECUTE format('DROP TABLE %I.%I', schema, made);
        END IF;
    END LOOP;
    FOR made IN SELECT p.oid::regprocedure FROM pg_proc p
                 WHERE (adoption.plan ->> 'make_functions')::boolean AND p.pronamespace = to_regnamespace(quote_ident(schema)) AND p.proname ~ '^hc_capture_(insert|update)_from_row$' LOOP
        EXECUTE 'DROP FUNCTION ' || made;
    END LOOP;
    EXECUTE format('DROP SEQUENCE IF EXISTS public.%I', public.hc_quiet_name(schema));
    DELETE FROM public.hc_connection c WHERE c.id = adoption.connection;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_put_back_schema(name) IS 'The last step of undo: notify function, guard, tables that were made, and our catalog''s rows';

CREATE PROCEDURE public.hc_adopt_undo(schema name)
LANGUAGE plpgsql AS $procedure$
DECLARE
    adoption public.hc_adoption := public.hc_adopt_check_undo(schema);
    m record;
BEGIN
    -- A relay that leads now loses the lead with the epoch, and the next one finds the connection paused.
    UPDATE public.hc_connection c SET state = 'PAUSED', epoch = c.epoch OPERATOR(pg_catalog.+) 1 WHERE c.id OPERATOR(pg_catalog.=) adoption.connection;
    COMMIT;
    FOR m IN SELECT h.id, pg_catalog.format('%I.%I', schema, h.table_name) AS target FROM public.hc_mapping h
              WHERE h.connection OPERATOR(pg_catalog.=) adoption.connection ORDER BY h.table_name LOOP
        CALL public.hc_with_short_waits(pg_catalog.format('SELECT public.hc_adopt_put_back_table(%L)', m.id),
            pg_catalog.format('table %s was not put back', m.target), 'Call it again; what was done stays done.');
    END LOOP;
    CALL public.hc_with_short_waits(pg_catalog.format('SELECT public.hc_adopt_put_back_schema(%L)', schema),
        'the trigger log was not put back', 'Call it again; what was done stays done.');
END
$procedure$;
COMMENT ON PROCEDURE public.hc_adopt_undo(name) IS
    'Puts a schema back as it was before hc_adopt: functions, triggers, rights. Until the relay has sent or merged something; table by table';
