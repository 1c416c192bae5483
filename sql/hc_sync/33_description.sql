-- Salesforce's describe of an object: what can be mapped of it, and what each field becomes.

-- Objects that no mapping can hold. Raises feature_not_supported with the reason.
CREATE FUNCTION public.hc_check_object(object_name text, description jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $function$
DECLARE
    reason text;
BEGIN
    IF pg_catalog.jsonb_typeof(description) IS DISTINCT FROM 'object'
       OR pg_catalog.jsonb_typeof(description -> 'fields') IS DISTINCT FROM 'array'
       OR pg_catalog.lower(description ->> 'name') IS DISTINCT FROM pg_catalog.lower(object_name) THEN
        RAISE EXCEPTION 'object "%" does not exist or is not readable by the connected user', object_name
            USING ERRCODE = 'undefined_object',
                  HINT = 'Check the API name, and that the connected user''s profile or permission set can read the object.';
    END IF;
    reason := CASE
        WHEN object_name ILIKE '%\_\_b' THEN 'big objects have no SystemModstamp to poll by'
        WHEN object_name ILIKE '%\_\_e' THEN 'platform events are not stored records'
        WHEN object_name ILIKE '%ChangeEvent' THEN 'change events are not stored records'
        WHEN object_name ILIKE '%\_\_kav' OR pg_catalog.lower(object_name) = 'knowledgearticleversion'
            THEN 'article versions can only be read with a filter on PublishStatus'
        WHEN description -> 'queryable' = 'false' THEN 'it cannot be queried'
        WHEN NOT EXISTS (SELECT FROM pg_catalog.jsonb_array_elements(description -> 'fields') AS fields(f)
                          WHERE f ->> 'name' = 'SystemModstamp') THEN 'it has no SystemModstamp to poll by'
    END;
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION 'object "%" cannot be mapped: %', description ->> 'name', reason
            USING ERRCODE = 'feature_not_supported';
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_check_object(text, jsonb) IS 'Refuses an object that is unknown or cannot be mapped, with the reason';

CREATE FUNCTION public.hc_describe_field(description jsonb, field_name text) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT AS $function$
    SELECT f FROM pg_catalog.jsonb_array_elements($1 -> 'fields') AS fields(f)
     WHERE pg_catalog.lower(f ->> 'name') = pg_catalog.lower($2)
$function$;
COMMENT ON FUNCTION public.hc_describe_field(jsonb, text) IS 'One field of a describe, by name in any case; null if it is not there';

-- The parent's describe is the mapping's own for a self-lookup, else it comes with the description under hc_sync.parents, else
-- from a mapping of the same connection.
CREATE FUNCTION public.hc_parent_description(connection uuid, description jsonb, parent text) RETURNS jsonb
LANGUAGE sql STABLE AS $function$
    SELECT CASE WHEN $2 ->> 'name' = $3 THEN $2
                ELSE coalesce(nullif($2 #> ARRAY['hc_sync', 'parents', $3], 'null'),
                              (SELECT m.description FROM public.hc_mapping m WHERE m.connection = $1 AND m.object_name = $3)) END
$function$;
COMMENT ON FUNCTION public.hc_parent_description(uuid, jsonb, text) IS 'Describe of the object that a lookup points to, where it is known';

-- Relationship__ExternalId, for example Account__ExternalId__c or Member__r__Code__c: the lookup whose relationship name begins
-- the field name, longest first. Answers no row if there is none.
CREATE FUNCTION public.hc_relationship_field(connection uuid, description jsonb, name text) RETURNS public.hc_field
LANGUAGE plpgsql STABLE AS $function$
DECLARE
    lookup jsonb;
    parent_field jsonb;
    parent text;
    parent_description jsonb;
    answer public.hc_field;
BEGIN
    SELECT f INTO lookup
      FROM pg_catalog.jsonb_array_elements(description -> 'fields') AS fields(f)
     WHERE f ->> 'type' = 'reference'
       AND pg_catalog.starts_with(pg_catalog.lower(name), pg_catalog.lower(f ->> 'relationshipName') || '__')
       AND pg_catalog.length(name) > pg_catalog.length(f ->> 'relationshipName') + 2
     ORDER BY pg_catalog.length(f ->> 'relationshipName') DESC LIMIT 1;
    IF lookup IS NULL THEN
        RETURN NULL;
    ELSIF pg_catalog.jsonb_array_length(lookup -> 'referenceTo') <> 1 THEN
        RAISE EXCEPTION 'field "%" cannot be mapped: "%" may point to several objects', name, lookup ->> 'name'
            USING ERRCODE = 'feature_not_supported',
                  HINT = pg_catalog.format('Map %s and write the parent''s sfid.', lookup ->> 'name');
    END IF;
    parent := lookup #>> '{referenceTo,0}';
    parent_description := public.hc_parent_description(connection, description, parent);
    IF parent_description IS NULL THEN
        RAISE EXCEPTION 'field "%" needs the describe of "%"', name, parent
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = pg_catalog.format('Map %1$s first, or pass its describe as hc_sync.parents.%1$s of the description.', parent);
    END IF;
    parent_field := public.hc_describe_field(
        parent_description, pg_catalog.substr(name, pg_catalog.length(lookup ->> 'relationshipName') + 3));
    IF parent_field IS NULL THEN
        RETURN NULL;
    ELSIF NOT coalesce((parent_field ->> 'externalId')::boolean, false) AND NOT coalesce((parent_field ->> 'idLookup')::boolean, false) THEN
        RAISE EXCEPTION 'field "%" cannot be mapped: "%.%" is not an external id', name, parent, parent_field ->> 'name'
            USING ERRCODE = 'feature_not_supported', HINT = 'Tick "External ID" for that field in Salesforce.';
    END IF;
    answer := public.hc_field_of(parent_field, parent_description);
    answer.field_name := (lookup ->> 'relationshipName') || '__' || (parent_field ->> 'name');
    answer.column_name := public.hc_column_name(answer.field_name);
    answer.createable := coalesce((lookup ->> 'createable')::boolean, false);
    answer.updateable := coalesce((lookup ->> 'updateable')::boolean, false);
    answer.nillable := coalesce((lookup ->> 'nillable')::boolean, true);
    answer.calculated := false;
    answer.external_id := false;
    answer.unique_in_org := false;
    answer.relationship_name := lookup ->> 'relationshipName';
    answer.reference_to := ARRAY[parent];
    answer.relationship_field := parent_field ->> 'name';
    answer.relationship_object := parent;
    RETURN answer;
END
$function$;
COMMENT ON FUNCTION public.hc_relationship_field(uuid, jsonb, text) IS
    'What a field that names the parent by external id becomes; null if the name is not of that form';

CREATE FUNCTION public.hc_field_of(field jsonb, description jsonb) RETURNS public.hc_field
LANGUAGE plpgsql IMMUTABLE AS $function$
DECLARE
    answer public.hc_field;
BEGIN
    answer.postgres_type := public.hc_postgres_type(field, description);
    answer.field_name := field ->> 'name';
    answer.column_name := public.hc_column_name(field ->> 'name');
    answer.salesforce_type := field ->> 'type';
    answer.length := nullif((field ->> 'length')::integer, 0);
    answer.scale := CASE WHEN field ->> 'type' IN ('double', 'currency', 'percent') THEN (field ->> 'scale')::integer END;
    answer.createable := coalesce((field ->> 'createable')::boolean, false);
    answer.updateable := coalesce((field ->> 'updateable')::boolean, false);
    answer.nillable := coalesce((field ->> 'nillable')::boolean, true);
    answer.calculated := coalesce((field ->> 'calculated')::boolean, false);
    answer.external_id := coalesce((field ->> 'externalId')::boolean, false);
    answer.unique_in_org := coalesce((field ->> 'unique')::boolean, false);
    answer.relationship_name := field ->> 'relationshipName';
    answer.reference_to := (SELECT nullif(pg_catalog.array_agg(target), '{}')
                              FROM pg_catalog.jsonb_array_elements_text(nullif(field -> 'referenceTo', 'null')) AS targets(target));
    RETURN answer;
END
$function$;
COMMENT ON FUNCTION public.hc_field_of(jsonb, jsonb) IS 'What one field of a describe becomes, mapping and position not yet filled';

CREATE FUNCTION public.hc_mapping_field(connection uuid, description jsonb, name text) RETURNS public.hc_field
LANGUAGE plpgsql STABLE AS $function$
DECLARE
    field jsonb := public.hc_describe_field(description, name);
    answer public.hc_field;
BEGIN
    IF field IS NOT NULL THEN
        RETURN public.hc_field_of(field, description);
    END IF;
    answer := public.hc_relationship_field(connection, description, name);
    IF answer.field_name IS NULL THEN
        RAISE EXCEPTION 'field "%" of object "%" does not exist or is not readable by the connected user', name, description ->> 'name'
            USING ERRCODE = 'undefined_column',
                  HINT = 'Check the API name, and the field-level security of the connected user''s profile or permission set.';
    ELSIF pg_catalog.lower(answer.column_name::text) = 'id' THEN
        RAISE EXCEPTION 'field "%" cannot be mapped: its column would be "id"', name USING ERRCODE = 'feature_not_supported';
    END IF;
    RETURN answer;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_field(uuid, jsonb, text) IS
    'What one name of a configuration''s fields becomes; refuses what is not in the describe or has no column';
