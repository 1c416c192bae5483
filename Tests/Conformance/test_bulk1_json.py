"""Row 14: Bulk API 1.0 in JSON, as simple-salesforce speaks it (wire reference 4.1)."""

import json

import pytest

from support.checklist import SIMPLE


@pytest.fixture(autouse=True)
def at_once(org):
    """The client sleeps for five seconds when a batch is not done at its first look. So its batches are, being acknowledged late."""
    org.fault("delay", api="bulk1", operation="addBatch", milliseconds=200, times=None)


def replies(sf, part=""):
    """The JSON of the answers whose address holds `part`."""
    return [answer.json() for answer in sf.session.answers if part in answer.request.url]


@pytest.mark.row(14, "concurrencyMode 0 is Parallel", SIMPLE)
@pytest.mark.parametrize("serial, mode", [(False, "Parallel"), (True, "Serial")])
def test_concurrency_mode_may_be_a_number(sf, serial, mode):
    sf.bulk.Account.insert([{"Name": "Mode"}], use_serial=serial)
    asked = json.loads(sf.session.answers[0].request.body)
    assert asked["concurrencyMode"] == int(serial), "the client sends a number; else this test proves nothing"
    job = sf.session.answers[0]
    assert job.status_code == 201 and job.json()["concurrencyMode"] == mode


@pytest.mark.row(14, "JSON replies", SIMPLE)
def test_every_reply_of_a_json_job_is_json(sf):
    sf.bulk.Account.insert([{"Name": "Reply"}])
    assert {answer.headers["Content-Type"] for answer in sf.session.answers} == {"application/json"}
    job, batch = replies(sf)[:2]
    assert (job["operation"], job["object"], job["state"], job["contentType"]) == ("insert", "Account", "Open", "JSON")
    assert job["id"].startswith("750") and batch["id"].startswith("751") and batch["jobId"] == job["id"]
    assert job["createdDate"].endswith("+0000")
    assert {"id", "jobId", "state", "createdDate", "systemModstamp", "numberRecordsProcessed", "numberRecordsFailed",
            "totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime"} <= set(batch)
    assert replies(sf)[-1]["state"] == "Closed"


@pytest.mark.row(14, "insert", SIMPLE)
def test_insert_answers_row_by_row_in_the_order_of_the_input(org, sf):
    good, bad, last = sf.bulk.Account.insert([{"Name": "One"}, {"Phone": "no name"}, {"Name": "Three", "Phone": None}])
    assert (good["success"], good["created"], good["errors"]) == (True, True, [])
    assert (bad["success"], bad["created"], bad["id"]) == (False, False, None)
    (error,) = bad["errors"]
    assert (error["statusCode"], error["message"], error["fields"]) == (
        "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ["Name"])
    assert [org.record("Account", row["id"])["Name"] for row in (good, last)] == ["One", "Three"]


@pytest.mark.row(14, "insert", SIMPLE)
def test_the_request_of_a_batch_can_be_read_back(sf):
    (row,) = sf.bulk.Account.insert([{"Name": "Echoed"}], include_detailed_results=True)
    assert (row["success"], row["Name"]) == (True, "Echoed")


@pytest.mark.row(14, "upsert", SIMPLE)
def test_upsert_says_what_it_created(sf):
    def upsert(*keys):
        return [row["created"] for row in sf.bulk.Account.upsert(
            [{"Name": key, "ExternalId__c": f"bulk-{key}"} for key in keys], "ExternalId__c")]
    assert upsert("a", "b") == [True, True]
    assert upsert("b", "c") == [False, True]


@pytest.mark.row(14, "upsert", SIMPLE)
def test_update_and_delete(org, sf):
    (made,) = sf.bulk.Account.insert([{"Name": "To change", "Phone": "1"}])
    (changed,) = sf.bulk.Account.update([{"Id": made["id"], "Phone": None, "Fax": "2"}])
    assert (changed["success"], changed["created"]) == (True, False)
    assert (org.record("Account", made["id"])["Phone"], org.record("Account", made["id"])["Fax"]) == (None, "2")
    (gone,) = sf.bulk.Account.delete([{"Id": made["id"]}])
    assert gone["success"] and org.record("Account", made["id"])["IsDeleted"] is True


@pytest.mark.row(14, "query", SIMPLE)
def test_query_brings_records_with_their_attributes(org, sf):
    ids = org.insert_many("Account", [{"Name": f"Bulk JSON {n}"} for n in range(3)])
    found = sf.bulk.Account.query("SELECT Id, Name FROM Account WHERE Name LIKE 'Bulk JSON %'", wait=0.1)
    assert {(row["Id"], row["Name"]) for row in found} == {(id, f"Bulk JSON {n}") for n, id in enumerate(ids)}
    assert all(row["attributes"]["type"] == "Account" for row in found)
    (list_,) = replies(sf, "/result")[:1]
    assert [id[:3] for id in list_] == ["752"], "a list of result ids"


@pytest.mark.row(14, "query", SIMPLE)
def test_query_of_nothing_and_of_deleted_rows(org, sf):
    id = org.insert("Account", Name="Bulk gone")
    org.delete("Account", id)
    soql = "SELECT Id FROM Account WHERE Name = 'Bulk gone'"
    assert sf.bulk.Account.query(soql, wait=0.1) == []
    assert [row["Id"] for row in sf.bulk.Account.query_all(soql, wait=0.1)] == [id]
