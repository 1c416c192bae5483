"""A write to a mapped table becomes a write to Salesforce, and its row walks PENDING, INSERTED or UPDATED, SYNCED."""

import json

from harness.relay import mapping
from harness.waiting import wait_until

ACCOUNT = mapping("Account", ["Name", "ExternalId__c", "AnnualRevenue", "NumberOfEmployees", "Phone", "Checked__c"],
                  upsert_field="ExternalId__c")
CONTACT = mapping("Contact", ["FirstName", "LastName", "Email", "AccountId"])


def synced(database, table, id):
    return wait_until(lambda: (row := database.row(table, id)) and row["_hc_lastop"] == "SYNCED" and row,
                      20, f"row {id} of {table} to be SYNCED")


def insert_account(database, **columns):
    columns = {"name": "Acme", "externalid__c": "acme-1", **columns}
    return database.value(f"INSERT INTO salesforce.account ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))}) RETURNING id",
                          *columns.values())


def test_an_insert_walks_from_pending_to_synced(connected, database, org):
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    database.execute("CREATE TABLE seen (id int, lastop text, sfid text)")
    database.execute("""CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO public.seen VALUES (NEW.id, NEW._hc_lastop, NEW.sfid); RETURN NULL; END $$""")
    database.execute("CREATE TRIGGER see AFTER INSERT OR UPDATE ON salesforce.account FOR EACH ROW EXECUTE FUNCTION public.see()")
    id = insert_account(database, annualrevenue=12)
    row = synced(database, "account", id)
    walk = [r["lastop"] for r in database.execute("SELECT lastop FROM seen WHERE id = %s ORDER BY ctid", id)]
    assert walk == ["PENDING", "INSERTED", "SYNCED"]
    assert all(r["sfid"] == row["sfid"] for r in database.execute("SELECT sfid FROM seen WHERE id = %s AND lastop <> 'PENDING'", id))
    record = org.record("Account", row["sfid"])
    assert record["Name"] == "Acme" and record["AnnualRevenue"] == 12
    # What the flow changed after the save is in the row.
    assert row["checked__c"] == record["Checked__c"] and record["Checked__c"]
    assert row["createddate"] is not None and row["systemmodstamp"] is not None and row["isdeleted"] is False
    archived = database.one("SELECT * FROM salesforce._trigger_log_archive")
    assert archived["state"] == "SUCCESS" and archived["sfid"] == row["sfid"] and archived["processed_at"]
    assert database.value("SELECT count(*) FROM salesforce._trigger_log") == 0   # reading back captured nothing


def test_an_update_of_two_columns_sends_exactly_two_fields(connected, database, org):
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    id = insert_account(database, annualrevenue=1, phone="1")
    synced(database, "account", id)
    org.forget_calls()
    database.execute("UPDATE salesforce.account SET annualrevenue = 2, phone = NULL WHERE id = %s", id)
    row = synced(database, "account", id)
    (write,) = org.writes()
    (sent,) = write["records"]
    assert sorted(sent["fields"]) == ["AnnualRevenue"] and sorted(sent["nulled"]) == ["Phone"]
    record = org.record("Account", row["sfid"])
    assert record["AnnualRevenue"] == 2 and record["Phone"] is None and record["Name"] == "Acme"


def test_a_delete_removes_the_record(connected, database, org):
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    id = insert_account(database)
    sfid = synced(database, "account", id)["sfid"]
    database.execute("DELETE FROM salesforce.account WHERE id = %s", id)
    wait_until(lambda: org.record("Account", sfid)["IsDeleted"], 20, "the record to be deleted")
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce._trigger_log") == 0, 10, "the entry to be archived")
    assert database.row("account", id) is None


def test_a_rejected_write_shows_why_and_can_be_retried(connected, database, org):
    connected.import_mapping(CONTACT)
    connected.start_and_load()
    id = database.value("INSERT INTO salesforce.contact (lastname, email) VALUES ('Doe', 'invalid@invalid') RETURNING id")
    row = wait_until(lambda: (row := database.row("contact", id))["_hc_lastop"] == "FAILED" and row, 20, "the rejection")
    entry = database.one("SELECT * FROM salesforce._trigger_log WHERE state = 'FAILED'")
    error = json.loads(row["_hc_err"])
    assert entry["record_id"] == id and entry["action"] == "INSERT"
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in entry["sf_message"] and error["msg"] in entry["sf_message"]
    assert error["op"] == "INSERT" and error["code"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    org.remove_rules("Contact")
    database.execute("UPDATE salesforce._trigger_log SET state = 'NEW' WHERE state = 'FAILED'")
    connected.advance_clock("2 minutes")   # edits of state are found by the full look, every two minutes
    row = synced(database, "contact", id)
    assert row["_hc_err"] is None and org.record("Contact", row["sfid"])["LastName"] == "Doe"


def test_changes_of_one_row_arrive_in_order_and_alone(connected, database, org):
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    with database.connect() as transaction:
        cursor = transaction.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES ('one', 'o1') RETURNING id")
        id = cursor.fetchone()["id"]
        for name in ("two", "three"):
            transaction.execute("UPDATE salesforce.account SET name = %s WHERE id = %s", (name, id))
    row = synced(database, "account", id)
    assert [write["operation"] for write in org.writes()] == ["upsert", "update", "update"]
    assert org.record("Account", row["sfid"])["Name"] == "three" and row["name"] == "three"


def test_two_hundred_records_travel_in_one_call(connected, database, org):
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    database.execute("INSERT INTO salesforce.account (name, externalid__c) SELECT 'n' || g, 'x' || g FROM generate_series(1, 450) g")
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce.account WHERE externalid__c LIKE 'x%%' AND _hc_lastop = 'SYNCED'") == 450,
               30, "450 rows to be SYNCED")
    assert [len(write["records"]) for write in org.writes()] == [200, 200, 50]


def test_an_expired_session_is_renewed_without_anybody_noticing(connected, database, org):
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    org.expire_sessions()
    id = insert_account(database)
    synced(database, "account", id)
    assert database.value("SELECT count(*) FROM salesforce._trigger_log") == 0
