"""A simulated Salesforce org under test, driven under /_sim/ as another user of the org would."""

import json
import urllib.error
import urllib.parse
import urllib.request

from . import programs
from .process import Program
from .waiting import wait_until

# What the tests call a fault, and what the simulator does.
ACTIONS = {
    "reject": "reject",                         # one record of a write: code, message, fields, record
    "drop_before_commit": "dropBeforeCommit",
    "drop_after_commit": "dropAfterCommit",
    "delay": "delay",                           # milliseconds; before=True delays the work, not the answer
    "error": "error",                           # status, code, message
    "unavailable": "unavailable",
    "unavailable_html": "unavailableHTML",
    "html": "html",
    "truncate": "truncate",
    "late_commit": "lateCommit",                # milliseconds
}


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
