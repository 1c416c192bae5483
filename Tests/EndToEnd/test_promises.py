"""What people know of Heroku Connect, promise by promise. The rest of them have tests elsewhere:

    wake at most every 10 s              test_wakeup_rate.py
    a row repeated closes the batch      test_outbound.py, test_changes_of_one_row_arrive_in_order_and_alone
    merged and ordered, in any log       test_random_logs.py
"""

import pytest

from harness.waiting import wait_until
from harness.world import allow, refuse


@pytest.fixture
def log(world):
    """The world with ordered writes, and a name of its own for the records of the test."""
    world.begin()
    world.algorithm("ordered")
    world.settings(strict=False)
    yield world
    world.org.remove_faults()
    world.settings(strict=False)
    world.algorithm("ordered")
    world.end()


def insert(world, table, key, text="fine"):
    return world.database.value(f"INSERT INTO salesforce.{table} (name, key__c, text__c) VALUES (%s, %s, %s) RETURNING id", key, key, text)


def sent(world):
    """Operation and names of the records of each write, in order."""
    return [(call["operation"], [record["fields"].get("Name") for record in call["records"]]) for call in world.org.writes()]


def batches(world):
    return world.database.execute("SELECT * FROM public.hc_batch ORDER BY id DESC LIMIT 2")[::-1]


def test_two_minute_poll(log):
    database = log.database
    insert(log, "product__c", "poll-1", "refuse")
    kept = insert(log, "product__c", "poll-2")
    log.settle()
    (failed,) = [row["id"] for row in database.execute("SELECT id FROM salesforce._trigger_log WHERE state = 'FAILED'")]
    # Changes beyond it, which need no request, until claims begin above it.
    with database.connect() as transaction:
        for _ in range(2100):
            transaction.execute("UPDATE salesforce.product__c SET name = name WHERE id = %s", [kept])
    wait_until(lambda: log.relay.wake() or database.value("SELECT low_water FROM hc_connection") > failed, 20, "the low water to pass the entry")
    allow(log.org)
    try:
        log.advance(121)
        log.relay.work_through()
        database.execute("UPDATE salesforce._trigger_log SET state = 'NEW' WHERE id = %s", failed)
        log.advance(60)
        log.relay.work_through()
        assert database.value("SELECT state FROM salesforce._trigger_log WHERE id = %s", failed) == "NEW"
        log.advance(61)
        log.settle()
        assert log.org.records("Product__c", "Key__c = 'poll-1'")
    finally:
        refuse(log.org)


def test_countdown_after_completion(log):
    began = log.database.value("SELECT public.hc_clock(id) FROM public.hc_connection")
    log.org.fault(api="soap", operation="upsert", action="delay", milliseconds=1000)
    insert(log, "product__c", "countdown")
    countdown = wait_until(lambda: log.database.execute("""
        SELECT b.answered_at - b.sent_at AS took, c.next_drain_at - b.answered_at AS countdown
          FROM public.hc_connection c, (SELECT * FROM public.hc_batch ORDER BY id DESC LIMIT 1) b
         WHERE b.sent_at > %s AND c.next_drain_at >= b.answered_at + interval '2 minutes'""", began), 30, "the countdown")[0]
    assert countdown["took"].total_seconds() >= 1 and countdown["countdown"].total_seconds() < 125


def test_no_new_poll_while_writing(log):
    slow = log.org.fault(api="soap", operation="upsert", action="delay", milliseconds=1000)
    insert(log, "product__c", "first")
    log.org.wait_for_fault(slow)
    insert(log, "region__c", "second")
    log.settle()
    first, second = batches(log)
    assert first["object_name"] == "Product__c" and second["claimed_at"] >= first["answered_at"]


def test_chronological_order(log):
    with log.database.connect() as transaction:
        for n, table in enumerate(["product__c", "region__c", "company__c", "product__c"]):
            transaction.execute(f"INSERT INTO salesforce.{table} (name, key__c) VALUES (%s, %s)", [f"chron-{n}"] * 2)
    log.settle()
    assert sent(log) == [("upsert", [f"chron-{n}"]) for n in range(4)]


def test_ordered(log):
    """Each change is an operation of its own; consecutive ones of one object and action share a request."""
    with log.database.connect() as transaction:
        for n in range(3):
            transaction.execute("INSERT INTO salesforce.product__c (name, key__c) VALUES (%s, %s)", [f"ord-{n}"] * 2)
        for name in ("ord-0a", "ord-0b"):
            transaction.execute("UPDATE salesforce.product__c SET name = %s WHERE key__c = 'ord-0'", [name])
        transaction.execute("UPDATE salesforce.product__c SET name = 'ord-1a' WHERE key__c = 'ord-1'")
    log.settle()
    assert sent(log) == [("upsert", ["ord-0", "ord-1", "ord-2"]), ("update", ["ord-0a"]), ("update", ["ord-0b", "ord-1a"])]


@pytest.mark.parametrize("algorithm", ["ordered", "planned"])
def test_failed_insert_stops_the_queue(log, algorithm):
    log.algorithm(algorithm)
    log.settings(strict=True)
    insert(log, "product__c", f"stop-{algorithm}", "refuse")
    wait_until(lambda: log.database.value("SELECT state_detail LIKE 'Writing has stopped: log entry %%' FROM hc_connection"), 20, "the queue to stop")
    log.org.forget_calls()
    insert(log, "region__c", f"behind-{algorithm}")
    log.relay.work_through()
    assert sent(log) == []
    assert log.database.value("SELECT count(*) FROM hc_notification WHERE event_type = 'queue-stopped' AND acknowledged_at IS NULL") == 1
    log.database.execute("UPDATE salesforce._trigger_log SET state = 'IGNORE' WHERE state = 'FAILED'")
    log.advance(121)
    log.settle()
    assert sent(log) == [("upsert", [f"behind-{algorithm}"])]
    assert log.database.value("SELECT state_detail FROM hc_connection") is None


def test_merged(log):
    log.algorithm("merged")
    above = log.last_id()
    with log.database.connect() as transaction:
        transaction.execute("INSERT INTO salesforce.product__c (name, key__c) VALUES ('m1', 'm')")
        for name in ("m2", "m3"):
            transaction.execute("UPDATE salesforce.product__c SET name = %s WHERE key__c = 'm'", [name])
    log.settle()
    assert sent(log) == [("upsert", ["m3"])]
    assert [state for state, _ in log.states(above).values()] == ["SUCCESS", "MERGED", "MERGED"]


def test_merged_sends_a_failed_insert_again_with_the_next_update(log):
    log.algorithm("merged")
    id = insert(log, "product__c", "again", "refuse")
    wait_until(lambda: log.database.row("product__c", id)["_hc_lastop"] == "FAILED", 20, "the refusal")
    log.database.execute("UPDATE salesforce.product__c SET text__c = 'fine' WHERE id = %s", id)
    log.settle()
    (record,) = log.org.records("Product__c", "Key__c = 'again'")
    assert record["Text__c"] == "fine" and log.database.row("product__c", id)["sfid"] == record["Id"]


def test_unique_identifiers(log):
    there = log.org.insert("Product__c", Name="theirs", Key__c="unique")
    id = insert(log, "product__c", "unique")
    log.settle()
    (record,) = log.org.records("Product__c", "Key__c = 'unique'")
    assert record["Id"] == there == log.database.row("product__c", id)["sfid"] and record["Name"] == "unique"


@pytest.mark.parametrize("outage", ["unavailable", "unavailable_html"])
def test_outage_queueing(log, outage):
    above = log.last_id()
    down = log.org.fault(outage, times=None)
    for n in range(3):
        insert(log, "product__c", f"{outage}-{n}")
    log.org.wait_for_fault(down)
    assert log.database.value("SELECT count(*) FROM salesforce._trigger_log WHERE state IN ('NEW', 'PENDING')") == 3
    log.org.remove_faults()
    log.settle()
    assert [state for state, _ in log.states(above).values()] == ["SUCCESS"] * 3
    assert len(log.org.records("Product__c", f"Key__c LIKE '{outage}-%'")) == 3


def test_select_where_state_is_failed(log):
    id = insert(log, "product__c", "failed", "refuse")
    log.settle()
    row = log.database.one("""
        SELECT table_name, record_id, action, sf_message
          FROM salesforce._trigger_log
          WHERE state = 'FAILED'""")
    assert (row["table_name"], row["record_id"], row["action"]) == ("product__c", id, "INSERT") and "This text is refused." in row["sf_message"]


def test_workflows_in_the_org_run(log):
    log.org.control("POST", "objects/Product__c/flows", {"field": "Text__c", "template": "Flow saw {Name}"})
    try:
        id = insert(log, "product__c", "flow")
        log.settle()
        row = wait_until(lambda: (row := log.database.row("product__c", id))["_hc_lastop"] == "SYNCED" and row, 20, "the row to be SYNCED")
        assert row["text__c"] == "Flow saw flow" == log.org.record("Product__c", row["sfid"])["Text__c"]
    finally:
        log.org.control("DELETE", "objects/Product__c/flows")
