"""Two relays on one database: one works, the other takes over; the old one is refused by the epoch."""

import time

from harness.relay import mapping
from harness.waiting import wait_until

ACCOUNT = mapping("Account", ["Name", "ExternalId__c"], upsert_field="ExternalId__c")


def epoch(database):
    return database.value("SELECT epoch FROM hc_connection")


def test_the_other_relay_takes_over_within_ten_seconds(connected, new_relay, database, org):
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    first = epoch(database)
    standby = new_relay("standby").start()
    time.sleep(3)
    assert epoch(database) == first and standby.program.running   # one works, the other waits
    killed = time.monotonic()
    connected.kill()
    wait_until(lambda: epoch(database) > first, 15, "the standby to lead")
    assert time.monotonic() - killed < 10
    id = database.value("INSERT INTO salesforce.account (name, externalid__c) VALUES ('after', 'a') RETURNING id")
    wait_until(lambda: database.row("account", id)["_hc_lastop"] == "SYNCED", 20, "the standby to write")


def test_a_relay_that_was_stopped_and_woken_is_refused(connected, new_relay, database, org):
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    first = epoch(database)
    standby = new_relay("standby").start()
    time.sleep(1)
    paused = time.monotonic()
    connected.pause()
    wait_until(lambda: epoch(database) > first, 15, "the standby to lead")
    assert time.monotonic() - paused < 10
    second = epoch(database)
    connected.resume()
    database.execute("INSERT INTO salesforce.account (name, externalid__c) SELECT 'n' || g, 'x' || g FROM generate_series(1, 20) g")
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce.account WHERE _hc_lastop = 'SYNCED' AND externalid__c LIKE 'x%%'") == 20, 20, "the writes")
    time.sleep(3)
    assert epoch(database) == second and connected.program.running and standby.program.running
    names = [r["Name"] for r in org.records("Account") if (r["ExternalId__c"] or "").startswith("x")]
    assert len(names) == len(set(names)) == 20
    # and it is a standby now: it leads again when the other goes
    standby.kill()
    wait_until(lambda: epoch(database) > second, 15, "the first relay to lead again")
