"""Notifications while many change many rows: none while the relay is busy, else at most one per interval."""

import threading
import time

import pytest

WRITERS = 4
CHANGES = 100_000
ROUNDS = 5
ROWS_OF_A_TRANSACTION = 50
INTERVAL = 10   # seconds, the default
DESCRIPTION = """{"name":"Account","queryable":true,"fields":[{"name":"Id","type":"id","length":18},{"name":"SystemModstamp","type":"datetime"},
                  {"name":"Name","type":"string","length":80,"createable":true,"updateable":true}]}"""


class Listener:
    """Counts what one LISTENer receives."""

    def __init__(self, session):
        self.session = session
        self.received = []
        session.add_notify_handler(self.received.append)
        session.execute('LISTEN "salesforce.hc_trigger_log"')

    def count(self):
        """How many came since it was asked last."""
        self.session.execute("SELECT")   # the server delivers them before it answers
        came = [(notify.channel, notify.payload) for notify in self.received]
        self.received.clear()
        assert set(came) <= {("salesforce.hc_trigger_log", "ping")}
        return len(came)


def write(database, rows):
    """`rows` inserts in transactions of fifty, by four writers at once."""
    def work():
        with database.connect(autocommit=True) as session:
            for _ in range(rows // WRITERS // ROWS_OF_A_TRANSACTION):
                session.execute("INSERT INTO salesforce.account (name) SELECT 'n' FROM generate_series(1, %s)", [ROWS_OF_A_TRANSACTION])

    writers = [threading.Thread(target=work) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()


def let_interval_pass(database):
    database.execute("SELECT setval('public.hc_quiet_salesforce', greatest((SELECT last_value FROM public.hc_quiet_salesforce) - %s, 1),"
                     " (SELECT is_called FROM public.hc_quiet_salesforce))", INTERVAL * 1000 + 1)


@pytest.mark.parametrize("mode", ["c", "portable"])
def test_100_000_changes(database, mode):
    connection = database.value("SELECT hc_connection_create('salesforce')")
    database.execute("SELECT hc_mapping_create(%s, 'Account', '{\"access\":\"read_write\",\"fields\":{\"Name\":{}}}', %s)", connection, DESCRIPTION)
    database.execute("CALL hc_capture_mode(%s, %s)", connection, mode)
    with database.connect(autocommit=True) as session:
        listener = Listener(session)
        database.execute("SELECT hc_busy(%s, true)", connection)
        for _ in range(ROUNDS - 2):
            let_interval_pass(database)
            write(database, CHANGES // ROUNDS)
            assert listener.count() == 0
        database.execute("SELECT hc_busy(%s, false)", connection)
        for _ in range(2):
            let_interval_pass(database)
            began = time.monotonic()
            write(database, CHANGES // ROUNDS)
            # On a slow machine a round lasts longer than the interval itself.
            assert 1 <= listener.count() <= 1 + (time.monotonic() - began) // INTERVAL
    assert database.value("SELECT count(*) FROM salesforce._trigger_log WHERE state = 'NEW'") == CHANGES
