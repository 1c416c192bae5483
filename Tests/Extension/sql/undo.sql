-- Undo: what captured changes did is taken back by changes that are captured and sent like any other
SELECT regress_tools.connect('undo', false);
SELECT connection AS c, mapping AS m, epoch AS e FROM regress_tools.ids WHERE name = 'undo' \gset
SET timezone = 'UTC';
\set VERBOSITY terse
-- sends all that waits, and answers success; what was sent
CREATE FUNCTION regress_tools.drain(code text DEFAULT NULL) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  i regress_tools.ids := (SELECT t FROM regress_tools.ids t WHERE t.name = 'undo');
  b jsonb;
BEGIN
  LOOP
    b := public.hc_claim(i.connection, i.epoch);
    EXIT WHEN b IS NULL;
    PERFORM public.hc_sent(i.connection, i.epoch, (b ->> 'batch')::bigint);
    PERFORM public.hc_answer(i.connection, i.epoch, (b ->> 'batch')::bigint, 'answered', regress_tools.results(VARIADIC
        ARRAY(SELECT coalesce(code, r ->> 'id', format('001xx00000%sAAA', lpad(r ->> 'record_id', 5, '0'))) FROM jsonb_array_elements(b -> 'records') r)));
    PERFORM public.hc_apply(i.connection, i.epoch, (b ->> 'batch')::bigint);
    RETURN NEXT (b ->> 'operation') || (SELECT string_agg(' ' || (r ->> 'record_id') || (r -> 'fields')::text || (r -> 'nulls')::text, '' ORDER BY r ->> 'record_id') FROM jsonb_array_elements(b -> 'records') r);
  END LOOP;
END $$;
CREATE FUNCTION regress_tools.undo(entries bigint[], execute boolean DEFAULT true, skip boolean DEFAULT false)
  RETURNS TABLE (log_id bigint, action text, record_id bigint, effect text, columns text[], reason text, undone_by bigint) LANGUAGE sql AS $$
  SELECT u.log_id, u.action, u.record_id, u.effect, u.columns, u.reason, u.undone_by FROM regress_tools.ids i, public.hc_undo(i.connection, entries, execute, skip) u WHERE i.name = 'undo'
$$;
-- by batch, record or time, and no other way
SELECT public.hc_undo_entries(:'c');
SELECT public.hc_undo_entries(:'c', table_name => 'account');
SELECT public.hc_undo_entries(:'c', record_id => 1);
SELECT public.hc_undo_entries(:'c', batch => 0);
SELECT public.hc_undo_entries('00000000-0000-0000-0000-000000000000', since => now());
SELECT * FROM public.hc_undo('00000000-0000-0000-0000-000000000000', '{}');
INSERT INTO undo.account (id, name, amount__c, active__c) VALUES (1, 'one', 1, true), (2, 'two', 2, NULL), (3, 'three', 3, false);
-- an INSERT that Salesforce has not answered is not undone
SELECT * FROM regress_tools.undo('{1}');
SELECT regress_tools.drain() AS sent;
UPDATE undo.account SET name = 'eins', amount__c = NULL, active__c = false WHERE id = 1;
SELECT regress_tools.drain() AS sent;
-- a preview does nothing
SELECT * FROM regress_tools.undo('{4}', false);
SELECT name, amount__c, active__c FROM undo.account WHERE id = 1;
SELECT count(*) AS unsent FROM undo._trigger_log;
-- an UPDATE puts back what still holds what it wrote; the entry is in the archive
SELECT effect, columns, reason FROM regress_tools.undo('{4}');
SELECT name, amount__c, active__c, _hc_lastop FROM undo.account WHERE id = 1;
SELECT regress_tools.drain() AS sent;
-- neither what was undone nor what the undo did is undone by time; by number it is looked at again, and nothing holds what it wrote
SELECT public.hc_undo_entries(:'c', since => now() - interval '1 hour', table_name => 'account') AS still;
SELECT effect, columns, reason FROM regress_tools.undo('{4}');
-- columns that were changed since are conflicts: they stop all, or are left as they are
UPDATE undo.account SET name = 'uno', amount__c = 7 WHERE id = 1;
UPDATE undo.account SET name = 'un' WHERE id = 1;
UPDATE undo.account SET name = 'zwei' WHERE id = 2;
SELECT array_agg(id ORDER BY id) AS three FROM undo._trigger_log \gset
SELECT (:'three'::bigint[])[1] AS uno, (:'three'::bigint[])[2] AS un, (:'three'::bigint[])[3] AS zwei \gset
SELECT record_id, effect, columns, reason, undone_by FROM regress_tools.undo(ARRAY[:uno, :zwei]);
SELECT id, name, amount__c FROM undo.account WHERE id < 3 ORDER BY id;
SELECT record_id, effect, columns, reason, undone_by IS NOT NULL AS made FROM regress_tools.undo(ARRAY[:uno, :zwei], true, true);
SELECT id, name, amount__c FROM undo.account WHERE id < 3 ORDER BY id;
SELECT regress_tools.drain() AS sent;
-- newest first, so that both changes of one row go
UPDATE undo.account SET name = 'b' WHERE id = 3;
UPDATE undo.account SET name = 'c' WHERE id = 3;
SELECT record_id, effect, columns, reason FROM regress_tools.undo((SELECT array_agg(id) FROM undo._trigger_log));
SELECT name FROM undo.account WHERE id = 3;
SELECT regress_tools.drain() AS sent;
-- an INSERT: the row goes, unless somebody changed it since by a change that stays
UPDATE undo.account SET name = 'changed' WHERE id = 2;
SELECT regress_tools.drain() AS sent;
SELECT effect, regexp_replace(reason, '\d+', 'N') AS reason FROM regress_tools.undo('{2}');
SELECT record_id, action, effect, reason FROM regress_tools.undo(public.hc_undo_entries(:'c', table_name => 'account', record_id => 2));
SELECT count(*) AS rows FROM undo.account WHERE id = 2;
SELECT regress_tools.drain() AS sent;
SELECT effect, reason FROM regress_tools.undo('{2}');
-- a DELETE: the row is back with its id and sfid, and the record is undeleted, not made anew
DELETE FROM undo.account WHERE id IN (1, 3);
SELECT effect, reason FROM regress_tools.undo((SELECT array_agg(id) FROM undo._trigger_log));
SELECT regress_tools.drain() AS sent;
SELECT max(x.batch) AS b FROM public.hc_batch_entry x JOIN public.hc_batch y ON y.id = x.batch WHERE y.connection = :'c' \gset
SELECT sfid FROM public.hc_tombstone WHERE mapping = :'m' AND sfid ~ '0[13]AAA' ORDER BY 1;
SELECT record_id, action, effect, columns, reason FROM regress_tools.undo(public.hc_undo_entries(:'c', batch => :b)) ORDER BY record_id;
SELECT id, sfid, name, amount__c, _hc_lastop FROM undo.account ORDER BY id;
SELECT sfid FROM public.hc_tombstone WHERE mapping = :'m' AND sfid ~ '0[13]AAA' ORDER BY 1;
SELECT state, action, record_id FROM undo._trigger_log ORDER BY record_id;
-- what comes after it waits for it
UPDATE undo.account SET name = 'after' WHERE id = 1;
SELECT regress_tools.drain() AS sent;
SELECT id, sfid, _hc_lastop FROM undo.account ORDER BY id;
-- the answer to an undelete is lost: the record is looked at, and is undeleted again only if it is not there
DELETE FROM undo.account;
SELECT regress_tools.drain() AS sent;
SELECT count(*) AS undone FROM regress_tools.undo(ARRAY(SELECT id FROM undo._trigger_log_archive WHERE action = 'DELETE' AND record_id IN (1, 3) ORDER BY id DESC LIMIT 2));
SELECT b ->> 'batch' AS b FROM public.hc_claim(:'c', :e) b \gset
SELECT public.hc_sent(:'c', :e, :b), public.hc_answer(:'c', :e, :b, 'in_doubt', '{"code":"CUT","message":"cut"}');
SELECT state FROM public.hc_batch WHERE id = :b;
SELECT public.hc_doubt(:'c', :e, :b) - 'mapping' AS asked;
SELECT public.hc_doubt_resolve(:'c', :e, :b, '[{"Id":"001xx0000000001AAA","SystemModstamp":"2024-02-02T00:00:00.000+0000"},null]');
SELECT regress_tools.drain() AS sent;
SELECT id, sfid, _hc_lastop FROM undo.account ORDER BY id;
-- Salesforce refuses: shown like any refusal
DELETE FROM undo.account WHERE id = 3;
SELECT regress_tools.drain() AS sent;
SELECT count(*) AS undone FROM regress_tools.undo((SELECT array_agg(id) FROM (SELECT max(id) AS id FROM undo._trigger_log_archive WHERE action = 'DELETE') x));
SELECT regress_tools.drain('UNDELETE_FAILED') AS sent;
SELECT state, action, sf_message FROM undo._trigger_log;
UPDATE undo._trigger_log SET state = 'IGNORE';
DELETE FROM undo.account WHERE id = 3;
-- refusals: no old values, no row, a row that is back, no record in Salesforce, a kind that cannot be undeleted, no mapping, read_only, rows that are gone
INSERT INTO undo._trigger_log (state, action, table_name, record_id, sfid, "values") VALUES ('SUCCESS', 'UPDATE', 'account', 1, '001xx0000000001AAA', 'name=>x');
INSERT INTO undo._trigger_log (state, action, table_name, record_id, old, "values") VALUES ('SUCCESS', 'UPDATE', 'account', 99, 'name=>y', 'name=>x');
INSERT INTO undo._trigger_log (state, action, table_name, record_id, sfid, old) VALUES ('SUCCESS', 'DELETE', 'account', 1, '001xx0000000001AAA', 'id=>1');
INSERT INTO undo._trigger_log (state, action, table_name, record_id, old) VALUES ('IGNORED', 'DELETE', 'account', 98, 'id=>98');
INSERT INTO undo._trigger_log (state, action, table_name, record_id, sfid, old) VALUES ('FAILED', 'DELETE', 'account', 97, '001xx0000000097AAA', 'id=>97');
INSERT INTO undo._trigger_log (state, action, table_name, record_id, old, "values") VALUES ('SUCCESS', 'UPDATE', 'elsewhere', 1, 'name=>y', 'name=>x');
INSERT INTO undo._trigger_log (state, action, table_name, record_id, old, "values") VALUES ('SUCCESS', 'UPDATE', 'account', 1, 'name=>y', '');
SELECT action, record_id, effect, reason FROM regress_tools.undo((SELECT array_agg(id) FROM undo._trigger_log WHERE txid IS NULL));
UPDATE public.hc_mapping SET description = description || '{"undeletable": false}' WHERE id = :'m';
SELECT effect, reason FROM regress_tools.undo((SELECT array_agg(id) FROM (SELECT max(id) AS id FROM undo._trigger_log_archive WHERE action = 'DELETE' AND record_id = 3 AND state = 'SUCCESS') x));
UPDATE public.hc_mapping SET access = 'read_only' WHERE id = :'m';
SELECT effect, reason FROM regress_tools.undo('{4}');
UPDATE public.hc_mapping SET access = 'read_write' WHERE id = :'m';
SELECT public.hc_truncate(:'c', 'warn');
TRUNCATE undo.account;
SELECT effect, reason FROM regress_tools.undo('{4}');
-- a trigger of the user that refuses stops all of it
INSERT INTO undo.account (id, name) VALUES (11, 'guarded'), (12, 'free');
SELECT count(*) AS batches FROM regress_tools.drain();
UPDATE undo.account SET name = 'x';
CREATE FUNCTION regress_tools.guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name = 'guarded' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$;
CREATE TRIGGER guard BEFORE UPDATE ON undo.account FOR EACH ROW EXECUTE FUNCTION regress_tools.guard();
SELECT effect FROM regress_tools.undo((SELECT array_agg(id) FROM undo._trigger_log WHERE state = 'NEW'));
SELECT name FROM undo.account;
DROP FUNCTION regress_tools.guard CASCADE;
SELECT regress_tools.disconnect('undo');
