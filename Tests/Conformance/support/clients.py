"""Published clients, pointed at a simulated org by what they offer for that: a mounted adapter, a transport, a host, an authenticator.

None of them is changed (wire reference 10.1). Those that insist on https:// get an adapter that rewrites the address when
the request goes out, so that nothing but the transport differs from a real org.
"""

import datetime
import urllib.parse

import httpx
import pyforce
import requests
import zeep
from aiosalesforce import Salesforce as AsyncSalesforce
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from salesforce_bulk import SalesforceBulk
from simple_salesforce import Salesforce

VERSION = "62.0"


class LoopbackAdapter(requests.adapters.HTTPAdapter):
    """Sends what is meant for any https:// host to the org at `url`, over plain HTTP."""

    def __init__(self, url):
        super().__init__()
        self.url = url

    def send(self, request, **options):
        parts = urllib.parse.urlsplit(request.url)
        request.url = self.url + urllib.parse.urlunsplit(("", "", parts.path, parts.query, ""))
        return super().send(request, **options)


class Session(requests.Session):
    """A session that reaches the org for every https:// address; `answers` keeps what came back, oldest first."""

    def __init__(self, org):
        super().__init__()
        self.answers = []
        self.trust_env = False
        self.mount("https://", LoopbackAdapter(org.url))
        self.hooks["response"].append(lambda answer, *_, **__: self.answers.append(answer))

    @property
    def last(self):
        return self.answers[-1]


class LoopbackTransport(httpx.AsyncHTTPTransport):
    """The same for httpx."""

    def __init__(self, org):
        super().__init__()
        self.url = httpx.URL(org.url)
        self.answers = []

    async def handle_async_request(self, request):
        request.url = request.url.copy_with(scheme="http", host=self.url.host, port=self.url.port)
        request.headers["Host"] = f"{self.url.host}:{self.url.port}"
        answer = await super().handle_async_request(request)
        self.answers.append(answer)
        return answer


def token(org):
    """A session id of the integration user."""
    return org.control("POST", "sessions", {})["access_token"]


def simple(org, version=VERSION, **options):
    """simple-salesforce with a session id of its own."""
    return Salesforce(instance_url=org.url, session_id=token(org), session=Session(org), version=version, **options)


def simple_with_login(org, key, version=VERSION):
    """simple-salesforce that logs in by itself, by a signed assertion, as often as it must."""
    return Salesforce(username="integration@example.com", consumer_key=key.client_id, privatekey=key.private,
                      session=Session(org), version=version)


def bulk(org):
    return SalesforceBulk(sessionId=token(org), host=org.url, API_version=VERSION)


def soap(org, version="59.0"):
    """pyforce's client after its login."""
    client = pyforce.PythonClient(f"{org.url}/services/Soap/u/{version}")
    client.login("integration@example.com", "sample-password")
    return client


PARTNER = "urn:partner.soap.sforce.com"
RECORD = "urn:sobject.partner.soap.sforce.com"


class Partner:
    """zeep, with the WSDL that the org serves. `calls.create(sObjects=[...])`; `answers` keeps the raw replies, oldest first."""

    def __init__(self, org, version=VERSION):
        self.session = requests.Session()
        self.session.trust_env = False
        self.answers = []
        self.session.hooks["response"].append(lambda answer, *_, **__: self.answers.append(answer))
        self.client = zeep.Client(f"{org.url}/services/wsdl/partner?version={version}", settings=zeep.Settings(strict=False),
                                  transport=zeep.Transport(session=self.session, timeout=60, operation_timeout=60))
        self.address = f"{org.url}/services/Soap/u/{version}"
        self.service = self.client.create_service("{%s}SoapBinding" % PARTNER, self.address)
        self.headers = {"SessionHeader": {"sessionId": token(org)}}

    def call(self, name, headers=None, **parameters):
        """The result of a call: one object or a list, as the WSDL has it."""
        answer = getattr(self.service, name)(**parameters, _soapheaders={**self.headers, **(headers or {})})
        return answer.body.result

    def record(self, type, id=None, clear=(), **fields):
        """An sObject: its type, the names of the fields to clear, its id, then fields as text; a dict is a parent record."""
        make = self.client.get_type("{%s}sObject" % RECORD)
        elements = []
        for name, value in fields.items():
            if isinstance(value, dict):
                parent = dict(value)
                elements.append(zeep.xsd.AnyObject(zeep.xsd.Element("{%s}%s" % (RECORD, name), make),
                                                   self.record(parent.pop("type"), **parent)))
            else:
                elements.append(zeep.xsd.AnyObject(zeep.xsd.Element("{%s}%s" % (RECORD, name), zeep.xsd.String()), value))
        return make(type=type, fieldsToNull=list(clear), Id=id or zeep.xsd.SkipValue, _value_1=elements)

    def value(self, record, name):
        """The text of a field of a record that came back; None when it is nil."""
        (element,) = [element for element in record._value_1 if element.tag == "{%s}%s" % (RECORD, name)]
        return element.text


def asynchronous(org, auth, version=VERSION, **options):
    """aiosalesforce; its transport is `client.httpx_client._transport`."""
    transport = LoopbackTransport(org)
    client = AsyncSalesforce(httpx.AsyncClient(transport=transport, timeout=60), "https://acme.my.salesforce.com", auth, version, **options)
    return client, transport


class SigningKey:
    """An RSA key, its certificate, and the connected app that trusts it."""

    def __init__(self, org, client_id="assertion-app", **app):
        self.client_id = client_id
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, client_id)])
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                       .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                       .not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256()))
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM).decode()
        org.control("POST", "apps", {"clientId": client_id, "clientSecret": "secret", "certificate": self.certificate, **app})
