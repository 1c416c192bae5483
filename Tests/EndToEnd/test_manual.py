"""The commands of the manual's sections on rights and on dumps work as they stand there, in their order."""

import os
import re
import subprocess

import psycopg

from harness import ROOT, programs
from harness.copies import Folder, bin_folder, tool
from harness.process import tail
from harness.waiting import wait_until

MANUAL = (ROOT / "sql" / "README.md").read_text()


def blocks(title, language):
    section = re.search(rf"^## {title}\n(.*?)(?=^## )", MANUAL, re.MULTILINE | re.DOTALL).group(1)
    found = re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert found, f"no {language} in the section {title}"
    return found


def test_rights(served, database):
    database.execute("DROP ROLE IF EXISTS operator; DROP ROLE IF EXISTS app; CREATE ROLE operator; CREATE ROLE app")
    for text in blocks("Rights", "sql"):
        for statement in text.split(";\n"):
            if statement.strip():
                database.execute(statement)
    database.execute("SET ROLE app")
    database.execute("INSERT INTO salesforce.account (name) VALUES ('by the application')")
    assert database.value("SELECT salesforce.hc_capture_insert_from_row('id=>1', 'account') > 0")
    for refused in ("SELECT * FROM salesforce._trigger_log", "UPDATE salesforce._trigger_log SET state = 'NEW'", "SELECT hc_pause(id) FROM hc_connection"):
        try:
            database.execute(refused)
        except psycopg.errors.InsufficientPrivilege:
            continue
        raise AssertionError(f"the application may do this: {refused}")
    database.execute("RESET ROLE")
    database.execute("SET ROLE operator")
    database.execute("SELECT hc_pause(id), hc_resume(id) FROM hc_connection")
    database.execute("RESET ROLE; DROP OWNED BY operator, app; DROP ROLE operator, app")


def test_calls_to_salesforce(served, database):
    text, *settings = blocks("Calls to Salesforce", "sql")
    for one in settings:
        database.execute(one)
    setting, status = [statement for statement in text.split(";\n") if statement.strip()]
    database.execute(setting)
    shown = database.value(status)
    assert shown["reserve"] == shown["maximum"] * 15 // 100 and 0 < shown["used"] < 100 and shown["mappings"]["Account"]["calls"] > 0


def test_dumps(served, database, cluster):
    rebind, data_only, schema_alone = blocks("Dumps, restores, copies and standbys", "sh")
    environment = {**os.environ, **served.environment, "PATH": f"{programs()}:{bin_folder()}:{os.environ['PATH']}"}

    def run(text, folder, **more):
        done = subprocess.run(["sh", "-eu", "-c", text], cwd=folder, env={**environment, **more}, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, tail(done.stdout + done.stderr)
        return done.stdout

    with Folder() as folder:
        assert run(rebind, folder).count("is bound to this database") == 2
        for text, options in ((data_only, []), (schema_alone, ["--schema", "salesforce"])):
            tool("pg_dump", "--dbname", database.url, "--format", "custom", "--file", folder / "dump", *options)
            target = cluster.database(extension=False)
            run(text, folder, TARGET=target.url)
            counts = "SELECT (SELECT count(*) FROM salesforce.account) AS rows, (SELECT count(*) FROM salesforce._trigger_log) AS log"
            assert target.one(counts) == database.one(counts)
            target.drop()


def test_a_password_is_in_no_log_and_no_list_of_processes(relay, database):
    relay.environment.update(DATABASE_URL=database.url + "&password=hunter2", HC_LOG_LEVEL="trace")
    relay.add_connection()
    relay.start()
    try:
        wait_until(lambda: 'event="LEADING"' in relay.output, 20, "the relay to lead")
        arguments = open(f"/proc/{relay.program.process.pid}/cmdline").read()
    finally:
        relay.stop()
    shown = relay.output + arguments + relay.command("doctor").stdout + relay.command("settings").stdout
    assert "hunter2" not in shown and "hunter2" not in database.value("SELECT coalesce(string_agg(query, ' '), '') FROM pg_stat_activity")
