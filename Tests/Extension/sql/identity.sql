-- Which database a connection is bound to, mark by mark. hc_identity_differs is asked about changed copies of the connection's row.
\set SHOW_CONTEXT never
SELECT regress_connection('bound') AS connection \gset
CREATE FUNCTION regress_differs(changed jsonb, whence jsonb DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(public.hc_identity_differs(jsonb_populate_record(c, jsonb_build_object('identity', c.identity || changed)), whence),
                          '[0-9]{4,}|"[^"]*regression"', '#', 'g') FROM public.hc_connection c WHERE schema_name = 'bound' $$;
SELECT array_agg(key ORDER BY key) FROM hc_connection, jsonb_object_keys(identity) key WHERE schema_name = 'bound' AND key <> 'server';
SELECT regress_differs('{}'), regress_differs('{}', '{"address": "db:5432", "addresses": ["db:5432"]}');
SELECT regress_differs('{"system": "1000"}');
SELECT regress_differs('{"database_oid": "1000"}');
SELECT regress_differs('{"database": "b4"}');
SELECT regress_differs('{"log": "1000"}');
SELECT regress_differs('{"addresses": ["a:1", "b:1"]}', '{"address": "b:1"}');
SELECT regress_differs('{"addresses": ["a:1", "b:1"]}', '{"address": "c:1"}');
SELECT regress_differs('{"addresses": ["a:1"], "timeline": 0}', '{"address": "c:1"}');
-- A host that shows no system identifier: what is left is compared.
SELECT regress_differs('{"system": null}');

-- A good way adds what DATABASE_URL lists; the fence is then asked of the place that keeps it, and of no other.
SELECT hc_lead(:'connection', 'a', '{"address": "a:1", "addresses": ["a:1", "b:1"]}') AS e \gset
SELECT hc_fence_advance(:'connection', :e, '{"address": "b:1", "keeper": "k"}', 'f1') AS at \gset
SELECT identity -> 'addresses' FROM hc_connection WHERE id = :'connection';
CREATE FUNCTION regress_whence(keeper text, kept text, at text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('address', 'a:1', 'keeper', keeper, 'kept', kept::jsonb, 'kept_at', at) $$;
SELECT regress_differs('{}', regress_whence('k', '["f1"]', :'at')), regress_differs('{}', regress_whence('k', '["f0", "f1"]', :'at')),
       regress_differs('{}', regress_whence('other', '[]', NULL));
SELECT regress_differs('{}', regress_whence('k', '["f2"]', :'at')) LIKE 'the database does not have the fence%' AS older,
       regress_differs('{}', regress_whence('other', '["f1"]', :'at')) IS NOT NULL AS other;
SELECT regress_whence('k', '["f2"]', :'at') AS whence \gset
\set VERBOSITY sqlstate
SELECT hc_lead(:'connection', 'a', :'whence');
SELECT hc_lead(:'connection', 'a', '{"address": "c:1"}');
SELECT hc_fence_advance(:'connection', :e, '{"address": "c:1", "keeper": "k"}', 'f3');
\set VERBOSITY default
SELECT epoch = :e AS same FROM hc_connection WHERE id = :'connection';
-- While nobody leads, a relay that comes a bad way says so, once.
SELECT pg_advisory_unlock_all();
SELECT hc_identity_refused(:'connection', '{"address": "c:1"}') = hc_identity_refused(:'connection', '{"address": "c:1"}') AS told;
SELECT state, state_detail LIKE '%hc-relay connection rebind bound' AS advised, (SELECT sum(times) FROM hc_notification n WHERE n.connection = c.id AND event_type = 'identity') AS told
  FROM hc_connection c WHERE id = :'connection';
-- A relay that comes a good way goes on, and so does a person's word.
SELECT hc_lead(:'connection', 'a', '{"address": "a:1"}') > :e AS leads;
SELECT state, state_detail FROM hc_connection WHERE id = :'connection';
SELECT hc_rebind(:'connection');
SELECT regress_differs('{}', regress_whence('k', '["f2"]', :'at')), identity -> 'addresses' FROM hc_connection WHERE id = :'connection';
-- Every table and sequence of the extension is in its dump; what the portable bundle made is dumped as any table is.
SELECT d.objid::regclass FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
  JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind IN ('r', 'S', 'p')
 WHERE e.extname = 'hc_sync' AND NOT c.oid = ANY (e.extconfig);
SELECT pg_advisory_unlock_all();
DROP FUNCTION regress_differs, regress_whence;
DELETE FROM hc_connection WHERE id = :'connection';
SET client_min_messages = warning;
DROP SCHEMA bound CASCADE;
DROP SEQUENCE hc_quiet_bound;
