-- Open entries of rows that are gone with their table are still sent; their answers touch no row that has the same id now.
\set SHOW_CONTEXT never
SET client_min_messages = error;
SELECT regress_tools.connect('gen');
SELECT connection AS c, mapping AS m, epoch AS e FROM regress_tools.ids WHERE name = 'gen' \gset
SELECT hc_truncate(:'c', 'warn');
RESET client_min_messages;
\set rows 'SELECT id, sfid, name, _hc_lastop, _hc_err FROM gen.account ORDER BY id;'
\set log 'SELECT id, state, action, record_id, sfid, sf_message FROM gen._trigger_log UNION ALL SELECT id, state, action, record_id, sfid, sf_message FROM gen._trigger_log_archive ORDER BY id;'
-- What every case begins with: one record that is known, a row that is not, and a change of each. Then new rows of the same ids.
CREATE FUNCTION gen.begin() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL xmlbinary = hex;
    TRUNCATE gen.account RESTART IDENTITY;
    DELETE FROM gen._trigger_log;
    DELETE FROM gen._trigger_log_archive;
    DELETE FROM public.hc_batch;
    DELETE FROM public.hc_read_back;
    PERFORM setval('gen._trigger_log_id_seq', 1, false);
    DELETE FROM public.hc_generation WHERE reason <> 'made';
    INSERT INTO gen.account (sfid, name) VALUES ('001xx000003DGb1AAG', 'known');
    SET LOCAL xmlbinary = base64;
    UPDATE gen.account SET name = 'old change' WHERE id = 1;
    INSERT INTO gen.account (name) VALUES ('old row');
    UPDATE gen.account SET name = 'old row, changed' WHERE id = 2;
    UPDATE public.hc_connection SET full_look_at = NULL, full_look = NULL, low_water = 0 WHERE schema_name = 'gen';
END $$;
CREATE FUNCTION gen.replace_rows() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL client_min_messages = error;
    TRUNCATE gen.account RESTART IDENTITY;
    SET LOCAL xmlbinary = hex;
    INSERT INTO gen.account (sfid, name) VALUES ('001xx000003DGb9AAG', 'new');
    SET LOCAL xmlbinary = base64;
    INSERT INTO gen.account (name) VALUES ('new row');
END $$;

-- Truncated before anything was claimed. The old row's UPDATE waits for its INSERT, and finds the sfid in the archive.
SELECT gen.begin();
SELECT gen.replace_rows();
SELECT regress_tools.send('gen', '001xx000003DGb1AAG');
SELECT regress_tools.send('gen', '001xx000003DGb2AAG');
SELECT regress_tools.send('gen', '001xx000003DGb2AAG');
SELECT regress_tools.send('gen', '001xx000003DGb3AAG');
SELECT hc_claim(:'c', :e);
:log
:rows
-- Told once, with what becomes of the entries.
SELECT level, times, message FROM hc_notification WHERE connection = :'c' AND event_type = 'table-replaced';
-- Read back by its Salesforce id, what was sent comes as rows of their own.
SELECT jsonb_agg(sfid ORDER BY sfid) FROM hc_read_back WHERE mapping = :'m';

-- Truncated while the batch was on its way, by a relay that then ended; the next one applies what was answered.
SELECT gen.begin();
SELECT regress_tools.send('gen', '001xx000003DGb1AAG');
SELECT hc_claim(:'c', :e) ->> 'batch' AS b \gset
SELECT hc_sent(:'c', :e, :b);
SELECT hc_answer(:'c', :e, :b, 'answered', regress_tools.results('001xx000003DGb2AAG'));
SELECT gen.replace_rows();
SELECT hc_lead(:'c', 'next') AS e \gset
UPDATE regress_tools.ids SET epoch = :e WHERE name = 'gen';
SELECT hc_apply(:'c', :e, :b);
:rows
:log
-- A rejection touches no row either.
SELECT regress_tools.send('gen', 'REQUIRED_FIELD_MISSING');
SELECT regress_tools.send('gen', '001xx000003DGb3AAG');
SELECT hc_claim(:'c', :e);
:rows
-- Set to REQUEUE, an entry of the old rows keeps its id, so that it stays what it is; one of the present rows gets a new one.
UPDATE gen._trigger_log SET state = 'REQUEUE' WHERE state = 'FAILED';
UPDATE gen._trigger_log_archive SET state = 'REQUEUE' WHERE id IN (2, 4);
SELECT hc_requeue(c) FROM hc_connection c WHERE c.id = :'c';
SELECT id, state, action, record_id FROM gen._trigger_log ORDER BY id;

-- A row deleted before its INSERT was answered: its DELETE is sent, whatever happened to the table; that of another row is not.
SELECT gen.begin();
DELETE FROM gen.account WHERE id = 2;
SELECT gen.replace_rows();
DELETE FROM gen.account WHERE id = 2;
SELECT regress_tools.send('gen', '001xx000003DGb1AAG');
SELECT hc_housekeeping(:'c', :e) ->> 'archived' AS archived;
SELECT regress_tools.send('gen', '001xx000003DGb2AAG');
SELECT regress_tools.send('gen', '001xx000003DGb2AAG');
SELECT regress_tools.send('gen', '001xx000003DGb2AAG');
SELECT regress_tools.send('gen', '001xx000003DGb3AAG');
:log
:rows

-- A row whose place was taken by another, with no TRUNCATE: the answer of an UPDATE or DELETE is for the record that was written.
SELECT gen.begin();
SELECT regress_tools.send('gen', '001xx000003DGb1AAG');
DELETE FROM gen.account WHERE id = 1;
INSERT INTO gen.account (id, name) VALUES (1, 'in its place');
SELECT regress_tools.send('gen', '001xx000003DGb2AAG');
SELECT regress_tools.send('gen', '001xx000003DGb2AAG');
SELECT regress_tools.send('gen', '001xx000003DGb1AAG');
:rows

-- Dropped, noticed, and made anew with triggers of a dump; a merge is not held up by the old entries.
SELECT gen.begin();
CREATE TABLE gen.kept (LIKE gen.account INCLUDING INDEXES);
DROP TABLE gen.account;
SELECT regress_tools.send('gen', '001xx000003DGb1AAG');
\set told 'SELECT level, replace(message, :''m'', ''MAPPING'') AS message FROM hc_notification WHERE connection = :''c'' AND event_type = ''table-replaced'';'
\set detail 'SELECT replace(hc_status(:''c'') #>> ''{mappings,0,state_detail}'', :''m'', ''MAPPING'') AS state_detail;'
:told
:detail
ALTER TABLE gen.kept RENAME TO account;
SELECT hc_generation_look(c, m) AS since FROM hc_connection c, hc_mapping m WHERE c.id = :'c' AND m.id = :'m';
:told
:detail
SELECT hc_mapping_triggers_create(:'m');
:detail
SET xmlbinary = hex;
INSERT INTO gen.account (id, sfid, name, systemmodstamp) VALUES (2, '001xx000003DGb2AAG', 'new', '2024-01-01');
RESET xmlbinary;
SELECT reason, since FROM hc_generation WHERE mapping = :'m' ORDER BY id;
SELECT hc_stage(:'c', :e, :'m', '[{"Id": "001xx000003DGb2AAG", "Name": "merged", "SystemModstamp": "2024-02-02T00:00:00.000+0000"}]', now());
SELECT hc_merge(:'c', :e, :'m');
SELECT regress_tools.send('gen', 'REQUIRED_FIELD_MISSING');
:rows
-- A restore into another database carries the catalog along: its tables have other oids and are the same.
UPDATE hc_generation SET home = 'elsewhere/1', table_oid = 1 WHERE id = (SELECT max(id) FROM hc_generation WHERE mapping = :'m');
SELECT hc_generation_look(c, m) = hc_rows_since(m.id) AS unchanged FROM hc_connection c, hc_mapping m WHERE c.id = :'c' AND m.id = :'m';
SELECT count(*) FROM hc_generation WHERE mapping = :'m';

SET client_min_messages = error;
SELECT hc_mapping_drop(:'m', true);
DELETE FROM hc_connection WHERE id = :'c';
DROP SCHEMA gen CASCADE;
