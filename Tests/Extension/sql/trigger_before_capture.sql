-- A trigger of the user that sorts before ours, as one that fills a blank external id: its UPDATE is in the log before the INSERT.
SELECT regress_tools.connect('early');
SELECT connection AS c, epoch AS e FROM regress_tools.ids WHERE name = 'early' \gset
CREATE FUNCTION early.fill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN UPDATE early.account SET ext__c = 'filled ' || NEW.id WHERE id = NEW.id; RETURN NULL; END $$;
CREATE TRIGGER account_fill AFTER INSERT OR UPDATE ON early.account FOR EACH ROW WHEN (NEW.ext__c IS NULL) EXECUTE FUNCTION early.fill();
INSERT INTO early.account (name) VALUES ('blank');
UPDATE early.account SET name = 'renamed';
SELECT id, action, state, "values" LIKE '%"ext__c"=>"filled 1"%' AS fills FROM early._trigger_log ORDER BY id;
-- The INSERT first, then what the trigger wrote, then the rest.
SELECT regress_tools.send('early', '001xx000003DGb2AAG');
SELECT regress_tools.send('early', '001xx000003DGb2AAG');
SELECT regress_tools.send('early', '001xx000003DGb2AAG');
SELECT count(*) AS left_over FROM early._trigger_log;
-- An INSERT that is refused holds what the trigger wrote, and a retry lets both go.
INSERT INTO early.account (name) VALUES ('refused');
SELECT regress_tools.send('early', 'REQUIRED_FIELD_MISSING');
SELECT public.hc_claim(:'c', :e) IS NULL AS nothing;
SELECT id, action, state, sf_message FROM early._trigger_log ORDER BY id;
UPDATE early._trigger_log SET state = 'NEW' WHERE state = 'FAILED';
SELECT regress_tools.send('early', '001xx000003DGb3AAG');
SELECT regress_tools.send('early', '001xx000003DGb3AAG');
SELECT name, ext__c, sfid, _hc_lastop FROM early.account ORDER BY id;
