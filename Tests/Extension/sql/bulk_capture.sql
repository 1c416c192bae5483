-- Entries of one statement written together are those that would be written one by one. (Portable capture knows only the latter.)
SELECT regress_connection('bulk') AS connection \gset
CREATE TABLE bulk.a (id serial PRIMARY KEY, sfid varchar(18), name text, amount float8, _hc_lastop varchar(32), _hc_err text);
CREATE TABLE bulk.b (LIKE bulk.a INCLUDING ALL, a_id integer REFERENCES bulk.a ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE bulk.c (LIKE bulk.a INCLUDING ALL, a_id integer REFERENCES bulk.a ON DELETE SET NULL ON UPDATE CASCADE);
SELECT regress_adopt(:'connection', t::name) IS NOT NULL AS mapped FROM unnest(ARRAY['a', 'b', 'c']) t;

-- While entries of a deleted row of a wait, a row of b goes and its trigger changes c in subtransactions, one of them rolled back.
CREATE FUNCTION bulk.shake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        UPDATE bulk.c SET name = 'lost' WHERE id <= 3;
        RAISE EXCEPTION 'rolled back';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    BEGIN
        UPDATE bulk.c SET name = 'kept ' || OLD.id WHERE id <= 2;
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    UPDATE bulk.c SET amount = OLD.id WHERE id = 1;
    RETURN NULL;
END $$;
CREATE TRIGGER after_delete AFTER DELETE ON bulk.b FOR EACH ROW EXECUTE FUNCTION bulk.shake();

CREATE FUNCTION bulk.play() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO bulk.a (id, sfid, name, amount) SELECT g, '001' || g, E'n"\\\n' || g, g / 3.0 FROM generate_series(1, 1500) g;
    INSERT INTO bulk.b (id, a_id) SELECT g, g FROM generate_series(1, 4) g;
    INSERT INTO bulk.c (id, a_id, name) SELECT g, g, repeat('x', 300000) FROM generate_series(1, 4) g;
    UPDATE bulk.a SET amount = amount + 1 WHERE id <= 1200;
    UPDATE bulk.a SET name = name WHERE id <= 20;
    UPDATE bulk.a SET id = -id WHERE id <= 2;
    WITH gone AS (DELETE FROM bulk.a WHERE id > 1400 RETURNING id) UPDATE bulk.c SET name = (SELECT count(*) FROM gone) WHERE id = 4;
    INSERT INTO bulk.a (id, name) SELECT g, 'again' FROM generate_series(1399, 1405) g ON CONFLICT (id) DO UPDATE SET name = 'met';
    DELETE FROM bulk.a WHERE id < 4;
    BEGIN
        UPDATE bulk.a SET amount = 1 / (amount - 1e9)::integer;
        DELETE FROM bulk.a;
        RAISE EXCEPTION 'never mind';
    EXCEPTION WHEN raise_exception THEN
        DELETE FROM bulk.a WHERE id BETWEEN 4 AND 1300;
    END;
END $$;
CREATE FUNCTION bulk.entries() RETURNS TABLE (n bigint, state varchar, action varchar, table_name varchar, record_id integer, sfid varchar, old text, "values" text)
LANGUAGE sql AS $$
    SELECT row_number() OVER (PARTITION BY table_name, record_id ORDER BY id), state, action, table_name, record_id, sfid, old, "values" FROM bulk._trigger_log
$$;
CREATE FUNCTION bulk.reset() RETURNS void LANGUAGE sql AS $$
    SET LOCAL xmlbinary = hex;
    DELETE FROM bulk.b; DELETE FROM bulk.c; DELETE FROM bulk.a; DELETE FROM bulk._trigger_log;
$$;

SELECT bulk.play();
CREATE TABLE bulk.together AS SELECT * FROM bulk.entries();
SELECT table_name, action, state, count(*) FROM bulk.together GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT count(*) FROM bulk.together WHERE "values" LIKE '%lost%';
SELECT record_id, n, action, left("values", 40) AS "values" FROM bulk.together WHERE table_name = 'c' AND action = 'UPDATE' ORDER BY 1, 2;
SELECT bulk.reset();
SET hc_sync.bulk_capture = off;
SELECT bulk.play();
RESET hc_sync.bulk_capture;
SELECT count(*) AS differences FROM (TABLE bulk.together EXCEPT SELECT * FROM bulk.entries() UNION ALL (SELECT * FROM bulk.entries() EXCEPT TABLE bulk.together)) d;

-- A statement that changes the log's table while entries wait for its end.
SELECT bulk.reset();
CREATE FUNCTION bulk.widen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    ALTER TABLE bulk._trigger_log ADD COLUMN IF NOT EXISTS added integer;
    RETURN NULL;
END $$;
CREATE TRIGGER widen AFTER DELETE ON bulk.b FOR EACH ROW EXECUTE FUNCTION bulk.widen();
INSERT INTO bulk.a (id) VALUES (1), (2);
INSERT INTO bulk.b (id, a_id) VALUES (1, 1);
DELETE FROM bulk.a;
SELECT action, table_name, record_id, added FROM bulk._trigger_log ORDER BY id;

SET client_min_messages = warning;
DROP SCHEMA bulk CASCADE;
DELETE FROM hc_connection WHERE schema_name = 'bulk';
