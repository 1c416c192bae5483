-- Triggers of the user that fire while the relay writes find what they call without a schema, as they do in a user's session.
SELECT regress_tools.connect('upath');
SELECT connection AS c, mapping AS m, epoch AS e FROM regress_tools.ids WHERE name = 'upath' \gset
CREATE FUNCTION public.regress_label(text) RETURNS text LANGUAGE sql AS $$ SELECT 'seen ' || $1 $$;
CREATE TABLE upath.seen (id serial, what text);
CREATE FUNCTION upath.see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO upath.seen (what) VALUES (concat_ws(' ', regress_label(TG_TABLE_NAME), TG_OP, get_xmlbinary()));
    RETURN NULL;
END $$;
CREATE TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON upath.account FOR EACH ROW EXECUTE FUNCTION upath.see();
CREATE TRIGGER see AFTER UPDATE ON upath._trigger_log FOR EACH ROW WHEN (NEW.state = 'FAILED') EXECUTE FUNCTION upath.see();
CREATE TRIGGER see AFTER INSERT ON upath._trigger_log_archive FOR EACH ROW EXECUTE FUNCTION upath.see();
-- What arrives from Salesforce: inserted, updated, deleted.
SELECT regress_tools.arrive('upath', '001xx000003DGb2AAG', 'x1');
SELECT public.hc_merge(:'c', :e, :'m') - 'more' AS merged;
SELECT regress_tools.arrive('upath', '001xx000003DGb2AAG', 'x2');
SELECT public.hc_merge(:'c', :e, :'m') - 'more' AS merged;
SELECT regress_tools.arrive('upath', '001xx000003DGb2AAG', NULL);
SELECT public.hc_merge(:'c', :e, :'m') - 'more' AS merged;
SELECT what FROM upath.seen ORDER BY id;
TRUNCATE upath.seen;
-- What Salesforce answers: a refusal, a success.
INSERT INTO upath.account (name, ext__c) VALUES ('one', 'x3');
SELECT regress_tools.send('upath', 'REQUIRED_FIELD_MISSING') IS NOT NULL AS sent;
UPDATE upath._trigger_log SET state = 'NEW' WHERE state = 'FAILED';
SELECT regress_tools.send('upath', '001xx000003DGb3AAG') IS NOT NULL AS sent;
SELECT what FROM upath.seen ORDER BY id;
-- The session's path is what it was, and our own functions stay pinned.
SHOW search_path;
SELECT count(*) AS waiting FROM public.hc_staged s JOIN public.hc_mapping m ON m.id = s.mapping WHERE m.connection = :'c';
DROP FUNCTION public.regress_label(text);
