"""hc-relay adopt takes over a schema that Heroku Connect made: the application goes on, and nothing is sent twice."""

import json
import subprocess

import pytest

from harness import ROOT
from harness.relay import mapping
from harness.waiting import wait_until

FIXTURES = ROOT / "Tests" / "Extension" / "adopt"


def run_fixture(database, schema, *names):
    """Makes a schema as Heroku Connect does; the fixtures are psql scripts."""
    files = [argument for name in ("heroku", *names) for argument in ("-f", FIXTURES / f"{name}.sql")]
    done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"schema={schema}", "-d", database.url, *files],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def adopted(relay, database, org):
    """A schema with the org's own records in it, entries of every state in its log, and a mapping file of what it maps. Heroku
    Connect's functions find hstore in another schema than public, and the guard is theirs."""
    database.execute("DROP EXTENSION hc_sync; DROP EXTENSION hstore; CREATE SCHEMA heroku_ext; CREATE EXTENSION hstore SCHEMA heroku_ext")
    database.execute(f'ALTER DATABASE {database.name} SET search_path = "$user", public, heroku_ext')
    database.disconnect()
    run_fixture(database, "salesforce", "canonical")
    database.execute("CREATE EXTENSION hc_sync")
    known = org.insert_many("Account", [{"Name": name, "ExternalId__c": key} for name, key in (("old", "x1"), ("newest", "x2"))])
    with database.connect() as heroku:
        heroku.execute("SET xmlbinary = hex")
        for sfid, key in zip(known, ("x1", "x2")):
            heroku.execute("UPDATE salesforce.account SET sfid = %s WHERE externalid__c = %s", (sfid, key))
        heroku.execute("UPDATE salesforce._trigger_log SET sfid = %s WHERE state = 'PENDING'", (known[0],))
        heroku.execute("UPDATE salesforce._hcmeta SET org_id = NULL")
    database.execute("ALTER TABLE salesforce.account DROP COLUMN ratings__c")   # the sample org has no such field
    return known


def states(database):
    return {row["state"]: row["n"] for row in database.execute("SELECT state, count(*) AS n FROM salesforce._trigger_log GROUP BY 1")}


def versions(database):
    return database.execute("SELECT id, ctid::text, xmin::text FROM salesforce.account ORDER BY id")


def definitions(database):
    return database.execute("""
        SELECT pg_get_functiondef(p.oid) AS x FROM pg_proc p WHERE p.pronamespace = 'salesforce'::regnamespace OR p.proname = 'get_xmlbinary'
        UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'salesforce'::regnamespace AND NOT tgisinternal
        ORDER BY 1""")


def test_a_schema_of_heroku_connect_is_taken_over_where_it_stopped(adopted, relay, database, org):
    known = adopted
    before = versions(database)
    theirs = definitions(database)
    assert "pg_settings" in str(theirs)
    # The plan changes nothing, and without --yes nobody is asked in a script.
    plan = {(row["step"], row["detail"].split(":")[0]) for row in json.loads(relay.succeed("adopt", "--dry-run", "--output", "json"))}
    assert ("pending", "entry 2") in plan and ("mapping", "account") in plan
    refused = relay.command("adopt", "salesforce")
    assert refused.returncode == 1 and "--yes" in refused.stderr
    assert database.value("SELECT count(*) FROM hc_connection") == 0 and definitions(database) == theirs

    # Taken over and put back, then taken over for good.
    assert "is taken over" in relay.succeed("adopt", "--yes")
    assert definitions(database) != theirs
    assert "as it was" in relay.succeed("adopt", "--undo", "--yes")
    assert definitions(database) == theirs and database.value("SELECT count(*) FROM hc_connection") == 0
    relay.succeed("adopt", "--yes")
    assert versions(database) == before                    # no row was rewritten
    assert states(database)["PENDING"] == 1 and org.writes() == []

    late = org.insert("Account", Name="made in the org", ExternalId__c="x9")
    relay.start_and_load()
    sent = wait_until(lambda: database.value("SELECT sfid FROM salesforce.account WHERE externalid__c = 'x3'"), 20, "the NEW entry to be sent")
    wait_until(lambda: database.value("SELECT _hc_lastop FROM salesforce.account WHERE externalid__c = 'x3'") == "SYNCED", 20, "it to be read back")
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce.account WHERE sfid = %s", late) == 1, 20, "the poll to bring the new record")
    relay.work_through()
    # Sent once; what Heroku Connect sent, refused, ignored or left PENDING was not sent.
    assert [(write["operation"], len(write["records"])) for write in org.writes()] == [("upsert", 1)]
    assert [r["Id"] for r in org.records("Account", "ExternalId__c = 'x3'")] == [sent]
    assert org.record("Account", known[0])["Name"] == "old"
    log = states(database)
    assert log["PENDING"] == 1 and log["INVALID"] == 1 and log["FAILED"] == 2 and "NEW" not in log   # the second: a table that is not mapped
    assert database.value("SELECT sf_message FROM salesforce._trigger_log WHERE state = 'FAILED' AND table_name = 'account'") == "REQUIRED_FIELD_MISSING"
    assert database.value("SELECT state FROM salesforce._trigger_log_archive WHERE id = 4") == "SUCCESS"
    # Names are in Salesforce's spelling, ids are those of before, the user's column is untouched.
    assert database.one("SELECT object_name, upsert_field FROM hc_mapping WHERE table_name = 'account'") == {
        "object_name": "Account", "upsert_field": "ExternalId__c"}
    assert {row["sfid"]: row["id"] for row in database.execute("SELECT id, sfid FROM salesforce.account WHERE id < 3")} == {known[0]: 1, known[1]: 2}
    assert database.value("SELECT note FROM salesforce.account WHERE id = 2") == ""
    # The application writes as it did.
    database.execute("UPDATE salesforce.account SET phone = '5' WHERE id = 2")
    wait_until(lambda: org.record("Account", known[1])["Phone"] == "5", 20, "the application's update to be sent")
    refused = relay.command("adopt", "--undo", "--yes")
    assert refused.returncode == 1 and "cannot be undone any more" in refused.stderr

    # What nobody knows is a person's to decide.
    (parked,) = json.loads(relay.succeed("doubt", "list", "--output", "json"))
    assert parked["log_id"] == 2 and parked["sfid"] == known[0] and parked["state"] == "PARKED"
    relay.succeed("doubt", "decide", parked["batch"], 2, "send")
    wait_until(lambda: org.record("Account", known[0])["Name"] == "in flight", 20, "the parked change to be sent")
    wait_until(lambda: "PENDING" not in states(database), 20, "its entry to be over")


def test_a_file_that_contradicts_the_org_is_shown_and_another_program_is_refused(adopted, relay, database, org):
    file = relay.write_mapping_file({"version": 1, "mappings": [
        mapping("Account", ["Name", "ExternalId__c", "Phone", "Unknown__c"], upsert_field="ExternalId__c"), mapping("Nothing__c", ["Name"])]})
    database.execute("ALTER TABLE salesforce.account ADD COLUMN unknown__c varchar(10)")
    with database.connect(autocommit=True) as heroku:
        heroku.execute('LISTEN "salesforce.hc_trigger_log"')
        assert "it must end first" in relay.succeed("adopt", "--configuration", file, "--dry-run")
        refused = relay.command("adopt", "--configuration", file, "--yes")
        assert refused.returncode == 1 and "another program waits for changes" in refused.stderr
    wait_until(lambda: relay.command("adopt", "--configuration", file, "--yes").returncode == 0, 10, "the other session to be gone")
    relay.start()
    broken = wait_until(lambda: database.execute("SELECT state_detail FROM hc_mapping WHERE table_name = 'account' AND state = 'BAD_CONFIG'"),
                        20, "the unknown field to be shown")
    assert "Unknown__c" in broken[0]["state_detail"]
    relay.work_through()
    assert org.writes() == [] and "NEW" in states(database)   # not described, not sent
    org.control("POST", "objects/Account/fields", {"name": "Unknown__c", "type": "string", "length": 10})
    database.execute("UPDATE hc_mapping SET poll_at = NULL WHERE table_name = 'account'")
    relay.wake()
    wait_until(lambda: database.value("SELECT sfid FROM salesforce.account WHERE externalid__c = 'x3'"), 20, "the NEW entry to be sent")
