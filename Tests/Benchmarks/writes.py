"""Round trips to PostgreSQL for each batch of 200, counted in the server's own log of statements."""

import re

from harness.relay import mapping
from harness.waiting import wait_until

from workplace import workplace

BATCHES = 20
STEP = re.compile(r"\b(hc_claim|hc_sent|hc_answer|hc_apply)\(")


def run(cluster, folder, report):
    with workplace(cluster, folder / "writes") as (relay, database, org):
        relay.import_mapping(mapping("Account", ["Name", "ExternalId__c", "AnnualRevenue"], upsert_field="ExternalId__c"))
        relay.start_and_load()
        relay.stop()
        database.execute(f"ALTER DATABASE {database.name} SET log_statement = 'all'")
        database.execute("INSERT INTO salesforce.account (name, externalid__c, annualrevenue) SELECT 'n' || g, 'x' || g, g FROM generate_series(1, %s) g", BATCHES * 200)
        start = cluster.program.log.stat().st_size
        relay.start()
        wait_until(lambda: database.value("SELECT count(*) = 0 FROM salesforce._trigger_log"), 120, "all to be sent")
        wait_until(lambda: database.value("SELECT bool_and(_hc_lastop = 'SYNCED') FROM salesforce.account"), 60, "all to be SYNCED")
        with cluster.program.log.open() as log:
            log.seek(start)
            steps = [match.group(1) for line in log if "LOG:" in line and (match := STEP.search(line))]
        calls = len(org.writes())
        assert calls == BATCHES, calls
        last = len(steps) - steps[::-1].index("hc_apply")
        report.figure(f"round trips a batch of 200 ({BATCHES} batches)", len(steps[:last]) / BATCHES, 4)
        report.figure("Salesforce calls for each 200 written records", calls / BATCHES, 1)
        millis = database.value("SELECT sum(extract(epoch FROM answered_at - claimed_at)) * 1000 FROM hc_batch")
        report.note(f"from claim to answer {float(millis) / BATCHES:.0f} ms a batch")
