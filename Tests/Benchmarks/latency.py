"""From COMMIT in PostgreSQL to the request at Salesforce, when the relay is idle, beside what no relay could do without.

That is a bare LISTEN round trip (COMMIT of a NOTIFY until its listener has it) and a bare HTTP POST of the same request to the same org
over a kept connection. The three take turns, so that what else the machine does hits all alike. The time of the request is the org's own:
when it had done the work and put the call into its log, in whole milliseconds and rounded up here.
"""

import os
import statistics
import time
from contextlib import closing
from datetime import datetime

from harness.relay import mapping
from harness.waiting import wait_until

from orgclient import OrgClient
from workplace import workplace

INTERVAL = 10_000   # milliseconds between two notifications at the least, by default


def run(cluster, folder, report):
    samples = 300 if os.environ.get("FULL") == "1" else 100
    with workplace(cluster, folder / "latency") as (relay, database, org):
        relay.import_mapping(mapping("Account", ["Name", "ExternalId__c"], upsert_field="ExternalId__c"))
        relay.start_and_load()
        with database.connect() as writer, database.connect(autocommit=True) as listener, OrgClient(org) as client:
            listener.execute("LISTEN bare")
            seen = {"change": [], "listen": [], "post": []}
            for number in range(samples + 10):
                be_quiet(database)
                listened, posted = listen(writer, listener), post(client, number)
                change = first_change(writer, org, number)
                if number >= 10:   # the first fill caches on both sides
                    for name, seconds in (("change", change), ("listen", listened), ("post", posted)):
                        seen[name].append(seconds * 1000)
    bare = [a + b for a, b in zip(seen["listen"], seen["post"])]
    report.note(f"{samples} changes, each the first after a quiet time, ms p50 and p99: "
                + ", ".join(f"{name} {at(times, 50):.1f} and {at(times, 99):.1f}" for name, times in {**seen, "listen + post": bare}.items()))
    report.figure("COMMIT to request at Salesforce, p50 / LISTEN round trip and HTTP POST", at(seen["change"], 50) / at(bare, 50), 2)
    report.figure("the same, p99", at(seen["change"], 99) / at(bare, 99), 5)


def at(times, percent):
    return statistics.quantiles(times, n=100, method="inclusive")[percent - 1]


def be_quiet(database):
    """Waits until the relay has nothing to do and sleeps, and lets the interval between notifications pass."""
    wait_until(lambda: database.value("SELECT count(*) = 0 FROM salesforce._trigger_log"), 30, "the log to be empty")
    wait_until(lambda: database.value("SELECT bool_and(_hc_lastop = 'SYNCED') FROM salesforce.account WHERE sfid IS NOT NULL"), 30, "all to be SYNCED")
    wait_until(lambda: database.value("SELECT is_called FROM hc_quiet_salesforce"), 30, "the relay to say that it is idle")
    time.sleep(0.1)   # it looks once more, and sleeps
    database.execute("SELECT setval('hc_quiet_salesforce', greatest((SELECT last_value FROM hc_quiet_salesforce) - %s, 1), true)", INTERVAL + 1)


def listen(writer, listener):
    """Seconds from COMMIT of a NOTIFY until its listener has it."""
    writer.execute("NOTIFY bare")
    begun = time.perf_counter()
    writer.commit()
    for _ in listener.notifies(timeout=10, stop_after=1):
        return time.perf_counter() - begun
    raise AssertionError("the notification did not come")


def post(client, number):
    """Seconds of the same write by a plain client."""
    send = client.soap_write("upsert", [{"Name": f"bare {number}", "ExternalId__c": f"bare-{number}"}])
    begun = time.perf_counter()
    answer = send()
    seconds = time.perf_counter() - begun
    assert len(client.saved(answer)) == 1
    return seconds


def first_change(writer, org, number):
    """Seconds from COMMIT of an INSERT until the org has its request."""
    org.forget_calls()
    writer.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES (%s, %s)", (f"n {number}", f"x-{number}"))
    begun = time.time()
    writer.commit()
    (call,) = wait_until(lambda: org.calls(family="soap", operation="upsert"), 30, "the request")
    assert call["recordCount"] == 1
    return datetime.fromisoformat(call["time"]).timestamp() + 0.001 - begun
