-- Capture: the two triggers of a mapped table; the third, for TRUNCATE, is in the next part. They keep name and definition in both modes and execute either the members
-- public.hc_capture() and public.hc_status(), in C, or the portable functions of the connection's schema.

CREATE FUNCTION public.hc_has_c_capture() RETURNS boolean
LANGUAGE sql STABLE AS $function$ SELECT pg_catalog.to_regprocedure('public.hc_capture()') IS NOT NULL $function$;
COMMENT ON FUNCTION public.hc_has_c_capture() IS 'Whether this database has capture in C';

-- A column that is being filled to take another's place is no field yet.
CREATE FUNCTION public.hc_uncaptured_columns(mapping uuid) RETURNS text
LANGUAGE sql STABLE AS $function$
    SELECT pg_catalog.concat_ws(', ', '''_hc_lastop'', ''_hc_err''',
        (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(h.new_column), ', ' ORDER BY h.new_column)
           FROM public.hc_column_change h WHERE h.mapping = $1 AND h.step <> 'validate'))
$function$;
COMMENT ON FUNCTION public.hc_uncaptured_columns(uuid) IS 'Columns of a mapped table that the portable logger leaves out, as a list of literals';

-- The portable bodies stand alone: they need hstore and public.get_xmlbinary(), nothing of the extension. They exchange datestyle and
-- extra_float_digits only in a session where these would show: attached to the function they were exchanged for each row. There
-- are few expressions and no variables for constants, because PL/pgSQL prepares each anew in every transaction.
CREATE FUNCTION public.hc_mapping_functions_create(mapping uuid) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    schema name := public.hc_mapping_schema($1);
    owner name := public.hc_schema_owner(schema);
    sends boolean := m.access = 'read_write';
BEGIN
    EXECUTE pg_catalog.format($ddl$
CREATE OR REPLACE FUNCTION %1$I.%2$I() RETURNS trigger
LANGUAGE plpgsql %4$s SET search_path = pg_catalog, pg_temp AS $body$
-- VERSION 4 --
DECLARE
    user_datestyle text;
    user_digits text;
    old_row %3$I.hstore;
    log_values text;
BEGIN
    IF current_setting('datestyle') NOT LIKE 'ISO%%' OR current_setting('extra_float_digits') NOT IN ('1', '2', '3') THEN
        user_datestyle = current_setting('datestyle');
        user_digits = current_setting('extra_float_digits');
        PERFORM set_config('datestyle', 'ISO', true), set_config('extra_float_digits', '1', true);
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO %1$I._trigger_log (id, txid, created_at, updated_at, state, action, table_name, record_id, "values")
        VALUES (nextval(%5$L::regclass), txid_current(), clock_timestamp(), NULL, %6$L, 'INSERT', TG_TABLE_NAME, NEW.id,
                %3$I.hstore(NEW.*) OPERATOR(%3$I.-) ARRAY[%9$s]);
    ELSIF TG_OP = 'UPDATE' THEN
        old_row = %3$I.hstore(OLD.*);
        log_values = (%3$I.hstore(NEW.*) OPERATOR(%3$I.-) old_row) OPERATOR(%3$I.-) ARRAY[%9$s];
        INSERT INTO %1$I._trigger_log (id, txid, created_at, updated_at, state, action, table_name, record_id, sfid, old, "values")
        VALUES (nextval(%5$L::regclass), txid_current(), clock_timestamp(), NULL, %8$s, 'UPDATE', TG_TABLE_NAME, NEW.id, OLD.sfid,
                old_row OPERATOR(%3$I.-) ARRAY[%9$s], log_values);
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO %1$I._trigger_log (id, txid, created_at, updated_at, state, action, table_name, record_id, sfid, old)
        VALUES (nextval(%5$L::regclass), txid_current(), clock_timestamp(), NULL, %7$s, 'DELETE', TG_TABLE_NAME, OLD.id, OLD.sfid,
                %3$I.hstore(OLD.*) OPERATOR(%3$I.-) ARRAY[%9$s]);
    END IF;
    IF user_datestyle IS NOT NULL THEN
        PERFORM set_config('datestyle', user_datestyle, true), set_config('extra_float_digits', user_digits, true);
    END IF;
    RETURN NULL;
END
$body$;
$ddl$, schema, m.names ->> 'logger', public.hc_hstore_schema(), public.hc_security_clause(owner),
       pg_catalog.format('%I._trigger_log_id_seq', schema), CASE WHEN sends THEN 'NEW' ELSE 'READONLY' END,
       CASE WHEN sends THEN 'CASE WHEN OLD.sfid IS NULL THEN ''IGNORE'' ELSE ''NEW'' END' ELSE '''READONLY''' END,
       CASE WHEN sends THEN 'CASE WHEN log_values = '''' THEN ''IGNORE'' ELSE ''NEW'' END' ELSE '''READONLY''' END,
       public.hc_uncaptured_columns($1));
    EXECUTE pg_catalog.format($ddl$
CREATE OR REPLACE FUNCTION %1$I.%2$I() RETURNS trigger
LANGUAGE plpgsql AS $body$
-- VERSION 4 --
BEGIN
    IF public.get_xmlbinary()::pg_catalog.text OPERATOR(pg_catalog.=) 'base64'::pg_catalog.text THEN  -- user op
        NEW._hc_lastop = 'PENDING';
        NEW._hc_err = NULL;
        RETURN NEW;
    ELSIF TG_OP OPERATOR(pg_catalog.=) 'UPDATE'::pg_catalog.text THEN  -- connect op
        IF NEW._hc_lastop IS NOT NULL
           AND NEW._hc_lastop::pg_catalog.text OPERATOR(pg_catalog.<>) OLD._hc_lastop::pg_catalog.text THEN
            RETURN NEW;
        END IF;
    END IF;
    NEW._hc_lastop = 'SYNCED';
    NEW._hc_err = NULL;
    RETURN NEW;
END
$body$;
$ddl$, schema, m.names ->> 'status');
    -- Or anyone could write the log through a trigger of his own. Firing a trigger needs no right on its function.
    EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %I.%I() FROM PUBLIC', schema, m.names ->> 'logger');
    IF owner <> current_user THEN
        EXECUTE pg_catalog.format('ALTER FUNCTION %I.%I() OWNER TO %I', schema, m.names ->> 'logger', owner);
        EXECUTE pg_catalog.format('ALTER FUNCTION %I.%I() OWNER TO %I', schema, m.names ->> 'status', owner);
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_functions_create(uuid) IS
    'Makes or replaces a mapping''s portable logger and status functions, for the access that it has now';

-- The initial state goes to the C function as an argument of the trigger: it is read without a look into any catalog, a dump
-- carries it, and replacing the trigger changes it at once.
CREATE FUNCTION public.hc_mapping_capture_mode(mapping uuid, mode text) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    schema name := public.hc_mapping_schema($1);
    target text := pg_catalog.format('%I.%I', schema, m.table_name);
    in_c boolean := public.hc_check_capture_mode(mode) = 'c';
BEGIN
    EXECUTE pg_catalog.format('CREATE OR REPLACE TRIGGER %I BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s',
        m.names ->> 'status_trigger', target,
        CASE WHEN in_c THEN 'public.hc_status()' ELSE pg_catalog.format('%I.%I()', schema, m.names ->> 'status') END);
    EXECUTE pg_catalog.format('CREATE OR REPLACE TRIGGER %I AFTER INSERT OR DELETE OR UPDATE ON %s FOR EACH ROW '
        'WHEN (public.get_xmlbinary()::pg_catalog.text OPERATOR(pg_catalog.=) ''base64''::pg_catalog.text) EXECUTE FUNCTION %s',
        m.names ->> 'log_trigger', target,
        CASE WHEN in_c THEN pg_catalog.format('public.hc_capture(%L)', CASE m.access WHEN 'read_write' THEN 'NEW' ELSE 'READONLY' END)
             ELSE pg_catalog.format('%I.%I()', schema, m.names ->> 'logger') END);
    PERFORM public.hc_truncate_trigger_create($1);
    -- No writer of the table is about: if it is another table than before, this is where its entries begin.
    PERFORM public.hc_generation_look(c, m, false) FROM public.hc_connection c WHERE c.id = m.connection;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_capture_mode(uuid, text) IS
    'Makes or replaces the two triggers of one mapped table, and the one for TRUNCATE; mode is c or portable';

CREATE FUNCTION public.hc_check_capture_mode(mode text) RETURNS text
LANGUAGE plpgsql STABLE AS $function$
BEGIN
    IF mode IS NULL OR mode NOT IN ('c', 'portable') THEN
        RAISE EXCEPTION 'capture mode must be c or portable, is %', pg_catalog.quote_nullable(mode)
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF mode = 'c' AND NOT public.hc_has_c_capture() THEN
        RAISE EXCEPTION 'this database has no capture in C'
            USING ERRCODE = 'undefined_function', HINT = 'Install the extension hc_sync, or use the mode portable.';
    END IF;
    RETURN mode;
END
$function$;
COMMENT ON FUNCTION public.hc_check_capture_mode(text) IS 'Refuses a capture mode that is none or that this database does not have';

CREATE FUNCTION public.hc_connection_capture_mode(connection uuid) RETURNS text
LANGUAGE sql STABLE AS $function$
    SELECT coalesce((SELECT c.settings ->> 'capture' FROM public.hc_connection c WHERE c.id = $1),
                    CASE WHEN public.hc_has_c_capture() THEN 'c' ELSE 'portable' END)
$function$;
COMMENT ON FUNCTION public.hc_connection_capture_mode(uuid) IS 'Capture mode of a connection: its setting "capture", by default c where there is one';

CREATE FUNCTION public.hc_mapping_triggers_create(mapping uuid) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    PERFORM public.hc_mapping_functions_create($1);
    PERFORM public.hc_mapping_capture_mode($1, public.hc_connection_capture_mode((public.hc_mapping_row($1)).connection));
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_triggers_create(uuid) IS
    'Makes or replaces functions and triggers of a mapped table in its place, for the mapping''s access and the connection''s capture mode';

-- Each wait is short, because new writers of the table queue up behind it, and there are many. A procedure that commits cannot pin
-- its search path, so operators say where they are.
CREATE PROCEDURE public.hc_with_short_waits(statement text, what text, otherwise text, wait text DEFAULT '2s')
LANGUAGE plpgsql AS $procedure$
BEGIN
    FOR attempt IN 1 .. 60 LOOP
        BEGIN
            PERFORM pg_catalog.set_config('lock_timeout', wait, true);
            EXECUTE statement;
            EXIT;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF attempt OPERATOR(pg_catalog.=) 60 THEN
                RAISE EXCEPTION '%: it is always in use', what USING ERRCODE = 'lock_not_available', HINT = otherwise;
            END IF;
        END;
        COMMIT;
        PERFORM pg_catalog.pg_sleep(0.5);
    END LOOP;
    COMMIT;
END
$procedure$;
COMMENT ON PROCEDURE public.hc_with_short_waits(text, text, text, text) IS
    'Executes a statement as a transaction of its own that lets others pass while it waits for its locks; what and otherwise are message and hint when it never gets them, wait is how long each try waits';

-- Each table in a transaction of its own, so that no two locks meet those of a writer.
CREATE PROCEDURE public.hc_capture_mode(connection uuid, mode text)
LANGUAGE plpgsql AS $procedure$
DECLARE
    mapping uuid;
    schema name;
BEGIN
    PERFORM public.hc_check_capture_mode(mode);
    UPDATE public.hc_connection c SET settings = c.settings || pg_catalog.jsonb_build_object('capture', hc_capture_mode.mode)
     WHERE c.id = $1 RETURNING c.schema_name INTO schema;
    IF schema IS NULL THEN
        RAISE EXCEPTION 'connection "%" does not exist', $1 USING ERRCODE = 'undefined_object';
    END IF;
    COMMIT;
    FOR mapping IN
        SELECT m.id FROM public.hc_mapping m
         WHERE m.connection = $1 AND pg_catalog.to_regclass(pg_catalog.format('%I.%I', schema, m.table_name)) IS NOT NULL
         ORDER BY m.table_name
    LOOP
        CALL public.hc_with_short_waits(pg_catalog.format('SELECT public.hc_mapping_triggers_create(%L)', mapping),
            pg_catalog.format('capture of table "%s.%s" was not switched', schema, (public.hc_mapping_row(mapping)).table_name),
            'Call hc_capture_mode again; tables that were switched stay so.');
    END LOOP;
    CALL public.hc_with_short_waits(pg_catalog.format('SELECT public.hc_wakeup_mode(%L, %L)', schema, mode),
        pg_catalog.format('the trigger of log "%s._trigger_log" was not switched', schema),
        'Call hc_capture_mode again; tables that were switched stay so.');
END
$procedure$;
COMMENT ON PROCEDURE public.hc_capture_mode(uuid, text) IS
    'Switches the triggers of a connection to c or portable, table by table; no change is lost and none is captured twice';
