"""The tables that capture is measured on: one table of 20 captured columns, several times, each with another way of capture."""

import json

FIELDS = {
    "Name": ("string", 255), "Text1__c": ("string", 255), "Text2__c": ("string", 255), "Text3__c": ("textarea", 4000), "Text4__c": ("string", 80),
    "Amount1__c": ("double", 0), "Amount2__c": ("double", 0), "Amount3__c": ("currency", 0), "Count1__c": ("int", 0), "Count2__c": ("int", 0),
    "Flag1__c": ("boolean", 0), "Date1__c": ("date", 0), "Closed1__c": ("datetime", 0), "OwnerId": ("reference", 18), "Stage1__c": ("picklist", 255),
}
SYSTEM = {"Id": ("id", 18), "SystemModstamp": ("datetime", 0), "IsDeleted": ("boolean", 0), "CreatedDate": ("datetime", 0)}
COLUMNS = ", ".join(["sfid", "isdeleted", "systemmodstamp", "createddate", *(name.lower() for name in FIELDS)])

SOURCE = """
CREATE TABLE source AS SELECT {columns} FROM (SELECT
    'a0' || lpad(n::text, 16, '0') AS sfid, false AS isdeleted, timestamp '2024-05-06 07:08:09' + n * interval '1 s' AS systemmodstamp,
    timestamp '2023-01-02 03:04:05' + n * interval '1 s' AS createddate, 'Company number ' || n AS name, 'first text of ' || n AS text1__c,
    md5(n::text) AS text2__c, 'A "quoted" description of some length, as there are many of, for record ' || n AS text3__c, 'short' AS text4__c,
    n / 7.0::float8 AS amount1__c, n * 1.25::float8 AS amount2__c, (n % 1000)::float8 AS amount3__c, n AS count1__c, n % 50 AS count2__c,
    n % 2 = 0 AS flag1__c, date '2020-01-01' + n % 1000 AS date1__c, timestamp '2024-01-01 12:00:00.5' + n * interval '1 min' AS closed1__c,
    '005xx000001Sv6AAAS' AS ownerid, 'Prospecting' AS stage1__c FROM generate_series(1, {rows}) n) made"""

# Heroku Connect's functions, as the reference describes them. The gate of the second is that of HC Sync, all else is the same.
HEROKU = r"""
CREATE FUNCTION {schema}.get_xmlbinary() RETURNS character varying LANGUAGE {gate};
CREATE FUNCTION {schema}.hc_account_status() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF ({schema}.get_xmlbinary() = 'base64') THEN  -- user op
        NEW._hc_lastop = 'PENDING';
        NEW._hc_err = NULL;
        RETURN NEW;
    ELSE  -- connect op
        IF TG_OP = 'UPDATE' AND NEW._hc_lastop IS NOT NULL AND NEW._hc_lastop != OLD._hc_lastop THEN
            RETURN NEW;
        END IF;
        NEW._hc_lastop = 'SYNCED';
        NEW._hc_err = NULL;
        RETURN NEW;
    END IF;
END $body$;
CREATE FUNCTION {schema}.hc_account_logger() RETURNS trigger LANGUAGE plpgsql AS $body$
-- VERSION 4 --
DECLARE
    trigger_row {schema}._trigger_log;
    excluded_cols text[] = ARRAY['_hc_lastop', '_hc_err']::text[];
BEGIN
    trigger_row = ROW();
    trigger_row.id = nextval('{schema}._trigger_log_id_seq');
    trigger_row.action = TG_OP::text;
    trigger_row.table_name = TG_TABLE_NAME::text;
    trigger_row.txid = txid_current();
    trigger_row.created_at = clock_timestamp();
    trigger_row.state = 'NEW';
    IF (TG_OP = 'DELETE') THEN
        trigger_row.record_id = OLD.id;
        trigger_row.old = hstore(OLD.*) - excluded_cols;
        IF (OLD.sfid IS NOT NULL) THEN
            trigger_row.sfid = OLD.sfid;
        ELSE
            trigger_row.state = 'IGNORE';
        END IF;
    ELSIF (TG_OP = 'INSERT') THEN
        trigger_row.record_id = NEW.id;
        trigger_row.values = hstore(NEW.*) - excluded_cols;
    ELSIF (TG_OP = 'UPDATE') THEN
        trigger_row.record_id = NEW.id;
        trigger_row.old = hstore(OLD.*) - excluded_cols;
        trigger_row.values = (hstore(NEW.*) - trigger_row.old::hstore) - excluded_cols;
        IF (trigger_row.values = '') THEN
            trigger_row.state = 'IGNORE';
        END IF;
        IF (OLD.sfid IS NOT NULL) THEN
            trigger_row.sfid = OLD.sfid;
        END IF;
    END IF;
    INSERT INTO {schema}._trigger_log VALUES (trigger_row.*);
    RETURN NULL;
END $body$;
CREATE FUNCTION {schema}.tlog_notify_trigger() RETURNS trigger LANGUAGE plpgsql AS $body$
-- VERSION 1 --
BEGIN
    PERFORM pg_notify('{schema}.hc_trigger_log', 'ping');
    RETURN new;
END $body$;
CREATE TRIGGER tlog_insert_trigger AFTER INSERT ON {schema}._trigger_log FOR EACH ROW EXECUTE FUNCTION {schema}.tlog_notify_trigger();
CREATE TRIGGER hc_account_status_trigger BEFORE INSERT OR UPDATE ON {schema}.account FOR EACH ROW EXECUTE FUNCTION {schema}.hc_account_status();
CREATE TRIGGER hc_account_logtrigger AFTER INSERT OR DELETE OR UPDATE ON {schema}.account FOR EACH ROW
    WHEN (({schema}.get_xmlbinary())::text = 'base64'::text) EXECUTE FUNCTION {schema}.hc_account_logger();
"""
GATE = """plpgsql AS $body$
DECLARE
    xmlbin varchar;
BEGIN
    SELECT INTO xmlbin setting FROM pg_settings WHERE name = 'xmlbinary';
    RETURN xmlbin;
END $body$"""
MENDED_GATE = "sql STABLE AS $body$ SELECT current_setting('xmlbinary')::varchar $body$"


def description():
    fields = [{"name": name, "type": type, "length": length, "createable": name in FIELDS, "updateable": name in FIELDS}
              | ({"referenceTo": ["User"], "relationshipName": "Owner"} if type == "reference" else {})
              for name, (type, length) in (SYSTEM | FIELDS).items()]
    return json.dumps({"name": "Account", "queryable": True, "replicateable": True, "createable": True, "fields": fields})


def make_tables(database, rows):
    """The tables account of the schemas plain, heroku, mended, c and portable, the log of schema floor, and the rows to insert."""
    config = json.dumps({"access": "read_write", "fields": {name: {} for name in ["CreatedDate", *FIELDS]}})
    for mode in ("c", "portable"):
        connection = database.value("SELECT hc_connection_create(%s)", mode)
        database.execute("SELECT hc_mapping_create(%s, 'Account', %s, %s)", connection, config, description())
        database.execute("CALL hc_capture_mode(%s, %s)", connection, mode)
    captured = database.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 'c.account'::regclass AND attnum > 0 AND attname NOT LIKE '\\_hc%%'")
    assert captured == 20, captured
    for schema in ("plain", "floor", "heroku", "mended"):
        database.execute(f"CREATE SCHEMA {schema}")
        for table, key in (("account", "id"), ("_trigger_log", "id")):
            database.execute(f"CREATE TABLE {schema}.{table} (LIKE c.{table} INCLUDING ALL EXCLUDING DEFAULTS)")
            database.execute(f"CREATE SEQUENCE {schema}.{table}_id_seq AS integer OWNED BY {schema}.{table}.{key}")
            database.execute(f"ALTER TABLE {schema}.{table} ALTER {key} SET DEFAULT nextval('{schema}.{table}_id_seq')")
    for schema, gate in (("heroku", GATE), ("mended", MENDED_GATE)):
        database.execute(HEROKU.format(schema=schema, gate=gate))
    database.execute(SOURCE.format(columns=COLUMNS, rows=rows))
    database.execute("VACUUM ANALYZE source")


def empty(database, *schemas):
    for schema in schemas:
        tables = f"{schema}._trigger_log" if schema == "floor" else f"{schema}.account, {schema}._trigger_log"
        database.execute(f"BEGIN; SET LOCAL xmlbinary = hex; TRUNCATE {tables}; COMMIT")


def fill(database, schema, rows):
    """The first rows of the source, uncaptured, with ids from 1; an empty log."""
    empty(database, schema)
    for statement in ("SET xmlbinary = hex", f"INSERT INTO {schema}.account (id, {COLUMNS}) SELECT row_number() OVER (), {COLUMNS} FROM source LIMIT {rows}",
                      f"SELECT setval('{schema}.account_id_seq', {rows})", "RESET xmlbinary", f"VACUUM ANALYZE {schema}.account"):
        database.execute(statement)
