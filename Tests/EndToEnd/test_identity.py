"""A database that is a copy, or an older state of itself, is served by no relay until a person says that it shall be."""

import psycopg

from harness.copies import Folder, restore, tool
from harness.served import count, expect_refusal, relay_at, wait_until_sent, write
from harness.waiting import wait_until


def test_a_full_restore_elsewhere_stops_and_goes_on_when_it_is_bound(served, cluster, org, tmp_path):
    database = served.database
    write(database, "claimed")
    database.execute("""SELECT hc_claim(id, epoch) FROM hc_connection; SELECT hc_busy(id, true) FROM hc_connection""")
    write(database, "waits")
    with Folder() as folder:
        tool("pg_dump", "--dbname", database.url, "--format", "custom", "--file", folder / "dump")
        restore(cluster, "restored", folder / "dump")
    copy = relay_at(tmp_path, cluster, "restored", org, "copy")
    there = "SELECT (SELECT count(*) FROM salesforce._trigger_log), (SELECT count(*) FROM salesforce.account), (SELECT count(*) FROM hc_fence)"
    assert copy.database.one(there) == database.one(there)
    expect_refusal(copy, "another database of the same server")

    # The original goes on; the copy is bound as well. What it had claimed is in doubt there: the original sent it meanwhile.
    served.start()
    wait_until_sent(database, "waits")
    served.stop()
    assert "1 changes" not in served.succeed("connection", "rebind", DATABASE_URL=copy.database.url)
    assert copy.database.one("SELECT state, state_detail, low_water FROM hc_connection") == {"state": "IDLE", "state_detail": None, "low_water": 0}
    assert copy.database.value("SELECT state FROM hc_batch WHERE state <> 'DONE'") == "REPEAT"   # by external id: may run twice
    assert copy.database.value("SELECT is_called FROM hc_quiet_salesforce")
    copy.start()
    wait_until_sent(copy.database, "waits")
    wait_until_sent(copy.database, "claimed")
    assert copy.stop() == 0 and count(org, "claimed") == count(org, "waits") == 1
    copy.database.drop()


def test_a_data_only_restore(served, cluster, org, tmp_path):
    database = served.database
    facts = "SELECT (SELECT count(*) FROM salesforce._trigger_log) AS log, (SELECT count(*) FROM salesforce.account) AS rows"
    with Folder() as folder:
        tool("pg_dump", "--dbname", database.url, "--format", "custom", "--file", folder / "dump")
        # Rows that are restored by a user, as PostgreSQL sees it, are captured as changes of that user.
        restore(cluster, "captured", folder / "dump", "--schema-only")
        restore(cluster, "captured", folder / "dump", "--data-only")
        restore(cluster, "quiet", folder / "dump", "--schema-only")
        restore(cluster, "quiet", folder / "dump", "--data-only", PGOPTIONS="-c xmlbinary=hex")
    captured, quiet = (relay_at(tmp_path, cluster, name, org, name) for name in ("captured", "quiet"))
    assert quiet.database.one(facts) == database.one(facts)
    assert captured.database.one(facts)["rows"] == database.one(facts)["rows"] == captured.database.value("SELECT count(*) FROM salesforce._trigger_log WHERE state = 'NEW'")
    expect_refusal(captured, "another database of the same server")
    assert "ignored" in captured.succeed("connection", "rebind", "salesforce", "--ignore-unsent")
    captured.start()
    wait_until(lambda: captured.database.value("SELECT count(*) FROM salesforce._trigger_log") == 0, 20, "the restored rows to be put away")
    write(captured.database, "afterwards")
    wait_until_sent(captured.database, "afterwards")
    captured.stop()
    assert len(org.writes()) == 1 and count(org, "sent") == 1
    captured.database.drop()
    quiet.database.drop()


def test_a_dump_of_the_schema_alone(served, cluster, org, tmp_path):
    database = served.database
    write(database, "waits")
    with Folder() as folder:
        tool("pg_dump", "--dbname", database.url, "--format", "custom", "--schema", "salesforce", "--file", folder / "dump")
        elsewhere = cluster.database()
        elsewhere.execute("SELECT hc_guard_create()")   # public.get_xmlbinary(), which the triggers call
        restore(cluster, elsewhere.name, folder / "dump")
        # Tables, log and capture are there; the connection is not, so nothing serves them.
        write(elsewhere, "elsewhere")
        assert elsewhere.value("SELECT count(*) FROM salesforce._trigger_log WHERE state = 'NEW'") == 2
        assert elsewhere.value("SELECT count(*) FROM hc_connection") == 0
        elsewhere.drop()
        database.execute("DROP SCHEMA salesforce CASCADE")
        restore(cluster, database.name, folder / "dump")
    served.program.log.unlink()
    expect_refusal(served, "was made anew: the schema was restored")
    served.succeed("connection", "rebind")
    served.start()
    wait_until_sent(database, "waits")


def test_a_template_copy_stops_and_the_original_does_not(served, cluster, org, tmp_path):
    database = served.database
    write(database, "waits")
    database.disconnect()
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE template_copy TEMPLATE {database.name}")
    copy = relay_at(tmp_path, cluster, "template_copy", org, "copy")
    expect_refusal(copy, "another database of the same server")
    served.start()
    wait_until_sent(database, "waits")
    copy.database.drop()
