"""Rows 1 to 3: tokens."""

import asyncio
import base64
import hashlib
import json
import secrets
import urllib.parse
from html.parser import HTMLParser

import jwt
import pytest
import requests
from aiosalesforce.auth import ClientCredentialsFlow, JwtBearerFlow
from simple_salesforce import SalesforceLogin
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from support import clients
from support.checklist import AIO, HTTP, SIMPLE


def login(org, key, private=None):
    session = clients.Session(org)
    return SalesforceLogin(username="integration@example.com", consumer_key=key.client_id, privatekey=private or key.private,
                           session=session), session.last


def claims(answer):
    """What the client signed and sent."""
    form = urllib.parse.parse_qs(answer.request.body)
    return jwt.decode(form["assertion"][0], options={"verify_signature": False})


def form(org, path, **fields):
    return requests.post(f"{org.url}/services/oauth2/{path}", data=fields)


def get(org, path, token):
    return requests.get(org.url + path, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.row(1, "exp as a JSON string is accepted", SIMPLE)
def test_expiry_of_an_assertion_may_be_a_string(org, key):
    (token, _), answer = login(org, key)
    assert isinstance(claims(answer)["exp"], str), "the client sends a string; else this test proves nothing"
    assert answer.status_code == 200 and token


@pytest.mark.row(1, "RS256 is verified", SIMPLE)
def test_assertion_signed_by_another_key_is_refused(org, key):
    other = clients.SigningKey(org, "other-app")
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        login(org, key, private=other.private)
    assert (refused.value.code, refused.value.auth_message) == ("invalid_grant", "invalid assertion")


@pytest.mark.row(1, "the reply has access_token and instance_url", SIMPLE)
def test_assertion_yields_token_and_instance(org, key):
    (token, instance), answer = login(org, key)
    reply = answer.json()
    assert (token, f"http://{instance}") == (reply["access_token"], org.url)
    assert reply["instance_url"] == org.url and reply["token_type"] == "Bearer"
    assert "refresh_token" not in reply and "expires_in" not in reply
    assert token.split("!")[0] == reply["id"].split("/")[-2][:15], "a token begins with the org's id of 15 characters"


@pytest.mark.row(1, "the reply has access_token and instance_url", AIO)
def test_aiosalesforce_logs_in_by_assertion(org, key, tmp_path):
    file = tmp_path / "key.pem"
    file.write_text(key.private)

    async def limits():
        client, transport = clients.asynchronous(org, JwtBearerFlow(key.client_id, "integration@example.com", file))
        async with client.httpx_client:
            return await client.get_limits(), [answer.status_code for answer in transport.answers]

    found, statuses = asyncio.run(limits())
    assert "DailyApiRequests" in found and statuses == [200, 200]


@pytest.mark.row(2, "HTTP Basic form", SIMPLE)
def test_client_credentials_by_basic_header(org):
    session = clients.Session(org)
    token, instance = SalesforceLogin(
        consumer_key="hc-sync-sample", consumer_secret="sample-secret", domain="acme.my", session=session)
    assert session.last.request.headers["Authorization"].startswith("Basic ") and "client_id" not in session.last.request.body
    assert f"http://{instance}" == org.url
    assert get(org, "/services/data/v62.0/limits", token).status_code == 200


@pytest.mark.row(2, "HTTP Basic form", SIMPLE)
def test_client_credentials_with_a_wrong_secret(org):
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        SalesforceLogin(consumer_key="hc-sync-sample", consumer_secret="wrong", domain="acme.my", session=clients.Session(org))
    assert (refused.value.code, refused.value.auth_message) == ("invalid_client", "invalid client credentials")


@pytest.mark.row(2, "body form", AIO)
def test_client_credentials_in_the_body(org):
    async def limits():
        client, transport = clients.asynchronous(org, ClientCredentialsFlow("hc-sync-sample", "sample-secret"))
        async with client.httpx_client:
            return await client.get_limits()

    assert "DailyApiRequests" in asyncio.run(limits())


@pytest.mark.row(3, "refresh with rotation", HTTP)
def test_refresh_token_is_replaced_and_the_old_one_dies(org):
    org.control("POST", "apps", {"clientId": "rotating", "clientSecret": "s", "rotatesRefreshTokens": True})
    old = org.control("POST", "refresh-tokens", {"clientId": "rotating"})["refresh_token"]
    fields = {"grant_type": "refresh_token", "client_id": "rotating", "client_secret": "s"}
    reply = form(org, "token", **fields, refresh_token=old).json()
    assert reply["refresh_token"] != old and reply["access_token"] and reply["issued_at"].isdigit() and reply["signature"]
    assert form(org, "token", **fields, refresh_token=reply["refresh_token"]).status_code == 200
    refused = form(org, "token", **fields, refresh_token=old)
    assert refused.status_code == 400
    assert refused.json() == {"error": "invalid_grant", "error_description": "expired access/refresh token"}


class Form(HTMLParser):
    """The form of a page: where it goes and what its fields hold."""

    def __init__(self, text):
        super().__init__()
        self.fields = {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.action = attributes["action"]
        if tag in ("input", "button") and "name" in attributes:
            self.fields.setdefault(attributes["name"], attributes.get("value") or "")


def log_in(org, **changes):
    """What a browser does on the way to a code: the query of the address that it is sent to, and the code verifier."""
    org.control("POST", "apps", {"clientId": "browser-app", "clientSecret": "s", "callbacks": ["http://127.0.0.1:7171/callback"]})
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    page = requests.get(f"{org.url}/services/oauth2/authorize", params={
        "response_type": "code", "client_id": "browser-app", "redirect_uri": "http://127.0.0.1:7171/callback",
        "scope": "api refresh_token id", "state": "S", "code_challenge": challenge, "code_challenge_method": "S256"})
    shown = Form(page.text)
    fields = {**shown.fields, "username": "integration@example.com", "password": "sample-password", **changes}
    answer = requests.post(urllib.parse.urljoin(page.url, shown.action), data=fields, allow_redirects=False)
    assert answer.status_code in (302, 303)
    address = urllib.parse.urlsplit(answer.headers["Location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == "http://127.0.0.1:7171/callback"
    return dict(urllib.parse.parse_qsl(address.query)), verifier


@pytest.mark.row(3, "code with PKCE", HTTP)
def test_code_is_exchanged_once_and_only_with_its_verifier(org):
    back, verifier = log_in(org)
    assert back["state"] == "S"
    fields = {"grant_type": "authorization_code", "client_id": "browser-app", "client_secret": "s",
              "redirect_uri": "http://127.0.0.1:7171/callback", "code": back["code"]}
    reply = form(org, "token", **fields, code_verifier=verifier).json()
    assert get(org, "/services/data/v62.0/limits", reply["access_token"]).status_code == 200
    assert reply["refresh_token"] and "refresh_token" in reply["scope"].split()
    again = form(org, "token", **fields, code_verifier=verifier)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant", "error_description": "expired authorization code"})


@pytest.mark.row(3, "code with PKCE", HTTP)
def test_code_with_another_verifier_is_refused(org):
    back, _ = log_in(org)
    refused = form(org, "token", grant_type="authorization_code", client_id="browser-app", client_secret="s",
                   redirect_uri="http://127.0.0.1:7171/callback", code=back["code"], code_verifier=secrets.token_urlsafe(48))
    assert refused.status_code == 400 and refused.json()["error"] == "invalid_grant"


@pytest.mark.row(3, "code with PKCE", HTTP)
def test_denied_access_comes_back_as_an_error(org):
    back, _ = log_in(org, decision="deny")
    assert back == {"error": "access_denied", "error_description": "end-user denied authorization", "state": "S"}


@pytest.mark.row(3, "introspect", HTTP)
def test_introspection_tells_whose_token_it_is_and_until_when(org):
    app = {"client_id": "hc-sync-sample", "client_secret": "sample-secret"}
    reply = form(org, "introspect", token=clients.token(org), token_type_hint="access_token", **app).json()
    assert reply["active"] is True and reply["username"] == "integration@example.com" and reply["token_type"] == "access_token"
    assert reply["exp"] > reply["iat"]
    assert form(org, "introspect", token="nothing", **app).json() == {"active": False}


@pytest.mark.row(3, "revoke", HTTP)
def test_revoked_token_is_dead(org):
    token = clients.token(org)
    assert form(org, "revoke", token=token).status_code == 200
    assert get(org, "/services/data/v62.0/limits", token).status_code == 401
    again = form(org, "revoke", token=token)
    assert again.status_code == 400 and again.json()["error"] in ("invalid_token", "unsupported_token_type")


@pytest.mark.row(3, "userinfo", HTTP)
def test_userinfo_names_user_and_org(org):
    reply = get(org, "/services/oauth2/userinfo", clients.token(org)).json()
    assert {"sub", "user_id", "organization_id", "preferred_username", "nickname", "name", "email", "email_verified", "given_name",
            "family_name", "zoneinfo", "urls", "active", "user_type", "language", "locale", "utcOffset", "updated_at",
            "is_app_installed"} <= set(reply)
    assert "{version}" in reply["urls"]["rest"] and reply["urls"]["rest"].startswith(org.url)


@pytest.mark.row(3, "identity URL", HTTP)
def test_identity_url_of_the_token_reply_answers(org):
    app = {"client_id": "hc-sync-sample", "client_secret": "sample-secret"}
    reply = form(org, "token", grant_type="client_credentials", **app).json()
    assert reply["id"].startswith(org.url), "the host is the one that was asked"
    identity = requests.get(reply["id"], headers={"Authorization": f"Bearer {reply['access_token']}"}).json()
    assert (identity["username"], identity["id"]) == ("integration@example.com", reply["id"])
    dead = requests.get(reply["id"], headers={"Authorization": "Bearer nothing"})
    assert (dead.status_code, dead.text) == (403, "Bad_OAuth_Token")


@pytest.mark.row(3, "error JSON", HTTP)
@pytest.mark.parametrize("fields, error, description", [
    ({"grant_type": "guess"}, "unsupported_grant_type", "grant type not supported"),
    ({"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "x"}, "invalid_client_id", "client identifier invalid"),
    ({"grant_type": "client_credentials", "client_id": "hc-sync-sample", "client_secret": "x"}, "invalid_client", "invalid client credentials"),
    ({"grant_type": "refresh_token", "client_id": "hc-sync-sample", "client_secret": "sample-secret", "refresh_token": "x"},
     "invalid_grant", "expired access/refresh token"),
])
def test_refusals_of_the_token_endpoint(org, fields, error, description):
    refused = form(org, "token", **fields)
    assert refused.status_code in (400, 401)
    assert refused.headers["Content-Type"].startswith("application/json")
    assert refused.json() == {"error": error, "error_description": description}
    assert json.loads(refused.text), "an object, not an array"
