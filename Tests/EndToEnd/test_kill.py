"""Killed at any instant, relay or PostgreSQL: both sides end equal, nothing is lost, nothing is created twice."""

import random
import time
from collections import Counter

import pytest

from harness.relay import mapping
from harness.waiting import wait_until

WITH_IDENTIFIER = mapping("Account", ["Name", "ExternalId__c"], upsert_field="ExternalId__c")
WITHOUT = mapping("Account", ["Name", "Phone"])


def names(org, prefix="n"):
    return Counter(r["Name"] for r in org.records("Account") if not r["IsDeleted"] and r["Name"].startswith(prefix))


def equal(database, org):
    rows = database.execute("SELECT sfid, name FROM salesforce.account ORDER BY sfid")
    records = sorted((r["Id"], r["Name"]) for r in org.records("Account") if not r["IsDeleted"])
    return [(row["sfid"], row["name"]) for row in rows] == records


@pytest.mark.parametrize("what", ["relay", "postgres", "postgres with synchronous_commit off"])
def test_in_the_middle_of_a_drain(connected, database, cluster, org, what):
    seed = 20261124
    chance = random.Random(seed)
    print(f"seed {seed}")
    connected.import_mapping(WITH_IDENTIFIER)
    connected.start_and_load()
    if what.endswith("off"):
        database.execute(f"ALTER DATABASE {database.name} SET synchronous_commit = off")
    org.fault(api="soap", action="delay", milliseconds=120, times=1000)
    for round in range(4):
        database.execute("INSERT INTO salesforce.account (name, externalid__c) SELECT format('n%%s', g), format('x%%s', g) "
                         "FROM generate_series(%s::int, %s::int) g", round * 250 + 1, round * 250 + 250)
        time.sleep(chance.uniform(0.05, 0.6))
        if what == "relay":
            connected.kill()
            connected.start()
        else:
            cluster.restart("immediate")
    expected = database.value("SELECT count(*) FROM salesforce.account WHERE name LIKE 'n%%'")
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce.account WHERE name LIKE 'n%%' AND _hc_lastop = 'SYNCED'") == expected,
               90, f"{expected} rows to be SYNCED")
    assert connected.program.running
    found = names(org)
    assert set(found.values()) == {1} and len(found) == expected
    assert expected == 1000 or what.endswith("off")
    assert equal(database, org)
    assert database.value("SELECT count(*) FROM salesforce._trigger_log") == 0


@pytest.mark.parametrize("what", ["relay", "postgres", "postgres with synchronous_commit off"])
def test_in_the_middle_of_a_load(connected, database, cluster, org, what):
    if what.endswith("off"):
        database.execute(f"ALTER DATABASE {database.name} SET synchronous_commit = off")
    org.generate("Account", 12000, Name="n{n}", ExternalId__c="x{n}")
    connected.program.environment["HC_BULK_PAGE_SIZE"] = "1000"
    connected.import_mapping(WITH_IDENTIFIER)
    org.fault(path="/results", action="delay", milliseconds=150, times=1000)
    connected.start()
    for rows in (2000, 7000):
        wait_until(lambda: (database.value("SELECT max(rows) FROM hc_load") or 0) >= rows, 40, f"{rows} rows to be loaded")
        if what == "relay":
            connected.kill()
            connected.start()
        else:
            cluster.restart("immediate")
    connected.wait_until_loaded(60)
    assert database.value("SELECT count(*) FROM salesforce.account") == len([r for r in org.records("Account") if not r["IsDeleted"]])
    assert equal(database, org)
    assert len(org.calls(path="/jobs/query", method="POST")) == 1   # the job was taken up, not made again


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_is_lost_with_an_identifier(connected, database, org, when):
    connected.import_mapping(WITH_IDENTIFIER)
    connected.start_and_load()
    org.fault(api="soap", operation="upsert", action=f"drop_{when}_commit", times=2)
    database.execute("INSERT INTO salesforce.account (name, externalid__c) SELECT 'n' || g, 'x' || g FROM generate_series(1, 30) g")
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce.account WHERE name LIKE 'n%%' AND _hc_lastop = 'SYNCED'") == 30, 40, "30 rows to be SYNCED")
    assert names(org) == Counter({f"n{g}": 1 for g in range(1, 31)})


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_is_lost_without_an_identifier_is_looked_for(connected, database, org, when):
    connected.import_mapping(WITHOUT)
    connected.start_and_load()
    fault = org.fault(api="soap", operation="create", action=f"drop_{when}_commit", times=1)
    database.execute("INSERT INTO salesforce.account (name) VALUES ('n1'), ('n2'), ('n2')")
    wait_until(lambda: database.value("SELECT count(*) FROM hc_batch WHERE state = 'DOUBT'") == 1, 20, "the batch to be in doubt")
    connected.work_through()
    assert sum(names(org).values()) == (3 if when == "after" else 0)   # nothing was guessed
    # The application goes on: a later change of such a row waits for it.
    database.execute("UPDATE salesforce.account SET phone = '1' WHERE name = 'n1'")
    org.advance_clock(minutes=10)
    connected.advance_clock("10 minutes")
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce.account WHERE name LIKE 'n%%' AND _hc_lastop = 'SYNCED'") == 3, 40, "3 rows to be SYNCED")
    assert names(org) == Counter({"n1": 1, "n2": 2})
    assert {r["Name"]: r["Phone"] for r in org.records("Account")}["n1"] == "1"
    assert equal(database, org)


def test_an_answer_that_cannot_be_told_is_parked_for_a_person(connected, database, org):
    connected.import_mapping(WITHOUT)
    connected.start_and_load()
    org.fault(api="soap", operation="create", action="drop_after_commit", times=1)
    database.execute("INSERT INTO salesforce.account (name) VALUES ('n1')")
    wait_until(lambda: database.value("SELECT count(*) FROM hc_batch WHERE state = 'DOUBT'") == 1, 20, "the batch to be in doubt")
    (made,) = [r["Id"] for r in org.records("Account") if r["Name"] == "n1"]
    org.update("Account", made, Name="n1 changed by somebody")
    org.advance_clock(minutes=10)
    connected.advance_clock("10 minutes")
    batch = wait_until(lambda: database.execute("SELECT * FROM hc_batch WHERE state = 'PARKED'"), 20, "the batch to be parked")[0]
    assert [c["Id"] for c in batch["answer"]["candidates"]] == [made]
    assert database.value("SELECT count(*) FROM hc_notification WHERE event_type = 'in-doubt'") == 1
    entry = database.one("SELECT * FROM salesforce._trigger_log")
    assert entry["state"] == "PENDING" and "parked" in entry["sf_message"]
    database.execute("SELECT hc_doubt_decide(%s, %s, %s)", batch["id"], entry["id"], made)
    row = wait_until(lambda: database.execute("SELECT * FROM salesforce.account WHERE sfid = %s AND _hc_lastop = 'SYNCED'", made), 20, "the row to be linked")[0]
    assert row["name"] == "n1 changed by somebody" and sum(names(org).values()) == 1


def test_the_relay_killed_while_a_create_is_on_its_way(connected, database, org):
    connected.import_mapping(WITHOUT)
    connected.start_and_load()
    fault = org.fault(api="soap", operation="create", action="delay", milliseconds=1500, times=1)
    database.execute("INSERT INTO salesforce.account (name) VALUES ('n1')")
    org.wait_for_fault(fault)
    connected.kill()
    connected.start()
    wait_until(lambda: database.value("SELECT state FROM hc_batch ORDER BY id DESC LIMIT 1") == "DOUBT", 20, "the batch to be in doubt")
    time.sleep(2)
    org.advance_clock(minutes=10)
    connected.advance_clock("10 minutes")
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce.account WHERE name = 'n1' AND _hc_lastop = 'SYNCED'") == 1, 30, "the row to be SYNCED")
    assert names(org) == Counter({"n1": 1})
