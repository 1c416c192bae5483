"""What hc-relay doctor says of the ways a connection writes."""

import json

from harness.relay import mapping


def findings(relay):
    done = relay.command("doctor", "--output", "json")
    assert done.returncode == 0, done.stdout
    return [finding["finding"] for finding in json.loads(done.stdout) if finding["check"] == "writes salesforce"]


def test_merged_writes_are_warned_of(connected, database):
    connected.import_mapping(mapping("Account", ["Name", "ParentId"]), mapping("Contact", ["LastName", "AccountId"]),
                             mapping("Opportunity", ["Name", "AccountId"], access="read_only"))
    assert findings(connected) == [database.value("SELECT hc_write_algorithm(c) FROM hc_connection c")]
    database.execute("UPDATE hc_connection SET settings = settings || '{\"write_algorithm\": \"merged\"}'")
    account, automation = findings(connected)
    assert account.startswith("merged: warning, circular dependency: Account → Account") and "(Account.ParentId)" in account
    assert "No description says" in automation and "Account, Contact arrive as one" in automation and "write_algorithm" in automation
