-- Salesforce types as PostgreSQL types.

-- Long text becomes text above this length: up to 8,000 characters Heroku Connect made varchar(n), from 32,000 on text;
-- what it did between is not known.
CREATE FUNCTION public.hc_longest_varchar() RETURNS integer
LANGUAGE sql IMMUTABLE AS $function$ SELECT 10000 $function$;
COMMENT ON FUNCTION public.hc_longest_varchar() IS 'Characters up to which long text is varchar(n) and not text';

-- The parts as describe lists them; without a describe, as standard fields name them.
CREATE FUNCTION public.hc_compound_parts(field jsonb, description jsonb) RETURNS text
LANGUAGE sql IMMUTABLE AS $function$
    SELECT coalesce(
        (SELECT pg_catalog.string_agg(part ->> 'name', ', ' ORDER BY place)
           FROM pg_catalog.jsonb_array_elements(description -> 'fields') WITH ORDINALITY AS parts(part, place)
          WHERE part ->> 'compoundFieldName' = field ->> 'name'
            AND part ->> 'type' NOT IN ('address', 'location')),
        CASE field ->> 'type'
            WHEN 'location' THEN (SELECT stem || '__Latitude__s, ' || stem || '__Longitude__s'
                                    FROM (VALUES (pg_catalog.regexp_replace(field ->> 'name', '__c$', ''))) AS stems(stem))
            ELSE (SELECT pg_catalog.string_agg(pg_catalog.regexp_replace(field ->> 'name', 'Address$', '') || part, ', ' ORDER BY place)
                    FROM pg_catalog.unnest(ARRAY['Street', 'City', 'State', 'PostalCode', 'Country'])
                         WITH ORDINALITY AS parts(part, place))
        END)
$function$;
COMMENT ON FUNCTION public.hc_compound_parts(jsonb, jsonb) IS 'Names of the fields that make up a compound field, for a message';

-- Takes one field of Salesforce's describe, and the describe itself for naming the parts of a compound field. Raises
-- feature_not_supported for what has no column.
CREATE FUNCTION public.hc_postgres_type(field jsonb, description jsonb DEFAULT NULL) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $function$
DECLARE
    field_name text := field ->> 'name';
    salesforce_type text := pg_catalog.lower(field ->> 'type');
    field_length integer := coalesce((field ->> 'length')::integer, 0);
BEGIN
    CASE salesforce_type
        WHEN 'id', 'reference' THEN RETURN 'character varying(18)';
        WHEN 'boolean' THEN RETURN 'boolean';
        WHEN 'int' THEN RETURN 'integer';
        WHEN 'long' THEN RETURN 'bigint';
        WHEN 'double', 'currency', 'percent' THEN RETURN 'double precision';
        WHEN 'date' THEN RETURN 'date';
        WHEN 'datetime' THEN RETURN 'timestamp without time zone';
        WHEN 'time' THEN RETURN 'time without time zone';
        WHEN 'multipicklist' THEN RETURN 'character varying(4099)';
        WHEN 'picklist', 'combobox' THEN
            -- Codes of states, countries and currencies keep their short length; all other lists get room for new values.
            RETURN pg_catalog.format('character varying(%s)',
                CASE WHEN field_length BETWEEN 1 AND 39 THEN field_length ELSE greatest(field_length, 255) END);
        WHEN 'string', 'email', 'phone', 'url', 'encryptedstring' THEN
            RETURN CASE WHEN field_length > 0 THEN pg_catalog.format('character varying(%s)', field_length) ELSE 'text' END;
        WHEN 'textarea' THEN
            RETURN CASE WHEN field_length BETWEEN 1 AND public.hc_longest_varchar()
                        THEN pg_catalog.format('character varying(%s)', field_length) ELSE 'text' END;
        WHEN 'anytype', 'complexvalue', 'json', 'datacategorygroupreference' THEN RETURN 'text';
        WHEN 'base64' THEN
            RAISE EXCEPTION 'field "%" cannot be mapped: files (type base64) are not synced', field_name
                USING ERRCODE = 'feature_not_supported',
                      HINT = 'Store the file elsewhere and map a text or URL field that holds its link.';
        WHEN 'address', 'location' THEN
            RAISE EXCEPTION 'field "%" cannot be mapped: it is a compound field (type %)', field_name, salesforce_type
                USING ERRCODE = 'feature_not_supported',
                      HINT = pg_catalog.format('Map its parts instead: %s.', public.hc_compound_parts(field, description));
        ELSE
            RAISE EXCEPTION 'field "%" cannot be mapped: its type "%" is not known', field_name, field ->> 'type'
                USING ERRCODE = 'feature_not_supported', HINT = 'Leave the field out of the mapping.';
    END CASE;
END
$function$;
COMMENT ON FUNCTION public.hc_postgres_type(jsonb, jsonb) IS
    'Column type for one field of a describe; refuses base64 and compound fields and says what to map instead';
