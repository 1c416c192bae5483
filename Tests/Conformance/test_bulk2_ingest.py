"""Row 16: Bulk API 2.0 ingest (wire reference 4.2, 4.4)."""

import csv
import io

import pytest
from simple_salesforce.bulk2 import LineEnding
from simple_salesforce.exceptions import SalesforceOperationError

from support.checklist import SIMPLE


@pytest.fixture(scope="module", autouse=True)
def settings(org):
    org.control("PATCH", "settings", {"bulkDelayMilliseconds": 20})


def parse(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def job_of(sf, result):
    return next(answer.json() for answer in reversed(sf.session.answers) if answer.request.url.endswith(result["job_id"]))


@pytest.mark.row(16, "201 on PUT", SIMPLE)
def test_upload_is_answered_by_201_without_a_body(sf):
    sf.bulk2.Account.insert(records=[{"Name": "Uploaded"}], wait=0)
    (upload,) = [answer for answer in sf.session.answers if answer.request.method == "PUT"]
    assert (upload.status_code, upload.content) == (201, b"")
    created = sf.session.answers[0].json()
    assert created["state"] == "Open" and created["contentUrl"] == f"services/data/v62.0/jobs/ingest/{created['id']}/batches"
    assert created["apiVersion"] == 62.0 and created["id"].startswith("750")


@pytest.mark.row(16, "unprocessedRecords in the client's spelling", SIMPLE)
def test_results_answer_to_the_names_that_the_client_uses(sf):
    (result,) = sf.bulk2.Account.insert(records=[{"Name": "Spelt"}], wait=0)
    assert sf.bulk2.Account.get_unprocessed_records(result["job_id"]).splitlines() == ["Name"]
    assert sf.session.last.request.url.endswith("/unprocessedRecords") and sf.session.last.headers["Content-Type"].startswith("text/csv")
    (row,) = parse(sf.bulk2.Account.get_successful_records(result["job_id"]))
    assert row == {"sf__Id": row["sf__Id"], "sf__Created": "true", "Name": "Spelt"} and len(row["sf__Id"]) == 18
    assert sf.bulk2.Account.get_successful_records(result["job_id"]).startswith('"sf__Id","sf__Created",')


@pytest.mark.row(16, "unprocessedRecords in the client's spelling", SIMPLE)
def test_all_results_together(sf):
    (result,) = sf.bulk2.Contact.insert(records=[{"LastName": "Good", "Phone": "1"}, {"LastName": "", "Phone": "2"}], wait=0)
    assert (result["numberRecordsProcessed"], result["numberRecordsFailed"], result["numberRecordsTotal"]) == (2, 1, 2)
    found = sf.bulk2.Contact.get_all_ingest_records(result["job_id"])
    assert [len(found[name]) for name in ("successfulRecords", "failedRecords", "unprocessedRecords")] == [1, 1, 0]


@pytest.mark.row(16, "#N/A sets null, empty leaves unchanged", SIMPLE)
def test_null_and_empty(org, sf):
    id = org.insert("Account", Name="Nulls", Phone="1", Fax="2", Website="https://example.com")
    sf.bulk2.Account.update(records=[{"Id": id, "Phone": "#N/A", "Fax": "", "Website": "https://example.org"}], wait=0)
    record = org.record("Account", id)
    assert (record["Phone"], record["Fax"], record["Website"]) == (None, "2", "https://example.org")


@pytest.mark.row(16, "CRLF job", SIMPLE)
def test_job_with_crlf(org, sf):
    (result,) = sf.bulk2.Account.insert(
        records=[{"Name": "Windows", "Description": "one\r\ntwo"}, {"Name": "Other"}], line_ending=LineEnding.CRLF, wait=0)
    assert (result["numberRecordsProcessed"], result["numberRecordsFailed"]) == (2, 0)
    (record,) = org.records("Account", "Name = 'Windows'")
    assert record["Description"] == "one\r\ntwo"
    assert job_of(sf, result)["lineEnding"] == "CRLF"


@pytest.mark.row(16, "CRLF job", SIMPLE)
def test_carriage_return_in_a_job_with_lf_is_a_wrong_line_ending(sf):
    with pytest.raises(SalesforceOperationError) as refused:
        sf.bulk2.Account.insert(records=[{"Name": "Mixed", "Description": "one\r\ntwo"}], wait=0)
    assert "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF" in str(refused.value)


@pytest.mark.row(16, "failed records", SIMPLE)
def test_failed_record_comes_back_with_its_error(sf):
    (result,) = sf.bulk2.Contact.insert(records=[{"LastName": "", "FirstName": "Nameless, \"so\""}, {"LastName": "Good", "FirstName": "x"}], wait=0)
    text = sf.bulk2.Contact.get_failed_records(result["job_id"])
    assert text.startswith('"sf__Id","sf__Error",')
    (row,) = parse(text)
    assert row["sf__Id"] == "" and row["FirstName"] == 'Nameless, "so"'
    assert row["sf__Error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"


@pytest.mark.row(16, "insert, upsert, update, delete", SIMPLE)
def test_every_operation(org, sf):
    (result,) = sf.bulk2.Account.insert(records=[{"Name": "Life", "ExternalId__c": "life"}], wait=0)
    (row,) = parse(sf.bulk2.Account.get_successful_records(result["job_id"]))
    (result,) = sf.bulk2.Account.upsert(records=[{"Name": "Lifted", "ExternalId__c": "LIFE"}, {"Name": "New", "ExternalId__c": "life-2"}],
                                        external_id_field="ExternalId__c", wait=0)
    created = {found["Name"]: found["sf__Created"] for found in parse(sf.bulk2.Account.get_successful_records(result["job_id"]))}
    assert created == {"Lifted": "false", "New": "true"}
    sf.bulk2.Account.update(records=[{"Id": row["sf__Id"], "Phone": "3"}], wait=0)
    assert (org.record("Account", row["sf__Id"])["Name"], org.record("Account", row["sf__Id"])["Phone"]) == ("Lifted", "3")
    sf.bulk2.Account.delete(records=[{"Id": row["sf__Id"]}], wait=0)
    assert org.record("Account", row["sf__Id"])["IsDeleted"] is True


@pytest.mark.row(16, "insert, upsert, update, delete", SIMPLE)
def test_parent_named_by_its_external_id(org, sf):
    parent = org.insert("Account", Name="Parent", ExternalId__c="the-parent")
    sf.bulk2.Contact.insert(records=[{"LastName": "Child", "Account.ExternalId__c": "the-parent"}], wait=0)
    (child,) = org.records("Contact", "LastName = 'Child'")
    assert child["AccountId"] == parent


@pytest.mark.row(16, "errorMessage of a failed job", SIMPLE)
def test_unknown_column_fails_the_job(sf):
    with pytest.raises(SalesforceOperationError) as refused:
        sf.bulk2.Account.insert(records=[{"Nothing__c": "x"}], wait=0)
    assert "InvalidBatch : Field name not found : Nothing__c" in str(refused.value)
