-- Another type for a column under load: beside it, filled, indexed, swapped. Nothing of it is captured, and what the column had it keeps.
\set SHOW_CONTEXT never
\pset null -
SELECT regress_connection('change') AS connection \gset
SELECT hc_mapping_create(:'connection', 'Account', '{"access": "read_write", "fields": {"Name": {}, "AnnualRevenue": {}}, "indexes": {"AnnualRevenue": {}}}', regress_account()) AS mapping \gset
INSERT INTO change.account (name, annualrevenue) SELECT 'n' || g, g / 2.0 FROM generate_series(1, 30) g;
SET xmlbinary = hex;
UPDATE change.account SET _hc_lastop = 'FAILED', _hc_err = 'why' WHERE id = 3;
RESET xmlbinary;
TRUNCATE change._trigger_log;
CREATE UNIQUE INDEX account_both ON change.account (name DESC, annualrevenue) INCLUDE (sfid) WITH (fillfactor = 80);
ALTER TABLE change.account ADD CONSTRAINT account_key UNIQUE (annualrevenue, id) DEFERRABLE, ADD CONSTRAINT not_7 CHECK (annualrevenue::text <> '-7'),
    ALTER annualrevenue SET DEFAULT 3;
COMMENT ON COLUMN change.account.annualrevenue IS 'as booked';
GRANT SELECT (annualrevenue) ON change.account TO PUBLIC;
CREATE TEMP VIEW what AS
    SELECT format_type(a.atttypid, a.atttypmod) AS type, a.attacl::text ~ '^{=r/' AS "may all read it", col_description(a.attrelid, a.attnum) AS comment,
           pg_get_expr(d.adbin, d.adrelid) AS "default"
      FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = 'change.account'::regclass AND a.attname = 'annualrevenue';
CREATE TEMP VIEW indexes AS SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'change.account'::regclass ORDER BY 1;
CREATE TEMP VIEW constraints AS SELECT conname, convalidated, condeferrable, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'change.account'::regclass;
CREATE TEMP VIEW triggers AS SELECT tgname FROM pg_trigger WHERE tgrelid = 'change.account'::regclass AND NOT tgisinternal;
CREATE TEMP TABLE before AS SELECT 'index' AS kind, i::text AS what FROM indexes i UNION ALL SELECT 'constraint', c::text FROM constraints c UNION ALL SELECT 'trigger', t::text FROM triggers t;
CREATE TEMP VIEW after AS SELECT 'index' AS kind, i::text AS what FROM indexes i UNION ALL SELECT 'constraint', c::text FROM constraints c UNION ALL SELECT 'trigger', t::text FROM triggers t;
SELECT kind, identity, follows FROM hc_column_dependants('change.account', 'annualrevenue') ORDER BY 1, 2;

-- What cannot follow is listed and refused.
CREATE VIEW change.revenue AS SELECT annualrevenue FROM change.account;
CREATE INDEX account_large ON change.account (id) WHERE annualrevenue > 10;
SELECT hc_column_begin('change.account', 'annualrevenue', 'text');
DROP VIEW change.revenue;
DROP INDEX change.account_large;
SELECT hc_column_begin('change.account', 'nothing', 'text');

SELECT hc_column_begin('change.account', 'annualrevenue', 'character varying(255)', :'mapping');
SELECT hc_column_swap('change', 'account', 'annualrevenue');
-- Writers go on, and their entries know nothing of it.
UPDATE change.account SET annualrevenue = 77 WHERE id = 5;
UPDATE change.account SET annualrevenue = annualrevenue WHERE id = 6;
INSERT INTO change.account (name) VALUES ('new');
SELECT action, state, "values" FROM change._trigger_log ORDER BY id;
CALL hc_column_fill('change', 'account', 'annualrevenue', 7);
SELECT step, rows FROM hc_column_change;
SELECT _hc_lastop, _hc_err, count(*) FROM change.account GROUP BY 1, 2 ORDER BY 1;
SELECT hc_column_swap('change', 'account', 'annualrevenue');
SELECT statement FROM hc_column_twins('change', 'account', 'annualrevenue') \gexec
SELECT statement FROM hc_column_twins('change', 'account', 'annualrevenue');
-- Rows that a disabled trigger left behind are found, and filled again.
ALTER TABLE change.account DISABLE TRIGGER USER;
UPDATE change.account SET annualrevenue = 78 WHERE id = 7;
ALTER TABLE change.account ENABLE TRIGGER USER;
SELECT hc_column_swap('change', 'account', 'annualrevenue');
CALL hc_column_fill('change', 'account', 'annualrevenue', 7);
SELECT hc_column_swap('change', 'account', 'annualrevenue');
CALL hc_column_validate('change', 'account', 'annualrevenue');
SELECT * FROM what;
SELECT kind, what FROM (TABLE before EXCEPT TABLE after) x UNION ALL SELECT 'new ' || kind, what FROM (TABLE after EXCEPT TABLE before) x;
SELECT id, annualrevenue FROM change.account WHERE id IN (1, 2, 5, 7, 31) ORDER BY 1;
SELECT count(*) FROM change._trigger_log;
SELECT count(*) FROM hc_column_change;

-- Values that do not convert stop nobody who writes, and are shown before the swap.
SELECT hc_column_begin('change.account', 'annualrevenue', 'integer', :'mapping', NULL, true);
UPDATE change.account SET annualrevenue = CASE WHEN id < 9 THEN 'many' ELSE '12' END;
CALL hc_column_fill('change', 'account', 'annualrevenue');
SELECT statement FROM hc_column_twins('change', 'account', 'annualrevenue') \gexec
SELECT hc_column_swap('change', 'account', 'annualrevenue');
SELECT type FROM what;
UPDATE change.account SET annualrevenue = id WHERE id < 9;
SELECT hc_column_swap('change', 'account', 'annualrevenue');
SELECT type FROM what;
-- Given up.
SELECT hc_column_begin('change.account', 'name', 'text', :'mapping');
SELECT hc_column_cancel('change', 'account', 'name');
SELECT kind, what FROM (TABLE before EXCEPT TABLE after) x UNION ALL SELECT 'new ' || kind, what FROM (TABLE after EXCEPT TABLE before) x;
SELECT attname FROM pg_attribute WHERE attrelid = 'change.account'::regclass AND attname LIKE '\_hc\_new%';

-- The column id itself: its key, its sequence and its default follow. A new record's entry carries the wide id.
SELECT hc_column_begin('change.account', 'id', 'bigint', :'mapping');
CALL hc_column_fill('change', 'account', 'id');
SELECT statement FROM hc_column_twins('change', 'account', 'id') \gexec
SELECT hc_column_swap('change', 'account', 'id');
SELECT kind, what FROM (TABLE before EXCEPT TABLE after) x UNION ALL SELECT 'new ' || kind, what FROM (TABLE after EXCEPT TABLE before) x;
SELECT hc_column_type('change.account', 'id'), pg_get_serial_sequence('change.account', 'id');
INSERT INTO change.account (name) VALUES ('last') RETURNING id;
SELECT hc_type_holds(have, wanted) AS holds, hc_type_lengthens(have, wanted) AS lengthens, hc_may_fail(have, wanted) AS may_fail, hc_conversion('v', have, wanted), have, wanted
  FROM (VALUES ('character varying(80)', 'character varying(255)'), ('character varying(255)', 'character varying(80)'), ('character varying(80)', 'text'),
               ('text', 'character varying(80)'), ('integer', 'double precision'), ('double precision', 'integer'), ('bigint', 'integer'), ('numeric', 'double precision'),
               ('date', 'timestamp without time zone'), ('timestamp without time zone', 'date'), ('boolean', 'character varying(40)'), ('boolean', 'character varying(3)')) AS types(have, wanted);
SET client_min_messages = warning;
DELETE FROM hc_connection WHERE id = :'connection';
DROP SCHEMA change CASCADE;
DROP SEQUENCE public.hc_quiet_change;
