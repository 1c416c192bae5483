-- The mapped table: made bare, indexed, given its place and its triggers. A first load fills a private table in schema
-- public, indexes it there, and one transaction gives it its name, its triggers and its grants.

CREATE FUNCTION public.hc_mapping_schema(mapping uuid) RETURNS name
LANGUAGE sql STABLE STRICT AS $function$
    SELECT c.schema_name FROM public.hc_mapping m JOIN public.hc_connection c ON c.id OPERATOR(pg_catalog.=) m.connection
     WHERE m.id OPERATOR(pg_catalog.=) $1
$function$;
COMMENT ON FUNCTION public.hc_mapping_schema(uuid) IS 'Schema of a mapping''s table';

CREATE FUNCTION public.hc_mapping_row(mapping uuid) RETURNS public.hc_mapping
LANGUAGE plpgsql STABLE AS $function$
DECLARE
    answer public.hc_mapping;
BEGIN
    SELECT m.* INTO answer FROM public.hc_mapping m WHERE m.id = $1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'mapping "%" does not exist', $1 USING ERRCODE = 'undefined_object';
    END IF;
    RETURN answer;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_row(uuid) IS 'Catalog row of a mapping; refuses an unknown one';

-- Some newer Heroku schemas sort sfid by code point, where the feature ucs_basic_collation_index is on. It is off here unless an
-- imported file switches it on: a join of a lookup column with such an sfid cannot use an index of the lookup column, since that
-- has another collation. The collation exists in UTF-8 databases only.
CREATE FUNCTION public.hc_sfid_type(connection uuid) RETURNS text
LANGUAGE sql STABLE AS $function$
    SELECT 'character varying(18)' || CASE WHEN
        coalesce((SELECT c.settings #>> '{features,ucs_basic_collation_index}' FROM public.hc_connection c WHERE c.id = $1), 'false') = 'true'
        AND EXISTS (SELECT FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
                     WHERE l.collname = 'ucs_basic' AND l.collnamespace = 'pg_catalog'::regnamespace
                       AND l.collencoding IN (-1, d.encoding))
        THEN ' COLLATE pg_catalog.ucs_basic' ELSE '' END
$function$;
COMMENT ON FUNCTION public.hc_sfid_type(uuid) IS 'Type and collation of the column sfid of a new mapped table';

CREATE FUNCTION public.hc_private_table(mapping uuid) RETURNS name
LANGUAGE sql IMMUTABLE STRICT AS $function$
    SELECT ('hc_private_' || pg_catalog.replace(pg_catalog.left($1::text, 13), '-', ''))::pg_catalog.name
$function$;
COMMENT ON FUNCTION public.hc_private_table(uuid) IS 'Table of schema public that the loads of a mapping fill';

CREATE FUNCTION public.hc_mapping_table_create(mapping uuid, in_schema name, as_name name, private boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    owner name := public.hc_schema_owner(public.hc_mapping_schema($1));
    target text := pg_catalog.format('%I.%I', in_schema, as_name);
    grantee text;
BEGIN
    EXECUTE pg_catalog.format('CREATE TABLE %s (%s, sfid %s, id %s CONSTRAINT %I PRIMARY KEY, _hc_lastop character varying(32), _hc_err text)',
        target,
        (SELECT pg_catalog.string_agg(pg_catalog.format('%I %s', f.column_name, f.postgres_type), ', ' ORDER BY f.position)
           FROM public.hc_field f WHERE f.mapping = $1 AND f.column_name <> 'sfid'),
        public.hc_sfid_type(m.connection), CASE public.hc_id_type(public.hc_mapping_schema($1)) WHEN 'bigint' THEN 'bigserial' ELSE 'serial' END,
        public.hc_suffixed_name(as_name, '_pkey'));
    IF owner <> current_user THEN
        EXECUTE pg_catalog.format('ALTER TABLE %s OWNER TO %I', target, owner);
    END IF;
    IF private THEN
        -- Default privileges may have let others in. They get them back when the table has its place.
        FOR grantee IN SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::text END
                         FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
                        WHERE c.oid = target::pg_catalog.regclass AND a.grantee <> c.relowner
        LOOP
            EXECUTE pg_catalog.format('REVOKE ALL ON TABLE %s FROM %s', target, grantee);
        END LOOP;
    ELSE
        PERFORM public.hc_mapping_sequence_grant(in_schema, as_name);
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_table_create(uuid, name, name, boolean) IS
    'Makes a mapping''s bare table under any name: mapped fields, sfid, id, _hc_lastop, _hc_err; private: for the owner alone';

-- Who may insert needs the sequence of the column id too.
CREATE FUNCTION public.hc_mapping_sequence_grant(in_schema name, as_name name) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    EXECUTE pg_catalog.format('GRANT USAGE ON SEQUENCE %s TO PUBLIC',
                              pg_catalog.pg_get_serial_sequence(pg_catalog.format('%I.%I', in_schema, as_name), 'id'));
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_sequence_grant(name, name) IS 'Lets every role that may insert into a mapped table take an id';

CREATE FUNCTION public.hc_mapping_indexes_create(mapping uuid, in_schema name, as_name name) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    final boolean := as_name = m.table_name;
    column_name name;
    is_unique boolean;
    index_name name;
BEGIN
    FOR column_name, is_unique, index_name IN
        SELECT i.key, (i.value ->> 'unique')::boolean,
               CASE WHEN final THEN (i.value ->> 'name')::name
                    ELSE public.hc_index_name(as_name, i.key, (i.value ->> 'unique')::boolean) END
          FROM pg_catalog.jsonb_each(m.names -> 'indexes') i ORDER BY i.key COLLATE "C"
    LOOP
        EXECUTE pg_catalog.format('CREATE %s INDEX %I ON %I.%I (%I)', CASE WHEN is_unique THEN 'UNIQUE' END, index_name,
                                  in_schema, as_name, column_name);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_indexes_create(uuid, name, name) IS
    'Builds a mapping''s indexes on the table of that name; they get their final names with the table';

-- What ALTER DEFAULT PRIVILEGES promises for new tables of the schema, for a table that was made elsewhere.
CREATE FUNCTION public.hc_apply_default_privileges(in_schema name, as_name name) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT pg_catalog.format('GRANT %s ON TABLE %I.%I TO %s%s', a.privilege_type, in_schema, as_name,
                                 CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::text END,
                                 CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
          FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_default_acl d ON d.defaclrole = c.relowner AND d.defaclobjtype = 'r'
                                          AND d.defaclnamespace IN (0, c.relnamespace)
         CROSS JOIN pg_catalog.aclexplode(d.defaclacl) a
         WHERE c.oid = pg_catalog.format('%I.%I', in_schema, as_name)::pg_catalog.regclass AND a.grantee <> c.relowner
         ORDER BY 1
    LOOP
        EXECUTE statement;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION public.hc_apply_default_privileges(name, name) IS 'Grants on a moved table what default privileges of its owner and schema say';

CREATE FUNCTION public.hc_mapping_adopt_private_table(mapping uuid, private_name name) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    schema name := public.hc_mapping_schema($1);
    sequence_name name;
    statement text;
BEGIN
    SELECT s.relname INTO sequence_name FROM pg_catalog.pg_class s
     WHERE s.oid = pg_catalog.pg_get_serial_sequence(pg_catalog.format('public.%I', private_name), 'id')::pg_catalog.regclass;
    FOR statement IN
        SELECT pg_catalog.format('ALTER TABLE public.%I SET SCHEMA %I', private_name, schema)
        UNION ALL
        SELECT pg_catalog.format('ALTER TABLE %I.%I RENAME TO %I', schema, private_name, m.table_name)
        UNION ALL
        SELECT pg_catalog.format('ALTER SEQUENCE %I.%I RENAME TO %I', schema, sequence_name, m.names ->> 'sequence')
        UNION ALL
        SELECT pg_catalog.format('ALTER INDEX %I.%I RENAME TO %I', schema,
                                 public.hc_suffixed_name(private_name, '_pkey'), m.names ->> 'primary_key')
        UNION ALL
        SELECT pg_catalog.format('ALTER INDEX %I.%I RENAME TO %I', schema,
                                 public.hc_index_name(private_name, i.key, (i.value ->> 'unique')::boolean), i.value ->> 'name')
          FROM pg_catalog.jsonb_each(m.names -> 'indexes') i
    LOOP
        EXECUTE statement;
    END LOOP;
    PERFORM public.hc_generation_begin($1, 'made');
    PERFORM public.hc_mapping_triggers_create($1);
    PERFORM public.hc_mapping_sequence_grant(schema, m.table_name);
    PERFORM public.hc_apply_default_privileges(schema, m.table_name);
    UPDATE public.hc_mapping SET applied_at = public.hc_clock(m.connection) WHERE id = $1;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_adopt_private_table(uuid, name) IS
    'Gives a filled and indexed private table of schema public its schema and final names, its triggers and its grants';

CREATE FUNCTION public.hc_mapping_publish(mapping uuid) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    schema name := public.hc_mapping_schema($1);
BEGIN
    PERFORM public.hc_mapping_table_create($1, schema, m.table_name);
    PERFORM public.hc_mapping_indexes_create($1, schema, m.table_name);
    PERFORM public.hc_generation_begin($1, 'made');
    PERFORM public.hc_mapping_triggers_create($1);
    UPDATE public.hc_mapping SET applied_at = public.hc_clock(m.connection) WHERE id = $1;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_publish(uuid) IS 'Makes the empty table of a registered mapping in its place, with indexes and triggers';

CREATE FUNCTION public.hc_mapping_create(connection uuid, object_name text, config jsonb, description jsonb) RETURNS uuid
LANGUAGE plpgsql AS $function$
DECLARE
    new_mapping uuid := public.hc_mapping_register($1, $2, $3, $4);
BEGIN
    PERFORM public.hc_mapping_publish(new_mapping);
    RETURN new_mapping;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_create(uuid, text, jsonb, jsonb) IS
    'Maps an object: catalog, empty table, indexes and triggers; config as in the mapping file, description as Salesforce''s describe';
