"""A relay, its database and its org for one benchmark."""

from contextlib import contextmanager

from harness.organization import Organization
from harness.relay import Relay


@contextmanager
def workplace(cluster, folder, **environment):
    """A fresh database with a connection to a fresh sample org, and a relay that is not started yet."""
    folder.mkdir(parents=True)
    database = cluster.database()
    org = Organization(folder)
    org.start()
    relay = Relay(folder, database, org, **environment)
    try:
        relay.add_connection()
        yield relay, database, org
    finally:
        relay.program.forget()
        org.program.forget()
        database.drop()
