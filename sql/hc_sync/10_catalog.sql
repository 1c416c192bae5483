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
    created_at      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    generated_by    text DEFAULT public.hc_version(),
    sending_held    jsonb
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
COMMENT ON COLUMN public.hc_connection.identity IS 'Marks of the database that the connection is bound to, and the addresses at which relays may reach it; see hc_identity';
COMMENT ON COLUMN public.hc_connection.generated_by IS 'Version whose functions and triggers the schema has; hc_refresh brings it up to date';
COMMENT ON COLUMN public.hc_connection.sending_held IS 'Why nothing is sent, and until when: {"until","kind","code","message"}; see hc_hold_connection';

CREATE TABLE public.hc_fence (
    connection  uuid NOT NULL REFERENCES public.hc_connection ON DELETE CASCADE,
    keeper      text NOT NULL,
    value       text NOT NULL,
    advanced_at timestamptz NOT NULL,
    CONSTRAINT hc_fence_pkey PRIMARY KEY (connection, keeper)
);
COMMENT ON TABLE public.hc_fence IS 'Random values that relays also keep outside the database: an older state of the database does not have the newest';
COMMENT ON COLUMN public.hc_fence.keeper IS 'The place where a relay keeps it: one for each state folder';

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
    sends_until    bigint,
    sending_held   jsonb,
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
COMMENT ON COLUMN public.hc_mapping.sends_until IS 'Of a mapping made read_only: entries up to this one were captured before, and are sent';
COMMENT ON COLUMN public.hc_mapping.sending_held IS 'Calls refused for the mapping without one accepted since, and, when it has been stopped, why and until when: {"refusals","until","code","message"}';
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

CREATE TABLE public.hc_column_change (
    schema_name name NOT NULL,
    table_name  name NOT NULL,
    column_name name NOT NULL,
    new_column  name NOT NULL,
    new_type    text NOT NULL,
    mapping     uuid REFERENCES public.hc_mapping ON DELETE CASCADE,
    field       jsonb,
    may_fail    boolean NOT NULL,
    "cascade"   boolean NOT NULL DEFAULT false,
    step        text NOT NULL DEFAULT 'fill' CHECK (step IN ('fill', 'swap', 'validate')),
    last_id     bigint,
    rows        bigint NOT NULL DEFAULT 0,
    checks      name[] NOT NULL DEFAULT '{}',
    began_at    timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (schema_name, table_name, column_name)
);
COMMENT ON TABLE public.hc_column_change IS
    'Columns that get another type under load. fill: a new column beside the old one is being filled; swap: it is full and takes the old one''s place next; validate: it has, and CHECK constraints are validated last';
COMMENT ON COLUMN public.hc_column_change.new_column IS 'Column of the new type beside the old one; capture leaves it out';
COMMENT ON COLUMN public.hc_column_change.mapping IS 'Mapping of the table; null for a table that is not mapped';
COMMENT ON COLUMN public.hc_column_change.field IS 'Row of hc_field that the swap writes';
COMMENT ON COLUMN public.hc_column_change.may_fail IS 'Whether there are values of the old type that the new type does not have';
COMMENT ON COLUMN public.hc_column_change."cascade" IS 'Whether the swap drops what depends on the old column and cannot follow';
COMMENT ON COLUMN public.hc_column_change.last_id IS 'Rows up to this id are filled';
COMMENT ON COLUMN public.hc_column_change.rows IS 'Rows written by the fill so far';
COMMENT ON COLUMN public.hc_column_change.checks IS 'CHECK constraints that are still to be validated';

CREATE TABLE public.hc_adoption (
    connection    uuid PRIMARY KEY REFERENCES public.hc_connection ON DELETE CASCADE,
    adopted_at    timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    plan          jsonb NOT NULL,
    undo          jsonb NOT NULL,
    exchanged     uuid[] NOT NULL DEFAULT '{}',
    log_exchanged boolean NOT NULL DEFAULT false,
    final_at      timestamptz,
    final_reason  text
);
COMMENT ON TABLE public.hc_adoption IS 'How a connection was taken over from Heroku Connect, and what undo needs';
COMMENT ON COLUMN public.hc_adoption.plan IS 'The plan as it was carried out';
COMMENT ON COLUMN public.hc_adoption.undo IS 'Functions and triggers as they were';
COMMENT ON COLUMN public.hc_adoption.exchanged IS 'Mappings whose triggers are ours already';
COMMENT ON COLUMN public.hc_adoption.log_exchanged IS 'Whether the trigger of the log is ours already';
COMMENT ON COLUMN public.hc_adoption.final_at IS 'When the first change was sent, merged or decided; undo is refused from then on';

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
