-- Options: what a request asks of Salesforce besides its records

CREATE FUNCTION public.hc_write_options(c public.hc_connection, m public.hc_mapping, operation text) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        -- For new records only: with every update the rule would take them from whoever has them by then.
        'assignment_rule', CASE WHEN m.object_name IN ('Account', 'Case', 'Lead') AND operation IN ('create', 'upsert') THEN
            CASE WHEN r.rule = 'true' THEN 'default' WHEN r.rule ~ '^01Q[a-zA-Z0-9]{12}([A-Z0-5]{3})?$' THEN r.rule END END,
        'allow_duplicates', CASE WHEN m.config #> '{hc_sync,allow_duplicates}' = 'true' AND operation <> 'delete' THEN true END))
      FROM (SELECT coalesce(c.settings ->> 'use_assignment_rules', c.settings #>> '{features,use_assignment_rules}') AS rule) r
$$;
COMMENT ON FUNCTION public.hc_write_options(public.hc_connection, public.hc_mapping, text) IS
    'Options of a request: {"assignment_rule": "default" or the id of a rule, "allow_duplicates"}. The first is the connection''s use_assignment_rules (true, or an id), for new Accounts, Cases and Leads; the second is hc_sync.allow_duplicates of the mapping''s configuration.';

CREATE FUNCTION public.hc_options_allow_bulk(options jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT NOT options ? 'allow_duplicates' AND coalesce(options ->> 'assignment_rule', '') <> 'default'
$$;
COMMENT ON FUNCTION public.hc_options_allow_bulk(jsonb) IS
    'Whether a Bulk job can have these options: it knows assignment rules by id only, and nothing of duplicate rules.';
