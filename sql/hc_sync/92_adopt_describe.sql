-- An adopted mapping has no description: Salesforce's spelling, types and rights are not in its table. Until the relay has
-- described the object nothing of it is sent or read, because nobody could say how.

-- Whether a column can hold what a field of Salesforce holds. Shorter text fits: what is too long is shown when it comes.
CREATE FUNCTION public.hc_adopt_fits(wanted text, found text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT w = f OR f ~ '^(text|character)' AND w ~ '^(text|character)' OR f ~ '^(double|numeric|real|bigint|integer)' AND w ~ '^(double|bigint|integer)'
      FROM (SELECT regexp_replace($1, '\(.*?\)', '') AS w, regexp_replace($2, '\(.*?\)', '') AS f) AS types
$function$;
COMMENT ON FUNCTION public.hc_adopt_fits(text, text) IS 'Whether a column of an adopted table can hold a field''s values, given both types';

-- One field of the configuration with the column and the type that it really has. An exception says why it cannot be.
CREATE FUNCTION public.hc_adopt_field(m public.hc_mapping, description jsonb, columns jsonb, name text) RETURNS public.hc_field
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    f public.hc_field := public.hc_mapping_field(m.connection, description, name);
BEGIN
    f.column_name := public.hc_adopt_column(columns, name);
    IF f.column_name IS NULL THEN
        RAISE EXCEPTION 'field "%" has no column', name USING ERRCODE = 'undefined_column';
    ELSIF NOT public.hc_adopt_fits(f.postgres_type, columns #>> ARRAY[f.column_name::text, 'type']) THEN
        RAISE EXCEPTION 'field "%" is %, its column %', f.field_name, f.postgres_type, columns #>> ARRAY[f.column_name::text, 'type']
            USING ERRCODE = 'datatype_mismatch';
    END IF;
    f.postgres_type := columns #>> ARRAY[f.column_name::text, 'type'];
    RETURN f;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_field(public.hc_mapping, jsonb, jsonb, text) IS 'What a field of an adopted mapping is, once its object is described';

-- Where the fields were inferred, a column that is no field is the user's, unless its name says that it was a custom field.
CREATE FUNCTION public.hc_adopt_fields(m public.hc_mapping, description jsonb, columns jsonb, OUT fields public.hc_field[], OUT users text[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    inferred boolean := coalesce((m.config #>> '{hc_sync,inferred}')::boolean, false);
    name text;
    reasons text[] := '{}';
BEGIN
    users := '{}';
    FOR name IN SELECT k FROM jsonb_object_keys(m.config -> 'fields') AS keys(k) ORDER BY k COLLATE "C" LOOP
        BEGIN
            fields := fields || public.hc_adopt_field(m, description, columns, name);
        EXCEPTION WHEN undefined_column OR feature_not_supported OR datatype_mismatch OR object_not_in_prerequisite_state THEN
            IF inferred AND SQLSTATE = '42703' AND name !~ '__(c|s|pc)$' THEN
                users := users || name;
            ELSE
                reasons := reasons || SQLERRM;
            END IF;
        END;
    END LOOP;
    IF reasons <> '{}' THEN
        RAISE EXCEPTION '%', array_to_string(reasons, '; ') USING ERRCODE = 'undefined_column',
            HINT = CASE WHEN inferred THEN 'Give the connected user the right to the field, or undo the adoption and adopt with a mapping file without it.'
                        ELSE 'Give the connected user the right to the field, or take it out of the mapping.' END;
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_fields(public.hc_mapping, jsonb, jsonb) IS
    'Fields of an adopted mapping, and columns that turned out to be the user''s; refuses what can be neither, all reasons at once';

-- Without a file only the unique index tells which field identifies records; the field must be an external id, and the only one.
CREATE FUNCTION public.hc_adopt_identifier(m public.hc_mapping, fields public.hc_field[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT CASE WHEN NOT coalesce(($1).config #>> '{hc_sync,inferred}', 'false')::boolean THEN ($1).config ->> 'upsert_field'
                WHEN ($1).access = 'read_write' AND count(*) = 1 THEN min(f.field_name) END
      FROM unnest($2) f
     WHERE f.external_id AND f.relationship_field IS NULL AND (($1).names #>> ARRAY['indexes', f.column_name::text, 'unique'])::boolean
$function$;
COMMENT ON FUNCTION public.hc_adopt_identifier(public.hc_mapping, public.hc_field[]) IS 'Field that identifies records of an adopted mapping: what the file says, else its only unique external id';

CREATE FUNCTION public.hc_adopt_complete(c public.hc_connection, m public.hc_mapping, description jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    found record;
    spelling jsonb;
    wanted jsonb;
    identifier public.hc_field;
BEGIN
    PERFORM public.hc_check_object(m.object_name, description);
    found := public.hc_adopt_fields(m, description, public.hc_adopt_columns(to_regclass(format('%I.%I', c.schema_name, m.table_name))));
    SELECT jsonb_object_agg(lower(f.field_name), f.field_name) INTO spelling FROM unnest(found.fields) f;
    wanted := m.config - 'upsert_field' || jsonb_build_object('indexes', (
        SELECT coalesce(jsonb_object_agg(i.key, i.value), '{}') FROM jsonb_each(m.config -> 'indexes') i WHERE spelling ? lower(i.key)));
    SELECT f.* INTO identifier FROM unnest(found.fields) f WHERE lower(f.field_name) = lower(public.hc_adopt_identifier(m, found.fields));
    IF NOT identifier.external_id OR identifier.relationship_field IS NOT NULL THEN
        RAISE EXCEPTION 'field "%" cannot identify records: it is not an external id', identifier.field_name
            USING ERRCODE = 'feature_not_supported', HINT = 'Tick "External ID" and "Unique" for the field in Salesforce.';
    END IF;
    wanted := public.hc_canonical_config(wanted, spelling)
              || CASE WHEN identifier.field_name IS NULL THEN '{}' ELSE jsonb_build_object('upsert_field', identifier.field_name) END;
    INSERT INTO public.hc_field
         SELECT m.id, row_number() OVER (ORDER BY f.column_name = 'sfid', lower(f.field_name) COLLATE "C"), f.field_name, f.column_name, f.salesforce_type,
                f.postgres_type, f.length, f.scale, f.createable, f.updateable, f.nillable, f.calculated, f.external_id, f.unique_in_org,
                f.relationship_name, f.reference_to, f.relationship_field, f.relationship_object
           FROM unnest(found.fields) f;
    UPDATE public.hc_mapping h
       SET object_name = hc_adopt_complete.description ->> 'name', description = hc_adopt_complete.description #- '{hc_sync,parents}', config = wanted,
           upsert_field = identifier.field_name, upsert_column = identifier.column_name, state_detail = NULL, counts = h.counts - 'failures',
           state = CASE WHEN h.poll_cursor IS NULL THEN 'RELOAD_TABLE' ELSE 'DATA_SYNCED' END, poll_at = public.hc_clock(c.id)
     WHERE h.id = m.id;
    -- Claims have passed over its entries until now.
    UPDATE public.hc_connection h SET full_look_at = NULL WHERE h.id = c.id;
    IF found.users <> '{}' THEN
        PERFORM public.hc_raise(c.id, m.id, 'adopt', 'warning', format('Columns of %s are no fields that the connected user can see, and are taken as yours: %s',
            m.table_name, array_to_string(found.users, ', ')));
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_complete(public.hc_connection, public.hc_mapping, jsonb) IS
    'Completes an adopted mapping with Salesforce''s describe: spelling, fields, identifier; from then on it is sent and read';

CREATE FUNCTION public.hc_mapping_describe(connection uuid, epoch bigint, mapping uuid, description jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    c public.hc_connection := public.hc_step(hc_mapping_describe.connection, hc_mapping_describe.epoch);
    m public.hc_mapping := public.hc_mapping_of(c.id, hc_mapping_describe.mapping);
    hint text;
BEGIN
    IF m.description IS NULL THEN
        PERFORM public.hc_adopt_complete(c, m, hc_mapping_describe.description);
        PERFORM public.hc_wake(c.id);
    END IF;
    RETURN jsonb_build_object('described', true);
EXCEPTION WHEN undefined_object OR undefined_column OR feature_not_supported OR datatype_mismatch OR duplicate_column OR unique_violation THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    PERFORM public.hc_read_failed(c, m, NULL, concat_ws('. ', SQLERRM, nullif(hint, '')), 'configuration');
    RETURN jsonb_build_object('described', false, 'reason', SQLERRM);
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_describe(uuid, bigint, uuid, jsonb) IS
    'Takes Salesforce''s describe for a mapping that was adopted without; what is wrong with it shows as BAD_CONFIG, and is asked for again with the next poll';

CREATE FUNCTION public.hc_undescribed(c public.hc_connection, now_there timestamptz) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT coalesce(jsonb_agg(jsonb_build_object('mapping', h.id, 'object', h.object_name,
               -- What may name a parent by external id: the parents are described too.
               'names', (SELECT coalesce(jsonb_agg(lower(f)), '[]') FROM jsonb_object_keys(h.config -> 'fields') f WHERE strpos(f, '__') > 0)) ORDER BY h.table_name), '[]')
      FROM public.hc_mapping h WHERE h.connection = ($1).id AND h.description IS NULL AND (h.poll_at IS NULL OR h.poll_at <= $2)
$function$;
COMMENT ON FUNCTION public.hc_undescribed(public.hc_connection, timestamptz) IS 'Mappings whose object the relay is to describe';
