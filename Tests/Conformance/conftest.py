"""What a conformance test can ask for.

    org        a simulated Salesforce org with the sample objects; one for each file of tests
    key        a connected app of that org that takes signed assertions
    sf         simple-salesforce with a session of its own; sf.session.last is the last answer
    bulk       salesforce-bulk with a session of its own
    partner    zeep with the org's own WSDL

At the end the run prints the checklist of the wire reference (10.2) with the result of each clause; --checklist FILE keeps it.
"""

from pathlib import Path

import pytest

from harness.organization import Organization
from harness.process import Program, tail
from support import clients
from support.report import table


@pytest.fixture(scope="module")
def org(tmp_path_factory):
    org = Organization(tmp_path_factory.mktemp("org"))
    org.start()
    yield org
    org.program.forget()


@pytest.fixture(autouse=True)
def no_faults_left(request):
    yield
    if "org" in request.fixturenames:
        request.getfixturevalue("org").remove_faults()


@pytest.fixture(scope="module")
def key(org):
    return clients.SigningKey(org)


@pytest.fixture
def sf(org):
    return clients.simple(org)


@pytest.fixture
def partner(org):
    return clients.Partner(org)


@pytest.fixture
def bulk(org):
    return clients.bulk(org)


# The table

results = {}


def pytest_addoption(parser):
    parser.addoption("--checklist", type=Path, metavar="FILE", help="where to write the table")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.skipped:   # a clause that is skipped is a clause that does not hold
        report.outcome = "failed"
        report.longrepr = f"skipped: {report.longrepr}"
    if report.failed:
        for program in Program.started:
            report.sections.append((f"{program.name}: the end of {program.log}", tail(program.output)))
    if report.when == "call" or report.failed:
        for mark in item.iter_markers("row"):
            outcomes = results.setdefault(mark.args, {})
            outcomes[item.nodeid] = "failed" if outcomes.get(item.nodeid) == "failed" else report.outcome


def pytest_terminal_summary(terminalreporter, config):
    lines = table({clause: list(outcomes.values()) for clause, outcomes in results.items()})
    terminalreporter.section("checklist")
    for line in lines:
        if not line.endswith("not run"):
            terminalreporter.write_line(line)
    if file := config.getoption("checklist"):
        file.write_text("\n".join(lines) + "\n")
