-- Wake-up: at most one notification per connection and interval, none while the relay is busy.
-- The mark is a sequence, because a sequence is changed outside the transaction and nobody waits for it:
--   last_value  the time, in milliseconds since 1970, until which no notification is needed
--   is_called   false while the relay is busy
--   increment   the interval in milliseconds
-- It runs on the real clock, not on hc_clock: it spaces notifications and decides nothing. Tests set the mark itself.
-- A notification only saves the relay from waiting for its next look at the log, so a mark that lasts too long costs latency only.

CREATE FUNCTION public.hc_quiet_name(schema name) RETURNS name
LANGUAGE sql IMMUTABLE STRICT AS $function$ SELECT ('hc_quiet_' || $1)::pg_catalog.name $function$;
COMMENT ON FUNCTION public.hc_quiet_name(name) IS 'Sequence in schema public that marks until when a connection needs no notification';

CREATE FUNCTION public.hc_quiet_create(schema name) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    EXECUTE pg_catalog.format($ddl$
CREATE SEQUENCE IF NOT EXISTS public.%1$I INCREMENT 10000;
COMMENT ON SEQUENCE public.%1$I IS %2$L;
$ddl$, public.hc_quiet_name(schema),
       'Until when the connection of schema ' || pg_catalog.quote_ident(schema) || ' needs no notification: last_value in milliseconds since 1970; '
       'is_called false while the relay is busy; the increment is the interval in milliseconds');
    PERFORM pg_catalog.setval(pg_catalog.format('public.%I', public.hc_quiet_name(schema))::pg_catalog.regclass, 1);
END
$function$;
COMMENT ON FUNCTION public.hc_quiet_create(name) IS 'Makes a connection''s mark, or clears it';

-- The portable body stands alone: it needs nothing of the extension.
CREATE FUNCTION public.hc_wakeup_create(schema name) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    PERFORM public.hc_quiet_create(schema);
    EXECUTE pg_catalog.format($ddl$
CREATE OR REPLACE FUNCTION %1$I.tlog_notify_trigger() RETURNS trigger
LANGUAGE plpgsql %3$s SET search_path = pg_catalog, pg_temp AS $body$
-- VERSION 1 --
DECLARE
    now_ms bigint;
    until_ms bigint;
    step_ms bigint;
BEGIN
    -- Null while the relay is busy. One expression, because PL/pgSQL prepares each anew in a transaction, and no query, which for each
    -- row took as long as the row.
    IF (CASE WHEN has_sequence_privilege(to_regclass(%2$L)::oid, 'UPDATE')
             THEN coalesce(pg_sequence_last_value(to_regclass(%2$L)) - date_part('epoch', clock_timestamp()) * 1000 BETWEEN 0 AND 3600000, true)
             ELSE false END) THEN
        RETURN NEW;
    END IF;
    IF NOT coalesce(has_sequence_privilege(to_regclass(%2$L)::oid, 'UPDATE'), false) THEN
        PERFORM pg_notify(%4$L, 'ping');
        RETURN NEW;
    END IF;
    -- Tried, never waited for: whoever holds it is announcing at this moment.
    IF pg_try_advisory_lock(18499, hashtext(%4$L)) THEN
        -- The time anew: one read before another announcer's mark would make that mark look too far ahead.
        now_ms = date_part('epoch', clock_timestamp()) * 1000;
        until_ms = pg_sequence_last_value(to_regclass(%2$L));
        SELECT s.seqincrement INTO step_ms FROM pg_sequence s WHERE s.seqrelid = to_regclass(%2$L);
        IF NOT (until_ms > now_ms AND until_ms <= now_ms + step_ms) THEN
            PERFORM setval(to_regclass(%2$L), now_ms + step_ms);
            PERFORM pg_notify(%4$L, 'ping');
        END IF;
        PERFORM pg_advisory_unlock(18499, hashtext(%4$L));
    END IF;
    RETURN NEW;
END
$body$;
REVOKE ALL ON FUNCTION %1$I.tlog_notify_trigger() FROM PUBLIC;
$ddl$, schema, pg_catalog.format('public.%I', public.hc_quiet_name(schema)),
       public.hc_security_clause(public.hc_schema_owner(schema)), schema || '.hc_trigger_log');
    PERFORM public.hc_wakeup_mode(schema, CASE WHEN public.hc_has_c_capture() THEN 'c' ELSE 'portable' END);
END
$function$;
COMMENT ON FUNCTION public.hc_wakeup_create(name) IS 'Makes the mark, tlog_notify_trigger and the trigger of the log that calls it';

CREATE FUNCTION public.hc_wakeup_mode(schema name, mode text) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    EXECUTE pg_catalog.format('CREATE OR REPLACE TRIGGER tlog_insert_trigger AFTER INSERT ON %I._trigger_log FOR EACH ROW EXECUTE FUNCTION %s',
        schema,
        CASE public.hc_check_capture_mode(mode) WHEN 'c' THEN 'public.hc_announce()'
             ELSE pg_catalog.format('%I.tlog_notify_trigger()', schema) END);
END
$function$;
COMMENT ON FUNCTION public.hc_wakeup_mode(name, text) IS 'Makes or replaces the trigger of a trigger log; mode is c or portable';

-- The relay says so when a write cycle begins and when it ends. After the end it looks at the log once more, because what
-- was committed meanwhile was not announced.
CREATE FUNCTION public.hc_busy(connection uuid, busy boolean) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    mark pg_catalog.regclass;
    until_ms bigint;
BEGIN
    SELECT pg_catalog.format('public.%I', public.hc_quiet_name(c.schema_name))::pg_catalog.regclass INTO mark
      FROM public.hc_connection c WHERE c.id = $1;
    IF mark IS NULL THEN
        RAISE EXCEPTION 'connection "%" does not exist', $1 USING ERRCODE = 'undefined_object';
    END IF;
    EXECUTE pg_catalog.format('SELECT last_value FROM %s', mark) INTO until_ms;
    PERFORM pg_catalog.setval(mark, until_ms, NOT $2);
END
$function$;
COMMENT ON FUNCTION public.hc_busy(uuid, boolean) IS
    'Marks a connection''s relay as busy (writers announce nothing) or idle again; takes effect at once, whatever the transaction does';
