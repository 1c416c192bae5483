-- The plan is what is then sent, call by call, and making it changes nothing
SELECT regress_tools.connect('plan');
SELECT regress_tools.add_contact('plan') IS NOT NULL AS mapped;
SELECT connection AS c, epoch AS e FROM regress_tools.ids WHERE name = 'plan' \gset
INSERT INTO plan.contact (lastname, ext__c, account__ext__c) VALUES ('child of one', 'c1', 'A1'), ('child of two', 'c2', 'a2'), ('child of nobody', 'c3', NULL);
INSERT INTO plan.account (name, ext__c) VALUES ('one', 'a1'), ('two', 'a2');
UPDATE plan.account SET name = 'uno' WHERE id = 1;
UPDATE plan.account SET name = 'un' WHERE id = 1;
INSERT INTO plan.account (name) VALUES ('without identifier');
INSERT INTO plan.contact (lastname, ext__c, reportsto__ext__c) VALUES ('x', 'r1', 'r2'), ('y', 'r2', 'r1');
SELECT * FROM public.hc_plan(:'c');
SELECT regress_tools.setting('plan', '{"write_algorithm": "merged"}');
SELECT * FROM public.hc_plan(:'c');
SELECT regress_tools.setting('plan', '{"write_algorithm": "ordered"}');
SELECT * FROM public.hc_plan(:'c');
SELECT regress_tools.setting('plan', '{"write_algorithm": "planned"}');
SELECT state, count(*) FROM plan._trigger_log GROUP BY 1;
BEGIN;
SELECT count(*) > 0 AS planned FROM public.hc_plan(:'c');
-- a row lock, or anything written, would have given the transaction a number
SELECT count(*) AS locks FROM pg_locks WHERE pid = pg_backend_pid() AND mode <> 'AccessShareLock' AND locktype NOT IN ('virtualxid', 'advisory');
COMMIT;
SELECT regress_tools.shown(regress_tools.claim_calls('plan'));
SELECT * FROM public.hc_plan(:'c', 3);
SELECT regress_tools.answer_calls('plan');

-- Random logs: parents and children by id and by identifier, repeated edits, deletes, identifiers that move, cycles
CREATE FUNCTION pg_temp.random_changes(seed float8, n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  a text; k integer;
BEGIN
  -- In this transaction the relay's steps have written rows before: changes are captured again from here on.
  PERFORM setseed(seed), set_config('xmlbinary', 'base64', true);
  FOR i IN 1..n LOOP
    k := floor(random() * 12);
    a := floor(random() * 14)::text;
    CASE
      WHEN k <= 1 THEN INSERT INTO plan.account (name, ext__c, parent__ext__c) SELECT 'n' || i, CASE WHEN random() < 0.8 THEN 'a' || a END, CASE WHEN random() < 0.3 THEN 'A' || floor(random() * 14)::text END
                         WHERE NOT EXISTS (SELECT FROM plan.account x WHERE x.ext__c = 'a' || a);
      WHEN k <= 3 THEN INSERT INTO plan.contact (lastname, ext__c, account__ext__c, reportsto__ext__c) SELECT 'n' || i, 'c' || a, CASE WHEN random() < 0.6 THEN 'a' || floor(random() * 14)::text END,
                         CASE WHEN random() < 0.3 THEN 'c' || floor(random() * 14)::text END WHERE NOT EXISTS (SELECT FROM plan.contact x WHERE x.ext__c = 'c' || a);
      WHEN k = 4 THEN INSERT INTO plan.contact (lastname, accountid) SELECT 'n' || i, x.sfid FROM plan.account x WHERE x.sfid IS NOT NULL ORDER BY random() LIMIT 1;
      WHEN k <= 7 THEN UPDATE plan.account SET name = 'u' || i WHERE id = (SELECT id FROM plan.account ORDER BY random() LIMIT 1);
      WHEN k = 8 THEN UPDATE plan.contact SET lastname = 'u' || i WHERE id = (SELECT id FROM plan.contact ORDER BY random() LIMIT 1);
      WHEN k = 9 THEN UPDATE plan.contact SET account__ext__c = 'a' || a WHERE id = (SELECT id FROM plan.contact ORDER BY random() LIMIT 1);
      WHEN k = 10 THEN DELETE FROM plan.contact WHERE id = (SELECT id FROM plan.contact ORDER BY random() LIMIT 1);
      ELSE IF random() < 0.5 THEN DELETE FROM plan.account WHERE id = (SELECT id FROM plan.account ORDER BY random() LIMIT 1);
           ELSE UPDATE plan.account x SET ext__c = 'a' || a WHERE id = (SELECT id FROM plan.account ORDER BY random() LIMIT 1) AND NOT EXISTS (SELECT FROM plan.account y WHERE y.ext__c = 'a' || a); END IF;
    END CASE;
  END LOOP;
END $$;
-- what is sent until nothing more is, one lane after the other; changes that cycles leave behind have no number
CREATE FUNCTION pg_temp.drain(lanes integer) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  before bigint; calls jsonb; sent jsonb := '[]';
BEGIN
  SELECT coalesce(max(id), 0) INTO before FROM plan._trigger_log;
  FOR i IN 1..500 LOOP
    calls := regress_tools.claim_calls('plan', lanes);
    EXIT WHEN calls = '[]';
    sent := sent || (SELECT jsonb_agg(jsonb_build_array(k -> 'operation', (SELECT coalesce(jsonb_agg(r -> 'log_id' ORDER BY bn, rn), '[]') FROM jsonb_array_elements(k -> 'batches') WITH ORDINALITY b(b, bn),
                       jsonb_array_elements(b.b -> 'records') WITH ORDINALITY x(r, rn) WHERE (r ->> 'log_id')::bigint <= before)) ORDER BY n) FROM jsonb_array_elements(calls) WITH ORDINALITY c(k, n));
    PERFORM regress_tools.answer_calls('plan');
  END LOOP;
  RETURN sent;
END $$;
CREATE TEMPORARY TABLE sizes (algorithm text, calls integer);
CREATE FUNCTION pg_temp.compare(algorithm text, fold boolean, seed float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  planned jsonb; sent jsonb; left_over bigint;
BEGIN
  PERFORM regress_tools.setting('plan', jsonb_build_object('write_algorithm', algorithm, 'fold', fold)), pg_temp.random_changes(seed, 40);
  SELECT coalesce(jsonb_agg(jsonb_build_array(operation, to_jsonb(entries)) ORDER BY step), '[]') INTO planned FROM public.hc_plan((SELECT connection FROM regress_tools.ids WHERE name = 'plan'));
  sent := pg_temp.drain(1);
  DELETE FROM plan._trigger_log WHERE state IN ('FAILED', 'IGNORE');
  SELECT count(*) INTO left_over FROM plan._trigger_log;
  INSERT INTO pg_temp.sizes VALUES (algorithm, jsonb_array_length(sent));
  RETURN CASE WHEN planned = sent THEN 'equal' ELSE format(E'planned %s\nsent    %s', planned, sent) END || CASE WHEN left_over > 0 THEN format(', %s left', left_over) ELSE '' END;
END $$;
SELECT pg_temp.drain(25) IS NOT NULL AS drained;
SELECT algorithm, fold, string_agg(DISTINCT pg_temp.compare(algorithm, fold, seed / 1000.0), E'\n') AS result
  FROM (VALUES ('planned', false), ('planned', true), ('merged', false), ('ordered', false)) v(algorithm, fold), generate_series(1, 8) seed GROUP BY 1, 2 ORDER BY 1, 2;
SELECT algorithm, count(*) AS logs, sum(calls) > 3 * count(*) AS several_calls_each FROM pg_temp.sizes GROUP BY 1 ORDER BY 1;
SELECT state, count(*) > 0 AS some FROM plan._trigger_log_archive GROUP BY 1 ORDER BY 1;
