"""Calls to Salesforce stay within the org's quota, less the reserve, and within each mapping's daily maximum."""

import json

from harness.relay import mapping
from harness.waiting import wait_until

ACCOUNT = mapping("Account", ["Name", "ExternalId__c"], upsert_field="ExternalId__c")
CONTACT = mapping("Contact", ["LastName", "Email"])


def use(org, used, daily):
    org.control("PATCH", "settings", {"usedRequests": used, "dailyRequests": daily})


def used(org):
    return org.control("GET", "")["usedRequests"]


def status(relay):
    (document,) = json.loads(relay.succeed("status", "--output", "json"))
    return document


def insert(database, name):
    database.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES (%s, %s)", name, name)


def sent(database):
    return database.value("SELECT count(*) FROM salesforce.account WHERE name ~ '^n\\d' AND sfid IS NOT NULL")


def test_nothing_goes_past_the_reserve_and_the_end_of_the_window_releases_it(connected, database, org):
    use(org, 0, 200)
    connected.import_mapping(ACCOUNT, CONTACT)
    connected.start_and_load()
    use(org, 120, 200)

    def everything_waits():
        return database.value("SELECT state_detail LIKE 'API quota: %%everything waits%%' FROM hc_connection")

    for n in range(100):
        insert(database, f"n{n}")
        database.execute("UPDATE hc_mapping SET poll_at = hc_clock(connection)")   # polls and writes at once
        connected.wake()
        wait_until(lambda: everything_waits() or sent(database) >= n, 20, "the writes to go on")
        if everything_waits():
            break
    wait_until(everything_waits, 20, "the relay to say that it waits")
    insert(database, "late")
    connected.work_through()
    # 20 of 200 are kept back. Calls that overlap may each leave one unused.
    assert 175 <= used(org) <= 180
    assert database.value("SELECT count(*) FROM hc_notification WHERE event_type = 'api-quota'") == 1
    shown = status(connected)
    assert shown["quota"]["used"] <= 180 and shown["quota"]["maximum"] == 200 and shown["quota"]["reserve"] == 20
    assert shown["quota"]["calls_per_hour"] > 0 and "everything waits" in shown["quota"]["waiting"] and shown["quota"]["reserve_reached_at"] is None
    assert shown["quota"]["mappings"]["Account"]["calls"] > 0
    table = connected.succeed("status")
    assert "of 200 API requests, 20 kept back" in table and "everything waits" in table
    # A relay that is started then knows it without a call. The one that stopped made no login either.
    connected.stop()
    count = used(org)
    connected.start()
    wait_until(lambda: 'event="LEADING"' in connected.output, 20, "the relay to lead")
    connected.work_through()
    assert used(org) == count
    # The window has moved on.
    use(org, 0, 200)
    connected.advance_clock("24 hours 15 minutes")
    wait_until(lambda: database.value("SELECT count(*) = 0 FROM salesforce._trigger_log"), 40, "the changes that waited to be sent")
    wait_until(lambda: database.value("SELECT state_detail IS NULL FROM hc_connection"), 20, "the relay to say that it goes on")
    assert len([record for record in org.records("Account") if record["Name"] == "late"]) == 1


def test_a_setting_moves_the_reserve_at_once(connected, database, org):
    use(org, 0, 1000)
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    use(org, 940, 1000)
    insert(database, "first")   # its answer tells
    wait_until(lambda: database.value("SELECT state_detail LIKE 'API quota: %%' FROM hc_connection"), 20, "the relay to wait")
    insert(database, "second")
    connected.work_through()
    assert database.value("SELECT count(*) FROM salesforce._trigger_log WHERE state = 'NEW'") == 1
    database.execute("UPDATE hc_connection SET settings = settings || '{\"api_reserve\": 2, \"api_step\": 0.5}'")
    connected.wake()
    wait_until(lambda: database.value("SELECT sfid IS NOT NULL FROM salesforce.account WHERE name = 'second'"), 20, "the second to be sent")


def test_a_mapping_at_its_maximum_waits_while_others_go_on(connected, database, org):
    connected.import_mapping(mapping("Account", ["Name", "ExternalId__c"], upsert_field="ExternalId__c", sf_max_daily_api_calls=12), CONTACT)
    connected.start_and_load()

    def calls():
        return database.value("SELECT calls FROM hc_quota_day d JOIN hc_mapping m ON m.id = d.mapping WHERE m.object_name = 'Account' ORDER BY day DESC LIMIT 1")

    wait_until(lambda: calls(), 10, "the load to be counted")
    for n in range(20):
        insert(database, f"n{n}")
        database.execute("INSERT INTO salesforce.contact (lastname) VALUES (%s)", f"c{n}")
        connected.wake()
        wait_until(lambda: database.value("SELECT count(*) FROM salesforce.contact WHERE lastname LIKE 'c%%' AND _hc_lastop = 'SYNCED'") == n + 1,
                   20, f"contact {n} to be SYNCED")
    wait_until(lambda: calls() == 12, 20, "all calls of Account to be made")
    made = len(org.calls(object="Account"))
    assert made <= 12
    assert database.value("SELECT count(*) FROM salesforce._trigger_log WHERE table_name = 'account'") > 0
    assert database.value("SELECT count(*) FROM salesforce._trigger_log WHERE table_name = 'contact'") == 0
    assert "sf_max_daily_api_calls" in database.value("SELECT state_detail FROM hc_mapping WHERE object_name = 'Account'")
    assert database.value("SELECT count(*) FROM hc_notification n JOIN hc_mapping m ON m.id = n.mapping WHERE event_type = 'api-quota' AND object_name = 'Account'") == 1
    connected.advance_clock("24 hours")
    wait_until(lambda: calls() is not None and calls() < 12 and database.value("SELECT count(*) = 0 FROM salesforce._trigger_log WHERE table_name = 'account'"),
               40, "the changes to be sent on the org's next day")


def test_the_maximum_holds_over_kills(connected, database, org):
    connected.import_mapping(mapping("Account", ["Name", "ExternalId__c"], upsert_field="ExternalId__c", sf_max_daily_api_calls=20))
    connected.start_and_load()
    for n in range(6):
        insert(database, f"n{n}")
        connected.wake()
        wait_until(lambda: org.calls(object="Account", operation="upsert")[n:] or database.value("SELECT max(granted) = 20 FROM hc_quota_day"),
                   30, "a call, or the maximum to be granted")
        connected.kill()
        connected.start()
        wait_until(lambda: connected.output.count('event="LEADING"') == n + 2, 20, "the relay to lead")
    for n in range(20):
        insert(database, f"m{n}")
        connected.wake()
        connected.work_through()
    wait_until(lambda: database.value("SELECT calls = 20 FROM hc_quota_day"), 20, "the maximum to be reached")
    assert 10 < len(org.calls(object="Account")) <= 20 and database.value("SELECT count(*) > 0 FROM salesforce._trigger_log")
