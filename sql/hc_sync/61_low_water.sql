-- Low water: the trigger-log id from which claims start
--
-- The index of the log keeps an entry for each change that ever was NEW until vacuum removes it, and vacuum can't while anybody holds an
-- older snapshot. A claim that began at the first of them would pass millions of dead entries; so it begins at an id below which nothing
-- can be waiting, and that id follows the drain.

CREATE FUNCTION public.hc_final_below(c public.hc_connection) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    -- Ids below a mark are final once every transaction of its time has ended.
    SELECT (c.full_look ->> 'next_id')::bigint
     WHERE pg_snapshot_xmin(pg_current_snapshot())::text::numeric >= (c.full_look ->> 'xmax')::numeric
$$;
COMMENT ON FUNCTION public.hc_final_below(public.hc_connection) IS
    'An id below which every entry is in sight of statements that begin later, or will never be; null while a transaction from before the mark is open.';

CREATE FUNCTION public.hc_log_sequence(c public.hc_connection) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(pg_get_serial_sequence(public.hc_log_table(c), 'id'), format('%I._trigger_log_id_seq', c.schema_name))
$$;
COMMENT ON FUNCTION public.hc_log_sequence(public.hc_connection) IS 'The sequence of the log''s ids, quoted: the one that the column owns, or else the one that has its name.';

CREATE FUNCTION public.hc_log_next_id(c public.hc_connection) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    next_id bigint;
BEGIN
    EXECUTE format('SELECT last_value FROM %s', public.hc_log_sequence(c)) INTO next_id;
    RETURN next_id;
END
$$;
COMMENT ON FUNCTION public.hc_log_next_id(public.hc_connection) IS 'The last id that the log''s sequence gave.';

CREATE FUNCTION public.hc_low_water_raise(c public.hc_connection, final_below bigint, first_waiting bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    worth CONSTANT bigint := 2000;   -- ids; each rise makes a version of the connection's row, which a held snapshot keeps too
    passed bigint := least(final_below, first_waiting);
    next_id bigint := public.hc_log_next_id(c);   -- before the snapshot of the new mark
BEGIN
    IF final_below IS NULL OR passed < c.low_water + worth AND next_id < final_below + worth THEN
        RETURN;
    END IF;
    UPDATE public.hc_connection h
        SET low_water = greatest(h.low_water, passed),
            full_look = jsonb_build_object('next_id', next_id, 'xmax', pg_snapshot_xmax(pg_current_snapshot())::text)
        WHERE h.id = c.id AND h.low_water = c.low_water;   -- or it was lowered meanwhile
END
$$;
COMMENT ON FUNCTION public.hc_low_water_raise(public.hc_connection, bigint, bigint) IS
    'Lets claims start higher: at the first entry that waits, but not above an id that a running transaction may still commit.';

CREATE FUNCTION public.hc_low_water_lower(c public.hc_connection, log_id bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE public.hc_connection h SET low_water = hc_low_water_lower.log_id WHERE h.id = c.id AND h.low_water > hc_low_water_lower.log_id
$$;
COMMENT ON FUNCTION public.hc_low_water_lower(public.hc_connection, bigint) IS 'Lets claims start at this entry, which waits again.';

CREATE FUNCTION public.hc_full_look(c public.hc_connection, now_there timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    passed bigint := public.hc_final_below(c);   -- before the log is read
    oldest_waiting bigint;
    next_id bigint;
    orphan bigint[];
BEGIN
    -- An entry shown as PENDING that is in no batch was set so by hand: it is offered again.
    EXECUTE format('SELECT array_agg(l.id) FROM (SELECT id FROM %1$s l WHERE state = ''PENDING''
                       AND NOT EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.log_id = l.id AND e.log_id > 0 AND NOT e.applied AND e.mapping IN
                           (SELECT m.id FROM public.hc_mapping m WHERE m.connection = $1)) ORDER BY id FOR UPDATE SKIP LOCKED) l',
                   public.hc_log_table(c)) INTO orphan USING c.id;
    EXECUTE format('UPDATE %s SET state = ''NEW'', updated_at = clock_timestamp() WHERE id = ANY ($1)', public.hc_log_table(c)) USING orphan;
    EXECUTE format('SELECT min(id) FROM %s WHERE state = ''NEW''', public.hc_log_table(c)) INTO oldest_waiting;
    next_id := public.hc_log_next_id(c);   -- before the snapshot of the new mark
    UPDATE public.hc_connection h
        SET low_water = CASE WHEN passed IS NOT NULL THEN least(passed, oldest_waiting) ELSE least(h.low_water, oldest_waiting) END, full_look_at = now_there,
            full_look = jsonb_build_object('next_id', next_id, 'xmax', pg_snapshot_xmax(pg_current_snapshot())::text)
        WHERE h.id = c.id RETURNING h.low_water INTO passed;
    RETURN least(passed, oldest_waiting, 9223372036854775807);
END
$$;
COMMENT ON FUNCTION public.hc_full_look(public.hc_connection, timestamptz) IS
    'Looks at the whole log and returns the id from which claims start: it passes only ids that no running transaction can still commit.';
