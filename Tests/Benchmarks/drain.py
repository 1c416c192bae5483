"""The drain without a network: claim, sent, answer, apply, with answers that are made up here, for C and portable capture.

Claim: the time of a claim of 200 from a large backlog over the same from a small one.
Snapshot: the rate at which batches go while another session has held a snapshot since the start, so that no dead entry of the log can be
removed, over the rate without; what counts is the last tenth of the run. In both, two databases take turns batch by batch, so that what
else the machine does hits both alike, and every batch that is drained is captured again, so that the backlog stays as it is.
"""

import itertools
import json
import os
import statistics
import time

from psycopg.types.json import Jsonb

from capturetables import FIELDS, description

BATCH = 200
MODES = ("c", "portable")
# What an UPDATE of two columns captures.
VALUES = "hstore(ARRAY['text1__c','amount1__c'], ARRAY['b', (-id)::text])"


class Place:
    """A database with one connection that this process leads, and rows whose changes wait in its log."""

    _ids = itertools.count(1)

    def __init__(self, cluster, mode, rows, backlog):
        self.database = cluster.database()
        self.session = self.database.connect(autocommit=True)
        config = json.dumps({"access": "read_write", "fields": {name: {} for name in FIELDS}})
        self.connection = self.value("SELECT hc_connection_create('salesforce')")
        self.value("SELECT hc_mapping_create(%s, 'Account', %s, %s)", self.connection, config, description())
        self.session.execute("CALL hc_capture_mode(%s, %s)", (self.connection, mode))
        self.epoch = self.value("SELECT hc_lead(%s, 'benchmark')", self.connection)
        for setting in ("idle_session_timeout", "idle_in_transaction_session_timeout"):
            self.session.execute(f"SET {setting} = 0")
        self.session.execute("SET xmlbinary = hex")
        self.session.execute("INSERT INTO salesforce.account (sfid, text1__c, amount1__c)"
                             " SELECT '001' || lpad(g::text, 15, '0'), 'a', g FROM generate_series(1, %s) g", (rows,))
        self.session.execute("RESET xmlbinary")
        # The backlog by hand, because millions of rows take the portable trigger minutes.
        with self.session.transaction():
            self.session.execute("SET LOCAL xmlbinary = hex")
            self.session.execute("INSERT INTO salesforce._trigger_log (txid, created_at, updated_at, state, action, table_name, record_id, sfid, old, \"values\")"
                                 " SELECT txid_current(), clock_timestamp(), NULL, 'NEW', 'UPDATE', 'account', id, sfid,"
                                 f" (hstore(t.*) - ARRAY['_hc_lastop','_hc_err'])::text, {VALUES}::text FROM salesforce.account t WHERE id <= %s ORDER BY id",
                                 (backlog,))
            self.session.execute("UPDATE salesforce.account SET text1__c = 'b', amount1__c = -id, _hc_lastop = 'PENDING' WHERE id <= %s", (backlog,))
        self.session.execute("VACUUM ANALYZE")
        self.next_row = backlog

    def value(self, statement, *parameters):
        (value,) = self.session.execute(statement, parameters).fetchone().values()
        return value

    def drain(self):
        """One batch, answered with success. Returns the seconds of the claim and of the whole."""
        began = time.perf_counter()
        batch = self.value("SELECT hc_claim(%s, %s)", self.connection, self.epoch)
        claimed = time.perf_counter()
        assert len(batch["records"]) == BATCH
        results = [{"id": record["id"] or f"00Q{next(self._ids):015d}", "success": True, "created": False, "errors": []} for record in batch["records"]]
        self.session.execute("SELECT hc_sent(%s, %s, %s)", (self.connection, self.epoch, batch["batch"]))
        self.session.execute("SELECT hc_answer(%s, %s, %s, 'answered', %s)", (self.connection, self.epoch, batch["batch"], Jsonb({"results": results})))
        applied = self.value("SELECT hc_apply(%s, %s, %s)", self.connection, self.epoch, batch["batch"])
        assert applied["done"] and applied["applied"] == BATCH
        return claimed - began, time.perf_counter() - began

    def capture(self, turn):
        """As many changes again: in turns new rows, and rows that have not changed before."""
        if turn % 2:
            self.session.execute("INSERT INTO salesforce.account (text1__c, amount1__c) SELECT 'n', g FROM generate_series(1, %s) g", (BATCH,))
        else:
            self.session.execute("UPDATE salesforce.account SET text1__c = 'b', amount1__c = -id WHERE id > %s AND id <= %s",
                                 (self.next_row, self.next_row + BATCH))
            self.next_row += BATCH

    def remove(self):
        self.session.close()
        self.database.drop()


def claim(cluster, report, mode, full):
    small, large = 10_000, 2_000_000 if full else 100_000
    turns = 60 if full else 20
    places = [Place(cluster, mode, size + turns * BATCH, size) for size in (small, large)]
    seen = []
    for turn in range(turns):
        for place in places:
            place.capture(turn)
        seen.append([place.drain() for place in places])
    claims, whole = ([statistics.median(pair[place][part] for pair in seen[3:]) for place in (0, 1)] for part in (0, 1))
    name = f"{mode}, claim of {BATCH} from a backlog of {large:,} / from {small:,}"
    report.figure(name, claims[1] / claims[0], limit=1.3)
    report.figure(f"{mode}, claim, sent, answer and apply, the same", whole[1] / whole[0])
    report.note(f"claim {claims[0] * 1000:.1f} ms and {claims[1] * 1000:.1f} ms, whole {whole[0] * 1000:.1f} ms and {whole[1] * 1000:.1f} ms")
    for place in places:
        place.remove()


def snapshot(cluster, report, mode, full):
    seconds = float(os.environ.get("SECONDS", 600 if full else 4))   # of drain with and without, each
    backlog = 10_000
    places = [Place(cluster, mode, backlog + int(seconds * 3000), backlog) for _ in range(2)]
    with places[1].database.connect() as holder:
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT count(*) FROM salesforce._trigger_log")
        seen = []
        spent = 0
        while spent < 2 * seconds:
            for place in places:
                place.capture(len(seen))
            seen.append([place.drain()[1] for place in places])
            spent += sum(seen[-1])
    last = seen[-max(len(seen) // 10, 10):]
    without, held = (BATCH / statistics.median(pair[n] for pair in last) for n in (0, 1))
    dead = places[1].value("SELECT pg_relation_size('salesforce._trigger_log_idx_state_id') / 1048576.0")
    report.figure(f"{mode}, drain rate with a snapshot held since the start / without", held / without, at_least=0.9)
    report.note(f"{len(seen) * BATCH} changes each; the last tenth at {held:.0f} and {without:.0f} a second, at first"
                f" {BATCH / statistics.median(pair[1] for pair in seen[:10]):.0f}; index by state and id {dead:.0f} MiB")
    for place in places:
        place.remove()


def run(cluster, folder, report):
    full = os.environ.get("FULL") == "1"
    for mode in MODES:
        claim(cluster, report, mode, full)
    for mode in MODES:
        snapshot(cluster, report, mode, full)
