"""PgBouncer in transaction mode before a database: what an application may use and a relay may not."""

import os
import shutil

import psycopg

from .process import Program
from .relay import free_port
from .waiting import wait_until


class Pooler:
    def __init__(self, folder, database):
        self.port = free_port()
        self.database = database
        socket = (database.cluster.folder / "socket").resolve()
        configuration = socket / f"pgbouncer-{self.port}.ini"   # there the server's user can read it
        configuration.write_text(f"""\
[databases]
{database.name} = host={socket} port={database.cluster.port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
""")
        arguments = [shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", configuration]
        if os.getuid() == 0:   # it refuses to run as root
            arguments = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--", *arguments]
        self.program = Program("pgbouncer", arguments, folder / "pgbouncer.log", folder="/")

    @property
    def url(self):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{self.database.name}"

    def start(self):
        self.program.start()

        def answers():
            assert self.program.running, "pgbouncer has stopped"
            with psycopg.connect(self.url, autocommit=True) as connection:
                return connection.execute("SELECT true").fetchone()[0]

        wait_until(answers, 10, "pgbouncer to answer")
        return self
