"""Many requests at a time: a large backlog whose rows share parents, sent over 25 lanes to an org that takes its time.

The org works 100 ms on a call and 10 ms on each of its records, and holds the records and their parents meanwhile: a call that meets a held
one is refused a row. Neighbours in the log have different parents, so that calls in its order would all meet. Beside the time stands the
schedule that the org's own times allow: full calls, each lane busy from the first to the last. The serial path is the same relay with one
lane, on a part of the rows. The third part measures what 20 ms on the way to the database cost.
"""

import math
import os
import re
import time
from contextlib import contextmanager
from datetime import datetime

from harness.relay import mapping
from harness.waiting import wait_until

from measure import connections, memory_peak, processor_seconds
from workplace import workplace

LANES = 25
CALL = 200
FIXED, PER_RECORD = 100, 10   # milliseconds
SERIAL = 2_000               # changes of the serial path


def run(cluster, folder, report):
    full = os.environ.get("FULL") == "1"
    changes = int(os.environ.get("CHANGES", 200_000 if full else 30_000))
    with crowd(cluster, folder / "lanes", changes // 100) as (relay, database, org):
        serial = drain(relay, database, org, SERIAL, lanes=1).seconds / SERIAL
        seen = drain(relay, database, org, changes, lanes=LANES)
        lane = (FIXED + PER_RECORD * CALL) / 1000
        schedule = math.ceil(changes / CALL / LANES) * lane
        report.note(f"{changes:,} changes of {changes // 100:,} parents in {seen.calls} calls over {LANES} lanes: {seen.seconds:.1f} s,"
                    f" by the org's times {schedule:.1f} s; one lane {serial * changes:.0f} s")
        report.note("seconds of a core: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in sorted(seen.used.items()) if seconds > 0.1))
        report.figure(f"time of {changes:,} changes / the schedule by the org's times", seen.seconds / schedule, 1.3)
        report.figure("serial path / time", serial * changes / seen.seconds, at_least=20)
        report.figure("rows refused because another call held them", 100 * seen.locked / changes, 0.1, " %")
        report.figure("connections", seen.connections, 6)
        report.figure("relay's peak of memory", seen.memory, 200, " MiB")
    rates = {}
    for milliseconds in (0, 20):
        with crowd(cluster, folder / f"distance{milliseconds}", 100, milliseconds, fixed=0, per_record=0) as (relay, database, org):
            rates[milliseconds] = 1 / drain(relay, database, org, 20_000, lanes=8).seconds
    report.figure("rate with 20 ms on each round trip to the database / without", rates[20] / rates[0], at_least=0.5)


@contextmanager
def crowd(cluster, folder, parents, distance=0, fixed=FIXED, per_record=PER_RECORD):
    """A workplace with so many accounts, whose contacts are to be written."""
    with workplace(cluster, folder, distance) as (relay, database, org):
        org.remove_rules("Contact")
        org.generate("Account", parents, Name="p{n}", ExternalId__c="p{n}")
        relay.import_mapping(mapping("Account", ["Name", "ExternalId__c"], upsert_field="ExternalId__c"), mapping("Contact", ["LastName", "AccountId"]))
        relay.start_and_load(120)
        relay.stop()
        org.control("PATCH", "settings", {"service": {"locksRows": True, "times": [{"family": "soap", "operation": "create", "fixed": fixed, "perRecord": per_record}]}})
        yield relay, database, org


class Seen:
    def __init__(self, seconds, calls, locked, connections, memory, used):
        self.seconds, self.calls, self.locked, self.connections, self.memory, self.used = seconds, calls, locked, connections, memory, used


def drain(relay, database, org, changes, lanes):
    """Makes the backlog while no relay runs, then lets one send it; the time is from the start of the first request to the end of the last change."""
    database.execute("UPDATE hc_connection SET settings = settings || jsonb_build_object('write_lanes', %s::integer, 'bulk_writes', false)", lanes)
    database.execute("""WITH parent AS (SELECT sfid, row_number() OVER (ORDER BY id) - 1 AS n, count(*) OVER () AS all_of_them FROM salesforce.account WHERE sfid IS NOT NULL)
                        INSERT INTO salesforce.contact (lastname, accountid)
                        SELECT 'c' || g, p.sfid FROM generate_series(1, %s) g JOIN parent p ON p.n = g %% p.all_of_them ORDER BY g""", changes)
    database.execute("VACUUM ANALYZE")
    org.forget_calls()
    log = relay.program.log.stat().st_size if relay.program.log.exists() else 0
    before = processor_seconds(org.program.process.pid)
    relay.start()
    most = 0

    def drained():
        nonlocal most
        assert relay.program.running
        most = max(most, connections(database))
        return not database.value("SELECT EXISTS (SELECT FROM salesforce._trigger_log)")

    wait_until(drained, 60 + changes / 100, f"{changes:,} changes to be sent")
    end = time.time()
    calls = org.calls(family="soap", operation="create")
    assert sum(call["recordCount"] for call in calls) >= changes
    # The org's log has the time when a call's work is done and its service time begins.
    begun = min(datetime.fromisoformat(call["time"]).timestamp() for call in calls)
    memory = memory_peak(relay.program.process.pid)
    sessions = database.execute("SELECT pid, split_part(application_name, ' ', 3) AS name FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'hc-relay%%'")
    used = {"relay": processor_seconds(relay.program.process.pid), "org": processor_seconds(org.program.process.pid) - before}
    used |= {f"session {row['name']}": processor_seconds(row["pid"]) for row in sessions}
    relay.stop()
    assert database.value("SELECT count(*) FROM salesforce.contact WHERE sfid IS NULL") == 0
    with relay.program.log.open() as file:
        file.seek(log)
        locked = sum(int(re.search(r" failed=(\d+)", line)[1]) for line in file if "error_code=UNABLE_TO_LOCK_ROW" in line)
    return Seen(end - begun, len(calls), locked, most, memory, used)
