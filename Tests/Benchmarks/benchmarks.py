"""Runs the benchmarks named on the command line, or all, and prints each figure beside its limit.

A figure is a ratio of two things measured in this run, or a count; never a time that another machine could not repeat.
The exit code is non-zero when a figure is over its limit.
"""

import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import ROOT
from harness.cluster import Cluster

import capture
import idle
import load
import simulator
import writes

BENCHMARKS = {"capture": capture.run, "load": load.run, "idle": idle.run, "writes": writes.run, "simulator": simulator.run}


class Report:
    """Prints figures as they come and remembers whether one is over its limit."""

    def __init__(self):
        self.over = []

    def note(self, text):
        print(f"    {text}", flush=True)

    def figure(self, name, value, limit=None, unit="", at_least=None):
        """`limit` is the most the value may be, `at_least` the least."""
        verdict = ""
        if limit is not None:
            verdict = f"  (at most {limit:g}{unit}: {'ok' if value <= limit else 'OVER'})"
        elif at_least is not None:
            verdict = f"  (at least {at_least:g}{unit}: {'ok' if value >= at_least else 'UNDER'})"
        print(f"  {name}: {value:.3g}{unit}{verdict}", flush=True)
        if "OVER" in verdict or "UNDER" in verdict:
            self.over.append(name)


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
              f"{platform.machine()}, fsync off", flush=True)
        try:
            for name in names:
                print(name, flush=True)
                BENCHMARKS[name](cluster, Path(folder), report)
        finally:
            cluster.remove()
    if report.over:
        sys.exit(f"over the limit: {', '.join(report.over)}")


if __name__ == "__main__":
    main()
