"""The SQL that applications of Heroku Connect run (reference 2.6 and 10.5), as their drivers send it."""

import json

import pytest

from support.plain_client import PlainClient


@pytest.fixture
def client(schema):
    client = PlainClient(schema.url)
    yield client
    client.close()


def insert(client, **columns):
    places = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    return int(client.query(f"INSERT INTO salesforce.contact({', '.join(columns)}) VALUES ({places}) RETURNING id", list(columns.values()))[0]["id"])


def change_phone(client, phone, first, last, email):
    """The phone-change application: UPDATE, and INSERT when nothing was updated."""
    updated = client.query("UPDATE salesforce.Contact SET Phone = $1, MobilePhone = $1 WHERE LOWER(FirstName) = LOWER($2) "
                           "AND LOWER(LastName) = LOWER($3) AND LOWER(Email) = LOWER($4)", [phone, first, last, email])
    if updated == 0:
        client.query("INSERT INTO salesforce.Contact (Phone, MobilePhone, FirstName, LastName, Email) VALUES ($1, $2, $3, $4, $5)",
                     [phone, phone, first, last, email])
    return updated


def test_an_update_falls_back_to_an_insert(client):
    assert [change_phone(client, phone, "Ada", "Lovelace", "ada@example.com") for phone in ("1", "2", "2")] == [0, 1, 1]
    log = client.query("SELECT action, state, values FROM salesforce._trigger_log WHERE table_name = 'contact' ORDER BY id DESC LIMIT 3")
    assert [(row["action"], row["state"]) for row in log] == [("UPDATE", "IGNORE"), ("UPDATE", "NEW"), ("INSERT", "NEW")]
    assert log[1]["values"] == '"phone"=>"2", "mobilephone"=>"2"' and log[0]["values"] == ""


def test_status_columns_are_read_and_cannot_be_written(client):
    id = insert(client, lastname="Status", _hc_lastop="SYNCED", _hc_err="mine")
    assert client.query("SELECT _hc_err, _hc_lastop FROM salesforce.contact WHERE id = $1", [id]) == [{"_hc_err": None, "_hc_lastop": "PENDING"}]
    client.query("CREATE OR REPLACE VIEW salesforce_errors AS SELECT id, lastname, _hc_lastop, _hc_err::json ->> 'msg' AS message "
                 "FROM salesforce.contact WHERE _hc_err IS NOT NULL")
    assert client.query("SELECT * FROM salesforce_errors") == []
    client.query("BEGIN; SET LOCAL xmlbinary = hex; UPDATE salesforce.contact SET _hc_lastop = 'FAILED', _hc_err = '{\"msg\": \"no\"}' "
                 f"WHERE id = {id}; COMMIT")   # as the service writes it
    assert client.query("SELECT * FROM salesforce_errors") == [{"id": str(id), "lastname": "Status", "_hc_lastop": "FAILED", "message": "no"}]
    client.query("UPDATE salesforce.contact SET lastname = 'Again' WHERE id = $1", [id])
    assert client.query("SELECT * FROM salesforce_errors") == []


def test_the_log_is_read_and_its_states_are_edited(client):
    id = insert(client, lastname="Edited")
    entry = client.query("SELECT * FROM salesforce._trigger_log ORDER BY created_at DESC LIMIT 1")[0]
    assert (entry["record_id"], entry["state"]) == (str(id), "NEW")
    assert list(entry) == ["id", "txid", "created_at", "updated_at", "processed_at", "processed_tx", "state", "action", "table_name",
                           "record_id", "sfid", "old", "values", "sf_result", "sf_message"]
    fail = "UPDATE salesforce._trigger_log SET state = 'FAILED', sf_message = 'refused', processed_at = now() WHERE id = $1"
    client.query(fail, [entry["id"]])
    assert client.query("SELECT id, action, table_name, record_id, sf_message FROM salesforce._trigger_log WHERE state = 'FAILED' ORDER BY id") == [
        {"id": entry["id"], "action": "INSERT", "table_name": "contact", "record_id": str(id), "sf_message": "refused"}]
    newest = """SELECT c.lastname, l.sf_message FROM salesforce.contact c JOIN (
                    SELECT DISTINCT ON (table_name, record_id) table_name, record_id, sf_message FROM salesforce._trigger_log
                     WHERE processed_at IS NOT NULL ORDER BY table_name, record_id, processed_at DESC) l
                 ON l.table_name = 'contact' AND l.record_id = c.id WHERE c.id = $1"""
    assert client.query(newest, [id]) == [{"lastname": "Edited", "sf_message": "refused"}]
    assert client.query("UPDATE salesforce._trigger_log SET state = 'NEW' WHERE state = 'FAILED' AND id = $1", [entry["id"]]) == 1
    client.query("SET search_path = salesforce, public")
    client.query(fail, [entry["id"]])
    assert client.query("UPDATE _trigger_log SET state = 'NEW' WHERE state = 'FAILED'") == 1
    assert client.query("UPDATE _trigger_log SET state = 'IGNORE' WHERE id = $1", [entry["id"]]) == 1
    assert int(client.query("SELECT count(*) FROM _trigger_log WHERE state IN ('NEW','PENDING')")[0]["count"]) >= 0


def test_rows_are_captured_again_by_hand(client):
    id = insert(client, lastname="Cycle", accountid="001xx00000000A1AAA")
    (insertion,) = client.query("SELECT salesforce.hc_capture_insert_from_row(hstore(t.*), 'contact', ARRAY['accountid']::text[]) AS id "
                                f"FROM salesforce.contact t WHERE t.id = {id}")
    (update,) = client.query("SELECT salesforce.hc_capture_update_from_row(hstore(t.*), 'contact', ARRAY['accountid']) AS id "
                             "FROM salesforce.contact t WHERE t.id = $1", [id])
    entries = {row["id"]: row for row in client.query("SELECT * FROM salesforce._trigger_log WHERE id IN ($1, $2)", [insertion["id"], update["id"]])}
    assert "accountid" not in entries[insertion["id"]]["values"] and f'"id"=>"{id}"' in entries[insertion["id"]]["values"]
    assert entries[update["id"]]["values"] == '"accountid"=>"001xx00000000A1AAA"' and entries[update["id"]]["state"] == "NEW"
    # The argument may be of any text type, as the package's own copies of the functions have it.
    assert client.query("SELECT salesforce.hc_capture_update_from_row(hstore(t.*), 'contact'::text::varchar) AS id FROM salesforce.contact t "
                        "WHERE false") == []
    assert client.query("SELECT salesforce.hc_capture_insert_from_row(hstore(t.*), $2, $3::text[]) IS NOT NULL AS made FROM salesforce.contact t "
                        "WHERE t.id = $1", [id, "contact", "{}"]) == [{"made": "t"}]


def test_an_application_writes_entries_of_its_own(client):
    """A trigger sends the row's id to Salesforce: it takes the next number and inserts the row of the log itself."""
    client.query("""
        CREATE OR REPLACE FUNCTION send_id() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE entry salesforce._trigger_log%ROWTYPE;
        BEGIN
            entry.id := nextval('salesforce._trigger_log_id_seq'); entry.action := 'UPDATE'; entry.state := 'NEW'; entry.table_name := 'contact';
            entry.record_id := NEW.id; entry.txid := txid_current(); entry.created_at := clock_timestamp();
            entry."values" := hstore('externalid__c', 'pg-' || NEW.id);
            INSERT INTO salesforce._trigger_log VALUES (entry.*);
            RETURN NULL;
        END $$;
        CREATE TRIGGER send_id AFTER INSERT ON salesforce.contact FOR EACH ROW EXECUTE PROCEDURE send_id()""")
    try:
        id = insert(client, lastname="By hand")
    finally:
        client.query("DROP TRIGGER send_id ON salesforce.contact")
    log = client.query("SELECT action, state, sfid, values FROM salesforce._trigger_log WHERE record_id = $1 AND table_name = 'contact' ORDER BY id", [id])
    assert [row["action"] for row in log] == ["INSERT", "UPDATE"] and log[1] == {
        "action": "UPDATE", "state": "NEW", "sfid": None, "values": f'"externalid__c"=>"pg-{id}"'}


# What object-relational mappers send

def test_sequelize(client):
    id = client.query('INSERT INTO "salesforce"."contact" ("id","lastname","email") VALUES (DEFAULT,$1,$2) RETURNING "id","lastname","sfid","_hc_lastop"',
                      ["Sequelize", "s@example.com"])[0]
    assert id["_hc_lastop"] == "PENDING"
    key = "0" * 32
    for name in ("first", "second"):
        (row,) = client.query('INSERT INTO "salesforce"."contact" ("lastname","externalid__c","account__externalid__c") VALUES ($1,$2,$3) '
                              'ON CONFLICT ("externalid__c") DO UPDATE SET "lastname"=EXCLUDED."lastname" RETURNING "id","lastname"', [name, key, "parent"])
    assert row["lastname"] == "second"
    assert client.query('SELECT "Contact"."id", "account"."name" AS "account.name" FROM "salesforce"."contact" AS "Contact" LEFT OUTER JOIN '
                        '"salesforce"."account" AS "account" ON "Contact"."accountid" = "account"."sfid" WHERE "Contact"."id" = $1;', [row["id"]]) == [
        {"id": row["id"], "account.name": None}]
    described = client.query("SELECT pk.constraint_type AS Constraint, c.column_name AS Field, c.column_default AS Default, c.is_nullable AS Null, "
        "(CASE WHEN c.udt_name = 'hstore' THEN c.udt_name ELSE c.data_type END) || (CASE WHEN c.character_maximum_length IS NOT NULL THEN '(' || "
        "c.character_maximum_length || ')' ELSE '' END) AS Type FROM information_schema.columns c LEFT JOIN (SELECT tc.table_schema, tc.table_name, "
        "cu.column_name, tc.constraint_type FROM information_schema.TABLE_CONSTRAINTS tc JOIN information_schema.KEY_COLUMN_USAGE cu "
        "ON tc.table_schema=cu.table_schema AND tc.table_name=cu.table_name AND tc.constraint_name=cu.constraint_name AND "
        "tc.constraint_type='PRIMARY KEY') pk ON pk.table_schema=c.table_schema AND pk.table_name=c.table_name AND pk.column_name=c.column_name "
        "WHERE c.table_name = 'contact' AND c.table_schema = 'salesforce'")
    types = {row["field"]: (row["type"], row["null"], row["default"], row["constraint"]) for row in described}
    assert types["id"] == ("integer", "NO", "nextval('salesforce.contact_id_seq'::regclass)", "PRIMARY KEY")
    assert types["account__externalid__c"] == ("character varying(64)", "YES", None, None)
    assert types["_hc_lastop"] == ("character varying(32)", "YES", None, None)


def test_hibernate(client):
    """Identifiers from the column or its sequence, every column in each UPDATE, pessimistic locks, native queries on both logs."""
    client.query("BEGIN")
    (made,) = client.query("insert into salesforce.account (_hc_err, _hc_lastop, name, sfid) values ($1, $2, $3, $4)\nRETURNING *",
                           [None, None, "Hibernate", None], name="S_1")
    assert list(made)[-4:] == ["sfid", "id", "_hc_lastop", "_hc_err"]
    (number,) = client.query("select nextval ('salesforce.account_id_seq')")
    client.query("insert into salesforce.account (name, id) values ($1, $2)", ["Numbered", number["nextval"]], name="S_2")
    client.query("select account0_.id as id1_0_0_ from salesforce.account account0_ where account0_.id=$1 for update", [made["id"]], name="S_3")
    assert client.query("update salesforce.account set _hc_err=$1, _hc_lastop=$2, name=$3, sfid=$4 where id=$5",
                        [None, "PENDING", "Changed", None, made["id"]], name="S_4") == 1
    client.query("COMMIT")
    both = """SELECT action, state FROM (SELECT * FROM salesforce._trigger_log UNION ALL SELECT * FROM salesforce._trigger_log_archive) l
               WHERE table_name = $1 AND record_id = $2 AND created_at > now() - interval '1 day' ORDER BY id"""
    assert [row["action"] for row in client.query(both, ["account", made["id"]])] == ["INSERT", "UPDATE"]
    assert int(client.query("SELECT last_value FROM salesforce.account_id_seq")[0]["last_value"]) >= int(number["nextval"])


def test_reports_on_both_logs(client):
    """Looker and dbt: hours, states and lags over both log tables, and a table made from them."""
    insert(client, lastname="Reported")
    rows = client.query("""
        WITH trigger_log AS (SELECT * FROM salesforce._trigger_log UNION ALL SELECT * FROM salesforce._trigger_log_archive)
        SELECT TO_CHAR(DATE_TRUNC('hour', trigger_log.created_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24') AS "trigger_log.created_hour",
               trigger_log.state AS "trigger_log.state", COUNT(*) AS "trigger_log.count",
               AVG(EXTRACT(EPOCH FROM trigger_log.processed_at - trigger_log.created_at)) AS "trigger_log.average_lag"
          FROM trigger_log WHERE ((trigger_log.created_at) >= (CURRENT_TIMESTAMP - INTERVAL '7 day')) GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 500""")
    assert {"NEW"} <= {row["trigger_log.state"] for row in rows}
    (count,) = client.query("SELECT contact._hc_lastop AS \"contact._hc_lastop\", COUNT(*) FROM salesforce.contact AS contact "
                            "WHERE contact.lastname IN ('Reported') GROUP BY 1")
    assert count["contact._hc_lastop"] == "PENDING"
    client.query("DROP TABLE IF EXISTS contact_model; CREATE TABLE contact_model AS SELECT ACCOUNT__EXTERNALID__C, _HC_LASTOP FROM salesforce.CONTACT")


def test_values_are_what_javascript_and_ruby_parse(client):
    id = insert(client, lastname='He said "no" \\ maybe', firstname="O'Neil,\n=>", email=None)
    (entry,) = client.query("SELECT values, values::hstore::json AS parsed FROM salesforce._trigger_log WHERE record_id = $1 AND table_name = 'contact'", [id])
    assert '"lastname"=>"He said \\"no\\" \\\\ maybe"' in entry["values"] and '"email"=>NULL' in entry["values"]
    parsed = json.loads(entry["parsed"])
    assert parsed["lastname"] == 'He said "no" \\ maybe' and parsed["firstname"] == "O'Neil,\n=>" and parsed["email"] is None
