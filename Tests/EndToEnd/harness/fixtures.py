"""The fixtures that end-to-end tests and the tests with published clients share; a conftest names this module as its plugin."""

import fcntl
import os
import subprocess

import pytest

from . import ROOT
from .cluster import Cluster
from .organization import Organization
from .process import Program, tail
from .relay import Relay
from .served import serve
from .world import World


def install_extension(tmp_path_factory):
    """Once for all processes of a run: to replace the library under a server of another one would end its backends."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with open(folder / "installed", "a+") as marker:
        fcntl.flock(marker, fcntl.LOCK_EX)
        if marker.seek(0, os.SEEK_END) == 0:
            subprocess.run(["make", "--silent", "install"], cwd=ROOT, check=True)
            marker.write("the extension is installed\n")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    install_extension(tmp_path_factory)
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


@pytest.fixture
def served(connected):
    """`connected`, after it has loaded everything, sent a row and stopped."""
    serve(connected)
    return connected


@pytest.fixture(scope="session")
def world(cluster, tmp_path_factory):
    world = World(cluster, tmp_path_factory.mktemp("world"))
    yield world
    world.remove()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for program in Program.started:
            report.sections.append((f"{program.name}: the end of {program.log}", tail(program.output)))
