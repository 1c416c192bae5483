-- The mapping file, all three generations, read in one place and nowhere else. What is present must be right, and an error
-- names its place; what an older exporter did not write gets its default; keys that we do not know are left alone.
--   2016: connection has app_name, exported_at, organization_id; indexes and upsert_field may be missing
--   2019: api_version, name and some features are added
--   now:  as Heroku Connect exports today; our own settings are under the key "hc_sync"

-- One value of the wanted JSON type, or null where it is absent or null.
CREATE FUNCTION public.hc_json_member(container jsonb, key text, wanted text, place text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $function$
DECLARE
    member jsonb := container -> key;
    found text := pg_catalog.jsonb_typeof(member);
BEGIN
    IF found IS NULL OR found = 'null' THEN
        RETURN NULL;
    ELSIF found <> wanted THEN
        RAISE EXCEPTION '%: must be %, is %', place || key,
              CASE WHEN wanted IN ('object', 'array') THEN 'an ' ELSE 'a ' END || wanted,
              CASE WHEN found IN ('object', 'array') THEN 'an ' ELSE 'a ' END || found
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN member;
END
$function$;
COMMENT ON FUNCTION public.hc_json_member(jsonb, text, text, text) IS 'Member of an object, refused with its place if it has another type than wanted';

CREATE FUNCTION public.hc_json_integer(container jsonb, key text, at_least integer, at_most integer, otherwise integer, place text)
RETURNS integer
LANGUAGE plpgsql IMMUTABLE AS $function$
DECLARE
    member jsonb := public.hc_json_member(container, key, 'number', place);
    value numeric := (member #>> '{}')::numeric;
BEGIN
    IF member IS NULL THEN
        RETURN otherwise;
    ELSIF value <> pg_catalog.trunc(value) OR value NOT BETWEEN at_least AND at_most THEN
        RAISE EXCEPTION '%: must be % to %', place || key, at_least, at_most USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN value::integer;
END
$function$;
COMMENT ON FUNCTION public.hc_json_integer(jsonb, text, integer, integer, integer, text) IS 'Whole number of an object within bounds, or the default';

-- Checks that an object's members are objects (or null) and answers it with null as {}.
CREATE FUNCTION public.hc_json_objects(container jsonb, key text, place text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $function$
DECLARE
    members jsonb := coalesce(public.hc_json_member(container, key, 'object', place), '{}');
    answer jsonb := '{}';
    name text;
BEGIN
    FOR name IN SELECT pg_catalog.jsonb_object_keys(members) LOOP
        IF name !~ '^[A-Za-z][A-Za-z0-9_]*$' THEN
            RAISE EXCEPTION '%: "%" is not the API name of a field', place || key, name USING ERRCODE = 'invalid_parameter_value';
        END IF;
        answer := answer || pg_catalog.jsonb_build_object(
            name, coalesce(public.hc_json_member(members, name, 'object', place || key || '.'), '{}'));
    END LOOP;
    RETURN answer;
END
$function$;
COMMENT ON FUNCTION public.hc_json_objects(jsonb, text, text) IS 'Object whose keys are field names and whose values are objects';

-- The key of an object that equals a field name regardless of case.
CREATE FUNCTION public.hc_json_field_key(container jsonb, field_name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $function$
    SELECT k FROM pg_catalog.jsonb_object_keys($1) AS keys(k) WHERE pg_catalog.lower(k) = pg_catalog.lower($2)
     ORDER BY (k = $2) DESC LIMIT 1
$function$;
COMMENT ON FUNCTION public.hc_json_field_key(jsonb, text) IS 'The key in which a field name stands in an object, whatever its case';

CREATE FUNCTION public.hc_mapping_config(config jsonb, place text DEFAULT 'config') RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $function$
DECLARE
    here text := place || '.';
    access text;
    fields jsonb;
    indexes jsonb;
    upsert_field text;
    extras jsonb;
    name text;
BEGIN
    IF pg_catalog.jsonb_typeof(config) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION '%: must be an object', place USING ERRCODE = 'invalid_parameter_value';
    END IF;
    access := coalesce(public.hc_json_member(config, 'access', 'string', here) #>> '{}', 'read_only');
    IF access NOT IN ('read_only', 'read_write') THEN
        RAISE EXCEPTION '%access: must be read_only or read_write, is "%"', here, access USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT config ? 'fields' THEN
        RAISE EXCEPTION '%fields: is missing', here USING ERRCODE = 'invalid_parameter_value';
    END IF;
    fields := public.hc_json_objects(config, 'fields', here);
    SELECT pg_catalog.min(k) INTO name FROM pg_catalog.jsonb_object_keys(fields) AS keys(k)
     GROUP BY pg_catalog.lower(k) HAVING pg_catalog.count(*) > 1 ORDER BY 1 LIMIT 1;
    IF name IS NOT NULL THEN
        RAISE EXCEPTION '%fields: "%" is named twice', here, name USING ERRCODE = 'invalid_parameter_value';
    END IF;
    indexes := public.hc_json_objects(config, 'indexes', here);
    FOR name IN SELECT pg_catalog.jsonb_object_keys(indexes) LOOP
        IF pg_catalog.lower(name) NOT IN ('id', 'systemmodstamp') AND public.hc_json_field_key(fields, name) IS NULL THEN
            RAISE EXCEPTION '%indexes.%: is not among the fields', here, name USING ERRCODE = 'invalid_parameter_value';
        END IF;
        indexes := pg_catalog.jsonb_set(indexes, ARRAY[name], pg_catalog.jsonb_build_object('unique',
            coalesce(public.hc_json_member(indexes -> name, 'unique', 'boolean', here || 'indexes.' || name || '.'), 'false')));
    END LOOP;
    upsert_field := nullif(public.hc_json_member(config, 'upsert_field', 'string', here) #>> '{}', '');
    IF upsert_field IS NOT NULL AND public.hc_json_field_key(fields, upsert_field) IS NULL THEN
        RAISE EXCEPTION '%upsert_field: "%" is not among the fields', here, upsert_field USING ERRCODE = 'invalid_parameter_value';
    END IF;
    extras := public.hc_json_member(config, 'hc_sync', 'object', here);
    PERFORM public.hc_json_member(extras, 'allow_duplicates', 'boolean', here || 'hc_sync.');
    RETURN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
        'access', access,
        'sf_notify_enabled', coalesce(public.hc_json_member(config, 'sf_notify_enabled', 'boolean', here), 'false'),
        'sf_polling_seconds', public.hc_json_integer(config, 'sf_polling_seconds', 120, 3600, 600, here),
        'sf_max_daily_api_calls', public.hc_json_integer(config, 'sf_max_daily_api_calls', 1, 2147483647, 30000, here),
        'fields', fields, 'indexes', indexes,
        'upsert_field', public.hc_json_field_key(fields, upsert_field))) ||
        CASE WHEN extras IS NULL THEN '{}' ELSE pg_catalog.jsonb_build_object('hc_sync', extras) END;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_config(jsonb, text) IS
    'Configuration of one mapping, checked and with defaults; place is what an error message calls it';

CREATE FUNCTION public.hc_mapping_file(document jsonb) RETURNS TABLE (object_name text, config jsonb)
LANGUAGE plpgsql IMMUTABLE AS $function$
DECLARE
    mappings jsonb;
    mapping jsonb;
    place text;
    seen text[] := '{}';
BEGIN
    IF pg_catalog.jsonb_typeof(document) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'mapping file: must be an object' USING ERRCODE = 'invalid_parameter_value';
    ELSIF coalesce(public.hc_json_member(document, 'version', 'number', ''), '1') <> '1' THEN
        RAISE EXCEPTION 'version: must be 1, is %', document -> 'version' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM public.hc_mapping_file_settings(document);
    mappings := public.hc_json_member(document, 'mappings', 'array', '');
    IF mappings IS NULL THEN
        RAISE EXCEPTION 'mappings: is missing' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR number IN 0 .. pg_catalog.jsonb_array_length(mappings) - 1 LOOP
        mapping := mappings -> number;
        place := pg_catalog.format('mappings[%s]', number);
        IF pg_catalog.jsonb_typeof(mapping) <> 'object' THEN
            RAISE EXCEPTION '%: must be an object', place USING ERRCODE = 'invalid_parameter_value';
        END IF;
        object_name := public.hc_json_member(mapping, 'object_name', 'string', place || '.') #>> '{}';
        IF object_name IS NULL OR object_name !~ '^[A-Za-z][A-Za-z0-9_]*$' THEN
            RAISE EXCEPTION '%.object_name: must be the API name of an object', place USING ERRCODE = 'invalid_parameter_value';
        ELSIF pg_catalog.lower(object_name) = ANY (seen) THEN
            RAISE EXCEPTION '%.object_name: "%" is mapped twice', place, object_name USING ERRCODE = 'invalid_parameter_value';
        ELSIF NOT mapping ? 'config' THEN
            RAISE EXCEPTION '%.config: is missing', place USING ERRCODE = 'invalid_parameter_value';
        END IF;
        seen := seen || pg_catalog.lower(object_name);
        config := public.hc_mapping_config(mapping -> 'config', place || '.config');
        RETURN NEXT;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_file(jsonb) IS
    'Mappings of a mapping file in its order, checked and with defaults; an error names its place, for example mappings[2].config.access';

-- A file without the key "connection" says nothing about the connection and changes nothing. One that has it and does not have
-- the flag was exported from a connection with merged writes.
CREATE FUNCTION public.hc_mapping_file_settings(document jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $function$
DECLARE
    connection jsonb := public.hc_json_member(document, 'connection', 'object', '');
    place CONSTANT text := 'connection.';
    features jsonb;
    version text;
    flag text;
BEGIN
    IF document IS NULL OR pg_catalog.jsonb_typeof(document) = 'null' THEN
        RETURN '{"write_algorithm": "ordered"}';
    ELSIF connection IS NULL THEN
        RETURN '{}';
    END IF;
    features := coalesce(public.hc_json_member(connection, 'features', 'object', place), '{}');
    FOR flag IN SELECT pg_catalog.jsonb_object_keys(features) LOOP
        CONTINUE WHEN flag NOT IN ('poll_db_no_merge', 'poll_external_ids', 'disable_bulk_writes', 'rest_count_only',
                                   'use_assignment_rules', 'cdc_for_accelerated_polling', 'ucs_basic_collation_index');
        PERFORM public.hc_json_member(features, flag, 'boolean', place || 'features.');
    END LOOP;
    version := CASE pg_catalog.jsonb_typeof(connection -> 'api_version')
                    WHEN 'number' THEN connection ->> 'api_version'
                    ELSE public.hc_json_member(connection, 'api_version', 'string', place) #>> '{}' END;
    IF version !~ '^[0-9]{2,3}(\.[0-9])?$' THEN
        RAISE EXCEPTION '%api_version: must be a version like 61.0, is "%"', place, version USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
        'write_algorithm', CASE WHEN features -> 'poll_db_no_merge' = 'true' THEN 'ordered' ELSE 'merged' END,
        'features', features,
        'organization_id', public.hc_json_member(connection, 'organization_id', 'string', place),
        'api_version', CASE WHEN version LIKE '%.%' THEN version ELSE version || '.0' END,
        'name', public.hc_json_member(connection, 'name', 'string', place),
        'app_name', public.hc_json_member(connection, 'app_name', 'string', place),
        'logplex_log_enabled', public.hc_json_member(connection, 'logplex_log_enabled', 'boolean', place),
        'hc_sync', public.hc_json_member(connection, 'hc_sync', 'object', place)));
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_file_settings(jsonb) IS
    'Connection settings that a mapping file carries: write_algorithm (ordered or merged), features, api_version and names; null for no file';
