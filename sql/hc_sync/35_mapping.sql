-- Mappings: what Salesforce's describe and a configuration make of one object, in the catalog.

-- Column => {name, unique} of every index of a new table: Id and SystemModstamp always, the identifier, and what was asked for.
CREATE FUNCTION public.hc_index_plan(table_name text, config jsonb, field_columns jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $function$
    SELECT pg_catalog.jsonb_object_agg(column_name, pg_catalog.jsonb_build_object(
               'name', public.hc_index_name($1, column_name, is_unique), 'unique', is_unique))
      FROM (SELECT $3 ->> field_name AS column_name, pg_catalog.bool_or(is_unique) AS is_unique
              FROM (SELECT 'Id', true
                    UNION ALL SELECT 'SystemModstamp', false
                    UNION ALL SELECT $2 ->> 'upsert_field', true WHERE $2 ? 'upsert_field'
                    UNION ALL SELECT k, (v ->> 'unique')::boolean AND k <> 'SystemModstamp'
                                FROM pg_catalog.jsonb_each($2 -> 'indexes') AS members(k, v)) AS wanted(field_name, is_unique)
             GROUP BY 1) AS indexes
$function$;
COMMENT ON FUNCTION public.hc_index_plan(text, jsonb, jsonb) IS 'Indexes of a new mapped table by column: name and uniqueness';

-- The configuration with every name in Salesforce's spelling, and with the fields that no mapping can go without.
CREATE FUNCTION public.hc_canonical_config(config jsonb, spelling jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $function$
    SELECT $1 || pg_catalog.jsonb_build_object(
               'fields', (SELECT pg_catalog.jsonb_object_agg(s.value, coalesce($1 -> 'fields' -> public.hc_json_field_key($1 -> 'fields', s.key), '{}'))
                            FROM pg_catalog.jsonb_each_text($2) s),
               'indexes', '{"Id": {"unique": true}, "SystemModstamp": {"unique": false}}'
                          || coalesce((SELECT pg_catalog.jsonb_object_agg($2 ->> pg_catalog.lower(i.key), i.value)
                                         FROM pg_catalog.jsonb_each($1 -> 'indexes') i
                                        WHERE pg_catalog.lower(i.key) NOT IN ('id', 'systemmodstamp')), '{}'))
              || CASE WHEN $1 ? 'upsert_field'
                      THEN pg_catalog.jsonb_build_object('upsert_field', $2 ->> pg_catalog.lower($1 ->> 'upsert_field')) ELSE '{}' END
$function$;
COMMENT ON FUNCTION public.hc_canonical_config(jsonb, jsonb) IS 'Configuration with names spelled as Salesforce spells them; spelling is by lower-case name';

-- What a configuration and a describe ask for: fields holds one row for each field, mapping and position not yet filled; columns is
-- field name => column.
CREATE FUNCTION public.hc_mapping_wanted(connection uuid, object_name text, config jsonb, description jsonb,
                                         OUT wanted jsonb, OUT fields public.hc_field[], OUT columns jsonb, OUT upsert_column name)
LANGUAGE plpgsql STABLE AS $function$
#variable_conflict use_column
DECLARE
    object text := $4 ->> 'name';
    spelling jsonb;
    identifier public.hc_field;
    twice text;
BEGIN
    PERFORM public.hc_check_object($2, $4);
    wanted := public.hc_mapping_config($3);
    -- Fields in the order of their names; Id, whose column stands behind them, last.
    SELECT pg_catalog.array_agg(f ORDER BY (f).column_name = 'sfid', pg_catalog.lower((f).field_name) COLLATE "C")
      INTO fields
      FROM (SELECT public.hc_mapping_field($1, $4, name) AS f
              FROM (SELECT pg_catalog.jsonb_object_keys(wanted -> 'fields')
                    UNION ALL
                    SELECT required FROM pg_catalog.unnest(ARRAY['Id', 'SystemModstamp', 'IsDeleted']) AS names(required)
                     WHERE public.hc_json_field_key(wanted -> 'fields', required) IS NULL
                       AND (required <> 'IsDeleted' OR public.hc_describe_field($4, required) IS NOT NULL)) AS names(name)) AS made;
    SELECT f.field_name INTO twice FROM pg_catalog.unnest(fields) AS f GROUP BY f.field_name HAVING pg_catalog.count(*) > 1 LIMIT 1;
    IF twice IS NOT NULL THEN
        RAISE EXCEPTION 'field "%" of object "%" is mapped twice', twice, object USING ERRCODE = 'duplicate_column';
    END IF;
    SELECT pg_catalog.jsonb_object_agg(pg_catalog.lower(f.field_name), f.field_name),
           pg_catalog.jsonb_object_agg(f.field_name, f.column_name) INTO spelling, columns
      FROM pg_catalog.unnest(fields) AS f;
    wanted := public.hc_canonical_config(wanted, spelling);

    IF wanted ? 'upsert_field' THEN
        SELECT f.* INTO identifier FROM pg_catalog.unnest(fields) AS f WHERE f.field_name = wanted ->> 'upsert_field';
        IF NOT identifier.external_id OR identifier.relationship_field IS NOT NULL THEN
            RAISE EXCEPTION 'field "%" of object "%" cannot identify records: it is not an external id', identifier.field_name, object
                USING ERRCODE = 'feature_not_supported', HINT = 'Tick "External ID" and "Unique" for the field in Salesforce, or choose another.';
        END IF;
        upsert_column := identifier.column_name;
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_wanted(uuid, text, jsonb, jsonb) IS
    'Configuration in Salesforce''s spelling, and the fields and columns that it asks for; refuses what cannot be mapped';

CREATE FUNCTION public.hc_mapping_register(connection uuid, object_name text, config jsonb, description jsonb) RETURNS uuid
LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
    schema name := (SELECT c.schema_name FROM public.hc_connection c WHERE c.id = $1 FOR KEY SHARE);
    object text;
    target name;
    wanted jsonb;
    columns jsonb;
    fields public.hc_field[];
    upsert_column name;
    new_mapping uuid := pg_catalog.gen_random_uuid();
BEGIN
    IF schema IS NULL THEN
        RAISE EXCEPTION 'connection "%" does not exist', $1 USING ERRCODE = 'undefined_object';
    END IF;
    PERFORM public.hc_check_object($2, $4);
    object := $4 ->> 'name';
    target := public.hc_table_name(object);
    IF EXISTS (SELECT FROM public.hc_mapping m WHERE m.connection = $1 AND (m.object_name = object OR m.table_name = target)) THEN
        RAISE EXCEPTION 'object "%" is already mapped', object
            USING ERRCODE = 'duplicate_object', HINT = 'Edit its mapping, or delete it first.';
    ELSIF pg_catalog.to_regclass(pg_catalog.format('%I.%I', schema, target)) IS NOT NULL THEN
        RAISE EXCEPTION 'relation "%.%" already exists', schema, target
            USING ERRCODE = 'duplicate_table',
                  HINT = 'An existing table is never replaced. Rename or drop it, or take the schema over with hc_adopt.';
    END IF;
    SELECT w.wanted, w.fields, w.columns, w.upsert_column INTO wanted, fields, columns, upsert_column FROM public.hc_mapping_wanted($1, $2, $3, $4) w;
    INSERT INTO public.hc_mapping (id, connection, object_name, table_name, access, config, description,
                                   upsert_field, upsert_column, polling, names)
         VALUES (new_mapping, $1, object, target, wanted ->> 'access', wanted, $4 #- '{hc_sync,parents}',
                 wanted ->> 'upsert_field', upsert_column,
                 pg_catalog.make_interval(secs => (wanted ->> 'sf_polling_seconds')::integer),
                 public.hc_object_names(target)
                 || pg_catalog.jsonb_build_object('indexes', public.hc_index_plan(target, wanted, columns)));
    INSERT INTO public.hc_field
         SELECT new_mapping, place, f.field_name, f.column_name, f.salesforce_type, f.postgres_type, f.length, f.scale,
                f.createable, f.updateable, f.nillable, f.calculated, f.external_id, f.unique_in_org,
                f.relationship_name, f.reference_to, f.relationship_field, f.relationship_object
           FROM pg_catalog.unnest(fields) WITH ORDINALITY
                AS f(mapping, position, field_name, column_name, salesforce_type, postgres_type, length, scale,
                     createable, updateable, nillable, calculated, external_id, unique_in_org,
                     relationship_name, reference_to, relationship_field, relationship_object, place);
    RETURN new_mapping;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_register(uuid, text, jsonb, jsonb) IS
    'Writes a mapping and its fields into the catalog and makes no table yet; config as in the mapping file, description as Salesforce''s describe';
