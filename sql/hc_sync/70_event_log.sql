-- The event log: what merges wrote, for consumers that read changes from Salesforce there

CREATE FUNCTION public.hc_event_log(c public.hc_connection, m public.hc_mapping, action text, sfids text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF cardinality(sfids) = 0 OR NOT public.hc_setting(c, 'event_log', 'false')::boolean THEN
        RETURN;
    END IF;
    -- A row that a reload removes has no staged record: its event has no time of Salesforce.
    EXECUTE format('INSERT INTO %I._sf_event_log (table_name, action, sf_timestamp, sfid, record, processed)
                    SELECT $1, $2, s.systemmodstamp AT TIME ZONE ''UTC'', w.sfid, s.record::text, false
                      FROM unnest($3) WITH ORDINALITY AS w(sfid, n) LEFT JOIN public.hc_staged s ON s.mapping = $4 AND s.sfid = w.sfid ORDER BY w.n', c.schema_name)
        USING m.table_name::text, hc_event_log.action, sfids, m.id;
END
$$;
COMMENT ON FUNCTION public.hc_event_log(public.hc_connection, public.hc_mapping, text, text[]) IS
    'Writes _sf_event_log, one row for each record that the merge wrote or deleted and in its transaction, if the setting event_log is on; consumers set processed.';

CREATE FUNCTION public.hc_event_log_purge(c public.hc_connection, before timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    purged integer;
BEGIN
    -- Table by table, because the index begins with the table's name.
    EXECUTE format('DELETE FROM %1$I._sf_event_log WHERE id IN (SELECT e.id FROM public.hc_mapping m CROSS JOIN LATERAL (
                        SELECT l.id FROM %1$I._sf_event_log l WHERE l.table_name = m.table_name::text AND l.synced_at < $2 ORDER BY l.synced_at LIMIT 1000) e
                        WHERE m.connection = $1 LIMIT 1000)', c.schema_name) USING c.id, before;
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END
$$;
COMMENT ON FUNCTION public.hc_event_log_purge(public.hc_connection, timestamptz) IS 'Removes rows of _sf_event_log that arrived before a time, a thousand at most; it keeps them as long as the archive does.';
