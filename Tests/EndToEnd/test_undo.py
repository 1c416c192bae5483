"""hc-relay undo takes back what captured changes did, here and in Salesforce."""

import json
import os
import re
import subprocess

from harness import programs
from harness.process import tail
from harness.relay import mapping
from harness.waiting import wait_until
from test_manual import blocks

ACCOUNT = mapping("Account", ["Name", "ExternalId__c", "Phone", "AnnualRevenue"], upsert_field="ExternalId__c")


def settled(database):
    wait_until(lambda: database.value("SELECT count(*) = 0 FROM salesforce._trigger_log") and database.value(
        "SELECT count(*) = 0 FROM salesforce.account WHERE _hc_lastop <> 'SYNCED'"), 30, "everything to be sent and read back")


def write(relay, database, statement, *parameters):
    rows = database.execute(statement, *parameters)
    relay.wake()
    settled(database)
    return rows


def undo(relay, *arguments):
    return json.loads(relay.succeed("undo", *arguments, "--output", "json"))


def start(connected, database):
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    rows = write(connected, database, "INSERT INTO salesforce.account (name, externalid__c, phone) VALUES ('one', 'u1', '1'), ('two', 'u2', '2') RETURNING id")
    return [row["id"] for row in rows]


def test_an_update_by_batch(connected, database, org):
    one, two = start(connected, database)
    write(connected, database, "UPDATE salesforce.account SET phone = '9', name = 'changed' WHERE id IN (%s, %s)", one, two)
    batch = database.value("SELECT max(batch) FROM hc_batch_entry WHERE action = 'UPDATE'")
    database.execute("UPDATE salesforce.account SET name = 'mine' WHERE id = %s", two)
    connected.wake()
    settled(database)
    preview = undo(connected, "--batch", batch)
    assert {(change["record_id"], change["effect"]) for change in preview} == {(one, "update"), (two, "conflict")}
    assert "nothing is changed yet" in connected.succeed("undo", "--batch", batch)
    refused = connected.command("undo", "--batch", batch, "--yes")
    assert refused.returncode == 1 and "1 of 2 changes cannot be" in refused.stderr and "changed since: name" in refused.stdout
    assert database.row("account", one)["phone"] == "9" and database.value("SELECT count(*) FROM salesforce._trigger_log") == 0
    done = connected.succeed("undo", "--batch", batch, "--yes", "--skip-conflicts")
    assert "2 changes are undone" in done
    connected.wake()
    settled(database)
    records = {record["ExternalId__c"]: record for record in org.records("Account", "ExternalId__c LIKE 'u_'")}
    assert (records["u1"]["Name"], records["u1"]["Phone"]) == ("one", "1")
    assert (records["u2"]["Name"], records["u2"]["Phone"]) == ("mine", "2")


def test_a_delete_by_record_undeletes_the_same_record(connected, database, org):
    one, two = start(connected, database)
    before = database.row("account", one)
    write(connected, database, "DELETE FROM salesforce.account WHERE id = %s", one)
    assert org.record("Account", before["sfid"])["IsDeleted"]
    connected.poll_now("Account")
    assert [(change["action"], change["effect"]) for change in undo(connected, "--sfid", before["sfid"])] == [("DELETE", "undelete"), ("INSERT", "delete")]
    (change,) = undo(connected, "--table", "account", "--record", one, "--since", database.value(
        "SELECT created_at::text FROM salesforce._trigger_log_archive WHERE action = 'DELETE'"), "--yes")
    connected.wake()
    wait_until(lambda: database.row("account", one) and database.row("account", one)["_hc_lastop"] == "SYNCED", 30, "the row to be SYNCED")
    record = org.record("Account", before["sfid"])
    assert not record["IsDeleted"] and record["Name"] == "one"
    assert [call["operation"] for call in org.calls(operation="undelete")] == ["undelete"]
    after = database.row("account", one)
    assert {name: after[name] for name in ("id", "sfid", "name", "phone", "externalid__c")} == {name: before[name] for name in ("id", "sfid", "name", "phone", "externalid__c")}
    # A poll that asks for deletions once more does not take the row away.
    database.execute("UPDATE hc_mapping SET deleted_at = NULL, deleted_cursor = deleted_cursor - interval '5 minutes'")
    connected.poll_now("Account")
    assert database.row("account", one)["sfid"] == before["sfid"]
    assert len([r for r in org.records("Account", "ExternalId__c = 'u1'") if not r["IsDeleted"]]) == 1


def test_all_since_a_time(connected, database, org):
    one, two = start(connected, database)
    since = database.value("SELECT clock_timestamp()::text")
    (three,) = [row["id"] for row in write(connected, database, "INSERT INTO salesforce.account (name, externalid__c) VALUES ('three', 'u3') RETURNING id")]
    write(connected, database, "UPDATE salesforce.account SET name = 'b' WHERE id IN (%s, %s)", one, three)
    write(connected, database, "UPDATE salesforce.account SET name = 'c' WHERE id = %s", one)
    write(connected, database, "DELETE FROM salesforce.account WHERE id = %s", two)
    changes = undo(connected, "--since", since, "--yes")
    assert [change["effect"] for change in changes] == ["undelete", "update", "update", "update", "delete"]
    assert sorted(change["record_id"] for change in changes) == [one, one, two, three, three]
    connected.wake()
    settled(database)
    there = {record["ExternalId__c"]: record["Name"] for record in org.records("Account", "ExternalId__c LIKE 'u_'") if not record["IsDeleted"]}
    assert there == {"u1": "one", "u2": "two"}
    assert {row["externalid__c"]: row["name"] for row in database.execute("SELECT * FROM salesforce.account WHERE externalid__c LIKE 'u_'")} == there
    again = connected.command("undo", "--since", since, "--yes")
    assert again.returncode == 1 and "there is no change to undo" in again.stderr


def test_a_record_that_is_not_in_the_recycle_bin_any_more(connected, database, org):
    one, _ = start(connected, database)
    sfid = database.row("account", one)["sfid"]
    write(connected, database, "DELETE FROM salesforce.account WHERE id = %s", one)
    org.control("POST", "recycle-bin/purge", {})
    since = database.value("SELECT created_at::text FROM salesforce._trigger_log_archive WHERE action = 'DELETE'")
    undo(connected, "--since", since, "--yes")
    connected.wake()
    wait_until(lambda: database.value("SELECT count(*) = 1 FROM salesforce._trigger_log WHERE state = 'FAILED'"), 20, "the refusal")
    assert "UNDELETE_FAILED" in database.value("SELECT sf_message FROM salesforce._trigger_log")
    assert database.row("account", one)["_hc_lastop"] == "FAILED" and database.row("account", one)["sfid"] == sfid


def test_what_is_said_of_a_wrong_call(connected):
    for arguments, why in (([], "say what to undo"), (["--record", 1], "--record needs --table"), (["--batch", 77], "batch 77 is not known"),
                           (["--since", "yesterday evening"], "yesterday evening")):
        done = connected.command("undo", *arguments)
        assert done.returncode != 0 and why in done.stderr


def test_the_manual(connected, database, org):
    one, _ = start(connected, database)
    write(connected, database, "UPDATE salesforce.account SET phone = '9' WHERE id = %s", one)
    batch = database.value("SELECT max(batch) FROM hc_batch_entry WHERE action = 'UPDATE'")
    (text,) = blocks("Undoing changes", "sh")
    for pattern, value in ((r"--record 1\b", f"--record {one}"), (r"001xx000003DGb2AAG", database.row("account", one)["sfid"]),
                           (r"2026-05-01 10:00\+02", database.value("SELECT (now() - interval '1 hour')::text")), (r"--batch 17\b", f"--batch {batch}")):
        text, count = re.subn(pattern, value, text)
        assert count == 1, pattern
    done = subprocess.run(["sh", "-eu", "-c", text], env={**os.environ, **connected.environment, "PATH": f"{programs()}:{os.environ['PATH']}"},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, tail(done.stdout + done.stderr)
    assert done.stdout.count("nothing is changed yet") == 3 and "1 changes are undone" in done.stdout
    connected.wake()
    settled(database)
    assert org.record("Account", database.row("account", one)["sfid"])["Phone"] == "1"
