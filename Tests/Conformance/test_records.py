"""Row 9: single records (wire reference 2.2, 2.7)."""

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceMoreThanOneRecord, SalesforceResourceNotFound

from support import clients
from support.checklist import SIMPLE


def account(sf, **fields):
    return sf.Account.create({"Name": "Single", **fields})["id"]


@pytest.fixture(scope="module")
def twins(org):
    """Two accounts with one external id, which is not unique."""
    org.control("POST", "objects/Account/fields", {
        "name": "Shared__c", "type": "string", "length": 40, "externalId": True, "idLookup": True, "unique": False})
    return org.insert_many("Account", [{"Name": "Twin A", "Shared__c": "twin"}, {"Name": "Twin B", "Shared__c": "twin"}])


@pytest.mark.row(9, "201 on create", SIMPLE)
def test_create(sf):
    made = sf.Account.create({"Name": "Made", "ExternalId__c": "made"})
    assert (made["success"], made["errors"]) == (True, []) and len(made["id"]) == 18
    assert sf.session.last.status_code == 201
    assert sf.session.last.headers["Location"] == f"/services/data/v62.0/sobjects/Account/{made['id']}"


@pytest.mark.row(9, "201 on create", SIMPLE)
def test_refused_create_names_the_missing_field(sf):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.Account.create({"Phone": "1"})
    assert refused.value.content == [
        {"message": "Required fields are missing: [Name]", "errorCode": "REQUIRED_FIELD_MISSING", "fields": ["Name"]}]


@pytest.mark.row(9, "200 on get", SIMPLE)
def test_get(sf):
    id = account(sf, Phone="+1 555 1")
    found = sf.Account.get(id)
    assert sf.session.last.status_code == 200
    assert found["attributes"] == {"type": "Account", "url": f"/services/data/v62.0/sobjects/Account/{id}"}
    assert (found["Id"], found["Name"], found["Phone"], found["Fax"], found["IsDeleted"]) == (id, "Single", "+1 555 1", None, False)
    assert found["SystemModstamp"].endswith(".000+0000")


@pytest.mark.row(9, "200 on get", SIMPLE)
def test_get_of_some_fields_by_the_short_id(sf):
    id = account(sf)
    found = sf.Account.get(id[:15], params={"fields": "Name,Phone"})
    assert found["Name"] == "Single" and "Fax" not in found


@pytest.mark.row(9, "204 on update and delete", SIMPLE)
def test_update(sf):
    id = account(sf, Phone="1")
    assert sf.Account.update(id, {"Phone": None, "Fax": "2"}) == 204 and sf.session.last.content == b""
    found = sf.Account.get(id)
    assert (found["Phone"], found["Fax"]) == (None, "2")


@pytest.mark.row(9, "204 on update and delete", SIMPLE)
def test_update_with_an_id_in_its_body(sf):
    id = account(sf)
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.Account.update(id, {"Id": id, "Phone": "1"})
    (error,) = refused.value.content
    assert error["errorCode"] == "INVALID_FIELD"
    assert "The Id field should not be specified in the sobject data." in error["message"]


@pytest.mark.row(9, "204 on update and delete", SIMPLE)
def test_delete(sf):
    id = account(sf)
    assert sf.Account.delete(id) == 204
    with pytest.raises(SalesforceResourceNotFound) as refused:
        sf.Account.delete(id)
    assert refused.value.content[0]["errorCode"] == "ENTITY_IS_DELETED"


@pytest.mark.row(9, "300 lists the records", SIMPLE)
@pytest.mark.parametrize("call", ["get", "upsert"])
def test_external_id_of_two_records(sf, twins, call):
    with pytest.raises(SalesforceMoreThanOneRecord) as refused:
        if call == "get":
            sf.Account.get_by_custom_id("Shared__c", "twin")
        else:
            sf.Account.upsert("Shared__c/twin", {"Name": "Triplet"})
    assert sf.session.last.status_code == 300
    assert sorted(refused.value.content) == sorted(f"/services/data/v62.0/sobjects/Account/{id}" for id in twins)


@pytest.mark.row(9, "404", SIMPLE)
def test_unknown_record(sf):
    with pytest.raises(SalesforceResourceNotFound) as refused:
        sf.Account.get("001000000000001AAA")
    assert refused.value.content[0]["errorCode"] == "NOT_FOUND"


@pytest.mark.row(9, "404", SIMPLE)
def test_record_in_the_bin(org, sf):
    id = account(sf)
    org.delete("Account", id)
    with pytest.raises(SalesforceResourceNotFound) as refused:
        sf.Account.update(id, {"Phone": "1"})
    assert refused.value.content[0]["errorCode"] == "ENTITY_IS_DELETED"


@pytest.mark.row(9, "404", SIMPLE)
def test_unknown_external_id_field(sf):
    with pytest.raises(SalesforceResourceNotFound) as refused:
        sf.Account.get_by_custom_id("Phone", "1")
    (error,) = refused.value.content
    assert error == {"errorCode": "NOT_FOUND", "message": "Provided external ID field does not exist or is not accessible: Phone"}


@pytest.mark.row(9, "404", SIMPLE)
def test_unknown_object_and_resource(sf):
    for path in ("sobjects/Nothing__c/describe", "nothing"):
        with pytest.raises(SalesforceResourceNotFound) as refused:
            sf.restful(path)
        assert refused.value.content == [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]


@pytest.mark.row(9, "upsert body from 46.0", SIMPLE)
def test_upsert_tells_whether_it_created(sf):
    made = sf.Account.upsert("ExternalId__c/upsert-new", {"Name": "Upserted"}, raw_response=True)
    assert made.status_code == 201
    id = made.json()["id"]
    assert made.json() == {"id": id, "success": True, "errors": [], "created": True}
    again = sf.Account.upsert("ExternalId__c/upsert-new", {"Name": "Upserted again"}, raw_response=True)
    assert (again.status_code, again.json()) == (200, {"id": id, "success": True, "errors": [], "created": False})
    assert sf.Account.get(id)["Name"] == "Upserted again"


@pytest.mark.row(9, "upsert body before 46.0", SIMPLE)
def test_upsert_of_an_old_version_is_silent_about_updates(org):
    sf = clients.simple(org, version="45.0")
    made = sf.Account.upsert("ExternalId__c/upsert-old", {"Name": "Old"}, raw_response=True)
    assert made.status_code == 201 and made.json()["success"] is True
    again = sf.Account.upsert("ExternalId__c/upsert-old", {"Name": "Old again"}, raw_response=True)
    assert (again.status_code, again.content) == (204, b"")


@pytest.mark.row(9, "get by external id", SIMPLE)
@pytest.mark.parametrize("value", ["plain", "sla/sh", "dot.ted", "ümläut&more", "per%cent"])
def test_get_by_external_id(sf, value):
    id = account(sf, ExternalId__c=value)
    assert sf.Account.get_by_custom_id("ExternalId__c", value)["Id"] == id
