-- Adoption, third part: the plan. One document says what would be done; hc_adopt shows it, and carries out nothing else.

-- A field's column as it is there: its usual name, or the first 63 bytes of a longer one.
CREATE FUNCTION public.hc_adopt_column(columns jsonb, field_name text) RETURNS name
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT n FROM (VALUES (1, public.hc_column_name($2)), (2, left(lower($2), 63)::name)) AS names(place, n)
     WHERE $1 ? n::text AND n <> 'id' ORDER BY place LIMIT 1
$function$;
COMMENT ON FUNCTION public.hc_adopt_column(jsonb, text) IS 'Column of an adopted table that holds a field; null if it has none';

-- Salesforce's spelling is not in the tables: names stay in lower case until the relay describes the object.
CREATE FUNCTION public.hc_adopt_inferred_config(access text, columns jsonb, indexes jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $function$
    WITH fields AS (
        SELECT c.key AS column_name, CASE c.key WHEN 'sfid' THEN 'Id' WHEN 'systemmodstamp' THEN 'SystemModstamp' WHEN 'isdeleted' THEN 'IsDeleted'
                                                WHEN 'createddate' THEN 'CreatedDate' ELSE c.key END AS field_name
          FROM jsonb_each($2) c WHERE (c.value ->> 'field')::boolean)
    SELECT jsonb_build_object('access', coalesce($1, 'read_only'),
        'fields', (SELECT jsonb_object_agg(f.field_name, '{}'::jsonb) FROM fields f),
        'indexes', (SELECT coalesce(jsonb_object_agg(f.field_name, jsonb_build_object('unique', i.value -> 'unique')), '{}')
                      FROM jsonb_each($3) i JOIN fields f ON f.column_name = i.key))
$function$;
COMMENT ON FUNCTION public.hc_adopt_inferred_config(text, jsonb, jsonb) IS 'Configuration of a mapping as its table shows it';

-- The file's configuration without the fields that have no column here, which the plan names, and with those that it may leave out.
CREATE FUNCTION public.hc_adopt_given_config(given jsonb, columns jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT $1 || jsonb_build_object(
        'fields', (SELECT coalesce(jsonb_object_agg(f.key, f.value), '{}')
                     FROM (SELECT n, '{}'::jsonb FROM unnest(ARRAY['Id', 'SystemModstamp', 'IsDeleted']) n WHERE public.hc_json_field_key($1 -> 'fields', n) IS NULL
                           UNION ALL SELECT * FROM jsonb_each($1 -> 'fields')) AS f(key, value) WHERE public.hc_adopt_column($2, f.key) IS NOT NULL),
        'indexes', (SELECT coalesce(jsonb_object_agg(i.key, i.value), '{}') FROM jsonb_each($1 -> 'indexes') i WHERE public.hc_adopt_column($2, i.key) IS NOT NULL))
        - CASE WHEN public.hc_adopt_column($2, $1 ->> 'upsert_field') IS NULL THEN 'upsert_field' ELSE '' END
$function$;
COMMENT ON FUNCTION public.hc_adopt_given_config(jsonb, jsonb) IS 'Configuration of a mapping file as far as the table has columns for it';

CREATE FUNCTION public.hc_adopt_mapping(schema name, t record, file_object text, given jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    logged text := public.hc_adopt_access(t.log_trigger, t.logger);
    access text := coalesce(given ->> 'access', logged, 'read_only');
    version text := (SELECT substring(p.prosrc FROM '-- VERSION (\d+) --') FROM pg_proc p WHERE p.oid = t.logger);
    wanted jsonb := (SELECT jsonb_object_agg(public.hc_adopt_column(t.columns, i.key), i.value) FROM jsonb_each(given -> 'indexes') i
                      WHERE public.hc_adopt_column(t.columns, i.key) IS NOT NULL);
    names jsonb;
    newest timestamp;
    oddities text[];
BEGIN
    PERFORM public.hc_adopt_check_table(schema, t);
    IF given ? 'upsert_field' AND public.hc_adopt_column(t.columns, given ->> 'upsert_field') IS NOT NULL THEN
        wanted := coalesce(wanted, '{}') || jsonb_build_object(public.hc_adopt_column(t.columns, given ->> 'upsert_field'), '{"unique": true}'::jsonb);
    END IF;
    names := public.hc_adopt_names(t, coalesce(wanted, '{}'));
    EXECUTE format('SELECT max(systemmodstamp) FROM %I.%I', schema, t.table_name) INTO newest;
    oddities := array_remove(ARRAY[
        CASE WHEN access <> logged THEN format('the mapping file says %s, the log trigger %s: the file is followed', access, logged) END,
        CASE WHEN given IS NULL AND logged IS NULL THEN 'nothing says whether changes are sent: read_only' END,
        CASE WHEN (t.log_trigger).oid IS NULL THEN 'has no log trigger: its changes are captured from the exchange of triggers on' END,
        CASE WHEN (t.status_trigger).oid IS NULL THEN 'has no status trigger: it gets one' END,
        CASE WHEN (t.log_trigger).tgenabled = 'D' OR (t.status_trigger).tgenabled = 'D' THEN 'has a disabled trigger, which stays disabled' END,
        CASE WHEN NOT t.columns ? 'isdeleted' THEN 'has no column isdeleted' END,
        CASE WHEN (t.columns #>> '{sfid,required}')::boolean THEN 'sfid must not be null'
                  || CASE access WHEN 'read_write' THEN ': the application cannot add rows' ELSE '' END END,
        (SELECT format('its primary key is (%s)', string_agg(quote_ident(a.attname), ', ' ORDER BY k.place))
           FROM pg_constraint p, unnest(p.conkey) WITH ORDINALITY AS k(number, place) JOIN pg_attribute a ON a.attnum = k.number
          WHERE p.conrelid = t.relation AND p.contype = 'p' AND a.attrelid = t.relation HAVING array_agg(a.attname) <> '{id}'),
        CASE WHEN NOT EXISTS (SELECT FROM pg_constraint p WHERE p.conrelid = t.relation AND p.contype = 'p') THEN 'has no primary key' END,
        (SELECT CASE WHEN given IS NULL THEN 'columns of the user: ' ELSE 'columns that the mapping file does not name: ' END
                || string_agg(c.key, ', ' ORDER BY c.key COLLATE "C") FROM jsonb_each(t.columns) c
          WHERE c.key NOT IN ('id', '_hc_lastop', '_hc_err')
            AND NOT CASE WHEN given IS NULL THEN (c.value ->> 'field')::boolean
                         ELSE EXISTS (SELECT FROM jsonb_object_keys(public.hc_adopt_given_config(given, t.columns) -> 'fields') f
                                       WHERE public.hc_adopt_column(t.columns, f) = c.key) END),
        (SELECT 'fields of the mapping file that have no column, left out: ' || string_agg(f, ', ' ORDER BY f COLLATE "C")
           FROM jsonb_object_keys(given -> 'fields') f WHERE public.hc_adopt_column(t.columns, f) IS NULL AND lower(f) <> 'isdeleted'),
        (SELECT 'triggers of the user, kept: ' || string_agg(g.tgname, ', ' ORDER BY g.tgname) FROM pg_trigger g
          WHERE g.tgrelid = t.relation AND NOT g.tgisinternal AND g.oid IS DISTINCT FROM (t.log_trigger).oid AND g.oid IS DISTINCT FROM (t.status_trigger).oid)], NULL);
    RETURN jsonb_build_object('table', t.table_name, 'object', coalesce(file_object, t.table_name), 'access', access, 'version', version, 'names', names,
        'rows', t.rows, 'newest', newest, 'in_file', given IS NOT NULL, 'oddities', to_jsonb(oddities),
        -- Salesforce tells deletions of the last 15 days. Earlier ones are found by comparing ids, which is what a reload does.
        'cursor', CASE WHEN newest > (clock_timestamp() AT TIME ZONE 'UTC') - interval '15 days'
                       THEN least(newest, clock_timestamp() AT TIME ZONE 'UTC') - interval '10 minutes' END,
        'config', public.hc_mapping_config(CASE WHEN given IS NULL THEN public.hc_adopt_inferred_config(access, t.columns, names -> 'indexes')
                                                ELSE public.hc_adopt_given_config(given, t.columns) END, t.table_name)
                  || jsonb_build_object('hc_sync', coalesce(given -> 'hc_sync', '{}') || jsonb_build_object('inferred', given IS NULL)));
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_mapping(name, record, text, jsonb) IS 'What becomes of one mapped table: configuration, names, where polls begin, what is odd';

-- Column "adopted or imported" of the defaults. What the file does not say is as Heroku Connect did it.
CREATE FUNCTION public.hc_adopt_settings(configuration jsonb, has_ucs_basic boolean) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT jsonb_build_object('write_algorithm', 'ordered', 'protect_unsent', 'false', 'requeued_change', 'send', 'schema_healing', 'lengthening',
                              'field_gone', 'bad_config', 'truncate', 'warn', 'accelerated_source',
                              CASE WHEN given #> '{features,cdc_for_accelerated_polling}' = 'true' THEN 'change_data_capture' ELSE 'push_topic' END)
           || (given - ARRAY['features', 'organization_id', 'api_version', 'hc_sync'])
           || jsonb_build_object('features', jsonb_build_object('poll_db_no_merge', coalesce(given ->> 'write_algorithm', 'ordered') = 'ordered',
                                     'poll_external_ids', false, 'ucs_basic_collation_index', $2) || coalesce(given -> 'features', '{}'))
           || coalesce(given -> 'hc_sync', '{}')
      FROM public.hc_mapping_file_settings($1) AS s(given)
$function$;
COMMENT ON FUNCTION public.hc_adopt_settings(jsonb, boolean) IS 'Settings of an adopted connection: what the mapping file says, else what Heroku Connect did';

CREATE FUNCTION public.hc_adopt_organization(schema name) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    organization text;
BEGIN
    IF to_regclass(format('%I._hcmeta', schema)) IS NULL OR NOT public.hc_adopt_columns(to_regclass(format('%I._hcmeta', schema))) ? 'org_id' THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT max(org_id::text) FROM %I._hcmeta WHERE org_id ~ ''^00D[A-Za-z0-9]{12}([A-Z0-5]{3})?$''', schema) INTO organization;
    RETURN organization;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_organization(name) IS 'Organization id that the schema''s _hcmeta names; null if none';

CREATE FUNCTION public.hc_adopt_plan(schema name, configuration jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    t record;
    mappings jsonb[] := '{}';
    has_file boolean := coalesce(jsonb_typeof(configuration) <> 'null', false);
    given jsonb := '[]';
    given_names text[] := '{}';
    oddities text[] := '{}';
    noted text := public.hc_adopt_organization(schema);
    told jsonb := public.hc_mapping_file_settings(configuration);
    has_ucs_basic boolean := true;
    entries jsonb;
    pending jsonb;
BEGIN
    IF has_file THEN
        SELECT coalesce(jsonb_agg(to_jsonb(f)), '[]') INTO given FROM public.hc_mapping_file(configuration) f;
    END IF;
    FOR t IN SELECT a.*, f.object_name, f.config
               FROM public.hc_adopt_tables(schema) a
               LEFT JOIN jsonb_to_recordset(given) AS f(object_name text, config jsonb)
                      ON a.table_name IN (public.hc_table_name(f.object_name), left(lower(f.object_name), 63))
              ORDER BY a.table_name
    LOOP
        IF t.is_mapped OR t.object_name IS NOT NULL THEN
            mappings := mappings || public.hc_adopt_mapping(schema, t, t.object_name, t.config);
            given_names := array_append(given_names, lower(t.object_name));
            has_ucs_basic := has_ucs_basic AND t.columns #>> '{sfid,collation}' = 'ucs_basic';
        ELSIF t.resembles THEN
            oddities := oddities || format('%s: has the columns of a mapped table, but no triggers, functions or indexes of one: left alone', t.table_name);
        END IF;
        IF t.is_mapped AND t.object_name IS NULL AND has_file THEN
            oddities := oddities || format('%s: is not in the mapping file: taken over as the table shows it', t.table_name);
        END IF;
    END LOOP;
    oddities := oddities || ARRAY(SELECT format('%s: is in the mapping file and has no table: map it afterwards with hc-relay import', f.object_name)
                                    FROM jsonb_to_recordset(given) AS f(object_name text) WHERE NOT lower(f.object_name) = ANY (given_names) ORDER BY 1);
    IF left(noted, 15) <> left(told ->> 'organization_id', 15) THEN
        oddities := oddities || format('the mapping file is of organization %s, the schema of %s: the schema is followed', told ->> 'organization_id', noted);
    END IF;
    EXECUTE format('SELECT coalesce(jsonb_agg(jsonb_build_object(''table'', x.table_name, ''state'', x.state, ''count'', x.n) ORDER BY x.table_name, x.state), ''[]'')
                      FROM (SELECT table_name, state, count(*) AS n FROM %I._trigger_log GROUP BY 1, 2) x', schema) INTO entries;
    EXECUTE format('SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY x.id), ''[]'') FROM (
                        SELECT id, action, table_name, record_id, sfid, created_at FROM %I._trigger_log WHERE state = ''PENDING'' ORDER BY id) x', schema) INTO pending;
    RETURN jsonb_build_object('schema', schema, 'organization_id', coalesce(noted, told ->> 'organization_id'), 'api_version', told ->> 'api_version',
        'settings', public.hc_adopt_settings(configuration, has_ucs_basic AND cardinality(mappings) > 0),
        'mappings', to_jsonb(mappings), 'entries', entries, 'pending', pending, 'oddities', to_jsonb(oddities),
        'make', (SELECT coalesce(jsonb_agg(n ORDER BY n), '[]') FROM unnest(ARRAY['_hcmeta', '_sf_event_log', '_trigger_log_archive']) AS tables(n)
                  WHERE to_regclass(format('%I.%I', schema, n)) IS NULL),
        -- Applications call them, and an export may have lost them.
        'make_functions', NOT EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = to_regnamespace(quote_ident(schema)) AND p.proname ~ '^hc_capture_(insert|update)_from_row$'),
        'sessions', (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM public.hc_adopt_sessions(schema) s));
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_plan(name, jsonb) IS 'What hc_adopt would do with a schema, as one document; changes nothing';
