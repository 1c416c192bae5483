"""scripts/cluster: the private cluster of `make run` and of these tests, in folders that are hard for PostgreSQL."""

import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import psycopg
import pytest

from harness.cluster import SCRIPT, Cluster
from harness.waiting import wait_until


@pytest.fixture
def new_cluster():
    made = []

    def make(folder):
        made.append(Cluster(folder))
        return made[-1]

    yield make
    for cluster in made:
        cluster.remove()


@pytest.fixture
def open_folder():
    """A folder that every user can reach; pytest's own belong to one user."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.mark.parametrize("name", ["with a space", "x" * 120], ids=["space", "longer than a socket path"])
def test_cluster_lives_in_any_folder(open_folder, new_cluster, name):
    cluster = new_cluster(open_folder / name / "cluster").start()
    assert not (cluster.folder / "data").is_symlink()
    with psycopg.connect(cluster.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    cluster.restart()
    with psycopg.connect(cluster.url()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)


@pytest.mark.skipif(os.getuid() != 0, reason="only root's clusters belong to another user")
def test_cluster_of_a_folder_that_postgres_cannot_reach(new_cluster, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o700)
    cluster = new_cluster(locked / "cluster").start()
    place = (locked / "cluster" / "data").resolve()
    assert locked not in place.parents and place.owner() == "postgres"
    cluster.remove()
    assert not place.exists()


def test_cluster_ends_with_its_caller(new_cluster, tmp_path):
    cluster = new_cluster(tmp_path / "cluster")
    caller = textwrap.dedent("""
        import os, subprocess, sys
        script, folder = sys.argv[1:]
        server = subprocess.Popen([script, "run", folder])
        subprocess.run([script, "wait", folder, str(server.pid)], check=True)
        print(server.pid, flush=True)
        os.kill(os.getpid(), 9)
    """)
    done = subprocess.run([sys.executable, "-c", caller, SCRIPT, cluster.folder], capture_output=True, text=True)
    server = int(done.stdout)
    wait_until(lambda: not os.path.exists(f"/proc/{server}"), 10, "the server to end with its caller")


def test_server_that_cannot_start_says_why(new_cluster, tmp_path):
    cluster = new_cluster(tmp_path / "cluster")
    server = subprocess.Popen([SCRIPT, "run", cluster.folder, "-c", "port=nonsense"])
    waited = subprocess.run([SCRIPT, "wait", cluster.folder, str(server.pid)], capture_output=True, text=True)
    server.wait()
    assert waited.returncode != 0
    assert 'invalid value for parameter "port"' in waited.stderr
    assert len(waited.stderr.splitlines()) == 1


def test_program_that_is_being_started_is_alive():
    """A program's command line is empty for a moment while it takes another's place; scripts/common must not take that for its end."""
    script = textwrap.dedent("""\
        . "$1"
        for i in $(seq 400); do
            setsid setpriv --pdeathsig TERM sleep 0.2 & alive $! && alive $! && alive $! || echo "$i was missed"
        done
        alive $$ || echo "this script was missed"
        true & sleep 0.1; ! alive $! || echo "one that has ended was seen"
        """)
    seen = subprocess.run(["sh", "-c", script, "sh", SCRIPT.parent / "common"], capture_output=True, text=True, timeout=60)
    assert (seen.returncode, seen.stdout, seen.stderr) == (0, "", "")
