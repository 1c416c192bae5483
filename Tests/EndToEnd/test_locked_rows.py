"""An application that holds a row, or a trigger that raises, delays that row and nothing else."""

import time

from harness.relay import mapping
from harness.waiting import wait_until

ACCOUNT = mapping("Account", ["Name", "ExternalId__c"], upsert_field="ExternalId__c")
PLAIN = mapping("Account", ["Name", "Phone"])


def rows(database):
    return {row["name"]: row["_hc_lastop"] for row in database.execute("SELECT name, _hc_lastop FROM salesforce.account WHERE name LIKE 'row%%'")}


def test_a_held_row_and_a_raising_trigger_delay_themselves_only_and_a_kill_sends_nothing_twice(connected, database, org):
    connected.import_mapping(PLAIN)
    connected.start_and_load()
    database.execute("""CREATE FUNCTION raise() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.name = 'row raises' AND NEW.sfid IS NOT NULL THEN RAISE 'the application says no'; END IF; RETURN NEW; END $$""")
    database.execute("CREATE TRIGGER raise BEFORE UPDATE ON salesforce.account FOR EACH ROW EXECUTE FUNCTION public.raise()")
    fault = org.fault(operation="create", action="delay", milliseconds=1500)
    database.execute("INSERT INTO salesforce.account (name) VALUES ('row held'), ('row free'), ('row raises')")
    org.wait_for_fault(fault)
    with database.connect() as application:
        application.execute("SELECT * FROM salesforce.account WHERE name = 'row held' FOR UPDATE")
        held = time.monotonic()
        wait_until(lambda: rows(database)["row free"] == "SYNCED", 20, "the free row")
        assert rows(database)["row held"] == "PENDING" and rows(database)["row raises"] == "PENDING"
        reasons = {r["name"]: r["reason"] for r in database.execute(
            "SELECT a.name, e.reason FROM hc_batch_entry e JOIN salesforce.account a ON a.id = e.record_id WHERE NOT e.applied")}
        assert "locked" in reasons["row held"] and "the application says no" in reasons["row raises"]
        connected.kill()
        connected.start()
        wait_until(lambda: database.value("SELECT epoch FROM hc_connection") >= 2, 20, "the new relay to lead")
        connected.work_through()
        while time.monotonic() - held < 60:   # a minute: the rest of the system goes on
            id = database.value("INSERT INTO salesforce.account (name) VALUES ('other') RETURNING id")
            wait_until(lambda: database.row("account", id)["_hc_lastop"] == "SYNCED", 25, "another row to be SYNCED meanwhile")
            time.sleep(5)
        assert rows(database)["row held"] == "PENDING"
    wait_until(lambda: rows(database)["row held"] == "SYNCED", 40, "the row that was held")
    assert rows(database)["row raises"] == "PENDING"
    database.execute("DROP TRIGGER raise ON salesforce.account")
    wait_until(lambda: rows(database)["row raises"] == "SYNCED", 60, "the row whose trigger raised")
    assert sorted(r["Name"] for r in org.records("Account") if r["Name"].startswith("row")) == ["row free", "row held", "row raises"]
    creates = [sent["fields"]["Name"] for write in org.writes() for sent in write["records"]]
    assert [creates.count(name) for name in ("row held", "row free", "row raises")] == [1, 1, 1]


def test_a_local_update_that_commits_while_a_merge_waits_survives(connected, database, org):
    sfid = org.insert("Account", Name="before", ExternalId__c="s")
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    with database.connect() as application:
        application.execute("UPDATE salesforce.account SET name = 'mine' WHERE sfid = %s", (sfid,))
        org.update("Account", sfid, Name="theirs")
        org.advance_clock(minutes=1)
        connected.poll_now("Account")
        wait_until(lambda: database.value("SELECT count(*) FROM hc_staged") == 1, 20, "the merge to pass the row over")
    wait_until(lambda: org.record("Account", sfid)["Name"] == "mine", 20, "the local change to be sent")
    wait_until(lambda: (row := database.one("SELECT * FROM salesforce.account WHERE sfid = %s", sfid))["_hc_lastop"] == "SYNCED"
               and row["name"] == "mine", 20, "the row to be SYNCED with the local change")
