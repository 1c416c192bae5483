"""Bad input ends in one line that says what is wrong and what to do, and in a non-zero exit."""

import json
import socket
import subprocess

import pytest

from harness import programs
from harness.pooler import Pooler
from harness.relay import mapping


def refusal(done):
    """The one line that a refused command says. Also checks that it kept the secrets to itself."""
    assert done.returncode != 0, done.stdout
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert "sample-secret" not in done.stdout + done.stderr
    return lines[0]


@pytest.mark.parametrize("command", ["run", "status", "install"])
def test_database_unreachable(relay, command):
    line = refusal(relay.command(command, DATABASE_URL="postgresql://someone:sample-secret@127.0.0.1:1/nowhere"))
    assert "127.0.0.1" in line and "port 1" in line
    assert "DATABASE_URL" in line


def test_database_url_missing(relay):
    assert "DATABASE_URL" in refusal(relay.command("run", DATABASE_URL=""))


def test_extension_missing(cluster, relay):
    database = cluster.database(extension=False)
    assert "hc-relay install" in refusal(relay.command("run", DATABASE_URL=database.url))
    database.drop()


def test_extension_too_old(database, relay):
    database.execute("UPDATE pg_extension SET extversion = '0.1' WHERE extname = 'hc_sync'")
    line = refusal(relay.command("run"))
    assert "0.1" in line and "ALTER EXTENSION hc_sync UPDATE" in line


def test_transaction_pooler(tmp_path, database, relay):
    pooler = Pooler(tmp_path, database)
    pooler.start()
    try:
        line = refusal(relay.command("run", DATABASE_URL=pooler.url))
    finally:
        pooler.program.forget()
    assert "pooler" in line and "DATABASE_URL" in line


def test_wrong_client_secret(relay):
    done = relay.command("connection", "add", SALESFORCE_CLIENT_SECRET="hush-hush")
    assert "SALESFORCE_CLIENT_SECRET" in refusal(done)
    assert "hush-hush" not in done.stdout + done.stderr


def test_salesforce_unreachable(relay):
    line = refusal(relay.command("connection", "add", SALESFORCE_LOGIN_URL="http://127.0.0.1:1"))
    assert "SALESFORCE_LOGIN_URL" in line and "127.0.0.1:1" in line


def test_import_without_connection(relay):
    line = refusal(relay.command("import", relay.write_mapping_file({"mappings": [mapping("Account", ["Name"])]})))
    assert "connection add" in line


def test_mapping_file_missing(connected):
    line = refusal(connected.command("import", "nowhere.json"))
    assert "nowhere.json" in line


def test_unknown_object(database, connected):
    file = connected.write_mapping_file({"mappings": [mapping("Nothing__c", ["Name"]), mapping("Account", ["Name"])]})
    assert "Nothing__c" in refusal(connected.command("import", file))
    assert database.value("SELECT count(*) FROM hc_mapping") == 0, "a refused file must change nothing"


def test_unknown_field(database, connected):
    file = connected.write_mapping_file({"mappings": [mapping("Account", ["Name", "Nothing__c"])]})
    line = refusal(connected.command("import", file))
    assert "Nothing__c" in line and "Account" in line
    assert database.value("SELECT count(*) FROM hc_mapping") == 0


def test_unreadable_field(org, database, connected):
    org.control("POST", "permissions", {"object": "Account", "field": "Phone", "readable": False})
    file = connected.write_mapping_file({"mappings": [mapping("Account", ["Name", "Phone"])]})
    line = refusal(connected.command("import", file))
    assert "Phone" in line and "Account" in line
    assert database.value("SELECT count(*) FROM hc_mapping") == 0


def test_malformed_mapping_file_names_the_place(connected):
    text = json.dumps({"mappings": [mapping("Account", ["Name"])]}, indent=1).replace('"access":', '"access"', 1)
    place = next(number for number, line in enumerate(text.splitlines(), 1) if '"access"' in line)
    line = refusal(connected.command("import", connected.write_mapping_file(text)))
    assert "mapping.json" in line and f"line {place}" in line


@pytest.mark.parametrize("document, wrong", [
    ({"mappings": "Account"}, "mappings"),
    ({"mappings": [{"config": {}}]}, "object_name"),
    ({"mappings": [{"object_name": "Account", "config": {"access": "everything", "fields": {"Name": {}}}}]}, "access"),
    ([], "mappings"),
])
def test_mapping_file_of_another_shape(connected, document, wrong):
    assert wrong in refusal(connected.command("import", connected.write_mapping_file(json.dumps(document))))


def test_port_of_the_relay_taken(connected):
    with socket.socket() as other:
        other.bind(("127.0.0.1", connected.port))
        other.listen()
        line = refusal(connected.command("run"))
    assert str(connected.port) in line and "HC_LISTEN" in line


def test_port_of_the_simulator_taken(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(
            [programs() / "sf-simulator", "--listen", f"127.0.0.1:{port}", "--database", tmp_path / "org.sqlite"],
            capture_output=True, text=True, timeout=30)
    assert str(port) in refusal(done)


def test_unknown_command(relay):
    done = relay.command("fly")
    assert done.returncode != 0 and "fly" in done.stderr
