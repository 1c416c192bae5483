"""A simulated Salesforce org under test, driven under /_sim/ as another user of the org would."""

import json
import urllib.error
import urllib.parse
import urllib.request

from . import programs
from .process import Program
from .waiting import wait_until

# What the tests call a fault, and what the simulator does.
KINDS = {
    "reject": "reject",                         # one record of a write: code, message, fields, record
    "drop_before_commit": "dropBeforeCommit",
    "drop_after_commit": "dropAfterCommit",
    "delay": "delay",                           # milliseconds; before=True delays the work, not the answer
    "error": "error",                           # status, code, message
    "unavailable": "unavailable",
    "unavailable_html": "unavailableHTML",
    "html": "html",
    "truncate": "truncate",
}
WRITES = ("create", "update", "upsert", "delete")


class Organization:
    """An org with the simulator's sample objects. `folder` keeps its file, so that it can be stopped and started again."""

    def __init__(self, folder, sample=True):
        self.port_file = folder / "simulator.port"
        self.url = None
        arguments = [programs() / "sf-simulator", "--listen", "127.0.0.1:0", "--database", folder / "org.sqlite",
                     "--port-file", self.port_file, "--exit-with-parent", *(["--sample"] if sample else [])]
        self.program = Program("sf-simulator", arguments, folder / "sf-simulator.log", folder=folder)

    @property
    def credentials(self):
        """The environment of a relay that may log in."""
        return {"SALESFORCE_LOGIN_URL": self.url, "SALESFORCE_CLIENT_ID": "hc-sync-sample",
                "SALESFORCE_CLIENT_SECRET": "sample-secret"}

    def start(self):
        self.port_file.unlink(missing_ok=True)
        self.program.start()

        def listening():
            assert self.program.running, "sf-simulator has stopped"
            return self.port_file.exists() and self.port_file.read_text().strip()

        self.url = f"http://127.0.0.1:{wait_until(listening, 20, 'the simulator to listen')}"
        return self

    def control(self, method, path, body=None, **query):
        """A request under /_sim/; returns the JSON of its answer."""
        query = {name: value for name, value in query.items() if value is not None}
        address = f"{self.url}/_sim/{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} /_sim/{path}: {error.code} {error.read().decode(errors='replace')}") from None
        return json.loads(text) if text else None

    # Records, as another user of the org changes them

    def insert(self, object_name, visible_after=None, **fields):
        """Creates a record and returns its Id; None when its transaction stays open for `visible_after` seconds of the org's clock."""
        body = {"records": [fields]}
        if visible_after is not None:
            body["commit"] = {"afterMilliseconds": visible_after * 1000}
        answer = self.control("POST", f"records/{object_name}", body)
        if visible_after is not None:
            return None
        return self._saved(answer)[0]

    def insert_many(self, object_name, records):
        """Creates records and returns their Ids in order."""
        return self._saved(self.control("POST", f"records/{object_name}", {"records": records}))

    def update(self, object_name, id, **fields):
        self._saved(self.control("PATCH", f"records/{object_name}", {"records": [{"Id": id, **fields}]}))

    def delete(self, object_name, *ids):
        self._saved(self.control("DELETE", f"records/{object_name}", {"ids": list(ids)}))

    def generate(self, object_name, count, **templates):
        """Makes many records at once; a template such as "n{n}" counts them."""
        return self.control("POST", "generate", {"object": object_name, "count": count, "fields": templates})

    def records(self, object_name, where=None, limit=100_000):
        """Every record with every field, deleted ones too."""
        return self.control("GET", f"records/{object_name}", where=where, limit=limit)

    def record(self, object_name, id):
        (record,) = self.records(object_name, f"Id = '{id}'")
        return record

    @staticmethod
    def _saved(results):
        refused = [result for result in results if not result["success"]]
        assert not refused, refused
        return [result["id"] for result in results]

    # Calls

    def calls(self, path=None, method=None, **query):
        """The call log; `family`, `operation` and `object` narrow it at the org, `path` (a part) and `method` here."""
        return [call for call in self.control("GET", "calls", **query)
                if (path is None or path in call["path"]) and (method is None or call["method"] == method)]

    def writes(self):
        """The calls that wrote and were answered, in order, each with the records that were sent."""
        return [call for call in self.calls() if call["family"] != "control" and call["operation"] in WRITES and call["status"] == 200]

    def forget_calls(self):
        self.control("DELETE", "calls")

    # What goes wrong

    def fault(self, action, api=None, operation=None, object=None, path=None, value=None, times=1, nth=1, before=False, **details):
        """Adds a fault for calls that match and returns its number."""
        match = {"family": api, "operation": operation, "object": object, "path": path, "value": value}
        body = {"kind": KINDS[action], "match": {key: value for key, value in match.items() if value is not None},
                "times": times, "nth": nth, **({"when": "before"} if before else {}), **details}
        return self.control("POST", "faults", body)["id"]

    def wait_for_fault(self, fault, timeout=20):
        """Waits until a call has met the fault."""
        wait_until(lambda: any(f["id"] == fault and f["used"] > 0 for f in self.control("GET", "faults")), timeout, "the fault to be met")

    def remove_faults(self):
        self.control("DELETE", "faults")

    def expire_sessions(self):
        self.control("DELETE", "sessions")

    def remove_rules(self, object_name):
        self.control("DELETE", f"objects/{object_name}/rules")

    def advance_clock(self, seconds=0, minutes=0):
        self.control("POST", "clock", {"advanceSeconds": seconds + 60 * minutes})
