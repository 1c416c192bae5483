"""Copies of a whole server: clones, standbys, backups, what pg_upgrade makes. The same system identifier, oid and name are in all
of them but the last; address and fence tell them apart."""

import subprocess

import pytest

from harness import ROOT
from harness.cluster import Cluster, Database
from harness.copies import Folder, base_backup, bin_folder, tool
from harness.served import count, expect_refusal, relay_at, wait_until_sent, write
from harness.waiting import wait_until


@pytest.fixture
def cluster(tmp_path_factory):
    """A server for each test, because it is stopped and replaced."""
    subprocess.run(["make", "--silent", "install"], cwd=ROOT, check=True)
    server = Cluster(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.remove()


@pytest.fixture
def database(cluster):
    database = cluster.database()
    yield database
    database.disconnect()


def both(first, second, name):
    """One connection string for two servers; libpq takes the one that accepts writes."""
    hosts = ",".join(str((server.folder / "socket").resolve()) for server in (first, second))
    return f"host={hosts} port={first.port} user=postgres dbname={name} target_session_attrs=read-write"


def test_a_clone_stops_and_a_promoted_standby_goes_on(served, cluster, org, tmp_path):
    database = served.database
    write(database, "waits")
    with Folder() as clone_folder, Folder() as standby_folder:
        # Beside the original, in the same state, with the same fence: its address is all that tells.
        clone = base_backup(cluster, clone_folder).start()
        beside = relay_at(tmp_path, clone, database.name, org, "clone")
        expect_refusal(beside, "a copy of its files, a fork or a snapshot", tells_itself=False)
        beside.database.disconnect()
        clone.remove()

        standby = base_backup(cluster, standby_folder, "--write-recovery-conf").start()
        relay = relay_at(tmp_path, cluster, database.name, org, "both", DATABASE_URL=both(cluster, standby, database.name)).start()
        wait_until_sent(database, "waits")   # it leads where it always did, and learns the second address
        there = Database(standby, database.name)
        marker = database.value("SELECT pg_current_wal_lsn()")
        wait_until(lambda: there.value("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", marker), 20, "the standby to follow")
        epoch = database.value("SELECT epoch FROM hc_connection")
        database.disconnect()
        cluster.stop("immediate")
        there.execute("SELECT pg_promote()")
        write(there, "after")
        wait_until_sent(there, "after")
        assert there.value("SELECT epoch FROM hc_connection") > epoch and "WRONG DATABASE" not in relay.output
        assert "from timeline 1 to 2" in there.value("SELECT message FROM hc_event WHERE event_type = 'identity' AND level = 'info' ORDER BY id DESC LIMIT 1")
        assert relay.stop() == 0 and count(org, "waits") == count(org, "after") == 1
        there.disconnect()
        standby.remove()


def test_an_old_backup_in_the_place_of_the_original_stops(served, cluster, org, tmp_path):
    database = served.database
    write(database, "once")
    with Folder() as folder:
        base_backup(cluster, folder)
        served.start()
        wait_until_sent(database, "once")   # and the fence has advanced
        served.stop()
        database.disconnect()
        cluster.stop()
        place = (cluster.folder / "data").resolve()
        subprocess.run(["rm", "-rf", place], check=True)
        subprocess.run(["cp", "-a", folder / "data", place], check=True)
    cluster.start()
    assert database.value("SELECT count(*) FROM salesforce._trigger_log WHERE state = 'NEW'") == 1   # Salesforce has it already
    served.program.log.unlink()
    expect_refusal(served, "does not have the fence that this relay left in it", tells_itself=False)
    # A relay elsewhere has no fence to compare, and says so.
    stranger = relay_at(tmp_path, cluster, database.name, org, "stranger", HC_STATE_DIRECTORY="/dev/null")
    assert "no fence is kept (HC_STATE_DIRECTORY)" in stranger.command("doctor").stdout

    served.succeed("connection", "rebind", "salesforce", "--ignore-unsent")
    org.forget_calls()
    served.start()
    write(database, "later")
    wait_until_sent(database, "later")
    assert served.stop() == 0 and len(org.writes()) == 1 and count(org, "once") == 1
    stranger.start()
    wait_until(lambda: 'event="FENCE NOT KEPT"' in stranger.output, 20, "the stranger to lead")
    assert stranger.stop() == 0


def test_pg_upgrade_asks_once(served, cluster, org, tmp_path):
    database = served.database
    write(database, "waits")
    database.disconnect()
    cluster.stop()
    with Folder() as folder:
        tool("initdb", "--pgdata", folder / "data", "--username", "postgres", "--auth", "trust", "--encoding", "UTF8",
             "--locale", "C.UTF-8", "--no-sync")
        tool("pg_upgrade", "--old-datadir", (cluster.folder / "data").resolve(), "--new-datadir", folder / "data", "--username", "postgres",
             "--old-bindir", bin_folder(), "--socketdir", folder, "--link", folder=folder)
        upgraded = Cluster(folder).start()
        relay = relay_at(tmp_path, upgraded, database.name, org, "upgraded")
        expect_refusal(relay, "this is another server (system identifier")
        relay.succeed("connection", "rebind")
        for epoch in (2, 3):   # the second start asks nothing
            relay.start()
            wait_until(lambda: relay.database.value("SELECT epoch FROM hc_connection") == epoch, 20, "the relay to lead")
            wait_until_sent(relay.database, "waits")
            relay.stop()
        assert relay.output.count('event="WRONG DATABASE"') == 1 and count(org, "waits") == 1
        relay.database.disconnect()
        upgraded.remove()
