"""Row 4: SOAP login, as simple-salesforce reads it: by tag names with fixed prefixes (wire reference 3.3)."""

import pytest
from simple_salesforce import SalesforceLogin
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from support import clients
from support.checklist import SIMPLE


def login(org, password):
    session = clients.Session(org)
    try:
        return SalesforceLogin(username="integration@example.com", password=password, security_token="", scratch_url=org.url,
                               sf_version="59.0", session=session)
    finally:
        login.answer = session.last


@pytest.mark.row(4, "results without a prefix", SIMPLE)
def test_login_yields_session_and_server(org):
    session_id, instance = login(org, "sample-password")
    assert f"http://{instance}" == org.url
    assert "<sessionId>" in login.answer.text and "<serverUrl>" in login.answer.text
    assert session_id.count("!") == 1


@pytest.mark.row(4, "results without a prefix", SIMPLE)
def test_login_results_are_in_the_order_of_the_wsdl(org):
    login(org, "sample-password")
    names = ["metadataServerUrl", "passwordExpired", "sandbox", "serverUrl", "sessionId", "userId", "userInfo"]
    places = [login.answer.text.index(f"<{name}>") for name in names]
    assert places == sorted(places)


@pytest.mark.row(4, "results without a prefix", SIMPLE)
def test_session_of_a_login_works_in_rest(org):
    session_id, instance = login(org, "sample-password")
    sf = clients.Salesforce(instance=instance, session_id=session_id, session=clients.Session(org), version="62.0")
    assert sf.query("SELECT COUNT() FROM Account")["totalSize"] > 0


@pytest.mark.row(4, "HTTP 500 with sf:exceptionCode", SIMPLE)
def test_bad_password_is_a_fault_with_the_literal_prefix(org):
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        login(org, "wrong")
    assert login.answer.status_code == 500
    assert "<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>" in login.answer.text
    assert refused.value.code == "INVALID_LOGIN"
    assert "Invalid username, password, security token; or user locked out." in refused.value.auth_message
