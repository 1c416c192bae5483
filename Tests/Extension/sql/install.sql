-- The extension, and what the other files share. The capture mode comes from the setting regress.capture. Where it is portable, there
-- is no extension: a role that is no superuser has applied the portable bundle, and runs these files.
\set SHOW_CONTEXT never
SELECT current_setting('regress.capture') = 'c' AS extension \gset
SET client_min_messages = warning;
\if :extension
CREATE EXTENSION hc_sync CASCADE;
\endif
RESET client_min_messages;
SELECT hc_version(), count(*) FILTER (WHERE extname = 'hc_sync') = CASE WHEN :'extension' THEN 1 ELSE 0 END AS as_said,
       count(*) FILTER (WHERE extname = 'hstore') AS hstore FROM pg_extension;
SELECT hc_has_c_capture() = :'extension' AND rolsuper = :'extension' AS as_said FROM pg_roles WHERE rolname = current_user;
SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'hc\_%'
   AND obj_description(p.oid, 'pg_proc') IS NULL ORDER BY 1;
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname LIKE 'hc\_%' AND c.relkind = 'r'
   AND obj_description(c.oid, 'pg_class') IS NULL ORDER BY 1;

CREATE FUNCTION regress_connection(schema name) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    connection uuid := public.hc_connection_create(schema);
BEGIN
    UPDATE public.hc_connection SET settings = jsonb_build_object('capture', current_setting('regress.capture')) WHERE id = connection;
    PERFORM public.hc_wakeup_mode(schema, current_setting('regress.capture'));
    RETURN connection;
END $$;

CREATE FUNCTION regress_describe(object text, fields jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('name', object, 'queryable', true, 'fields', '[
        {"name": "Id", "type": "id", "length": 18},
        {"name": "IsDeleted", "type": "boolean", "length": 0},
        {"name": "SystemModstamp", "type": "datetime", "length": 0}]'::jsonb || fields)
$$;

CREATE FUNCTION regress_account() RETURNS jsonb LANGUAGE sql AS $$
    SELECT public.regress_describe('Account', '[
        {"name": "Name", "type": "string", "length": 255, "createable": true, "updateable": true, "nillable": false},
        {"name": "NumberOfEmployees", "type": "int", "length": 0, "createable": true, "updateable": true},
        {"name": "AnnualRevenue", "type": "currency", "length": 0, "precision": 18, "scale": 2, "createable": true, "updateable": true},
        {"name": "ExternalId__c", "type": "string", "length": 36, "externalId": true, "unique": true, "createable": true, "updateable": true},
        {"name": "ParentId", "type": "reference", "length": 18, "referenceTo": ["Account"], "relationshipName": "Parent", "createable": true, "updateable": true},
        {"name": "BillingAddress", "type": "address", "length": 0},
        {"name": "BillingStreet", "type": "textarea", "length": 255, "compoundFieldName": "BillingAddress"},
        {"name": "BillingCity", "type": "string", "length": 40, "compoundFieldName": "BillingAddress"}]')
$$;

-- A table that exists already, mapped as it is.
CREATE FUNCTION regress_adopt(connection uuid, table_name name, access text DEFAULT 'read_write') RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    mapping uuid;
BEGIN
    INSERT INTO public.hc_mapping (connection, object_name, table_name, access, names)
         VALUES ($1, $2, $2, $3, public.hc_object_names($2)) RETURNING id INTO mapping;
    PERFORM public.hc_mapping_triggers_create(mapping);
    RETURN mapping;
END $$;
