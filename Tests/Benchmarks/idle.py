"""An idle relay with twenty mappings: its processor time, and its connections to PostgreSQL."""

import os
import time

from harness.relay import mapping

from measure import connections, processor_seconds
from workplace import workplace


def run(cluster, folder, report):
    seconds = 120 if os.environ.get("FULL") == "1" else 30
    with workplace(cluster, folder / "idle") as (relay, database, org):
        names = [f"Idle{n}__c" for n in range(20)]
        for name in names:
            org.control("POST", "objects", {"name": name, "fields": [{"name": "Text__c", "type": "string", "length": 80}]})
        relay.import_mapping({"version": 1, "mappings": [mapping(name, ["Name", "Text__c"]) for name in names]})
        relay.start()
        most = 0
        deadline = time.monotonic() + 120
        while any(m["state"] != "DATA_SYNCED" for m in database.execute("SELECT state FROM hc_mapping")):
            most = max(most, connections(database))
            assert time.monotonic() < deadline and relay.program.running
            time.sleep(0.05)
        report.figure("connections while loading 20 mappings", max(most, connections(database)), 6)
        time.sleep(3)
        pid = relay.program.process.pid
        before, begun = processor_seconds(pid), time.monotonic()
        time.sleep(seconds)
        share = (processor_seconds(pid) - before) / (time.monotonic() - begun)
        report.figure("idle relay's share of a core", share * 100, 1, " %")
        report.figure("connections while idle", connections(database), 6)
