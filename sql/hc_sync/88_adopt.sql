-- Adoption: the plan shown, and carried out in one transaction that touches the catalog alone. The tables go on with the
-- triggers that they have, which write the same log, until hc_adopt_triggers exchanges them table by table.

CREATE FUNCTION public.hc_adopt_steps(plan jsonb) RETURNS TABLE (step text, detail text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    WITH mapping AS (
        SELECT m.value AS m, m.value ->> 'table' AS name, m.ordinality AS place FROM jsonb_array_elements($1 -> 'mappings') WITH ORDINALITY m
    ), entry AS (
        SELECT e.value ->> 'table' AS name, coalesce(e.value ->> 'state', 'no state') AS state, (e.value ->> 'count')::bigint AS n FROM jsonb_array_elements($1 -> 'entries') e)
    SELECT s.step, s.detail FROM (
        SELECT 1 AS part, 0::bigint AS place, 'connection' AS step, format('schema %s, organization %s, API version %s, %s mappings', $1 ->> 'schema',
               coalesce($1 ->> 'organization_id', 'of the first login'), coalesce($1 ->> 'api_version', 'of the relay'), jsonb_array_length($1 -> 'mappings')) AS detail
        UNION ALL
        SELECT 2, 0, 'warning', format('process %s (%s) %s', s.value ->> 'pid', coalesce(nullif(s.value ->> 'application', ''), 'no name'),
               CASE WHEN (s.value ->> 'listens')::boolean THEN 'waits for changes of this schema: it must end first' ELSE 'may be Heroku Connect''s' END)
          FROM jsonb_array_elements($1 -> 'sessions') s
        UNION ALL
        SELECT 3, row_number() OVER (ORDER BY s.key), 'setting', s.key || ': ' || (s.value #>> '{}') FROM jsonb_each($1 -> 'settings') s
        UNION ALL
        SELECT 4, place, 'mapping', format('%s: %s, %s, about %s rows, %s fields from %s%s', name, m ->> 'access',
               coalesce('log trigger of version ' || (m ->> 'version'), 'log trigger of unknown version'), m ->> 'rows',
               (SELECT count(*) FROM jsonb_object_keys(m #> '{config,fields}')), CASE WHEN (m ->> 'in_file')::boolean THEN 'the mapping file' ELSE 'its columns' END,
               (SELECT '; log: ' || string_agg(format('%s %s', e.n, e.state), ', ' ORDER BY e.state) FROM entry e WHERE e.name = mapping.name))
          FROM mapping
        UNION ALL
        SELECT 5, place, 'poll', name || ': ' || CASE
               WHEN m -> 'cursor' <> 'null' THEN format('from %s UTC', replace(m ->> 'cursor', 'T', ' '))
               WHEN m -> 'newest' = 'null' THEN 'has no record with a SystemModstamp, so it is loaded; rows keep their id'
               ELSE format('its newest SystemModstamp, %s, is over 15 days old: it is loaded again to compare ids; rows keep their id, those that Salesforce lacks go',
                           replace(m ->> 'newest', 'T', ' ')) END
          FROM mapping
        UNION ALL
        SELECT 6, p.ordinality, 'pending', format('entry %s: %s of %s row %s: nobody knows whether it was sent; it waits for: hc-relay doubt decide BATCH %1$s send|drop|RECORD_ID',
               p.value ->> 'id', p.value ->> 'action', p.value ->> 'table_name', coalesce(p.value ->> 'record_id', '?'))
          FROM jsonb_array_elements($1 -> 'pending') WITH ORDINALITY p
        UNION ALL
        SELECT 7, 0, 'log', format('%s: %s %s of a table that is not mapped%s', coalesce(e.name, 'no table'), e.n, e.state,
               CASE WHEN e.state IN ('NEW', 'PENDING') THEN ': to fail, not to be sent' ELSE '' END)
          FROM entry e WHERE NOT EXISTS (SELECT FROM mapping WHERE mapping.name = e.name)
        UNION ALL
        SELECT 7, 1, 'log', format('%s: %s %s, a state that is not known: left alone', e.name, e.n, e.state) FROM entry e
         WHERE e.state NOT IN ('NEW', 'PENDING', 'SUCCESS', 'FAILED', 'MERGED', 'IGNORE', 'IGNORED', 'READONLY', 'REQUEUE', 'REQUEUED')
        UNION ALL
        SELECT 7, 2, 'log', format('%s: %s NEW of a read_only mapping: to fail, not to be sent', e.name, e.n) FROM entry e JOIN mapping USING (name)
         WHERE e.state = 'NEW' AND m ->> 'access' = 'read_only'
        UNION ALL
        SELECT 8, 0, 'make', 'table ' || t FROM jsonb_array_elements_text($1 -> 'make') AS tables(t)
        UNION ALL
        SELECT 8, 1, 'make', 'functions hc_capture_insert_from_row and hc_capture_update_from_row' WHERE ($1 -> 'make_functions')::boolean
        UNION ALL
        SELECT 9, place, 'trigger', format('%s: %s and %s are exchanged in place', name, m #>> '{names,log_trigger}', m #>> '{names,status_trigger}') FROM mapping
        UNION ALL
        SELECT 10, place, 'index', format('%s: %s is missing, to be built on %s without locking the table', name, i.value ->> 'name', i.key)
          FROM mapping, jsonb_each(m #> '{names,indexes}') i
         WHERE to_regclass(format('%I.%I', $1 ->> 'schema', i.value ->> 'name')) IS NULL
        UNION ALL
        SELECT 11, place, 'oddity', name || ': ' || o FROM mapping, jsonb_array_elements_text(m -> 'oddities') AS oddities(o)
        UNION ALL
        SELECT 11, 1000000, 'oddity', o FROM jsonb_array_elements_text($1 -> 'oddities') AS oddities(o)) s
     ORDER BY s.part, s.place, s.detail COLLATE "C"
$function$;
COMMENT ON FUNCTION public.hc_adopt_steps(jsonb) IS 'The plan of an adoption, one step a row';

CREATE FUNCTION public.hc_adopt(schema name, configuration jsonb DEFAULT NULL, dry_run boolean DEFAULT false) RETURNS TABLE (step text, detail text)
LANGUAGE plpgsql AS $function$
DECLARE
    plan jsonb;
BEGIN
    PERFORM public.hc_adopt_check($1, $3);
    plan := public.hc_adopt_plan($1, $2);
    IF NOT $3 THEN
        PERFORM public.hc_adopt_write(plan);
    END IF;
    RETURN QUERY SELECT s.step, s.detail FROM public.hc_adopt_steps(plan) s;
END
$function$;
COMMENT ON FUNCTION public.hc_adopt(name, jsonb, boolean) IS
    'Takes over a schema that Heroku Connect made, and says step by step what was done; dry_run only says it. configuration is the exported mapping file. CALL hc_adopt_triggers follows';
