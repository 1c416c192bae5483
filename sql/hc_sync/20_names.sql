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
        'status_trigger', public.hc_short_name('hc_' || $1 || '_status_trigger'),
        'truncate_trigger', public.hc_short_name('hc_' || $1 || '_truncate_trigger'))
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
