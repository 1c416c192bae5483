-- Generations: which log entries speak of the rows that a mapped table has now

CREATE FUNCTION public.hc_home(schema name) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    system text;
BEGIN
    BEGIN
        SELECT s.system_identifier::text INTO system FROM pg_control_system() s;
    EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
        NULL;   -- some hosts keep it from everybody
    END;
    RETURN concat_ws('/', system, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()),
                     to_regclass(format('%I._trigger_log', schema))::oid);
END
$$;
COMMENT ON FUNCTION public.hc_home(name) IS
    'Server, database and log of a schema: where any of them is another one, the tables were copied or restored together with the log, and their oids say nothing';

-- With no writer of the table about, the ids of all entries of its rows have been taken.
CREATE FUNCTION public.hc_last_entry(schema name) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last bigint;
BEGIN
    EXECUTE format('SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM %s',
                   (SELECT public.hc_log_sequence(c) FROM public.hc_connection c WHERE c.schema_name = schema)) INTO last;
    RETURN last;
END
$$;
COMMENT ON FUNCTION public.hc_last_entry(name) IS 'The last id that the trigger log of a schema has given';

CREATE FUNCTION public.hc_generation_begin(mapping uuid, reason text, since bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    schema name := public.hc_mapping_schema($1);
    present oid := to_regclass(format('%I.%I', schema, (public.hc_mapping_row($1)).table_name));
BEGIN
    since := coalesce(since, public.hc_last_entry(schema));
    INSERT INTO public.hc_generation (mapping, since, reason, table_oid, home, noticed_at)
        VALUES ($1, since, $2, present, public.hc_home(schema), CASE WHEN $2 IN ('made', 'taken over') THEN clock_timestamp() END);
    RETURN since;
END
$$;
COMMENT ON FUNCTION public.hc_generation_begin(uuid, text, bigint) IS
    'Begins a generation of a mapped table''s rows; since is the last log id of the one before, by default the last id that was given';

-- The TRUNCATE trigger calls it while the table is locked against everybody.
CREATE FUNCTION public.hc_rows_gone(relation regclass) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT public.hc_generation_begin(m.id, 'truncated')
      FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
      JOIN public.hc_connection c ON c.schema_name = n.nspname
      JOIN public.hc_mapping m ON m.connection = c.id AND m.table_name = t.relname
     WHERE t.oid = $1
$$;
COMMENT ON FUNCTION public.hc_rows_gone(regclass) IS 'Notes that a mapped table is being truncated: its log entries so far speak of rows that are gone';

CREATE FUNCTION public.hc_rows_since(mapping uuid) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((SELECT CASE WHEN g.reason = 'gone' THEN 9223372036854775807 ELSE g.since END
                       FROM public.hc_generation g WHERE g.mapping = $1 ORDER BY g.id DESC LIMIT 1), 0)
$$;
COMMENT ON FUNCTION public.hc_rows_since(uuid) IS 'Log entries above this id speak of the rows that a mapped table has now';

-- The bounds of one generation: an entry's row is the row of the same id only for entries of the same generation.
CREATE FUNCTION public.hc_generation_of(mapping uuid, entry bigint, OUT above bigint, OUT upto bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(max(g.since) FILTER (WHERE g.since < $2), 0), coalesce(min(g.since) FILTER (WHERE g.since >= $2), 9223372036854775807)
      FROM public.hc_generation g WHERE g.mapping = $1
$$;
COMMENT ON FUNCTION public.hc_generation_of(uuid, bigint) IS 'The log ids, above one and up to the other, of the entries that speak of the same generation of rows as this entry';

CREATE FUNCTION public.hc_capture_trouble(mapping uuid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    target text := format('%I.%I', public.hc_mapping_schema($1), m.table_name);
BEGIN
    IF to_regclass(target) IS NULL THEN
        RETURN CASE WHEN EXISTS (SELECT FROM public.hc_generation g WHERE g.mapping = $1)
                    THEN format('table %s is gone: restore it and call SELECT public.hc_mapping_triggers_create(%L), or load it anew with hc-relay mapping reload', target, $1) END;
    ELSIF NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = target::regclass AND t.tgname = m.names ->> 'log_trigger') THEN
        RETURN format('table %s has no trigger %I, so changes of it are not captured: SELECT public.hc_mapping_triggers_create(%L); '
                      'rows written meanwhile are sent with %I.hc_capture_insert_from_row', target, m.names ->> 'log_trigger', $1, public.hc_mapping_schema($1));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION public.hc_capture_trouble(uuid) IS 'Why changes of a mapped table are not captured, and what to do; null if they are';

-- What happens to the open entries of rows that are gone, in words.
CREATE FUNCTION public.hc_generation_tell(c public.hc_connection, m public.hc_mapping, g public.hc_generation) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unsent text;
    trouble text := public.hc_capture_trouble(m.id);
BEGIN
    EXECUTE format('SELECT string_agg(x.n || '' '' || x.action, '', '' ORDER BY x.action) FROM (
                        SELECT action, count(*) AS n FROM %I._trigger_log WHERE state IN (''NEW'', ''PENDING'') AND table_name = $1 AND id <= $2 GROUP BY action) x',
                   c.schema_name) INTO unsent USING m.table_name::text, g.since;
    PERFORM public.hc_raise(c.id, m.id, 'table-replaced', CASE WHEN trouble IS NOT NULL THEN 'error' ELSE 'warning' END,
        concat_ws(' ', format('Table %I.%I %s.', c.schema_name, m.table_name,
                      CASE g.reason WHEN 'truncated' THEN 'was truncated' WHEN 'gone' THEN 'is gone' ELSE 'was made anew' END),
                  CASE WHEN unsent IS NULL THEN 'No change of its old rows was waiting to be sent.'
                       ELSE format('Changes of its old rows that were waiting are still sent, and their answers touch no row: %s. '
                                   'To drop them: UPDATE %I._trigger_log SET state = ''IGNORE'' WHERE state = ''NEW'' AND table_name = %L AND id <= %s.',
                                   unsent, c.schema_name, m.table_name, g.since) END,
                  upper(left(trouble, 1)) || substr(trouble, 2) || '.'),
        jsonb_build_object('reason', g.reason, 'since', g.since, 'unsent', unsent));
    UPDATE public.hc_generation x SET noticed_at = clock_timestamp() WHERE x.id = g.id;
END
$$;
COMMENT ON FUNCTION public.hc_generation_tell(public.hc_connection, public.hc_mapping, public.hc_generation) IS
    'Tells once that a mapped table''s rows were replaced, and what becomes of the entries of the old ones';

CREATE FUNCTION public.hc_generation_look(c public.hc_connection, m public.hc_mapping, hold boolean DEFAULT true) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    target text := format('%I.%I', c.schema_name, m.table_name);
    present oid := to_regclass(target);
    here text := public.hc_home(c.schema_name);
    g public.hc_generation;
BEGIN
    IF present IS NOT NULL AND hold THEN
        -- Held to the end of the transaction: nobody truncates or drops the table between this look and what it leads to.
        EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', target);
        present := to_regclass(target);
    END IF;
    SELECT * INTO g FROM public.hc_generation x WHERE x.mapping = m.id ORDER BY x.id DESC LIMIT 1;
    IF g.id IS NULL THEN
        IF present IS NULL THEN
            RETURN 9223372036854775807;   -- not loaded yet
        END IF;
        RETURN public.hc_generation_begin(m.id, 'taken over', 0);
    ELSIF g.home <> here THEN
        -- A copy or a restore, which somebody has bound to this org: its tables and its log came together.
        UPDATE public.hc_generation x SET home = here, table_oid = present, reason = CASE WHEN present IS NULL THEN 'gone' WHEN x.reason = 'gone' THEN 'made anew' ELSE x.reason END
            WHERE x.id = g.id RETURNING x.* INTO g;
    ELSIF g.table_oid IS DISTINCT FROM present AND g.table_oid IS DISTINCT FROM to_regclass(target) THEN   -- the second: a load has published the table between the two looks
        present := to_regclass(target);
        PERFORM public.hc_generation_begin(m.id, CASE WHEN present IS NULL THEN 'gone' ELSE 'made anew' END);
        SELECT * INTO g FROM public.hc_generation x WHERE x.mapping = m.id ORDER BY x.id DESC LIMIT 1;
    END IF;
    IF g.noticed_at IS NULL THEN
        PERFORM public.hc_generation_tell(c, m, g);
    END IF;
    RETURN CASE WHEN g.reason = 'gone' THEN 9223372036854775807 ELSE g.since END;
END
$$;
COMMENT ON FUNCTION public.hc_generation_look(public.hc_connection, public.hc_mapping, boolean) IS
    'The log id above which entries speak of the present rows (hc_rows_since), after a look whether the table is still the same one; keeps it the same to the end of the transaction if hold.';

CREATE FUNCTION public.hc_generation_try(c public.hc_connection, m public.hc_mapping) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN public.hc_generation_look(c, m);
EXCEPTION WHEN lock_not_available THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION public.hc_generation_try(public.hc_connection, public.hc_mapping) IS
    'As hc_generation_look, but null when somebody has locked the whole table: what concerns its rows then waits.';
