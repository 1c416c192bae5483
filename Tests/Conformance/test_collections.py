"""Row 10: collections and composite, through the client's call for any resource (wire reference 2.8, 2.9)."""

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest

from support.checklist import SIMPLE


def record(type, **fields):
    return {"attributes": {"type": type}, **fields}


def create(sf, records, all_or_none=False):
    return sf.restful("composite/sobjects", method="POST", json={"allOrNone": all_or_none, "records": records})


@pytest.mark.row(10, "results in the order of the request", SIMPLE)
def test_results_come_in_the_order_of_the_records(sf):
    made = create(sf, [record("Account", Name="First"), record("Account", Phone="no name"), record("Contact", LastName="Third")])
    assert [result["success"] for result in made] == [True, False, True]
    assert (made[0]["id"][:3], made[2]["id"][:3]) == ("001", "003")
    assert made[1] == {"success": False, "errors": [
        {"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [Name]", "fields": ["Name"]}]}


@pytest.mark.row(10, "results in the order of the request", SIMPLE)
def test_retrieve_leaves_null_in_the_place_of_an_unknown_id(sf):
    first, second = (result["id"] for result in create(sf, [record("Account", Name="A"), record("Account", Name="B")]))
    found = sf.restful("composite/sobjects/Account", method="POST", json={
        "ids": [second, "001000000000001AAA", first], "fields": ["Id", "Name"]})
    assert [entry and entry["Name"] for entry in found] == ["B", None, "A"]


@pytest.mark.row(10, "results in the order of the request", SIMPLE)
def test_upsert_of_a_collection_says_what_was_created(sf):
    def upsert(*names):
        return sf.restful("composite/sobjects/Account/ExternalId__c", method="PATCH", json={
            "records": [record("Account", Name=name, ExternalId__c=f"collection-{name}") for name in names]})
    assert [result["created"] for result in upsert("a", "b")] == [True, True]
    assert [result["created"] for result in upsert("c", "b", "a")] == [True, False, False]


@pytest.mark.row(10, "at most 10 chunks", SIMPLE)
def test_ten_changes_of_type_are_served_and_eleven_are_not(sf):
    def alternating(count):
        return [record("Account", Name="Chunk") if index % 2 else record("Contact", LastName="Chunk") for index in range(count)]
    assert all(result["success"] for result in create(sf, alternating(10)))
    with pytest.raises(SalesforceMalformedRequest) as refused:
        create(sf, alternating(11))
    (error,) = refused.value.content
    assert "Cannot have more than 10 chunks in a single operation. Please rearrange the data to reduce chunking." in error["message"]


@pytest.mark.row(10, "at most 200 records", SIMPLE)
def test_201_records_are_refused(sf):
    assert len(create(sf, [record("Account", Name=f"n{index}") for index in range(200)])) == 200
    with pytest.raises(SalesforceMalformedRequest) as refused:
        create(sf, [record("Account", Name=f"n{index}") for index in range(201)])
    (error,) = refused.value.content
    assert error["errorCode"] == "EXCEEDED_ID_LIMIT"
    assert "record limit reached. cannot submit more than 200 records into this call" in error["message"]


@pytest.mark.row(10, "allOrNone rolls back, in its words", SIMPLE)
def test_one_bad_record_rolls_all_back(sf):
    made = create(sf, [record("Account", Name="Innocent", ExternalId__c="innocent"), record("Account", Phone="guilty")], all_or_none=True)
    assert [result["success"] for result in made] == [False, False]
    assert made[0]["errors"] == [{
        "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "fields": [],
        "message": "Record rolled back because not all records were valid and the request was using AllOrNone header"}]
    assert made[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert sf.query("SELECT COUNT() FROM Account WHERE ExternalId__c = 'innocent'")["totalSize"] == 0


@pytest.mark.row(10, "composite", SIMPLE)
def test_composite_carries_subrequests(sf):
    answer = sf.restful("composite", method="POST", json={"compositeRequest": [
        {"method": "GET", "url": "/services/data/v62.0/query?q=SELECT+COUNT()+FROM+Account", "referenceId": "count"},
        {"method": "GET", "url": "/services/data/v62.0/sobjects/Account/001000000000001AAA", "referenceId": "missing"}]})
    good, bad = answer["compositeResponse"]
    assert (good["referenceId"], good["httpStatusCode"], good["body"]["done"]) == ("count", 200, True)
    assert (bad["referenceId"], bad["httpStatusCode"], bad["body"][0]["errorCode"]) == ("missing", 404, "NOT_FOUND")
    assert good["httpHeaders"] == {}
