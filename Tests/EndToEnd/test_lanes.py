"""Several calls at a time: killed, stopped or met by an outage in the middle, nothing is lost and nothing is sent twice."""

import time
from collections import Counter

import pytest

from harness.relay import mapping
from harness.waiting import wait_until

WITH_IDENTIFIER = mapping("Account", ["Name", "ExternalId__c", "Phone"], upsert_field="ExternalId__c")
WITHOUT = mapping("Account", ["Name", "Phone"])
CONTACT = mapping("Contact", ["LastName", "Email"])
LANES = 6


@pytest.fixture
def planned(connected, database):
    """A relay with several lanes; nothing is loaded yet."""
    database.execute("UPDATE hc_connection SET settings = settings || %s::jsonb", f'{{"write_algorithm": "planned", "write_lanes": {LANES}, "bulk_writes": false}}')
    return connected


def insert(database, count, first=1):
    database.execute("INSERT INTO salesforce.account (name, externalid__c) SELECT 'n' || g, 'x' || g FROM generate_series(%s::int, %s::int) g",
                     first, first + count - 1)


def under_way(database):
    return database.value("SELECT count(*) FROM hc_batch WHERE state = 'SENT'")


def wait_for_lanes(database, count=3):
    wait_until(lambda: under_way(database) >= count, 20, f"{count} calls to be under way")


def wait_until_synced(database, count, timeout=90):
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce.account WHERE name LIKE 'n%%' AND _hc_lastop = 'SYNCED'") == count,
               timeout, f"{count} rows to be SYNCED")


def names(org):
    return Counter(r["Name"] for r in org.records("Account") if not r["IsDeleted"] and r["Name"].startswith("n"))


def slow(org, milliseconds, **match):
    return org.fault(api="soap", action="delay", milliseconds=milliseconds, times=1000, **match)


def test_killed_again_and_again_with_several_calls_under_way(planned, database, org):
    planned.import_mapping(WITH_IDENTIFIER)
    planned.start_and_load()
    slow(org, 700)
    count = 200 * LANES * 2
    insert(database, count)
    for _ in range(3):
        wait_for_lanes(database)
        planned.kill()
        planned.start()
    org.remove_faults()
    wait_until_synced(database, count)
    assert names(org) == Counter({f"n{g}": 1 for g in range(1, count + 1)})
    assert database.value("SELECT count(*) FROM salesforce._trigger_log") == 0
    sfids = database.execute("SELECT sfid FROM salesforce.account WHERE name LIKE 'n%%'")
    assert len({row["sfid"] for row in sfids}) == count
    # Updates are looked at before they are repeated: what had arrived is not sent again.
    slow(org, 700)
    org.forget_calls()
    database.execute("UPDATE salesforce.account SET phone = 'p' || name WHERE name LIKE 'n%%'")
    wait_for_lanes(database)
    time.sleep(0.3)   # the org has done what it was asked, and has not said so
    planned.kill()
    org.remove_faults()
    planned.start()
    wait_until_synced(database, count)
    assert all(r["Phone"] == "p" + r["Name"] for r in org.records("Account") if r["Name"].startswith("n"))
    sent = Counter(record["id"] for call in org.writes() if call["operation"] == "update" for record in call["records"])
    assert set(sent.values()) == {1} and len(sent) == count


def test_killed_with_several_creates_under_way(planned, database, org):
    planned.import_mapping(WITHOUT)
    planned.start_and_load()
    fault = slow(org, 1500, operation="create")
    count = 200 * LANES
    database.execute("INSERT INTO salesforce.account (name) SELECT 'n' || g FROM generate_series(1, %s) g", count)
    wait_for_lanes(database)
    org.wait_for_fault(fault)
    planned.kill()
    lost = under_way(database)
    org.remove_faults()
    planned.start()
    wait_until(lambda: database.value("SELECT count(*) FROM hc_batch WHERE state = 'DOUBT'") == lost, 20, f"{lost} batches to be in doubt")
    time.sleep(2)
    org.advance_clock(minutes=10)
    planned.advance_clock("10 minutes")
    wait_until_synced(database, count)
    assert names(org) == Counter({f"n{g}": 1 for g in range(1, count + 1)})


def test_a_stop_lets_the_calls_under_way_end_and_begins_none(planned, database, org):
    planned.import_mapping(WITH_IDENTIFIER)
    planned.start_and_load()
    slow(org, 1500)
    org.forget_calls()
    count = 200 * LANES * 3
    insert(database, count)
    wait_until(lambda: under_way(database) == LANES, 20, "all lanes to be busy")
    time.sleep(0.3)
    begun = len(org.calls(operation="upsert"))
    planned.stop()
    assert len(org.calls(operation="upsert")) == begun == LANES
    assert under_way(database) == 0
    # What they did is known; what was claimed ahead is offered again.
    assert database.value("SELECT count(*) FROM hc_batch_entry WHERE outcome IS NOT NULL") == 200 * LANES
    org.remove_faults()
    planned.start()
    wait_until_synced(database, count)
    assert len(org.writes()) == 3 * LANES and names(org) == Counter({f"n{g}": 1 for g in range(1, count + 1)})


def test_an_outage_is_tried_with_one_call_at_a_time(planned, database, org):
    planned.import_mapping(WITH_IDENTIFIER)
    planned.start_and_load()
    org.fault(api="soap", operation="upsert", action="unavailable", times=1000)
    org.forget_calls()
    count = 200 * LANES * 2
    insert(database, count)
    wait_until(lambda: org.calls(operation="upsert"), 20, "the outage to be met")
    time.sleep(6)
    # The lanes meet it together, then one probe after half a second, one, two and four seconds.
    assert len(org.calls(operation="upsert")) <= LANES + 4
    assert database.value("SELECT count(*) FROM salesforce._trigger_log WHERE state = 'FAILED'") == 0
    org.remove_faults()
    wait_until_synced(database, count)
    assert names(org) == Counter({f"n{g}": 1 for g in range(1, count + 1)})


def test_several_objects_travel_in_one_request(planned, database, org):
    planned.import_mapping(WITHOUT, CONTACT)
    planned.start_and_load()
    planned.stop()
    database.execute("INSERT INTO salesforce.account (name) SELECT 'n' || g FROM generate_series(1, 30) g")
    database.execute("INSERT INTO salesforce.contact (lastname) SELECT 'n' || g FROM generate_series(1, 20) g")
    database.execute("INSERT INTO salesforce.contact (lastname, email) VALUES ('refused', 'invalid@invalid')")
    org.forget_calls()
    planned.start()
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce._trigger_log WHERE state <> 'FAILED'") == 0, 30, "all to be answered")
    (call,) = org.writes()
    assert Counter(record["type"] for record in call["records"]) == {"Account": 30, "Contact": 21}
    wait_until_synced(database, 30)
    # Each row has the answer that was its own.
    for table, field, object in (("account", "name", "Account"), ("contact", "lastname", "Contact")):
        rows = database.execute(f"SELECT sfid, {field} AS name FROM salesforce.{table} WHERE {field} LIKE 'n%%'")
        made = {r["Id"]: r["Name" if object == "Account" else "LastName"] for r in org.records(object)}
        assert rows and all(made[row["sfid"]] == row["name"] for row in rows)
    (failed,) = database.execute("SELECT _hc_err FROM salesforce.contact WHERE _hc_lastop = 'FAILED'")
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in failed["_hc_err"]


def test_collections_take_one_object_in_an_upsert(planned, database, org):
    org.control("POST", "apps", {"clientId": "hc-sync-sample", "clientSecret": "sample-secret", "issuesJWT": True})
    everything = mapping("Everything__c", ["Name", "ExternalId__c"], upsert_field="ExternalId__c")
    planned.import_mapping(WITH_IDENTIFIER, everything)
    planned.start_and_load()
    planned.stop()
    insert(database, 10)
    database.execute("INSERT INTO salesforce.everything__c (name, externalid__c) SELECT 'n' || g, 'e' || g FROM generate_series(1, 5) g")
    org.forget_calls()
    planned.start()
    wait_until_synced(database, 10)
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce._trigger_log") == 0, 20, "all to be answered")
    assert Counter((call["family"], call["object"], call["recordCount"]) for call in org.writes()) == {("rest", "Account", 10): 1, ("rest", "Everything__c", 5): 1}
    org.forget_calls()
    database.execute("BEGIN; UPDATE salesforce.account SET phone = '1' WHERE name LIKE 'n%'; UPDATE salesforce.everything__c SET name = 'm' WHERE externalid__c LIKE 'e%'; COMMIT")
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce._trigger_log") == 0, 20, "all to be answered")
    (call,) = org.writes()
    assert call["family"] == "rest" and Counter(record["type"] for record in call["records"]) == {"Account": 10, "Everything__c": 5}
