"""What an end-to-end test can ask for.

    cluster     a throwaway PostgreSQL server with the extension installed; one for all tests
    database    a fresh database of it, with hc_sync                            harness/cluster.py
    org         a fresh simulated Salesforce org                                harness/organization.py
    relay       commands and process of a relay for `database` and `org`, not started yet     harness/relay.py
    connected   the same after `connection add`
    new_relay   makes further relays for the same database and org

Everything ends with the test, and with the test process however that ends. A failed test shows what its programs said.
"""

import subprocess

import pytest

from harness import ROOT
from harness.cluster import Cluster
from harness.organization import Organization
from harness.process import Program, tail
from harness.relay import Relay


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    subprocess.run(["make", "--silent", "install"], cwd=ROOT, check=True)
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    cluster.start()
    yield cluster
    cluster.remove()


@pytest.fixture
def database(cluster):
    if not cluster.program.running:   # the test before stopped it and failed
        cluster.start()
    database = cluster.database()
    yield database
    if not cluster.program.running:
        cluster.start()
    database.drop()


@pytest.fixture
def org(tmp_path):
    org = Organization(tmp_path)
    org.start()
    yield org
    org.program.forget()


@pytest.fixture
def new_relay(tmp_path, database, org):
    made = []

    def make(name="hc-relay", **environment):
        made.append(Relay(tmp_path, database, org, name, **environment))
        return made[-1]

    yield make
    for relay in made:
        relay.program.forget()


@pytest.fixture
def relay(new_relay):
    return new_relay()


@pytest.fixture
def connected(relay):
    relay.add_connection()
    return relay


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for program in Program.started:
            report.sections.append((f"{program.name}: the end of {program.log}", tail(program.output)))
