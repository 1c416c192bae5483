"""What a test with a client of Heroku Connect can ask for, besides the fixtures of harness/fixtures.py.

    org       one simulated Salesforce org for all tests
    schema    for each file of tests and each way of capture: a database, owned by a plain role, with a connection and the mappings
              of the Django project, and no relay
    live      one database that a relay keeps in step with `org`, its mappings imported from the Django project's file
    project   the Django project on `schema`; `live_project` the same on `live`
"""

import json

import pytest

from harness.organization import Organization
from harness.relay import Relay
from support import django_project
from support.application import ApplicationDatabase
from support.describe import describe

pytest_plugins = ["harness.fixtures"]


@pytest.fixture(scope="session")
def org(tmp_path_factory):
    org = Organization(tmp_path_factory.mktemp("org"))
    org.start()
    yield org
    org.program.forget()


@pytest.fixture(scope="session")
def describes(org):
    """Every describe that the project's mappings need."""
    return {mapping["object_name"]: describe(org, mapping["object_name"]) for mapping in django_project.mapping_file()["mappings"]}


@pytest.fixture(scope="module", params=["c", "portable"])
def schema(request, cluster, describes):
    database = ApplicationDatabase.create(cluster)
    connection = database.connect_org(request.param)
    for mapping in django_project.mapping_file()["mappings"]:
        database.execute("SELECT hc_mapping_create(%s, %s, %s, %s)", connection, mapping["object_name"],
                         json.dumps(mapping["config"]), json.dumps(describes[mapping["object_name"]]))
    yield database
    database.drop()


@pytest.fixture(scope="session")
def start_live(tmp_path_factory, cluster, org):
    """Makes a database and the relay that keeps it in step; `defaults` become settings of the database first."""
    made = []

    def start(**defaults):
        database = ApplicationDatabase.create(cluster)
        for name, value in defaults.items():
            database.administrator.execute(f"ALTER DATABASE {database.name} SET {name} = {value}")
        database.disconnect()
        database.relay = Relay(tmp_path_factory.mktemp("relay"), database, org)
        made.append(database)
        database.relay.add_connection()
        database.relay.import_mapping(django_project.mapping_file())
        database.execute("ALTER SEQUENCE public.hc_quiet_salesforce INCREMENT 10")   # the relay is woken every 10 ms, not every 10 s
        database.relay.start_and_load()
        return database

    yield start
    for database in made:
        database.relay.program.forget()
        database.drop()


@pytest.fixture(scope="session")
def live(start_live):
    return start_live()


@pytest.fixture
def project(schema):
    django_project.use(schema)
    return schema


@pytest.fixture
def live_project(live):
    django_project.use(live)
    return live
