"""The full counts of random logs and of lost answers, each worker with a cluster, an org and a relay of its own.

A seed that fails is told with what it found, and played alone by the command that it names; the others go on. What is printed at the end is
what Tests/Faults/recorded keeps.
"""

import contextlib
import io
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from harness import ROOT
from harness.cluster import Cluster
from harness.log_run import LogRun
from harness.lost_run import LostRun
from harness.run import told
from harness.world import ALGORITHMS, World

RUNS = int(os.environ.get("RUNS") or 2000)        # with lost answers, shared by the algorithms
LOGS = int(os.environ.get("LOGS") or 500)         # random logs of each algorithm
WORKERS = int(os.environ.get("WORKERS") or os.cpu_count())
FIRST = int(os.environ.get("FIRST") or 10_000)    # the first seed of lost answers; that of random logs is 1
RUNS_OF_A_WORLD = 100                             # then database, org and relay are made anew
# What has not been played by then is left out; the workers get it from the first process.
END = float(os.environ.get("FAULTS_END") or time.time() + 60 * float(os.environ.get("MINUTES") or 10_000))


def jobs():
    """(kind, algorithm, seeds): pieces that a worker plays in one world."""
    pieces = []
    for n, algorithm in enumerate(ALGORITHMS):
        share = range(FIRST + n * RUNS // len(ALGORITHMS), FIRST + (n + 1) * RUNS // len(ALGORITHMS))
        for kind, seeds in ((LogRun, range(1, 1 + LOGS)), (LostRun, share)):
            pieces += [(kind, algorithm, seeds[start:start + RUNS_OF_A_WORLD]) for start in range(0, len(seeds), RUNS_OF_A_WORLD)]
    return pieces


def work(job):
    """Plays one piece and returns (kind, algorithm, figures, failures)."""
    kind, algorithm, seeds = job
    figures, failures = Counter(), []
    if time.time() > END:
        return kind, algorithm, figures, failures
    with tempfile.TemporaryDirectory(prefix="hc-sync-faults.") as folder:
        os.chmod(folder, 0o755)
        log = open(Path(folder) / "log", "w")
        with contextlib.redirect_stdout(log):
            cluster = Cluster(Path(folder) / "cluster")
            cluster.start()
            world = World(cluster, Path(folder))
        for n, seed in enumerate(seeds):
            if time.time() > END:
                break
            said = io.StringIO()
            try:
                with contextlib.redirect_stdout(said):
                    run = kind(world, seed, algorithm)
                    run.play()
                figures.update(run.figures)
            except Exception as failure:
                failures.append(f"{failure}\n{said.getvalue()}")
                print(f"{kind.__name__} {algorithm}: {failure}", file=sys.stderr, flush=True)
                # What the run left could meet the next one.
                with contextlib.redirect_stdout(log):
                    world.remove()
                    (Path(folder) / str(n)).mkdir()
                    world = World(cluster, Path(folder) / str(n))
        world.remove()
        cluster.remove()
    print(f"{kind.__name__} {algorithm}, seeds {seeds[0]} to {seeds[-1]}: {len(failures)} failed", file=sys.stderr, flush=True)
    return kind, algorithm, figures, failures


def commit():
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return git("rev-parse", "--short", "HEAD") + (" with changes" if git("status", "--porcelain", "--", "Sources", "sql", "extension", "Tests/EndToEnd") else "")


def main():
    began = time.monotonic()
    print(f"make faults: commit {commit()}, {time.strftime('%Y-%m-%d')}, {WORKERS} workers", flush=True)
    print(f"random logs: seeds 1 to {LOGS}; lost answers: seeds {FIRST} to {FIRST + RUNS - 1}, 5% of the calls", flush=True)
    sums, failed = {}, []
    os.environ["FAULTS_END"] = str(END)
    with multiprocessing.get_context("spawn").Pool(WORKERS, maxtasksperchild=1) as pool:
        for kind, algorithm, figures, failures in pool.imap_unordered(work, jobs()):
            sums.setdefault((kind.__name__, algorithm), Counter()).update(figures)
            failed += failures
    for (kind, algorithm), figures in sorted(sums.items()):
        print(f"{'random logs' if kind == 'LogRun' else 'lost answers'}, {algorithm}: {told(figures)}")
    for failure in failed:
        print("FAILED", failure)
    print(f"{len(failed)} seeds failed, {(time.monotonic() - began) / 60:.0f} minutes")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
