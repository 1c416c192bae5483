"""A throwaway PostgreSQL cluster, made by the same script as that of `make run`, and databases in it."""

import itertools
import subprocess

import psycopg
from psycopg.rows import dict_row

from . import ROOT
from .process import Program

SCRIPT = ROOT / "scripts" / "cluster"

# A crash of the server's processes loses nothing that it handed to the kernel, so tests need no fsync.
OPTIONS = ["-c", "fsync=off", "-c", "max_connections=200", "-c", "log_checkpoints=off"]


class Cluster:
    """One server that belongs to `folder`; it can be stopped and started again in the middle of a test."""

    port = 54320   # names the socket; see the script
    _numbers = itertools.count(1)

    def __init__(self, folder):
        self.folder = folder
        self._script("make", "--no-sync")
        self.program = Program("postgres", [SCRIPT, "run", folder, *OPTIONS], folder / "log")
        self.databases = []

    def start(self):
        self.program.start()
        self._script("wait", self.program.process.pid)
        return self

    def stop(self, mode="fast"):
        """`mode` is "fast" or "immediate"; the latter is a crash of every server process."""
        self._script("stop", mode)
        self.program.wait(30)
        for database in self.databases:
            database.disconnect()

    def restart(self, mode="immediate"):
        self.stop(mode)
        self.start()

    def url(self, database="postgres"):
        return self._script("url", database)

    def database(self, extension=True):
        """Creates a database; with `extension` it has hc_sync."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        database = Database(self, name)
        self.databases.append(database)
        if extension:
            database.execute("CREATE EXTENSION hc_sync CASCADE")
        return database

    def remove(self):
        self._script("remove")
        self.program.forget()

    def _script(self, action, *arguments):
        done = subprocess.run([SCRIPT, action, self.folder, *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


class Database:
    """One database of the cluster, spoken to as its superuser, each statement its own transaction."""

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name
        self._connection = None

    @property
    def url(self):
        return self.cluster.url(self.name)

    def connect(self, autocommit=False):
        """A connection of its own, for a test that needs open transactions; use it in a `with` statement."""
        return psycopg.connect(self.url, autocommit=autocommit, row_factory=dict_row)

    def execute(self, statement, *parameters):
        """Runs SQL and returns its rows as dictionaries. Several statements are allowed when there are no parameters."""
        if self._connection is None or self._connection.closed:
            self._connection = self.connect(autocommit=True)
        cursor = self._connection.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []

    def one(self, statement, *parameters):
        """The only row, as a dictionary."""
        rows = self.execute(statement, *parameters)
        assert len(rows) == 1, f"{len(rows)} rows, not one: {statement}"
        return rows[0]

    def value(self, statement, *parameters):
        """The only column of the only row."""
        (value,) = self.one(statement, *parameters).values()
        return value

    def row(self, table, id):
        """The row of a mapped table by its `id`, None when there is none. `table` may carry its schema."""
        if "." not in table:
            table = f"salesforce.{table}"
        rows = self.execute(f"SELECT * FROM {table} WHERE id = %s", id)
        return rows[0] if rows else None

    def disconnect(self):
        """Forgets the connection of `execute`, which opens another when it is needed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def drop(self):
        self.disconnect()
        self.cluster.databases.remove(self)
        with psycopg.connect(self.cluster.url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
