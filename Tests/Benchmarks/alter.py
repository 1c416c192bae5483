"""How long a writer waits while a mapping is changed: single-row UPDATEs of other rows go on, each timed, while a column is added, and
while a column gets another type (filled, indexed, swapped). Beside them the longest wait of the same writers with nothing going on.

FULL=1: a table of 1,000,000 rows; otherwise 20,000.
"""

import json
import os
import threading
import time

FIELDS = 8


def description(amount="double"):
    fields = [{"name": "Id", "type": "id", "length": 18}, {"name": "SystemModstamp", "type": "datetime"}, {"name": "Amount__c", "type": amount, "length": 40}]
    fields += [{"name": f"Text{n}__c", "type": "string", "length": 255, "createable": True, "updateable": True} for n in range(FIELDS + 1)]
    return json.dumps({"name": "Account", "queryable": True, "fields": fields})


def config(texts):
    return json.dumps({"access": "read_write", "indexes": {"Amount__c": {"unique": False}},
                       "fields": {"Amount__c": {}, **{f"Text{n}__c": {} for n in range(texts)}}})


class Writers:
    """Clients that update one row after the other and remember the longest time that one took, in milliseconds."""

    def __init__(self, database, rows, clients=2):
        self.longest = 0.0
        self.count = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(database, rows, n)) for n in range(clients)]

    def _run(self, database, rows, number):
        with database.connect(autocommit=True) as connection:
            id = number
            while not self._stop.is_set():
                id = (id * 7919 + 13) % rows + 1
                start = time.perf_counter()
                connection.execute("UPDATE salesforce.account SET text0__c = %s WHERE id = %s", [str(start), id])
                self.longest = max(self.longest, (time.perf_counter() - start) * 1000)
                self.count += 1
                time.sleep(0.001)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        time.sleep(0.3)
        return self

    def __exit__(self, *_):
        time.sleep(0.3)
        self._stop.set()
        for thread in self._threads:
            thread.join()


def run(cluster, folder, report):
    rows = 1_000_000 if os.environ.get("FULL") == "1" else 20_000
    database = cluster.database()
    connection = database.value("SELECT hc_connection_create('salesforce')")
    mapping = database.value("SELECT hc_mapping_create(%s, 'Account', %s, %s)", connection, config(FIELDS), description())
    database.execute("SET xmlbinary = hex")
    database.execute(f"INSERT INTO salesforce.account (sfid, amount__c, text0__c, text1__c, text2__c) "
                     f"SELECT 'x' || g, g / 4.0, 'some text ' || g, md5(g::text), md5(g::text) FROM generate_series(1, {rows}) g")
    database.execute("RESET xmlbinary")
    database.execute("VACUUM ANALYZE salesforce.account")

    def change(config, description):
        """Alters and runs what is left; returns the seconds that took."""
        start = time.perf_counter()
        database.execute("SELECT * FROM hc_mapping_alter(%s, %s, %s)", mapping, config, description)
        while pending := database.execute("SELECT statement FROM hc_mapping_pending(%s)", mapping):
            for step in pending:
                database.execute(step["statement"])
        return time.perf_counter() - start

    with Writers(database, rows) as quiet:
        time.sleep(2)
    report.note(f"{rows} rows; longest of {quiet.count} updates with nothing going on: {quiet.longest:.0f} ms")
    with Writers(database, rows) as writers:
        seconds = change(config(FIELDS + 1), description())
    report.figure(f"add a column ({seconds:.1f} s, {writers.count} updates meanwhile): longest update", writers.longest, 1000, " ms")
    with Writers(database, rows) as writers:
        seconds = change(config(FIELDS + 1), description("string"))
    report.figure(f"another type for an indexed column ({seconds:.1f} s, {writers.count} updates meanwhile): longest update", writers.longest, 1000, " ms")
    kind = database.value("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'salesforce.account'::regclass AND attname = 'amount__c'")
    assert kind == "character varying(40)", kind
    database.drop()
