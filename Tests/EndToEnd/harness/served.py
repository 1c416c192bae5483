"""A relay that has served its database, and what tests of copies of that database look for."""

import psycopg
import pytest

from .cluster import Database
from .relay import Relay, mapping
from .waiting import wait_until

ACCOUNT = mapping("Account", ["Name", "ExternalId__c"], upsert_field="ExternalId__c")


def serve(connected):
    """Loads everything, sends one row, and stops."""
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    write(connected.database, "sent")
    wait_until_sent(connected.database, "sent")
    connected.stop()


def write(database, name):
    database.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES (%s, %s)", name, name)


def wait_until_sent(database, name):
    wait_until(lambda: database.value("SELECT _hc_lastop = 'SYNCED' FROM salesforce.account WHERE externalid__c = %s", name), 20, f"{name} to be sent")


def count(org, name):
    return sum(record["ExternalId__c"] == name for record in org.records("Account"))


def expect_refusal(relay, reason, tells_itself=True):
    """Runs a relay that must refuse its database, and stops it. `tells_itself`: what differs is in the database alone."""
    database = relay.database
    epoch = database.value("SELECT epoch FROM hc_connection")
    relay.org.forget_calls()
    relay.start()
    wait_until(lambda: database.value("SELECT state = 'SYSTEM_ERROR' FROM hc_connection"), 20, f"the refusal: {relay.output[-2000:]}")
    doctor = relay.command("doctor")
    assert relay.stop() == 0
    assert reason in database.value("SELECT state_detail FROM hc_connection")
    assert database.value("SELECT message FROM hc_notification WHERE event_type = 'identity' AND acknowledged_at IS NULL").startswith("Sync has stopped")
    assert doctor.returncode == 1 and reason in doctor.stdout and "hc-relay connection rebind salesforce" in doctor.stdout
    assert 'event="WRONG DATABASE"' in relay.output and reason in relay.output.replace('\\"', '"')
    assert 'event="LEADING"' not in relay.output and relay.org.writes() == []
    assert database.value("SELECT epoch FROM hc_connection") == epoch
    # Nor does a call that knows nothing of relays take the lead.
    if tells_itself:
        with pytest.raises(psycopg.Error) as refused:
            database.execute("SELECT hc_lead(id, 'test') FROM hc_connection")
        assert refused.value.sqlstate == "HC004"


def relay_at(tmp_path, cluster, name, org, title, **environment):
    relay = Relay(tmp_path, Database(cluster, name), org, title, **environment)
    cluster.databases.append(relay.database)
    return relay
