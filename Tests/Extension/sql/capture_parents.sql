-- A mapped table that is a partition or a child of the user's table, written through its parent; and one that has a child itself.
SELECT regress_connection('par') AS connection \gset
SET client_min_messages = warning;
\set log 'SELECT table_name, state, action, record_id, sfid, "values" FROM par._trigger_log ORDER BY id; TRUNCATE par._trigger_log;'
-- A partition. Its columns stand in another order than the parent's, so rows are converted on their way.
CREATE TABLE par.everyone (region text, name text, id int, sfid varchar(18), _hc_lastop varchar(32), _hc_err text) PARTITION BY LIST (region);
CREATE TABLE par.elsewhere PARTITION OF par.everyone DEFAULT;
CREATE TABLE par.person (gone int, sfid varchar(18), id serial, name text, region text, _hc_lastop varchar(32), _hc_err text);
ALTER TABLE par.person DROP COLUMN gone, ADD PRIMARY KEY (id);
ALTER TABLE par.everyone ATTACH PARTITION par.person FOR VALUES IN ('eu');
SELECT regress_adopt(:'connection', 'person') AS person \gset
INSERT INTO par.everyone (id, name, region) VALUES (1, 'a', 'eu'), (2, 'b', 'us'), (3, 'c', 'eu');
COPY par.everyone (id, name, region) FROM stdin;
4	d	eu
5	e	us
\.
:log
UPDATE par.everyone SET name = upper(name) WHERE id <= 2;
:log
-- Into the partition and out of it.
UPDATE par.everyone SET region = 'eu' WHERE id = 2;
UPDATE par.everyone SET region = 'us' WHERE id = 3;
:log
MERGE INTO par.everyone e USING (VALUES (1, 'eu'), (4, NULL), (6, 'eu')) AS s(id, region) ON e.id = s.id AND e.region = 'eu'
 WHEN MATCHED AND s.region IS NULL THEN DELETE
 WHEN MATCHED THEN UPDATE SET name = 'merged'
 WHEN NOT MATCHED THEN INSERT (id, name, region) VALUES (s.id, 'merged in', s.region);
:log
DELETE FROM par.everyone;
:log
SELECT tableoid::regclass, id, name, _hc_lastop FROM par.everyone;
-- Detached it is captured as before, and attached again too.
ALTER TABLE par.everyone DETACH PARTITION par.person;
INSERT INTO par.person (name) VALUES ('alone');
ALTER TABLE par.everyone ATTACH PARTITION par.person FOR VALUES IN ('eu', NULL);
UPDATE par.everyone SET name = 'together';
:log

-- A child.
CREATE TABLE par.thing (label text, id int);
CREATE TABLE par.tool (sfid varchar(18), id serial PRIMARY KEY, label text, price numeric, _hc_lastop varchar(32), _hc_err text);
ALTER TABLE par.tool INHERIT par.thing;
SELECT regress_adopt(:'connection', 'tool') AS tool \gset
INSERT INTO par.tool (label, price) VALUES ('hammer', 12.50);
INSERT INTO par.thing VALUES ('only a thing', 1);
UPDATE par.thing SET label = label || '!';
DELETE FROM par.thing;
:log
-- A child of the mapped table is not mapped: its rows are nobody's, as they were with Heroku Connect.
CREATE TABLE par.special () INHERITS (par.tool);
INSERT INTO par.tool (label) VALUES ('saw');
INSERT INTO par.special (label) VALUES ('special saw');
UPDATE par.tool SET label = upper(label);
SELECT tableoid::regclass, id, label, _hc_lastop FROM par.tool ORDER BY 2;
DELETE FROM par.tool;
:log
