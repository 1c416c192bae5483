-- Claim: the next changes in log order that may travel in one request

CREATE FUNCTION public.hc_log_table(c public.hc_connection) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT pg_catalog.format('%I._trigger_log', c.schema_name) $$;   -- no SET, so that it is inlined
COMMENT ON FUNCTION public.hc_log_table(public.hc_connection) IS 'The connection''s trigger log, quoted.';

CREATE FUNCTION public.hc_waits_for(c public.hc_connection, m public.hc_mapping, record_id bigint, entry bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_id bigint;
BEGIN
    EXECUTE format('SELECT l.id FROM %s l, public.hc_generation_of($4, $3) g
                     WHERE l.state IN (''NEW'', ''PENDING'', ''FAILED'') AND l.table_name = $1 AND l.record_id = $2
                       AND l.action = ''INSERT'' AND l.id <> $3 AND l.id > g.above AND l.id <= g.upto ORDER BY l.id LIMIT 1', public.hc_log_table(c))
        INTO found_id USING m.table_name::text, record_id, entry, m.id;
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
    parent_type text;
    parent_id bigint;
    parent_exists boolean;
    found_id bigint;
BEGIN
    FOR p IN SELECT x.* FROM jsonb_to_recordset(parents) AS x(object text, field text, value text) LOOP
        SELECT * INTO m FROM public.hc_mapping h WHERE h.connection = c.id AND h.object_name = p.object;
        SELECT f.column_name, regexp_replace(f.postgres_type, '\s*\(.*\)', '') INTO parent_column, parent_type FROM public.hc_field f WHERE f.mapping = m.id AND f.field_name = p.field;
        CONTINUE WHEN parent_column IS NULL;
        EXECUTE format('SELECT true, min(t.id) FILTER (WHERE t.sfid IS NULL) FROM %I.%I t WHERE t.%I = $1::%s HAVING count(*) > 0', c.schema_name, m.table_name, parent_column, parent_type)
            INTO parent_exists, parent_id USING p.value;
        -- Salesforce finds it whatever its case. Not in one condition, which no index could serve.
        IF parent_exists IS NULL THEN
            EXECUTE format('SELECT min(t.id) FROM %I.%I t WHERE lower(t.%I::text) = lower($1) AND t.sfid IS NULL', c.schema_name, m.table_name, parent_column)
                INTO parent_id USING p.value;
        END IF;
        CONTINUE WHEN parent_id IS NULL;
        -- The parent's row is one of those that its table has now, whenever the child was captured.
        found_id := public.hc_waits_for(c, m, parent_id, CASE WHEN before > public.hc_rows_since(m.id) THEN before ELSE 9223372036854775807 END);
        IF found_id IS NOT NULL THEN
            RETURN found_id;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION public.hc_parent_waits_for(public.hc_connection, jsonb, bigint) IS
    'The INSERT of a parent named by external id that Salesforce has not accepted yet: the child must be sent in a later request.';

CREATE FUNCTION public.hc_sfid_of_gone(c public.hc_connection, m public.hc_mapping, record_id bigint, entry bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_sfid text;
BEGIN
    EXECUTE format('SELECT a.sfid FROM %I._trigger_log_archive a, public.hc_generation_of($4, $3) g
                     WHERE a.record_id = $2 AND a.table_name = $1 AND a.action = ''INSERT'' AND a.sfid IS NOT NULL AND a.id > g.above AND a.id <= g.upto
                     ORDER BY a.id DESC LIMIT 1', c.schema_name) INTO found_sfid USING m.table_name::text, record_id, entry, m.id;
    RETURN found_sfid;
END
$$;
COMMENT ON FUNCTION public.hc_sfid_of_gone(public.hc_connection, public.hc_mapping, bigint, bigint) IS
    'The Salesforce id that the INSERT of a row got which is gone with its table: the archive knows it.';

CREATE FUNCTION public.hc_claim_entry(c public.hc_connection, m public.hc_mapping, log_id bigint, log_action text, log_record_id bigint,
                                      log_sfid text, log_values text, failed_inserts jsonb)
    RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    target text := nullif(log_sfid, '');
    row_sfid text;
    row_is_there boolean := false;
    operation text;
    wire jsonb := '{"fields":{},"nulls":[],"parents":[],"dropped":[]}';
    identifier text;
    waits_for bigint;
    row_is_gone boolean := log_id <= public.hc_rows_since(m.id);   -- of an earlier generation: a row of that id is another one
BEGIN
    IF m.id IS NULL THEN
        RETURN jsonb_build_object('failed', 'NOT_MAPPED', 'message', 'no mapping has this table; set state to IGNORE, or map the object and set it to NEW');
    ELSIF m.access <> 'read_write' AND log_id > coalesce(m.sends_until, 0) THEN
        RETURN jsonb_build_object('failed', 'READ_ONLY_MAPPING', 'message',
            format('the mapping of %s is read_only; set its access to read_write and this entry to NEW, or this entry to IGNORE', m.object_name));
    ELSIF log_record_id IS NULL AND NOT (log_action = 'DELETE' AND target IS NOT NULL) THEN
        RETURN jsonb_build_object('failed', 'NO_RECORD', 'message', 'record_id is null: the entry names no row');
    END IF;
    IF NOT row_is_gone THEN
        EXECUTE format('SELECT true, t.sfid FROM %I.%I t WHERE t.id = $1', c.schema_name, m.table_name) INTO row_is_there, row_sfid USING log_record_id;
        target := coalesce(target, nullif(row_sfid, ''));
    END IF;
    IF row_is_there IS NOT TRUE AND target IS NULL AND log_action IN ('UPDATE', 'DELETE') THEN
        -- Captured before the answer to the INSERT, and the row was deleted since.
        target := public.hc_sfid_of_gone(c, m, log_record_id, log_id);
    END IF;

    IF log_action IN ('UPDATE', 'DELETE') AND target IS NULL THEN
        SELECT f.id INTO waits_for FROM public.hc_generation_of(m.id, log_id) g, LATERAL (SELECT (failed_inserts ->> (m.table_name || ' ' || log_record_id))::bigint AS id) f
            WHERE f.id > g.above AND f.id <= g.upto;
        waits_for := coalesce(waits_for, public.hc_waits_for(c, m, log_record_id, log_id));
        IF waits_for IS NOT NULL THEN
            RETURN jsonb_build_object('held', waits_for, 'own', true);
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
EXCEPTION WHEN data_exception OR syntax_error OR internal_error THEN   -- the last two: text that is no hstore, in an entry written by hand
    RETURN jsonb_build_object('failed', 'INVALID_VALUE', 'message', SQLERRM);
END
$$;
COMMENT ON FUNCTION public.hc_claim_entry(public.hc_connection, public.hc_mapping, bigint, text, bigint, text, text, jsonb) IS
    'What one log entry asks of Salesforce: an operation with its payload, or {"held": log id}, {"failed": code, "message"}, {"nothing": true}.';
