"""Row 5: a token dies, and each client is told in the words of the API it speaks (wire reference 1.8)."""

import asyncio

import pytest
import zeep.exceptions
from aiosalesforce.auth import ClientCredentialsFlow
from pyforce.xmlclient import SessionTimeoutError
from salesforce_bulk.salesforce_bulk import BulkApiError
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceMalformedRequest

from support import clients
from support.checklist import AIO, BULK, PYFORCE, SIMPLE, ZEEP

DEAD = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


@pytest.mark.row(5, "REST: 401 with an array", SIMPLE)
def test_rest_answers_401_with_an_array(org, sf):
    sf.limits()
    org.expire_sessions()
    with pytest.raises(SalesforceExpiredSession) as refused:
        sf.query("SELECT Id FROM Account")
    assert refused.value.content == DEAD and sf.session.last.headers["WWW-Authenticate"] == "Token"


@pytest.mark.row(5, "Bulk 2.0: 401 with an array", SIMPLE)
def test_bulk2_answers_401_with_an_array(org, sf):
    org.expire_sessions()
    with pytest.raises(SalesforceExpiredSession) as refused:
        list(sf.bulk2.Account.query("SELECT Id FROM Account", wait=0))
    assert refused.value.content == DEAD


@pytest.mark.row(5, "SOAP: fault text Illegal Session", PYFORCE)
def test_soap_answers_a_fault_that_a_client_takes_for_a_lost_session(org):
    client = clients.soap(org)
    org.expire_sessions()
    with pytest.raises(SessionTimeoutError) as refused:
        client.getUserInfo()
    assert refused.value.faultCode == "INVALID_SESSION_ID" and "Illegal Session" in refused.value.faultString


@pytest.mark.row(5, "SOAP: fault text Illegal Session", ZEEP)
def test_soap_fault_names_the_code_in_every_part(org, partner):
    org.expire_sessions()
    with pytest.raises(zeep.exceptions.Fault) as refused:
        partner.call("getUserInfo")
    assert partner.answers[-1].status_code == 500
    assert refused.value.code == "sf:INVALID_SESSION_ID"
    assert refused.value.message.startswith("INVALID_SESSION_ID: ") and "Illegal Session" in refused.value.message
    (detail,) = refused.value.detail
    assert detail.tag == "{urn:fault.partner.soap.sforce.com}UnexpectedErrorFault"
    assert detail.find("{urn:fault.partner.soap.sforce.com}exceptionCode").text == "INVALID_SESSION_ID"


@pytest.mark.row(5, "Bulk 1.0: 400 with XML", BULK)
def test_bulk1_answers_400_with_xml(org):
    client = clients.bulk(org)
    org.expire_sessions()
    with pytest.raises(BulkApiError) as refused:
        client.create_query_job("Account")
    assert refused.value.status_code == 400
    assert "<exceptionCode>InvalidSessionId</exceptionCode><exceptionMessage>Invalid session id</exceptionMessage>" in str(refused.value)
    assert 'xmlns="http://www.force.com/2009/06/asyncapi/dataload"' in str(refused.value)


@pytest.mark.row(5, "Bulk 1.0: 400 with JSON", SIMPLE)
def test_bulk1_answers_400_with_json_to_json(org, sf):
    org.expire_sessions()
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.bulk.Account.query("SELECT Id FROM Account", wait=0.1)
    assert (refused.value.status, refused.value.content) == (
        400, {"exceptionCode": "InvalidSessionId", "exceptionMessage": "Invalid session id"})


@pytest.mark.row(5, "the client logs in again", SIMPLE)
def test_simple_salesforce_logs_in_again(org, key):
    sf = clients.simple_with_login(org, key)
    first = sf.session_id
    org.expire_sessions()
    assert sf.query("SELECT COUNT() FROM Account")["totalSize"] > 0
    assert sf.session_id != first
    assert [answer.status_code for answer in sf.session.answers] == [200, 401, 200, 200]


@pytest.mark.row(5, "the client logs in again", AIO)
def test_aiosalesforce_logs_in_again(org):
    async def run():
        client, transport = clients.asynchronous(org, ClientCredentialsFlow("hc-sync-sample", "sample-secret"))
        async with client.httpx_client:
            await client.get_limits()
            org.expire_sessions()
            await client.get_limits()
            return [answer.status_code for answer in transport.answers]

    assert asyncio.run(run()) == [200, 200, 401, 200, 200]


@pytest.mark.row(5, "the client logs in again", BULK)
def test_salesforce_bulk_goes_on_with_a_new_session(org):
    client = clients.bulk(org)
    job = client.create_query_job("Account")
    org.expire_sessions()
    with pytest.raises(BulkApiError):
        client.job_state(job)
    assert clients.bulk(org).job_state(job) == "Open", "a job outlives the token that made it"


@pytest.mark.row(5, "the client logs in again", ZEEP)
def test_zeep_goes_on_after_a_login(org, partner):
    org.expire_sessions()
    with pytest.raises(zeep.exceptions.Fault):
        partner.call("getServerTimestamp")
    result = partner.service.login(username="integration@example.com", password="sample-password")
    partner.headers = {"SessionHeader": {"sessionId": result.sessionId}}
    assert partner.call("getServerTimestamp").timestamp.tzinfo is not None


@pytest.mark.row(5, "the client logs in again", PYFORCE)
def test_pyforce_logs_in_again(org):
    client = clients.soap(org)
    org.expire_sessions()
    with pytest.raises(SessionTimeoutError):
        client.getUserInfo()
    client.login("integration@example.com", "sample-password")
    assert client.getUserInfo()["userEmail"] == "integration@example.com"
