"""What is written in PostgreSQL is what Salesforce gets: values of every type, identifiers, parents, what is left out, options."""

import datetime
import json

from harness.relay import mapping
from harness.waiting import wait_until

EVERYTHING = mapping("Everything__c", [
    "Name", "Text__c", "Short_Text__c", "Long_Text__c", "Phone__c", "Url__c", "Email__c", "Picklist__c", "Restricted__c", "Multi__c", "Encrypted__c",
    "Checkbox__c", "Checkbox_True__c", "Integer__c", "Number__c", "Whole_Number__c", "Currency__c", "Percent__c", "Date__c", "Date_Time__c", "Time__c",
    "Place__Latitude__s", "Place__Longitude__s", "Default__c", "Text_Formula__c", "Number_Formula__c", "Account__c", "Parent__c",
    "Account__r__ExternalId__c", "Parent__r__ExternalId__c", "ExternalId__c"], upsert_field="ExternalId__c")
ACCOUNT_FIELDS = ["Name", "ExternalId__c", "Phone", "BillingStreet", "BillingCity"]


def account(*more, **config):
    return mapping("Account", [*ACCOUNT_FIELDS, *more], upsert_field="ExternalId__c", **config)


def insert(database, table, **columns):
    return database.value(f"INSERT INTO salesforce.{table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))}) RETURNING id",
                          *columns.values())


def settled(database, table, id):
    return wait_until(lambda: (row := database.row(table, id)) and row["_hc_lastop"] == "SYNCED" and row, 30, f"row {id} of {table} to be SYNCED")


def error(database, table, id):
    """The error of a row that failed. Not the whole row: Python has no infinite date."""
    query = f"SELECT _hc_err FROM salesforce.{table} WHERE id = %s AND _hc_lastop = 'FAILED'"
    return json.loads(wait_until(lambda: database.execute(query, id), 30, f"row {id} of {table} to be FAILED")[0]["_hc_err"])


def archived(database, id, action):
    return wait_until(lambda: database.execute("SELECT * FROM salesforce._trigger_log_archive WHERE record_id = %s AND action = %s ORDER BY id DESC LIMIT 1",
                                               id, action), 20, f"the {action} of row {id} to be archived")[0]


def test_values_of_every_type(connected, database, org):
    connected.import_mapping(account(), EVERYTHING)
    connected.start_and_load()
    values = {
        "name": "it's <\"é\"> & 😀", "text__c": "tab\there", "long_text__c": "one\ntwo\r\nthree\rfour", "phone__c": "+1 (555) 0", "url__c": "x.org/?a=b&c",
        "email__c": "Ada@Example.org", "picklist__c": "Two", "restricted__c": "Green", "multi__c": "West;North", "encrypted__c": "secret-1",
        "checkbox__c": True, "integer__c": -12, "number__c": 123456789.1235, "whole_number__c": 9007199254740991, "currency__c": 0.5, "percent__c": 12.25,
        "date__c": datetime.date(2024, 2, 29), "date_time__c": datetime.datetime(2024, 1, 31, 23, 59, 58), "time__c": datetime.time(13, 30, 15),
        "place__latitude__s": -33.5, "place__longitude__s": 151.25, "externalid__c": "every",
    }
    id = insert(database, "everything__c", **values)
    row = settled(database, "everything__c", id)
    record = org.record("Everything__c", row["sfid"])
    assert record["Name"] == values["name"] and record["Text__c"] == "tab\there" and record["Long_Text__c"] == values["long_text__c"]
    assert record["Multi__c"] == "North;West" and row["multi__c"] == "North;West"      # in the order of their definition
    assert record["Checkbox__c"] is True and record["Checkbox_True__c"] is True       # an omitted value keeps its default
    assert record["Default__c"] == "as given" and row["default__c"] == "as given"
    assert (record["Integer__c"], record["Number__c"], record["Whole_Number__c"], record["Currency__c"]) == (-12, 123456789.1235, 9007199254740991, 0.5)
    assert record["Date__c"] == "2024-02-29" and record["Date_Time__c"].startswith("2024-01-31T23:59:58.000") and record["Time__c"] == "13:30:15.000Z"
    for column, value in values.items():
        if column not in ("multi__c", "encrypted__c"):
            assert row[column] == value, column
    assert row["number_formula__c"] == 1 and row["text_formula__c"].startswith("tab\there")

    # Nulls clear, a checkbox is never null, an empty text is null, and what may not be written is left out and named.
    nulls = [column for column in values if column not in ("externalid__c", "name")]
    database.execute(f"UPDATE salesforce.everything__c SET {', '.join(f'{column} = NULL' for column in nulls)}, name = 'kept', text_formula__c = 'mine' WHERE id = {id}")
    wait_until(lambda: org.record("Everything__c", row["sfid"])["Name"] == "kept", 20, "the update")
    row = settled(database, "everything__c", id)
    record = org.record("Everything__c", row["sfid"])
    assert record["Checkbox__c"] is False and row["checkbox__c"] is False
    cleared = {"Text__c", "Long_Text__c", "Multi__c", "Encrypted__c", "Number__c", "Date__c", "Date_Time__c", "Time__c", "Place__Latitude__s", "Restricted__c"}
    assert all(record[field] is None for field in cleared)
    assert "Text_Formula__c" in archived(database, id, "UPDATE")["sf_message"]
    assert database.value("SELECT count(*) FROM salesforce._trigger_log") == 0


def test_what_salesforce_cannot_take_fails_alone(connected, database, org):
    connected.import_mapping(EVERYTHING)
    connected.start_and_load()
    with database.connect() as together:
        rows = {name: together.execute("INSERT INTO salesforce.everything__c (name, text__c, number__c, date__c, short_text__c, restricted__c) VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
                                       (name, text, number, date, short, choice)).fetchone()["id"]
                for name, text, number, date, short, choice in [
                    ("good", "x", 1, "2024-01-01", "s", "Red"), ("control", "a\x01b", 1, "2024-01-01", "s", "Red"), ("infinite", "x", float("inf"), "2024-01-01", "s", "Red"),
                    ("endless", "x", 1, "infinity", "s", "Red"), ("early", "x", 1, "0001-01-01", "s", "Red"), ("choice", "x", 1, "2024-01-01", "s", "Purple"),
                    ("fine", "y", 2, "2024-01-02", "t", "Blue")]}
        together.execute("UPDATE salesforce.everything__c SET short_text__c = 's' WHERE id = %s", (rows["good"],))
    for name in ("good", "fine"):
        assert org.record("Everything__c", settled(database, "everything__c", rows[name])["sfid"])["Name"] == name
    codes = {name: error(database, "everything__c", id)["code"] for name, id in rows.items() if name not in ("good", "fine")}
    assert codes == {"control": "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET", "infinite": "INVALID_VALUE", "endless": "INVALID_VALUE",
                     "early": "NUMBER_OUTSIDE_VALID_RANGE", "choice": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"}
    messages = {row["record_id"]: row["sf_message"] for row in database.execute("SELECT record_id, sf_message FROM salesforce._trigger_log WHERE state = 'FAILED'")}
    assert "Text__c" in messages[rows["control"]] and "U+0001" in messages[rows["control"]] and "Restricted" in messages[rows["choice"]]
    assert len(org.records("Everything__c", "Name IN ('good', 'control', 'infinite', 'endless', 'early', 'choice', 'fine')")) == 2


def test_identifiers(connected, database, org):
    org.control("POST", "objects/Account/fields", {"name": "Once__c", "type": "string", "length": 40, "createable": True, "updateable": False})
    connected.import_mapping(account("Once__c"))
    connected.start_and_load()
    known = org.insert("Account", Name="theirs", ExternalId__c="Known-1", Once__c="first")
    other = org.insert("Account", Name="theirs too", ExternalId__c="known-2", Once__c="first")
    with database.connect() as together:
        linked, both, new = [together.execute("INSERT INTO salesforce.account (name, externalid__c, once__c) VALUES (%s, %s, %s) RETURNING id", values).fetchone()["id"]
                             for values in [("ours", "kNOWN-1", None), ("ours too", "KNOWN-2", "second"), ("new", "new-1", "second")]]
    rows = {id: settled(database, "account", id) for id in (linked, both, new)}
    assert rows[linked]["sfid"] == known and rows[both]["sfid"] == other
    assert (org.record("Account", known)["Name"], org.record("Account", other)["Name"]) == ("ours", "ours too")
    # A field that only a new record may have is left out where the record existed, and not where it did not.
    assert org.record("Account", other)["Once__c"] == "first" and rows[both]["once__c"] == "first"
    assert org.record("Account", rows[new]["sfid"])["Once__c"] == "second"
    assert archived(database, linked, "INSERT")["sf_message"].startswith("linked")
    message = archived(database, both, "INSERT")["sf_message"]
    assert message.startswith("linked") and "Once__c" in message
    assert archived(database, new, "INSERT")["sf_message"] is None
    assert database.value("SELECT sum((detail ->> 'linked')::int) FROM hc_event WHERE event_type = 'linked'") >= 1
    connected.poll_now("Account")
    assert database.value("SELECT count(*) FROM salesforce.account WHERE lower(externalid__c) LIKE 'known-%%'") == 2
    assert len(org.records("Account", "ExternalId__c IN ('known-1', 'known-2')")) == 2

    # Another identifier on a row that has its record is a plain change of it, with a warning.
    org.forget_calls()
    database.execute("UPDATE salesforce.account SET externalid__c = 'changed' WHERE id = %s", new)
    wait_until(lambda: org.record("Account", rows[new]["sfid"])["ExternalId__c"] == "changed", 20, "the identifier to be changed")
    assert [write["operation"] for write in org.writes()] == ["update"]
    assert "the identifier ExternalId__c was changed" in archived(database, new, "UPDATE")["sf_message"]
    settled(database, "account", new)

    # Deleting what is deleted, or was never there, succeeds.
    org.delete("Account", known)
    org.control("DELETE", "records/Account", {"ids": [other]}, erase="true")
    database.execute("DELETE FROM salesforce.account WHERE id = ANY (%s)", [linked, both])
    assert archived(database, linked, "DELETE")["state"] == "SUCCESS"
    assert archived(database, both, "DELETE")["state"] == "SUCCESS"
    assert database.value("SELECT count(*) FROM salesforce._trigger_log") == 0


def test_parents_by_external_id(connected, database, org):
    connected.import_mapping(account(), EVERYTHING)
    connected.start_and_load()
    with database.connect() as together:
        def add(table, **columns):
            return together.execute(f"INSERT INTO salesforce.{table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))}) RETURNING id",
                                    tuple(columns.values())).fetchone()["id"]
        child = add("everything__c", name="child", externalid__c="c-1", account__r__externalid__c="acc-1")
        grandchild = add("everything__c", name="grandchild", externalid__c="g-1", parent__r__externalid__c="C-1")
        parent = add("account", name="parent", externalid__c="Acc-1")
    row = settled(database, "everything__c", child)
    assert row["account__c"] == settled(database, "account", parent)["sfid"]
    assert settled(database, "everything__c", grandchild)["parent__c"] == row["sfid"]
    # Another parent, the lookup instead, and none.
    second = insert(database, "account", name="second", externalid__c="acc-2")
    database.execute("UPDATE salesforce.everything__c SET account__r__externalid__c = 'acc-2' WHERE id = %s", child)
    sfid = settled(database, "account", second)["sfid"]
    wait_until(lambda: org.record("Everything__c", row["sfid"])["Account__c"] == sfid, 20, "the second parent")
    settled(database, "everything__c", child)
    first = database.row("account", parent)["sfid"]
    database.execute("UPDATE salesforce.everything__c SET account__c = %s WHERE id = %s", first, child)
    wait_until(lambda: org.record("Everything__c", row["sfid"])["Account__c"] == first, 20, "the first parent again")
    settled(database, "everything__c", child)
    database.execute("UPDATE salesforce.everything__c SET account__r__externalid__c = NULL WHERE id = %s", child)
    wait_until(lambda: org.record("Everything__c", row["sfid"])["Account__c"] is None, 20, "no parent")
    # A parent that nobody has fails the row, and only that row.
    lost = insert(database, "everything__c", name="lost", externalid__c="l-1", account__r__externalid__c="nowhere")
    assert "Foreign key external ID: nowhere" in error(database, "everything__c", lost)["msg"]


def test_masks_person_accounts_and_record_types(connected, database, org):
    for field in ({"name": "FirstName", "type": "string", "length": 40}, {"name": "LastName", "type": "string", "length": 80},
                  {"name": "IsPersonAccount", "type": "boolean", "createable": False, "updateable": False}):
        org.control("POST", "objects/Account/fields", {"createable": True, "updateable": True, **field})
    for name, users in (("Shop", None), ("Closed", [])):
        org.control("POST", "objects/Account/record-types", {"name": name, "developerName": name, "default": name == "Shop", **({} if users is None else {"availableTo": users})})
    org.control("POST", "permissions", {"viewEncryptedData": False})
    connected.import_mapping(account("FirstName", "LastName", "IsPersonAccount", "RecordTypeId"), EVERYTHING)
    connected.start_and_load()

    # What Salesforce shows in the place of an encrypted value never takes its place.
    secret = insert(database, "everything__c", name="secret", externalid__c="s-1", encrypted__c="4111-1111")
    row = settled(database, "everything__c", secret)
    assert set(row["encrypted__c"]) == {"*"}
    database.execute("SELECT salesforce.hc_capture_insert_from_row(hstore(e.*), 'everything__c') FROM salesforce.everything__c e WHERE id = %s", secret)
    message = wait_until(lambda: database.execute("SELECT sf_message FROM salesforce._trigger_log_archive WHERE record_id = %s AND sf_message LIKE '%%a mask%%'", secret),
                         20, "the second INSERT")[0]["sf_message"]
    assert "Encrypted__c (a mask)" in message
    org.control("DELETE", "permissions")
    assert org.record("Everything__c", row["sfid"])["Encrypted__c"] == "4111-1111"

    # The name of a person is made of its parts, whoever writes it.
    person = insert(database, "account", name="Ada Lovelace", firstname="Ada", lastname="Lovelace", externalid__c="p-1", billingstreet="1 Rd", billingcity="X")
    row = settled(database, "account", person)
    assert row["ispersonaccount"] is True and row["name"] == "Ada Lovelace" and org.record("Account", row["sfid"])["BillingStreet"] == "1 Rd"
    database.execute("UPDATE salesforce.account SET name = 'Countess', phone = '1' WHERE id = %s", person)
    wait_until(lambda: org.record("Account", row["sfid"])["Phone"] == "1", 20, "the phone")
    assert "a person account takes its name" in archived(database, person, "UPDATE")["sf_message"]
    assert settled(database, "account", person)["name"] == "Ada Lovelace"

    types = {record["DeveloperName"]: record["Id"] for record in org.records("RecordType")}
    company = insert(database, "account", name="Acme", externalid__c="r-1", recordtypeid=types["Shop"])
    assert org.record("Account", settled(database, "account", company)["sfid"])["RecordTypeId"] == types["Shop"]
    refused = insert(database, "account", name="Refused", externalid__c="r-2", recordtypeid=types["Closed"])
    assert "record type" in error(database, "account", refused)["msg"].lower()


def owner_of_rule(org):
    id = org.control("POST", "users", {"username": "queue@example.com", "lastName": "Queue"})["id"]
    org.control("POST", "objects/Account/assignment-rules", {"name": "Standard", "active": True, "entries": [{"owner": "queue@example.com"}]})
    org.control("POST", "objects/Account/duplicate-rules", {"name": "Same name", "fields": ["Name"], "action": "alert", "message": "Use one of these records?"})
    return id


def test_options_of_a_request(connected, database, org):
    owner = owner_of_rule(org)
    connected.import_mapping(account("OwnerId"))
    connected.start_and_load()
    first = insert(database, "account", name="Same", externalid__c="o-1")
    assert settled(database, "account", first)["ownerid"] != owner
    second = insert(database, "account", name="Same", externalid__c="o-2")
    assert error(database, "account", second)["code"] == "DUPLICATES_DETECTED"
    assert {(write["assignmentRule"], write["allowsDuplicates"]) for write in org.writes()} == {(None, False)}
    assert all(call["client"] == "hc-sync/1.0" for call in org.calls() if call["family"] in ("soap", "rest") and call["operation"] != "versions")

    connected.succeed("mapping", "edit", "Account", "--allow-duplicates", "true")
    connected.succeed("connection", "edit", "--assignment-rules", "true")
    org.forget_calls()
    third = insert(database, "account", name="Same", externalid__c="o-3")
    assert settled(database, "account", third)["ownerid"] == owner
    database.execute("UPDATE salesforce.account SET phone = '3' WHERE id = %s", first)
    wait_until(lambda: len(org.writes()) == 2, 20, "the update")
    # Rules assign new records: with every change they would take them from whoever has them by then.
    assert [(write["operation"], write["assignmentRule"], write["allowsDuplicates"]) for write in org.writes()] == [
        ("upsert", "standard", True), ("update", None, True)]


def test_options_of_a_request_by_rest(new_relay, database, org):
    owner = owner_of_rule(org)
    org.control("POST", "apps", {"clientId": "jwt", "clientSecret": "s", "runAs": "integration@example.com", "issuesJWT": True})
    relay = new_relay(SALESFORCE_CLIENT_ID="jwt", SALESFORCE_CLIENT_SECRET="s")
    relay.add_connection()
    relay.import_mapping(account("OwnerId"))
    relay.start_and_load()
    # REST runs the rule by itself, unless it is told not to.
    first = insert(database, "account", name="Same", externalid__c="o-1")
    assert settled(database, "account", first)["ownerid"] != owner
    relay.succeed("mapping", "edit", "Account", "--allow-duplicates", "true")
    relay.succeed("connection", "edit", "--assignment-rules", "true")
    second = insert(database, "account", name="Same", externalid__c="o-2")
    assert settled(database, "account", second)["ownerid"] == owner
    assert [(write["family"], write["assignmentRule"], write["allowsDuplicates"]) for write in org.writes()] == [("rest", None, False), ("rest", "standard", True)]


def test_identifiers_that_are_no_good(connected, database, org):
    for field in ({"name": "Numbered__c", "type": "string", "length": 30, "autoNumberFormat": "N-{0000}", "externalId": True, "unique": True},
                  {"name": "Loose__c", "type": "string", "length": 30, "externalId": True, "unique": False, "createable": True, "updateable": True},
                  {"name": "Counted__c", "type": "string", "length": 30, "externalId": True, "unique": True, "createable": True, "updateable": True}):
        org.control("POST", "objects/Account/fields", field)

    def warnings(*arguments):
        done = connected.command("mapping", *arguments)
        assert done.returncode == 0, done.stderr
        return [line for line in done.stderr.splitlines() if line.startswith("warning: identifier")]

    fields = [part for name in ("Name", "Numbered__c", "Loose__c", "Counted__c", "ExternalId__c") for part in ("--field", name)]
    (none,) = warnings("add", "Account", *fields, "--access", "read_write")
    assert "there is no identifier" in none
    connected.start_and_load()
    for field, why in (("Numbered__c", "Salesforce itself fills"), ("Loose__c", "does not keep Loose__c unique")):
        assert why in warnings("edit", "Account", "--upsert-field", field)[0]
    database.execute("CREATE SEQUENCE numbers")
    database.execute("ALTER TABLE salesforce.account ALTER counted__c SET DEFAULT nextval('numbers')")
    (counted,) = warnings("edit", "Account", "--upsert-field", "Counted__c")
    assert "counts with a sequence" in counted
    database.execute("ALTER TABLE salesforce.account ALTER counted__c DROP DEFAULT")
    database.execute("INSERT INTO salesforce.account (name) SELECT 'copy' FROM generate_series(1, 6)")
    database.execute("UPDATE salesforce.account SET counted__c = id WHERE name = 'copy'")
    found = json.loads(connected.command("doctor", "--output", "json").stdout)
    assert any(check["check"] == "identifier Account" and "holds the id of its row" in check["finding"] for check in found)
    assert warnings("edit", "Account", "--upsert-field", "ExternalId__c") == []
