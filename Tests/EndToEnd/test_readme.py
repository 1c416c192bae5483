"""The README's commands work as they stand there, in their order, and its table of settings is that of the program."""

import json
import os
import re
import subprocess

from harness import ROOT, programs
from harness.process import Program, tail
from harness.relay import free_port
from harness.waiting import wait_until

README = (ROOT / "README.md").read_text()


def blocks(mark):
    """The fenced blocks with this mark, such as "sql test", in order."""
    return re.findall(rf"^```{re.escape(mark)}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def run(arguments, environment, text=None):
    done = subprocess.run(arguments, input=text, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, tail(done.stdout + done.stderr)
    return done.stdout


def test_commands(tmp_path, cluster, org):
    database = cluster.database(extension=False)
    environment = {**os.environ, **org.credentials, "DATABASE_URL": database.url, "HC_LISTEN": "127.0.0.1:0",
                   "PATH": f"{programs()}:{os.environ['PATH']}"}
    shell = ["sh", "-eu", "-c"]
    background = None
    for mark, text in re.findall(r"^```sh (test|test background)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL):
        if mark == "test":
            printed = run([*shell, text], environment)
        else:
            background = Program("README", [*shell, f"exec {text.strip()}"], tmp_path / "README.log", environment, ROOT).start()
            wait_until(lambda: database.value("SELECT bool_and(state = 'DATA_SYNCED') FROM hc_mapping"), 60, "the load")
    assert background.running and "Account" in printed   # what hc-relay status shows

    psql = ["psql", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--dbname", database.url]
    inserted, selected, *others = blocks("sql test")
    run(psql, environment, inserted)
    wait_until(lambda: "SYNCED" in run(psql, environment, selected), 20, "the row of the README to be SYNCED")
    assert re.search(r"\b001\w{15}\b.*Analytical Engines.*SYNCED", run(psql, environment, selected))
    for text in others:
        run(psql, environment, text)
    assert background.stop() == 0
    background.forget()
    database.drop()


def test_simulator(tmp_path):
    port = str(free_port())
    environment = {**os.environ, "PATH": f"{programs()}:{os.environ['PATH']}"}
    shell = ["sh", "-eu", "-c"]
    background, queried, faulted = [
        text.replace("8090", port) for text in re.findall(r"^```sh simulator.*?\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)]
    simulator = Program("README", [*shell, f"exec {background.strip()}"], tmp_path / "simulator.log", environment, ROOT).start()
    wait_until(lambda: subprocess.run(["curl", "-sf", f"http://127.0.0.1:{port}/_sim/"], capture_output=True).returncode == 0, 60,
               "the simulator")
    assert json.loads(run([*shell, queried], environment))["done"] is True
    printed = run([*shell, faulted], environment)
    assert '"created":1000' in printed and '"kind":"reject"' in printed
    assert simulator.stop() == 0
    simulator.forget()


def test_settings_table():
    printed = run([programs() / "hc-relay", "settings", "--output", "markdown"], os.environ).strip().splitlines()
    assert len(printed) > 10
    rows = [line for line in README.splitlines() if line.startswith("| `")]
    assert rows == printed


def test_make_targets():
    """Each target that README and CONTRIBUTING name is one of the Makefile's."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", README + (ROOT / "CONTRIBUTING.md").read_text()))
    assert named <= targets, named - targets
