"""Row 15: Bulk API 1.0 in CSV and XML, as salesforce-bulk speaks it (wire reference 4.1)."""

import csv
import io

import pytest
from salesforce_bulk import CsvDictsAdapter
from salesforce_bulk.salesforce_bulk import BulkApiError, BulkBatchFailed

from harness.waiting import wait_until
from support.checklist import BULK

NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"


@pytest.fixture(scope="module", autouse=True)
def settings(org):
    org.control("PATCH", "settings", {"bulkDelayMilliseconds": 20})


def finish(bulk, job, batch):
    bulk.close_job(job)
    bulk.wait_for_batch(job, batch, timeout=60, sleep_interval=0.05)


def rows(bulk, job, batch):
    """The records that a CSV query batch found."""
    return [row for part in bulk.get_all_results_for_query_batch(batch, job) for row in csv.DictReader(io.TextIOWrapper(part, "utf-8"))]


@pytest.mark.row(15, "exact Content-Types", BULK)
@pytest.mark.parametrize("type, data", [
    ("CSV", CsvDictsAdapter(iter([{"Name": "Typed"}, {"Name": ""}]))),
    ("XML", f'<sObjects xmlns="{NAMESPACE}"><sObject><Name>Typed</Name></sObject><sObject><Phone>1</Phone></sObject></sObjects>'),
    ("JSON", '[{"Name": "Typed"}, {"Phone": "1"}]'),
])
def test_client_recognises_the_results_by_their_content_type(org, bulk, type, data):
    job = bulk.create_insert_job("Account", contentType=type)
    batch = bulk.post_batch(job, data)
    finish(bulk, job, batch)
    good, bad = bulk.get_batch_results(batch)
    assert (str(good.success).lower(), str(good.created).lower()) == ("true", "true")
    assert (str(bad.success).lower(), str(bad.created).lower()) == ("false", "false")
    assert "REQUIRED_FIELD_MISSING" in str(bad.error) and "Required fields are missing: [Name]" in str(bad.error)


@pytest.mark.row(15, "exact Content-Types", BULK)
@pytest.mark.parametrize("type", ["CSV", "JSON", "XML"])
def test_query_results_in_each_format(org, bulk, type):
    id = org.insert("Account", Name=f"Format {type}")
    job = bulk.create_query_job("Account", contentType=type)
    batch = bulk.query(job, f"SELECT Id, Name FROM Account WHERE Name = 'Format {type}'")
    finish(bulk, job, batch)
    (result,) = bulk.get_query_batch_result_ids(batch)
    assert result.startswith("752")
    text = bulk.get_query_batch_results(batch, result).read().decode()
    assert id in text and f"Format {type}" in text


@pytest.mark.row(15, "exact Content-Types", BULK)
def test_job_and_batch_answer_in_xml(bulk):
    job = bulk.create_query_job("Account", concurrency="Serial")
    status = bulk.job_status(job)
    assert (status["operation"], status["object"], status["state"], status["concurrencyMode"], status["contentType"]) == (
        "query", "Account", "Open", "Serial", "CSV")
    assert status["createdDate"].endswith("Z") and "T" in status["createdDate"]
    batch = bulk.query(job, "SELECT Id FROM Account")
    assert bulk.batch_status(batch, job)["jobId"] == job
    assert [entry["id"] for entry in bulk.get_batch_list(job)] == [batch]
    assert bulk.get_query_batch_request(batch, job) == "SELECT Id FROM Account"


@pytest.mark.row(15, "PK chunking: the first batch is NotProcessed", BULK)
def test_pk_chunking_cuts_a_query_by_ranges_of_ids(org, bulk):
    org.generate("Contact", 2_500, LastName="Chunked {n}")
    job = bulk.create_query_job("Contact", contentType="CSV", pk_chunking=1_000)
    first = bulk.query(job, "SELECT Id, LastName FROM Contact WHERE LastName LIKE 'Chunked %'")

    def done():
        batches = bulk.get_batch_list(job)
        return len(batches) > 1 and not {"Queued", "InProgress"} & {batch["state"] for batch in batches} and batches

    batches = wait_until(done, 60, "the chunks of the query")
    states = {batch["id"]: batch["state"] for batch in batches}
    assert states.pop(first) == "NotProcessed"
    assert len(states) >= 3 and set(states.values()) == {"Completed"}
    with pytest.raises(BulkBatchFailed) as refused:
        bulk.is_batch_done(first, job)
    assert refused.value.state == "NotProcessed"
    found = [row["LastName"] for batch in states for row in rows(bulk, job, batch) if "LastName" in row]
    assert sorted(found) == sorted(f"Chunked {n}" for n in range(1, 2_501))


@pytest.mark.row(15, "results in the order of the input", BULK)
def test_ingest_results_are_in_input_order(org, bulk):
    names = ["" if n % 7 == 0 else f"Ordered {n}" for n in range(500)]
    job = bulk.create_insert_job("Account", contentType="CSV")
    batch = bulk.post_batch(job, CsvDictsAdapter(iter({"Name": name} for name in names)))
    finish(bulk, job, batch)
    results = bulk.get_batch_results(batch)
    assert [result.success for result in results] == ["true" if name else "false" for name in names]
    stored = {record["Id"]: record["Name"] for record in org.records("Account", "Name LIKE 'Ordered %'")}
    assert [stored.get(result.id, "") for result in results] == names
    status = bulk.batch_status(batch, job, reload=True)
    assert (status["numberRecordsProcessed"], status["numberRecordsFailed"]) == ("500", str(names.count("")))


@pytest.mark.row(15, "results in the order of the input", BULK)
def test_failed_row_tells_code_message_and_fields(bulk):
    job = bulk.create_insert_job("Account", contentType="CSV")
    batch = bulk.post_batch(job, CsvDictsAdapter(iter([{"Phone": "1"}])))
    finish(bulk, job, batch)
    (result,) = bulk.get_batch_results(batch)
    assert tuple(result) == ("", "false", "false", "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --")


@pytest.mark.row(15, "results in the order of the input", BULK)
def test_upsert_update_and_delete(org, bulk):
    def run(job, *data):
        batch = bulk.post_batch(job, CsvDictsAdapter(iter(data)))
        finish(bulk, job, batch)
        return bulk.get_batch_results(batch)

    (made,) = run(bulk.create_upsert_job("Account", "ExternalId__c", contentType="CSV"), {"Name": "Up", "ExternalId__c": "xml-up", "Phone": "1"})
    (again,) = run(bulk.create_upsert_job("Account", "ExternalId__c", contentType="CSV"), {"Name": "Up", "ExternalId__c": "XML-UP", "Phone": ""})
    assert (made.created, again.created, again.id) == ("true", "false", made.id)
    assert org.record("Account", made.id)["Phone"] == "1", "an empty value changes nothing"
    (cleared,) = run(bulk.create_update_job("Account", contentType="CSV"), {"Id": made.id, "Phone": "#N/A"})
    assert cleared.success == "true" and org.record("Account", made.id)["Phone"] is None
    (gone,) = run(bulk.create_delete_job("Account", contentType="CSV"), {"Id": made.id})
    assert gone.success == "true" and org.record("Account", made.id)["IsDeleted"] is True


@pytest.mark.row(15, "no rows: a line of text", BULK)
def test_query_without_rows_is_no_csv(bulk):
    job = bulk.create_query_job("Account", contentType="CSV")
    batch = bulk.query(job, "SELECT Id FROM Account WHERE Name = 'nobody'")
    finish(bulk, job, batch)
    (part,) = bulk.get_all_results_for_query_batch(batch)
    assert part.read().decode().strip() == "Records not found for this query"


@pytest.mark.row(15, "jobs are closed and aborted", BULK)
def test_states_of_a_job(bulk):
    job = bulk.create_query_job("Account")
    assert bulk.job_state(job) == "Open"
    bulk.close_job(job)
    assert bulk.job_state(job) == "Closed"
    other = bulk.create_query_job("Account")
    bulk.abort_job(other)
    assert bulk.job_state(other) == "Aborted"


@pytest.mark.row(15, "jobs are closed and aborted", BULK)
def test_closed_job_takes_no_batch(bulk):
    job = bulk.create_query_job("Account")
    bulk.close_job(job)
    with pytest.raises(BulkApiError) as refused:
        bulk.query(job, "SELECT Id FROM Account")
    assert refused.value.status_code == 400 and "<exceptionCode>InvalidJobState</exceptionCode>" in str(refused.value)
