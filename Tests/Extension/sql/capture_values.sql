-- The text of values: PostgreSQL's output of each type, whatever the session set, in hstore's order and quoting.
SELECT regress_connection('val') AS connection \gset
CREATE TABLE val.t (d date, ts timestamp, amt float8, flag boolean, name text, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
SELECT regress_adopt(:'connection', 't') AS mapping \gset
\set log 'SELECT "values" FROM val._trigger_log ORDER BY id DESC LIMIT 1;'
SHOW datestyle;
INSERT INTO val.t (d, ts, amt, flag, name) VALUES ('2020-01-02', '2020-01-02 03:04:05.678', 1.5, true, 'n');
:log
SET datestyle = 'German';
SET extra_float_digits = -5;
INSERT INTO val.t (d, ts, amt) VALUES ('2020-01-02', '2020-01-02 03:04:05', 0.1::float8 + 0.2::float8);
:log
SELECT current_setting('datestyle') AS datestyle, current_setting('extra_float_digits') AS digits, d, amt FROM val.t WHERE id = 2;
UPDATE val.t SET ts = ts + interval '1 second', amt = 12345678901234567890 WHERE id = 2;
:log
SET datestyle = 'ISO';
UPDATE val.t SET amt = 1.0::float8 / 3 WHERE id = 2;
:log
SET extra_float_digits = 0;
UPDATE val.t SET amt = 2.0::float8 / 3 WHERE id = 2;
:log
SET extra_float_digits = 3;
UPDATE val.t SET amt = 4.0::float8 / 3 WHERE id = 2;
:log
RESET datestyle;
RESET extra_float_digits;

-- Quotes, backslashes, newlines, emoji and a value longer than a page.
INSERT INTO val.t (name) VALUES (E'say "hi" \\ and\nmore, => \U0001F600');
:log
SELECT ("values"::hstore -> 'name') = (SELECT name FROM val.t WHERE id = 3) AS round_trip FROM val._trigger_log ORDER BY id DESC LIMIT 1;
UPDATE val.t SET name = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 1000) i) WHERE id = 3;
SELECT length("values"), ("values"::hstore -> 'name') = (SELECT name FROM val.t WHERE id = 3) AS round_trip FROM val._trigger_log ORDER BY id DESC LIMIT 1;
UPDATE val.t SET name = name || '' WHERE id = 3;
SELECT state, "values" FROM val._trigger_log ORDER BY id DESC LIMIT 1;

-- Columns come and go; names need quotes; stored values are generated; equal numbers may have unequal text.
ALTER TABLE val.t DROP COLUMN flag, DROP COLUMN ts;
ALTER TABLE val.t ADD COLUMN "Odd ""name\" numeric DEFAULT 1.0, ADD COLUMN doubled float8 GENERATED ALWAYS AS (amt * 2) STORED, ADD COLUMN tags text[], ADD COLUMN span interval;
UPDATE val.t SET amt = 2, "Odd ""name\" = 1.00, tags = ARRAY['a b', NULL] WHERE id = 1;
SELECT old, "values" FROM val._trigger_log ORDER BY id DESC LIMIT 1;
INSERT INTO val.t (name, span) VALUES ('', '1 day');
:log
ALTER TABLE val.t RENAME COLUMN tags TO labels;
ALTER TABLE val.t DROP COLUMN doubled;
ALTER TABLE val.t ALTER COLUMN amt TYPE text;
UPDATE val.t SET amt = 'two', labels = '{}' WHERE id = 1;
:log

-- Every entry equals what hstore makes of the row under ISO dates.
SET datestyle = 'ISO';
INSERT INTO val.t (d, name, labels) SELECT '2000-01-01'::date + i, repeat('x', i), ARRAY[i::text] FROM generate_series(1, 50) i;
SELECT count(*), bool_and(l."values" = (hstore(t.*) - ARRAY['_hc_lastop', '_hc_err'])::text) AS same
  FROM val._trigger_log l JOIN val.t t ON t.id = l.record_id WHERE l.action = 'INSERT' AND t.labels IS NOT NULL AND l.record_id > 4;
