-- Identifiers: what makes a unique identifier a bad one

CREATE FUNCTION public.hc_identifier_warnings(mapping uuid) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m public.hc_mapping;
    target regclass;
    field jsonb;
    counted boolean;
    copied boolean;
BEGIN
    SELECT h.* INTO m FROM public.hc_mapping h WHERE h.id = hc_identifier_warnings.mapping;
    SELECT to_regclass(format('%I.%I', c.schema_name, m.table_name)) INTO target FROM public.hc_connection c WHERE c.id = m.connection;
    IF m.access <> 'read_write' THEN
        RETURN;
    ELSIF m.upsert_field IS NULL THEN
        RETURN NEXT 'there is no identifier: an insert whose answer is lost can be repeated only after it was looked for; choose an external id with --upsert-field';
        RETURN;
    END IF;
    field := public.hc_describe_field(m.description, m.upsert_field);
    IF (field ->> 'autoNumber')::boolean OR NOT coalesce((field ->> 'createable')::boolean, true) THEN
        RETURN NEXT format('Salesforce itself fills %s: no row can have a value before its record is made; choose a field that the application fills, with a uuid', m.upsert_field);
    END IF;
    IF NOT coalesce((field ->> 'unique')::boolean, false) THEN
        RETURN NEXT format('Salesforce does not keep %s unique: of two records with one value neither can be named by it; tick "Unique" for the field', m.upsert_field);
    END IF;
    IF target IS NULL THEN
        RETURN;
    END IF;
    SELECT a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval(%', false) INTO counted
        FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = target AND a.attname = m.upsert_column;
    IF counted THEN
        RETURN NEXT format('column %s counts with a sequence: another database, or this one after a restore, gives the same numbers to other rows; fill it with a uuid', m.upsert_column);
        RETURN;
    END IF;
    -- A trigger or the application may copy the row's id: enough of the newest rows tell.
    EXECUTE format('SELECT count(*) >= 5 AND bool_and(x.key = x.id::text) FROM (SELECT t.id, t.%I::text AS key FROM %s t WHERE t.%1$I IS NOT NULL ORDER BY t.id DESC LIMIT 20) x',
                   m.upsert_column, target) INTO copied;
    IF copied THEN
        RETURN NEXT format('column %s holds the id of its row: another database, or this one after a reload, gives that id to another row; fill it with a uuid', m.upsert_column);
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_identifier_warnings(uuid) IS
    'Why the identifier of a mapping may name the wrong record, or none: auto-numbers, sequences, copies of id, fields that are not unique, or no identifier at all.';
