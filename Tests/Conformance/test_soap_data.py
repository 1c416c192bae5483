"""Row 13: the data calls of SOAP, with zeep and the org's own WSDL (wire reference 3.2 to 3.5)."""

import datetime
import xml.etree.ElementTree as ET

import pytest
import zeep.exceptions
from pyforce.xmlclient import SoapFaultError

from support import clients
from support.checklist import PYFORCE, ZEEP

P = "{urn:partner.soap.sforce.com}"
S = "{urn:sobject.partner.soap.sforce.com}"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def raw(partner):
    """The results of the last reply, as XML."""
    return list(ET.fromstring(partner.answers[-1].content).iter(f"{P}result"))


def names(element):
    return [child.tag.split("}")[1] for child in element]


def now(org):
    return datetime.datetime.fromisoformat(org.control("GET", "clock")["now"].replace("Z", "+00:00").replace("+0000", "+00:00"))


@pytest.mark.row(13, "the WSDL is read", ZEEP)
def test_wsdl_offers_the_calls_of_the_partner_api(partner):
    port = partner.client.wsdl.bindings["{urn:partner.soap.sforce.com}SoapBinding"]
    assert {"login", "create", "update", "upsert", "delete", "undelete", "query", "queryAll", "queryMore", "retrieve", "getUpdated",
            "getDeleted", "describeGlobal", "describeSObject", "describeSObjects", "getServerTimestamp", "getUserInfo"} <= set(port.all())


@pytest.mark.row(13, "the WSDL is read", ZEEP)
def test_login_and_user_information(org, partner):
    result = partner.service.login(username="integration@example.com", password="sample-password")
    assert result.serverUrl.startswith(org.url) and result.userInfo.userName == "integration@example.com"
    partner.headers = {"SessionHeader": {"sessionId": result.sessionId}}
    assert partner.call("getUserInfo").organizationId == result.userInfo.organizationId


@pytest.mark.row(13, "the WSDL is read", ZEEP)
def test_limit_header_is_read(partner):
    answer = partner.service.getServerTimestamp(_soapheaders=partner.headers)
    limit = answer.header.LimitInfoHeader.limitInfo[0]
    assert limit.type == "API REQUESTS" and 0 < limit.current <= limit.limit


@pytest.mark.row(13, "the WSDL is read", ZEEP)
def test_fault_is_read(partner):
    with pytest.raises(zeep.exceptions.Fault) as refused:
        partner.call("query", queryString="SELECT Nothing__c FROM Account")
    assert partner.answers[-1].status_code == 500
    assert refused.value.code == "sf:INVALID_FIELD" and "Nothing__c" in refused.value.message
    (detail,) = refused.value.detail
    assert names(detail)[:2] == ["exceptionCode", "exceptionMessage"] and {"row", "column"} <= set(names(detail))


@pytest.mark.row(13, "results in the order of the request", ZEEP)
def test_one_result_for_each_record_in_order(org, partner):
    made = partner.call("create", sObjects=[
        partner.record("Account", Name="First"), partner.record("Account", Phone="no name"), partner.record("Account", Name="Third")])
    assert [result.success for result in made] == [True, False, True]
    assert (made[1].id, made[1].errors[0].statusCode, made[1].errors[0].message, made[1].errors[0].fields) == (
        None, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ["Name"])
    assert [org.record("Account", made[place].id)["Name"] for place in (0, 2)] == ["First", "Third"]


@pytest.mark.row(13, "results in the order of the request", ZEEP)
def test_delete_and_undelete(org, partner):
    kept, gone = org.insert_many("Account", [{"Name": "Kept"}, {"Name": "Gone"}])
    org.delete("Account", gone)
    results = partner.call("delete", ids=[kept, gone])
    assert [result.success for result in results] == [True, False]
    assert (results[1].errors[0].statusCode, results[1].errors[0].message) == ("ENTITY_IS_DELETED", "entity is deleted")
    assert [result.success for result in partner.call("undelete", ids=[gone, kept])] == [True, True]
    assert org.record("Account", gone)["IsDeleted"] is False


@pytest.mark.row(13, "results in the order of the request", ZEEP)
def test_all_or_none(org, partner):
    results = partner.call("create", headers={"AllOrNoneHeader": {"allOrNone": True}}, sObjects=[
        partner.record("Account", Name="Innocent by SOAP"), partner.record("Account", Phone="guilty")])
    assert [result.errors[0].statusCode for result in results] == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert not org.records("Account", "Name = 'Innocent by SOAP'")


@pytest.mark.row(13, "results in the order of the schema", ZEEP)
def test_elements_of_results_are_in_the_order_of_the_schema(partner):
    partner.call("create", sObjects=[partner.record("Account", Name="Ordered"), partner.record("Account", Phone="1")])
    good, bad = raw(partner)
    assert names(good) == ["id", "success"] and names(bad) == ["errors", "id", "success"]
    (errors,) = bad.findall(f"{P}errors")
    assert names(errors) == ["fields", "message", "statusCode"]
    partner.call("query", queryString="SELECT Name FROM Account LIMIT 2")
    (result,) = raw(partner)
    assert names(result) == ["done", "queryLocator", "records", "records", "size"]


@pytest.mark.row(13, "null is xsi:nil", ZEEP)
def test_nil_stands_for_null(org, partner):
    id = org.insert("Account", Name="Empty")
    found = partner.call("query", queryString=f"SELECT Name, Phone FROM Account WHERE Id = '{id}'")
    assert (partner.value(found.records[0], "Name"), partner.value(found.records[0], "Phone"), found.queryLocator) == ("Empty", None, None)
    (result,) = raw(partner)
    assert result.find(f"{P}queryLocator").get(NIL) == "true"
    assert result.find(f"{P}records/{S}Phone").get(NIL) == "true"
    bad = partner.call("create", sObjects=[partner.record("Account", Phone="1")])
    assert bad[0].id is None and raw(partner)[0].find(f"{P}id").get(NIL) == "true"


@pytest.mark.row(13, "null is xsi:nil", ZEEP)
def test_parent_and_children_in_a_query(org, partner):
    parent = org.insert("Account", Name="With child")
    org.insert("Contact", LastName="Child", AccountId=parent)
    partner.call("query", queryString=f"SELECT Name, Account.Name FROM Contact WHERE AccountId = '{parent}'")
    (record,) = raw(partner)[0].findall(f"{P}records")
    assert (record.find(f"{S}Account/{S}type").text, record.find(f"{S}Account/{S}Name").text) == ("Account", "With child")


@pytest.mark.row(13, "Id comes twice", ZEEP)
def test_id_comes_once_as_element_and_once_as_field(org, partner):
    id = org.insert("Account", Name="Twice")
    found = partner.call("query", queryString=f"SELECT Id, Name FROM Account WHERE Id = '{id}'")
    assert found.records[0].Id == id and partner.value(found.records[0], "Id") == id
    (record,) = raw(partner)[0].findall(f"{P}records")
    assert names(record) == ["type", "Id", "Id", "Name"]
    partner.call("query", queryString=f"SELECT Name FROM Account WHERE Id = '{id}'")
    (record,) = raw(partner)[0].findall(f"{P}records")
    assert names(record) == ["type", "Id", "Name"] and record.find(f"{S}Id").get(NIL) == "true"


@pytest.mark.row(13, "fieldsToNull", ZEEP)
def test_fields_to_null_clears_and_an_empty_element_does_not(org, partner):
    id = org.insert("Account", Name="Clear", Phone="1", Fax="2")
    (result,) = partner.call("update", sObjects=[partner.record("Account", id, clear=["Phone"], Fax="")])
    assert result.success
    record = org.record("Account", id)
    assert (record["Phone"], record["Fax"]) == (None, "2")


@pytest.mark.row(13, "fieldsToNull", ZEEP)
def test_a_field_both_set_and_cleared_is_refused(org, partner):
    id = org.insert("Account", Name="Both", Phone="1")
    (result,) = partner.call("update", sObjects=[partner.record("Account", id, clear=["Phone"], Phone="2")])
    assert not result.success and org.record("Account", id)["Phone"] == "1"


@pytest.mark.row(13, "queryMore", ZEEP)
def test_query_more_follows_the_locator(org, partner):
    org.generate("Account", 600, Name="More {n}")
    page = partner.call("query", queryString="SELECT Id FROM Account WHERE Name LIKE 'More %'")
    assert (page.done, page.size, len(page.records)) == (False, 600, 500), "500 a page, unless a header asks for another number"
    rest = partner.call("queryMore", queryLocator=page.queryLocator)
    assert (rest.done, rest.queryLocator, len(rest.records)) == (True, None, 100)
    assert len({record.Id for record in page.records + rest.records}) == 600


@pytest.mark.row(13, "queryMore", ZEEP)
def test_query_options_set_the_page(org, partner):
    org.generate("Account", 300, Name="Small page {n}")
    page = partner.call("query", headers={"QueryOptions": {"batchSize": 200}},
                        queryString="SELECT Id FROM Account WHERE Name LIKE 'Small page %'")
    assert len(page.records) == 200
    with pytest.raises(zeep.exceptions.Fault) as refused:
        partner.call("queryMore", queryLocator="01gxx0000000000AAA-500")
    assert refused.value.code == "sf:INVALID_QUERY_LOCATOR"


@pytest.mark.row(13, "upsert", ZEEP)
def test_upsert_says_what_was_created_and_names_a_parent_by_external_id(org, partner):
    parent = org.insert("Account", Name="Parent", ExternalId__c="soap-parent")
    def upsert(key, **fields):
        return partner.record("Contact", ExternalId__c=key, **fields)
    made = partner.call("upsert", externalIDFieldName="ExternalId__c", sObjects=[
        upsert("soap-1", LastName="One", Account={"type": "Account", "ExternalId__c": "soap-parent"}),
        upsert("soap-2", LastName="Two", Account={"type": "Account", "ExternalId__c": "nobody"})])
    assert [(result.created, result.success) for result in made] == [(True, True), (False, False)]
    assert made[1].errors[0].statusCode == "INVALID_FIELD"
    assert made[1].errors[0].message == "Foreign key external ID: nobody not found for field ExternalId__c in entity Account"
    assert org.record("Contact", made[0].id)["AccountId"] == parent
    (again,) = partner.call("upsert", externalIDFieldName="ExternalId__c", sObjects=[upsert("soap-1", LastName="One again")])
    assert (again.created, again.id) == (False, made[0].id)


@pytest.mark.row(13, "upsert", ZEEP)
def test_one_external_id_twice_in_a_call(partner):
    results = partner.call("upsert", externalIDFieldName="ExternalId__c", sObjects=[
        partner.record("Account", ExternalId__c="soap-twice", Name="A"), partner.record("Account", ExternalId__c="soap-twice", Name="B")])
    assert [result.errors[0].statusCode for result in results] == ["DUPLICATE_VALUE"] * 2


@pytest.mark.row(13, "getUpdated, getDeleted", ZEEP)
def test_get_updated_and_get_deleted(org, partner):
    changed, gone = org.insert_many("Account", [{"Name": "Changed by SOAP"}, {"Name": "Gone by SOAP"}])
    org.delete("Account", gone)
    span = {"startDate": now(org) - datetime.timedelta(minutes=5), "endDate": now(org) + datetime.timedelta(minutes=5)}
    updated = partner.call("getUpdated", sObjectType="Account", **span)
    assert changed in updated.ids and updated.latestDateCovered.tzinfo is not None
    deleted = partner.call("getDeleted", sObjectType="Account", **span)
    assert gone in [record.id for record in deleted.deletedRecords] and deleted.earliestDateAvailable < deleted.latestDateCovered


@pytest.mark.row(13, "getUpdated, getDeleted", ZEEP)
def test_get_updated_of_a_span_that_ends_before_it_begins(org, partner):
    with pytest.raises(zeep.exceptions.Fault) as refused:
        partner.call("getUpdated", sObjectType="Account", startDate=now(org), endDate=now(org) - datetime.timedelta(minutes=5))
    assert refused.value.code == "sf:INVALID_REPLICATION_DATE"


@pytest.mark.row(13, "retrieve", ZEEP)
def test_retrieve_keeps_the_places(org, partner):
    first, second = org.insert_many("Account", [{"Name": "R1"}, {"Name": "R2"}])
    found = partner.call("retrieve", fieldList="Id, Name", sObjectType="Account", ids=[second, "001000000000001AAA", first])
    assert [record.type and partner.value(record, "Name") for record in found] == ["R2", None, "R1"]
    assert raw(partner)[1].get(NIL) == "true"


@pytest.mark.row(13, "pyforce reads it too", PYFORCE)
def test_pyforce_writes_and_reads(org):
    client = clients.soap(org)
    (made,) = client.create([{"type": "Account", "Name": "By pyforce", "Phone": "1"}])
    assert made["success"] and made["errors"] == []
    (changed,) = client.update([{"type": "Account", "Id": made["id"], "Phone": "2"}])
    assert changed["success"]
    found = client.query(f"SELECT Id, Name, Phone FROM Account WHERE Id = '{made['id']}'")
    assert (found.size, found.done, found[0].Name, found[0].Phone) == (1, True, "By pyforce", "2")


@pytest.mark.row(13, "pyforce reads it too", PYFORCE)
def test_pyforce_clears_and_deletes_where_no_order_is_enforced(org):
    """It names the fields to clear after the others, and says `id` where the WSDL has `ids`."""
    id = org.insert("Account", Name="By pyforce", Phone="1")
    client = clients.soap(org)
    with pytest.raises(SoapFaultError):
        client.update([{"type": "Account", "Id": id, "Phone": None}])
    org.control("PATCH", "settings", {"soap": {"enforcesElementOrder": False}})
    try:
        (changed,) = client.update([{"type": "Account", "Id": id, "Phone": None}])
        assert changed["success"] and org.record("Account", id)["Phone"] is None
        (gone,) = client.delete([id])
        assert gone["success"] and org.record("Account", id)["IsDeleted"] is True
    finally:
        org.control("PATCH", "settings", {"soap": {"enforcesElementOrder": True}})
