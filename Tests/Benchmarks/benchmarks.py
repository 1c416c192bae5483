"""Runs the benchmarks named on the command line, or all, and prints each figure beside its limit.

A figure is a ratio of two things measured in this run, or a count; never a time that another machine could not repeat.
The exit code is non-zero when a figure misses its limit by more than the factor SLACK (1 unless the environment says otherwise):
`make test` allows 2, because its machine may be doing other things, and a ratio of unlike programs feels that.
"""

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import ROOT
from harness.cluster import Cluster

import adopt
import alter
import calls
import capture
import drain
import idle
import lanes
import latency
import load
import protocol
import simulator
import writes

BENCHMARKS = {"adopt": adopt.run, "alter": alter.run, "calls": calls.run, "capture": capture.run, "drain": drain.run, "load": load.run, "protocol": protocol.run, "idle": idle.run, "lanes": lanes.run, "latency": latency.run, "writes": writes.run, "simulator": simulator.run}
SLACK = float(os.environ.get("SLACK", "1"))


class Report:
    """Prints figures as they come and remembers which missed their limit."""

    def __init__(self):
        self.missed = []

    def note(self, text):
        print(f"    {text}", flush=True)

    def figure(self, name, value, limit=None, unit="", at_least=None):
        """`limit` is the most the value may be, `at_least` the least."""
        text = f"  {name}: {value:.3g}{unit}"
        if limit is not None or at_least is not None:
            promise = f"at most {limit:g}{unit}" if at_least is None else f"at least {at_least:g}{unit}"
            miss = value / limit if at_least is None else at_least / value
            verdict = "ok" if miss <= 1 else "MISSED" if miss > SLACK else "missed, within the slack of a busy machine"
            text += f"  ({promise}: {verdict})"
            if miss > SLACK:
                self.missed.append(name)
        print(text, flush=True)


def main():
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="hc-bench-") as folder:
        cluster = Cluster(Path(folder) / "cluster")
        cluster.start()
        print(f"commit {commit}, PostgreSQL {cluster.database(False).value('SHOW server_version')}, "
              f"{platform.machine()}, fsync off, {os.environ.get('CONFIGURATION', 'debug')} build", flush=True)
        try:
            for name in names:
                print(name, flush=True)
                BENCHMARKS[name](cluster, Path(folder), report)
        finally:
            cluster.remove()
    if report.missed:
        sys.exit(f"missed: {', '.join(report.missed)}")


if __name__ == "__main__":
    main()
