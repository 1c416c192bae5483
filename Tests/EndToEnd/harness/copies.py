"""Copies of a database, made with PostgreSQL's own tools as an administrator makes them."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg

from . import ROOT
from .cluster import Cluster
from .process import tail


def bin_folder():
    config = subprocess.run([ROOT / "scripts" / "pg-config"], capture_output=True, text=True, check=True).stdout.strip()
    return Path(subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip())


def tool(name, *arguments, folder="/", **environment):
    """Runs a program of the server's installation, as the user who owns clusters."""
    owner = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--"] if os.getuid() == 0 else []
    done = subprocess.run([*owner, bin_folder() / name, *map(str, arguments)], cwd=folder, env={**os.environ, **environment},
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{name}: {tail(done.stdout + done.stderr)}"
    return done.stdout


class Folder:
    """A folder that belongs to the owner of clusters, and goes with the `with` statement."""

    def __enter__(self):
        self.path = Path(tempfile.mkdtemp(prefix="hc-sync-copy.", dir="/tmp"))
        if os.getuid() == 0:
            shutil.chown(self.path, "postgres", "postgres")
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def base_backup(cluster, folder, *options):
    """The files of a running cluster, as pg_basebackup copies them, as a cluster of its own that is not started."""
    tool("pg_basebackup", "--dbname", cluster.url(), "--pgdata", folder / "data", "--checkpoint", "fast", "--no-sync", *options)
    return Cluster(folder)


def restore(cluster, name, dump, *options, **environment):
    """Restores a dump, in a new database unless there is one of this name."""
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
            connection.execute(f"CREATE DATABASE {name}")
    tool("pg_restore", "--dbname", cluster.url(name), "--exit-on-error", *options, dump, **environment)
