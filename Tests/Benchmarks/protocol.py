"""Claim, answer, write-back and archive, with answers that are made up here, against the same effects by statements over all rows.

The protocol is driven as the relay drives it: a session that claims and marks as sent, one that stores answers and applies them, each
statement committed, in batches of 200, up to GROUP calls in one round trip (what waits goes together). The baseline does in the same
kind of database, with a commit after each, what all that leaves behind: entries PENDING, rows with state and sfid, entries in the
archive as SUCCESS, records to be read back. It has no batches, no payloads and nothing to recover from.
"""

import json
import os
import queue
import threading
import time

import psycopg

from capturetables import FIELDS, description
from delay import Delay

BATCH = 200
GROUP = 16
DELAY = 0.020

BASELINE = [
    "UPDATE salesforce._trigger_log SET state = 'PENDING', sf_message = NULL, updated_at = clock_timestamp() WHERE state = 'NEW'",
    """UPDATE salesforce.account t SET _hc_lastop = CASE l.action WHEN 'INSERT' THEN 'INSERTED' ELSE 'UPDATED' END, _hc_err = NULL,
              sfid = coalesce(t.sfid, '001' || lpad(t.id::text, 12, '0') || 'AAA')
         FROM salesforce._trigger_log l WHERE l.record_id = t.id AND l.state = 'PENDING'""",
    """WITH gone AS (DELETE FROM salesforce._trigger_log WHERE state = 'PENDING' RETURNING *)
       INSERT INTO salesforce._trigger_log_archive (id, txid, created_at, updated_at, processed_at, processed_tx, state, action, table_name, record_id, sfid, old, "values", sf_result)
       SELECT id, txid, created_at, clock_timestamp(), clock_timestamp(), txid_current(), 'SUCCESS', action, table_name, record_id,
              coalesce(sfid, '001' || lpad(record_id::text, 12, '0') || 'AAA'), old, "values", 0 FROM gone ON CONFLICT (id) DO NOTHING""",
    "INSERT INTO hc_read_back (mapping, sfid) SELECT m.id, t.sfid FROM salesforce.account t, hc_mapping m",
]
EFFECTS = """SELECT (SELECT count(*) FROM salesforce._trigger_log) AS left_in_log,
    (SELECT count(*) FROM salesforce._trigger_log_archive WHERE state = 'SUCCESS' AND sf_result = 0 AND sfid IS NOT NULL AND processed_at IS NOT NULL) AS archived,
    (SELECT count(*) FROM salesforce.account WHERE _hc_lastop = 'UPDATED') AS updated, (SELECT count(*) FROM salesforce.account WHERE _hc_lastop = 'INSERTED') AS inserted,
    (SELECT count(DISTINCT sfid) FROM salesforce.account) AS records, (SELECT count(*) FROM hc_read_back) AS to_read_back"""


class Place:
    """A database that this process leads, with that many changes in its log: half updates of two columns, half inserts of five."""

    def __init__(self, cluster, rows):
        self.rows = rows
        self.database = cluster.database()
        self.session = self.connect(self.database.url)
        config = json.dumps({"access": "read_write", "fields": {name: {} for name in FIELDS}})
        self.connection = self.value("SELECT hc_connection_create('salesforce')")
        self.value("SELECT hc_mapping_create(%s, 'Account', %s, %s)", self.connection, config, description())
        self.session.execute("UPDATE hc_connection SET settings = settings || '{\"bulk_writes\":false}'")   # batches of 200, no jobs
        self.epoch = self.value("SELECT hc_lead(%s, 'benchmark')", self.connection)
        self.session.execute("SET xmlbinary = hex")
        self.session.execute("INSERT INTO salesforce.account (sfid, text1__c, amount1__c) SELECT '001' || lpad(g::text, 12, '0') || 'AAA', 'a', g FROM generate_series(1, %s) g", (rows // 2,))
        self.session.execute("RESET xmlbinary")
        self.session.execute("UPDATE salesforce.account SET text1__c = 'b', amount1__c = -id")
        self.session.execute("INSERT INTO salesforce.account (name, text1__c, amount1__c, count1__c, flag1__c) SELECT 'Company ' || g, 'c', g, g, true FROM generate_series(1, %s) g", (rows // 2,))
        for target in ("salesforce.account", "salesforce._trigger_log", "hc_field", "hc_mapping", "hc_connection"):
            self.session.execute(f"VACUUM ANALYZE {target}")

    @staticmethod
    def connect(url):
        session = psycopg.connect(url, autocommit=True)
        for setting in ("idle_session_timeout", "idle_in_transaction_session_timeout"):
            session.execute(f"SET {setting} = 0")
        return session

    def value(self, statement, *parameters, session=None):
        return (session or self.session).execute(statement, parameters).fetchone()[0]

    def remove(self):
        effects = self.database.one(EFFECTS)
        half = self.rows // 2
        assert effects == {"left_in_log": 0, "archived": 2 * half, "updated": half, "inserted": half, "records": 2 * half, "to_read_back": 2 * half}, effects
        self.session.close()
        self.database.drop()


def baseline(cluster, rows):
    place = Place(cluster, rows)
    began = time.perf_counter()
    for statement in BASELINE:
        with place.session.transaction():
            place.session.execute("SET LOCAL xmlbinary = hex")
            place.session.execute("SET LOCAL work_mem = '256MB'")
            place.session.execute(statement)
    seconds = time.perf_counter() - began
    place.remove()
    return rows / seconds


def answer_of(call):
    """What Salesforce would say to the call: success for each record."""
    for batch in call["batches"]:
        results = ",".join('{"id":"%s","success":true,"created":%s,"errors":[]}' % (
            (record["id"], "false") if record["id"] else (f"001{record['record_id']:012d}AAA", "true")) for record in batch["records"])
        yield '{"batch":%d,"outcome":"answered","answer":{"results":[%s]}}' % (batch["batch"], results)


class Relay:
    """Two sessions as those of a relay: one claims and marks as sent, one stores answers and applies them."""

    def __init__(self, cluster, rows, delay=None):
        self.place = Place(cluster, rows)
        self.proxy = Delay(self.place.database.url, delay) if delay else None
        url = self.proxy.url if self.proxy else self.place.database.url
        self.claims, self.writes = self.place.connect(url), self.place.connect(url)
        self.seconds = dict.fromkeys(("claim", "sent", "answer", "apply"), 0)
        self.calls = self.spent = 0

    def step(self, session, name, statement, *parameters):
        began = time.perf_counter()
        value = self.place.value(statement, self.place.connection, self.place.epoch, *parameters, session=session)
        self.seconds[name] += time.perf_counter() - began
        return value

    def write(self, under_way, failures):
        try:
            while calls := under_way.get():
                self.step(self.writes, "answer", "SELECT hc_answer_batches(%s, %s, %s::jsonb)", "[" + ",".join(a for call in calls for a in answer_of(call)) + "]")
                applied = self.step(self.writes, "apply", "SELECT hc_apply_batches(%s, %s, %s)", [batch["batch"] for call in calls for batch in call["batches"]])
                assert all(batch["done"] for batch in applied), applied
        except Exception as failure:   # told by the other thread
            failures.append(failure)
            while under_way.get():
                pass

    def drain(self, rows):
        """At least that many changes, of those that are left."""
        began = time.perf_counter()
        under_way, failures = queue.Queue(maxsize=1), []
        writer = threading.Thread(target=self.write, args=(under_way, failures))
        writer.start()
        claimed = 0
        while claimed < rows and not failures:
            calls = self.step(self.claims, "claim", "SELECT hc_claim_calls(%s, %s, %s)", GROUP)
            if not calls:
                time.sleep(0.005)   # what is under way keeps the rest waiting
                continue
            sizes = [len(batch["records"]) for call in calls for batch in call["batches"]]
            assert max(sizes) <= BATCH
            claimed += sum(sizes)
            self.calls += len(calls)
            self.step(self.claims, "sent", "SELECT hc_sent_calls(%s, %s, %s)", [call["call"] for call in calls])
            under_way.put(calls)
        under_way.put(None)
        writer.join()
        if failures:
            raise failures[0]
        self.spent += time.perf_counter() - began
        return claimed

    def remove(self):
        self.claims.close()
        self.writes.close()
        self.place.remove()
        if self.proxy:
            self.proxy.close()

    def told(self):
        return f"{self.place.rows / self.spent:.0f} rows a second; {self.calls} calls; seconds " + ", ".join(f"{name} {value:.1f}" for name, value in self.seconds.items())


def run(cluster, folder, report):
    rows = int(os.environ.get("ROWS", 200_000))
    before = baseline(cluster, rows)
    relays = [Relay(cluster, rows), Relay(cluster, rows, DELAY)]
    # In turns, so that what else the machine does hits both alike; the baseline before and after.
    left = [rows, rows]
    while any(left):
        for n, relay in enumerate(relays):
            left[n] -= relay.drain(min(left[n], max(rows // 10, 1))) if left[n] else 0
    after = baseline(cluster, rows)
    rate, late = (rows / relay.spent for relay in relays)
    report.figure(f"claim, answer, write-back and archive of {rows:,} changes / the same effects by statements over all rows", rate * (1 / before + 1 / after) / 2, at_least=0.5)
    report.note(f"{relays[0].told()}; over all rows {before:.0f} before and {after:.0f} after")
    report.figure(f"the same with {DELAY * 1000:.0f} ms added to each round trip to the database / without", late / rate, at_least=0.5)
    report.note(relays[1].told())
    for relay in relays:
        relay.remove()
