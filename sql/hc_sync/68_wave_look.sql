-- The look: one statement that says of the first changes that wait which may be sent now

-- Folding makes one change of several of a row: what is sent is their net effect, and the others share its outcome. Merged writes fold
-- all that waits of a row. Planned writes fold repeated edits, and only where no change that depends on one of them lies between.
CREATE FUNCTION public.hc_wave_fold(merged boolean) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT $sql$
    life AS (
        SELECT s.*, count(*) FILTER (WHERE s.action = 'DELETE') OVER w AS life,
               lag(s.log_id) OVER w AS earlier
          FROM stated s WHERE s.folds AND s.row_key IS NOT NULL AND s.status IN ('send', 'nothing', 'orphan'$sql$ || CASE WHEN merged THEN $sql$, 'failed'$sql$ ELSE '' END || $sql$)
        WINDOW w AS (PARTITION BY s.row_key ORDER BY s.log_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    )$sql$ || CASE WHEN merged THEN $sql$,
    -- What follows because it broke a cycle is not put back.
    chained AS (SELECT l.*, count(*) FILTER (WHERE l.follows) OVER (PARTITION BY l.row_key, l.life ORDER BY l.log_id) AS chain FROM life l)$sql$ ELSE $sql$,
    between_them AS (
        -- On the row's own keys whoever names it as parent; on keys of its parents whoever makes or ends them.
        SELECT x.log_id, max(CASE WHEN x.mode = 'S' THEN x.last_maker ELSE x.last_child END) AS last
          FROM (SELECT a.log_id, a.mode, max(a.log_id) FILTER (WHERE a.mode = 'S') OVER w AS last_child, max(a.log_id) FILTER (WHERE a.mode IN ('C', 'X')) OVER w AS last_maker
                  FROM (SELECT s.log_id, left(k, 1) AS mode, hashtextextended(substr(k, 2), 0) AS key FROM stated s, unnest(s.keys) k WHERE s.status <> 'failed') a
                WINDOW w AS (PARTITION BY a.key ORDER BY a.log_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) x GROUP BY x.log_id
    ),
    chained AS (
        SELECT l.*, count(*) FILTER (WHERE l.creates OR l.action = 'DELETE' OR l.follows OR b.last > l.earlier) OVER (PARTITION BY l.row_key, l.life ORDER BY l.log_id) AS chain
          FROM life l LEFT JOIN between_them b ON b.log_id = l.log_id
    )$sql$ END || $sql$,
    folded AS (
        SELECT f.*, CASE WHEN f.deleted IS NOT NULL THEN f.deleted WHEN f.created IS NOT NULL THEN f.created ELSE f.updated END AS survivor
          FROM (SELECT min(c.log_id) AS first, max(c.log_id) FILTER (WHERE c.action = 'DELETE' AND c.target IS NOT NULL) AS deleted, min(c.log_id) FILTER (WHERE c.creates) AS created,
                       max(c.log_id) FILTER (WHERE NOT c.creates AND c.action <> 'DELETE') AS updated, array_agg(c.log_id) AS entries,
                       bool_or(c.status IN ('send', 'failed')) AS sends,
                       bool_or(c.creates) AND NOT bool_or(c.there OR c.gone OR c.action = 'DELETE' AND c.target IS NOT NULL) AS away
                  FROM chained c GROUP BY c.row_key, c.life, c.chain
                HAVING (count(*) > 1 AND bool_or(c.status <> 'failed') OR bool_or(c.creates AND NOT c.there AND NOT c.gone AND c.status <> 'failed'))
               ) f WHERE f.away$sql$ || CASE WHEN merged THEN '' ELSE ' AND false' END || $sql$ OR cardinality(f.entries) > 1
    ),
    member AS (SELECT f.survivor, f.entries, e AS log_id FROM folded f, unnest(f.entries) e),
    united AS (
        SELECT x.survivor, array_agg(x.mode || x.key) AS keys
          -- Of several uses of a key the strongest: an end, a creation, a change, a parent's name.
          FROM (SELECT DISTINCT ON (m.survivor, substr(k, 2)) m.survivor, left(k, 1) AS mode, substr(k, 2) AS key
                  FROM member m JOIN stated s ON s.log_id = m.log_id, unnest(s.keys) k
                 ORDER BY m.survivor, substr(k, 2), strpos('XCWUS', left(k, 1))) x GROUP BY x.survivor
    ),
    unit AS MATERIALIZED (
        SELECT s.*, s.log_id AS place, NULL::bigint[] AS absorbed, s.keys AS all_keys FROM stated s WHERE NOT EXISTS (SELECT FROM member m WHERE m.log_id = s.log_id)
        UNION ALL
        SELECT s.*, CASE WHEN f.deleted IS NULL THEN f.first ELSE s.log_id END, array_remove(f.entries, f.survivor), u.keys
          FROM folded f JOIN united u ON u.survivor = f.survivor
          JOIN (SELECT x.log_id, x.table_name, x.action, x.record_id, x.sfid, x.pairs, x.failed, x.requeued, x.follows, x.mapping, x.since, x.folds, x.row_key, x.creates, x.there, x.gone,
                       x.target, x.operation, x.field, x.plain, x.keys, CASE WHEN g.away THEN 'away' WHEN g.sends THEN 'send' ELSE x.status END AS status
                  FROM stated x JOIN folded g ON g.survivor = x.log_id) s ON s.log_id = f.survivor
    )
    $sql$
$function$;
COMMENT ON FUNCTION public.hc_wave_fold(boolean) IS
    'The part of the look that makes units of changes; merged: of all that waits of a row, failed inserts too; else of repeated edits of mappings that allow it.';

CREATE FUNCTION public.hc_wave_look(c public.hc_connection, gone jsonb, size integer, done bigint[] DEFAULT NULL, accepted text[] DEFAULT '{}',
                                    added jsonb DEFAULT '[]', whole boolean DEFAULT false)
    RETURNS TABLE (log_id bigint, mapping uuid, record_id bigint, action text, operation text, field text, target text, status text, waits_for bigint,
                   waited boolean, plain boolean, requeued boolean, keys text[], absorbed bigint[], parent text, creates boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_nestloop = off SET enable_mergejoin = off SET jit = off SET work_mem = '128MB' AS $function$
DECLARE
    merged boolean := public.hc_write_algorithm(c) = 'merged';
    folds boolean := EXISTS (SELECT FROM public.hc_wave_mappings(c, gone) m WHERE m.folds);
BEGIN
    RETURN QUERY EXECUTE format($sql$
    WITH entry AS MATERIALIZED (
        -- Values are read after the limit, or the sort that some plans need would carry them.
        SELECT w.id::bigint AS log_id, w.table_name::text AS table_name, w.action::text AS action, w.record_id::bigint AS record_id, nullif(w.sfid, '')::text AS sfid,
               coalesce(w."values", '')::%2$I.hstore AS pairs, coalesce(w."values", '') AS captured, w.old AS old_text, false AS failed, w.processed_at IS NOT NULL OR w.sf_message LIKE 'captured again %%' AS requeued,
               coalesce(w.sf_message LIKE 'what log entry %%', false) AS follows
          FROM (SELECT g.* FROM %1$s g
                 WHERE g.state = 'NEW' AND g.id >= $3 AND (g.table_name = ANY ($8)) IS NOT TRUE%5$s ORDER BY g.id LIMIT $4) w
        UNION ALL
        SELECT g.id::bigint, g.table_name::text, g.action::text, g.record_id::bigint, NULL, coalesce(g."values", '')::%2$I.hstore, '', NULL, true, true, false
          FROM %1$s g WHERE g.state = 'FAILED' AND g.action = 'INSERT' AND g.sfid IS NULL AND g.record_id IS NOT NULL AND (g.sf_message LIKE 'UNREADABLE_VALUES: %%') IS NOT TRUE
        UNION ALL
        SELECT x.log_id, x.table_name, x.action, x.record_id, NULL, coalesce(x."values", '')::%2$I.hstore, coalesce(x."values", ''), x.old, false, false, x.action = 'UPDATE'
          FROM jsonb_to_recordset($7) AS x(log_id bigint, table_name text, action text, record_id bigint, "values" text, old text)
    ), m AS MATERIALIZED (SELECT * FROM public.hc_wave_mappings($1, $2)),
    present AS MATERIALIZED (%3$s),
    -- A row that is gone, deleted or of an earlier generation: the archive knows what Salesforce called it.
    former AS MATERIALIZED (
        SELECT e.log_id, (SELECT a.sfid::text FROM %6$I._trigger_log_archive a, public.hc_generation_of(m.mapping, e.log_id) g
                           WHERE a.record_id = e.record_id AND a.table_name = e.table_name AND a.action = 'INSERT' AND a.sfid IS NOT NULL AND a.id > g.above AND a.id <= g.upto
                           ORDER BY a.id DESC LIMIT 1) AS sfid
          FROM entry e JOIN m ON m.table_name = e.table_name LEFT JOIN present p ON p.table_name = e.table_name AND p.id = e.record_id AND e.log_id > m.since
         WHERE e.sfid IS NULL AND e.action IN ('UPDATE', 'DELETE') AND NOT e.failed AND NOT m.shut AND p.id IS NULL
    ),
    joined AS MATERIALIZED (
        SELECT e.log_id, e.table_name, e.action, e.record_id, e.sfid, e.pairs, e.captured, e.old_text, e.failed, e.requeued, e.follows, m.mapping, m.since, m.shut, m.sends_until, m.object_name, m.folds,
               m.upsert_field, m.upsert_column, m.updateable, m.key_columns, m.key_prefixes, m.key_own,
               e.action = 'INSERT' AND e.sfid IS NULL AND nullif(p.sfid, '') IS NULL AS creates,
               p.id IS NOT NULL AS there, coalesce(e.log_id <= m.since, false) AS gone,
               CASE WHEN e.action = 'INSERT' THEN coalesce(nullif(p.sfid, ''), e.sfid) ELSE coalesce(e.sfid, nullif(p.sfid, ''), r.sfid) END AS target,
               CASE WHEN e.log_id <= m.since THEN public.hc_wave_row_key(m.mapping, e.table_name, e.log_id, e.record_id, e.sfid)
                    ELSE 'row ' || e.table_name || ' ' || coalesce(e.record_id::text, e.sfid) END AS row_key
          FROM entry e LEFT JOIN m ON m.table_name = e.table_name
          LEFT JOIN present p ON p.table_name = e.table_name AND p.id = e.record_id AND e.log_id > m.since AND e.sfid IS NULL
          LEFT JOIN former r ON r.log_id = e.log_id
         -- An INSERT that failed holds others only while its row waits for it.
         WHERE NOT e.failed OR m.shut OR p.id IS NOT NULL AND nullif(p.sfid, '') IS NULL
    ), stated AS MATERIALIZED (
        SELECT j.log_id, j.table_name, j.action, j.record_id, j.sfid, j.pairs, j.failed, j.requeued, j.follows, j.mapping, j.since, j.folds, j.row_key, j.creates, j.there, j.gone, j.target,
               CASE WHEN j.action = 'DELETE' THEN 'delete' WHEN NOT j.creates THEN 'update'
                    WHEN btrim(j.pairs OPERATOR(%2$I.->) j.upsert_column) <> '' THEN 'upsert' ELSE 'create' END AS operation,
               CASE WHEN j.creates AND btrim(j.pairs OPERATOR(%2$I.->) j.upsert_column) <> '' THEN j.upsert_field END AS field,
               -- What a CSV cannot carry: the text for null, carriage returns, very long values.
               $9 IS NULL OR (strpos(j.captured, '#N/A') = 0 AND strpos(j.captured, chr(13)) = 0 AND length(j.captured) <= 32000) AS plain,
               ARRAY[CASE WHEN j.creates THEN 'C' WHEN j.action = 'DELETE' THEN 'X' ELSE 'W' END || j.row_key]
               || CASE WHEN j.target IS NULL THEN '{}' ELSE ARRAY[CASE WHEN j.action = 'DELETE' THEN 'X' ELSE 'U' END || 'record ' || left(j.target, 15)] END
               || CASE WHEN j.key_columns IS NULL OR j.action = 'UPDATE' AND NOT j.folds AND NOT j.pairs OPERATOR(%2$I.?|) j.key_columns THEN '{}' ELSE ARRAY(
                    SELECT x.mode || k.prefix || CASE WHEN k.prefix = 'record ' THEN left(x.value, 15) ELSE lower(x.value) END
                      FROM unnest(j.key_columns, j.key_prefixes, j.key_own, j.pairs OPERATOR(%2$I.->) j.key_columns,
                                  CASE WHEN j.action = 'DELETE' OR j.action = 'UPDATE' AND (j.folds OR j.pairs OPERATOR(%2$I.?|) j.key_columns)
                                       THEN j.old_text::%2$I.hstore OPERATOR(%2$I.->) j.key_columns END) k(name, prefix, own, value, old_value),
                           LATERAL (VALUES (CASE WHEN NOT k.own THEN 'S' WHEN j.creates THEN 'C' WHEN j.action = 'UPDATE' THEN 'X' ELSE 'U' END, k.value),
                                           -- The parent that a child leaves, and the identifier that a record gives up.
                                           (CASE WHEN j.action = 'DELETE' OR j.pairs OPERATOR(%2$I.?) k.name THEN CASE WHEN k.own THEN 'X' ELSE 'S' END WHEN k.own THEN 'U' END,
                                            CASE WHEN lower(k.old_value) IS DISTINCT FROM lower(k.value) THEN k.old_value END)) x(mode, value)
                     WHERE x.value <> '' AND x.mode IS NOT NULL
                       -- A record that names itself waits for nobody but its own creation.
                       AND (k.own OR j.creates OR CASE WHEN k.prefix = 'record ' THEN left(x.value, 15) IS DISTINCT FROM left(j.target, 15)
                            ELSE k.prefix <> 'id ' || j.object_name || '.' || coalesce(j.upsert_field, '') || ' '
                              OR lower(x.value) <> ALL (ARRAY[lower(coalesce(j.pairs OPERATOR(%2$I.->) j.upsert_column, '')),
                                                              lower(coalesce(j.old_text::%2$I.hstore OPERATOR(%2$I.->) j.upsert_column, ''))]) END)) END AS keys,
               CASE WHEN j.failed THEN 'failed'
                    WHEN j.mapping IS NULL OR j.log_id > j.sends_until OR j.record_id IS NULL AND NOT (j.action = 'DELETE' AND j.sfid IS NOT NULL)
                      OR j.action NOT IN ('INSERT', 'UPDATE', 'DELETE') THEN 'odd'
                    WHEN j.shut THEN 'shut'
                    WHEN j.action <> 'INSERT' AND j.target IS NULL AND j.row_key <> ALL ($6) THEN 'orphan'
                    WHEN j.action <> 'DELETE' AND NOT j.creates AND NOT j.pairs OPERATOR(%2$I.?|) j.updateable THEN 'nothing'
                    ELSE 'send' END AS status
          FROM joined j
    ), %4$s, access AS (
        SELECT u.log_id, u.place, CASE WHEN u.status = 'failed' THEN 'F' ELSE left(k, 1) END AS mode, hashtextextended(substr(k, 2), 0) AS key
          FROM unit u, unnest(u.all_keys) k WHERE k IS NOT NULL AND u.status <> 'away' AND (u.status <> 'failed' OR left(k, 1) = 'C')
        UNION ALL
        SELECT 0, 0, left(k, 1), hashtextextended(substr(k, 2), 0) FROM public.hc_wave_held_keys($1, $5 IS NOT NULL) k
    ), lived AS (
        -- An end closes a life of its key: what is created in it goes first in it, wherever it stands, and the end goes last.
        SELECT a.log_id, a.mode, a.key, CASE WHEN a.mode = 'F' THEN 0 ELSE a.place END AS place,
               CASE WHEN a.place = 0 OR a.mode = 'F' THEN -1 WHEN a.mode = 'C' THEN 0 WHEN a.mode = 'X' THEN 2 ELSE 1 END AS class,
               CASE WHEN a.place = 0 OR a.mode = 'F' THEN 0 ELSE count(*) FILTER (WHERE a.mode = 'X' AND a.place > 0) OVER (PARTITION BY a.key ORDER BY a.place
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) END AS life,
               count(*) OVER k AS everything, count(*) FILTER (WHERE a.mode <> 'F') OVER k AS users, count(*) FILTER (WHERE a.mode IN ('C', 'W', 'X')) OVER k AS owners,
               count(*) FILTER (WHERE a.mode = 'U') OVER k AS changers
          FROM access a WINDOW k AS (PARTITION BY a.key)
    ), ordered AS (
        SELECT l.log_id, l.mode, l.users, l.owners, l.changers, count(*) FILTER (WHERE l.mode <> 'F') OVER w AS users_before,
               count(*) FILTER (WHERE l.mode IN ('C', 'W', 'X')) OVER w AS owners_before, count(*) FILTER (WHERE l.mode = 'U') OVER w AS changers_before,
               max(l.log_id) FILTER (WHERE l.mode = 'F') OVER w AS failed_before
          FROM lived l WHERE l.everything > 1
        WINDOW w AS (PARTITION BY l.key ORDER BY l.life, l.class, l.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), verdict AS (
        SELECT o.log_id, bool_or(o.blocked) AS blocked, bool_or(o.waited) AS waited, max(o.held_by) AS held_by
          FROM (SELECT o.log_id,
                       CASE o.mode WHEN 'S' THEN o.owners_before > 0 WHEN 'U' THEN o.owners_before + o.changers_before > 0 ELSE o.users_before > 0 END AS blocked,
                       CASE o.mode WHEN 'S' THEN o.owners > o.owners_before WHEN 'U' THEN o.owners + o.changers > o.owners_before + o.changers_before + 1
                                   ELSE o.users > o.users_before + 1 END AS waited,
                       CASE WHEN o.mode <> 'C' THEN o.failed_before END AS held_by
                  FROM ordered o WHERE o.log_id > 0 AND o.mode <> 'F') o GROUP BY o.log_id
    )
    SELECT u.log_id, u.mapping, u.record_id, u.action, u.operation, u.field, u.target,
           CASE WHEN v.held_by IS NOT NULL THEN 'held' WHEN v.blocked THEN 'blocked' WHEN u.status = 'orphan' THEN 'odd' ELSE u.status END, v.held_by, coalesce(v.waited, false), u.plain, u.requeued,
           u.all_keys, u.absorbed, (SELECT substr(k, 2) FROM unnest(u.all_keys) k WHERE left(k, 1) = 'S' LIMIT 1), u.creates
      FROM unit u LEFT JOIN verdict v ON v.log_id = u.log_id
     WHERE u.status NOT IN ('failed', 'shut') AND ($10 OR v.blocked IS NOT TRUE OR v.held_by IS NOT NULL)
    $sql$, public.hc_log_table(c), public.hc_hstore_schema(), public.hc_wave_rows(c, gone),
           CASE WHEN folds THEN public.hc_wave_fold(merged)
                ELSE 'unit AS (SELECT s.*, s.log_id AS place, NULL::bigint[] AS absorbed, s.keys AS all_keys FROM stated s)' END,
           CASE WHEN done IS NULL THEN '' ELSE ' AND NOT EXISTS (SELECT FROM unnest($5) d WHERE d = g.id)' END, c.schema_name)
        USING c, gone, c.low_water, size, done, accepted, added,
              -- Adopted and not described yet: nobody could say what may be sent.
              ARRAY(SELECT h.table_name::text FROM public.hc_mapping h WHERE h.connection = c.id AND h.description IS NULL),
              public.hc_bulk_threshold(c), whole;
END
$function$;
COMMENT ON FUNCTION public.hc_wave_look(public.hc_connection, jsonb, integer, bigint[], text[], jsonb, boolean) IS
    'Looks at the first changes that wait: status send (may go now), blocked, held (by the failed INSERT waits_for), nothing (no field of it can be written), away (merged: made and deleted before it was sent), odd (hc_claim_entry says what). To look ahead: the changes in done are taken as dealt with, and what is under way as accepted, with the rows in accepted; added are further changes that the log does not have. whole: the blocked ones too.';
