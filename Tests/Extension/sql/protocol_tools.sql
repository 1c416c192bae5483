-- What the protocol tests share: a describe, a connection with one mapping, and a session that leads it
CREATE SCHEMA regress_tools;
CREATE FUNCTION regress_tools.description() RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('name', 'Account', 'queryable', true, 'replicateable', true, 'createable', true, 'fields', '[
    {"name":"Id","type":"id","length":18},
    {"name":"SystemModstamp","type":"datetime"},
    {"name":"IsDeleted","type":"boolean"},
    {"name":"CreatedDate","type":"datetime"},
    {"name":"CreatedById","type":"reference","length":18,"referenceTo":["User"],"relationshipName":"CreatedBy"},
    {"name":"Name","type":"string","length":80,"createable":true,"updateable":true},
    {"name":"Ext__c","type":"string","length":36,"createable":true,"updateable":true,"externalId":true,"unique":true},
    {"name":"Amount__c","type":"currency","precision":18,"scale":2,"createable":true,"updateable":true},
    {"name":"Active__c","type":"boolean","createable":true,"updateable":true},
    {"name":"Closed__c","type":"datetime","createable":true,"updateable":true},
    {"name":"Formula__c","type":"string","length":1300,"calculated":true},
    {"name":"ParentId","type":"reference","length":18,"referenceTo":["Account"],"relationshipName":"Parent","createable":true,"updateable":true}]'::jsonb)
$$;
CREATE TABLE regress_tools.ids (name text PRIMARY KEY, connection uuid, mapping uuid, epoch bigint);
CREATE FUNCTION regress_tools.connect(name text, upsert boolean DEFAULT true) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  c uuid := public.hc_connection_create(connect.name, NULL, '62.0');
  m uuid := public.hc_mapping_create(c, 'Account', jsonb_build_object('access', 'read_write', 'fields',
    '{"Name":{},"Ext__c":{},"Amount__c":{},"Active__c":{},"Closed__c":{},"Formula__c":{},"ParentId":{},"CreatedDate":{},"Parent__Ext__c":{}}'::jsonb)
    || CASE WHEN upsert THEN '{"upsert_field":"Ext__c"}' ELSE '{}' END::jsonb, regress_tools.description());
  e bigint := public.hc_lead(c, 'regress');
BEGIN
  PERFORM public.hc_identify(c, e, '00Dxx0000001gPLEAY', '005xx000001Sv6AAAS', clock_timestamp(), true);
  UPDATE public.hc_mapping SET state = 'DATA_SYNCED', poll_cursor = now() - interval '1 hour', deleted_cursor = now() - interval '1 hour', poll_at = now() + interval '10 min' WHERE id = m;
  INSERT INTO regress_tools.ids VALUES (connect.name, c, m, e);
  PERFORM set_config('idle_session_timeout', '0', false), set_config('idle_in_transaction_session_timeout', '0', false);
  RETURN 'leads';
END $$;
CREATE FUNCTION regress_tools.results(VARIADIC r text[]) RETURNS jsonb LANGUAGE sql AS $$
  -- an 18-character id means success; CODE means a rejection
  SELECT jsonb_build_object('request_id', 'r', 'results', jsonb_agg(CASE WHEN x ~ '^00' THEN jsonb_build_object('id', x, 'success', true, 'created', true, 'errors', '[]'::jsonb)
    ELSE jsonb_build_object('id', NULL, 'success', false, 'errors', jsonb_build_array(jsonb_build_object('code', x, 'message', 'because', 'fields', '["Name"]'::jsonb))) END ORDER BY n))
  FROM unnest(r) WITH ORDINALITY AS t(x, n)
$$;
-- claim, sent, answered, applied in one call, as the relay does; shows what was sent
CREATE FUNCTION regress_tools.send(name text, VARIADIC r text[]) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  i regress_tools.ids := (SELECT t FROM regress_tools.ids t WHERE t.name = send.name);
  b jsonb := public.hc_claim(i.connection, i.epoch);
BEGIN
  IF b IS NULL THEN RETURN NULL; END IF;
  PERFORM public.hc_sent(i.connection, i.epoch, (b ->> 'batch')::bigint);
  PERFORM public.hc_answer(i.connection, i.epoch, (b ->> 'batch')::bigint, 'answered', regress_tools.results(VARIADIC r));
  PERFORM public.hc_apply(i.connection, i.epoch, (b ->> 'batch')::bigint);
  RETURN jsonb_build_array(b -> 'operation', (SELECT jsonb_agg(jsonb_strip_nulls(x.value - 'log_id') ORDER BY ordinality) FROM jsonb_array_elements(b -> 'records') WITH ORDINALITY x));
END $$;
-- the steps one by one, for two sessions: the last batch of the connection
CREATE FUNCTION regress_tools.batch(name text) RETURNS bigint LANGUAGE sql AS $$
  SELECT max(b.id) FROM public.hc_batch b JOIN regress_tools.ids i USING (connection) WHERE i.name = batch.name
$$;
CREATE FUNCTION regress_tools.claim(name text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT public.hc_claim(i.connection, i.epoch) FROM regress_tools.ids i WHERE i.name = claim.name
$$;
CREATE FUNCTION regress_tools.answer(name text, VARIADIC r text[]) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  i regress_tools.ids := (SELECT t FROM regress_tools.ids t WHERE t.name = answer.name);
  b bigint := regress_tools.batch(name);
BEGIN
  PERFORM public.hc_sent(i.connection, i.epoch, b) FROM public.hc_batch x WHERE x.id = b AND x.state = 'CLAIMED';
  PERFORM public.hc_answer(i.connection, i.epoch, b, 'answered', regress_tools.results(VARIADIC r)) FROM public.hc_batch x WHERE x.id = b AND x.state = 'SENT';
  RETURN public.hc_apply(i.connection, i.epoch, b);
END $$;
-- a record of Salesforce that arrives, as changed there just now; ext null: it was deleted
CREATE FUNCTION regress_tools.arrive(name text, sfid text, ext text) RETURNS integer LANGUAGE sql AS $$
  SELECT CASE WHEN ext IS NULL
    THEN (public.hc_deleted(i.connection, i.epoch, i.mapping, jsonb_build_array(jsonb_build_object('id', sfid, 'deletedDate', '2024-02-02T00:00:00.000+0000')),
                            now() - interval '2 hours', now()) ->> 'staged')::integer
    ELSE public.hc_stage(i.connection, i.epoch, i.mapping, jsonb_build_array(jsonb_build_object('Id', sfid, 'Name', 'theirs', 'Ext__c', ext,
                            'SystemModstamp', '2024-02-02T00:00:00.000+0000')), now()) END
    FROM regress_tools.ids i WHERE i.name = arrive.name
$$;
CREATE FUNCTION regress_tools.log(name text) RETURNS TABLE (place text, id bigint, state varchar, action varchar, record_id bigint, sf_message text) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT ''log'', id::bigint, state, action, record_id::bigint, sf_message FROM %1$I._trigger_log
    UNION ALL SELECT ''archive'', id::bigint, state, action, record_id::bigint, sf_message FROM %1$I._trigger_log_archive ORDER BY 2', name);
END $$;
CREATE FUNCTION regress_tools.refused(name text, step text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  i regress_tools.ids := (SELECT t FROM regress_tools.ids t WHERE t.name = refused.name);
BEGIN
  CASE step
    WHEN 'claim' THEN PERFORM public.hc_claim(i.connection, i.epoch);
    WHEN 'sent' THEN PERFORM public.hc_sent(i.connection, i.epoch, regress_tools.batch(name));
    WHEN 'answer' THEN PERFORM public.hc_answer(i.connection, i.epoch, regress_tools.batch(name), 'answered', '{}');
    WHEN 'apply' THEN PERFORM public.hc_apply(i.connection, i.epoch, regress_tools.batch(name));
    WHEN 'merge' THEN PERFORM public.hc_merge(i.connection, i.epoch, i.mapping);
    WHEN 'housekeeping' THEN PERFORM public.hc_housekeeping(i.connection, i.epoch);
  END CASE;
  RETURN 'accepted';
EXCEPTION WHEN SQLSTATE 'HC001' THEN
  RETURN 'refused by the epoch';
END $$;
CREATE FUNCTION regress_tools.disconnect(name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_unlock_all();
  SET LOCAL client_min_messages = error;
  DELETE FROM public.hc_connection WHERE schema_name = disconnect.name;
  DELETE FROM regress_tools.ids i WHERE i.name = disconnect.name;
  EXECUTE format('DROP SCHEMA %I CASCADE', name);
  EXECUTE format('DROP SEQUENCE public.%I', public.hc_quiet_name(name));
  RETURN 'gone';
END $$;
-- Calls of merged and planned writes: a second object with a parent, and a turn that claims calls and answers all of them with success
CREATE FUNCTION regress_tools.add_contact(name text, settings jsonb DEFAULT '{}') RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  i regress_tools.ids := (SELECT t FROM regress_tools.ids t WHERE t.name = add_contact.name);
  m uuid := public.hc_mapping_create(i.connection, 'Contact', jsonb_build_object('access', 'read_write', 'upsert_field', 'Ext__c', 'hc_sync', settings, 'fields',
    '{"LastName":{},"Ext__c":{},"AccountId":{},"Account__Ext__c":{},"ReportsTo__Ext__c":{}}'::jsonb),
    jsonb_build_object('name', 'Contact', 'queryable', true, 'replicateable', true, 'createable', true, 'fields', '[
    {"name":"Id","type":"id","length":18}, {"name":"SystemModstamp","type":"datetime"}, {"name":"IsDeleted","type":"boolean"},
    {"name":"LastName","type":"string","length":80,"createable":true,"updateable":true},
    {"name":"Ext__c","type":"string","length":36,"createable":true,"updateable":true,"externalId":true,"unique":true},
    {"name":"ReportsToId","type":"reference","length":18,"referenceTo":["Contact"],"relationshipName":"ReportsTo","createable":true,"updateable":true},
    {"name":"AccountId","type":"reference","length":18,"referenceTo":["Account"],"relationshipName":"Account","createable":true,"updateable":true}]'::jsonb));
BEGIN
  UPDATE public.hc_mapping SET state = 'DATA_SYNCED', poll_cursor = now() - interval '1 hour', deleted_cursor = now() - interval '1 hour', poll_at = now() + interval '10 min' WHERE id = m;
  RETURN m;
END $$;
CREATE FUNCTION regress_tools.setting(name text, settings jsonb) RETURNS void LANGUAGE sql AS $$
  UPDATE public.hc_connection c SET settings = c.settings || setting.settings FROM regress_tools.ids i WHERE i.connection = c.id AND i.name = setting.name
$$;
-- operation, then for each batch the object and for each record the row, as claimed; what is sent of it with details
CREATE FUNCTION regress_tools.shown(calls jsonb, details boolean DEFAULT false) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('%s: %s', k.value ->> 'operation', (SELECT string_agg(format('%s %s', b.value ->> 'object', (
      SELECT string_agg(CASE WHEN details THEN jsonb_strip_nulls(r.value - 'log_id')::text ELSE r.value ->> 'record_id' END, ', ' ORDER BY r.ordinality)
        FROM jsonb_array_elements(b.value -> 'records') WITH ORDINALITY r)), '; ' ORDER BY b.ordinality)
     FROM jsonb_array_elements(k.value -> 'batches') WITH ORDINALITY b))
  FROM jsonb_array_elements(calls) WITH ORDINALITY k ORDER BY k.ordinality
$$;
CREATE FUNCTION regress_tools.claim_calls(name text, calls integer DEFAULT 25) RETURNS jsonb LANGUAGE sql AS $$
  SELECT public.hc_claim_calls(i.connection, i.epoch, calls) FROM regress_tools.ids i WHERE i.name = claim_calls.name
$$;
-- answers all calls under way: with success, or with the code given for rows of an object ('Account 3')
CREATE FUNCTION regress_tools.answer_calls(name text, failures jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  i regress_tools.ids := (SELECT t FROM regress_tools.ids t WHERE t.name = answer_calls.name);
  b public.hc_batch;
BEGIN
  FOR b IN SELECT x.* FROM public.hc_batch x WHERE x.connection = i.connection AND x.state IN ('CLAIMED', 'SENT') AND x.attempt > 0 ORDER BY x.id LOOP
    PERFORM public.hc_sent(i.connection, i.epoch, b.id) WHERE b.state = 'CLAIMED';
    PERFORM public.hc_answer(i.connection, i.epoch, b.id, 'answered', jsonb_build_object('request_id', 'r', 'results', (
      SELECT jsonb_agg(CASE WHEN failures ? (b.object_name || ' ' || e.record_id)
          THEN jsonb_build_object('id', NULL, 'success', false, 'errors', jsonb_build_array(jsonb_build_object('code', failures ->> (b.object_name || ' ' || e.record_id), 'message', 'because', 'fields', '[]'::jsonb)))
          ELSE jsonb_build_object('id', coalesce(e.payload ->> 'id', CASE b.object_name WHEN 'Account' THEN '001' ELSE '003' END || lpad(e.record_id::text, 12, '0') || 'AAA'),
                                  'success', true, 'created', b.operation IN ('create', 'upsert'), 'errors', '[]'::jsonb) END ORDER BY e.position)
        FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied AND e.merged_into IS NULL)));
    PERFORM public.hc_apply(i.connection, i.epoch, b.id);
  END LOOP;
END $$;
CREATE FUNCTION regress_tools.turn(name text, details boolean DEFAULT false, failures jsonb DEFAULT '{}') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  claimed jsonb := regress_tools.claim_calls(name);
BEGIN
  RETURN QUERY SELECT regress_tools.shown(claimed, details);
  PERFORM regress_tools.answer_calls(name, failures);
END $$;
