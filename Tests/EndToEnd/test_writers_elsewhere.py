"""Applications that reach a mapped table by a detour: from another database through postgres_fdw, whose sessions have nothing but
pg_catalog on their search path, and through PgBouncer, which hands each transaction to whichever session is free."""

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from harness.pooler import Pooler
from harness.relay import mapping
from harness.waiting import wait_until

ACCOUNT = mapping("Account", ["Name", "Phone", "ExternalId__c"], upsert_field="ExternalId__c")


@pytest.fixture
def far(cluster, database):
    """Another database of the cluster, where the mapped table is the foreign table `account`."""
    far = cluster.database(extension=False)
    near = conninfo_to_dict(database.url)
    far.execute("CREATE EXTENSION postgres_fdw")
    far.execute(f"CREATE SERVER near FOREIGN DATA WRAPPER postgres_fdw OPTIONS "
                f"(host '{near['host']}', port '{near['port']}', dbname '{near['dbname']}')")
    far.execute(f"CREATE USER MAPPING FOR CURRENT_USER SERVER near OPTIONS (user '{near['user']}', password_required 'false')")
    # Without id: a foreign table sends null for what is not given, and the id must come from the sequence there.
    far.execute("CREATE FOREIGN TABLE account (name varchar(255), phone varchar(40), externalid__c varchar(36)) "
                "SERVER near OPTIONS (schema_name 'salesforce', table_name 'account')")
    yield far
    far.drop()


@pytest.fixture
def pooler(tmp_path, database):
    pooler = Pooler(tmp_path, database).start()
    yield pooler
    pooler.program.forget()


@pytest.fixture(params=["c", "portable"])
def writable(request, connected, database):
    """A connection with an empty table Account, in each way of capture; the relay is not running yet."""
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    connected.stop()
    database.execute("CALL hc_capture_mode(%s, %s)", database.value("SELECT id FROM hc_connection"), request.param)
    return connected


def entries(database):
    return [(row["action"], row["name"]) for row in database.execute(
        """SELECT action, coalesce(("values"::hstore) -> 'name', (old::hstore) -> 'name') AS name FROM salesforce._trigger_log ORDER BY id""")]


def announced(database, write):
    """Whether `write` notifies a listener, after a quiet time."""
    database.execute("SELECT setval('public.hc_quiet_salesforce', 1)")
    with database.connect(autocommit=True) as listener:
        listener.execute('LISTEN "salesforce.hc_trigger_log"')
        write()
        return [notification.payload for notification in listener.notifies(timeout=10, stop_after=1)] == ["ping"]


def write_from_afar(far):
    far.execute("INSERT INTO account VALUES ('one', '1', 'x1'), ('two', '2', 'x2')")
    far.execute("UPDATE account SET phone = '11' WHERE name = 'one'")                 # as a whole there
    far.execute("UPDATE account SET name = 'second' WHERE name = 'two' AND random() >= 0")   # row by row, from here
    with far.connect() as connection:
        connection.execute("INSERT INTO account VALUES ('kept', NULL, 'x3')")
        with connection.transaction(force_rollback=True):
            connection.execute("INSERT INTO account VALUES ('never', NULL, 'x4')")
        with connection.cursor().copy("COPY account FROM STDIN") as copy:
            copy.write_row(("copied", "4", "x5"))
    far.execute("INSERT INTO account VALUES ('gone', NULL, 'x6')")
    far.execute("DELETE FROM account WHERE name = 'gone'")


def write_through(pooler):
    """Two clients share the server's sessions; one says for a transaction that it is no user, which the other must not notice."""
    with psycopg.connect(pooler.url, prepare_threshold=None) as ours, psycopg.connect(pooler.url, prepare_threshold=None) as theirs:
        ours.execute("SET LOCAL xmlbinary = hex")
        ours.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES ('not a user', 'y0')")
        ours.commit()
        theirs.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES ('pooled', 'y1')")
        theirs.commit()
        theirs.execute("SELECT 1")
        ours.execute("UPDATE salesforce.account SET phone = '5' WHERE name = 'pooled'")
        ours.commit()
        theirs.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES ('rolled back', 'y2')")
        theirs.rollback()


def test_changes_by_a_detour_are_captured_announced_and_sent(writable, database, far, pooler, org):
    assert announced(database, lambda: write_from_afar(far))
    assert announced(database, lambda: write_through(pooler))
    assert entries(database) == [
        ("INSERT", "one"), ("INSERT", "two"), ("UPDATE", "one"), ("UPDATE", "second"), ("INSERT", "kept"), ("INSERT", "copied"),
        ("INSERT", "gone"), ("DELETE", "gone"), ("INSERT", "pooled"), ("UPDATE", "pooled")]
    writable.start()
    wait_until(lambda: not database.value("SELECT count(*) FROM salesforce._trigger_log WHERE state IN ('NEW', 'PENDING')")
               and database.value("SELECT bool_and(_hc_lastop = 'SYNCED') FROM salesforce.account"), 30, "all rows to be synced")
    sent = {record["ExternalId__c"]: (record["Name"], record["Phone"]) for record in org.records("Account", "ExternalId__c LIKE 'x%' OR ExternalId__c LIKE 'y%'")
            if not record["IsDeleted"]}
    assert sent == {"x1": ("one", "11"), "x2": ("second", "2"), "x3": ("kept", None), "x5": ("copied", "4"), "y1": ("pooled", "5")}
