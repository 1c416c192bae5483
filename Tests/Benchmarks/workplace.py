"""A relay, its database and its org for one benchmark."""

from contextlib import contextmanager

from harness.organization import Organization
from harness.relay import Relay

from distance import Distance


@contextmanager
def workplace(cluster, folder, distance=0, **environment):
    """A fresh database with a connection to a fresh sample org, and a relay that is not started yet.

    `distance` is the milliseconds that lie on each of the relay's round trips to the database.
    """
    folder.mkdir(parents=True)
    database = cluster.database()
    org = Organization(folder)
    org.start()
    way = Distance(database, distance) if distance else None
    if way:
        environment["DATABASE_URL"] = way.start().url
    relay = Relay(folder, database, org, **environment)
    try:
        relay.add_connection()
        yield relay, database, org
    finally:
        relay.program.forget()
        org.program.forget()
        if way:
            way.stop()
        database.drop()
