"""A plain client of the simulated org over one kept-alive connection: it costs as little as a client can."""

import http.client
import json
import re
import time
import urllib.parse
from dataclasses import dataclass
from xml.sax.saxutils import escape

VERSION = "62.0"
ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" \
xmlns:urn="urn:partner.soap.sforce.com" xmlns:sf="urn:sobject.partner.soap.sforce.com"><soapenv:Header><urn:SessionHeader>\
<urn:sessionId>{token}</urn:sessionId></urn:SessionHeader></soapenv:Header><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"""
ASYNC = "http://www.force.com/2009/06/asyncapi/dataload"


@dataclass
class Job:
    id: str
    seconds: float
    batch: str = ""
    result: str = ""


class OrgClient:
    def __init__(self, org, token=None):
        self.token = token or org.control("POST", "sessions", {})["access_token"]
        self.connection = http.client.HTTPConnection(org.url.removeprefix("http://"), timeout=600)
        self.buffer = memoryview(bytearray(1 << 20))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def call(self, method, path, body=None, headers=None):
        """The answer's body; an answer other than 2xx is an error."""
        answer = self._send(method, path, body, headers)
        data = answer.read()
        assert 200 <= answer.status < 300, (answer.status, data[:500])
        return data

    def _send(self, method, path, body=None, headers=None):
        self.connection.putrequest(method, path, skip_accept_encoding=True)   # no gzip: it would measure zlib
        for name, value in {"Authorization": f"Bearer {self.token}", **(headers or {})}.items():
            self.connection.putheader(name, value)
        if body is not None:
            self.connection.putheader("Content-Length", str(len(body)))
        self.connection.endheaders(body)
        return self.connection.getresponse()

    def _drain(self, answer, file=None):
        """Reads a body to its end and returns its length."""
        assert answer.status == 200, (answer.status, answer.read()[:500])
        total = 0
        while count := answer.readinto(self.buffer):
            total += count
            if file:
                file.write(self.buffer[:count])
        return total

    # REST

    def query(self, text):
        return json.loads(self.call("GET", f"/services/data/v{VERSION}/query?{urllib.parse.urlencode({'q': text})}"))["records"]

    # SOAP

    def soap_write(self, operation, records, key="ExternalId__c"):
        """A create, update or upsert of Accounts, ready to be sent: a function that returns the answer."""
        objects = "".join("<urn:sObjects><sf:type>Account</sf:type>" + "".join(f"<sf:{name}>{escape(value)}</sf:{name}>" for name, value in record.items())
                          + "</urn:sObjects>" for record in records)
        external = f"<urn:externalIDFieldName>{key}</urn:externalIDFieldName>" if operation == "upsert" else ""
        body = ENVELOPE.format(token=self.token, body=f"<urn:{operation}>{external}{objects}</urn:{operation}>").encode()
        headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
        return lambda: self.call("POST", f"/services/Soap/u/{VERSION}", body, headers)

    @staticmethod
    def saved(answer):
        """The ids of a write's answer; a refused record is an error."""
        text = answer.decode()
        assert "<success>false" not in text, text[:2000]
        return re.findall(r"<id>([^<]+)</id>", text)

    # Bulk 2.0

    def bulk2_query(self, query):
        body = json.dumps({"operation": "query", "query": query}).encode()
        begun = time.perf_counter()
        path = f"/services/data/v{VERSION}/jobs/query"
        id = json.loads(self.call("POST", path, body, {"Content-Type": "application/json"}))["id"]
        while (state := json.loads(self.call("GET", f"{path}/{id}"))["state"]) != "JobComplete":
            assert state in ("UploadComplete", "InProgress"), state
            time.sleep(0.02)
        return Job(id, time.perf_counter() - begun)

    def bulk2_results(self, id, rows, keep=None):
        """Reads every page and returns bytes and records; `keep` is a file for the whole CSV."""
        path = f"/services/data/v{VERSION}/jobs/query/{id}/results"
        locator, total, records = None, 0, 0
        file = keep.open("wb") if keep else None
        while locator != "null":
            answer = self._send("GET", path + (f"?locator={locator}" if locator else ""))
            if file and locator:
                answer.readline()   # every page begins with the header line; a file needs it once
            total += self._drain(answer, file)
            records += int(answer.headers["Sforce-NumberOfRecords"])
            locator = answer.headers["Sforce-Locator"]
        if file:
            file.close()
        return total, records

    def bulk2_delete(self, id):
        self.call("DELETE", f"/services/data/v{VERSION}/jobs/query/{id}")

    # Bulk 1.0

    def _async(self, method, path, body=None, content_type="application/xml"):
        headers = {"X-SFDC-Session": self.token, "Content-Type": f"{content_type}; charset=UTF-8"}
        return self.call(method, f"/services/async/{VERSION}/job{path}", body, headers).decode()

    def bulk1_query(self, object_name, query):
        begun = time.perf_counter()
        document = (f'<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="{ASYNC}"><operation>query</operation><object>{object_name}</object>'
                    "<contentType>CSV</contentType></jobInfo>").encode()
        job = element("id", self._async("POST", "", document))
        batch = element("id", self._async("POST", f"/{job}/batch", query.encode(), "text/csv"))
        while (state := element("state", self._async("GET", f"/{job}/batch/{batch}"))) != "Completed":
            assert state in ("Queued", "InProgress"), state
            time.sleep(0.02)
        seconds = time.perf_counter() - begun
        return Job(job, seconds, batch, element("result", self._async("GET", f"/{job}/batch/{batch}/result")))

    def bulk1_results(self, job):
        """Reads the one file and returns its bytes."""
        path = f"/services/async/{VERSION}/job/{job.id}/batch/{job.batch}/result/{job.result}"
        return self._drain(self._send("GET", path, headers={"X-SFDC-Session": self.token}))


def element(name, text):
    return re.search(f"<{name}>([^<]*)</{name}>", text).group(1)
