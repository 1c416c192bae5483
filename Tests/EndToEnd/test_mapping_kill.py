"""A change of a mapping that is cut off at any step is completed by the same calls, while the application goes on writing."""

import json
import threading
import time

import psycopg
import pytest

from harness.waiting import wait_until

ROWS = 2000


def describe(amount):
    return json.dumps({"name": "Account", "queryable": True, "fields": [
        {"name": "Id", "type": "id", "length": 18}, {"name": "SystemModstamp", "type": "datetime"},
        {"name": "Name", "type": "string", "length": 80, "createable": True, "updateable": True},
        {"name": "Amount__c", **amount, "createable": True, "updateable": True},
        {"name": "Phone", "type": "phone", "length": 40, "createable": True, "updateable": True}]})


NUMBER, TEXT = {"type": "double"}, {"type": "string", "length": 60}
CONFIG = json.dumps({"access": "read_write", "fields": {"Name": {}, "Amount__c": {}}, "indexes": {"Amount__c": {}}})
MORE = json.dumps({"access": "read_write", "fields": {"Name": {}, "Amount__c": {}, "Phone": {}}, "indexes": {"Amount__c": {}}})


class Application:
    """Writes one row after the other, each change in a transaction of its own, until it is stopped."""

    def __init__(self, database):
        self.written = {}
        self.error = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(database,))

    def _run(self, database):
        try:
            with database.connect(autocommit=True) as connection:
                while not self._stop.is_set():
                    id = len(self.written) % 50 + 1
                    value = len(self.written) + 10_000
                    connection.execute("UPDATE salesforce.account SET amount__c = %s WHERE id = %s", [str(value), id], prepare=False)
                    self.written[value] = id
                    time.sleep(0.005)
        except psycopg.Error as error:
            self.error = error

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


class Statement:
    """One statement on a connection of its own, that can be killed."""

    def __init__(self, database, text, *parameters):
        self.connection = database.connect(autocommit=True)
        self.pid = self.connection.info.backend_pid
        self.error = None
        self._thread = threading.Thread(target=self._run, args=(text, parameters))
        self._thread.start()

    def _run(self, text, parameters):
        try:
            self.connection.execute(text, parameters or None)
        except psycopg.Error as error:
            self.error = error

    def waits_for_a_lock(self, database):
        return database.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'", self.pid)

    def kill(self, database):
        database.execute("SELECT pg_terminate_backend(%s)", self.pid)
        self._thread.join(30)
        assert not self._thread.is_alive() and self.error is not None, "it ended before it was killed"
        self.connection.close()


@pytest.fixture
def mapped(database):
    connection = database.value("SELECT hc_connection_create('salesforce')")
    mapping = database.value("SELECT hc_mapping_create(%s, 'Account', %s, %s)", connection, CONFIG, describe(NUMBER))
    database.execute(f"SET xmlbinary = hex; INSERT INTO salesforce.account (name, amount__c) SELECT 'n' || g, g FROM generate_series(1, {ROWS}) g; RESET xmlbinary")
    return mapping


def pending(database, mapping):
    return [row["statement"] for row in database.execute("SELECT statement FROM hc_mapping_pending(%s)", mapping)]


def test_a_change_that_is_killed_at_each_step_is_completed_and_loses_no_write(database, mapped):
    alter = "SELECT * FROM hc_mapping_alter(%s, %s, %s)"
    columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'salesforce.account'::regclass AND attname IN ('phone', '_hc_new_amount__c') AND NOT attisdropped"
    with Application(database) as application:
        wait_until(lambda: len(application.written) > 5, 20, "the application to write")
        with database.connect() as reader:   # a lock that is long held: the change waits for it again and again
            reader.execute("SELECT FROM salesforce.account LIMIT 1")
            killed = Statement(database, alter, mapped, MORE, describe(TEXT))
            wait_until(lambda: killed.waits_for_a_lock(database), 20, "the change to wait for its lock")
            killed.kill(database)
        assert database.value(columns) == 0 and not pending(database, mapped)
        database.execute(alter, mapped, MORE, describe(TEXT))
        assert database.value(columns) == 2

        fill = "CALL hc_column_fill('salesforce', 'account', 'amount__c', 5)"
        killed = Statement(database, fill)
        wait_until(lambda: database.value("SELECT coalesce(last_id, 0) FROM hc_column_change") > 200, 30, "the fill to be under way")
        killed.kill(database)
        reached = database.one("SELECT step, last_id, rows FROM hc_column_change")
        assert reached["step"] == "fill" and reached["last_id"] < ROWS
        database.execute(fill.replace(", 5)", ")"))
        done = database.one("SELECT step, rows FROM hc_column_change")
        assert done["step"] == "swap" and done["rows"] <= ROWS, "rows that were filled are not filled again"

        with database.connect() as reader:   # a build waits for every snapshot that is older
            reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            reader.execute("SELECT FROM salesforce.account LIMIT 1")
            killed = Statement(database, next(s for s in pending(database, mapped) if "CREATE INDEX" in s))
            wait_until(lambda: killed.waits_for_a_lock(database), 20, "the build to wait")
            killed.kill(database)
        broken = "SELECT count(*) FROM pg_index WHERE indrelid = 'salesforce.account'::regclass AND NOT indisvalid"
        assert database.value(broken) == 1
        assert [s.split()[0] for s in pending(database, mapped)] == ["DROP", "CREATE", "SELECT"]
        for statement in pending(database, mapped)[:2]:
            database.execute(statement)
        assert database.value(broken) == 0

        with database.connect() as reader:
            reader.execute("SELECT FROM salesforce.account LIMIT 1")
            killed = Statement(database, pending(database, mapped)[0])
            wait_until(lambda: killed.waits_for_a_lock(database), 20, "the swap to wait for its lock")
            before = len(application.written)
            wait_until(lambda: len(application.written) > before + 5, 30, "the application to go on between the swap's attempts")
            killed.kill(database)
        assert database.value("SELECT pg_typeof(amount__c)::text FROM salesforce.account LIMIT 1") == "double precision"
        for statement in pending(database, mapped):
            database.execute(statement)
        before = len(application.written)
        wait_until(lambda: len(application.written) > before + 5, 20, "the application to write the new type")
    assert application.error is None
    assert not pending(database, mapped)

    # Every write is in the row, and in the log once, in order; nothing else is.
    assert database.value("SELECT pg_typeof(amount__c)::text FROM salesforce.account LIMIT 1") == "character varying"
    last = {id: str(value) for value, id in application.written.items()}
    rows = {row["id"]: row["amount__c"] for row in database.execute("SELECT id, amount__c FROM salesforce.account")}
    assert len(rows) == ROWS and all(rows[id] == last.get(id, str(id)) for id in rows)
    log = database.execute("SELECT record_id, \"values\" FROM salesforce._trigger_log ORDER BY id")
    assert [(row["record_id"], row["values"]) for row in log] == [(id, f'"amount__c"=>"{value}"') for value, id in application.written.items()]
    assert {row["_hc_lastop"] for row in database.execute("SELECT DISTINCT _hc_lastop FROM salesforce.account WHERE id > 50")} == {"SYNCED"}
