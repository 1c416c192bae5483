-- Another type for a column under load, last part: the new column takes the old one's place. What is done under the lock touches the
-- catalog only; the table was read before, and CHECK constraints are validated afterwards.

-- What the new column must get, gathered while the old one is there.
CREATE FUNCTION public.hc_column_dress(change public.hc_column_change) RETURNS TABLE (place integer, statement text)
LANGUAGE sql STABLE AS $function$
    WITH c AS (
        SELECT a.*, pg_catalog.format('%I.%I', change.schema_name, change.table_name) AS target
          FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = pg_catalog.format('%I.%I', change.schema_name, change.table_name)::pg_catalog.regclass AND a.attname = change.column_name
    )
    SELECT 1, pg_catalog.format('ALTER TABLE %s ALTER %I SET NOT NULL', c.target, change.column_name) FROM c WHERE c.attnotnull
    UNION ALL
    SELECT 1, pg_catalog.format('ALTER TABLE %s ALTER %I SET DEFAULT %s', c.target, change.column_name, pg_catalog.pg_get_expr(d.adbin, d.adrelid))
      FROM c JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.attrelid AND d.adnum = c.attnum
    UNION ALL
    SELECT 1, pg_catalog.format('ALTER SEQUENCE %s OWNED BY %s.%I', s.objid::pg_catalog.regclass, c.target, change.column_name)
      FROM c JOIN pg_catalog.pg_depend s ON s.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND s.refobjid = c.attrelid
                  AND s.refobjsubid = c.attnum AND s.classid = s.refclassid AND s.deptype = 'a'
             JOIN pg_catalog.pg_class q ON q.oid = s.objid AND q.relkind = 'S'
    UNION ALL
    SELECT 1, pg_catalog.format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, change.column_name, c.target,
                                CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE g.grantee::pg_catalog.regrole::text END,
                                CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
      FROM c CROSS JOIN pg_catalog.aclexplode(c.attacl) g
    UNION ALL
    SELECT 1, pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', c.target, change.column_name, pg_catalog.col_description(c.attrelid, c.attnum))
      FROM c WHERE pg_catalog.col_description(c.attrelid, c.attnum) IS NOT NULL
    UNION ALL
    SELECT 1, pg_catalog.format('ALTER TABLE %s ALTER %I SET STATISTICS %s', c.target, change.column_name, c.attstattarget) FROM c WHERE c.attstattarget >= 0
    UNION ALL
    SELECT 2, pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', c.target, k.conname, pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
      FROM c JOIN pg_catalog.pg_constraint k ON k.conrelid = c.attrelid AND k.contype = 'c' AND c.attnum = ANY (k.conkey)
    UNION ALL
    SELECT 3, pg_catalog.format('ALTER INDEX %I.%I RENAME TO %I', change.schema_name, w.twin, w.index_name)
      FROM public.hc_column_twins(change.schema_name, change.table_name, change.column_name) w WHERE w."constraint" IS NULL
    UNION ALL
    SELECT 3, pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.target, w."constraint", w.constraint_tail)
      FROM c CROSS JOIN public.hc_column_twins(change.schema_name, change.table_name, change.column_name) w WHERE w."constraint" IS NOT NULL
    UNION ALL
    SELECT 4, pg_catalog.format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', c.target, coalesce(w."constraint", w.index_name))
      FROM c CROSS JOIN public.hc_column_twins(change.schema_name, change.table_name, change.column_name) w WHERE w.is_identity
$function$;
COMMENT ON FUNCTION public.hc_column_dress(public.hc_column_change) IS
    'Statements that give a column that took another''s place its default, sequence, grants, comment, constraints and index names';

CREATE FUNCTION public.hc_column_swap_check(change public.hc_column_change) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    target regclass := pg_catalog.format('%I.%I', change.schema_name, change.table_name)::pg_catalog.regclass;
    missing text;
    behind bigint;
    failed record;
BEGIN
    IF change.step <> 'swap' THEN
        RAISE EXCEPTION 'column "%" of table % cannot be swapped: its step is "%"', change.column_name, target, change.step
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Fill the new column first: CALL hc_column_fill.';
    END IF;
    SELECT pg_catalog.string_agg(w.twin::text, ', ' ORDER BY w.twin) INTO missing
      FROM public.hc_column_twins(change.schema_name, change.table_name, change.column_name) w WHERE NOT w.ready;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" of table % cannot be swapped: indexes are missing: %', change.column_name, target, missing
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run the statements that hc_mapping_pending lists, in their order.';
    END IF;
    IF NOT change."cascade" THEN
        PERFORM public.hc_refuse_dependants(target, change.column_name, 'swap',
            ARRAY(SELECT d.identity FROM public.hc_column_dependants(target, change.column_name) d WHERE NOT d.follows ORDER BY 1));
    END IF;
    IF change.may_fail THEN
        failed := public.hc_conversion_failures(target, change.column_name, change.new_type);
        IF failed.failures > 0 THEN
            RAISE EXCEPTION '% values of column "%" of table % are no %', failed.failures, change.column_name, target, change.new_type
                USING ERRCODE = 'data_exception', DETAIL = 'The first ones: ' || failed.examples,
                      HINT = 'Correct them, or take the field out of the mapping and add it again: its values then come from Salesforce.';
        END IF;
    END IF;
    EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM %s t WHERE t.%I IS DISTINCT FROM (%s)', target, change.new_column,
                              public.hc_column_converted(change)) INTO behind;
    IF behind > 0 THEN
        UPDATE public.hc_column_change h SET step = 'fill', last_id = NULL
         WHERE h.schema_name = change.schema_name AND h.table_name = change.table_name AND h.column_name = change.column_name;
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_column_swap_check(public.hc_column_change) IS
    'Reads the whole table before the lock: refuses a swap that would lose a value, and sends rows left behind back to the fill';

CREATE FUNCTION public.hc_column_swap(in_schema name, of_table name, of_column name) RETURNS boolean
-- Text as the log has it, and so the trigger that keeps the columns in step.
LANGUAGE plpgsql SET datestyle = 'ISO, MDY' SET timezone = 'UTC' SET extra_float_digits = 1 SET client_min_messages = warning AS $function$
DECLARE
    change public.hc_column_change := public.hc_column_change_of(in_schema, of_table, of_column);
    target regclass := pg_catalog.format('%I.%I', in_schema, of_table)::pg_catalog.regclass;
    dress text[];
    sequences regclass[];
    keys name[];
    dropped name;
    statement text;
BEGIN
    PERFORM public.hc_column_swap_check(change);
    IF (public.hc_column_change_of(in_schema, of_table, of_column)).step <> 'swap' THEN
        RETURN false;
    END IF;
    PERFORM public.hc_lock_table(target);
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = target AND t.tgname = public.hc_in_step_name(of_table) AND t.tgenabled IN ('O', 'A')) THEN
        RAISE EXCEPTION 'trigger "%" of table % is missing or disabled', public.hc_in_step_name(of_table), target
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'It keeps the new column in step. Enable it and call again.';
    END IF;
    dress := ARRAY(SELECT d.statement FROM public.hc_column_dress(change) d ORDER BY d.place);
    sequences := ARRAY(SELECT q.oid FROM pg_catalog.pg_depend s JOIN pg_catalog.pg_class q ON q.oid = s.objid AND q.relkind = 'S'
                         JOIN pg_catalog.pg_attribute a ON a.attrelid = s.refobjid AND a.attnum = s.refobjsubid
                        WHERE s.refobjid = target AND a.attname = of_column);
    keys := ARRAY(SELECT w."constraint" FROM public.hc_column_twins(in_schema, of_table, of_column) w WHERE w."constraint" IS NOT NULL);
    change.checks := ARRAY(SELECT k.conname FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
                            WHERE k.conrelid = target AND k.contype = 'c' AND a.attname = of_column ORDER BY 1);
    UPDATE public.hc_column_change h SET step = 'validate', checks = change.checks
     WHERE h.schema_name = in_schema AND h.table_name = of_table AND h.column_name = of_column;
    PERFORM public.hc_in_step_create(in_schema, of_table);

    FOREACH dropped IN ARRAY keys || change.checks LOOP
        EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', target, dropped);
    END LOOP;
    FOR statement IN SELECT pg_catalog.format('ALTER SEQUENCE %s OWNED BY NONE', s) FROM pg_catalog.unnest(sequences) s LOOP
        EXECUTE statement;
    END LOOP;
    EXECUTE pg_catalog.format('ALTER TABLE %s DROP COLUMN %I %s', target, of_column, CASE WHEN change."cascade" THEN 'CASCADE' ELSE 'RESTRICT' END);
    EXECUTE pg_catalog.format('ALTER TABLE %s RENAME COLUMN %I TO %I', target, change.new_column, of_column);
    FOREACH statement IN ARRAY dress LOOP
        EXECUTE statement;
    END LOOP;
    EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', target, change.new_column);
    IF change.mapping IS NOT NULL THEN
        PERFORM public.hc_mapping_functions_create(change.mapping);
        PERFORM public.hc_mapping_column_swapped(change);
    END IF;
    DELETE FROM public.hc_column_change h
     WHERE h.schema_name = in_schema AND h.table_name = of_table AND h.column_name = of_column AND h.checks = '{}';
    RETURN true;
END
$function$;
COMMENT ON FUNCTION public.hc_column_swap(name, name, name) IS
    'Puts the filled column in the old one''s place, under a short lock; false when rows were found behind, which are to be filled first';

CREATE PROCEDURE public.hc_column_validate(in_schema name, of_table name, of_column name)
LANGUAGE plpgsql AS $procedure$
DECLARE
    change public.hc_column_change := public.hc_column_change_of(in_schema, of_table, of_column);
    name name;
BEGIN
    FOREACH name IN ARRAY change.checks LOOP
        EXECUTE pg_catalog.format('ALTER TABLE %I.%I VALIDATE CONSTRAINT %I', in_schema, of_table, name);
        COMMIT;
    END LOOP;
    DELETE FROM public.hc_column_change h
     WHERE h.schema_name = in_schema AND h.table_name = of_table AND h.column_name = of_column AND h.step = 'validate';
END
$procedure$;
COMMENT ON PROCEDURE public.hc_column_validate(name, name, name) IS 'Validates the CHECK constraints of a column that was swapped or lengthened; writers go on meanwhile';
