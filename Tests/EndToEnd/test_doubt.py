"""What is in doubt is shown with its age and what comes next; what is parked, with its candidates, and decided by one command."""

import json
import os
import subprocess

from harness import programs
from harness.process import tail
from harness.relay import mapping
from harness.waiting import wait_until
from test_manual import blocks

WITHOUT = mapping("Account", ["Name", "Phone"])


def doubts(relay):
    return json.loads(relay.succeed("doubt", "list", "--output", "json"))


def park(connected, database, org, *names):
    """Rows whose create was done and not answered, and whose records somebody has changed since; returns their entries by name."""
    connected.import_mapping(WITHOUT)
    connected.start_and_load()
    org.fault(api="soap", operation="create", action="drop_after_commit", times=1)
    with database.connect() as transaction:
        for name in names:
            transaction.execute("INSERT INTO salesforce.account (name) VALUES (%s)", (name,))
    wait_until(lambda: database.value("SELECT count(*) FROM hc_batch WHERE state = 'DOUBT'") == 1, 20, "the batch to be in doubt")
    shown = doubts(connected)
    assert [(doubt["state"], doubt["sent"]["Name"]) for doubt in shown] == [("DOUBT", name) for name in names]
    assert all("is looked for" in doubt["next"] and doubt["candidates"] == [] for doubt in shown)
    early = connected.command("doubt", "decide", shown[0]["batch"], shown[0]["log_id"], "send")
    assert early.returncode == 1 and "needs no decision yet" in early.stderr
    for record in org.records("Account"):
        if record["Name"] in names:
            org.update("Account", record["Id"], Name=record["Name"] + " changed")
    org.advance_clock(minutes=10)
    connected.advance_clock("10 minutes")
    wait_until(lambda: database.value("SELECT count(*) FROM hc_batch WHERE state = 'PARKED'") == 1, 20, "the batch to be parked")
    return {doubt["sent"]["Name"]: doubt for doubt in doubts(connected)}


def test_the_three_decisions(connected, database, org):
    parked = park(connected, database, org, "a", "b", "c")
    made = {record["Name"][0]: record["Id"] for record in org.records("Account") if record["Name"].endswith(" changed")}
    assert {name: doubt["state"] for name, doubt in parked.items()} == {"a": "PARKED", "b": "PARKED", "c": "PARKED"}
    for doubt in parked.values():
        assert {candidate["Id"]: candidate["Name"] for candidate in doubt["candidates"]} == {made[name]: name + " changed" for name in "abc"}
        assert doubt["age"] >= "00:10:00" and doubt["next"] == "waits for your decision" and doubt["record_id"]
    table = connected.succeed("doubt", "list")
    assert table.count("waits for your decision") == 3 and table.count(made["a"]) == 3
    batch = parked["a"]["batch"]
    wrong = connected.command("doubt", "decide", batch, parked["a"]["log_id"], "perhaps")
    assert wrong.returncode == 1 and "neither send, nor drop, nor the Id" in wrong.stderr
    assert connected.command("doubt", "decide", batch, 4711, "send").returncode == 1
    connected.succeed("doubt", "decide", batch, parked["a"]["log_id"], made["a"])
    connected.succeed("doubt", "decide", batch, parked["b"]["log_id"], "send")
    assert [doubt["sent"]["Name"] for doubt in doubts(connected)] == ["c"]
    connected.succeed("doubt", "decide", batch, parked["c"]["log_id"], "drop")
    assert doubts(connected) == []
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce.account WHERE sfid = %s AND _hc_lastop = 'SYNCED'", made["a"]) == 1, 20, "a to be linked")
    wait_until(lambda: len([r for r in org.records("Account") if r["Name"] == "b"]) == 1, 20, "b to be sent again")
    row = wait_until(lambda: database.execute("SELECT * FROM salesforce.account WHERE name = 'c' AND _hc_lastop = 'FAILED'"), 20, "c to be given up")[0]
    assert row["sfid"] is None and "DROPPED" in row["_hc_err"]


def test_the_manual(connected, database, org):
    (parked,) = park(connected, database, org, "a").values()
    (text,) = blocks("When an answer is lost", "sh")
    assert text.count("17 1001 001xx000003DGb2AAG") == 1
    text = text.replace("17 1001 001xx000003DGb2AAG", f"{parked['batch']} {parked['log_id']} {parked['candidates'][0]['Id']}")
    done = subprocess.run(["sh", "-eu", "-c", text], env={**os.environ, **connected.environment, "PATH": f"{programs()}:{os.environ['PATH']}"},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, tail(done.stdout + done.stderr)
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce.account WHERE sfid = %s AND _hc_lastop = 'SYNCED'", parked["candidates"][0]["Id"]) == 1,
               20, "the row to be linked")


def test_what_may_run_twice_is_shown_while_it_waits(connected, database, org):
    connected.import_mapping(mapping("Account", ["Name", "ExternalId__c"], upsert_field="ExternalId__c"))
    connected.start_and_load()
    org.fault(api="soap", operation="upsert", action="drop_before_commit", times=50)
    database.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES ('a', 'x')")
    (doubt,) = wait_until(lambda: doubts(connected), 20, "the upsert to be in doubt")
    assert doubt["state"] == "REPEAT" and doubt["next"] == "is sent again: doing it twice does no harm" and "in doubt" in doubt["reason"]
    org.remove_faults()
    connected.advance_clock("5 minutes")
    wait_until(lambda: doubts(connected) == [] and database.value("SELECT count(*) FROM salesforce._trigger_log") == 0, 20, "it to be sent")
