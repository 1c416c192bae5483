"""What `make run` does after building: scripts/demo, from a path with a space, with the programs that are built already."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from harness import ROOT, programs
from harness.process import Program, tail
from harness.waiting import wait_until


@pytest.fixture(scope="module")
def checkout(cluster):
    """A copy of what the demonstration needs. `cluster` has installed the extension."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        checkout = Path(folder) / "a path with spaces"
        for part in ["scripts", "examples"]:
            shutil.copytree(ROOT / part, checkout / part)
        yield checkout
        subprocess.run([checkout / "scripts" / "cluster", "remove", checkout / ".run" / "cluster"], check=True)


@pytest.fixture
def demo(checkout, tmp_path):
    """The demonstration as a program; Makefile's line, less the building."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PROGRAMS": str(programs())}

    def make(**settings):
        # Tests that were started in the background inherit an ignored SIGINT, which a shell cannot trap.
        return Program("demo", ["env", "--default-signal=INT", checkout / "scripts" / "demo"], tmp_path / "demo.log", {**environment, **settings}, "/")

    made = []

    def start(**settings):
        made.append(make(**settings))
        return made[-1].start()

    yield start
    for program in made:
        program.forget()


def processes_of(checkout):
    """Command lines that name the checkout: what a demonstration has left behind, if anything."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if str(checkout) in line:
            found.append(line)
    return found


def test_once_proves_the_sync_both_ways(checkout, demo):
    first = demo(ONCE="1")
    assert first.wait(120) == 0, tail(first.output)
    output = first.output
    assert re.search(r"Account +[\d,]+ rows, read-write", output)
    assert "INSERT INTO salesforce.account" in output
    assert re.search(r"\b001\w{15}\b", output), "no Salesforce id came back"
    for state in ["PENDING", "INSERTED", "SYNCED"]:
        assert state in output
    assert re.search(r"\d+ ms", output)
    assert "The sync runs, in both directions." in output
    wait_until(lambda: not processes_of(checkout), 10, "everything that the demonstration started to end")


def test_second_start_is_quick(demo):
    began = time.monotonic()
    second = demo(ONCE="1")
    assert second.wait(60) == 0, tail(second.output)
    assert time.monotonic() - began < 15


def test_start_after_a_reboot(checkout, demo):
    """/tmp was emptied, the database answers at another socket: another address, which the connection must be told to accept."""
    shutil.rmtree((checkout / ".run" / "cluster" / "socket").resolve())
    third = demo(ONCE="1")
    assert third.wait(60) == 0, tail(third.output)
    assert "is bound to this database" in third.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_everything_ends_with_it(checkout, demo, number):
    program = demo()
    wait_until(lambda: "Ctrl-C stops everything" in program.output or not program.running, 60, "the demonstration to run")
    assert program.running, tail(program.output)
    program.signal(number)
    code = program.wait(20)
    if number == signal.SIGINT:
        assert code == 0
    wait_until(lambda: not processes_of(checkout), 10, f"everything to end after {number.name}")


def test_failure_has_a_reason(checkout, demo, tmp_path):
    broken = tmp_path / "programs"
    broken.mkdir()
    shutil.copy(programs() / "hc-relay", broken)
    simulator = broken / "sf-simulator"
    simulator.write_text("#!/bin/sh\necho 'sf-simulator: no org today' >&2\nexit 1\n")
    simulator.chmod(0o755)
    program = demo(ONCE="1", PROGRAMS=str(broken))
    assert program.wait(60) == 1
    assert "Failed while starting the simulated org" in program.output
    assert "no org today" in program.output
