"""A relay under test: its commands, and `hc-relay run` as a program that can be killed, paused and started again."""

import json
import os
import socket
import subprocess
import urllib.error
import urllib.request

from . import programs
from .process import Program, tail
from .waiting import wait_until


def free_port():
    """A port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def mapping(object_name, fields, access="read_write", upsert_field=None, **config):
    """One entry of a mapping file, with the system fields that every mapping has."""
    every = [*fields, "Id", "CreatedDate", "SystemModstamp", "IsDeleted"]
    config = {"access": access, "sf_notify_enabled": False, "sf_polling_seconds": 600, "sf_max_daily_api_calls": 30000,
              "fields": {field: {} for field in every},
              "indexes": {"Id": {"unique": True}, "SystemModstamp": {"unique": False}}, **config}
    if upsert_field:
        config["upsert_field"] = upsert_field
        config["indexes"][upsert_field] = {"unique": True}
    return {"object_name": object_name, "config": config}


class Relay:
    """A relay for one database and one org. `folder` holds its log and the mapping files it imports."""

    def __init__(self, folder, database, org, name="hc-relay", **environment):
        self.folder = folder
        self.database = database
        self.org = org
        self.port = free_port()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "DATABASE_URL": database.url,
            "HC_LISTEN": f"127.0.0.1:{self.port}",
            **org.credentials,
            **environment,
        }
        self.program = Program(name, [programs() / "hc-relay", "run"], folder / f"{name}.log", self.environment, folder)

    # Commands

    def command(self, *arguments, timeout=60, **environment):
        """Runs `hc-relay ARGUMENTS` to its end and returns it, with returncode, stdout and stderr."""
        return subprocess.run(
            [programs() / "hc-relay", *map(str, arguments)], env={**self.environment, **environment}, cwd=self.folder,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)

    def succeed(self, *arguments, **options):
        """The same for a command that must succeed; returns what it printed."""
        done = self.command(*arguments, **options)
        assert done.returncode == 0, f"hc-relay {' '.join(map(str, arguments))}: {tail(done.stdout + done.stderr)}"
        return done.stdout

    def install(self):
        self.succeed("install")

    def add_connection(self, *arguments):
        """Makes the connection to the org; returns its id. `arguments` are further options of the command."""
        self.succeed("connection", "add", *arguments)
        return self.database.value("SELECT id FROM public.hc_connection ORDER BY created_at DESC LIMIT 1")

    def import_mapping(self, *mappings):
        """Imports mappings as `mapping` makes them, or one whole mapping file as a dictionary or text."""
        document = mappings[0] if len(mappings) == 1 and "object_name" not in mappings[0] else {
            "mappings": list(mappings), "version": 1}
        self.succeed("import", self.write_mapping_file(document))

    def write_mapping_file(self, document, name="mapping.json"):
        path = self.folder / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    # The running relay

    def start(self):
        self.program.start()
        return self

    def start_and_load(self, timeout=60):
        """Starts it and waits until every mapping has its records."""
        self.start()
        self.wait_until_loaded(timeout)
        return self

    def wait_until_loaded(self, timeout=60):
        def loaded():
            assert self.program.running, "the relay has stopped"
            states = self.database.execute("SELECT object_name, state FROM public.hc_mapping")
            return bool(states) and all(mapping["state"] == "DATA_SYNCED" for mapping in states)
        wait_until(loaded, timeout, "all mappings to be loaded")

    # Time, and what is due

    def advance_clock(self, by):
        """Moves the clock of the connection, by an interval such as "10 minutes", and wakes the relay."""
        self.database.execute("SELECT count(public.hc_clock_advance(id, %s)) FROM public.hc_connection", by)

    def poll_now(self, object_name, timeout=20):
        """Makes a mapping's poll due and waits until it is done."""
        self.database.execute("UPDATE public.hc_mapping SET poll_at = public.hc_clock(connection) WHERE object_name = %s", object_name)
        self.wake()
        wait_until(lambda: self.database.value(
            "SELECT poll_at > public.hc_clock(connection) AND state = 'DATA_SYNCED' FROM public.hc_mapping WHERE object_name = %s", object_name),
            timeout, f"the poll of {object_name}")

    def wake(self):
        self.database.execute("SELECT public.hc_wake(id) FROM public.hc_connection")

    def work_through(self, timeout=20):
        """Wakes the relay and waits until its lanes have found nothing more to do: each ends its round by asking for work."""
        woken = self.database.value("SELECT clock_timestamp()")
        self.wake()
        wait_until(lambda: self.database.value(
            "SELECT count(*) >= 2 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'hc-relay%%' "
            "AND state = 'idle' AND query LIKE '%%hc_work%%' AND query_start > %s", woken), timeout, "the relay to look for work")

    def stop(self):
        return self.program.stop()

    def kill(self):
        self.program.kill()

    def pause(self):
        self.program.pause()

    def resume(self):
        self.program.resume()

    @property
    def output(self):
        return self.program.output

    def get(self, path):
        """GET of the relay's own server: status code and body."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
