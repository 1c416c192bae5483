-- A wave looks at the first changes that wait and says which may be sent now. Of two changes that speak of the same row, record or
-- identifier one goes first: which keys a change has, and how it uses them, is said here.
--
-- A key is a text, and its first letter says how the change uses it:
--   C  creates what the key names: whatever else names it in the same life waits, wherever it stands in the log
--   W  changes it, in log order, and nothing else at the same time
--   X  ends it (a delete, a changed identifier): waits for all before it, and all after it waits
--   U  changes the record; those that only name it do not care
--   S  names it as parent
--   F  an INSERT that failed: who names its row, or its identifier, is held
-- Keys: "row account 5" ("… gone 77" for the rows of a generation that is over), "record 001…" by the 15 characters of the Salesforce
-- id that differ, "id Account.Ext__c x1" for an identifier, in lower case as Salesforce compares it.

CREATE FUNCTION public.hc_wave_mappings(c public.hc_connection, gone jsonb)
    RETURNS TABLE (mapping uuid, table_name text, object_name text, since bigint, shut boolean, sends_until bigint, upsert_field text, upsert_column text,
                   updateable text[], key_columns text[], key_prefixes text[], key_own boolean[], referenced boolean, folds boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.id, m.table_name::text, m.object_name, (g.value #>> '{}')::bigint, g.value = 'null',
           CASE WHEN m.access = 'read_write' THEN 9223372036854775807 ELSE coalesce(m.sends_until, 0) END,
           m.upsert_field, CASE WHEN EXISTS (SELECT FROM public.hc_field f WHERE f.mapping = m.id AND f.column_name = m.upsert_column AND f.createable) THEN m.upsert_column::text END,
           (SELECT coalesce(array_agg(f.column_name::text), '{}') FROM public.hc_field f WHERE f.mapping = m.id AND f.updateable AND f.column_name NOT IN ('id', 'sfid')),
           k.columns, k.prefixes, k.own,
           EXISTS (SELECT FROM public.hc_field f JOIN public.hc_mapping h ON h.id = f.mapping WHERE h.connection = c.id
                      AND (f.relationship_object = m.object_name OR m.object_name = ANY (f.reference_to))),
           CASE public.hc_write_algorithm(c) WHEN 'merged' THEN true ELSE coalesce((m.config #>> '{hc_sync,fold}')::boolean, (c.settings ->> 'fold')::boolean, false) END
      FROM jsonb_each(gone) g
      JOIN public.hc_mapping m ON m.connection = c.id AND m.table_name = g.key::name,
           LATERAL (
        SELECT array_agg(x.column_name::text ORDER BY x.own DESC, x.position) AS columns, array_agg(x.prefix ORDER BY x.own DESC, x.position) AS prefixes,
               array_agg(x.own ORDER BY x.own DESC, x.position) AS own
          FROM (SELECT f.column_name, f.position, 'id ' || m.object_name || '.' || f.field_name || ' ' AS prefix, true AS own
                  FROM public.hc_field f
                 WHERE f.mapping = m.id AND (f.field_name = m.upsert_field OR EXISTS (
                       SELECT FROM public.hc_field r JOIN public.hc_mapping h ON h.id = r.mapping
                        WHERE h.connection = c.id AND r.relationship_object = m.object_name AND r.relationship_field = f.field_name))
                UNION ALL
                SELECT f.column_name, f.position, 'id ' || f.relationship_object || '.' || f.relationship_field || ' ', false
                  FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NOT NULL
                UNION ALL
                -- A lookup by id matters where the parent's DELETE may wait in the same log, and for the lock that Salesforce takes.
                SELECT f.column_name, f.position, 'record ', false
                  FROM public.hc_field f
                 WHERE f.mapping = m.id AND f.relationship_field IS NULL AND f.salesforce_type = 'reference' AND EXISTS (
                       SELECT FROM public.hc_mapping h WHERE h.connection = c.id AND h.object_name = ANY (f.reference_to))) x) k
$$;
COMMENT ON FUNCTION public.hc_wave_mappings(public.hc_connection, jsonb) IS
    'What a wave must know of the mappings whose tables are given ({table: last log id of earlier generations, or null while the table is locked}): which columns are keys, and of what.';

-- The mapped rows of entries that came before their row had a Salesforce id, as one query.
CREATE FUNCTION public.hc_wave_rows(c public.hc_connection, gone jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(string_agg(format('SELECT %1$L::text AS table_name, t.id::bigint AS id, t.sfid::text AS sfid FROM %2$I.%1$I t
        WHERE t.id = ANY (ARRAY(SELECT e.record_id FROM entry e WHERE e.table_name = %1$L AND e.sfid IS NULL))',
        g.key, c.schema_name), ' UNION ALL ' ORDER BY g.key), 'SELECT NULL::text AS table_name, NULL::bigint AS id, NULL::text AS sfid WHERE false')
      FROM jsonb_each(gone) g
     WHERE g.value <> 'null' AND g.value <> '9223372036854775807' AND EXISTS (SELECT FROM public.hc_mapping m WHERE m.connection = c.id AND m.table_name = g.key::name)
$$;
COMMENT ON FUNCTION public.hc_wave_rows(public.hc_connection, jsonb) IS
    'The query for the rows of the entries in the common table expression entry that have no Salesforce id; tables that are locked or gone are left out.';

CREATE FUNCTION public.hc_wave_row_key(mapping uuid, table_name text, log_id bigint, record_id bigint, sfid text) RETURNS text
LANGUAGE sql STABLE AS $$
    -- No SET clause, so that it is inlined. Generations are looked up for entries of earlier ones only.
    SELECT 'row ' OPERATOR(pg_catalog.||) table_name OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||) coalesce(record_id::text, sfid)
        OPERATOR(pg_catalog.||) CASE WHEN log_id OPERATOR(pg_catalog.<=) public.hc_rows_since(mapping)
             THEN ' gone ' OPERATOR(pg_catalog.||) (public.hc_generation_of(mapping, log_id)).upto::text ELSE '' END
$$;
COMMENT ON FUNCTION public.hc_wave_row_key(uuid, text, bigint, bigint, text) IS 'The key of a row: rows of the same id in different generations are different ones.';

-- Entries in flight hold their keys until their outcome is applied; entries of batches without keys, from an earlier version or an ordered
-- claim, at least their row and record.
CREATE FUNCTION public.hc_wave_held_keys(c public.hc_connection, ahead boolean DEFAULT false) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
    SELECT k FROM public.hc_batch b JOIN public.hc_batch_entry e ON e.batch = b.id, LATERAL unnest(e.keys) k
     WHERE b.connection = c.id AND b.state <> 'DONE' AND NOT e.applied AND e.keys <> '{}' AND (NOT ahead OR b.state IN ('DOUBT', 'PARKED'))
    UNION ALL
    SELECT k FROM public.hc_batch b JOIN public.hc_mapping m ON m.id = b.mapping JOIN public.hc_batch_entry e ON e.batch = b.id,
         LATERAL (VALUES ('X' || public.hc_wave_row_key(m.id, m.table_name::text, e.log_id, e.record_id, e.sfid)),
                         ('X' || 'record ' || left(coalesce(e.payload ->> 'id', e.sfid), 15)),
                         ('C' || 'id ' || b.object_name || '.' || b.external_id_field || ' ' || (e.payload ->> 'identifier'))) v(k)
     WHERE b.connection = c.id AND b.state <> 'DONE' AND NOT e.applied AND e.keys = '{}' AND k IS NOT NULL AND (NOT ahead OR b.state IN ('DOUBT', 'PARKED'))
$$;
COMMENT ON FUNCTION public.hc_wave_held_keys(public.hc_connection, boolean) IS 'The keys of all changes in flight, in doubt or parked, with how they use them; ahead: of the latter two only.';
