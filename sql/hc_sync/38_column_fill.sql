-- Another type for a column under load, second part: the rows that were there before get their values, in chunks.

CREATE FUNCTION public.hc_column_change_of(in_schema name, of_table name, of_column name) RETURNS public.hc_column_change
LANGUAGE plpgsql STABLE AS $function$
DECLARE
    change public.hc_column_change;
BEGIN
    SELECT h.* INTO change FROM public.hc_column_change h
     WHERE h.schema_name = in_schema AND h.table_name = of_table AND h.column_name = of_column;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of table "%.%" is not changing its type', of_column, in_schema, of_table USING ERRCODE = 'undefined_object';
    END IF;
    RETURN change;
END
$function$;
COMMENT ON FUNCTION public.hc_column_change_of(name, name, name) IS 'The change of a column''s type that is under way; refuses if there is none';

-- Null stands for a value that does not convert: it is counted and shown before the swap.
CREATE FUNCTION public.hc_column_converted(change public.hc_column_change) RETURNS text
LANGUAGE sql STABLE AS $function$
    SELECT CASE WHEN change.may_fail
        THEN pg_catalog.format('CASE WHEN public.hc_converts(t.%I::pg_catalog.text, %L) THEN %s END', change.column_name, change.new_type, made.conversion)
        ELSE made.conversion END
      FROM (SELECT public.hc_conversion(pg_catalog.format('t.%I', change.column_name),
                   public.hc_column_type(pg_catalog.format('%I.%I', change.schema_name, change.table_name)::pg_catalog.regclass, change.column_name),
                   change.new_type)) AS made(conversion)
$function$;
COMMENT ON FUNCTION public.hc_column_converted(public.hc_column_change) IS 'Expression that a new column must equal in every row t';

CREATE FUNCTION public.hc_column_chunk(change public.hc_column_change, maximum integer, OUT upto bigint, OUT written bigint, OUT waiting bigint)
LANGUAGE plpgsql AS $function$
DECLARE
    target text := pg_catalog.format('%I.%I', change.schema_name, change.table_name);
    behind text := pg_catalog.format('t.%I IS DISTINCT FROM (%s)', change.new_column, public.hc_column_converted(change));
BEGIN
    -- Not captured, the status of the row kept, text as the log has it, and no wait for a row that the application holds.
    PERFORM public.hc_writes_rows();
    PERFORM pg_catalog.set_config('hc_sync_fill.running', 'on', true), pg_catalog.set_config('extra_float_digits', '1', true),
            pg_catalog.set_config('lock_timeout', '500ms', true);
    EXECUTE pg_catalog.format('SELECT pg_catalog.max(id) FROM (SELECT t.id FROM %s t WHERE t.id > $1 ORDER BY t.id LIMIT $2) x', target)
        INTO upto USING coalesce(change.last_id, -9223372036854775808), maximum;
    IF upto IS NULL THEN
        RETURN;
    END IF;
    EXECUTE pg_catalog.format(
        'WITH mine AS MATERIALIZED (SELECT t.id FROM %1$s t WHERE t.id > $1 AND t.id <= $2 AND %2$s ORDER BY t.id FOR NO KEY UPDATE SKIP LOCKED)
         UPDATE %1$s t SET %3$I = %4$s FROM mine WHERE t.id = mine.id', target, behind, change.new_column, public.hc_column_converted(change))
        USING coalesce(change.last_id, -9223372036854775808), upto;
    GET DIAGNOSTICS written = ROW_COUNT;
    EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM %s t WHERE t.id > $1 AND t.id <= $2 AND %s', target, behind)
        INTO waiting USING coalesce(change.last_id, -9223372036854775808), upto;
END
$function$;
COMMENT ON FUNCTION public.hc_column_chunk(public.hc_column_change, integer) IS
    'Fills the new column of the next rows; waiting counts those that are locked by somebody else';

-- Holds nothing else meanwhile, and gives up before the server looks for deadlocks.
CREATE FUNCTION public.hc_column_wait(change public.hc_column_change, upto bigint) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '500ms' AS $function$
BEGIN
    EXECUTE pg_catalog.format('SELECT FROM %I.%I t WHERE t.id > $1 AND t.id <= $2 AND t.%I IS DISTINCT FROM (%s) ORDER BY t.id LIMIT 1 FOR NO KEY UPDATE',
                              change.schema_name, change.table_name, change.new_column, public.hc_column_converted(change))
        USING coalesce(change.last_id, -9223372036854775808), upto;
EXCEPTION WHEN lock_not_available THEN
    NULL;
END
$function$;
COMMENT ON FUNCTION public.hc_column_wait(public.hc_column_change, bigint) IS 'Waits up to half a second for the first row that the fill could not lock';

CREATE PROCEDURE public.hc_column_fill(in_schema name, of_table name, of_column name, chunk integer DEFAULT 1000)
LANGUAGE plpgsql AS $procedure$
DECLARE
    change public.hc_column_change;
    target text := pg_catalog.format('%I.%I', in_schema, of_table);
    part record;
    idle integer := 0;
    behind bigint;
BEGIN
    LOOP
        change := public.hc_column_change_of(in_schema, of_table, of_column);
        EXIT WHEN change.step <> 'fill';
        part := public.hc_column_chunk(change, chunk);
        IF part.upto IS NULL THEN
            -- One look at the whole table: a trigger that was disabled for a while would have left rows behind.
            EXECUTE pg_catalog.format('SELECT pg_catalog.min(t.id) - 1 FROM %s t WHERE t.%I IS DISTINCT FROM (%s)',
                                      target, change.new_column, public.hc_column_converted(change)) INTO behind;
            UPDATE public.hc_column_change h SET last_id = behind, step = CASE WHEN behind IS NULL THEN 'swap' ELSE 'fill' END
             WHERE h.schema_name = in_schema AND h.table_name = of_table AND h.column_name = of_column;
            IF behind IS NULL THEN
                IF EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = target::pg_catalog.regclass AND k.conname = change.new_column) THEN
                    EXECUTE pg_catalog.format('ALTER TABLE %s VALIDATE CONSTRAINT %I', target, change.new_column);
                END IF;
                EXECUTE pg_catalog.format('ANALYZE %s (%I)', target, change.new_column);
            END IF;
        ELSE
            idle := CASE WHEN part.written = 0 AND part.waiting > 0 THEN idle + 1 ELSE 0 END;
            UPDATE public.hc_column_change h SET last_id = CASE WHEN part.waiting = 0 THEN part.upto ELSE h.last_id END, rows = h.rows + part.written
             WHERE h.schema_name = in_schema AND h.table_name = of_table AND h.column_name = of_column;
        END IF;
        COMMIT;
        IF idle >= 120 THEN
            RAISE EXCEPTION '% rows of table % are locked by other transactions', part.waiting, target
                USING ERRCODE = 'lock_not_available', HINT = 'Look for long transactions in pg_stat_activity, and call again: what was done stays.';
        ELSIF idle > 0 THEN
            PERFORM public.hc_column_wait(change, part.upto);
            COMMIT;
        END IF;
    END LOOP;
END
$procedure$;
COMMENT ON PROCEDURE public.hc_column_fill(name, name, name, integer) IS
    'Fills a new column in chunks, each a transaction of its own; called again after a failure it goes on where it was; not inside a transaction block';
