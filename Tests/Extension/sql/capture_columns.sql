-- Tables as users change them: keys, indexes, columns of their own, generated and identity columns, domains; and columns that come
-- and go between two writes of one session.
SELECT regress_connection('col') AS connection \gset
CREATE DOMAIN col.mail AS varchar(80) CHECK (VALUE LIKE '%@%');
CREATE DOMAIN col.positive AS int CHECK (VALUE > 0);
CREATE TYPE col.mood AS ENUM ('sad', 'ok');
CREATE TYPE col.pair AS (a int, b text);
CREATE TABLE col.t (email col.mail, score col.positive, feeling col.mood, both_ col.pair, raw bytea, doc jsonb, many text[], during tstzrange,
    full_ text GENERATED ALWAYS AS (email || '!') STORED,
    sfid varchar(18), id int GENERATED ALWAYS AS IDENTITY, _hc_lastop varchar(32), _hc_err text,
    PRIMARY KEY (id, sfid), UNIQUE (sfid, id), EXCLUDE USING gist (during WITH &&));
CREATE INDEX ON col.t (lower(email)) WHERE score > 1;
SELECT regress_adopt(:'connection', 't') AS mapping \gset
\set log 'SELECT state, action, record_id, sfid, "values" FROM col._trigger_log ORDER BY id; TRUNCATE col._trigger_log;'
SET timezone = 'UTC';
INSERT INTO col.t (email, score, feeling, both_, raw, doc, many, during, sfid)
VALUES ('a@b', 5, 'ok', (1, 'x "y" \'), '\x00ff', '{"k": ["v", null]}', ARRAY['a,b', NULL, '"'], '[2020-01-01,2020-02-01)', '001000000000001AAA');
:log
UPDATE col.t SET email = 'c@d', feeling = 'sad', both_.a = 2;
:log
UPDATE col.t SET raw = '\x01', doc = doc || '{"n": 1}', many = array_append(many, '\');
:log
-- Changes that a check, a domain, an exclusion or an identity refuses.
UPDATE col.t SET score = -1;
INSERT INTO col.t (sfid, during) VALUES ('001000000000002AAA', '[2020-01-15,2020-03-01)');
UPDATE col.t SET id = 7;
INSERT INTO col.t (email) VALUES ('no sfid, which is part of the key@x');
:log

-- Columns come and go: between statements, and in the transaction that writes.
ALTER TABLE col.t DROP COLUMN both_, ADD COLUMN added int DEFAULT 7, DROP COLUMN during;
UPDATE col.t SET added = added + 1;
:log
BEGIN;
UPDATE col.t SET added = 9;
ALTER TABLE col.t ADD COLUMN late text DEFAULT 'late';
UPDATE col.t SET late = 'later', added = 10;
ALTER TABLE col.t DROP COLUMN added;
UPDATE col.t SET late = 'last';
COMMIT;
:log
BEGIN;
ALTER TABLE col.t ADD COLUMN never text;
UPDATE col.t SET never = 'x', late = 'rolled back';
ROLLBACK;
UPDATE col.t SET late = 'stays';
:log
-- The same statement, prepared before the columns changed.
PREPARE change(text) AS UPDATE col.t SET late = $1;
EXECUTE change('one');
ALTER TABLE col.t ADD COLUMN more text DEFAULT 'm', DROP COLUMN doc;
EXECUTE change('two');
SELECT "values", array_length(akeys(old::hstore), 1) AS old_columns FROM col._trigger_log ORDER BY id; TRUNCATE col._trigger_log;
-- A column with the name of one that was dropped, but of another type; and a key of the original shape.
ALTER TABLE col.t ADD COLUMN doc name;
ALTER TABLE col.t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id), ALTER sfid DROP NOT NULL;
INSERT INTO col.t (email, doc) VALUES ('e@f', '<a/>');
DELETE FROM col.t WHERE sfid IS NULL;
SELECT state, action, record_id, old, "values" FROM col._trigger_log ORDER BY id;
-- The essential columns may be domains too.
TRUNCATE col._trigger_log;
CREATE DOMAIN col.salesforce_id AS varchar(18) CHECK (length(VALUE) IN (15, 18));
CREATE DOMAIN col.number AS int;
CREATE TABLE col.d (name text, sfid col.salesforce_id, id col.number PRIMARY KEY, _hc_lastop text, _hc_err text);
SELECT regress_adopt(:'connection', 'd') AS domains \gset
INSERT INTO col.d (id, name, sfid) VALUES (1, 'a', '001000000000001AAA');
UPDATE col.d SET name = 'b';
DELETE FROM col.d;
:log
