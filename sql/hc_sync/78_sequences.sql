-- Sequences: how much of its numbers each one has used

CREATE FUNCTION public.hc_sequences(connection uuid DEFAULT NULL)
RETURNS TABLE (schema_name name, sequence_name name, type text, last_value bigint, used double precision, level text, mapping uuid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH c AS (
        SELECT h.* FROM public.hc_connection h WHERE hc_sequences.connection IS NULL OR h.id = hc_sequences.connection
    ), owned AS (
        SELECT s.oid, n.nspname, s.relname, d.refobjid AS table_oid, a.atttypid
          FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace
          LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.refclassid = d.classid AND d.deptype IN ('a', 'i')
          LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
         WHERE s.relkind = 'S'
    ), watched AS (
        SELECT o.oid, o.nspname, o.relname, o.atttypid, m.id AS mapping,
               -- An id of a mapped row goes into record_id of the log.
               (SELECT r.atttypid FROM pg_attribute r WHERE r.attrelid = to_regclass(format('%I._trigger_log', c.schema_name)) AND r.attname = 'record_id' AND m.id IS NOT NULL) AS record_type
          FROM c JOIN owned o ON o.nspname = c.schema_name
          LEFT JOIN public.hc_mapping m ON m.connection = c.id
                AND (o.relname = m.names ->> 'sequence' OR o.table_oid = to_regclass(format('%I.%I', c.schema_name, m.table_name)))
         WHERE m.id IS NOT NULL OR o.relname = '_trigger_log_id_seq'
            OR o.table_oid IN (SELECT to_regclass(format('%I.%I', c.schema_name, x)) FROM unnest(ARRAY['_trigger_log', '_sf_event_log', '_hcmeta']) x)
        UNION ALL
        SELECT o.oid, o.nspname, o.relname, o.atttypid, NULL, NULL FROM owned o
         WHERE o.nspname = 'public' AND o.relname LIKE 'hc\_%' AND o.relname NOT LIKE 'hc\_quiet\_%' AND hc_sequences.connection IS NULL
    ), bounds AS (
        SELECT w.*, CASE WHEN has_sequence_privilege(w.oid, 'SELECT, USAGE') THEN pg_sequence_last_value(w.oid) END AS last_value,
               (SELECT min(x) FROM unnest(ARRAY[q.seqmax] || ARRAY(SELECT CASE t WHEN 'smallint'::regtype THEN 32767 WHEN 'integer'::regtype THEN 2147483647
                    ELSE 9223372036854775807 END FROM unnest(ARRAY[w.atttypid, w.record_type]) t WHERE t IS NOT NULL)) x) AS highest
          FROM watched w JOIN pg_sequence q ON q.seqrelid = w.oid
    ), fractions AS (
        SELECT b.*, coalesce(b.last_value, 0)::float8 / b.highest AS used FROM bounds b
    )
    SELECT f.nspname, f.relname, CASE WHEN f.highest > 2147483647 THEN 'bigint' WHEN f.highest > 32767 THEN 'integer' ELSE 'smallint' END,
           f.last_value, f.used, CASE WHEN f.used >= 0.8 THEN 'error' WHEN f.used >= 0.5 THEN 'warning' END, f.mapping
      FROM fractions f ORDER BY f.used DESC, f.nspname, f.relname
$$;
COMMENT ON FUNCTION public.hc_sequences(uuid) IS
    'The sequences of a connection''s log and mapped tables (without an argument: of all connections, and our own) and the used fraction of the numbers that sequence, column and, for mapped tables, record_id of the log can hold; level is warning from a half on, error from 80%';

CREATE FUNCTION public.hc_sequences_watch(c public.hc_connection) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    tight text;
BEGIN
    SELECT string_agg(format('%I.%I (%s) has used %s%% of its numbers', s.schema_name, s.sequence_name, s.type, floor(s.used * 100)), '; ' ORDER BY s.sequence_name)
      INTO tight FROM public.hc_sequences(c.id) s WHERE s.level = 'error';
    -- Once for each state of affairs, not every two minutes.
    IF tight IS NOT NULL AND NOT EXISTS (SELECT FROM public.hc_event e WHERE e.connection = c.id AND e.event_type = 'sequence' AND e.detail ->> 'tight' = tight) THEN
        PERFORM public.hc_raise(c.id, NULL, 'sequence', 'error',
            format('Writes will fail when a sequence is used up: %s. Change the ids to bigint: CALL public.hc_bigint(%L)', tight, c.id), jsonb_build_object('tight', tight));
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_sequences_watch(public.hc_connection) IS 'Raises a notification when a sequence of the connection has used 80% of its numbers';
