"""`hc-relay install` and `uninstall`: the extension, the portable bundle, and the way between them, by a superuser and by another role."""

import subprocess

import pytest

from harness import ROOT
from harness.relay import mapping
from harness.waiting import wait_until
from test_bad_input import refusal


@pytest.fixture(scope="module")
def bundle():
    subprocess.run(["make", "--silent", "-C", ROOT / "sql"], check=True)
    return ROOT / "sql" / "portable" / "hc_sync--1.0.sql"


@pytest.fixture
def owned(cluster):
    """A database without hc_sync, and the URL of its owner, who is no superuser."""
    database = cluster.database(extension=False)
    owner = f"owner_of_{database.name}"
    database.execute(f"CREATE ROLE {owner} LOGIN; ALTER DATABASE {database.name} OWNER TO {owner}")
    database.owner_url = database.url.replace("user=postgres", f"user={owner}")
    yield database
    database.drop()


def test_portable_bundle_by_the_owner(owned, bundle, relay, org):
    """Applied, synced with, taken over into the extension and taken out again; changes go to Salesforce all the while."""
    as_owner = {"DATABASE_URL": owned.owner_url}
    assert "portable" in refusal(relay.command("install", **as_owner))
    assert "portable bundle 1.0 is installed" in relay.succeed("install", "--portable", bundle, **as_owner)
    assert "portable bundle 1.0 is installed" in relay.succeed("install", "--portable", bundle, **as_owner)
    assert owned.value("SELECT count(*) FROM pg_extension WHERE extname = 'hc_sync'") == 0

    relay.environment["DATABASE_URL"] = owned.owner_url
    relay.database = owned
    relay.add_connection()
    relay.import_mapping(mapping("Account", ["Name"]))
    relay.start_and_load()
    assert "portable bundle 1.0" in relay.succeed("doctor")

    def goes_to_salesforce(name):
        owned.execute("INSERT INTO salesforce.account (name) VALUES (%s)", name)
        relay.wake()   # notifications keep their interval, which is not what is tested
        wait_until(lambda: owned.value("SELECT sfid FROM salesforce.account WHERE name = %s", name), 30, f"an id for {name}")

    def capture():
        return owned.value("SELECT tgfoid::regproc::text FROM pg_trigger WHERE tgname = 'hc_account_logtrigger'")

    goes_to_salesforce("portable")
    assert capture() == "salesforce.hc_account_logger"
    # The owner is told what it takes; a superuser does it, with the relay at work.
    assert "superuser" in refusal(relay.command("install"))
    assert "extension hc_sync 1.0 is installed" in relay.succeed("install", DATABASE_URL=owned.url)
    assert capture() == "hc_capture"
    goes_to_salesforce("in C")

    line = refusal(relay.command("uninstall"))
    assert "CALL public.hc_uninstall(); DROP EXTENSION hc_sync;" in line
    assert capture() == "salesforce.hc_account_logger"
    goes_to_salesforce("between")
    assert "capture goes on" in relay.succeed("uninstall", DATABASE_URL=owned.url)
    goes_to_salesforce("portable again")
    assert "nothing to take out" in refusal(relay.command("uninstall"))
    sent = owned.execute("SELECT name, sfid FROM salesforce._trigger_log_archive JOIN salesforce.account a USING (sfid) WHERE action = 'INSERT'")
    assert sorted(row["name"] for row in sent) == ["between", "in C", "portable", "portable again"]
    relay.stop()


def test_portable_bundle_is_refused(database, bundle, relay, tmp_path):
    assert "the extension hc_sync is installed" in refusal(relay.command("install", "--portable", bundle))
    assert "cannot be read" in refusal(relay.command("install", "--portable", tmp_path / "none.sql"))
    other = tmp_path / "other.sql"
    other.write_text("DROP EXTENSION hc_sync CASCADE;")
    assert "no file of the portable bundle" in refusal(relay.command("install", "--portable", other))
    assert database.value("SELECT count(*) FROM pg_extension WHERE extname = 'hc_sync'") == 1
