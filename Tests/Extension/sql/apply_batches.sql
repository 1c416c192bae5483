-- Answers of several batches applied at once: what goes by sets ends as what goes row by row. Schema "sets" is as it is; in "rows" a
-- trigger refuses every statement that writes several rows, so that each change is applied by itself.
\set SHOW_CONTEXT never
SET search_path = regress_tools, public;
SELECT connect('sets'), connect('rows');
CREATE FUNCTION regress_tools.one_row_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF public.get_xmlbinary() = 'hex' AND (SELECT count(*) FROM written) > 1 THEN
    RAISE EXCEPTION 'one row at a time';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER one_row AFTER UPDATE ON rows.account REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION regress_tools.one_row_only();
-- Each kind of change and answer; the name says what Salesforce answers.
CREATE PROCEDURE regress_tools.scene(name text) LANGUAGE plpgsql AS $$
DECLARE
  i ids := (SELECT t FROM ids t WHERE t.name = scene.name);
  b jsonb;
  batches bigint[] := '{}';
  carrier public.hc_batch_entry;
BEGIN
  PERFORM set_config('search_path', format('%I, regress_tools, public', name), true), set_config('xmlbinary', 'hex', true);
  INSERT INTO account (sfid, name) SELECT '001xx0000000' || lpad(n::text, 3, '0') || 'AAA', 'old ' || n FROM generate_series(1, 30) n;
  PERFORM set_config('xmlbinary', 'base64', true);
  UPDATE account SET name = 'good ' || id WHERE id BETWEEN 1 AND 12;
  UPDATE account SET name = 'bad ' || id WHERE id IN (13, 14);
  UPDATE account SET name = 'dropped', formula__c = 'x' WHERE id = 15;
  UPDATE account SET name = 'noted' WHERE id = 16;
  UPDATE account SET name = 'carried ' || id WHERE id IN (17, 18, 19);
  DELETE FROM account WHERE id IN (20, 21);
  INSERT INTO account (name, ext__c) SELECT 'new ' || n, 'e' || n FROM generate_series(31, 38) n;
  INSERT INTO account (name, ext__c) VALUES ('bad new', 'e39');
  LOOP
    b := public.hc_claim(i.connection, i.epoch, 7);
    EXIT WHEN b IS NULL;
    batches := batches || (b ->> 'batch')::bigint;
  END LOOP;
  -- 18 carries a later change of its record and will be accepted, 19 one and will be refused, 17 one that somebody ignores and one that he sets to NEW
  UPDATE account SET amount__c = id WHERE id IN (17, 18, 19);
  UPDATE account SET amount__c = -id WHERE id = 17;
  FOR carrier IN SELECT e.* FROM public.hc_batch_entry e WHERE e.batch = ANY (batches) AND e.record_id IN (17, 18, 19) LOOP
    INSERT INTO public.hc_batch_entry (batch, position, mapping, log_id, record_id, action, sfid, payload, merged_into)
      SELECT carrier.batch, 1000 + l.id, carrier.mapping, l.id, l.record_id, 'UPDATE', carrier.sfid, '{}', carrier.position
        FROM _trigger_log l WHERE l.record_id = carrier.record_id AND l.state = 'NEW';
  END LOOP;
  UPDATE public.hc_batch_entry e SET payload = jsonb_set(payload, '{fields,Name}', '"bad carrier"') WHERE e.batch = ANY (batches) AND e.record_id = 19 AND e.merged_into IS NULL;
  UPDATE _trigger_log SET state = 'PENDING' WHERE record_id IN (17, 18, 19) AND state = 'NEW';
  UPDATE _trigger_log SET state = CASE WHEN "values"::hstore -> 'amount__c' = '17' THEN 'IGNORE' ELSE 'NEW' END WHERE record_id = 17 AND "values" LIKE '%amount%';
  -- while they are on their way
  UPDATE account SET name = 'later' WHERE id IN (2, 31);
  UPDATE _trigger_log SET state = 'IGNORE' WHERE record_id IN (3, 32) AND state = 'PENDING';
  UPDATE _trigger_log SET state = 'NEW' WHERE record_id IN (4, 33) AND state = 'PENDING';
  UPDATE _trigger_log SET state = 'REQUEUE' WHERE record_id IN (5, 34) AND state = 'PENDING';
  DELETE FROM _trigger_log WHERE record_id = 6;
  DELETE FROM account WHERE id IN (7, 35);
  PERFORM set_config('xmlbinary', 'hex', true);
  UPDATE account SET sfid = '001xx0000000888AAA' WHERE id = 8;
  UPDATE account SET _hc_lastop = 'UPDATED' WHERE id = 9;
  UPDATE account SET _hc_err = 'an older one' WHERE id = 10;
  PERFORM set_config('xmlbinary', 'base64', true);
  PERFORM public.hc_sent_calls(i.connection, i.epoch, batches);
  PERFORM public.hc_answer_batches(i.connection, i.epoch, (
    SELECT jsonb_agg(jsonb_build_object('batch', x.batch, 'outcome', 'answered', 'answer', jsonb_build_object('request_id', 'r', 'results', x.results)) ORDER BY x.batch DESC)
      FROM (SELECT e.batch, jsonb_agg(CASE WHEN e.payload #>> '{fields,Name}' LIKE 'bad%'
                     THEN '{"success":false,"errors":[{"code":"STRING_TOO_LONG","message":"too long","fields":["Name"]}]}'
                     ELSE jsonb_build_object('success', true, 'created', e.sfid IS NULL, 'errors', '[]'::jsonb, 'id', coalesce(e.sfid, '001xx0000000' || lpad(e.record_id::text, 3, '0') || 'AAA'))
                          || CASE WHEN e.payload #>> '{fields,Name}' = 'noted' THEN '{"note":"remark"}' ELSE '{}' END::jsonb END ORDER BY e.position) AS results
              FROM public.hc_batch_entry e WHERE e.batch = ANY (batches) AND e.merged_into IS NULL GROUP BY 1) x));
  CREATE TABLE applied AS SELECT dense_rank() OVER (ORDER BY (r ->> 'batch')::bigint) AS n, r - 'batch' AS said FROM jsonb_array_elements(public.hc_apply_batches(i.connection, i.epoch, batches)) r;
  CREATE TABLE entries AS SELECT dense_rank() OVER (ORDER BY e.batch) AS n, e.position, e.log_id, e.applied, e.reason FROM public.hc_batch_entry e WHERE e.batch = ANY (batches);
  CREATE TABLE states AS SELECT dense_rank() OVER (ORDER BY b.id) AS n, b.state, b.reason, b.apply_attempt FROM public.hc_batch b WHERE b.id = ANY (batches);
  CREATE TABLE asked AS SELECT r.sfid FROM public.hc_read_back r WHERE r.mapping = i.mapping;
  CREATE TABLE buried AS SELECT t.sfid FROM public.hc_tombstone t WHERE t.mapping = i.mapping;
  CREATE TABLE logged AS SELECT 'log' AS place, id, processed_at IS NOT NULL AS processed, state, action, record_id, sfid, "values", sf_result, sf_message FROM _trigger_log
    UNION ALL SELECT 'archive', id, processed_at IS NOT NULL, state, action, record_id, sfid, "values", sf_result, sf_message FROM _trigger_log_archive;
END $$;
SET client_min_messages = warning;
CALL regress_tools.scene('sets');
CALL regress_tools.scene('rows');
RESET client_min_messages;
\a\t
SELECT * FROM sets.applied ORDER BY n;
SELECT place, id, state, action, record_id, right(sfid, 6) AS sfid, sf_result, sf_message FROM sets.logged ORDER BY id, place;
SELECT id, name, right(sfid, 6) AS sfid, _hc_lastop, _hc_err FROM sets.account WHERE id < 22 OR id > 30 ORDER BY id;
SELECT string_agg(right(sfid, 6), ' ' ORDER BY sfid) FROM sets.asked;
SELECT string_agg(right(sfid, 6), ' ' ORDER BY sfid) FROM sets.buried;
-- Nothing differs.
SELECT 'applied', count(*) FROM (TABLE sets.applied EXCEPT TABLE rows.applied) x UNION ALL
SELECT 'entries', count(*) FROM ((TABLE sets.entries EXCEPT TABLE rows.entries) UNION ALL (TABLE rows.entries EXCEPT TABLE sets.entries)) x UNION ALL
SELECT 'states', count(*) FROM ((TABLE sets.states EXCEPT TABLE rows.states) UNION ALL (TABLE rows.states EXCEPT TABLE sets.states)) x UNION ALL
SELECT 'asked', count(*) FROM ((TABLE sets.asked EXCEPT TABLE rows.asked) UNION ALL (TABLE rows.asked EXCEPT TABLE sets.asked)) x UNION ALL
SELECT 'buried', count(*) FROM ((TABLE sets.buried EXCEPT TABLE rows.buried) UNION ALL (TABLE rows.buried EXCEPT TABLE sets.buried)) x UNION ALL
SELECT 'logged', count(*) FROM ((TABLE sets.logged EXCEPT TABLE rows.logged) UNION ALL (TABLE rows.logged EXCEPT TABLE sets.logged)) x UNION ALL
SELECT 'account', count(*) FROM ((TABLE sets.account EXCEPT TABLE rows.account) UNION ALL (TABLE rows.account EXCEPT TABLE sets.account)) x;
\a\t

-- A trigger of the user that raises for one row of three batches: that row waits with its reason, all others are written, and later that one.
SELECT connect('raises');
SET search_path = raises, regress_tools, public;
SELECT connection AS c, epoch AS e FROM ids WHERE name = 'raises' \gset
CREATE FUNCTION raises.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not %', NEW.name; END $$;
CREATE TRIGGER refuse BEFORE UPDATE OF sfid ON account FOR EACH ROW WHEN (NEW.name = 'n 4') EXECUTE FUNCTION raises.refuse();
-- One that keeps a row from being written: the change is done all the same.
CREATE FUNCTION raises.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE UPDATE OF sfid ON account FOR EACH ROW WHEN (NEW.name = 'n 9') EXECUTE FUNCTION raises.keep();
INSERT INTO account (name, ext__c) SELECT 'n ' || n, 'x' || n FROM generate_series(1, 9) n;
CREATE TABLE claimed AS SELECT public.hc_claim(:'c', :e, 3) AS b FROM generate_series(1, 3);
CREATE VIEW said AS SELECT jsonb_agg(jsonb_build_object('batch', b -> 'batch', 'outcome', 'answered', 'answer', results(VARIADIC ARRAY(
    SELECT '001xx0000000' || lpad(r ->> 'record_id', 3, '0') || 'AAA' FROM jsonb_array_elements(b -> 'records') r)))) AS answers, array_agg((b ->> 'batch')::bigint) AS batches FROM claimed;
SELECT hc_sent_calls(:'c', :e, batches) FROM said;
-- The answers are stored, and the relay is killed: the next one has them, and the first can do nothing any more.
SELECT hc_answer_batches(:'c', :e, answers) FROM said;
UPDATE public.hc_connection SET epoch = epoch + 1 WHERE id = :'c';
\set VERBOSITY sqlstate
SELECT hc_apply_batches(:'c', :e, batches) FROM said;
\set VERBOSITY default
SELECT epoch AS e FROM public.hc_connection WHERE id = :'c' \gset
SELECT state, count(*) FROM public.hc_batch WHERE connection = :'c' GROUP BY 1;
SELECT count(*) FILTER (WHERE sfid IS NULL) AS unwritten, count(*) FROM account;
SELECT r - 'batch' FROM said, jsonb_array_elements(hc_apply_batches(:'c', :e, batches)) r;
SELECT record_id, applied, e.reason FROM public.hc_batch_entry e JOIN public.hc_batch b ON b.id = e.batch WHERE b.connection = :'c' ORDER BY record_id;
SELECT id, right(sfid, 6) AS sfid, _hc_lastop FROM account ORDER BY id;
SELECT count(*) FILTER (WHERE place = 'archive' AND state = 'SUCCESS') AS succeeded, string_agg(record_id || ' ' || state, ', ') FILTER (WHERE place = 'log') AS waits FROM log('raises');
DROP TRIGGER refuse ON account;
SELECT r - 'batch' FROM said, jsonb_array_elements(hc_apply_batches(:'c', :e, batches)) r;
SELECT id, right(sfid, 6) AS sfid, _hc_lastop FROM account WHERE id = 4;
-- Two rows that got the same record: the first has it, the second waits.
INSERT INTO account (name, ext__c) VALUES ('one', 'y1'), ('two', 'y2'), ('three', 'y3');
TRUNCATE claimed;
INSERT INTO claimed SELECT public.hc_claim(:'c', :e);
SELECT hc_sent_calls(:'c', :e, batches) FROM said;
SELECT hc_answer_batches(:'c', :e, jsonb_build_array(jsonb_build_object('batch', batches[1], 'outcome', 'answered', 'answer',
    results('001xx0000000101AAA', '001xx0000000101AAA', '001xx0000000103AAA')))) FROM said;
SELECT r - 'batch' FROM said, jsonb_array_elements(hc_apply_batches(:'c', :e, batches)) r;
SELECT record_id, applied, reason FROM public.hc_batch_entry e, said WHERE e.batch = ANY (batches) ORDER BY record_id;
-- A call that is not there is not sent.
SELECT hc_sent_calls(:'c', :e, ARRAY[-1]);
SET search_path = regress_tools, public;
SELECT disconnect('sets'), disconnect('rows'), disconnect('raises');
DROP PROCEDURE regress_tools.scene(text);
DROP FUNCTION regress_tools.one_row_only();
DELETE FROM public.hc_event WHERE event_type = 'write-error';
