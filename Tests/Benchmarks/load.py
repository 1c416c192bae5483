"""Memory of the relay while it loads: it must not grow with the number of records."""

import os
import time

from harness.relay import mapping

from measure import connections, memory_peak
from workplace import workplace

FIELDS = ["Name", "ExternalId__c", "Phone", "Website", "Description", "AnnualRevenue", "NumberOfEmployees"]


def load(cluster, folder, report, count):
    """Loads `count` records and returns the relay's peak memory in MiB."""
    with workplace(cluster, folder / f"load-{count}") as (relay, database, org):
        org.generate("Account", count, Name="Account {n}", ExternalId__c="x{n}", Phone="+49 30 {n}", Website="https://example.com/{n}",
                     Description="A description of some length, as there are in many orgs, for record {n}", AnnualRevenue="{n%1000000}", NumberOfEmployees="{n%5000}")
        relay.import_mapping(mapping("Account", FIELDS, access="read_only"))
        begun = time.monotonic()
        most = 0
        relay.start()
        while database.value("SELECT state FROM hc_mapping") != "DATA_SYNCED":
            assert relay.program.running, relay.output[-2000:]
            most = max(most, connections(database))
            time.sleep(0.2)
        seconds = time.monotonic() - begun
        rows = database.value("SELECT count(*) FROM salesforce.account")
        assert rows >= count
        peak = memory_peak(relay.program.process.pid)
        report.note(f"{rows:,} records in {seconds:.0f} s ({rows / seconds:,.0f} a second), {peak:.1f} MiB, {most} connections")
        return peak


def run(cluster, folder, report):
    small, large = (100_000, 1_000_000) if os.environ.get("FULL") == "1" else (20_000, 200_000)
    first = load(cluster, folder, report, small)
    second = load(cluster, folder, report, large)
    report.figure(f"relay memory while loading {large:,} records", second, 64, " MiB")
    report.figure(f"the same, divided by that of {small:,} records", second / first, 1.10)
