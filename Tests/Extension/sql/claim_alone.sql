-- The first change after a quiet time goes without a wave, where it concerns no other; what a batch holds back is the same
SELECT regress_tools.connect('alone');
SELECT regress_tools.add_contact('alone') IS NOT NULL AS mapped;
SELECT connection AS c, epoch AS e FROM regress_tools.ids WHERE name = 'alone' \gset
-- the first look goes through the whole log, and makes a wave
INSERT INTO alone.account (name, ext__c) VALUES ('first', 'a1');
SELECT regress_tools.turn('alone');
-- How the next claim was made: a wave notes the keys of its changes.
CREATE FUNCTION made(name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    calls jsonb := regress_tools.claim_calls(name);
BEGIN
    IF calls = '[]' THEN
        RETURN 'nothing';
    END IF;
    RETURN (SELECT string_agg(CASE e.keys WHEN '{}' THEN 'alone' ELSE 'wave' END || ' ' || b.operation || ' ' || b.object_name || ' ' || e.record_id, ', ' ORDER BY e.batch, e.position)
              FROM public.hc_batch b JOIN public.hc_batch_entry e ON e.batch = b.id WHERE b.state = 'CLAIMED' AND NOT e.applied);
END
$$;
INSERT INTO alone.account (name, ext__c) VALUES ('second', 'a2');
SELECT made('alone');
-- while it is under way: its row waits, a child that names it waits, another row goes
UPDATE alone.account SET name = 'zwei' WHERE id = 2;
INSERT INTO alone.contact (lastname, ext__c, account__ext__c) VALUES ('child', 'c1', 'A2');
SELECT made('alone');
SELECT public.hc_sent_calls(:'c', :e, ARRAY(SELECT id FROM public.hc_batch WHERE state = 'CLAIMED'));
UPDATE public.hc_batch SET sent_at = sent_at - interval '1 minute' WHERE state = 'SENT';
INSERT INTO alone.account (name, ext__c) VALUES ('third', 'a3');
SELECT made('alone');
SELECT regress_tools.answer_calls('alone');
SELECT regress_tools.turn('alone');
SELECT count(*) AS left_over FROM alone._trigger_log;
-- an update alone; of an identifier, and of what names a parent, a wave; two changes, a wave; a delete, a wave
UPDATE alone.account SET name = 'eins' WHERE id = 1;
SELECT made('alone');
-- the next change of the record waits until it is answered
UPDATE alone.account SET name = 'one' WHERE id = 1;
SELECT made('alone');
SELECT regress_tools.answer_calls('alone');
SELECT made('alone');
SELECT regress_tools.answer_calls('alone');
UPDATE alone.account SET ext__c = 'a1 new' WHERE id = 1;
SELECT made('alone');
SELECT regress_tools.answer_calls('alone');
UPDATE alone.contact SET account__ext__c = NULL WHERE id = 1;
SELECT made('alone');
SELECT regress_tools.answer_calls('alone');
UPDATE alone.account SET name = 'both' WHERE id IN (1, 2);
SELECT made('alone');
SELECT regress_tools.answer_calls('alone');
DELETE FROM alone.contact WHERE id = 1;
SELECT made('alone');
SELECT regress_tools.answer_calls('alone');
-- what failed before, or would be held by what failed, is a wave's
INSERT INTO alone.account (name, ext__c) VALUES ('bad', 'a9');
SELECT regress_tools.turn('alone', false, '{"Account 4": "STRING_TOO_LONG"}');
UPDATE alone.account SET name = 'better' WHERE id = 4;
SELECT made('alone');
UPDATE alone._trigger_log SET state = 'NEW' WHERE state = 'FAILED';
SELECT regress_tools.turn('alone');
SELECT regress_tools.turn('alone');
-- what cannot be sent fails as ever; a value that is none, text that is no hstore
INSERT INTO alone._trigger_log (state, action, table_name, record_id, sfid, "values") VALUES ('NEW', 'UPDATE', 'account', 1, '001000000000001AAA', '"closed__c"=>"soon"');
SELECT made('alone');
INSERT INTO alone._trigger_log (state, action, table_name, record_id, sfid, "values") VALUES ('NEW', 'UPDATE', 'account', 1, '001000000000001AAA', 'no hstore');
SELECT made('alone');
SELECT state, split_part(sf_message, ':', 1) AS why FROM alone._trigger_log ORDER BY id;
DROP FUNCTION made(text);
SELECT regress_tools.disconnect('alone');
