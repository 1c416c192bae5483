\echo Use "CREATE EXTENSION hc_sync CASCADE" to load this file. \quit

-- The catalog: connections, mappings, fields, events, notifications.
-- These tables are ours and can change with an upgrade; applications and clients never read them.

CREATE TABLE public.hc_connection (
    id              uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    schema_name     name NOT NULL UNIQUE,
    organization_id text,
    api_version     text,
    state           text NOT NULL DEFAULT 'NEW',
    state_detail    text,
    settings        jsonb NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(settings) = 'object'),
    epoch           bigint NOT NULL DEFAULT 0,
    leader          text,
    leader_since    timestamptz,
    low_water       bigint NOT NULL DEFAULT 0,
    full_look       jsonb,
    full_look_at    timestamptz,
    next_drain_at   timestamptz,
    clock_offset    interval NOT NULL DEFAULT '0',
    identity        jsonb,
    fence           text,
    created_at      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE public.hc_connection IS 'One Salesforce org bound to one schema of this database';
COMMENT ON COLUMN public.hc_connection.schema_name IS 'Schema of the mapped tables and the trigger log, at most 48 bytes';
COMMENT ON COLUMN public.hc_connection.organization_id IS 'Salesforce organization id, 18 characters';
COMMENT ON COLUMN public.hc_connection.api_version IS 'Salesforce API version with one decimal, for example 61.0';
COMMENT ON COLUMN public.hc_connection.state IS 'Connection state in Heroku Connect''s words, for example IDLE';
COMMENT ON COLUMN public.hc_connection.state_detail IS 'What the state means for a person: reason and what to do';
COMMENT ON COLUMN public.hc_connection.settings IS 'Settings of the connection; a missing key means the default';
COMMENT ON COLUMN public.hc_connection.epoch IS 'Raised by each relay that takes the lead; protocol functions refuse an older one';
COMMENT ON COLUMN public.hc_connection.leader IS 'Name of the relay that leads';
COMMENT ON COLUMN public.hc_connection.leader_since IS 'When it took the lead';
COMMENT ON COLUMN public.hc_connection.low_water IS 'Claims start above this trigger-log id';
COMMENT ON COLUMN public.hc_connection.full_look IS 'State of the last look over the whole log';
COMMENT ON COLUMN public.hc_connection.full_look_at IS 'When that look ran';
COMMENT ON COLUMN public.hc_connection.next_drain_at IS 'When the log is polled at the latest';
COMMENT ON COLUMN public.hc_connection.clock_offset IS 'Added to the clock by hc_clock; not zero only in tests';
COMMENT ON COLUMN public.hc_connection.identity IS 'System identifier, database and server addresses accepted at binding';
COMMENT ON COLUMN public.hc_connection.fence IS 'Random value that the relay also keeps outside the database';

CREATE TABLE public.hc_mapping (
    id             uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    connection     uuid NOT NULL REFERENCES public.hc_connection ON DELETE CASCADE,
    object_name    text NOT NULL,
    table_name     name NOT NULL,
    access         text NOT NULL DEFAULT 'read_only' CHECK (access IN ('read_only', 'read_write')),
    state          text NOT NULL DEFAULT 'INITIAL',
    state_detail   text,
    config         jsonb NOT NULL DEFAULT '{}',
    description    jsonb,
    revision       integer NOT NULL DEFAULT 1,
    applied_at     timestamptz,
    created_at     timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    upsert_field   text,
    upsert_column  name,
    poll_cursor    timestamptz,
    poll_at        timestamptz,
    deleted_cursor timestamptz,
    deleted_at     timestamptz,
    polling        interval NOT NULL DEFAULT '10 minutes',
    counts         jsonb NOT NULL DEFAULT '{}',
    names          jsonb NOT NULL DEFAULT '{}',
    UNIQUE (connection, object_name),
    UNIQUE (connection, table_name),
    CHECK ((upsert_field IS NULL) = (upsert_column IS NULL))
);
COMMENT ON TABLE public.hc_mapping IS 'One Salesforce object bound to one table of the connection''s schema';
COMMENT ON COLUMN public.hc_mapping.object_name IS 'API name of the object, in Salesforce''s spelling';
COMMENT ON COLUMN public.hc_mapping.table_name IS 'Name of the mapped table, without its schema';
COMMENT ON COLUMN public.hc_mapping.access IS 'read_only: changes are logged, never sent; read_write: changes are sent';
COMMENT ON COLUMN public.hc_mapping.state IS 'Mapping state in Heroku Connect''s words, for example DATA_SYNCED';
COMMENT ON COLUMN public.hc_mapping.state_detail IS 'What the state means for a person: reason and what to do';
COMMENT ON COLUMN public.hc_mapping.config IS 'Configuration as in the mapping file, normalised by hc_mapping_file';
COMMENT ON COLUMN public.hc_mapping.description IS 'Salesforce''s describe of the object when the mapping was last applied';
COMMENT ON COLUMN public.hc_mapping.revision IS 'Raised by each edit of the configuration';
COMMENT ON COLUMN public.hc_mapping.applied_at IS 'When the table last became what the configuration says';
COMMENT ON COLUMN public.hc_mapping.upsert_field IS 'External id field that identifies records when they are created';
COMMENT ON COLUMN public.hc_mapping.upsert_column IS 'Its column';
COMMENT ON COLUMN public.hc_mapping.poll_cursor IS 'Changes up to this SystemModstamp have been merged';
COMMENT ON COLUMN public.hc_mapping.poll_at IS 'When the next poll is due';
COMMENT ON COLUMN public.hc_mapping.deleted_cursor IS 'Deletions up to this time have been merged';
COMMENT ON COLUMN public.hc_mapping.deleted_at IS 'When deletions were last asked for';
COMMENT ON COLUMN public.hc_mapping.polling IS 'Time between polls, 2 to 60 minutes';
COMMENT ON COLUMN public.hc_mapping.counts IS 'Counted rows of both sides, and when';
COMMENT ON COLUMN public.hc_mapping.names IS 'Names of sequence, indexes, functions and triggers as they really are; never recomputed';

CREATE TABLE public.hc_field (
    mapping             uuid NOT NULL REFERENCES public.hc_mapping ON DELETE CASCADE,
    position            integer NOT NULL,
    field_name          text NOT NULL,
    column_name         name NOT NULL,
    salesforce_type     text NOT NULL,
    postgres_type       text NOT NULL,
    length              integer,
    scale               integer,
    createable          boolean NOT NULL DEFAULT false,
    updateable          boolean NOT NULL DEFAULT false,
    nillable            boolean NOT NULL DEFAULT true,
    calculated          boolean NOT NULL DEFAULT false,
    external_id         boolean NOT NULL DEFAULT false,
    unique_in_org       boolean NOT NULL DEFAULT false,
    relationship_name   text,
    reference_to        text[],
    relationship_field  text,
    relationship_object text,
    PRIMARY KEY (mapping, column_name),
    UNIQUE (mapping, field_name),
    CHECK ((relationship_field IS NULL) = (relationship_object IS NULL))
);
COMMENT ON TABLE public.hc_field IS 'One mapped field: its column, and what Salesforce says about it';
COMMENT ON COLUMN public.hc_field.position IS 'Order of the columns of a new table, from 1';
COMMENT ON COLUMN public.hc_field.field_name IS 'API name of the field, or Relationship__ExternalId for a parent named by external id';
COMMENT ON COLUMN public.hc_field.column_name IS 'Column of the mapped table; Id is sfid';
COMMENT ON COLUMN public.hc_field.salesforce_type IS 'Type as describe names it';
COMMENT ON COLUMN public.hc_field.postgres_type IS 'Type of the column of a new table';
COMMENT ON COLUMN public.hc_field.length IS 'Characters that Salesforce keeps; null where the type has no length';
COMMENT ON COLUMN public.hc_field.scale IS 'Digits after the point that Salesforce keeps; null where the type has none';
COMMENT ON COLUMN public.hc_field.createable IS 'May be sent when a record is created';
COMMENT ON COLUMN public.hc_field.updateable IS 'May be sent when a record is updated';
COMMENT ON COLUMN public.hc_field.relationship_name IS 'Name of the parent in queries and nested records, for example Account or Member__r';
COMMENT ON COLUMN public.hc_field.reference_to IS 'Objects that the lookup may point to';
COMMENT ON COLUMN public.hc_field.relationship_field IS 'For a parent named by external id: the parent''s field';
COMMENT ON COLUMN public.hc_field.relationship_object IS 'For a parent named by external id: the parent''s object';

CREATE TABLE public.hc_event (
    id         bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    connection uuid,
    mapping    uuid,
    event_type text NOT NULL,
    level      text NOT NULL CHECK (level IN ('debug', 'info', 'warning', 'error')),
    message    text NOT NULL,
    detail     jsonb
);
CREATE INDEX hc_event_at ON public.hc_event (at);
CREATE INDEX hc_event_connection ON public.hc_event (connection, id);
COMMENT ON TABLE public.hc_event IS 'What happened, in order; outlives the connection it tells of';

CREATE TABLE public.hc_notification (
    id              bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    connection      uuid REFERENCES public.hc_connection ON DELETE CASCADE,
    mapping         uuid REFERENCES public.hc_mapping ON DELETE CASCADE,
    event_type      text NOT NULL,
    level           text NOT NULL CHECK (level IN ('warning', 'error')),
    message         text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    last_raised_at  timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    times           integer NOT NULL DEFAULT 1,
    acknowledged_at timestamptz
);
-- One open notification per cause: raising it again refreshes it.
CREATE UNIQUE INDEX hc_notification_open ON public.hc_notification (
    coalesce(connection, '00000000-0000-0000-0000-000000000000'::uuid),
    coalesce(mapping, '00000000-0000-0000-0000-000000000000'::uuid),
    event_type
) WHERE acknowledged_at IS NULL;
COMMENT ON TABLE public.hc_notification IS 'What a person has to see until it is acknowledged';
COMMENT ON COLUMN public.hc_notification.times IS 'How often it was raised since created_at';

-- The clock that all timers of a connection read, so that tests can drive them.
CREATE FUNCTION public.hc_clock(connection uuid) RETURNS timestamptz
LANGUAGE sql VOLATILE STRICT AS $function$
    SELECT pg_catalog.clock_timestamp() + c.clock_offset
      FROM public.hc_connection c
     WHERE c.id OPERATOR(pg_catalog.=) $1
$function$;
COMMENT ON FUNCTION public.hc_clock(uuid) IS 'The time now, as this connection sees it; null for an unknown connection';

CREATE FUNCTION public.hc_raise(connection uuid, mapping uuid, event_type text, level text, message text,
                                detail jsonb DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
    event_time timestamptz := coalesce(public.hc_clock($1), pg_catalog.clock_timestamp());
BEGIN
    INSERT INTO public.hc_event (at, connection, mapping, event_type, level, message, detail)
         VALUES (event_time, $1, $2, $3, $4, $5, $6);
    IF $4 IN ('warning', 'error') THEN
        INSERT INTO public.hc_notification AS n (connection, mapping, event_type, level, message, created_at, last_raised_at)
             VALUES ($1, $2, $3, $4, $5, event_time, event_time)
        ON CONFLICT (coalesce(connection, '00000000-0000-0000-0000-000000000000'::uuid),
                     coalesce(mapping, '00000000-0000-0000-0000-000000000000'::uuid),
                     event_type) WHERE acknowledged_at IS NULL
        DO UPDATE SET level = excluded.level, message = excluded.message,
                      last_raised_at = excluded.last_raised_at, times = n.times + 1;
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_raise(uuid, uuid, text, text, text, jsonb) IS
    'Writes an event; level warning or error also makes or refreshes its unacknowledged notification';

-- pg_dump carries the rows of the catalog (user data is never a member of the extension, but these tables are).

SELECT pg_catalog.pg_extension_config_dump('public.hc_connection', '');
SELECT pg_catalog.pg_extension_config_dump('public.hc_mapping', '');
SELECT pg_catalog.pg_extension_config_dump('public.hc_field', '');
SELECT pg_catalog.pg_extension_config_dump('public.hc_event', '');
SELECT pg_catalog.pg_extension_config_dump('public.hc_event_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('public.hc_notification', '');
SELECT pg_catalog.pg_extension_config_dump('public.hc_notification_id_seq', '');

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

-- Names: what a schema, table, column, index, function, trigger or sequence of a mapping is called.

-- A name of more than 63 bytes keeps its first 55 characters and gets the last four digits of its md5, as
-- SQLAlchemy shortens it. API names are ASCII, so characters are bytes.
CREATE FUNCTION public.hc_short_name(name text) RETURNS name
LANGUAGE sql IMMUTABLE STRICT AS $function$
    SELECT (CASE WHEN pg_catalog.octet_length($1) <= 63 THEN $1
                 ELSE pg_catalog.left($1, 55) || '_' || pg_catalog.right(pg_catalog.md5($1), 4) END)::pg_catalog.name
$function$;
COMMENT ON FUNCTION public.hc_short_name(text) IS 'The name itself up to 63 bytes; longer ones shortened to 60 with four digits of their md5';

-- The name PostgreSQL gives to the sequence and the primary key of a serial column: the table part is cut, the suffix kept.
CREATE FUNCTION public.hc_suffixed_name(name text, suffix text) RETURNS name
LANGUAGE sql IMMUTABLE STRICT AS $function$
    SELECT (pg_catalog.left($1, 63 - pg_catalog.octet_length($2)) || $2)::pg_catalog.name
$function$;
COMMENT ON FUNCTION public.hc_suffixed_name(text, text) IS 'Name and suffix in 63 bytes, the name cut where needed, as PostgreSQL does for serial columns';

CREATE FUNCTION public.hc_table_name(object_name text) RETURNS name
LANGUAGE sql IMMUTABLE STRICT AS $function$
    SELECT public.hc_short_name(pg_catalog.lower($1))
$function$;
COMMENT ON FUNCTION public.hc_table_name(text) IS 'Table of a Salesforce object: its API name in lower case';

CREATE FUNCTION public.hc_column_name(field_name text) RETURNS name
LANGUAGE sql IMMUTABLE STRICT AS $function$
    SELECT CASE pg_catalog.lower($1) WHEN 'id' THEN 'sfid'::pg_catalog.name
                ELSE public.hc_short_name(pg_catalog.lower($1)) END
$function$;
COMMENT ON FUNCTION public.hc_column_name(text) IS
    'Column of a Salesforce field: its API name in lower case, sfid for Id; also for Relationship__ExternalId';

CREATE FUNCTION public.hc_index_name(table_name text, column_name text, is_unique boolean) RETURNS name
LANGUAGE sql IMMUTABLE STRICT AS $function$
    SELECT public.hc_short_name(CASE WHEN $3 THEN 'hcu_idx_' ELSE 'hc_idx_' END || $1 || '_' || $2)
$function$;
COMMENT ON FUNCTION public.hc_index_name(text, text, boolean) IS 'hc_idx_table_column, or hcu_idx_table_column for a unique index';

-- Every name that a mapping's objects bear. hc_mapping.names keeps the answer, so that an upgrade never renames anything.
CREATE FUNCTION public.hc_object_names(table_name text) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT AS $function$
    SELECT pg_catalog.jsonb_build_object(
        'sequence', public.hc_suffixed_name($1, '_id_seq'),
        'primary_key', public.hc_suffixed_name($1, '_pkey'),
        'logger', public.hc_short_name('hc_' || $1 || '_logger'),
        'status', public.hc_short_name('hc_' || $1 || '_status'),
        'log_trigger', public.hc_short_name('hc_' || $1 || '_logtrigger'),
        'status_trigger', public.hc_short_name('hc_' || $1 || '_status_trigger'))
$function$;
COMMENT ON FUNCTION public.hc_object_names(text) IS 'Names of sequence, primary key, functions and triggers of a new mapped table';

CREATE FUNCTION public.hc_check_schema_name(schema text) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $function$
BEGIN
    IF schema IS NULL OR schema = '' THEN
        RAISE EXCEPTION 'the schema of a connection needs a name' USING ERRCODE = 'invalid_schema_name';
    ELSIF pg_catalog.octet_length(schema) > 48 THEN
        RAISE EXCEPTION 'schema name "%" is longer than 48 bytes', schema
            USING ERRCODE = 'name_too_long',
                  DETAIL = 'The notification channel is the schema name with ".hc_trigger_log", and a channel name has at most 63 bytes.',
                  HINT = 'Choose a shorter schema name.';
    ELSIF schema IN ('public', 'information_schema') OR schema LIKE 'pg\_%' THEN
        RAISE EXCEPTION 'schema "%" cannot hold a connection', schema
            USING ERRCODE = 'reserved_name', HINT = 'Use a schema of its own, for example "salesforce".';
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_check_schema_name(text) IS 'Refuses a schema name that a connection cannot have, with the reason';

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

-- A connection's schema: trigger log, archive, metadata, event log, and the functions that applications call.
-- Nothing made here is a member of the extension: it is the user's, and outlives DROP EXTENSION.

-- hstore may live in any schema, so generated bodies name it.
CREATE FUNCTION public.hc_hstore_schema() RETURNS name
LANGUAGE sql STABLE AS $function$
    SELECT n.nspname
      FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace
     WHERE e.extname OPERATOR(pg_catalog.=) 'hstore'
$function$;
COMMENT ON FUNCTION public.hc_hstore_schema() IS 'Schema of the extension hstore';

CREATE FUNCTION public.hc_schema_owner(schema name) RETURNS name
LANGUAGE sql STABLE STRICT AS $function$
    SELECT pg_catalog.pg_get_userbyid(n.nspowner) FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) $1
$function$;
COMMENT ON FUNCTION public.hc_schema_owner(name) IS 'Role that owns a connection''s schema, log and mapped tables';

-- A definer function that a superuser owns would lend its rights to every caller, so such an owner gets invoker functions.
CREATE FUNCTION public.hc_security_clause(owner name) RETURNS text
LANGUAGE sql STABLE STRICT AS $function$
    SELECT CASE WHEN r.rolsuper THEN 'SECURITY INVOKER' ELSE 'SECURITY DEFINER' END
      FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) $1
$function$;
COMMENT ON FUNCTION public.hc_security_clause(name) IS 'SECURITY DEFINER, or SECURITY INVOKER where the owner is a superuser';

-- The guard between the user's and our own changes: the setting xmlbinary is base64 for a user and hex for us. In SQL and not
-- PL/pgSQL, so that the condition of a log trigger is evaluated inline.
CREATE FUNCTION public.hc_guard_create() RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    IF pg_catalog.to_regprocedure('public.get_xmlbinary()') IS NULL THEN
        CREATE FUNCTION public.get_xmlbinary() RETURNS character varying LANGUAGE sql VOLATILE AS
            $body$SELECT pg_catalog.current_setting('xmlbinary')::pg_catalog.varchar$body$;
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_guard_create() IS 'Makes public.get_xmlbinary() where the database has none';

CREATE FUNCTION public.hc_log_tables_create(schema name) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    EXECUTE pg_catalog.format($ddl$
CREATE TABLE %1$I._hcmeta (
    id serial CONSTRAINT _hcmeta_pkey PRIMARY KEY,
    hcver integer,
    org_id character varying(50),
    details text
);
CREATE TABLE %1$I._sf_event_log (
    id serial CONSTRAINT _sf_event_log_pkey PRIMARY KEY,
    table_name character varying(128),
    action character varying(7),
    synced_at timestamp with time zone DEFAULT pg_catalog.now(),
    sf_timestamp timestamp with time zone,
    sfid character varying(20),
    record text,
    processed boolean
);
CREATE INDEX idx__sf_event_log_comp_key ON %1$I._sf_event_log (table_name, synced_at);
CREATE INDEX idx__sf_event_log_sfid ON %1$I._sf_event_log (sfid);
CREATE TABLE %1$I._trigger_log (
    id serial CONSTRAINT _trigger_log_pkey PRIMARY KEY,
    txid bigint,
    created_at timestamp with time zone DEFAULT pg_catalog.now(),
    updated_at timestamp with time zone DEFAULT pg_catalog.now(),
    processed_at timestamp with time zone,
    processed_tx bigint,
    state character varying(8),
    action character varying(7),
    table_name character varying(128),
    record_id integer,
    sfid character varying(18),
    old text,
    "values" text,
    sf_result integer,
    sf_message text
);
CREATE INDEX _trigger_log_idx_created_at ON %1$I._trigger_log (created_at);
CREATE INDEX _trigger_log_idx_state_id ON %1$I._trigger_log (state, id);
CREATE INDEX _trigger_log_idx_state_table_name ON %1$I._trigger_log (state, table_name)
    WHERE state::text = 'NEW'::text OR state::text = 'PENDING'::text;
CREATE TABLE %1$I._trigger_log_archive (
    id integer CONSTRAINT _trigger_log_archive_pkey PRIMARY KEY,
    txid bigint,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    processed_at timestamp with time zone,
    processed_tx bigint,
    state character varying(8),
    action character varying(7),
    table_name character varying(128),
    record_id integer,
    sfid character varying(18),
    old text,
    "values" text,
    sf_result integer,
    sf_message text
);
CREATE INDEX _trigger_log_archive_idx_created_at ON %1$I._trigger_log_archive (created_at);
CREATE INDEX _trigger_log_archive_idx_record_id ON %1$I._trigger_log_archive (record_id);
CREATE INDEX _trigger_log_archive_idx_state_table_name ON %1$I._trigger_log_archive (state, table_name)
    WHERE state::text = 'FAILED'::text;
$ddl$, schema);
END
$function$;
COMMENT ON FUNCTION public.hc_log_tables_create(name) IS 'Makes _hcmeta, _sf_event_log, _trigger_log and _trigger_log_archive';

CREATE FUNCTION public.hc_capture_functions_create(schema name) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    EXECUTE pg_catalog.format($ddl$
CREATE FUNCTION %1$I.hc_capture_insert_from_row(source_row %2$I.hstore, table_name character varying,
                                                excluded_cols text[] DEFAULT ARRAY[]::text[]) RETURNS integer
LANGUAGE plpgsql AS $body$
-- VERSION 1 --
DECLARE
    excluded text[] := pg_catalog.array_remove(pg_catalog.array_remove(
                           coalesce(excluded_cols, ARRAY[]::text[]), 'id'), 'sfid')
                       OPERATOR(pg_catalog.||) ARRAY['_hc_lastop', '_hc_err'];
    log_id integer;
BEGIN
    IF (source_row OPERATOR(%2$I.->) 'id'::text) IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO %1$I._trigger_log (action, table_name, txid, created_at, state, record_id, "values")
         VALUES ('INSERT', hc_capture_insert_from_row.table_name, pg_catalog.txid_current(), pg_catalog.clock_timestamp(), 'NEW',
                 (source_row OPERATOR(%2$I.->) 'id'::text)::integer, (source_row OPERATOR(%2$I.-) excluded)::text)
      RETURNING id INTO log_id;
    RETURN log_id;
END
$body$;
CREATE FUNCTION %1$I.hc_capture_update_from_row(source_row %2$I.hstore, table_name character varying,
                                                columns_to_include text[] DEFAULT ARRAY[]::text[]) RETURNS integer
LANGUAGE plpgsql AS $body$
-- VERSION 1 --
DECLARE
    excluded text[] := ARRAY['_hc_lastop', '_hc_err'];
    log_id integer;
BEGIN
    IF (source_row OPERATOR(%2$I.->) 'id'::text) IS NULL THEN
        RETURN NULL;
    END IF;
    IF pg_catalog.array_length(columns_to_include, 1) OPERATOR(pg_catalog.<>) 0 THEN
        excluded := excluded OPERATOR(pg_catalog.||) ARRAY(
            SELECT column_name FROM %2$I.skeys(source_row) AS keys(column_name)
             WHERE NOT coalesce(column_name OPERATOR(pg_catalog.=) ANY (columns_to_include), false));
    END IF;
    INSERT INTO %1$I._trigger_log (action, table_name, txid, created_at, state, record_id, sfid, "values")
         VALUES ('UPDATE', hc_capture_update_from_row.table_name, pg_catalog.txid_current(), pg_catalog.clock_timestamp(), 'NEW',
                 (source_row OPERATOR(%2$I.->) 'id'::text)::integer, source_row OPERATOR(%2$I.->) 'sfid'::text,
                 (source_row OPERATOR(%2$I.-) excluded)::text)
      RETURNING id INTO log_id;
    RETURN log_id;
END
$body$;
$ddl$, schema, public.hc_hstore_schema());
END
$function$;
COMMENT ON FUNCTION public.hc_capture_functions_create(name) IS
    'Makes hc_capture_insert_from_row and hc_capture_update_from_row, with which applications capture a row again';

CREATE FUNCTION public.hc_connection_give_to_owner(schema name) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    owner name := public.hc_schema_owner(schema);
    statement text;
BEGIN
    IF owner = current_user THEN
        RETURN;
    END IF;
    FOR statement IN
        SELECT pg_catalog.format('ALTER TABLE %I.%I OWNER TO %I', schema, table_name, owner)
          FROM pg_catalog.unnest(ARRAY['_hcmeta', '_sf_event_log', '_trigger_log', '_trigger_log_archive']) AS tables(table_name)
        UNION ALL
        SELECT pg_catalog.format('ALTER FUNCTION %s OWNER TO %I', p.oid::pg_catalog.regprocedure, owner)
          FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname = schema
           AND p.proname IN ('tlog_notify_trigger', 'hc_capture_insert_from_row', 'hc_capture_update_from_row')
        UNION ALL
        SELECT pg_catalog.format('ALTER SEQUENCE public.%I OWNER TO %I', public.hc_quiet_name(schema), owner)
    LOOP
        EXECUTE statement;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION public.hc_connection_give_to_owner(name) IS
    'Gives what a connection''s schema was made with to the schema''s owner';

CREATE FUNCTION public.hc_connection_create(schema name, organization_id text DEFAULT NULL, api_version text DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
    new_connection uuid;
BEGIN
    PERFORM public.hc_check_schema_name($1);
    IF EXISTS (SELECT FROM public.hc_connection c WHERE c.schema_name = $1) THEN
        RAISE EXCEPTION 'schema "%" already has a connection', $1
            USING ERRCODE = 'duplicate_object', HINT = 'Use another schema, or remove that connection first.';
    ELSIF pg_catalog.to_regclass(pg_catalog.format('%I._trigger_log', $1)) IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" already has a trigger log', $1
            USING ERRCODE = 'duplicate_table', HINT = 'A schema that was synced before is taken over with hc_adopt.';
    ELSIF $3 IS NOT NULL AND $3 !~ '^[0-9]{2,3}(\.[0-9])?$' THEN
        RAISE EXCEPTION 'API version "%" is not a version', $3
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Write it like 61.0.';
    END IF;

    IF public.hc_schema_owner($1) IS NULL THEN
        -- A superuser makes it for the owner of the database, who then needs no superuser to administer it.
        EXECUTE pg_catalog.format('CREATE SCHEMA %I AUTHORIZATION %I', $1, CASE
            WHEN (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)
            THEN (SELECT pg_catalog.pg_get_userbyid(d.datdba) FROM pg_catalog.pg_database d
                   WHERE d.datname = pg_catalog.current_database())
            ELSE current_user END);
    END IF;
    INSERT INTO public.hc_connection (schema_name, organization_id, api_version)
         VALUES ($1, $2, CASE WHEN $3 LIKE '%.%' THEN $3 ELSE $3 || '.0' END)
      RETURNING id INTO new_connection;

    PERFORM public.hc_guard_create();
    PERFORM public.hc_log_tables_create($1);
    EXECUTE pg_catalog.format('INSERT INTO %I._hcmeta (hcver, org_id, details) VALUES (1, $1, $2)', $1) USING $2, '{}';
    PERFORM public.hc_capture_functions_create($1);
    PERFORM public.hc_wakeup_create($1);
    PERFORM public.hc_connection_give_to_owner($1);
    IF NOT pg_catalog.has_table_privilege(public.hc_schema_owner($1), 'public.hc_connection', 'INSERT') THEN
        PERFORM public.hc_grant_administration(public.hc_schema_owner($1));
    END IF;
    RETURN new_connection;
END
$function$;
COMMENT ON FUNCTION public.hc_connection_create(name, text, text) IS
    'Makes the schema where it is missing, and in it the trigger log and all that belongs to a connection; answers its id';

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

CREATE FUNCTION public.hc_mapping_register(connection uuid, object_name text, config jsonb, description jsonb) RETURNS uuid
LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
    schema name := (SELECT c.schema_name FROM public.hc_connection c WHERE c.id = $1 FOR KEY SHARE);
    object text;
    target name;
    wanted jsonb;
    spelling jsonb;
    columns jsonb;
    fields public.hc_field[];
    identifier public.hc_field;
    twice text;
    new_mapping uuid := pg_catalog.gen_random_uuid();
BEGIN
    IF schema IS NULL THEN
        RAISE EXCEPTION 'connection "%" does not exist', $1 USING ERRCODE = 'undefined_object';
    END IF;
    PERFORM public.hc_check_object($2, $4);
    object := $4 ->> 'name';
    target := public.hc_table_name(object);
    wanted := public.hc_mapping_config($3);
    IF EXISTS (SELECT FROM public.hc_mapping m WHERE m.connection = $1 AND (m.object_name = object OR m.table_name = target)) THEN
        RAISE EXCEPTION 'object "%" is already mapped', object
            USING ERRCODE = 'duplicate_object', HINT = 'Edit its mapping, or delete it first.';
    ELSIF pg_catalog.to_regclass(pg_catalog.format('%I.%I', schema, target)) IS NOT NULL THEN
        RAISE EXCEPTION 'relation "%.%" already exists', schema, target
            USING ERRCODE = 'duplicate_table',
                  HINT = 'An existing table is never replaced. Rename or drop it, or take the schema over with hc_adopt.';
    END IF;

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
    END IF;
    INSERT INTO public.hc_mapping (id, connection, object_name, table_name, access, config, description,
                                   upsert_field, upsert_column, polling, names)
         VALUES (new_mapping, $1, object, target, wanted ->> 'access', wanted, $4 #- '{hc_sync,parents}',
                 identifier.field_name, identifier.column_name,
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

-- The mapped table: made bare, indexed, given its place and its triggers, dropped. A first load fills a private table in schema
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

-- Newer Heroku schemas sort sfid by code point. The collation exists in UTF-8 databases only.
CREATE FUNCTION public.hc_sfid_type(connection uuid) RETURNS text
LANGUAGE sql STABLE AS $function$
    SELECT 'character varying(18)' || CASE WHEN
        coalesce((SELECT c.settings #>> '{features,ucs_basic_collation_index}' FROM public.hc_connection c WHERE c.id = $1), 'true') <> 'false'
        AND EXISTS (SELECT FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
                     WHERE l.collname = 'ucs_basic' AND l.collnamespace = 'pg_catalog'::regnamespace
                       AND l.collencoding IN (-1, d.encoding))
        THEN ' COLLATE pg_catalog.ucs_basic' ELSE '' END
$function$;
COMMENT ON FUNCTION public.hc_sfid_type(uuid) IS 'Type and collation of the column sfid of a new mapped table';

CREATE FUNCTION public.hc_mapping_table_create(mapping uuid, in_schema name, as_name name, private boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    owner name := public.hc_schema_owner(public.hc_mapping_schema($1));
    target text := pg_catalog.format('%I.%I', in_schema, as_name);
    grantee text;
BEGIN
    EXECUTE pg_catalog.format('CREATE TABLE %s (%s, sfid %s, id serial CONSTRAINT %I PRIMARY KEY, _hc_lastop character varying(32), _hc_err text)',
        target,
        (SELECT pg_catalog.string_agg(pg_catalog.format('%I %s', f.column_name, f.postgres_type), ', ' ORDER BY f.position)
           FROM public.hc_field f WHERE f.mapping = $1 AND f.column_name <> 'sfid'),
        public.hc_sfid_type(m.connection), public.hc_suffixed_name(as_name, '_pkey'));
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

CREATE FUNCTION public.hc_mapping_drop(mapping uuid, "cascade" boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    schema name := public.hc_mapping_schema($1);
    target text := pg_catalog.format('%I.%I', schema, m.table_name);
    row_count bigint;
    portable text;
    dependents text;
BEGIN
    IF pg_catalog.to_regclass(target) IS NOT NULL THEN
        EXECUTE pg_catalog.format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);
        EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM %s', target) INTO row_count;
        EXECUTE pg_catalog.format('DROP TABLE %s %s', target, CASE WHEN "cascade" THEN 'CASCADE' ELSE 'RESTRICT' END);
        RAISE NOTICE 'dropped table "%.%" with % rows', schema, m.table_name, row_count;
    END IF;
    FOREACH portable IN ARRAY ARRAY[m.names ->> 'logger', m.names ->> 'status'] LOOP
        portable := pg_catalog.format('%I.%I()', schema, portable);
        IF pg_catalog.to_regprocedure(portable) IS NOT NULL THEN
            EXECUTE 'DROP FUNCTION ' || portable;
        END IF;
    END LOOP;
    DELETE FROM public.hc_mapping WHERE id = $1;
EXCEPTION
    WHEN dependent_objects_still_exist THEN
        GET STACKED DIAGNOSTICS dependents = PG_EXCEPTION_DETAIL;
        RAISE EXCEPTION 'cannot drop table "%.%" because other objects depend on it', schema, m.table_name
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = dependents,
                  HINT = 'Drop them first, or have them dropped too with hc_mapping_drop(mapping, true).';
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_drop(uuid, boolean) IS
    'Drops a mapping and its table, and says how many rows went; refuses while other objects depend on the table, unless cascade';

-- Capture: the two triggers of a mapped table. They keep name and definition in both modes and execute either the members
-- public.hc_capture() and public.hc_status(), in C, or the portable functions of the connection's schema.

CREATE FUNCTION public.hc_has_c_capture() RETURNS boolean
LANGUAGE sql STABLE AS $function$ SELECT pg_catalog.to_regprocedure('public.hc_capture()') IS NOT NULL $function$;
COMMENT ON FUNCTION public.hc_has_c_capture() IS 'Whether this database has capture in C';

-- The portable bodies stand alone: they need hstore and public.get_xmlbinary(), nothing of the extension.
CREATE FUNCTION public.hc_mapping_functions_create(mapping uuid) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    schema name := public.hc_mapping_schema($1);
    owner name := public.hc_schema_owner(schema);
    sends boolean := m.access = 'read_write';
BEGIN
    EXECUTE pg_catalog.format($ddl$
CREATE OR REPLACE FUNCTION %1$I.%2$I() RETURNS trigger
LANGUAGE plpgsql %4$s SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' SET extra_float_digits = 1 AS $body$
-- VERSION 4 --
DECLARE
    trigger_row %1$I._trigger_log;
    excluded_cols text[] = ARRAY['_hc_lastop', '_hc_err'];
BEGIN
    trigger_row = ROW();
    trigger_row.id = nextval(%5$L::regclass);
    trigger_row.action = TG_OP;
    trigger_row.table_name = TG_TABLE_NAME;
    trigger_row.txid = txid_current();
    trigger_row.created_at = clock_timestamp();
    trigger_row.state = %6$L;
    IF TG_OP = 'DELETE' THEN
        trigger_row.record_id = OLD.id;
        trigger_row.old = %3$I.hstore(OLD.*) OPERATOR(%3$I.-) excluded_cols;
        IF OLD.sfid IS NOT NULL THEN
            trigger_row.sfid = OLD.sfid;%7$s
        END IF;
    ELSIF TG_OP = 'INSERT' THEN
        trigger_row.record_id = NEW.id;
        trigger_row."values" = %3$I.hstore(NEW.*) OPERATOR(%3$I.-) excluded_cols;
    ELSIF TG_OP = 'UPDATE' THEN
        trigger_row.record_id = NEW.id;
        trigger_row.old = %3$I.hstore(OLD.*) OPERATOR(%3$I.-) excluded_cols;
        trigger_row."values" = (%3$I.hstore(NEW.*) OPERATOR(%3$I.-) %3$I.hstore(OLD.*)) OPERATOR(%3$I.-) excluded_cols;%8$s
        IF OLD.sfid IS NOT NULL THEN
            trigger_row.sfid = OLD.sfid;
        END IF;
    END IF;
    INSERT INTO %1$I._trigger_log VALUES (trigger_row.*);
    RETURN NULL;
END
$body$;
$ddl$, schema, m.names ->> 'logger', public.hc_hstore_schema(), public.hc_security_clause(owner),
       pg_catalog.format('%I._trigger_log_id_seq', schema), CASE WHEN sends THEN 'NEW' ELSE 'READONLY' END,
       CASE WHEN sends THEN E'\n        ELSE\n            trigger_row.state = ''IGNORE'';' ELSE '' END,
       CASE WHEN sends THEN E'\n        IF trigger_row."values" = '''' THEN\n            trigger_row.state = ''IGNORE'';\n        END IF;' ELSE '' END);
    EXECUTE pg_catalog.format($ddl$
CREATE OR REPLACE FUNCTION %1$I.%2$I() RETURNS trigger
LANGUAGE plpgsql AS $body$
-- VERSION 4 --
BEGIN
    IF public.get_xmlbinary()::pg_catalog.text OPERATOR(pg_catalog.=) 'base64'::pg_catalog.text THEN  -- user op
        NEW._hc_lastop = 'PENDING';
        NEW._hc_err = NULL;
        RETURN NEW;
    ELSIF TG_OP OPERATOR(pg_catalog.=) 'UPDATE'::pg_catalog.text THEN  -- connect op
        IF NEW._hc_lastop IS NOT NULL
           AND NEW._hc_lastop::pg_catalog.text OPERATOR(pg_catalog.<>) OLD._hc_lastop::pg_catalog.text THEN
            RETURN NEW;
        END IF;
    END IF;
    NEW._hc_lastop = 'SYNCED';
    NEW._hc_err = NULL;
    RETURN NEW;
END
$body$;
$ddl$, schema, m.names ->> 'status');
    -- Or anyone could write the log through a trigger of his own. Firing a trigger needs no right on its function.
    EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %I.%I() FROM PUBLIC', schema, m.names ->> 'logger');
    IF owner <> current_user THEN
        EXECUTE pg_catalog.format('ALTER FUNCTION %I.%I() OWNER TO %I', schema, m.names ->> 'logger', owner);
        EXECUTE pg_catalog.format('ALTER FUNCTION %I.%I() OWNER TO %I', schema, m.names ->> 'status', owner);
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_functions_create(uuid) IS
    'Makes or replaces a mapping''s portable logger and status functions, for the access that it has now';

-- The initial state goes to the C function as an argument of the trigger: it is read without a look into any catalog, a dump
-- carries it, and replacing the trigger changes it at once.
CREATE FUNCTION public.hc_mapping_capture_mode(mapping uuid, mode text) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    m public.hc_mapping := public.hc_mapping_row($1);
    schema name := public.hc_mapping_schema($1);
    target text := pg_catalog.format('%I.%I', schema, m.table_name);
    in_c boolean := public.hc_check_capture_mode(mode) = 'c';
BEGIN
    EXECUTE pg_catalog.format('CREATE OR REPLACE TRIGGER %I BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s',
        m.names ->> 'status_trigger', target,
        CASE WHEN in_c THEN 'public.hc_status()' ELSE pg_catalog.format('%I.%I()', schema, m.names ->> 'status') END);
    EXECUTE pg_catalog.format('CREATE OR REPLACE TRIGGER %I AFTER INSERT OR DELETE OR UPDATE ON %s FOR EACH ROW '
        'WHEN (public.get_xmlbinary()::pg_catalog.text OPERATOR(pg_catalog.=) ''base64''::pg_catalog.text) EXECUTE FUNCTION %s',
        m.names ->> 'log_trigger', target,
        CASE WHEN in_c THEN pg_catalog.format('public.hc_capture(%L)', CASE m.access WHEN 'read_write' THEN 'NEW' ELSE 'READONLY' END)
             ELSE pg_catalog.format('%I.%I()', schema, m.names ->> 'logger') END);
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_capture_mode(uuid, text) IS 'Makes or replaces the two triggers of one mapped table; mode is c or portable';

CREATE FUNCTION public.hc_check_capture_mode(mode text) RETURNS text
LANGUAGE plpgsql STABLE AS $function$
BEGIN
    IF mode IS NULL OR mode NOT IN ('c', 'portable') THEN
        RAISE EXCEPTION 'capture mode must be c or portable, is %', pg_catalog.quote_nullable(mode)
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF mode = 'c' AND NOT public.hc_has_c_capture() THEN
        RAISE EXCEPTION 'this database has no capture in C'
            USING ERRCODE = 'undefined_function', HINT = 'Install the extension hc_sync, or use the mode portable.';
    END IF;
    RETURN mode;
END
$function$;
COMMENT ON FUNCTION public.hc_check_capture_mode(text) IS 'Refuses a capture mode that is none or that this database does not have';

CREATE FUNCTION public.hc_connection_capture_mode(connection uuid) RETURNS text
LANGUAGE sql STABLE AS $function$
    SELECT coalesce((SELECT c.settings ->> 'capture' FROM public.hc_connection c WHERE c.id = $1),
                    CASE WHEN public.hc_has_c_capture() THEN 'c' ELSE 'portable' END)
$function$;
COMMENT ON FUNCTION public.hc_connection_capture_mode(uuid) IS 'Capture mode of a connection: its setting "capture", by default c where there is one';

CREATE FUNCTION public.hc_mapping_triggers_create(mapping uuid) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    PERFORM public.hc_mapping_functions_create($1);
    PERFORM public.hc_mapping_capture_mode($1, public.hc_connection_capture_mode((public.hc_mapping_row($1)).connection));
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_triggers_create(uuid) IS
    'Makes or replaces functions and triggers of a mapped table in its place, for the mapping''s access and the connection''s capture mode';

-- Each table in a transaction of its own, so that no two locks meet those of a writer; and a lock is waited for two seconds at a
-- time, because new writers of the table queue up behind the wait.
CREATE PROCEDURE public.hc_capture_mode(connection uuid, mode text)
LANGUAGE plpgsql AS $procedure$
DECLARE
    mapping uuid;
    schema name;
BEGIN
    PERFORM public.hc_check_capture_mode(mode);
    UPDATE public.hc_connection c SET settings = c.settings || pg_catalog.jsonb_build_object('capture', hc_capture_mode.mode)
     WHERE c.id = $1 RETURNING c.schema_name INTO schema;
    IF schema IS NULL THEN
        RAISE EXCEPTION 'connection "%" does not exist', $1 USING ERRCODE = 'undefined_object';
    END IF;
    COMMIT;
    FOR mapping IN
        SELECT m.id FROM public.hc_mapping m
         WHERE m.connection = $1 AND pg_catalog.to_regclass(pg_catalog.format('%I.%I', schema, m.table_name)) IS NOT NULL
         ORDER BY m.table_name
    LOOP
        FOR attempt IN 1 .. 60 LOOP
            BEGIN
                PERFORM pg_catalog.set_config('lock_timeout', '2s', true);
                PERFORM public.hc_mapping_triggers_create(mapping);
                EXIT;
            EXCEPTION WHEN lock_not_available THEN
                IF attempt = 60 THEN
                    RAISE EXCEPTION 'capture of table "%.%" was not switched: it is always in use', schema,
                                    (public.hc_mapping_row(mapping)).table_name
                        USING ERRCODE = 'lock_not_available', HINT = 'Call hc_capture_mode again; tables that were switched stay so.';
                END IF;
            END;
            COMMIT;
            PERFORM pg_catalog.pg_sleep(0.5);
        END LOOP;
        COMMIT;
    END LOOP;
    PERFORM public.hc_wakeup_mode(schema, mode);
    COMMIT;
END
$procedure$;
COMMENT ON PROCEDURE public.hc_capture_mode(uuid, text) IS
    'Switches the triggers of a connection to c or portable, table by table; no change is lost and none is captured twice';

-- The functions in C. The portable bundle leaves this part out.

CREATE FUNCTION public.hc_capture() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'hc_capture';
COMMENT ON FUNCTION public.hc_capture() IS 'Log trigger of a mapped table, with one argument: NEW, or READONLY for a mapping that sends nothing';

CREATE FUNCTION public.hc_status() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'hc_status';
COMMENT ON FUNCTION public.hc_status() IS 'Status trigger of a mapped table: sets _hc_lastop and _hc_err';

CREATE FUNCTION public.hc_announce() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'hc_announce';
COMMENT ON FUNCTION public.hc_announce() IS 'Trigger of a trigger log: wakes the relay at commit, at most once per interval';

CREATE FUNCTION public.hc_before_drop() RETURNS event_trigger LANGUAGE c AS 'MODULE_PATHNAME', 'hc_before_drop';
COMMENT ON FUNCTION public.hc_before_drop() IS 'Says what DROP EXTENSION hc_sync would do to capture';
CREATE EVENT TRIGGER hc_before_drop ON ddl_command_start WHEN TAG IN ('DROP EXTENSION') EXECUTE FUNCTION public.hc_before_drop();
COMMENT ON EVENT TRIGGER hc_before_drop IS 'Says what DROP EXTENSION hc_sync would do to capture';

-- Wake-up: at most one notification per connection and interval, none while the relay is busy.
-- The mark is a sequence, because a sequence is changed outside the transaction and nobody waits for it:
--   last_value  the time, in milliseconds since 1970, until which no notification is needed
--   is_called   false while the relay is busy
--   increment   the interval in milliseconds
-- It runs on the real clock, not on hc_clock: it spaces notifications and decides nothing. Tests set the mark itself.
-- A notification only saves the relay from waiting for its next look at the log, so a mark that lasts too long costs latency only.

CREATE FUNCTION public.hc_quiet_name(schema name) RETURNS name
LANGUAGE sql IMMUTABLE STRICT AS $function$ SELECT ('hc_quiet_' || $1)::pg_catalog.name $function$;
COMMENT ON FUNCTION public.hc_quiet_name(name) IS 'Sequence in schema public that marks until when a connection needs no notification';

-- The portable body stands alone: it needs nothing of the extension.
CREATE FUNCTION public.hc_wakeup_create(schema name) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    EXECUTE pg_catalog.format($ddl$
CREATE SEQUENCE IF NOT EXISTS public.%2$I INCREMENT 10000;
COMMENT ON SEQUENCE public.%2$I IS %4$L;
CREATE OR REPLACE FUNCTION %1$I.tlog_notify_trigger() RETURNS trigger
LANGUAGE plpgsql %5$s SET search_path = pg_catalog, pg_temp AS $body$
-- VERSION 1 --
DECLARE
    now_ms bigint := extract(epoch FROM clock_timestamp()) * 1000;
    until_ms bigint;
    step_ms bigint;
    idle boolean;
BEGIN
    IF NOT coalesce(has_sequence_privilege(to_regclass(%3$L)::oid, 'UPDATE'), false) THEN
        PERFORM pg_notify(%6$L, 'ping');
        RETURN NEW;
    END IF;
    SELECT q.last_value, q.is_called INTO until_ms, idle FROM public.%2$I q;
    IF NOT idle OR until_ms > now_ms AND until_ms <= now_ms + 3600000 THEN
        RETURN NEW;
    END IF;
    -- Tried, never waited for: whoever holds it is announcing at this moment.
    IF pg_try_advisory_lock(18499, hashtext(%6$L)) THEN
        -- The time anew: one read before another announcer's mark would make that mark look too far ahead.
        now_ms := extract(epoch FROM clock_timestamp()) * 1000;
        SELECT q.last_value, q.is_called INTO until_ms, idle FROM public.%2$I q;
        SELECT s.seqincrement INTO step_ms FROM pg_sequence s WHERE s.seqrelid = to_regclass(%3$L);
        IF idle AND NOT (until_ms > now_ms AND until_ms <= now_ms + step_ms) THEN
            PERFORM setval(to_regclass(%3$L), now_ms + step_ms);
            PERFORM pg_notify(%6$L, 'ping');
        END IF;
        PERFORM pg_advisory_unlock(18499, hashtext(%6$L));
    END IF;
    RETURN NEW;
END
$body$;
REVOKE ALL ON FUNCTION %1$I.tlog_notify_trigger() FROM PUBLIC;
$ddl$, schema, public.hc_quiet_name(schema), pg_catalog.format('public.%I', public.hc_quiet_name(schema)),
       'Until when the connection of schema ' || pg_catalog.quote_ident(schema) || ' needs no notification: last_value in milliseconds since 1970; '
       'is_called false while the relay is busy; the increment is the interval in milliseconds',
       public.hc_security_clause(public.hc_schema_owner(schema)), schema || '.hc_trigger_log');
    PERFORM pg_catalog.setval(pg_catalog.format('public.%I', public.hc_quiet_name(schema))::pg_catalog.regclass, 1);
    PERFORM public.hc_wakeup_mode(schema, CASE WHEN public.hc_has_c_capture() THEN 'c' ELSE 'portable' END);
END
$function$;
COMMENT ON FUNCTION public.hc_wakeup_create(name) IS 'Makes the mark, tlog_notify_trigger and the trigger of the log that calls it';

CREATE FUNCTION public.hc_wakeup_mode(schema name, mode text) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
    EXECUTE pg_catalog.format('CREATE OR REPLACE TRIGGER tlog_insert_trigger AFTER INSERT ON %I._trigger_log FOR EACH ROW EXECUTE FUNCTION %s',
        schema,
        CASE public.hc_check_capture_mode(mode) WHEN 'c' THEN 'public.hc_announce()'
             ELSE pg_catalog.format('%I.tlog_notify_trigger()', schema) END);
END
$function$;
COMMENT ON FUNCTION public.hc_wakeup_mode(name, text) IS 'Makes or replaces the trigger of a trigger log; mode is c or portable';

-- The relay says so when a write cycle begins and when it ends. After the end it looks at the log once more, because what
-- was committed meanwhile was not announced.
CREATE FUNCTION public.hc_busy(connection uuid, busy boolean) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    mark pg_catalog.regclass;
    until_ms bigint;
BEGIN
    SELECT pg_catalog.format('public.%I', public.hc_quiet_name(c.schema_name))::pg_catalog.regclass INTO mark
      FROM public.hc_connection c WHERE c.id = $1;
    IF mark IS NULL THEN
        RAISE EXCEPTION 'connection "%" does not exist', $1 USING ERRCODE = 'undefined_object';
    END IF;
    EXECUTE pg_catalog.format('SELECT last_value FROM %s', mark) INTO until_ms;
    PERFORM pg_catalog.setval(mark, until_ms, NOT $2);
END
$function$;
COMMENT ON FUNCTION public.hc_busy(uuid, boolean) IS
    'Marks a connection''s relay as busy (writers announce nothing) or idle again; takes effect at once, whatever the transaction does';

-- Protocol: batches in flight, records that arrived, loads under way
--
-- What must survive a crash is in these tables and in no other place. Nobody but the relay and administrators
-- locks them, so that storing an answer can never wait for an application.

CREATE TABLE public.hc_batch (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection        uuid NOT NULL REFERENCES public.hc_connection ON DELETE CASCADE,
    mapping           uuid NOT NULL REFERENCES public.hc_mapping ON DELETE CASCADE,
    epoch             bigint NOT NULL,
    operation         text NOT NULL CHECK (operation IN ('create', 'update', 'upsert', 'delete')),
    object_name       text NOT NULL,
    external_id_field text,
    state             text NOT NULL DEFAULT 'CLAIMED'
                      CHECK (state IN ('CLAIMED', 'SENT', 'REPEAT', 'DOUBT', 'PARKED', 'ANSWERED', 'DONE')),
    attempt           integer NOT NULL DEFAULT 1,
    claimed_at        timestamptz NOT NULL,
    first_sent_at     timestamptz,
    sent_at           timestamptz,
    answered_at       timestamptz,
    due_at            timestamptz,
    apply_at          timestamptz,
    apply_attempt     integer NOT NULL DEFAULT 0,
    request_id        text,
    answer            jsonb,
    reason            text,
    CHECK ((external_id_field IS NOT NULL) = (operation = 'upsert')),
    CHECK (state NOT IN ('SENT', 'DOUBT', 'PARKED') OR first_sent_at IS NOT NULL)
);
CREATE INDEX hc_batch_open ON public.hc_batch (connection, id) WHERE state <> 'DONE';
CREATE INDEX hc_batch_mapping ON public.hc_batch (mapping);
COMMENT ON TABLE public.hc_batch IS
    'Changes that travel in one Salesforce request. CLAIMED: not sent. SENT: on its way. REPEAT: to be offered again at due_at. DOUBT: sent, answer unknown. PARKED: a person must decide. ANSWERED: the whole answer is stored and is being applied. DONE.';

CREATE TABLE public.hc_batch_entry (
    batch      bigint NOT NULL REFERENCES public.hc_batch ON DELETE CASCADE,
    position   integer NOT NULL,
    mapping    uuid NOT NULL,
    log_id     bigint NOT NULL,
    record_id  bigint,
    action     text NOT NULL,
    sfid       text,
    payload    jsonb NOT NULL,
    outcome    jsonb,
    applied    boolean NOT NULL DEFAULT false,
    reason     text,
    PRIMARY KEY (batch, position)
);
CREATE INDEX hc_batch_entry_record ON public.hc_batch_entry (mapping, record_id) WHERE NOT applied;
CREATE INDEX hc_batch_entry_log ON public.hc_batch_entry (log_id) WHERE NOT applied;
COMMENT ON TABLE public.hc_batch_entry IS
    'One captured change in a batch. An entry that is not applied means that its change, and so its record, is in flight, whatever the visible state of the log row says.';
COMMENT ON COLUMN public.hc_batch_entry.outcome IS
    'What Salesforce said of this change: {"success","id","created","errors":[{"code","message","fields"}]}, or null while it is not known.';

CREATE TABLE public.hc_staged (
    mapping        uuid NOT NULL REFERENCES public.hc_mapping ON DELETE CASCADE,
    sfid           text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('record', 'deleted')),
    systemmodstamp timestamp,
    record         jsonb,
    began_at       timestamptz NOT NULL,
    retry_at       timestamptz,
    reason         text,
    PRIMARY KEY (mapping, sfid)
);
CREATE INDEX hc_staged_waiting ON public.hc_staged (retry_at) WHERE retry_at IS NOT NULL;
COMMENT ON TABLE public.hc_staged IS
    'Records that arrived from Salesforce and are not merged yet. Those with retry_at wait for the reason given: a row locked by the application, a row with unsent changes, a trigger that raised, a create whose answer is not known.';

CREATE SEQUENCE public.hc_read_back_token;
CREATE TABLE public.hc_read_back (
    mapping  uuid NOT NULL REFERENCES public.hc_mapping ON DELETE CASCADE,
    sfid     text NOT NULL,
    token    bigint NOT NULL DEFAULT nextval('public.hc_read_back_token'),
    due_at   timestamptz,
    PRIMARY KEY (mapping, sfid)
);
COMMENT ON TABLE public.hc_read_back IS
    'Records that we wrote and have not read since. Until then whatever else arrives of them may be older than our write, and is left out.';

CREATE TABLE public.hc_tombstone (
    mapping    uuid NOT NULL REFERENCES public.hc_mapping ON DELETE CASCADE,
    sfid       text NOT NULL,
    deleted_at timestamptz NOT NULL,
    PRIMARY KEY (mapping, sfid)
);
COMMENT ON TABLE public.hc_tombstone IS
    'Records whose delete Salesforce accepted from us: a query that began before that must not bring them back.';

CREATE TABLE public.hc_load (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection    uuid NOT NULL REFERENCES public.hc_connection ON DELETE CASCADE,
    mapping       uuid NOT NULL UNIQUE REFERENCES public.hc_mapping ON DELETE CASCADE,
    kind          text NOT NULL CHECK (kind IN ('first', 'reload')),
    step          text NOT NULL DEFAULT 'fill' CHECK (step IN ('fill', 'index', 'publish', 'merge', 'remove')),
    private_table name NOT NULL,
    began_at      timestamptz NOT NULL,
    job           jsonb,
    locator       text,
    rows          bigint NOT NULL DEFAULT 0,
    expected      bigint,
    last_sfid     text
);
COMMENT ON TABLE public.hc_load IS
    'The load under way of a mapping: its private table, its bulk job and the page to read next. Page and locator commit together, so a load goes on where it was killed.';

DO $$
DECLARE
    member text;
BEGIN
    FOREACH member IN ARRAY ARRAY['hc_batch', 'hc_batch_entry', 'hc_staged', 'hc_read_back', 'hc_tombstone', 'hc_load',
                                  'hc_batch_id_seq', 'hc_load_id_seq', 'hc_read_back_token'] LOOP
        PERFORM pg_catalog.pg_extension_config_dump(pg_catalog.format('public.%I', member)::pg_catalog.regclass, '');
    END LOOP;
END
$$;

-- Steps: what every function of the protocol begins with

CREATE FUNCTION public.hc_step(connection uuid, epoch bigint) RETURNS public.hc_connection
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection;
BEGIN
    -- KEY SHARE waits for, and is waited for by, hc_lead alone: a step of the old epoch is over before the new one begins.
    SELECT * INTO c FROM public.hc_connection h WHERE h.id = hc_step.connection FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'connection % does not exist', hc_step.connection
            USING ERRCODE = 'HC002', HINT = 'List the connections with: hc-relay connection list';
    END IF;
    IF c.epoch IS DISTINCT FROM hc_step.epoch THEN
        RAISE EXCEPTION 'another relay serves connection % since epoch %', hc_step.connection, c.epoch
            USING ERRCODE = 'HC001', DETAIL = format('This call came with epoch %s.', hc_step.epoch);
    END IF;
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    PERFORM set_config('lock_timeout', '500ms', true);
    RETURN c;
END
$$;
COMMENT ON FUNCTION public.hc_step(uuid, bigint) IS
    'Begins a step of the relay: refuses a stale epoch (HC001), makes the commit durable whatever the database defaults to, and never waits long for a lock.';

CREATE FUNCTION public.hc_writes_rows() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    -- Local to the transaction, not to a function: deferred triggers of the user must see it too.
    SELECT set_config('xmlbinary', 'hex', true), set_config('datestyle', 'ISO, MDY', true), set_config('timezone', 'UTC', true)
$$;
COMMENT ON FUNCTION public.hc_writes_rows() IS
    'Says for the rest of the transaction that the relay writes mapped rows: nothing is captured (xmlbinary = hex).';

CREATE FUNCTION public.hc_mapping_of(connection uuid, mapping uuid) RETURNS public.hc_mapping
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m public.hc_mapping;
BEGIN
    SELECT * INTO m FROM public.hc_mapping h WHERE h.id = hc_mapping_of.mapping AND h.connection = hc_mapping_of.connection;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'mapping % does not exist in connection %', hc_mapping_of.mapping, hc_mapping_of.connection
            USING ERRCODE = 'HC002', HINT = 'It may have been removed. List the mappings with: hc-relay mapping list';
    END IF;
    RETURN m;
END
$$;
COMMENT ON FUNCTION public.hc_mapping_of(uuid, uuid) IS 'The mapping, which must belong to the connection (HC002).';

-- hstore may be in another schema than public: its functions are named where they are now. The first is inlined.
DO $do$
BEGIN
    EXECUTE format($ddl$
CREATE FUNCTION public.hc_pairs(captured text) RETURNS TABLE (key text, value text)
LANGUAGE sql IMMUTABLE AS $$
    SELECT e.key, e.value FROM %1$I.each(captured::%1$I.hstore) e
$$;
CREATE FUNCTION public.hc_pairs_text(keys text[], vals text[]) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT %1$I.hstore(keys, vals)::text
$$;
$ddl$, public.hc_hstore_schema());
END
$do$;
COMMENT ON FUNCTION public.hc_pairs(text) IS 'The keys and values of a log entry''s hstore text.';
COMMENT ON FUNCTION public.hc_pairs_text(text[], text[]) IS 'Keys and values as a log entry''s hstore text.';

CREATE FUNCTION public.hc_setting(c public.hc_connection, name text, otherwise text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(c.settings ->> name, otherwise)
$$;
COMMENT ON FUNCTION public.hc_setting(public.hc_connection, text, text) IS 'A setting of the connection, or the default.';

CREATE FUNCTION public.hc_later(attempt integer, base interval DEFAULT '1 second', cap interval DEFAULT '120 seconds') RETURNS interval
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT random() * least(cap, base * power(2, least(attempt, 20)))
$$;
COMMENT ON FUNCTION public.hc_later(integer, interval, interval) IS
    'How long to wait before the given attempt: exponential with full jitter, up to the cap.';

-- Leading: one relay serves a connection, and each change of relay raises the epoch

CREATE FUNCTION public.hc_lead(connection uuid, holder text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection;
    b bigint;
BEGIN
    IF NOT pg_try_advisory_lock(hashtextextended('hc_sync ' || hc_lead.connection, 0)) THEN
        RETURN NULL;
    END IF;
    -- A relay that stops speaking loses the session, and with it the lock, within ten seconds: these settings are the lease.
    PERFORM set_config('idle_session_timeout', '8s', false), set_config('idle_in_transaction_session_timeout', '8s', false),
            set_config('tcp_keepalives_idle', '3', false), set_config('tcp_keepalives_interval', '2', false),
            set_config('tcp_keepalives_count', '2', false), set_config('tcp_user_timeout', '8000', false);
    PERFORM set_config('synchronous_commit', 'on', true);
    -- FOR UPDATE, not the weaker lock of a plain UPDATE: it waits for steps of the old epoch that are still running.
    SELECT * INTO c FROM public.hc_connection h WHERE h.id = hc_lead.connection FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM pg_advisory_unlock(hashtextextended('hc_sync ' || hc_lead.connection, 0));
        RAISE EXCEPTION 'connection % does not exist', hc_lead.connection
            USING ERRCODE = 'HC002', HINT = 'List the connections with: hc-relay connection list';
    END IF;
    UPDATE public.hc_connection h SET epoch = h.epoch + 1, leader = holder, leader_since = clock_timestamp()
        WHERE h.id = c.id RETURNING h.* INTO c;
    UPDATE public.hc_batch x SET state = 'REPEAT', due_at = NULL, reason = 'claimed by a relay that ended before sending'
        WHERE x.connection = c.id AND x.state = 'CLAIMED';
    FOR b IN SELECT x.id FROM public.hc_batch x WHERE x.connection = c.id AND x.state = 'SENT' LOOP
        PERFORM public.hc_batch_doubt(b, 'RELAY_ENDED', 'the relay ended while the call was under way');
    END LOOP;
    RETURN c.epoch;
END
$$;
COMMENT ON FUNCTION public.hc_lead(uuid, text) IS
    'Takes the connection''s advisory lock in this session and returns the new epoch; null while another relay holds it. Batches of earlier epochs: those never sent are offered again, those sent are in doubt.';

CREATE FUNCTION public.hc_identify(connection uuid, epoch bigint, organization_id text, user_id text, org_now timestamptz,
                                   loopback boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_identify.connection, hc_identify.epoch);
BEGIN
    IF left(c.organization_id, 15) IS DISTINCT FROM left(hc_identify.organization_id, 15) AND c.organization_id IS NOT NULL THEN
        RAISE EXCEPTION 'the credentials belong to Salesforce org %, this connection to %', hc_identify.organization_id, c.organization_id
            USING ERRCODE = 'HC003', HINT = 'Use credentials of the org that the connection was authorized for, or create another connection.';
    END IF;
    UPDATE public.hc_connection h
        SET organization_id = hc_identify.organization_id,
            settings = h.settings || jsonb_build_object('user_id', hc_identify.user_id, 'org_is_loopback', hc_identify.loopback,
                'org_clock_ahead', extract(epoch FROM hc_identify.org_now - public.hc_clock(h.id))),
            state = CASE WHEN h.state IN ('NEW', 'NEED_AUTHENTICATION', 'UNAUTHORIZED', 'DB_UNAVAILABLE', 'SYSTEM_ERROR') THEN 'IDLE' ELSE h.state END,
            state_detail = CASE WHEN h.state IN ('UNAUTHORIZED', 'SYSTEM_ERROR') THEN NULL ELSE h.state_detail END
        WHERE h.id = c.id;
    EXECUTE format('UPDATE %I._hcmeta SET org_id = $1 WHERE org_id IS DISTINCT FROM $1', c.schema_name) USING hc_identify.organization_id;
END
$$;
COMMENT ON FUNCTION public.hc_identify(uuid, bigint, text, text, timestamptz, boolean) IS
    'Notes which org and user the session belongs to and how far the org''s clock is ahead; refuses another org (HC003).';

CREATE FUNCTION public.hc_org_clock(c public.hc_connection) RETURNS timestamptz
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT public.hc_clock(c.id) + make_interval(secs => coalesce((c.settings ->> 'org_clock_ahead')::float8, 0))
$$;
COMMENT ON FUNCTION public.hc_org_clock(public.hc_connection) IS 'What the org''s clock says now, as of the last login.';

-- Wire values: captured hstore text becomes what Salesforce is sent, and both sides are made comparable

CREATE FUNCTION public.hc_wire_value(salesforce_type text, captured text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    -- No SET clause and every name qualified, so that it is inlined: it runs once for each field of each change.
    SELECT CASE salesforce_type
        WHEN 'boolean' THEN CASE WHEN captured::boolean THEN 'true' ELSE 'false' END
        WHEN 'datetime' THEN pg_catalog.to_char(captured::timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
        WHEN 'date' THEN pg_catalog.to_char(captured::date, 'YYYY-MM-DD')
        WHEN 'time' THEN pg_catalog.to_char(date '2000-01-01' OPERATOR(pg_catalog.+) captured::time, 'HH24:MI:SS.MS"Z"')
        ELSE captured
    END
$$;
COMMENT ON FUNCTION public.hc_wire_value(text, text) IS
    'A captured value in Salesforce''s spelling. Raises for text that is not a value of the type.';

CREATE FUNCTION public.hc_normal(salesforce_type text, scale integer, value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, MDY' SET timezone = 'UTC' AS $$
BEGIN
    IF value IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN CASE
        WHEN salesforce_type = 'boolean' THEN lower(value)
        WHEN salesforce_type IN ('double', 'currency', 'percent')
            THEN trim_scale(round(value::numeric, coalesce(scale, 18)))::text
        WHEN salesforce_type = 'int' THEN round(value::numeric)::text
        WHEN salesforce_type = 'datetime' THEN date_trunc('second', value::timestamptz)::text
        WHEN salesforce_type = 'date' THEN left(value, 10)
        WHEN salesforce_type = 'time' THEN rtrim(value, 'Z')::time::text
        WHEN salesforce_type IN ('id', 'reference') THEN left(value, 15)
        WHEN salesforce_type = 'multipicklist'
            THEN (SELECT string_agg(p, ';' ORDER BY p) FROM unnest(string_to_array(value, ';')) p)
        ELSE nullif(btrim(value, E' \t\r\n'), '')
    END;
EXCEPTION WHEN data_exception THEN
    RETURN value;
END
$$;
COMMENT ON FUNCTION public.hc_normal(text, integer, text) IS
    'A wire value as Salesforce would store it: trimmed, blank as null, rounded to the scale, seconds, 15-character ids, picklist values in one order. Two values are the same for Salesforce when these are.';

CREATE FUNCTION public.hc_wire_record(mapping uuid, action text, captured text) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH changed AS (
        SELECT f.*, nullif(p.value, '') AS value, p.key
          FROM public.hc_pairs(captured) p
          LEFT JOIN public.hc_field f ON f.mapping = hc_wire_record.mapping AND f.column_name = p.key
         WHERE p.key NOT IN ('id', 'sfid', '_hc_lastop', '_hc_err')
    ), sent AS (
        SELECT c.*
          FROM changed c
         WHERE CASE action WHEN 'INSERT' THEN c.createable AND c.value IS NOT NULL ELSE c.updateable END
           -- a parent named by external id wins over the lookup that it resolves to
           AND NOT (c.relationship_field IS NULL AND c.relationship_name IS NOT NULL AND EXISTS (
                SELECT FROM changed r WHERE r.relationship_field IS NOT NULL AND r.relationship_name = c.relationship_name AND r.value IS NOT NULL))
           AND NOT (c.relationship_field IS NOT NULL AND c.value IS NULL AND EXISTS (
                SELECT FROM changed r WHERE r.relationship_field IS NULL AND r.relationship_name = c.relationship_name AND r.value IS NOT NULL))
    )
    SELECT jsonb_build_object(
        'fields', coalesce((SELECT jsonb_object_agg(s.field_name, CASE WHEN s.value IS NULL THEN 'false' ELSE public.hc_wire_value(s.salesforce_type, s.value) END)
                              FROM sent s WHERE s.relationship_field IS NULL AND (s.value IS NOT NULL OR s.salesforce_type = 'boolean')), '{}'),
        'nulls', coalesce((SELECT jsonb_agg(DISTINCT CASE WHEN s.relationship_field IS NULL THEN s.field_name ELSE s.relationship_name END)
                             FROM sent s WHERE s.value IS NULL AND s.salesforce_type <> 'boolean'), '[]'),
        'parents', coalesce((SELECT jsonb_agg(jsonb_build_object('relationship', s.relationship_name, 'object', s.relationship_object,
                                                                 'field', s.relationship_field, 'value', s.value) ORDER BY s.position)
                               FROM sent s WHERE s.relationship_field IS NOT NULL AND s.value IS NOT NULL), '[]'),
        'dropped', coalesce((SELECT jsonb_agg(coalesce(c.field_name, c.key) ORDER BY c.key) FROM changed c
                              WHERE CASE action WHEN 'INSERT' THEN c.value IS NOT NULL AND NOT coalesce(c.createable, false)
                                                ELSE NOT coalesce(c.updateable, false) END), '[]'))
$$;
COMMENT ON FUNCTION public.hc_wire_record(uuid, text, text) IS
    'What one captured change sends: {"fields","nulls","parents","dropped"}. Nulls of an INSERT are left out, or they would override defaults; fields that the connected user may not write are dropped and named.';

-- Claim: the next changes in log order that may travel in one request

CREATE FUNCTION public.hc_log_table(c public.hc_connection) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT format('%I._trigger_log', c.schema_name) $$;
COMMENT ON FUNCTION public.hc_log_table(public.hc_connection) IS 'The connection''s trigger log, quoted.';

CREATE FUNCTION public.hc_waits_for(c public.hc_connection, m public.hc_mapping, record_id bigint, entry bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_id bigint;
BEGIN
    EXECUTE format('SELECT l.id FROM %s l WHERE l.state IN (''NEW'', ''PENDING'', ''FAILED'') AND l.table_name = $1 AND l.record_id = $2
                       AND l.action = ''INSERT'' AND l.id <> $3 ORDER BY l.id LIMIT 1', public.hc_log_table(c))
        INTO found_id USING m.table_name::text, record_id, entry;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION public.hc_waits_for(public.hc_connection, public.hc_mapping, bigint, bigint) IS
    'The INSERT of the record that has not succeeded: what its other changes, and records that name it as parent, wait for. It usually is the older entry, but a trigger of the user that sorts before ours can make the UPDATE come first.';

CREATE FUNCTION public.hc_parent_waits_for(c public.hc_connection, parents jsonb, before bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    p record;
    m public.hc_mapping;
    parent_column name;
    parent_id bigint;
    found_id bigint;
BEGIN
    FOR p IN SELECT x.* FROM jsonb_to_recordset(parents) AS x(object text, field text, value text) LOOP
        SELECT * INTO m FROM public.hc_mapping h WHERE h.connection = c.id AND h.object_name = p.object;
        SELECT f.column_name INTO parent_column FROM public.hc_field f WHERE f.mapping = m.id AND f.field_name = p.field;
        CONTINUE WHEN parent_column IS NULL;
        EXECUTE format('SELECT t.id FROM %I.%I t WHERE t.%I = $1 AND t.sfid IS NULL LIMIT 1', c.schema_name, m.table_name, parent_column)
            INTO parent_id USING p.value;
        CONTINUE WHEN parent_id IS NULL;
        found_id := public.hc_waits_for(c, m, parent_id, before);
        IF found_id IS NOT NULL THEN
            RETURN found_id;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION public.hc_parent_waits_for(public.hc_connection, jsonb, bigint) IS
    'The INSERT of a parent named by external id that Salesforce has not accepted yet: the child must be sent in a later request.';

CREATE FUNCTION public.hc_claim_entry(c public.hc_connection, m public.hc_mapping, log_id bigint, log_action text, log_record_id bigint,
                                      log_sfid text, log_values text, failed_inserts jsonb)
    RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    target text := nullif(log_sfid, '');
    row_sfid text;
    operation text;
    wire jsonb := '{"fields":{},"nulls":[],"parents":[],"dropped":[]}';
    identifier text;
    waits_for bigint;
BEGIN
    IF m.id IS NULL THEN
        RETURN jsonb_build_object('failed', 'NOT_MAPPED', 'message', 'no mapping has this table; set state to IGNORE, or map the object and set it to NEW');
    ELSIF m.access <> 'read_write' THEN
        RETURN jsonb_build_object('failed', 'READ_ONLY_MAPPING', 'message',
            format('the mapping of %s is read_only; set its access to read_write and this entry to NEW, or this entry to IGNORE', m.object_name));
    ELSIF log_record_id IS NULL AND NOT (log_action = 'DELETE' AND target IS NOT NULL) THEN
        RETURN jsonb_build_object('failed', 'NO_RECORD', 'message', 'record_id is null: the entry names no row');
    END IF;
    EXECUTE format('SELECT t.sfid FROM %I.%I t WHERE t.id = $1', c.schema_name, m.table_name) INTO row_sfid USING log_record_id;
    target := coalesce(target, nullif(row_sfid, ''));

    IF log_action IN ('UPDATE', 'DELETE') AND target IS NULL THEN
        waits_for := coalesce((failed_inserts ->> (m.table_name || ' ' || log_record_id))::bigint, public.hc_waits_for(c, m, log_record_id, log_id));
        IF waits_for IS NOT NULL THEN
            RETURN jsonb_build_object('held', waits_for);
        END IF;
        RETURN jsonb_build_object('failed', 'NO_SFID', 'message',
            'the row has no sfid and no INSERT of it is waiting: capture one with hc_capture_insert_from_row');
    END IF;
    IF log_action <> 'DELETE' THEN
        wire := public.hc_wire_record(m.id, log_action, log_values);
        IF wire -> 'parents' <> '[]' THEN
            waits_for := public.hc_parent_waits_for(c, wire -> 'parents', log_id);
        END IF;
        IF waits_for IS NOT NULL THEN
            RETURN jsonb_build_object('held', waits_for);
        END IF;
    END IF;
    CASE log_action
        WHEN 'DELETE' THEN
            operation := 'delete';
        WHEN 'UPDATE' THEN
            operation := 'update';
        WHEN 'INSERT' THEN
            identifier := wire -> 'fields' ->> m.upsert_field;
            IF target IS NOT NULL OR row_sfid IS NOT NULL THEN
                -- Salesforce has the record already (an INSERT captured again): creating it would make a second one.
                target := coalesce(row_sfid, target);
                operation := 'update';
                wire := public.hc_wire_record(m.id, 'UPDATE', (
                    SELECT public.hc_pairs_text(array_agg(p.key), array_agg(p.value))
                      FROM public.hc_pairs(log_values) p WHERE p.value IS NOT NULL));
            ELSIF btrim(identifier) <> '' THEN
                operation := 'upsert';
            ELSE
                operation := 'create';
            END IF;
        ELSE
            RETURN jsonb_build_object('failed', 'UNKNOWN_ACTION', 'message', format('action %L is none of INSERT, UPDATE, DELETE', log_action));
    END CASE;
    IF operation = 'update' AND wire -> 'fields' = '{}' AND wire -> 'nulls' = '[]' AND wire -> 'parents' = '[]' THEN
        RETURN jsonb_build_object('nothing', true, 'sfid', target, 'dropped', wire -> 'dropped');
    END IF;
    RETURN wire || jsonb_build_object('operation', operation, 'id', target, 'identifier', CASE WHEN operation = 'upsert' THEN lower(identifier) END);
EXCEPTION WHEN data_exception THEN
    RETURN jsonb_build_object('failed', 'INVALID_VALUE', 'message', SQLERRM);
END
$$;
COMMENT ON FUNCTION public.hc_claim_entry(public.hc_connection, public.hc_mapping, bigint, text, bigint, text, text, jsonb) IS
    'What one log entry asks of Salesforce: an operation with its payload, or {"held": log id}, {"failed": code, "message"}, {"nothing": true}.';

CREATE FUNCTION public.hc_finish_entry(c public.hc_connection, log_id bigint, new_state text, message text, new_sfid text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('UPDATE %s SET state = $2, sf_message = $3, sfid = coalesce($4, sfid), sf_result = CASE WHEN $2 = ''FAILED'' THEN 1 ELSE 0 END,
                           processed_at = clock_timestamp(), processed_tx = txid_current(), updated_at = clock_timestamp()
                     WHERE id = $1', public.hc_log_table(c)) USING log_id, new_state, message, new_sfid;
    IF new_state <> 'FAILED' THEN
        PERFORM public.hc_archive(c, ARRAY[log_id]);
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_finish_entry(public.hc_connection, bigint, text, text, text) IS
    'Gives a log entry its final state. FAILED entries stay in sight in the log, the others go to the archive at once.';

CREATE FUNCTION public.hc_archive(c public.hc_connection, log_ids bigint[]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    columns text := 'id, txid, created_at, updated_at, processed_at, processed_tx, state, action, table_name, record_id, sfid, old, "values", sf_result, sf_message';
    moved integer;
BEGIN
    EXECUTE format('WITH gone AS (DELETE FROM %1$s WHERE id = ANY ($1) RETURNING %3$s)
                    INSERT INTO %2$I._trigger_log_archive (%3$s) SELECT %3$s FROM gone ON CONFLICT (id) DO NOTHING',
                   public.hc_log_table(c), c.schema_name, columns) USING log_ids;
    GET DIAGNOSTICS moved = ROW_COUNT;
    RETURN moved;
END
$$;
COMMENT ON FUNCTION public.hc_archive(public.hc_connection, bigint[]) IS 'Moves log entries to the archive.';

-- The batch: entries that travel in one request, as the relay gets them

CREATE FUNCTION public.hc_batch_request(b public.hc_batch) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('batch', b.id, 'mapping', b.mapping, 'operation', b.operation, 'object', b.object_name,
               'external_id_field', b.external_id_field, 'attempt', b.attempt,
               'records', (SELECT jsonb_agg(jsonb_build_object('log_id', e.log_id, 'record_id', e.record_id)
                                            || (e.payload - 'operation' - 'identifier' - 'dropped') ORDER BY e.position)
                             FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied))
$$;
COMMENT ON FUNCTION public.hc_batch_request(public.hc_batch) IS
    'The request that the relay sends for the batch: the entries whose outcome is not known yet, in order.';

CREATE FUNCTION public.hc_claim(connection uuid, epoch bigint, maximum integer DEFAULT 200) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_claim.connection, hc_claim.epoch);
    now_there timestamptz := public.hc_clock(c.id);
    log text := public.hc_log_table(c);
    m public.hc_mapping;
    b public.hc_batch;
    l record;
    entry jsonb;
    locked boolean;
    record_key text;
    blocked text[] := '{}';      -- records whose later changes must wait
    taken text[] := '{}';        -- records, and identifiers, already in this batch
    chosen jsonb[] := '{}';
    chosen_ids bigint[] := '{}';
    failed_inserts jsonb;        -- record -> its FAILED INSERT, for all records at once: the log has no index by record
BEGIN
    IF c.state = 'PAUSED' THEN
        RETURN NULL;
    END IF;
    SELECT x.* INTO b FROM public.hc_batch x
        WHERE x.connection = c.id AND x.state = 'REPEAT' AND (x.due_at IS NULL OR x.due_at <= now_there) ORDER BY x.id LIMIT 1;
    IF FOUND THEN
        UPDATE public.hc_batch x SET state = 'CLAIMED', epoch = c.epoch, claimed_at = now_there, attempt = x.attempt + 1, due_at = NULL
            WHERE x.id = b.id RETURNING x.* INTO b;
        RETURN public.hc_batch_request(b);
    END IF;
    -- The whole log at least every two minutes; else from the id below which nothing can be waiting.
    IF c.full_look_at IS NULL OR c.full_look_at <= now_there - interval '2 minutes' THEN
        c.low_water := public.hc_full_look(c, now_there);
    END IF;

    EXECUTE format('SELECT coalesce(jsonb_object_agg(x.table_name || '' '' || x.record_id, x.id), ''{}'') FROM (
                        SELECT table_name, record_id, min(id) AS id FROM %s WHERE state = ''FAILED'' AND action = ''INSERT''
                           AND table_name IS NOT NULL AND record_id IS NOT NULL GROUP BY 1, 2) x', log) INTO failed_inserts;
    FOR l IN EXECUTE format('SELECT id, action, table_name, record_id, sfid, "values", sf_message FROM %s
                              WHERE state = ''NEW'' AND id >= $1 ORDER BY id LIMIT 50000', log) USING c.low_water LOOP
        record_key := l.table_name || ' ' || coalesce(l.record_id::text, l.sfid);
        CONTINUE WHEN record_key = ANY (blocked);
        EXIT WHEN record_key = ANY (taken);
        IF m.id IS NULL OR m.table_name IS DISTINCT FROM l.table_name::name THEN
            EXIT WHEN cardinality(chosen) > 0;
            m := NULL;
            SELECT * INTO m FROM public.hc_mapping h WHERE h.connection = c.id AND h.table_name = l.table_name::name;
        END IF;
        IF EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.mapping = m.id AND e.record_id = l.record_id AND NOT e.applied) THEN
            blocked := blocked || record_key;   -- in flight or in doubt
            CONTINUE;
        END IF;
        EXECUTE format('SELECT true FROM %s WHERE id = $1 AND state = ''NEW'' FOR UPDATE SKIP LOCKED', log) INTO locked USING l.id;
        IF locked IS NOT TRUE THEN
            blocked := blocked || record_key;   -- somebody is editing the entry: what comes after it for the record must not overtake it
            CONTINUE;
        END IF;
        entry := public.hc_claim_entry(c, m, l.id, l.action, l.record_id, l.sfid, l."values", failed_inserts);
        IF entry ? 'held' THEN
            blocked := blocked || record_key;
            IF l.sf_message IS DISTINCT FROM format('waits for log entry %s', entry ->> 'held') THEN
                EXECUTE format('UPDATE %s SET sf_message = $2, updated_at = clock_timestamp() WHERE id = $1', log)
                    USING l.id, format('waits for log entry %s', entry ->> 'held');
            END IF;
            CONTINUE;
        ELSIF entry ? 'failed' THEN
            PERFORM public.hc_finish_entry(c, l.id, 'FAILED', (entry ->> 'failed') || ': ' || (entry ->> 'message'));
            PERFORM public.hc_write_status(c, m, l.record_id, 'FAILED', public.hc_error(l.action, 'PG', entry ->> 'failed', entry ->> 'message'));
            CONTINUE;
        ELSIF entry ? 'nothing' THEN
            PERFORM public.hc_finish_entry(c, l.id, 'IGNORED', format('no field of this change can be written by the connected user: %s',
                (SELECT string_agg(d, ', ') FROM jsonb_array_elements_text(entry -> 'dropped') d)));
            PERFORM public.hc_want_read_back(m.id, entry ->> 'sfid');
            CONTINUE;
        END IF;
        EXIT WHEN cardinality(chosen) > 0 AND entry ->> 'operation' <> chosen[1] ->> 'operation';
        EXIT WHEN entry ->> 'identifier' IS NOT NULL AND 'id ' || (entry ->> 'identifier') = ANY (taken);
        chosen := chosen || (entry || jsonb_build_object('log_id', l.id, 'record_id', l.record_id, 'action', l.action));
        chosen_ids := chosen_ids || l.id::bigint;
        taken := taken || record_key;
        IF entry ->> 'identifier' IS NOT NULL THEN
            taken := taken || ('id ' || (entry ->> 'identifier'));
        END IF;
        EXIT WHEN cardinality(chosen) >= maximum;
    END LOOP;
    IF cardinality(chosen) = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE public.hc_connection h SET state = 'POLLING_DB_CHANGES' WHERE h.id = c.id AND h.state = 'IDLE';

    INSERT INTO public.hc_batch (connection, mapping, epoch, operation, object_name, external_id_field, claimed_at)
        VALUES (c.id, m.id, c.epoch, chosen[1] ->> 'operation', m.object_name,
                CASE WHEN chosen[1] ->> 'operation' = 'upsert' THEN m.upsert_field END, now_there)
        RETURNING * INTO b;
    INSERT INTO public.hc_batch_entry (batch, position, mapping, log_id, record_id, action, sfid, payload)
        SELECT b.id, x.n - 1, m.id, (x.e ->> 'log_id')::bigint, (x.e ->> 'record_id')::bigint, x.e ->> 'action', x.e ->> 'id',
               x.e - 'log_id' - 'record_id' - 'action'
          FROM unnest(chosen) WITH ORDINALITY AS x(e, n);
    EXECUTE format('UPDATE %s SET state = ''PENDING'', sf_message = NULL, updated_at = clock_timestamp() WHERE id = ANY ($1)', log) USING chosen_ids;
    RETURN public.hc_batch_request(b);
END
$$;
COMMENT ON FUNCTION public.hc_claim(uuid, bigint, integer) IS
    'Makes the next batch durable and returns its request, or null when nothing can be sent now. Ordered: log order; a change of object or operation, a repeat of a record or of an external id closes the batch; a record whose earlier change is in flight, in doubt, held or being edited is passed over.';

CREATE FUNCTION public.hc_full_look(c public.hc_connection, now_there timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    oldest_waiting bigint;
    next_id bigint;
    passed bigint := 0;
    orphan bigint[];
BEGIN
    -- An entry shown as PENDING that is in no batch was set so by hand: it is offered again.
    EXECUTE format('SELECT array_agg(l.id) FROM (SELECT id FROM %1$s l WHERE state = ''PENDING''
                       AND NOT EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.log_id = l.id AND NOT e.applied AND e.mapping IN
                           (SELECT m.id FROM public.hc_mapping m WHERE m.connection = $1)) ORDER BY id FOR UPDATE SKIP LOCKED) l',
                   public.hc_log_table(c)) INTO orphan USING c.id;
    EXECUTE format('UPDATE %s SET state = ''NEW'', updated_at = clock_timestamp() WHERE id = ANY ($1)', public.hc_log_table(c)) USING orphan;
    EXECUTE format('SELECT min(id) FROM %s WHERE state = ''NEW''', public.hc_log_table(c)) INTO oldest_waiting;
    EXECUTE format('SELECT last_value FROM %I._trigger_log_id_seq', c.schema_name) INTO next_id;
    -- Ids below the mark of an earlier look are final once every transaction of that time has ended: only then may claims start above them.
    IF c.full_look ? 'next_id' AND pg_snapshot_xmin(pg_current_snapshot())::text::numeric >= (c.full_look ->> 'xmax')::numeric THEN
        passed := (c.full_look ->> 'next_id')::bigint;
    END IF;
    UPDATE public.hc_connection h
        SET low_water = CASE WHEN passed > 0 THEN least(passed, oldest_waiting) ELSE least(h.low_water, oldest_waiting) END, full_look_at = now_there,
            full_look = jsonb_build_object('next_id', next_id, 'xmax', pg_snapshot_xmax(pg_current_snapshot())::text)
        WHERE h.id = c.id RETURNING h.low_water INTO passed;
    RETURN least(passed, oldest_waiting, 9223372036854775807);
END
$$;
COMMENT ON FUNCTION public.hc_full_look(public.hc_connection, timestamptz) IS
    'Looks at the whole log and returns the id from which claims start: it passes only ids that no running transaction can still commit.';

-- Answer: what became of a request, stored whole before anything is done with it

CREATE FUNCTION public.hc_open_batch(c public.hc_connection, batch bigint, allowed text[]) RETURNS public.hc_batch
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b public.hc_batch;
BEGIN
    SELECT x.* INTO b FROM public.hc_batch x WHERE x.id = hc_open_batch.batch AND x.connection = c.id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % does not exist in connection %', hc_open_batch.batch, c.id USING ERRCODE = 'HC002';
    ELSIF NOT b.state = ANY (allowed) THEN
        RAISE EXCEPTION 'batch % is %, not %', b.id, b.state, array_to_string(allowed, ' or ') USING ERRCODE = 'HC003';
    END IF;
    RETURN b;
END
$$;
COMMENT ON FUNCTION public.hc_open_batch(public.hc_connection, bigint, text[]) IS 'Locks the batch, which must be in one of the given states (HC003).';

CREATE FUNCTION public.hc_sent(connection uuid, epoch bigint, batch bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_sent.connection, hc_sent.epoch);
    b public.hc_batch := public.hc_open_batch(c, hc_sent.batch, ARRAY['CLAIMED', 'SENT']);
BEGIN
    UPDATE public.hc_batch x SET state = 'SENT', sent_at = public.hc_clock(c.id), first_sent_at = coalesce(x.first_sent_at, public.hc_clock(c.id))
        WHERE x.id = b.id;
END
$$;
COMMENT ON FUNCTION public.hc_sent(uuid, bigint, bigint) IS 'Says that the request is about to be written: from here on its outcome is unknown until the answer is stored.';

CREATE FUNCTION public.hc_answer(connection uuid, epoch bigint, batch bigint, outcome text, answer jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_answer.connection, hc_answer.epoch);
    b public.hc_batch := public.hc_open_batch(c, hc_answer.batch, ARRAY['CLAIMED', 'SENT']);
    now_there timestamptz := public.hc_clock(c.id);
    asked integer;
    wait interval;
BEGIN
    SELECT count(*) INTO asked FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied;
    IF hc_answer.outcome = 'answered' AND jsonb_array_length(hc_answer.answer -> 'results') IS DISTINCT FROM asked THEN
        PERFORM public.hc_batch_doubt(b.id, 'UNREADABLE_ANSWER',
            format('Salesforce answered %s results for %s records', jsonb_array_length(hc_answer.answer -> 'results'), asked));
        RETURN;
    END IF;
    CASE hc_answer.outcome
        WHEN 'answered' THEN
            UPDATE public.hc_batch_entry e SET outcome = r.result
                FROM (SELECT x.value AS result, x.ordinality AS n FROM jsonb_array_elements(hc_answer.answer -> 'results') WITH ORDINALITY x) r,
                     (SELECT y.position, row_number() OVER (ORDER BY y.position) AS n FROM public.hc_batch_entry y
                       WHERE y.batch = b.id AND y.outcome IS NULL AND NOT y.applied) o
                WHERE e.batch = b.id AND e.position = o.position AND o.n = r.n;
            UPDATE public.hc_batch x SET state = 'ANSWERED', answered_at = now_there, answer = hc_answer.answer - 'results', reason = NULL,
                   request_id = hc_answer.answer ->> 'request_id', apply_at = NULL WHERE x.id = b.id;
        WHEN 'refused' THEN
            UPDATE public.hc_batch_entry e
                SET outcome = jsonb_build_object('success', false, 'errors', jsonb_build_array(jsonb_build_object(
                        'code', hc_answer.answer ->> 'code', 'message', hc_answer.answer ->> 'message', 'fields', '[]'::jsonb)))
                WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied;
            UPDATE public.hc_batch x SET state = 'ANSWERED', answered_at = now_there, answer = hc_answer.answer, reason = NULL,
                   request_id = hc_answer.answer ->> 'request_id', apply_at = NULL WHERE x.id = b.id;
        WHEN 'not_run' THEN
            wait := coalesce(make_interval(secs => (hc_answer.answer ->> 'retry_after_ms')::float8 / 1000), public.hc_later(b.attempt));
            UPDATE public.hc_batch x SET state = 'REPEAT', due_at = now_there + wait, answer = hc_answer.answer,
                   reason = concat_ws(': ', hc_answer.answer ->> 'code', hc_answer.answer ->> 'message') WHERE x.id = b.id;
        WHEN 'in_doubt' THEN
            PERFORM public.hc_batch_doubt(b.id, hc_answer.answer ->> 'code', hc_answer.answer ->> 'message');
        ELSE
            RAISE EXCEPTION 'outcome % is none of answered, refused, not_run, in_doubt', hc_answer.outcome USING ERRCODE = '22023';
    END CASE;
END
$$;
COMMENT ON FUNCTION public.hc_answer(uuid, bigint, bigint, text, jsonb) IS
    'Stores the outcome of a request. Touches only tables that no application locks: it cannot wait. What the answer does to log and rows is hc_apply''s.';

CREATE FUNCTION public.hc_batch_doubt(batch bigint, code text, message text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b public.hc_batch;
    now_there timestamptz;
BEGIN
    SELECT x.* INTO b FROM public.hc_batch x WHERE x.id = hc_batch_doubt.batch FOR UPDATE;
    now_there := public.hc_clock(b.connection);
    UPDATE public.hc_batch x
        SET reason = format('in doubt: %s', concat_ws(': ', hc_batch_doubt.code, hc_batch_doubt.message)),
            -- Upserts by an identifier and deletes may run twice. An update is compared with the record first. A create can only be
            -- looked for once the call can no longer be running.
            state = CASE WHEN b.operation IN ('upsert', 'delete') THEN 'REPEAT' ELSE 'DOUBT' END,
            due_at = CASE b.operation WHEN 'create' THEN coalesce(b.sent_at, now_there) + interval '10 minutes'
                                      WHEN 'update' THEN now_there
                                      ELSE now_there + public.hc_later(b.attempt) END
        WHERE x.id = b.id;
    PERFORM public.hc_raise(b.connection, b.mapping, 'in-doubt', 'info',
        format('The outcome of batch %s (%s of %s) is not known: %s', b.id, b.operation, b.object_name, hc_batch_doubt.message),
        jsonb_build_object('batch', b.id, 'code', hc_batch_doubt.code));
END
$$;
COMMENT ON FUNCTION public.hc_batch_doubt(bigint, text, text) IS 'Puts a sent batch whose answer is not known in doubt, and decides how that is resolved.';

-- In doubt: what may be repeated is compared or looked for first, and what cannot be decided waits for a person

CREATE FUNCTION public.hc_record_value(record jsonb, field_path text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT record #>> string_to_array(field_path, '.') $$;
COMMENT ON FUNCTION public.hc_record_value(jsonb, text) IS 'The value at a path such as Account.ExternalId__c of a record as Salesforce answers it.';

CREATE FUNCTION public.hc_sent_values(mapping uuid, payload jsonb) RETURNS TABLE (path text, salesforce_type text, scale integer, value text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.path, coalesce(f.salesforce_type, 'string'), f.scale, s.value
      FROM (SELECT x.key AS path, x.value FROM jsonb_each_text(payload -> 'fields') x
            UNION ALL
            SELECT n.value, NULL FROM jsonb_array_elements_text(payload -> 'nulls') n
            UNION ALL
            SELECT (p.value ->> 'relationship') || '.' || (p.value ->> 'field'), p.value ->> 'value' FROM jsonb_array_elements(payload -> 'parents') p) s
      LEFT JOIN public.hc_field f ON f.mapping = hc_sent_values.mapping AND f.field_name = s.path
     -- Salesforce rewrites these on its own: they prove nothing either way.
     WHERE coalesce(f.salesforce_type, 'string') <> 'encryptedstring' AND NOT coalesce(f.calculated, false)
$$;
COMMENT ON FUNCTION public.hc_sent_values(uuid, jsonb) IS 'What a payload sent, as paths and wire values that can be compared with the record.';

CREATE FUNCTION public.hc_doubt(connection uuid, epoch bigint, batch bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_doubt.connection, hc_doubt.epoch);
    b public.hc_batch := public.hc_open_batch(c, hc_doubt.batch, ARRAY['DOUBT']);
    paths text[];
BEGIN
    SELECT array_agg(DISTINCT s.path) INTO paths
        FROM public.hc_batch_entry e, LATERAL public.hc_sent_values(e.mapping, e.payload) s WHERE e.batch = b.id AND e.outcome IS NULL;
    IF b.operation = 'update' THEN
        RETURN jsonb_build_object('way', 'retrieve', 'object', b.object_name,
            'fields', to_jsonb((SELECT array_agg(DISTINCT p) FROM unnest(paths || ARRAY['Id', 'SystemModstamp']) p)),
            'ids', (SELECT jsonb_agg(DISTINCT e.payload ->> 'id') FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL));
    END IF;
    RETURN jsonb_build_object('way', 'lookup', 'soql', format(
        'SELECT %s FROM %s WHERE CreatedById = %L AND CreatedDate >= %s ORDER BY CreatedDate, Id',
        (SELECT string_agg(DISTINCT p, ', ') FROM unnest(paths || ARRAY['Id', 'CreatedDate']) p), b.object_name, c.settings ->> 'user_id',
        -- five seconds before sending, on the org's clock
        to_char((b.first_sent_at + make_interval(secs => coalesce((c.settings ->> 'org_clock_ahead')::float8, 0)) - interval '5 seconds')
                AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
END
$$;
COMMENT ON FUNCTION public.hc_doubt(uuid, bigint, bigint) IS 'What the relay must read from Salesforce to resolve the batch.';

CREATE FUNCTION public.hc_doubt_resolve(connection uuid, epoch bigint, batch bigint, records jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_doubt_resolve.connection, hc_doubt_resolve.epoch);
    b public.hc_batch := public.hc_open_batch(c, hc_doubt_resolve.batch, ARRAY['DOUBT']);
    parked jsonb;
BEGIN
    IF b.operation = 'update' THEN
        PERFORM public.hc_doubt_compare(b, hc_doubt_resolve.records);
    ELSE
        parked := public.hc_doubt_look_up(c, b, hc_doubt_resolve.records);
    END IF;
    IF parked IS NOT NULL THEN
        UPDATE public.hc_batch x SET state = 'PARKED', due_at = NULL, answer = jsonb_build_object('candidates', parked),
               reason = format('parked: %s records in Salesforce may or may not be these; decide each with hc_doubt_decide', jsonb_array_length(parked))
            WHERE x.id = b.id;
        EXECUTE format('UPDATE %s l SET sf_message = $2 WHERE l.id IN (SELECT e.log_id FROM public.hc_batch_entry e WHERE e.batch = $1 AND e.outcome IS NULL)',
                       public.hc_log_table(c)) USING b.id, format('parked: the answer to batch %s was lost and Salesforce has records that may be this one', b.id);
        PERFORM public.hc_raise(c.id, b.mapping, 'in-doubt', 'error',
            format('Batch %s (%s of %s) needs a decision: its answer was lost, and Salesforce has records that may be the ones it created', b.id, b.operation, b.object_name),
            jsonb_build_object('batch', b.id, 'candidates', parked));
    ELSIF EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL) THEN
        UPDATE public.hc_batch x SET state = 'REPEAT', due_at = NULL, apply_at = NULL, reason = NULL WHERE x.id = b.id;
    ELSE
        UPDATE public.hc_batch x SET state = 'ANSWERED', answered_at = public.hc_clock(c.id), due_at = NULL, apply_at = NULL, reason = NULL WHERE x.id = b.id;
    END IF;
    RETURN (SELECT jsonb_build_object('state', x.state) FROM public.hc_batch x WHERE x.id = b.id);
END
$$;
COMMENT ON FUNCTION public.hc_doubt_resolve(uuid, bigint, bigint, jsonb) IS
    'Resolves a batch in doubt with what Salesforce holds now: entries that took effect get their outcome, the others are offered again, and what cannot be told is parked for a person.';

CREATE FUNCTION public.hc_doubt_compare(b public.hc_batch, records jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    e public.hc_batch_entry;
    found jsonb;
    same text[];
BEGIN
    FOR e IN SELECT x.* FROM public.hc_batch_entry x WHERE x.batch = b.id AND x.outcome IS NULL ORDER BY x.position LOOP
        SELECT r.value INTO found FROM jsonb_array_elements(records) r WHERE left(r.value ->> 'Id', 15) = left(e.payload ->> 'id', 15) LIMIT 1;
        CONTINUE WHEN found IS NULL;   -- gone or hidden: sending again gives Salesforce's own reason
        SELECT coalesce(array_agg(s.path), '{}') INTO same FROM public.hc_sent_values(e.mapping, e.payload) s
            WHERE public.hc_normal(s.salesforce_type, s.scale, s.value)
                  IS NOT DISTINCT FROM public.hc_normal(s.salesforce_type, s.scale, public.hc_record_value(found, s.path));
        -- Fields that are equal already are not sent again.
        e.payload := e.payload || jsonb_build_object(
            'fields', (e.payload -> 'fields') - same,
            'nulls', coalesce((SELECT jsonb_agg(n.value) FROM jsonb_array_elements_text(e.payload -> 'nulls') n WHERE NOT n.value = ANY (same)), '[]'),
            'parents', coalesce((SELECT jsonb_agg(p.value) FROM jsonb_array_elements(e.payload -> 'parents') p
                                  WHERE NOT (p.value ->> 'relationship') || '.' || (p.value ->> 'field') = ANY (same)), '[]'));
        UPDATE public.hc_batch_entry x
            SET payload = e.payload,
                outcome = CASE WHEN e.payload -> 'fields' = '{}' AND e.payload -> 'nulls' = '[]' AND e.payload -> 'parents' = '[]'
                    THEN jsonb_build_object('success', true, 'id', e.payload ->> 'id', 'note', 'found in effect after a lost answer') END
            WHERE x.batch = b.id AND x.position = e.position;
    END LOOP;
END
$$;
COMMENT ON FUNCTION public.hc_doubt_compare(public.hc_batch, jsonb) IS 'Updates in doubt: compares what was sent with the records as they are.';

CREATE FUNCTION public.hc_doubt_look_up(c public.hc_connection, b public.hc_batch, records jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m public.hc_mapping := public.hc_mapping_of(c.id, b.mapping);
    candidates jsonb;
    e public.hc_batch_entry;
    alike integer[];
    equal_ids text[];
    used text[] := '{}';
    open_positions integer[] := '{}';
BEGIN
    -- Candidates: created by our user since the send, linked to no row and to no other batch.
    EXECUTE format('SELECT coalesce(jsonb_agg(r.value ORDER BY r.value ->> ''Id''), ''[]'') FROM jsonb_array_elements($1) r
                     WHERE NOT EXISTS (SELECT FROM %I.%I t WHERE t.sfid = r.value ->> ''Id'')
                       AND NOT EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.mapping = $2 AND e.batch <> $3 AND NOT e.applied AND e.outcome ->> ''id'' = r.value ->> ''Id'')',
                   c.schema_name, m.table_name) INTO candidates USING records, m.id, b.id;
    FOR e IN SELECT x.* FROM public.hc_batch_entry x WHERE x.batch = b.id AND x.outcome IS NULL ORDER BY x.position LOOP
        CONTINUE WHEN e.position = ANY (open_positions)
            OR EXISTS (SELECT FROM public.hc_batch_entry x WHERE x.batch = b.id AND x.position = e.position AND x.outcome IS NOT NULL);
        SELECT array_agg(x.position ORDER BY x.position) INTO alike FROM public.hc_batch_entry x
            WHERE x.batch = b.id AND x.outcome IS NULL
              AND x.payload - 'identifier' - 'dropped' = e.payload - 'identifier' - 'dropped';
        SELECT coalesce(array_agg(r.value ->> 'Id' ORDER BY r.value ->> 'Id'), '{}') INTO equal_ids FROM jsonb_array_elements(candidates) r
            WHERE NOT EXISTS (SELECT FROM public.hc_sent_values(e.mapping, e.payload) s
                               WHERE public.hc_normal(s.salesforce_type, s.scale, s.value)
                                     IS DISTINCT FROM public.hc_normal(s.salesforce_type, s.scale, public.hc_record_value(r.value, s.path)));
        IF cardinality(equal_ids) = cardinality(alike) THEN
            UPDATE public.hc_batch_entry x
                SET outcome = jsonb_build_object('success', true, 'created', true, 'id', equal_ids[array_position(alike, x.position)],
                                                 'note', 'found after a lost answer')
                WHERE x.batch = b.id AND x.position = ANY (alike);
            used := used || equal_ids;
        ELSE
            open_positions := open_positions || alike;
        END IF;
    END LOOP;
    IF cardinality(open_positions) = 0 THEN
        RETURN NULL;
    END IF;
    -- No candidate of any kind is left: the rest was not created, and is sent again. Anything else is for a person.
    SELECT jsonb_agg(r.value - 'attributes') INTO candidates FROM jsonb_array_elements(candidates) r WHERE NOT r.value ->> 'Id' = ANY (used);
    RETURN candidates;
END
$$;
COMMENT ON FUNCTION public.hc_doubt_look_up(public.hc_connection, public.hc_batch, jsonb) IS
    'Creates in doubt: k equal changes take k equal candidates; none of any kind means that nothing was created; returns the candidates when it cannot be told.';

CREATE FUNCTION public.hc_doubt_decide(batch bigint, log_id bigint, decision text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b public.hc_batch;
BEGIN
    SELECT x.* INTO b FROM public.hc_batch x WHERE x.id = hc_doubt_decide.batch FOR UPDATE;
    IF b.state IS DISTINCT FROM 'PARKED' THEN
        RAISE EXCEPTION 'batch % is %, not PARKED', hc_doubt_decide.batch, coalesce(b.state, 'unknown') USING ERRCODE = 'HC003';
    ELSIF decision NOT IN ('send', 'drop') AND decision !~ '^[a-zA-Z0-9]{15}([A-Z0-5]{3})?$' THEN
        RAISE EXCEPTION 'decision % is neither send, nor drop, nor the Id of a record', decision USING ERRCODE = '22023',
            HINT = 'send: create it (again). drop: forget the change. An Id: that record is the one that was created.';
    END IF;
    UPDATE public.hc_batch_entry e
        SET outcome = CASE decision
                WHEN 'send' THEN NULL
                WHEN 'drop' THEN jsonb_build_object('success', false, 'errors', jsonb_build_array(jsonb_build_object(
                    'code', 'DROPPED', 'message', 'dropped by decision after a lost answer', 'fields', '[]'::jsonb)))
                ELSE jsonb_build_object('success', true, 'created', true, 'id', decision, 'note', 'linked by decision after a lost answer') END,
            payload = e.payload || jsonb_build_object('decided', true)
        WHERE e.batch = b.id AND e.log_id = hc_doubt_decide.log_id AND e.outcome IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % has no undecided log entry %', b.id, hc_doubt_decide.log_id USING ERRCODE = 'HC002';
    END IF;
    IF NOT EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.payload ? 'decided') THEN
        UPDATE public.hc_batch x SET state = CASE WHEN EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL)
                                                  THEN 'REPEAT' ELSE 'ANSWERED' END, due_at = NULL, apply_at = NULL, reason = NULL
            WHERE x.id = b.id;
        PERFORM public.hc_wake(b.connection);
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_doubt_decide(bigint, bigint, text) IS
    'A person''s decision on one change of a parked batch: send, drop, or the Id of the record that it created.';

-- Apply: what a stored answer does to log, mapped rows and archive, in steps that can be repeated

CREATE FUNCTION public.hc_error(action text, source text, code text, message text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('op', action, 'src', source, 'code', code, 'msg', message)::text
$$;
COMMENT ON FUNCTION public.hc_error(text, text, text, text) IS 'The JSON of _hc_err: op, src (PG or SFDC), code, msg.';

CREATE FUNCTION public.hc_write_status(c public.hc_connection, m public.hc_mapping, record_id bigint, lastop text, err text, new_sfid text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written record;
BEGIN
    IF m.id IS NULL OR record_id IS NULL THEN
        RETURN false;
    END IF;
    PERFORM public.hc_writes_rows();
    -- Twice at most: the status trigger turns a write that keeps _hc_lastop into SYNCED, and then the second one changes it.
    FOR attempt IN 1..2 LOOP
        EXECUTE format('UPDATE %I.%I SET _hc_lastop = $2, _hc_err = $3, sfid = coalesce($4, sfid) WHERE id = $1 RETURNING _hc_lastop AS lastop, _hc_err AS err',
                       c.schema_name, m.table_name) INTO written USING record_id, lastop, err, new_sfid;
        IF written IS NULL THEN
            RETURN false;
        END IF;
        EXIT WHEN written.lastop IS NOT DISTINCT FROM lastop AND written.err IS NOT DISTINCT FROM err;
    END LOOP;
    RETURN true;
END
$$;
COMMENT ON FUNCTION public.hc_write_status(public.hc_connection, public.hc_mapping, bigint, text, text, text) IS
    'Writes _hc_lastop and _hc_err (and a new sfid) of a mapped row, past the status trigger; false when there is no such row.';

CREATE FUNCTION public.hc_want_read_back(mapping uuid, sfid text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO public.hc_read_back (mapping, sfid) VALUES (hc_want_read_back.mapping, hc_want_read_back.sfid)
    ON CONFLICT (mapping, sfid) DO UPDATE SET token = nextval('public.hc_read_back_token'), due_at = NULL
$$;
COMMENT ON FUNCTION public.hc_want_read_back(uuid, text) IS 'Asks for the record to be read back, so that its row reaches SYNCED.';

CREATE FUNCTION public.hc_apply_entry(c public.hc_connection, m public.hc_mapping, b public.hc_batch, e public.hc_batch_entry,
                                      there boolean, log_state text, later boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    log text := public.hc_log_table(c);
    error jsonb := e.outcome -> 'errors' -> 0;
    accepted boolean := (e.outcome ->> 'success')::boolean OR (b.operation = 'delete' AND error ->> 'code' = 'ENTITY_IS_DELETED');
    new_sfid text := coalesce(e.outcome ->> 'id', e.payload ->> 'id');
    note text := e.outcome ->> 'note';
    message text;
BEGIN
    IF jsonb_array_length(coalesce(e.payload -> 'dropped', '[]')) > 0 THEN
        note := concat_ws('; ', note, 'not sent, because the connected user may not write them: '
            || (SELECT string_agg(d, ', ') FROM jsonb_array_elements_text(e.payload -> 'dropped') d));
    END IF;

    IF accepted THEN
        DELETE FROM public.hc_staged s WHERE s.mapping = m.id AND s.sfid = new_sfid;   -- read before our write
        IF b.operation = 'delete' THEN
            INSERT INTO public.hc_tombstone (mapping, sfid, deleted_at) VALUES (m.id, new_sfid, public.hc_org_clock(c))
                ON CONFLICT (mapping, sfid) DO UPDATE SET deleted_at = excluded.deleted_at;
            DELETE FROM public.hc_read_back r WHERE r.mapping = m.id AND r.sfid = new_sfid;
        ELSE
            PERFORM public.hc_want_read_back(m.id, new_sfid);
        END IF;
        IF there THEN
            PERFORM public.hc_write_status(c, m, e.record_id,
                CASE WHEN later OR log_state = 'NEW' THEN 'PENDING' WHEN e.action = 'INSERT' THEN 'INSERTED' ELSE 'UPDATED' END, NULL, new_sfid);
        ELSIF e.action = 'INSERT' THEN
            -- The row was deleted before Salesforce's id was known, and that DELETE was logged as one with nothing to send.
            EXECUTE format('UPDATE %s SET state = ''NEW'', sfid = $3, sf_message = NULL, updated_at = clock_timestamp()
                             WHERE table_name = $1 AND record_id = $2 AND action = ''DELETE'' AND sfid IS NULL AND state IN (''IGNORE'', ''IGNORED'')', log)
                USING m.table_name::text, e.record_id, new_sfid;
            PERFORM public.hc_revive_delete(c, m, e.record_id, new_sfid);
        END IF;
        IF log_state = 'NEW' THEN
            NULL;   -- set to NEW while it was on its way: it goes once more
        ELSIF log_state IS NOT NULL THEN
            IF log_state IN ('IGNORE', 'IGNORED') THEN
                note := concat_ws('; ', note, format('set to %s when it had been sent already', log_state));
            END IF;
            PERFORM public.hc_finish_entry(c, e.log_id, 'SUCCESS', note, new_sfid);
        END IF;
        RETURN;
    END IF;

    message := concat_ws(': ', error ->> 'code', error ->> 'message')
        || coalesce(' (fields: ' || (SELECT string_agg(f, ', ') FROM jsonb_array_elements_text(
                CASE WHEN jsonb_typeof(error -> 'fields') = 'array' THEN error -> 'fields' ELSE '[]' END) f
                WHERE strpos(error ->> 'message', f) = 0) || ')', '');
    IF log_state IN ('IGNORE', 'IGNORED') THEN
        PERFORM public.hc_finish_entry(c, e.log_id, 'IGNORED', message);
    ELSIF log_state = 'NEW' THEN
        NULL;
    ELSIF log_state IS NOT NULL THEN
        PERFORM public.hc_finish_entry(c, e.log_id, 'FAILED', message);
        PERFORM public.hc_raise(c.id, m.id, 'write-error', 'error', format('%s of %s row %s failed: %s', e.action, m.table_name, e.record_id, message),
                                jsonb_build_object('log_id', e.log_id, 'batch', b.id, 'request_id', b.request_id));
    END IF;
    IF there THEN
        PERFORM public.hc_write_status(c, m, e.record_id, 'FAILED', public.hc_error(e.action, 'SFDC', error ->> 'code', error ->> 'message'));
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_apply_entry(public.hc_connection, public.hc_mapping, public.hc_batch, public.hc_batch_entry, boolean, text, boolean) IS
    'Applies the outcome of one change to its row and its log entry, which the caller has locked: there says whether the row exists, log_state what the entry shows (null: gone), later whether the row has later changes that are not sent.';

CREATE FUNCTION public.hc_revive_delete(c public.hc_connection, m public.hc_mapping, deleted_record bigint, new_sfid text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    archived bigint;
BEGIN
    EXECUTE format('DELETE FROM %I._trigger_log_archive WHERE table_name = $1 AND record_id = $2 AND action = ''DELETE'' AND sfid IS NULL AND state = ''IGNORED'' RETURNING id',
                   c.schema_name) INTO archived USING m.table_name::text, deleted_record;
    IF archived IS NOT NULL THEN
        EXECUTE format('INSERT INTO %s (id, txid, created_at, state, action, table_name, record_id, sfid) VALUES ($1, txid_current(), clock_timestamp(), ''NEW'', ''DELETE'', $2, $3, $4)',
                       public.hc_log_table(c)) USING archived, m.table_name, deleted_record, new_sfid;
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_revive_delete(public.hc_connection, public.hc_mapping, bigint, text) IS
    'Brings the DELETE of a row without sfid back from the archive, now that its record turned out to exist.';

CREATE FUNCTION public.hc_apply(connection uuid, epoch bigint, batch bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_apply.connection, hc_apply.epoch);
    b public.hc_batch := public.hc_open_batch(c, hc_apply.batch, ARRAY['ANSWERED', 'REPEAT', 'DOUBT', 'PARKED', 'CLAIMED', 'SENT', 'DONE']);
    m public.hc_mapping := public.hc_mapping_of(c.id, b.mapping);
    log text := public.hc_log_table(c);
    records bigint[]; entries bigint[];
    mine bigint[]; others bigint[];          -- rows that we locked, rows locked by somebody else
    log_mine jsonb; log_others bigint[];     -- likewise entries, with their state
    later bigint[];
    e public.hc_batch_entry;
    why text;
    applied_now integer := 0;
    waiting integer := 0;
BEGIN
    PERFORM public.hc_writes_rows();
    UPDATE public.hc_batch_entry x SET outcome = NULL, reason = x.outcome -> 'errors' -> 0 ->> 'message'
        WHERE x.batch = b.id AND NOT x.applied AND public.hc_must_repeat(b, x.outcome);
    SELECT array_agg(x.record_id), array_agg(x.log_id) INTO records, entries FROM public.hc_batch_entry x
        WHERE x.batch = b.id AND x.outcome IS NOT NULL AND NOT x.applied;
    -- First the rows, in id order, then the entries: applications lock in that order too, and nobody waits for us.
    EXECUTE format('SELECT array_agg(l.id) FROM (SELECT t.id FROM %I.%I t WHERE t.id = ANY ($1) ORDER BY t.id FOR NO KEY UPDATE SKIP LOCKED) l',
                   c.schema_name, m.table_name) INTO mine USING records;
    EXECUTE format('SELECT array_agg(t.id) FROM %I.%I t WHERE t.id = ANY ($1) AND NOT t.id = ANY (coalesce($2, ''{}''))',
                   c.schema_name, m.table_name) INTO others USING records, mine;
    EXECUTE format('SELECT coalesce(jsonb_object_agg(l.id, l.state), ''{}'') FROM (SELECT g.id, g.state FROM %s g WHERE g.id = ANY ($1) ORDER BY g.id FOR UPDATE SKIP LOCKED) l',
                   log) INTO log_mine USING entries;
    EXECUTE format('SELECT array_agg(g.id) FROM %s g WHERE g.id = ANY ($1) AND NOT $2 ? g.id::text', log) INTO log_others USING entries, log_mine;
    -- A new statement, a new snapshot: with the rows locked, no further change of them can be captured meanwhile.
    EXECUTE format('SELECT array_agg(DISTINCT g.record_id) FROM %s g WHERE g.table_name = $1 AND g.record_id = ANY ($2) AND g.state IN (''NEW'', ''PENDING'') AND NOT g.id = ANY ($3)', log)
        INTO later USING m.table_name::text, records, entries;

    FOR e IN SELECT x.* FROM public.hc_batch_entry x WHERE x.batch = b.id AND x.outcome IS NOT NULL AND NOT x.applied ORDER BY x.record_id, x.position LOOP
        why := CASE WHEN e.record_id = ANY (others) THEN 'the row is locked by another transaction'
                    WHEN e.log_id = ANY (log_others) THEN 'the log entry is locked by another transaction' END;
        IF why IS NULL THEN
            BEGIN
                PERFORM public.hc_apply_entry(c, m, b, e, coalesce(e.record_id = ANY (mine), false), log_mine ->> e.log_id::text, coalesce(e.record_id = ANY (later), false));
            EXCEPTION
                WHEN query_canceled OR admin_shutdown OR crash_shutdown THEN RAISE;
                WHEN OTHERS THEN why := format('%s: %s', SQLSTATE, SQLERRM);
            END;
        END IF;
        UPDATE public.hc_batch_entry x SET applied = why IS NULL, reason = why WHERE x.batch = b.id AND x.position = e.position;
        applied_now := applied_now + CASE WHEN why IS NULL THEN 1 ELSE 0 END;
        waiting := waiting + CASE WHEN why IS NULL THEN 0 ELSE 1 END;
    END LOOP;
    UPDATE public.hc_batch x
        SET apply_attempt = CASE WHEN waiting > 0 AND applied_now = 0 THEN x.apply_attempt + 1 ELSE 0 END,
            apply_at = CASE WHEN waiting > 0 THEN public.hc_clock(c.id) + least(interval '30 seconds', interval '1 second' * power(2, least(x.apply_attempt, 5))) END,
            reason = CASE WHEN waiting > 0 THEN format('answered; %s rows wait to be written', waiting) WHEN x.state = 'ANSWERED' THEN NULL ELSE x.reason END,
            state = CASE
                WHEN x.state <> 'ANSWERED' THEN x.state
                WHEN EXISTS (SELECT FROM public.hc_batch_entry y WHERE y.batch = x.id AND y.outcome IS NULL AND NOT y.applied) THEN 'REPEAT'
                WHEN waiting = 0 THEN 'DONE' ELSE x.state END,
            due_at = CASE WHEN x.state = 'ANSWERED' THEN public.hc_clock(c.id) + public.hc_later(x.attempt) ELSE x.due_at END
        WHERE x.id = b.id RETURNING x.* INTO b;
    IF applied_now > 0 THEN
        UPDATE public.hc_staged s SET retry_at = public.hc_clock(c.id) WHERE s.mapping = m.id AND s.retry_at IS NOT NULL;
    END IF;
    RETURN jsonb_build_object('applied', applied_now, 'waiting', waiting, 'done', b.state = 'DONE');
END
$$;
COMMENT ON FUNCTION public.hc_apply(uuid, bigint, bigint) IS
    'Applies a stored answer, each row in a savepoint of its own: a row that is locked, or whose trigger raises, waits with its reason and is tried again; its change is never sent again.';

CREATE FUNCTION public.hc_must_repeat(b public.hc_batch, outcome jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    -- A record-level lock, and the like, proves that this record was not written.
    SELECT NOT (outcome ->> 'success')::boolean AND b.attempt < 10
       AND outcome -> 'errors' -> 0 ->> 'code' IN ('UNABLE_TO_LOCK_ROW', 'ALL_OR_NONE_OPERATION_ROLLED_BACK', 'RECORD_IN_USE_BY_WORKFLOW',
            'INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE', 'COLLISION_DETECTED', 'INVALID_SESSION_ID', 'SERVER_UNAVAILABLE')
$$;
COMMENT ON FUNCTION public.hc_must_repeat(public.hc_batch, jsonb) IS 'Whether the record''s error passes by itself, so that the change is offered again (ten times at most).';

-- Staging: records as Salesforce answered them, before they are merged

CREATE FUNCTION public.hc_read_fields(m public.hc_mapping) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    -- CreatedById and CreatedDate tell whether an unknown record may be one that we are creating at this moment.
    SELECT array_agg(x.field_name ORDER BY x.position)
      FROM (SELECT f.field_name, f.position FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL
            UNION
            SELECT d.value ->> 'name', 100000 FROM jsonb_array_elements(m.description -> 'fields') d
             WHERE m.access = 'read_write' AND d.value ->> 'name' IN ('CreatedById', 'CreatedDate')
               AND NOT EXISTS (SELECT FROM public.hc_field f WHERE f.mapping = m.id AND f.field_name = d.value ->> 'name')) x
$$;
COMMENT ON FUNCTION public.hc_read_fields(public.hc_mapping) IS 'The fields that are read of each record.';

CREATE FUNCTION public.hc_soql_time(t timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
COMMENT ON FUNCTION public.hc_soql_time(timestamptz) IS 'A time as SOQL and the replication calls take it.';

CREATE FUNCTION public.hc_stage_records(m public.hc_mapping, records jsonb, began timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    staged integer;
BEGIN
    INSERT INTO public.hc_staged AS s (mapping, sfid, kind, systemmodstamp, record, began_at)
        SELECT DISTINCT ON (r.value ->> 'Id') m.id, r.value ->> 'Id', 'record', (r.value ->> 'SystemModstamp')::timestamp, r.value - 'attributes', began
          FROM jsonb_array_elements(records) r
         WHERE r.value ->> 'Id' IS NOT NULL
         ORDER BY r.value ->> 'Id', (r.value ->> 'SystemModstamp')::timestamp DESC
        ON CONFLICT (mapping, sfid) DO UPDATE
            SET kind = excluded.kind, systemmodstamp = excluded.systemmodstamp, record = excluded.record, began_at = excluded.began_at,
                retry_at = NULL, reason = NULL
            WHERE s.systemmodstamp IS NULL OR excluded.systemmodstamp > s.systemmodstamp
               OR (excluded.systemmodstamp = s.systemmodstamp AND s.kind = 'record' AND excluded.began_at >= s.began_at);
    GET DIAGNOSTICS staged = ROW_COUNT;
    RETURN staged;
END
$$;
COMMENT ON FUNCTION public.hc_stage_records(public.hc_mapping, jsonb, timestamptz) IS 'Stages a page of records; of two versions of a record the newer stays.';

CREATE FUNCTION public.hc_stage(connection uuid, epoch bigint, mapping uuid, records jsonb, began timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_stage.connection, hc_stage.epoch);
BEGIN
    RETURN public.hc_stage_records(public.hc_mapping_of(c.id, hc_stage.mapping), hc_stage.records, hc_stage.began);
END
$$;
COMMENT ON FUNCTION public.hc_stage(uuid, bigint, uuid, jsonb, timestamptz) IS
    'Stages a page of records, the JSON array as Salesforce sent it; began is the org''s time just before the query.';

CREATE FUNCTION public.hc_deleted(connection uuid, epoch bigint, mapping uuid, deleted jsonb, earliest timestamptz, latest timestamptz) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_deleted.connection, hc_deleted.epoch);
    m public.hc_mapping := public.hc_mapping_of(c.id, hc_deleted.mapping);
    staged integer;
    trimmed boolean := earliest > m.deleted_cursor;
BEGIN
    INSERT INTO public.hc_staged AS s (mapping, sfid, kind, systemmodstamp, began_at)
        SELECT DISTINCT ON (r.value ->> 'id') m.id, r.value ->> 'id', 'deleted', (r.value ->> 'deletedDate')::timestamp, latest
          FROM jsonb_array_elements(deleted) r ORDER BY r.value ->> 'id', (r.value ->> 'deletedDate')::timestamp DESC
        ON CONFLICT ON CONSTRAINT hc_staged_pkey DO UPDATE
            SET kind = 'deleted', systemmodstamp = excluded.systemmodstamp, record = NULL, began_at = excluded.began_at, retry_at = NULL, reason = NULL
            WHERE s.systemmodstamp IS NULL OR excluded.systemmodstamp >= s.systemmodstamp;
    GET DIAGNOSTICS staged = ROW_COUNT;
    IF trimmed THEN
        PERFORM public.hc_raise(c.id, m.id, 'delete-log', 'warning',
            format('Salesforce''s delete log of %s reaches back to %s only, the last look was at %s: the mapping is reloaded to find what was deleted',
                   m.object_name, earliest, m.deleted_cursor));
        UPDATE public.hc_mapping h SET state = 'RELOAD_TABLE', poll_at = NULL WHERE h.id = m.id;
    END IF;
    UPDATE public.hc_mapping h SET deleted_cursor = greatest(h.deleted_cursor, latest), deleted_at = public.hc_clock(c.id) WHERE h.id = m.id;
    RETURN jsonb_build_object('staged', staged, 'trimmed', coalesce(trimmed, false));
END
$$;
COMMENT ON FUNCTION public.hc_deleted(uuid, bigint, uuid, jsonb, timestamptz, timestamptz) IS
    'Stages what getDeleted answered and moves the cursor of deletes; a delete log that does not reach back to the last look leads to a reload.';

-- Merge: staged records become mapped rows, uncaptured, and never over a change that is not sent yet

CREATE FUNCTION public.hc_incoming(m public.hc_mapping) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    -- Without the length: an assignment of text that is too long must fail, a cast would cut it.
    SELECT string_agg(format('(s.record ->> %L)::%s AS %I', f.field_name, regexp_replace(f.postgres_type, '\s*\(.*\)', ''), f.column_name), ', ' ORDER BY f.position)
      FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL
$$;
COMMENT ON FUNCTION public.hc_incoming(public.hc_mapping) IS 'The select list that turns a staged record s into columns of the mapped table.';

CREATE FUNCTION public.hc_merge_update(c public.hc_connection, m public.hc_mapping, ids bigint[], sfids text[]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed integer;
    columns name[] := (SELECT array_agg(f.column_name ORDER BY f.position) FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL);
BEGIN
    EXECUTE format('WITH incoming AS MATERIALIZED (
                        SELECT p.target, %s FROM unnest($1, $2) AS p(target, key) JOIN public.hc_staged s ON s.mapping = $3 AND s.sfid = p.key)
                    UPDATE %I.%I t SET %s, _hc_lastop = ''SYNCED'', _hc_err = NULL FROM incoming i
                     WHERE t.id = i.target AND (ROW(%s) IS DISTINCT FROM ROW(%s) OR t._hc_lastop IS DISTINCT FROM ''SYNCED'')',
                   public.hc_incoming(m), c.schema_name, m.table_name,
                   (SELECT string_agg(format('%I = i.%1$I', n), ', ') FROM unnest(columns) n),
                   (SELECT string_agg(format('t.%I', n), ', ') FROM unnest(columns) n),
                   (SELECT string_agg(format('i.%I', n), ', ') FROM unnest(columns) n)) USING ids, sfids, m.id;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END
$$;
COMMENT ON FUNCTION public.hc_merge_update(public.hc_connection, public.hc_mapping, bigint[], text[]) IS
    'Writes staged records into the rows given; a row that is equal in every mapped column and SYNCED is left alone.';

CREATE FUNCTION public.hc_merge_insert(c public.hc_connection, m public.hc_mapping, sfids text[]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    added integer;
    columns name[] := (SELECT array_agg(f.column_name ORDER BY f.position) FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL);
    list text := (SELECT string_agg(quote_ident(n), ', ') FROM unnest(columns) n);
BEGIN
    EXECUTE format('INSERT INTO %I.%I (%s, _hc_lastop) SELECT %3$s, ''SYNCED'' FROM (
                        SELECT %s FROM public.hc_staged s WHERE s.mapping = $1 AND s.sfid = ANY ($2) ORDER BY s.sfid) i',
                   c.schema_name, m.table_name, list, public.hc_incoming(m)) USING m.id, sfids;
    GET DIAGNOSTICS added = ROW_COUNT;
    RETURN added;
END
$$;
COMMENT ON FUNCTION public.hc_merge_insert(public.hc_connection, public.hc_mapping, text[]) IS 'Inserts staged records that no row stands for.';

CREATE FUNCTION public.hc_merge_delete(c public.hc_connection, m public.hc_mapping, ids bigint[]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    removed integer;
BEGIN
    EXECUTE format('DELETE FROM %I.%I WHERE id = ANY ($1)', c.schema_name, m.table_name) USING ids;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
COMMENT ON FUNCTION public.hc_merge_delete(public.hc_connection, public.hc_mapping, bigint[]) IS 'Removes the rows of records that were deleted in Salesforce.';

CREATE FUNCTION public.hc_merge_safely(c public.hc_connection, m public.hc_mapping, kind text, ids bigint[], sfids text[], OUT written integer, OUT failed text[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    why text;
    half integer;
    part record;
BEGIN
    written := 0;
    failed := '{}';
    IF coalesce(cardinality(sfids), 0) = 0 THEN
        RETURN;
    END IF;
    BEGIN
        written := CASE kind WHEN 'update' THEN public.hc_merge_update(c, m, ids, sfids)
                             WHEN 'insert' THEN public.hc_merge_insert(c, m, sfids)
                             ELSE public.hc_merge_delete(c, m, ids) END;
        RETURN;
    EXCEPTION
        WHEN query_canceled OR admin_shutdown OR crash_shutdown THEN RAISE;
        WHEN OTHERS THEN why := format('%s: %s', SQLSTATE, SQLERRM);
    END;
    IF cardinality(sfids) = 1 THEN
        failed := sfids;
        UPDATE public.hc_staged s SET retry_at = public.hc_clock(c.id) + interval '30 seconds', reason = why WHERE s.mapping = m.id AND s.sfid = sfids[1];
        RETURN;
    END IF;
    -- One bad row must not hold back the others: halves, until it stands alone.
    half := cardinality(sfids) / 2;
    FOR part IN SELECT 1 AS lower, half AS upper UNION ALL SELECT half + 1, cardinality(sfids) LOOP
        SELECT hc_merge_safely.written + x.written, hc_merge_safely.failed || x.failed INTO written, failed
            FROM public.hc_merge_safely(c, m, kind, ids[part.lower:part.upper], sfids[part.lower:part.upper]) x;
    END LOOP;
END
$$;
COMMENT ON FUNCTION public.hc_merge_safely(public.hc_connection, public.hc_mapping, text, bigint[], text[]) IS
    'Updates, inserts or deletes as one statement; when that fails, isolates the rows that fail and leaves them staged with the reason.';

CREATE FUNCTION public.hc_merge_step(c public.hc_connection, m public.hc_mapping, maximum integer) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    mapped text := format('%I.%I', c.schema_name, m.table_name);
    log text := public.hc_log_table(c);
    now_there timestamptz := public.hc_clock(c.id);
    picked text[];
    row_ids bigint[] := '{}';  row_sfids text[] := '{}';     -- rows that stand for a picked record, locked
    more_ids bigint[];         more_sfids text[];
    busy text[];                                             -- rows locked by somebody else
    kept text[] := '{}';                                     -- records that stay staged
    outdated text[];
    unsent bigint[];
    deleting text[];
    aside text[] := '{}';
    creating_since timestamptz;
    updates record; inserts record; deletes record;
    update_ids bigint[]; update_sfids text[]; delete_ids bigint[]; delete_sfids text[]; new_sfids text[];
BEGIN
    PERFORM public.hc_writes_rows();
    SELECT array_agg(p.sfid) INTO picked FROM (
        SELECT s.sfid FROM public.hc_staged s WHERE s.mapping = m.id AND (s.retry_at IS NULL OR s.retry_at <= now_there)
         ORDER BY s.sfid LIMIT maximum FOR UPDATE SKIP LOCKED) p;
    IF picked IS NULL OR to_regclass(mapped) IS NULL THEN
        RETURN jsonb_build_object('inserted', 0, 'updated', 0, 'unchanged', 0, 'deleted', 0, 'waiting', 0, 'more', false);
    END IF;

    -- 1. Lock the rows, in id order. What is locked by somebody else stays staged.
    EXECUTE format('SELECT coalesce(array_agg(l.id), ''{}''), coalesce(array_agg(l.sfid::text), ''{}'') FROM (
                        SELECT t.id, t.sfid FROM %s t WHERE t.sfid = ANY ($1) ORDER BY t.id FOR NO KEY UPDATE SKIP LOCKED) l', mapped)
        INTO row_ids, row_sfids USING picked;
    IF m.upsert_column IS NOT NULL THEN
        EXECUTE format('SELECT coalesce(array_agg(l.id), ''{}''), coalesce(array_agg(l.sfid), ''{}'') FROM (
                            SELECT t.id, s.sfid FROM %s t JOIN public.hc_staged s ON s.mapping = $1 AND s.sfid = ANY ($2) AND s.kind = ''record''
                               AND t.%I::text = s.record ->> %L WHERE t.sfid IS NULL AND NOT s.sfid = ANY ($3)
                             ORDER BY t.id FOR NO KEY UPDATE OF t SKIP LOCKED) l', mapped, m.upsert_column, m.upsert_field)
            INTO more_ids, more_sfids USING m.id, picked, row_sfids;
        row_ids := row_ids || more_ids;
        row_sfids := row_sfids || more_sfids;
    END IF;

    -- 2. New statements, new snapshots: a change that committed while we waited for nothing is seen here.
    EXECUTE format('SELECT coalesce(array_agg(t.sfid::text), ''{}'') FROM %s t WHERE t.sfid = ANY ($1) AND NOT t.sfid = ANY ($2)', mapped)
        INTO busy USING picked, row_sfids;
    IF m.upsert_column IS NOT NULL THEN
        EXECUTE format('SELECT $4 || coalesce(array_agg(s.sfid), ''{}'') FROM public.hc_staged s JOIN %s t ON t.%I::text = s.record ->> %L
                         WHERE s.mapping = $1 AND s.sfid = ANY ($2) AND s.kind = ''record'' AND t.sfid IS NULL AND NOT s.sfid = ANY ($3)',
                       mapped, m.upsert_column, m.upsert_field) INTO busy USING m.id, picked, row_sfids, busy;
    END IF;
    EXECUTE format('SELECT coalesce(array_agg(DISTINCT l.record_id::bigint), ''{}'') FROM %s l
                     WHERE l.table_name = $1 AND l.state IN (''NEW'', ''PENDING'') AND l.record_id = ANY ($2)', log) INTO unsent USING m.table_name::text, row_ids;
    unsent := unsent || ARRAY(SELECT e.record_id FROM public.hc_batch_entry e WHERE e.mapping = m.id AND NOT e.applied AND e.record_id = ANY (row_ids));
    EXECUTE format('SELECT coalesce(array_agg(DISTINCT l.sfid::text), ''{}'') FROM %s l
                     WHERE l.table_name = $1 AND l.action = ''DELETE'' AND l.state IN (''NEW'', ''PENDING'') AND l.sfid = ANY ($2)', log)
        INTO deleting USING m.table_name::text, picked;
    deleting := deleting || ARRAY(SELECT e.payload ->> 'id' FROM public.hc_batch_entry e WHERE e.mapping = m.id AND NOT e.applied AND e.action = 'DELETE');

    -- 3. Older than what we know: our own write not read back yet, a delete of ours, a newer row.
    EXECUTE format('SELECT coalesce(array_agg(s.sfid), ''{}'') FROM public.hc_staged s LEFT JOIN %s t ON t.sfid = s.sfid WHERE s.mapping = $1 AND s.sfid = ANY ($2) AND (
                        (s.kind = ''record'' AND EXISTS (SELECT FROM public.hc_read_back r WHERE r.mapping = s.mapping AND r.sfid = s.sfid))
                     OR (s.kind = ''record'' AND EXISTS (SELECT FROM public.hc_tombstone d WHERE d.mapping = s.mapping AND d.sfid = s.sfid AND d.deleted_at >= s.began_at))
                     OR (s.systemmodstamp < t.systemmodstamp))', mapped) INTO outdated USING m.id, picked;
    DELETE FROM public.hc_staged s WHERE s.mapping = m.id AND s.sfid = ANY (outdated);
    picked := ARRAY(SELECT p FROM unnest(picked) p WHERE NOT p = ANY (outdated));

    -- 4. While a create is on its way or in doubt, an unknown record of our user may be its answer.
    SELECT min(coalesce(b.first_sent_at, b.claimed_at)) INTO creating_since FROM public.hc_batch b
        WHERE b.mapping = m.id AND b.operation IN ('create', 'upsert') AND b.state <> 'DONE'
          AND EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = b.id AND NOT e.applied);
    IF creating_since IS NOT NULL THEN
        creating_since := creating_since + make_interval(secs => coalesce((c.settings ->> 'org_clock_ahead')::float8, 0)) - interval '5 seconds';
        aside := ARRAY(SELECT s.sfid FROM public.hc_staged s WHERE s.mapping = m.id AND s.sfid = ANY (picked) AND s.kind = 'record' AND NOT s.sfid = ANY (row_sfids)
                          AND left(s.record ->> 'CreatedById', 15) = left(c.settings ->> 'user_id', 15)
                          AND (s.record ->> 'CreatedDate')::timestamptz >= creating_since);
    END IF;

    kept := busy || deleting || aside;
    IF public.hc_setting(c, 'protect_unsent', 'true')::boolean THEN
        kept := kept || ARRAY(SELECT r.sfid FROM unnest(row_ids, row_sfids) AS r(id, sfid) WHERE r.id = ANY (unsent));
    END IF;
    UPDATE public.hc_staged s
        SET retry_at = now_there + interval '10 seconds',
            reason = CASE WHEN s.sfid = ANY (busy) THEN 'the row is locked by another transaction'
                          WHEN s.sfid = ANY (aside) THEN 'may be the answer to a create whose outcome is not known'
                          WHEN s.sfid = ANY (deleting) THEN 'the row was deleted here and its DELETE is not sent yet'
                          ELSE 'the row has changes that are not sent yet' END
        WHERE s.mapping = m.id AND s.sfid = ANY (picked) AND s.sfid = ANY (kept);

    SELECT array_agg(r.id ORDER BY r.id) FILTER (WHERE s.kind = 'record'), array_agg(r.sfid ORDER BY r.id) FILTER (WHERE s.kind = 'record'),
           array_agg(r.id ORDER BY r.id) FILTER (WHERE s.kind = 'deleted'), array_agg(r.sfid ORDER BY r.id) FILTER (WHERE s.kind = 'deleted')
        INTO update_ids, update_sfids, delete_ids, delete_sfids
        FROM unnest(row_ids, row_sfids) AS r(id, sfid) JOIN public.hc_staged s ON s.mapping = m.id AND s.sfid = r.sfid
        WHERE r.sfid = ANY (picked) AND NOT r.sfid = ANY (kept);
    SELECT array_agg(s.sfid ORDER BY s.sfid) INTO new_sfids FROM public.hc_staged s
        WHERE s.mapping = m.id AND s.sfid = ANY (picked) AND s.kind = 'record' AND NOT s.sfid = ANY (kept) AND NOT s.sfid = ANY (row_sfids);
    updates := public.hc_merge_safely(c, m, 'update', update_ids, update_sfids);
    inserts := public.hc_merge_safely(c, m, 'insert', NULL, new_sfids);
    deletes := public.hc_merge_safely(c, m, 'delete', delete_ids, delete_sfids);
    kept := kept || updates.failed || inserts.failed || deletes.failed;
    DELETE FROM public.hc_staged s WHERE s.mapping = m.id AND s.sfid = ANY (picked) AND NOT s.sfid = ANY (kept);
    RETURN jsonb_build_object('inserted', inserts.written, 'updated', updates.written, 'deleted', deletes.written,
        'unchanged', coalesce(cardinality(update_sfids), 0) - updates.written - cardinality(updates.failed),
        'waiting', (SELECT count(*) FROM unnest(picked) p WHERE p = ANY (kept)),
        'more', EXISTS (SELECT FROM public.hc_staged s WHERE s.mapping = m.id AND (s.retry_at IS NULL OR s.retry_at <= now_there)));
END
$$;
COMMENT ON FUNCTION public.hc_merge_step(public.hc_connection, public.hc_mapping, integer) IS
    'Merges staged records of a mapping: first locks their rows, then looks, in new snapshots, at what forbids it (unsent changes, creates in doubt, our own newer writes), then writes.';

CREATE FUNCTION public.hc_merge(connection uuid, epoch bigint, mapping uuid, maximum integer DEFAULT 2000) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_merge.connection, hc_merge.epoch);
BEGIN
    RETURN public.hc_merge_step(c, public.hc_mapping_of(c.id, hc_merge.mapping), maximum);
END
$$;
COMMENT ON FUNCTION public.hc_merge(uuid, bigint, uuid, integer) IS 'One step of merging staged records; call again while "more".';

-- Read-back: what we wrote is read once more, so that rows reach SYNCED with defaults, formulas and what flows changed

CREATE FUNCTION public.hc_read_back_next(connection uuid, epoch bigint, maximum integer DEFAULT 2000) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_read_back_next.connection, hc_read_back_next.epoch);
    m public.hc_mapping;
    ids text[];
    upto bigint;
BEGIN
    SELECT h.* INTO m FROM public.hc_mapping h WHERE h.connection = c.id
        AND EXISTS (SELECT FROM public.hc_read_back r WHERE r.mapping = h.id AND (r.due_at IS NULL OR r.due_at <= public.hc_clock(c.id))) LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(x.sfid), max(x.token) INTO ids, upto FROM (
        SELECT r.sfid, r.token FROM public.hc_read_back r
         WHERE r.mapping = m.id AND (r.due_at IS NULL OR r.due_at <= public.hc_clock(c.id)) ORDER BY r.token LIMIT maximum) x;
    -- If the relay dies with it, the read-back is due again in half a minute.
    UPDATE public.hc_read_back r SET due_at = public.hc_clock(c.id) + interval '30 seconds' WHERE r.mapping = m.id AND r.sfid = ANY (ids);
    RETURN jsonb_build_object('mapping', m.id, 'object', m.object_name, 'fields', to_jsonb(public.hc_read_fields(m)), 'ids', to_jsonb(ids), 'token', upto,
                              'began', public.hc_org_clock(c));
END
$$;
COMMENT ON FUNCTION public.hc_read_back_next(uuid, bigint, integer) IS 'The records of one mapping to be read back, or null.';

CREATE FUNCTION public.hc_read_back_merge(connection uuid, epoch bigint, mapping uuid, token bigint, ids text[], records jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_read_back_merge.connection, hc_read_back_merge.epoch);
    m public.hc_mapping := public.hc_mapping_of(c.id, hc_read_back_merge.mapping);
BEGIN
    -- A record that was written again meanwhile has a newer token: it stays, and what arrived of it now is outdated.
    DELETE FROM public.hc_read_back r WHERE r.mapping = m.id AND r.sfid = ANY (hc_read_back_merge.ids) AND r.token <= hc_read_back_merge.token;
    PERFORM public.hc_stage_records(m, hc_read_back_merge.records, public.hc_org_clock(c));
    RETURN public.hc_merge_step(c, m, greatest(2000, cardinality(hc_read_back_merge.ids)));
END
$$;
COMMENT ON FUNCTION public.hc_read_back_merge(uuid, bigint, uuid, bigint, text[], jsonb) IS
    'Merges records that were read back; an id without a record was deleted in Salesforce, which the poll for deletes finds.';

-- Polls: what changed in Salesforce since the mapping's cursor

CREATE FUNCTION public.hc_poll_begin(connection uuid, epoch bigint, mapping uuid) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_poll_begin.connection, hc_poll_begin.epoch);
    m public.hc_mapping := public.hc_mapping_of(c.id, hc_poll_begin.mapping);
BEGIN
    IF m.poll_cursor IS NULL THEN
        RAISE EXCEPTION 'mapping % of % is not loaded yet', m.id, m.object_name USING ERRCODE = 'HC003';
    END IF;
    UPDATE public.hc_mapping h SET state = 'POLLING_SF_CHANGES', state_detail = NULL WHERE h.id = m.id AND h.state IS DISTINCT FROM 'POLLING_SF_CHANGES';
    RETURN jsonb_build_object('object', m.object_name,
        'soql', format('SELECT %s FROM %s WHERE SystemModstamp >= %s ORDER BY SystemModstamp, Id',
                       array_to_string(public.hc_read_fields(m), ', '), m.object_name, public.hc_soql_time(m.poll_cursor)),
        'deletes', CASE WHEN coalesce((m.description ->> 'replicateable')::boolean, true)
                         AND (m.deleted_at IS NULL OR m.deleted_at <= public.hc_clock(c.id) - least(interval '10 minutes', m.polling))
                        THEN jsonb_build_object('start', public.hc_soql_time(m.deleted_cursor)) END,
        'horizon_wanted', coalesce((m.description ->> 'replicateable')::boolean, true)
                          AND m.poll_cursor <= public.hc_org_clock(c) - interval '10 minutes');
END
$$;
COMMENT ON FUNCTION public.hc_poll_begin(uuid, bigint, uuid) IS
    'The query of a poll, and where getDeleted starts. It reads up to now from the cursor on; the cursor itself stays behind what running transactions may still commit.';

CREATE FUNCTION public.hc_poll_done(connection uuid, epoch bigint, mapping uuid, rows bigint, org_now timestamptz, horizon timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_poll_done.connection, hc_poll_done.epoch);
    m public.hc_mapping := public.hc_mapping_of(c.id, hc_poll_done.mapping);
BEGIN
    UPDATE public.hc_mapping h
        -- The stamp is taken when a record is written, the record is seen when its transaction commits, up to ten minutes later.
        SET poll_cursor = greatest(h.poll_cursor, CASE WHEN horizon IS NULL THEN org_now - interval '10 minutes' ELSE least(horizon, org_now) END),
            poll_at = public.hc_clock(c.id) + h.polling,
            state = CASE WHEN h.state = 'POLLING_SF_CHANGES' THEN 'DATA_SYNCED' ELSE h.state END,
            state_detail = NULL, counts = h.counts - 'failures'
        WHERE h.id = m.id;
    IF rows > 0 THEN
        PERFORM public.hc_raise(c.id, m.id, 'poll', 'debug', format('Polled %s: %s records', m.object_name, rows));
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_poll_done(uuid, bigint, uuid, bigint, timestamptz, timestamptz) IS
    'Ends a poll: moves the cursor to the horizon (latestDateCovered) or, where that is not known, to ten minutes before the query.';

CREATE FUNCTION public.hc_read_failed(c public.hc_connection, m public.hc_mapping, code text, message text, kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    failures integer := coalesce((m.counts ->> 'failures')::integer, 0) + 1;
BEGIN
    UPDATE public.hc_mapping h
        SET poll_at = public.hc_clock(c.id) + CASE kind WHEN 'configuration' THEN h.polling ELSE public.hc_later(failures, '2 seconds', '5 minutes') END,
            counts = h.counts || jsonb_build_object('failures', failures),
            state = CASE WHEN kind = 'configuration' THEN 'BAD_CONFIG' WHEN h.state = 'POLLING_SF_CHANGES' THEN 'DATA_SYNCED' ELSE h.state END,
            state_detail = concat_ws(': ', code, message)
        WHERE h.id = m.id;
    PERFORM public.hc_raise(c.id, m.id, CASE kind WHEN 'configuration' THEN 'mapping-error' ELSE 'poll' END,
        CASE WHEN kind = 'configuration' THEN 'error' WHEN failures >= 5 THEN 'warning' ELSE 'info' END,
        format('Reading %s failed: %s', m.object_name, concat_ws(': ', code, message)));
END
$$;
COMMENT ON FUNCTION public.hc_read_failed(public.hc_connection, public.hc_mapping, text, text, text) IS
    'Notes that a poll or load failed and when it is tried again; a configuration error shows as BAD_CONFIG.';

CREATE FUNCTION public.hc_poll_failed(connection uuid, epoch bigint, mapping uuid, code text, message text, kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_poll_failed.connection, hc_poll_failed.epoch);
BEGIN
    PERFORM public.hc_read_failed(c, public.hc_mapping_of(c.id, hc_poll_failed.mapping), code, message, kind);
END
$$;
COMMENT ON FUNCTION public.hc_poll_failed(uuid, bigint, uuid, text, text, text) IS 'Ends a poll that failed; kind is transient, configuration or limit.';

-- Loads: a first load fills a private table that then gets its name; a reload is merged row by row into the table in use

CREATE FUNCTION public.hc_load_of(c public.hc_connection, load bigint) RETURNS public.hc_load
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    l public.hc_load;
BEGIN
    SELECT x.* INTO l FROM public.hc_load x WHERE x.id = hc_load_of.load AND x.connection = c.id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'load % does not exist in connection %', hc_load_of.load, c.id USING ERRCODE = 'HC002';
    END IF;
    RETURN l;
END
$$;
COMMENT ON FUNCTION public.hc_load_of(public.hc_connection, bigint) IS 'Locks a load under way (HC002 if it is over).';

CREATE FUNCTION public.hc_load_begin(connection uuid, epoch bigint, mapping uuid) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_load_begin.connection, hc_load_begin.epoch);
    m public.hc_mapping := public.hc_mapping_of(c.id, hc_load_begin.mapping);
    l public.hc_load;
    fields public.hc_field[];
BEGIN
    SELECT x.* INTO l FROM public.hc_load x WHERE x.mapping = m.id FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO public.hc_load (connection, mapping, kind, private_table, began_at)
            VALUES (c.id, m.id, CASE WHEN to_regclass(format('%I.%I', c.schema_name, m.table_name)) IS NULL THEN 'first' ELSE 'reload' END,
                    'hc_private_' || replace(left(m.id::text, 13), '-', ''), public.hc_org_clock(c))
            RETURNING * INTO l;
        PERFORM public.hc_raise(c.id, m.id, 'load', 'info', format('RELOAD TABLE %s', m.table_name));
    END IF;
    IF l.step = 'fill' AND l.job IS NULL AND (l.rows > 0 OR to_regclass(format('public.%I', l.private_table)) IS NULL) THEN
        -- Pages of a plain query cannot be taken up in the middle: it begins anew. A bulk job goes on at its page.
        PERFORM public.hc_load_empty(m, l);
        UPDATE public.hc_load x SET rows = 0, locator = NULL, began_at = public.hc_org_clock(c) WHERE x.id = l.id RETURNING x.* INTO l;
    END IF;
    UPDATE public.hc_mapping h SET state = CASE WHEN l.job IS NULL THEN 'RELOAD_TABLE' ELSE 'LOADING_BULK_JOB' END, state_detail = NULL WHERE h.id = m.id;
    fields := ARRAY(SELECT f FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL ORDER BY f.position);
    RETURN jsonb_build_object('load', l.id, 'kind', l.kind, 'step', l.step, 'object', m.object_name,
        'soql', format('SELECT %s FROM %s', (SELECT string_agg(f.field_name, ', ' ORDER BY f.position) FROM unnest(fields) f), m.object_name),
        'table', format('public.%I', l.private_table),
        'columns', (SELECT jsonb_agg(f.column_name ORDER BY f.position) FROM unnest(fields) f),
        'copy', format('COPY public.%I (%s) FROM STDIN WITH (FORMAT csv, FORCE_NULL (%2$s))', l.private_table,
                       (SELECT string_agg(quote_ident(f.column_name), ', ' ORDER BY f.position) FROM unnest(fields) f)),
        'job', l.job, 'locator', l.locator, 'rows', l.rows, 'expected', l.expected,
        'threshold', public.hc_setting(c, 'large_query_threshold', '10000')::bigint);
END
$$;
COMMENT ON FUNCTION public.hc_load_begin(uuid, bigint, uuid) IS 'Begins the mapping''s load, or takes up the one that was interrupted.';

CREATE FUNCTION public.hc_load_empty(m public.hc_mapping, l public.hc_load) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass(format('public.%I', l.private_table)) IS NOT NULL THEN
        EXECUTE format('DROP TABLE public.%I', l.private_table);
    END IF;
    PERFORM public.hc_mapping_table_create(m.id, 'public', l.private_table, true);
    EXECUTE format('ALTER TABLE public.%I ALTER _hc_lastop SET DEFAULT ''SYNCED''', l.private_table);
END
$$;
COMMENT ON FUNCTION public.hc_load_empty(public.hc_mapping, public.hc_load) IS 'Makes the load''s private table anew, empty.';

CREATE FUNCTION public.hc_load_records(connection uuid, epoch bigint, load bigint, records jsonb) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, MDY' AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_load_records.connection, hc_load_records.epoch);
    l public.hc_load := public.hc_load_of(c, hc_load_records.load);
    m public.hc_mapping := public.hc_mapping_of(c.id, l.mapping);
    list text := (SELECT string_agg(quote_ident(f.column_name), ', ' ORDER BY f.position) FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL);
    added bigint;
BEGIN
    EXECUTE format('INSERT INTO public.%I (%s) SELECT %2$s FROM (SELECT %s FROM jsonb_array_elements($1) AS s(record)) i',
                   l.private_table, list, public.hc_incoming(m)) USING records;
    GET DIAGNOSTICS added = ROW_COUNT;
    UPDATE public.hc_load x SET rows = x.rows + added WHERE x.id = l.id RETURNING x.rows INTO added;
    RETURN added;
END
$$;
COMMENT ON FUNCTION public.hc_load_records(uuid, bigint, bigint, jsonb) IS 'Stores a page of a query''s records in the private table; returns the rows so far.';

CREATE FUNCTION public.hc_load_job(connection uuid, epoch bigint, load bigint, job jsonb, expected bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_load_job.connection, hc_load_job.epoch);
    l public.hc_load := public.hc_load_of(c, hc_load_job.load);
BEGIN
    UPDATE public.hc_load x SET job = hc_load_job.job, expected = hc_load_job.expected WHERE x.id = l.id;
    UPDATE public.hc_mapping h SET state = 'WAIT_BULK_LOAD' WHERE h.id = l.mapping;
END
$$;
COMMENT ON FUNCTION public.hc_load_job(uuid, bigint, bigint, jsonb, bigint) IS 'Records the bulk query job of a load, and how many records are expected.';

CREATE FUNCTION public.hc_load_page(connection uuid, epoch bigint, load bigint, locator text, rows bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_load_page.connection, hc_load_page.epoch);
    l public.hc_load := public.hc_load_of(c, hc_load_page.load);
BEGIN
    UPDATE public.hc_load x SET locator = coalesce(hc_load_page.locator, 'end'), rows = x.rows + hc_load_page.rows WHERE x.id = l.id RETURNING x.* INTO l;
    UPDATE public.hc_mapping h SET state = 'LOADING_BULK_JOB' WHERE h.id = l.mapping AND h.state <> 'LOADING_BULK_JOB';
    RETURN l.rows;
END
$$;
COMMENT ON FUNCTION public.hc_load_page(uuid, bigint, bigint, text, bigint) IS
    'Commits with the COPY of a result page: notes the locator of the next page (null: that was the last, kept as end) and returns the rows so far.';

CREATE FUNCTION public.hc_load_restart(connection uuid, epoch bigint, load bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_load_restart.connection, hc_load_restart.epoch);
    l public.hc_load := public.hc_load_of(c, hc_load_restart.load);
BEGIN
    PERFORM public.hc_load_empty(public.hc_mapping_of(c.id, l.mapping), l);
    UPDATE public.hc_load x SET job = NULL, locator = NULL, rows = 0, step = 'fill', last_sfid = NULL, began_at = public.hc_org_clock(c) WHERE x.id = l.id;
END
$$;
COMMENT ON FUNCTION public.hc_load_restart(uuid, bigint, bigint) IS 'Begins a load anew, when its job failed or expired.';

CREATE FUNCTION public.hc_load_finish(connection uuid, epoch bigint, load bigint, org_now timestamptz) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_load_finish.connection, hc_load_finish.epoch);
    l public.hc_load := public.hc_load_of(c, hc_load_finish.load);
    m public.hc_mapping := public.hc_mapping_of(c.id, l.mapping);
    more boolean := true;
BEGIN
    PERFORM public.hc_writes_rows();
    CASE l.step
        WHEN 'fill' THEN
            -- The load's own clock decides where polls begin, should the relay that began it be gone.
            UPDATE public.hc_load x SET step = CASE l.kind WHEN 'first' THEN 'index' ELSE 'merge' END, began_at = least(x.began_at, org_now), last_sfid = ''
                WHERE x.id = l.id;
            IF l.kind = 'reload' THEN
                EXECUTE format('CREATE INDEX ON public.%I (sfid)', l.private_table);
                EXECUTE format('ANALYZE public.%I', l.private_table);
            END IF;
        WHEN 'index' THEN
            PERFORM public.hc_mapping_indexes_create(m.id, 'public', l.private_table);
            UPDATE public.hc_load x SET step = 'publish' WHERE x.id = l.id;
        WHEN 'publish' THEN
            EXECUTE format('ALTER TABLE public.%I ALTER _hc_lastop DROP DEFAULT', l.private_table);
            PERFORM public.hc_mapping_adopt_private_table(m.id, l.private_table);
            more := false;
        WHEN 'merge' THEN
            more := public.hc_reload_merge(c, m, l);
            IF NOT more THEN
                UPDATE public.hc_load x SET step = 'remove', last_sfid = '' WHERE x.id = l.id;
                more := true;
            END IF;
        WHEN 'remove' THEN
            more := public.hc_reload_remove(c, m, l);
            IF NOT more THEN
                EXECUTE format('DROP TABLE public.%I', l.private_table);
            END IF;
    END CASE;
    IF NOT more THEN
        DELETE FROM public.hc_load x WHERE x.id = l.id;
        UPDATE public.hc_mapping h
            SET state = 'DATA_SYNCED', state_detail = NULL, poll_at = public.hc_clock(c.id) + h.polling,
                applied_at = coalesce(h.applied_at, public.hc_clock(c.id)),
                -- What was being committed while the query ran is found by the first poll.
                poll_cursor = l.began_at - interval '10 minutes', deleted_cursor = l.began_at - interval '10 minutes', deleted_at = NULL,
                counts = (h.counts - 'failures') || jsonb_build_object('loaded', l.rows)
            WHERE h.id = m.id;
        PERFORM public.hc_raise(c.id, m.id, 'load', 'info', 'RELOAD COMPLETE', jsonb_build_object('rows', l.rows));
    END IF;
    RETURN jsonb_build_object('done', NOT more, 'rows', l.rows, 'step', l.step);
END
$$;
COMMENT ON FUNCTION public.hc_load_finish(uuid, bigint, bigint, timestamptz) IS
    'One step after the last page: a first load builds its indexes and is published; a reload is merged in chunks, then rows that Salesforce no longer has are removed. Call until done.';

CREATE FUNCTION public.hc_reload_merge(c public.hc_connection, m public.hc_mapping, l public.hc_load) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    records jsonb;
    upto text;
BEGIN
    EXECUTE format('SELECT jsonb_agg(jsonb_object($1, ARRAY[%s]::text[])), max(t.sfid::text COLLATE "C") FROM (
                        SELECT * FROM public.%I WHERE sfid::text COLLATE "C" > $2 ORDER BY sfid::text COLLATE "C" LIMIT 1000) t',
                   (SELECT string_agg(format('t.%I::text', f.column_name), ', ' ORDER BY f.position) FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL),
                   l.private_table) INTO records, upto
        USING ARRAY(SELECT f.field_name FROM public.hc_field f WHERE f.mapping = m.id AND f.relationship_field IS NULL ORDER BY f.position), l.last_sfid;
    IF upto IS NULL THEN
        RETURN false;
    END IF;
    PERFORM public.hc_stage_records(m, records, l.began_at);
    PERFORM public.hc_merge_step(c, m, 2000);
    UPDATE public.hc_load x SET last_sfid = upto WHERE x.id = l.id;
    RETURN true;
END
$$;
COMMENT ON FUNCTION public.hc_reload_merge(public.hc_connection, public.hc_mapping, public.hc_load) IS 'Merges the next thousand rows of a reload; false when none is left.';

CREATE FUNCTION public.hc_reload_remove(c public.hc_connection, m public.hc_mapping, l public.hc_load) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ids bigint[];
    sfids text[];
    upto bigint := coalesce(nullif(l.last_sfid, '')::bigint, 0);
    removed record;
BEGIN
    -- Rows without sfid stay; so do rows with unsent changes, and rows that are newer than the query.
    EXECUTE format('SELECT array_agg(x.id), array_agg(x.sfid::text) FROM (
                        SELECT t.id, t.sfid FROM %I.%I t WHERE t.id > $1 AND t.sfid IS NOT NULL AND t.systemmodstamp < ($2 AT TIME ZONE ''UTC'') - interval ''10 minutes''
                           AND NOT EXISTS (SELECT FROM public.%I p WHERE p.sfid = t.sfid)
                           AND NOT EXISTS (SELECT FROM %s g WHERE g.table_name = $3 AND g.record_id = t.id AND g.state IN (''NEW'', ''PENDING''))
                           AND NOT EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.mapping = $4 AND e.record_id = t.id AND NOT e.applied)
                         ORDER BY t.id LIMIT 1000 FOR UPDATE OF t SKIP LOCKED) x',
                   c.schema_name, m.table_name, l.private_table, public.hc_log_table(c)) INTO ids, sfids USING upto, l.began_at, m.table_name::text, m.id;
    IF ids IS NULL THEN
        RETURN false;
    END IF;
    removed := public.hc_merge_safely(c, m, 'delete', ids, sfids);
    UPDATE public.hc_load x SET last_sfid = (SELECT max(i) FROM unnest(ids) i)::text WHERE x.id = l.id;
    RETURN true;
END
$$;
COMMENT ON FUNCTION public.hc_reload_remove(public.hc_connection, public.hc_mapping, public.hc_load) IS
    'Removes the next thousand rows that a complete reload does not have; false when none is left.';

CREATE FUNCTION public.hc_load_failed(connection uuid, epoch bigint, load bigint, code text, message text, kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_load_failed.connection, hc_load_failed.epoch);
    l public.hc_load := public.hc_load_of(c, hc_load_failed.load);
BEGIN
    PERFORM public.hc_read_failed(c, public.hc_mapping_of(c.id, l.mapping), code, message, kind);
END
$$;
COMMENT ON FUNCTION public.hc_load_failed(uuid, bigint, bigint, text, text, text) IS 'Notes that a load failed and when it is taken up again; kind is transient, configuration or limit.';

-- Work: what is due now, by the connection's clock; the relay only sleeps

CREATE FUNCTION public.hc_work(connection uuid, epoch bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_work.connection, hc_work.epoch);
    now_there timestamptz := public.hc_clock(c.id);
    due timestamptz := now_there + interval '10 seconds';
    loading text[] := ARRAY['INITIAL', 'RESYNC', 'RELOAD_TABLE', 'WAIT_BULK_LOAD', 'LOADING_BULK_JOB'];
    answer jsonb;
BEGIN
    IF c.state = 'PAUSED' THEN
        RETURN jsonb_build_object('state', c.state, 'paused', true, 'loads', '[]'::jsonb, 'polls', '[]'::jsonb, 'read_back', false, 'staged', '[]'::jsonb,
                                  'apply', '[]'::jsonb, 'doubts', '[]'::jsonb, 'housekeeping', false, 'wait_ms', 10000);
    END IF;
    SELECT least(due, min(x.at)) INTO due FROM (
        SELECT h.poll_at AS at FROM public.hc_mapping h WHERE h.connection = c.id
        UNION ALL SELECT b.due_at FROM public.hc_batch b WHERE b.connection = c.id AND b.state IN ('REPEAT', 'DOUBT')
        UNION ALL SELECT b.apply_at FROM public.hc_batch b WHERE b.connection = c.id AND b.state <> 'DONE'
        UNION ALL SELECT s.retry_at FROM public.hc_staged s JOIN public.hc_mapping h ON h.id = s.mapping WHERE h.connection = c.id
        UNION ALL SELECT r.due_at FROM public.hc_read_back r JOIN public.hc_mapping h ON h.id = r.mapping WHERE h.connection = c.id
        UNION ALL SELECT c.next_drain_at) x WHERE x.at > now_there;
    answer := jsonb_build_object('state', c.state, 'paused', false,
        'loads', (SELECT coalesce(jsonb_agg(jsonb_build_object('mapping', h.id) ORDER BY h.created_at, h.object_name), '[]') FROM public.hc_mapping h
                   WHERE h.connection = c.id AND (h.poll_at IS NULL OR h.poll_at <= now_there)
                     AND (h.state = ANY (loading) OR (h.state = 'BAD_CONFIG' AND h.poll_cursor IS NULL))),
        'polls', (SELECT coalesce(jsonb_agg(jsonb_build_object('mapping', h.id) ORDER BY h.poll_at), '[]') FROM public.hc_mapping h
                   WHERE h.connection = c.id AND h.poll_at <= now_there AND h.poll_cursor IS NOT NULL AND NOT h.state = ANY (loading)),
        'read_back', EXISTS (SELECT FROM public.hc_read_back r JOIN public.hc_mapping h ON h.id = r.mapping
                              WHERE h.connection = c.id AND (r.due_at IS NULL OR r.due_at <= now_there)),
        'staged', (SELECT coalesce(jsonb_agg(h.id), '[]') FROM public.hc_mapping h WHERE h.connection = c.id
                    AND EXISTS (SELECT FROM public.hc_staged s WHERE s.mapping = h.id AND (s.retry_at IS NULL OR s.retry_at <= now_there))),
        'apply', (SELECT coalesce(jsonb_agg(b.id ORDER BY b.id), '[]') FROM public.hc_batch b WHERE b.connection = c.id AND b.state <> 'DONE'
                   AND (b.apply_at IS NULL OR b.apply_at <= now_there)
                   AND EXISTS (SELECT FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NOT NULL AND NOT e.applied)),
        'doubts', (SELECT coalesce(jsonb_agg(jsonb_build_object('batch', b.id, 'way', CASE b.operation WHEN 'update' THEN 'retrieve' ELSE 'lookup' END) ORDER BY b.id), '[]')
                     FROM public.hc_batch b WHERE b.connection = c.id AND b.state = 'DOUBT' AND b.due_at <= now_there),
        'repeats', EXISTS (SELECT FROM public.hc_batch b WHERE b.connection = c.id AND b.state = 'REPEAT' AND (b.due_at IS NULL OR b.due_at <= now_there)),
        'housekeeping', public.hc_housekeeping_due(c));
    RETURN answer || jsonb_build_object('wait_ms', ceil(extract(epoch FROM due - now_there) * 1000));
END
$$;
COMMENT ON FUNCTION public.hc_work(uuid, bigint) IS 'What is due now, and in how many milliseconds to ask again (10,000 at most).';

CREATE FUNCTION public.hc_cycle_done(connection uuid, epoch bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_cycle_done.connection, hc_cycle_done.epoch);
BEGIN
    UPDATE public.hc_connection h SET next_drain_at = public.hc_clock(c.id) + interval '2 minutes',
           state = CASE WHEN h.state = 'POLLING_DB_CHANGES' THEN 'IDLE' ELSE h.state END
        WHERE h.id = c.id;
END
$$;
COMMENT ON FUNCTION public.hc_cycle_done(uuid, bigint) IS 'Ends a write cycle: the two-minute countdown to the next look at the log begins.';

CREATE FUNCTION public.hc_wake(connection uuid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_notify(c.schema_name || '.hc_trigger_log', 'ping') FROM public.hc_connection c WHERE c.id = hc_wake.connection
$$;
COMMENT ON FUNCTION public.hc_wake(uuid) IS 'Wakes the relay of a connection.';

-- Housekeeping: entries that need no request, retention, and what is over

CREATE FUNCTION public.hc_housekeeping_due(c public.hc_connection) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    due boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE state IN (''IGNORE'', ''IGNORED'', ''READONLY'', ''REQUEUE'', ''REQUEUED'', ''SUCCESS'', ''MERGED'') LIMIT 1)',
                   public.hc_log_table(c)) INTO due;
    RETURN due OR coalesce((c.settings ->> 'housekept_at')::timestamptz <= public.hc_clock(c.id) - interval '10 minutes', true);
END
$$;
COMMENT ON FUNCTION public.hc_housekeeping_due(public.hc_connection) IS 'Whether there is something to put away, or ten minutes have passed.';

CREATE FUNCTION public.hc_housekeeping(connection uuid, epoch bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_housekeeping.connection, hc_housekeeping.epoch);
    now_there timestamptz := public.hc_clock(c.id);
    log text := public.hc_log_table(c);
    ids bigint[];
    moved integer;
    purged integer;
BEGIN
    -- REQUEUE: a fresh copy takes the change's place at the end of the queue.
    EXECUTE format('WITH asked AS (SELECT id FROM %1$s WHERE state = ''REQUEUE'' ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED),
                         old AS (UPDATE %1$s l SET state = ''REQUEUED'', updated_at = clock_timestamp() FROM asked WHERE l.id = asked.id RETURNING l.*)
                    INSERT INTO %1$s (txid, created_at, state, action, table_name, record_id, sfid, old, "values")
                    SELECT txid_current(), clock_timestamp(), ''NEW'', action, table_name, record_id, sfid, old.old, "values" FROM old ORDER BY id', log);
    EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %s WHERE state IN (''IGNORE'', ''IGNORED'', ''READONLY'', ''REQUEUED'', ''SUCCESS'', ''MERGED'')
                       AND NOT EXISTS (SELECT FROM public.hc_batch_entry e JOIN public.hc_batch b ON b.id = e.batch
                                        WHERE e.log_id = %1$s.id AND NOT e.applied AND b.connection = $1)
                     ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED) x', log) INTO ids USING c.id;
    EXECUTE format('UPDATE %s SET state = ''IGNORED'', processed_at = clock_timestamp(), processed_tx = txid_current(), updated_at = clock_timestamp()
                     WHERE id = ANY ($1) AND state = ''IGNORE''', log) USING ids;
    moved := public.hc_archive(c, ids);
    EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %s WHERE state = ''FAILED'' AND processed_at < clock_timestamp() + $2 - $1
                       ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED) x', log)
        INTO ids USING public.hc_setting(c, 'failed_kept', '24 hours')::interval, c.clock_offset;
    moved := moved + public.hc_archive(c, ids);
    EXECUTE format('DELETE FROM %1$I._trigger_log_archive WHERE id IN (SELECT id FROM %1$I._trigger_log_archive WHERE created_at < $1 ORDER BY created_at LIMIT 1000)',
                   c.schema_name) USING now_there - public.hc_setting(c, 'archive_kept', '31 days')::interval;
    GET DIAGNOSTICS purged = ROW_COUNT;
    DELETE FROM public.hc_batch b WHERE b.connection = c.id AND b.state = 'DONE' AND b.answered_at < now_there - interval '1 day';
    DELETE FROM public.hc_tombstone t USING public.hc_mapping m WHERE m.id = t.mapping AND m.connection = c.id AND t.deleted_at < now_there - interval '1 day';
    DELETE FROM public.hc_event e WHERE e.connection = c.id AND e.at < now_there - interval '31 days';
    UPDATE public.hc_connection h SET settings = h.settings || jsonb_build_object('housekept_at', now_there) WHERE h.id = c.id;
    RETURN jsonb_build_object('archived', moved, 'purged', purged, 'more', moved >= 1000 OR purged >= 1000);
END
$$;
COMMENT ON FUNCTION public.hc_housekeeping(uuid, bigint) IS
    'Archives what was ignored, is read-only or is over, captures again what was set to REQUEUE, and purges what is past its retention; a thousand entries at a time.';

-- Administration: what commands and people call

CREATE FUNCTION public.hc_pause(connection uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.hc_connection h SET state = 'PAUSED' WHERE h.id = hc_pause.connection;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'connection % does not exist', hc_pause.connection USING ERRCODE = 'HC002';
    END IF;
END
$$;
COMMENT ON FUNCTION public.hc_pause(uuid) IS 'Pauses a connection after the batch under way; changes go on being captured.';

CREATE FUNCTION public.hc_resume(connection uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.hc_connection h SET state = 'IDLE', state_detail = NULL WHERE h.id = hc_resume.connection;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'connection % does not exist', hc_resume.connection USING ERRCODE = 'HC002';
    END IF;
    PERFORM public.hc_wake(hc_resume.connection);
END
$$;
COMMENT ON FUNCTION public.hc_resume(uuid) IS 'Resumes a paused connection where it stopped.';

CREATE FUNCTION public.hc_mapping_reload(mapping uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    the_connection uuid;
BEGIN
    UPDATE public.hc_mapping h SET state = 'RELOAD_TABLE', poll_at = NULL WHERE h.id = hc_mapping_reload.mapping RETURNING h.connection INTO the_connection;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'mapping % does not exist', hc_mapping_reload.mapping USING ERRCODE = 'HC002';
    END IF;
    PERFORM public.hc_wake(the_connection);
END
$$;
COMMENT ON FUNCTION public.hc_mapping_reload(uuid) IS 'Reloads a mapping: rows keep their id, rows that Salesforce no longer has are removed.';

CREATE FUNCTION public.hc_clock_advance(connection uuid, by interval) RETURNS timestamptz
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.hc_connection h SET clock_offset = h.clock_offset + by
        WHERE h.id = hc_clock_advance.connection AND coalesce((h.settings ->> 'org_is_loopback')::boolean, false);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the clock of connection % cannot be moved: its org is not on a loopback address', hc_clock_advance.connection
            USING ERRCODE = 'HC003', HINT = 'Moving the clock is for tests against sf-simulator.';
    END IF;
    PERFORM public.hc_wake(hc_clock_advance.connection);
    RETURN public.hc_clock(hc_clock_advance.connection);
END
$$;
COMMENT ON FUNCTION public.hc_clock_advance(uuid, interval) IS 'Moves the clock that all timers of a connection read; for tests, refused for an org that is not on loopback.';

CREATE FUNCTION public.hc_status(connection uuid) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c public.hc_connection;
    states jsonb;
    oldest timestamptz;
    held bigint;
BEGIN
    SELECT h.* INTO c FROM public.hc_connection h WHERE h.id = hc_status.connection;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'connection % does not exist', hc_status.connection USING ERRCODE = 'HC002';
    END IF;
    EXECUTE format('SELECT coalesce(jsonb_object_agg(x.state, x.n), ''{}''), min(x.oldest) FILTER (WHERE x.state IN (''NEW'', ''PENDING'')), sum(x.held)
                      FROM (SELECT coalesce(state, ''?'') AS state, count(*) AS n, min(created_at) AS oldest,
                                   count(*) FILTER (WHERE state = ''NEW'' AND sf_message LIKE ''waits for log entry %%'') AS held
                              FROM %s GROUP BY 1) x', public.hc_log_table(c)) INTO states, oldest, held;
    RETURN jsonb_build_object('connection', c.id, 'schema', c.schema_name, 'state', c.state, 'state_detail', c.state_detail, 'organization_id', c.organization_id,
        'api_version', c.api_version, 'epoch', c.epoch, 'leader', c.leader, 'leader_since', c.leader_since,
        'log', states, 'oldest_unsent_seconds', extract(epoch FROM clock_timestamp() - oldest), 'held', coalesce(held, 0),
        'batches', (SELECT coalesce(jsonb_object_agg(b.state, b.n), '{}') FROM (
                        SELECT x.state, count(*) AS n FROM public.hc_batch x WHERE x.connection = c.id AND x.state <> 'DONE' GROUP BY 1) b),
        'in_doubt', (SELECT count(*) FROM public.hc_batch_entry e JOIN public.hc_batch b ON b.id = e.batch
                      WHERE b.connection = c.id AND b.state IN ('DOUBT', 'PARKED') AND e.outcome IS NULL),
        'waiting_rows', (SELECT count(*) FROM public.hc_batch_entry e JOIN public.hc_batch b ON b.id = e.batch
                          WHERE b.connection = c.id AND e.outcome IS NOT NULL AND NOT e.applied),
        'staged', (SELECT count(*) FROM public.hc_staged s JOIN public.hc_mapping m ON m.id = s.mapping WHERE m.connection = c.id),
        'notifications', (SELECT count(*) FROM public.hc_notification n WHERE n.connection = c.id AND n.acknowledged_at IS NULL),
        'mappings', (SELECT coalesce(jsonb_agg(jsonb_build_object('mapping', m.id, 'object', m.object_name, 'table', m.table_name, 'access', m.access,
                            'state', m.state, 'state_detail', m.state_detail, 'poll_cursor', m.poll_cursor, 'poll_at', m.poll_at,
                            'load', (SELECT jsonb_build_object('step', l.step, 'rows', l.rows, 'expected', l.expected) FROM public.hc_load l WHERE l.mapping = m.id))
                            ORDER BY m.object_name), '[]') FROM public.hc_mapping m WHERE m.connection = c.id));
END
$$;
COMMENT ON FUNCTION public.hc_status(uuid) IS 'The state of a connection as one document: log entries by state, what is held or in doubt, mappings and loads.';

-- Who may do what. Users of mapped tables need nothing of ours: triggers run without a right on their functions. The owner of the
-- database administers connections; another owner of a connection's schema gets the same rights by name.

CREATE FUNCTION public.hc_administration_grants(role name) RETURNS SETOF text
LANGUAGE sql STABLE AS $function$
    SELECT CASE c.relkind WHEN 'S' THEN pg_catalog.format('GRANT ALL ON SEQUENCE public.%I TO %I', c.relname, $1)
                          ELSE pg_catalog.format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO %I', c.relname, $1) END
      FROM pg_catalog.pg_class c
     WHERE c.relnamespace = 'public'::pg_catalog.regnamespace AND c.relkind IN ('r', 'v', 'S')
       AND c.relname ~ '^hc_' AND c.relname !~ '^hc_(load|quiet)_'
    UNION ALL
    SELECT pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO %I', p.oid::pg_catalog.regprocedure, $1)
      FROM pg_catalog.pg_proc p
     WHERE p.pronamespace = 'public'::pg_catalog.regnamespace AND p.proname ~ '^hc_'
$function$;
COMMENT ON FUNCTION public.hc_administration_grants(name) IS 'Statements that let a role administer connections';

CREATE FUNCTION public.hc_grant_administration(role name) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    statement text;
BEGIN
    FOR statement IN SELECT s FROM public.hc_administration_grants($1) AS statements(s) LOOP
        EXECUTE statement;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION public.hc_grant_administration(name) IS 'Lets a role administer connections; the owner of the database always may';

DO $do$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT pg_catalog.regexp_replace(pg_catalog.regexp_replace(s, '^GRANT .* ON (SEQUENCE|ROUTINE|)', 'REVOKE ALL ON \1'),
                                         ' TO \S+$', ' FROM PUBLIC')
          FROM public.hc_administration_grants('pg_database_owner') AS statements(s)
    LOOP
        EXECUTE statement;
    END LOOP;
    PERFORM public.hc_grant_administration('pg_database_owner');
END
$do$;
