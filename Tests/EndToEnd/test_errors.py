"""What becomes of changes when Salesforce refuses a whole call: each kind of error leads to its action (`hc_retry_rule`)."""

import pytest

from harness.relay import mapping
from harness.waiting import wait_until

ACCOUNT = mapping("Account", ["Name", "ExternalId__c", "Phone"], upsert_field="ExternalId__c")
CONTACT = mapping("Contact", ["LastName", "Email"])
ALL_WRITES = {"api": "soap", "times": None}


@pytest.fixture
def writing(connected, database, org):
    connected.import_mapping(ACCOUNT, CONTACT)
    connected.start_and_load()
    database.execute("INSERT INTO salesforce.account (name, externalid__c) SELECT 'first', 'f' || g FROM generate_series(1, 4) g")
    synced(database)
    org.forget_calls()
    return connected


def synced(database, table="account", timeout=40):
    """Waits until every row has its record, or has failed."""
    wait_until(lambda: database.value(f"SELECT bool_and(_hc_lastop IN ('SYNCED', 'FAILED')) FROM salesforce.{table}"), timeout, f"the rows of {table} to be SYNCED")


def refuse(org, code, operation, message="as told by the test", **details):
    return org.fault("error", api="soap", operation=operation, code=code, message=message, **{"times": None, **details})


def attempts(org, operation):
    return [call for call in org.calls(family="soap", operation=operation)]


def states(database):
    return {row["state"]: row["count"] for row in database.execute("SELECT state, count(*) FROM salesforce._trigger_log GROUP BY 1")}


def connection(database):
    return database.one("SELECT state, state_detail, sending_held FROM hc_connection")


def notified(database, kind):
    return database.execute("SELECT level, message FROM hc_notification WHERE event_type = %s AND acknowledged_at IS NULL", kind)


@pytest.mark.parametrize("code", ["EXCEEDED_MAX_SIZE_REQUEST", "XML_PARSER_ERROR", "INVALID_FIELD"])
def test_one_change_that_cannot_be_taken_is_found_by_halves(writing, database, org, code):
    refuse(org, code, "upsert", value="poison")
    database.execute("INSERT INTO salesforce.account (name, externalid__c) SELECT CASE g WHEN 23 THEN 'poison' ELSE 'good' END, 'h' || g FROM generate_series(1, 40) g")
    synced(database)
    failed = wait_until(lambda: database.execute("SELECT * FROM salesforce._trigger_log"), 20, "the entry that failed")
    wait_until(lambda: states(database) == {"FAILED": 1}, 20, "only that to be left")
    assert code in failed[0]["sf_message"] or code in database.value("SELECT sf_message FROM salesforce._trigger_log")
    assert database.value("SELECT name FROM salesforce.account WHERE _hc_lastop = 'FAILED'") == "poison"
    assert len(org.records("Account", "Name = 'good'")) == 39
    refused = sorted((call["recordCount"] for call in attempts(org, "upsert") if call["status"] == 500), reverse=True)
    assert refused[:4] == [40, 20, 10, 5] and refused[-1] == 1 and len(refused) <= 7
    assert database.value("SELECT state FROM hc_mapping WHERE object_name = 'Account'") != "BAD_CONFIG"


@pytest.mark.parametrize("fault", [
    {"action": "unavailable"}, {"action": "unavailable_html"}, {"action": "html"},
    {"action": "error", "code": "SERVER_UNAVAILABLE"}, {"action": "error", "code": "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"},
    {"action": "error", "code": "ORG_IN_MAINTENANCE"}, {"action": "error", "code": "UNKNOWN_EXCEPTION", "times": 3}, {"action": "error", "code": "UNABLE_TO_LOCK_ROW", "times": 5},
], ids=lambda fault: fault.get("code", fault["action"]))
def test_outages_queue_everything(writing, database, org, fault):
    number = org.fault(**{"api": "soap", "times": None, **fault})
    database.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES ('later', 'later')")
    database.execute("UPDATE salesforce.account SET phone = '1' WHERE externalid__c IN ('f1', 'f2')")
    database.execute("DELETE FROM salesforce.account WHERE externalid__c = 'f3'")
    org.wait_for_fault(number)
    if "times" not in fault:
        writing.advance_clock("5 minutes")
        wait_until(lambda: len(attempts(org, "upsert")) + len(attempts(org, "update")) + len(attempts(org, "delete")) >= 3, 30, "further attempts")
        assert set(states(database)) <= {"NEW", "PENDING"}
        assert connection(database)["state"] in ("IDLE", "POLLING_DB_CHANGES")
        org.remove_faults()

    def sent():
        writing.advance_clock("2 minutes")
        return database.value("SELECT count(*) FROM salesforce._trigger_log") == 0
    wait_until(sent, 60, "everything to be sent")
    assert len(org.records("Account", "ExternalId__c = 'later'")) == 1 and len(org.records("Account", "Phone = '1'")) == 2


def test_a_call_that_takes_too_long_goes_on_in_halves(writing, database, org):
    fault = refuse(org, "REQUEST_RUNNING_TOO_LONG", "upsert", times=2)
    database.execute("INSERT INTO salesforce.account (name, externalid__c) SELECT 'slow', 's' || g FROM generate_series(1, 16) g")
    org.wait_for_fault(fault)

    def sent():
        writing.advance_clock("30 seconds")
        return database.value("SELECT count(*) FROM salesforce._trigger_log") == 0
    wait_until(sent, 40, "everything to be sent")
    counts = [call["recordCount"] for call in attempts(org, "upsert")]
    assert counts[0] == 16 and sorted(counts[1:], reverse=True)[0] == 8 and sum(call["recordCount"] for call in attempts(org, "upsert") if call["status"] == 200) == 16
    assert len(org.records("Account", "Name = 'slow'")) == 16


def test_the_daily_limit_stops_all_calls_that_write(writing, database, org):
    refuse(org, "REQUEST_LIMIT_EXCEEDED", "upsert", message="TotalRequests Limit exceeded.", times=1)
    database.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES ('over', 'over')")
    wait_until(lambda: connection(database)["sending_held"], 20, "sending to be held back")
    database.execute("INSERT INTO salesforce.contact (lastname) VALUES ('Over')")
    assert notified(database, "quota")[0]["level"] == "warning"
    writing.advance_clock("10 minutes")
    writing.work_through()
    assert [call["operation"] for call in org.calls(family="soap") if call["operation"] in ("create", "upsert", "update", "delete")] == ["upsert"]
    writing.advance_clock("7 minutes")
    synced(database, timeout=90)   # the lane itself rests for a minute of the machine's clock
    synced(database, "contact")
    assert connection(database)["sending_held"] is None


@pytest.mark.parametrize("code, state, kind", [
    ("API_DISABLED_FOR_ORG", "SYSTEM_ERROR", "salesforce-refused"), ("TRIAL_EXPIRED", "INACTIVE_ORG", "salesforce-refused"),
    ("TXN_SECURITY_NO_ACCESS", "UNAUTHORIZED", "salesforce-authorization"),
])
def test_what_a_person_must_put_right_stops_the_connection(writing, database, org, code, state, kind):
    refuse(org, code, "upsert")
    database.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES ('waits', 'waits')")
    wait_until(lambda: connection(database)["state"] == state, 20, f"the connection to be {state}")
    assert code in connection(database)["state_detail"]
    (notification,) = notified(database, kind)
    assert notification["level"] == "error" and code in notification["message"]
    assert set(states(database)) <= {"NEW", "PENDING"}
    org.remove_faults()

    def sent():
        writing.advance_clock("12 minutes")
        return database.value("SELECT count(*) FROM salesforce._trigger_log") == 0
    wait_until(sent, 40, "the change to be sent")
    synced(database)
    assert connection(database)["state"] in ("IDLE", "POLLING_DB_CHANGES") and connection(database)["state_detail"] is None


def test_a_session_is_renewed_once(writing, database, org):
    refuse(org, "INVALID_SESSION_ID", "upsert", message="Session expired or invalid", times=1)
    database.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES ('renewed', 'renewed')")
    synced(database)
    assert [call["status"] for call in attempts(org, "upsert")] == [500, 200]
    assert len(org.calls(family="oauth")) == 1


def test_rights_that_all_records_lack_stop_the_mapping(writing, database, org):
    org.control("POST", "permissions", {"object": "Account", "field": "Phone", "updateable": False})
    database.execute("UPDATE salesforce.account SET phone = '1' WHERE name = 'first'")
    database.execute("INSERT INTO salesforce.contact (lastname) VALUES ('Goes on')")
    wait_until(lambda: database.value("SELECT state FROM hc_mapping WHERE object_name = 'Account'") == "BAD_CONFIG", 20, "the mapping to stop")
    synced(database, "contact")   # the others go on
    assert notified(database, "mapping-error")
    wait_until(lambda: states(database) == {"NEW": 4}, 20, "its changes to be back in the log")
    assert "INVALID_FIELD_FOR_INSERT_UPDATE" in database.value("SELECT state_detail FROM hc_mapping WHERE object_name = 'Account'")
    org.control("DELETE", "permissions")
    writing.advance_clock("13 minutes")
    wait_until(lambda: len(org.records("Account", "Phone = '1'")) == 4, 30, "the changes to be sent")
    wait_until(lambda: database.value("SELECT state FROM hc_mapping WHERE object_name = 'Account'") in ("DATA_SYNCED", "POLLING_SF_CHANGES"), 20, "the mapping to go on")
