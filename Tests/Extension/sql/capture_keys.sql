-- Keys of the user: cascades between mapped tables, to a mapped unique column and from another table; ids that change.
SELECT regress_connection('key') AS connection \gset
CREATE TABLE key.account (name text, ext varchar(36) UNIQUE, sfid varchar(18) UNIQUE, id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text);
CREATE TABLE key.contact (name text, accountid varchar(18), account__ext varchar(36), managerid int, sfid varchar(18), id serial PRIMARY KEY, _hc_lastop varchar(32), _hc_err text,
    FOREIGN KEY (account__ext) REFERENCES key.account (ext) ON UPDATE CASCADE ON DELETE CASCADE,
    FOREIGN KEY (accountid) REFERENCES key.account (sfid) ON UPDATE CASCADE ON DELETE SET NULL,
    FOREIGN KEY (managerid) REFERENCES key.contact (id) ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE key.basket (owner varchar(36) REFERENCES key.account (ext) ON UPDATE CASCADE ON DELETE CASCADE, what text);
SELECT regress_adopt(:'connection', 'account') AS account \gset
SELECT regress_adopt(:'connection', 'contact') AS contact \gset
\set log 'SELECT table_name AS "table", state, action, record_id AS record, sfid, "values" FROM key._trigger_log ORDER BY id; TRUNCATE key._trigger_log;'
SET xmlbinary = hex;
INSERT INTO key.account (name, ext, sfid) VALUES ('a', 'ext-a', '001000000000001AAA'), ('b', 'ext-b', '001000000000002AAA');
INSERT INTO key.contact (name, account__ext, accountid, managerid, sfid)
VALUES ('boss', 'ext-a', NULL, NULL, '003000000000001AAA'), ('kid', NULL, '001000000000001AAA', 1, NULL), ('other', 'ext-b', NULL, NULL, '003000000000003AAA');
INSERT INTO key.basket VALUES ('ext-a', 'apples');
RESET xmlbinary;
UPDATE key.account SET ext = 'ext-A' WHERE id = 1;
:log
SELECT * FROM key.basket;
-- A contact's number is its record: the entry names the new one, and old the old one.
UPDATE key.contact SET id = 10 WHERE id = 1;
SELECT action, record_id, old::hstore -> 'id' AS old_id, "values" FROM key._trigger_log ORDER BY id;
TRUNCATE key._trigger_log;
-- Three levels: the account, the contact by its external id, the contact below that one; and one that is only set free.
DELETE FROM key.account WHERE id = 1;
:log
SELECT id, accountid, account__ext, _hc_lastop FROM key.contact ORDER BY id;
-- What we do ourselves cascades without being captured.
BEGIN;
SET LOCAL xmlbinary = hex;
DELETE FROM key.account;
COMMIT;
:log
SELECT count(*) FROM key.contact;

-- Ids exchanged in one statement, under a key that is checked at its end, or at the end of the transaction.
ALTER TABLE key.account DROP CONSTRAINT account_pkey, ADD PRIMARY KEY (id) DEFERRABLE INITIALLY IMMEDIATE;
INSERT INTO key.account (id, name) VALUES (21, 'one'), (22, 'two');
TRUNCATE key._trigger_log;
UPDATE key.account SET id = 43 - id;
SELECT record_id, old::hstore -> 'id' AS old_id, "values" FROM key._trigger_log ORDER BY record_id;
TRUNCATE key._trigger_log;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
UPDATE key.account SET id = 21 WHERE id = 22;
UPDATE key.account SET id = 22 WHERE name = 'one';
COMMIT;
SELECT record_id, old::hstore -> 'id' AS old_id, "values" FROM key._trigger_log ORDER BY id;
TRUNCATE key._trigger_log;
-- A violated key takes the entries along.
UPDATE key.account SET id = 21;
INSERT INTO key.contact (name, managerid) VALUES ('nobody''s', 999);
:log
