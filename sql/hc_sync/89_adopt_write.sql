-- Adoption, carried out: rows of our catalog, tables that are missing, and the definitions that undo needs.

CREATE FUNCTION public.hc_adopt_function_definition(function pg_catalog.oid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT jsonb_build_object('name', p.oid::regprocedure::text, 'definition', pg_get_functiondef(p.oid),
               'public', EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0))
      FROM pg_proc p WHERE p.oid = $1
$function$;
COMMENT ON FUNCTION public.hc_adopt_function_definition(pg_catalog.oid) IS 'A function as undo makes it again: definition, and whether PUBLIC may execute it';

CREATE FUNCTION public.hc_adopt_trigger_definition(trigger pg_catalog.oid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT jsonb_build_object('name', t.tgname, 'enabled', t.tgenabled,
                              'definition', regexp_replace(pg_get_triggerdef(t.oid), '^CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER'))
      FROM pg_trigger t WHERE t.oid = $1
$function$;
COMMENT ON FUNCTION public.hc_adopt_trigger_definition(pg_catalog.oid) IS 'A trigger as undo makes it again; every name in it has its schema';

CREATE FUNCTION public.hc_adopt_make_table(schema name, table_name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    CASE table_name
        WHEN '_hcmeta' THEN PERFORM public.hc_meta_table_create(schema);
        WHEN '_sf_event_log' THEN PERFORM public.hc_event_log_create(schema);
        WHEN '_trigger_log_archive' THEN PERFORM public.hc_archive_create(schema);
    END CASE;
    EXECUTE format('ALTER TABLE %I.%I OWNER TO %I', schema, table_name, public.hc_schema_owner(schema));
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_make_table(name, text) IS 'Makes a table that every connection has and an adopted schema lacks';

-- Nobody knows what became of an entry that Heroku Connect left PENDING: not even when it was sent, or as which user. So nothing is
-- looked up: each is a parked batch of its own, and a person decides it. Its mapping sets arrivals aside that may be its answer.
CREATE FUNCTION public.hc_adopt_park(connection uuid, schema name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    l record;
    parked bigint;
BEGIN
    FOR l IN EXECUTE format('SELECT g.id, g.action, g.record_id, g.sfid, coalesce(g.updated_at, g.created_at, clock_timestamp()) AS at, m.id AS mapping, m.object_name
                               FROM %I._trigger_log g JOIN public.hc_mapping m ON m.connection = $1 AND m.table_name = g.table_name::name
                              WHERE g.state = ''PENDING'' ORDER BY g.id', schema) USING connection LOOP
        INSERT INTO public.hc_batch (connection, mapping, epoch, operation, object_name, state, claimed_at, first_sent_at, sent_at, answer, reason)
             VALUES (connection, l.mapping, 0, CASE l.action WHEN 'INSERT' THEN 'create' WHEN 'DELETE' THEN 'delete' ELSE 'update' END, l.object_name,
                     'PARKED', l.at, l.at, l.at, '{"adopted": true}', 'parked: Heroku Connect may have sent it; decide with hc_doubt_decide')
          RETURNING id INTO parked;
        INSERT INTO public.hc_batch_entry (batch, position, mapping, log_id, record_id, action, sfid, payload)
             VALUES (parked, 0, l.mapping, l.id, l.record_id, coalesce(l.action, 'UPDATE'), l.sfid,
                     jsonb_build_object('id', l.sfid, 'fields', '{}'::jsonb, 'nulls', '[]'::jsonb, 'parents', '[]'::jsonb));
    END LOOP;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_park(uuid, name) IS 'Parks every entry that is PENDING, each in a batch of its own, until a person decides it';

-- What Heroku Connect sent is not known, so it goes the way of every change once more. Whatever a person made of the entry meanwhile stays.
CREATE FUNCTION public.hc_adopt_send(b public.hc_batch, log_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    schema name := (SELECT c.schema_name FROM public.hc_connection c WHERE c.id = b.connection);
BEGIN
    DELETE FROM public.hc_batch x WHERE x.id = b.id AND EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = x.id AND e.log_id = hc_adopt_send.log_id AND e.outcome IS NULL);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % has no undecided log entry %', b.id, log_id USING ERRCODE = 'HC002';
    END IF;
    EXECUTE format('UPDATE %I._trigger_log SET state = ''NEW'', sf_message = NULL, updated_at = clock_timestamp() WHERE id = $1 AND state = ''PENDING''', schema) USING log_id;
    UPDATE public.hc_connection c SET low_water = least(c.low_water, log_id) WHERE c.id = b.connection;
    PERFORM public.hc_wake(b.connection);
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_send(public.hc_batch, bigint) IS 'Sends an entry that Heroku Connect left PENDING, by decision';

CREATE FUNCTION public.hc_adopt_write(plan jsonb) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    schema name := plan ->> 'schema';
    owner name := public.hc_schema_owner(schema);
    new_connection uuid;
    made text;
    m jsonb;
    undo jsonb := '[]';
    new_mapping uuid;
BEGIN
    INSERT INTO public.hc_connection (schema_name, organization_id, api_version, settings, identity)
         VALUES (schema, plan ->> 'organization_id', plan ->> 'api_version', plan -> 'settings',
                 public.hc_identity(schema) || jsonb_build_object('bound_at', clock_timestamp())) RETURNING id INTO new_connection;
    PERFORM public.hc_guard_create();
    PERFORM public.hc_adopt_make_table(schema, t) FROM jsonb_array_elements_text(plan -> 'make') AS tables(t);
    PERFORM public.hc_quiet_create(schema);
    IF (plan ->> 'make_functions')::boolean THEN
        PERFORM public.hc_capture_functions_create(schema);
    END IF;
    FOR made IN
        SELECT format('SEQUENCE public.%I', public.hc_quiet_name(schema))
        UNION ALL
        SELECT 'FUNCTION ' || p.oid::regprocedure FROM pg_proc p
         WHERE (plan ->> 'make_functions')::boolean AND p.pronamespace = to_regnamespace(quote_ident(schema)) AND p.proname ~ '^hc_capture_(insert|update)_from_row$'
    LOOP
        EXECUTE format('ALTER %s OWNER TO %I', made, owner);
    END LOOP;
    FOR m IN SELECT value FROM jsonb_array_elements(plan -> 'mappings') LOOP
        -- Without a description nothing is sent and nothing is read: the relay asks for it first.
        INSERT INTO public.hc_mapping (connection, object_name, table_name, access, state, state_detail, config, polling, names, applied_at, poll_cursor, deleted_cursor)
             VALUES (new_connection, m ->> 'object', (m ->> 'table')::name, m ->> 'access', CASE WHEN m -> 'cursor' = 'null' THEN 'RELOAD_TABLE' ELSE 'DATA_SYNCED' END,
                     'adopted; waits for the relay to describe the object', m -> 'config', make_interval(secs => (m #>> '{config,sf_polling_seconds}')::integer),
                     m -> 'names', clock_timestamp(), (m ->> 'cursor')::timestamp AT TIME ZONE 'UTC', (m ->> 'cursor')::timestamp AT TIME ZONE 'UTC')
          RETURNING id INTO new_mapping;
        PERFORM public.hc_generation_begin(new_mapping, 'taken over', 0);
        undo := undo || public.hc_adopt_undo_of(schema, new_mapping);
    END LOOP;
    PERFORM public.hc_adopt_park(new_connection, schema);
    INSERT INTO public.hc_adoption (connection, plan, undo)
         VALUES (new_connection, plan, jsonb_build_object('mappings', undo) || public.hc_adopt_undo_of_schema(schema));
    IF NOT has_table_privilege(owner, 'public.hc_connection', 'INSERT') THEN
        PERFORM public.hc_grant_administration(owner);
    END IF;
    PERFORM public.hc_raise(new_connection, NULL, 'adopt', 'info', format('Took over schema %s of Heroku Connect', schema),
                            jsonb_build_object('mappings', jsonb_array_length(plan -> 'mappings'), 'pending', jsonb_array_length(plan -> 'pending')));
    RETURN new_connection;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt_write(jsonb) IS 'Carries out a plan of hc_adopt_plan: rows of the catalog, missing tables, parked entries';
