"""Many changes of one kind travel as a Bulk job, and nothing is lost or sent twice whatever happens on the way."""

import json
import urllib.parse
import urllib.request

import pytest
from harness.relay import mapping
from harness.waiting import wait_until

ACCOUNT = mapping("Account", ["Name", "ExternalId__c", "AnnualRevenue", "NumberOfEmployees", "Phone", "Checked__c"],
                  upsert_field="ExternalId__c")
PLAIN = mapping("Account", ["Name", "ExternalId__c", "AnnualRevenue", "Phone"])
CONTACT = mapping("Contact", ["LastName", "Email"])
ROWS = 600


def use_bulk(database, threshold=100, **settings):
    database.execute("UPDATE public.hc_connection SET settings = settings || %s::jsonb",
                     json.dumps({"write_algorithm": "ordered", "bulk_threshold": threshold, **settings}))


@pytest.fixture
def bulk(connected, database):
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    use_bulk(database)
    return connected


def insert(database, count=ROWS, prefix="k"):
    database.execute("INSERT INTO salesforce.account (name, externalid__c, annualrevenue) "
                     "SELECT 'n' || g, %s || g, g FROM generate_series(1, %s) g", prefix, count)


def synced(database, count=ROWS, timeout=60):
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce.account WHERE externalid__c LIKE 'k%%' AND _hc_lastop = 'SYNCED' AND sfid IS NOT NULL") == count,
               timeout, f"{count} rows to be SYNCED")


def bulk_calls(org, operation=None):
    return [call["operation"] for call in org.calls() if call["family"] in ("bulk1", "bulk2") and (operation is None or call["operation"] == operation)]


def ours(org):
    return [record for record in org.records("Account") if (record["ExternalId__c"] or "").startswith("k")]


def jobs(org, state):
    """Ids of the org's ingest jobs in a state, as its own list of jobs says."""
    grant = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": org.credentials["SALESFORCE_CLIENT_ID"],
                                    "client_secret": org.credentials["SALESFORCE_CLIENT_SECRET"]}).encode()
    with urllib.request.urlopen(f"{org.url}/services/oauth2/token", grant, timeout=20) as answer:
        token = json.load(answer)["access_token"]
    request = urllib.request.Request(f"{org.url}/services/data/v62.0/jobs/ingest", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return [job["id"] for job in json.load(answer)["records"] if job["state"] == state]


def names(org):
    return sorted(record["Name"] for record in ours(org) if not record["IsDeleted"])


def expect_no_twins(database, org, count=ROWS):
    """Every row is one record, and no change waits."""
    assert names(org) == sorted(f"n{g}" for g in range(1, count + 1))
    ids = {record["Id"]: record["Name"] for record in ours(org)}
    for row in database.execute("SELECT sfid, name FROM salesforce.account WHERE externalid__c LIKE 'k%%'"):
        assert ids[row["sfid"]] == row["name"]
    assert database.value("SELECT count(*) FROM salesforce._trigger_log") == 0
    assert database.value("SELECT count(*) FROM public.hc_batch WHERE state <> 'DONE'") == 0


def test_upserts_updates_and_deletes_are_three_jobs(bulk, database, org):
    org.forget_calls()
    insert(database, 5000)
    synced(database, 5000, 120)
    assert bulk_calls(org, "ingest.createJob") == ["ingest.createJob"] and org.writes() == []
    expect_no_twins(database, org, 5000)
    # No transaction writes back more than a thousand rows.
    assert database.value("SELECT count(*) FROM public.hc_batch WHERE api = 'bulk2'") == 5
    org.forget_calls()
    # Nothing but what has changed is sent: a null as such, what is not named stays.
    database.execute("UPDATE salesforce.account SET phone = CASE WHEN id % 2 = 0 THEN '1, \"2\"' || E'\\n3' END, annualrevenue = NULL, checked__c = false WHERE externalid__c LIKE 'k%%'")
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce._trigger_log") == 0, 120, "the updates to be sent")
    synced(database, 5000, 120)
    assert bulk_calls(org, "ingest.createJob") == ["ingest.createJob"] and org.writes() == []
    records = ours(org)
    assert {record["AnnualRevenue"] for record in records} == {None}
    assert sum(record["Phone"] == '1, "2"\n3' for record in records) == 2500 and sum(record["Phone"] is None for record in records) == 2500
    assert all(record["Name"].startswith("n") for record in records)
    org.forget_calls()
    database.execute("DELETE FROM salesforce.account WHERE externalid__c LIKE 'k%%'")
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce._trigger_log") == 0, 120, "the deletes to be sent")
    assert bulk_calls(org, "ingest.createJob") == ["ingest.createJob"] and org.writes() == []
    assert all(record["IsDeleted"] for record in ours(org))


def test_fewer_changes_than_the_threshold_go_by_single_calls(bulk, database, org):
    org.forget_calls()
    insert(database, 99)
    synced(database, 99)
    assert bulk_calls(org) == [] and len(org.writes()) == 1


@pytest.mark.parametrize("setting, version", [({"features": {"disable_bulk_writes": True}}, None), ({"write_algorithm": "merged"}, None), ({}, "38.0")])
def test_herokus_conditions(bulk, database, org, setting, version):
    use_bulk(database, **setting)
    if version:
        database.execute("UPDATE public.hc_connection SET api_version = %s", version)
    org.forget_calls()
    insert(database, 150)
    synced(database, 150)
    assert bulk_calls(org, "ingest.createJob") == [] and bulk_calls(org, "createJob") == [] and len(org.writes()) >= 1


def test_a_change_that_csv_cannot_say_ends_the_job(bulk, database, org):
    database.execute("INSERT INTO salesforce.account (name, externalid__c) SELECT CASE WHEN g = 301 THEN '#N/A' ELSE 'n' || g END, 'k' || g FROM generate_series(1, 500) g")
    synced(database, 500)
    assert "BULK write batch to Account ended due to log entry 301: a value is the text #N/A, which means null there Will fall back to SOAP" in bulk.output
    assert len(bulk_calls(org, "ingest.createJob")) == 1
    assert sum(record["Name"] == "#N/A" for record in org.records("Account")) == 1


@pytest.mark.parametrize("operation", ["ingest.createJob", "ingest.upload", "ingest.changeJob", "ingest.getJob", "ingest.successfulResults", "ingest.failedResults"])
@pytest.mark.parametrize("fault", ["drop_before_commit", "drop_after_commit"])
def test_a_lost_answer_at_each_step(bulk, database, org, operation, fault):
    met = org.fault(fault, "bulk2", operation)
    insert(database)
    org.wait_for_fault(met, 60)
    synced(database, timeout=90)
    expect_no_twins(database, org)
    # One job ran, and none is left open.
    assert len(jobs(org, "JobComplete")) == 1 and jobs(org, "Open") == [] and org.writes() == []


@pytest.mark.parametrize("operation", ["ingest.createJob", "ingest.upload", "ingest.changeJob", "ingest.getJob", "ingest.successfulResults", "ingest.failedResults"])
def test_a_relay_killed_at_each_step(bulk, database, org, operation):
    # The answer does not come in time for the relay that asked.
    met = org.fault("delay", "bulk2", operation, milliseconds=3000)
    insert(database)
    org.wait_for_fault(met, 60)
    bulk.kill()
    state = database.one("SELECT state, job ->> 'step' AS step FROM public.hc_batch WHERE api = 'bulk2'")
    assert state["state"] == "SENT", state
    org.forget_calls()
    bulk.start()
    synced(database, timeout=90)
    expect_no_twins(database, org)
    assert len(jobs(org, "JobComplete")) == 1 and jobs(org, "Open") == [] and org.writes() == []


def test_a_job_that_fails_midway(bulk, database, org):
    org.control("PATCH", "settings", {"bulk": {"failAfterRecords": 200}})
    insert(database)
    wait_until(lambda: "serial=400" in bulk.output, 60, "the failure")   # 200 of 600 were done
    org.control("PATCH", "settings", {"bulk": {"failAfterRecords": None}})
    synced(database, timeout=90)
    expect_no_twins(database, org)


def test_a_job_that_is_refused_goes_by_single_calls(bulk, database, org):
    org.fault("error", "bulk2", "ingest.createJob", status=400, code="INVALIDENTITY", message="Entity 'Account' is not supported by the Bulk API.")
    insert(database)
    synced(database)
    expect_no_twins(database, org)
    assert [len(write["records"]) for write in org.writes()] == [200, 200, 200]
    assert "BULK write batch to Account ended due to INVALIDENTITY" in bulk.output


def test_a_poison_row_fails_alone(bulk, database, org):
    org.fault("reject", "bulk2", "ingest.upload", record=17, code="FIELD_CUSTOM_VALIDATION_EXCEPTION", message="not: this, one", fields=["Name"])
    insert(database)
    synced(database, ROWS - 1)
    failed = database.one("SELECT * FROM salesforce._trigger_log WHERE state = 'FAILED'")
    assert failed["sf_message"].startswith("FIELD_CUSTOM_VALIDATION_EXCEPTION: not: this, one")
    assert database.value("SELECT _hc_lastop FROM salesforce.account WHERE id = %s", failed["record_id"]) == "FAILED"
    assert len(names(org)) == ROWS - 1


def test_rows_with_lock_errors_go_again_one_after_another(bulk, database, org):
    # Of the first 252 rows each 84th.
    org.fault("reject", "bulk2", "ingest.upload", record=251, every=84, code="UNABLE_TO_LOCK_ROW", message="unable to obtain exclusive access to this record", fields=[])
    insert(database)
    synced(database)
    expect_no_twins(database, org)
    assert [len(write["records"]) for write in org.writes()] == [3]


def test_inserts_without_an_identifier_go_by_bulk_1(connected, database, org):
    connected.import_mapping(PLAIN)
    connected.start_and_load()
    use_bulk(database)
    connected.stop()
    insert(database, 400)
    as_job(database, "bulk1")
    org.forget_calls()
    connected.start()
    synced(database, 400)
    expect_no_twins(database, org, 400)
    assert len(bulk_calls(org, "createJob")) == 1 and org.writes() == []


def as_job(database, api):
    """The next batch as a job. Heroku's conditions allow none without an identifier; planned writes do."""
    database.execute("""DO $$
        DECLARE
            c public.hc_connection := (SELECT c FROM public.hc_connection c);
        BEGIN
            c.epoch := public.hc_lead(c.id, 'test');
            PERFORM public.hc_claim(c.id, c.epoch, 10000);
            PERFORM pg_advisory_unlock_all();
        END $$""")
    database.execute("UPDATE public.hc_batch SET api = %s WHERE state = 'CLAIMED'", api)


@pytest.mark.parametrize("operation", ["createJob", "addBatch", "changeJob", "listBatches", "resultList"])
def test_a_lost_answer_at_each_step_of_bulk_1(connected, database, org, operation):
    connected.import_mapping(PLAIN)
    connected.start_and_load()
    use_bulk(database)
    connected.stop()
    insert(database, 400)
    as_job(database, "bulk1")
    met = org.fault("drop_after_commit", "bulk1", operation)
    connected.start()
    org.wait_for_fault(met, 60)
    synced(database, 400, 90)
    expect_no_twins(database, org, 400)
    assert org.writes() == []


def test_planned_writes_make_jobs_where_those_cost_less(connected, database, org):
    connected.import_mapping(ACCOUNT, CONTACT)
    connected.start_and_load()
    org.control("PATCH", "settings", {"bulk": {"queueMilliseconds": 3000}})
    org.forget_calls()
    with database.connect() as transaction:
        transaction.execute("INSERT INTO salesforce.account (name, externalid__c) SELECT 'n' || g, 'k' || g FROM generate_series(1, 2500) g")
        # Without an identifier: results in order are needed.
        transaction.execute("INSERT INTO salesforce.contact (lastname, email) SELECT 'c' || g, 'c' || g || '@example.org' FROM generate_series(1, 2200) g")
    synced(database, 2500, 120)
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce.contact WHERE lastname LIKE 'c%%' AND sfid IS NOT NULL") == 2200, 120, "the contacts")
    expect_no_twins(database, org, 2500)
    contacts = {record["Id"]: record["LastName"] for record in org.records("Contact") if record["LastName"].startswith("c")}
    assert len(contacts) == 2200
    assert all(contacts[row["sfid"]] == row["lastname"] for row in database.execute("SELECT sfid, lastname FROM salesforce.contact WHERE lastname LIKE 'c%%'"))
    assert org.writes() == []
    # Both ran at the same time: each was made before the results of the other were there.
    calls = [call["operation"] for call in org.calls() if call["operation"] in ("createJob", "ingest.createJob", "resultList", "ingest.successfulResults")]
    assert set(calls[:2]) == {"createJob", "ingest.createJob"} and len(calls) == 4
