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


def protocol(cluster, rows, delay=None):
    """Rate, calls, and the seconds that each step took, of which claims and the others overlap."""
    place = Place(cluster, rows)
    proxy = Delay(place.database.url, delay) if delay else None
    seconds = dict.fromkeys(("claim", "sent", "answer", "apply"), 0)
    under_way = queue.Queue(maxsize=1)
    failures = []
    url = proxy.url if proxy else place.database.url

    def step(session, name, statement, *parameters):
        began = time.perf_counter()
        value = place.value(statement, place.connection, place.epoch, *parameters, session=session)
        seconds[name] += time.perf_counter() - began
        return value

    def write():
        try:
            with place.connect(url) as session:
                while calls := under_way.get():
                    step(session, "answer", "SELECT hc_answer_batches(%s, %s, %s::jsonb)", "[" + ",".join(a for call in calls for a in answer_of(call)) + "]")
                    applied = step(session, "apply", "SELECT hc_apply_batches(%s, %s, %s)", [batch["batch"] for call in calls for batch in call["batches"]])
                    assert all(batch["done"] for batch in applied), applied
        except Exception as failure:   # told by the other thread
            failures.append(failure)
            while under_way.get():
                pass

    writer = threading.Thread(target=write)
    count = 0
    with place.connect(url) as session:
        began = time.perf_counter()
        writer.start()
        claimed = 0
        while claimed < rows and not failures:
            calls = step(session, "claim", "SELECT hc_claim_calls(%s, %s, %s)", GROUP)
            if not calls:
                time.sleep(0.005)   # what is under way keeps the rest waiting
                continue
            count += len(calls)
            sizes = [len(batch["records"]) for call in calls for batch in call["batches"]]
            assert max(sizes) <= BATCH
            claimed += sum(sizes)
            step(session, "sent", "SELECT hc_sent_calls(%s, %s, %s)", [call["call"] for call in calls])
            under_way.put(calls)
        under_way.put(None)
        writer.join()
    if failures:
        raise failures[0]
    spent = time.perf_counter() - began
    place.remove()
    if proxy:
        proxy.close()
    return rows / spent, count, seconds


def run(cluster, folder, report):
    rows = int(os.environ.get("ROWS", 200_000))
    base = baseline(cluster, rows)
    rate, calls, seconds = protocol(cluster, rows)
    report.figure(f"claim, answer, write-back and archive of {rows:,} changes / the same effects by statements over all rows", rate / base, at_least=0.5)
    report.note(f"{rate:.0f} and {base:.0f} rows a second; {calls} calls; seconds " + ", ".join(f"{name} {value:.1f}" for name, value in seconds.items()))
    late, calls, seconds = protocol(cluster, rows, DELAY)
    report.figure(f"the same with {DELAY * 1000:.0f} ms added to each round trip to the database / without", late / rate, at_least=0.5)
    report.note(f"{late:.0f} rows a second; {calls} calls; seconds " + ", ".join(f"{name} {value:.1f}" for name, value in seconds.items()))
