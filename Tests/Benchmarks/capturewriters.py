"""Capture under concurrent writers of single rows, measured with pgbench."""

import os
import re
import statistics
import subprocess

from psycopg import sql

from capturetables import COLUMNS, fill

CLIENTS = 4
WRITERS = 32
ROWS = 10_000
SEED = 20261124
PROMISES = {"c": 1.05, "portable": 0.7}

INSERT = f"INSERT INTO {{schema}}.account ({COLUMNS}) VALUES {{values}}"
UPDATE = "UPDATE {schema}.account SET text1__c = 'text of ' || :id, amount1__c = :id + 0.5, count1__c = :n WHERE id = :id"
NO_OP = "UPDATE {schema}.account SET text1__c = text1__c WHERE id = :id"
RANDOM = f"\\set id random(1, {ROWS})\n\\set n random(1, 1000000000)\n"
LOG_ROW = ("WITH written AS ({write} RETURNING id, sfid) INSERT INTO plain._trigger_log (id, txid, created_at, state, action, table_name, record_id, sfid, old, values) "
           "SELECT nextval('plain._trigger_log_id_seq'), txid_current(), clock_timestamp(), {state}, {action}, 'account', id, {sfid}, {old}, {values} FROM written")


def new_values():
    given = {"isdeleted": "false", "systemmodstamp": "'2024-05-06 07:08:09'", "createddate": "'2024-05-06 07:08:09'", "name": "'Company ' || :n",
             "text1__c": "'first text of ' || :n", "text2__c": "'c4ca4238a0b923820dcc509a6f75849b'", "text3__c": "'A \"quoted\" description of some length, as there are many of'",
             "text4__c": "'short'", "amount1__c": ":n / 7.0", "amount2__c": ":n * 1.25", "amount3__c": "12", "count1__c": ":n", "count2__c": "17", "flag1__c": "true",
             "date1__c": "'2020-01-01'", "closed1__c": "'2024-01-01 12:00:00.5'", "ownerid": "'005xx000001Sv6AAAS'", "stage1__c": "'Prospecting'"}
    return f"(NULL, {', '.join(given[column] for column in COLUMNS.split(', ')[1:])})"


def writes(database):
    """For each kind of write: the statement, and the same with one plain INSERT of a log row as long as the captured one."""
    fill(database, "c", 100)
    scripts = {"INSERT": INSERT.replace("{values}", new_values()), "UPDATE": UPDATE, "no-op UPDATE": NO_OP}
    both = {}
    for name, write in scripts.items():
        database.execute(re.sub(":(id|n)\\b", "77", write.format(schema="c")))
        entry = database.one("DELETE FROM c._trigger_log RETURNING state, action, old, values")
        texts = {key: sql.Literal(value).as_string(None) for key, value in entry.items()}
        sfid = "NULL" if name == "INSERT" else "sfid"
        both[name] = (RANDOM + write, RANDOM + LOG_ROW.format(write=write.format(schema="plain"), sfid=sfid, **texts))
    return both


def rate(database, folder, script, clients, seconds):
    """Transactions a second, as pgbench counts them."""
    file = folder / "pgbench.sql"
    file.write_text(script + ";\n")
    bindir = subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
    done = subprocess.run([f"{bindir}/pgbench", "--no-vacuum", "--file", file, f"--client={clients}", f"--jobs={min(clients, 2)}", f"--random-seed={SEED}",
                           f"--time={seconds}", "--protocol=prepared", database.url], capture_output=True, text=True,
                          env=os.environ | {"PGOPTIONS": "-c synchronous_commit=off"})
    assert done.returncode == 0, done.stderr
    return float(re.search(r"tps = ([\d.]+)", done.stdout).group(1))


def single_rows(database, folder, report, rounds, seconds):
    """Each kind of write without capture, with a plain INSERT of the log row, and with capture."""
    report.note(f"single rows: {CLIENTS} clients, synchronous_commit off, seed {SEED}, {rounds} rounds of {seconds} s")
    for name, (write, with_log_row) in writes(database).items():
        rates = {way: [] for way in ("plain", "log row", "c", "portable", "heroku")}
        for schema in ("plain", "c", "portable", "heroku"):
            fill(database, schema, ROWS)
        for number in range(rounds):
            for way, seen in rates.items():
                if way == "heroku" and number > 0:
                    continue   # slow enough to be known after one round
                script = with_log_row if way == "log row" else write.format(schema=way)
                seen.append(rate(database, folder, script, CLIENTS, seconds))
        median = {way: statistics.median(seen) for way, seen in rates.items()}
        report.note(f"{name}, transactions a second: " + ", ".join(f"{way} {value:,.0f}" for way, value in median.items()))
        for mode, text in (("c", "C"), ("portable", "portable")):
            report.figure(f"{name} of one row, {text} / plain with a plain INSERT of the log row", median[mode] / median["log row"], at_least=PROMISES[mode])
            report.figure(f"{name} of one row, {text} / no capture", median[mode] / median["plain"])


def notify(database, folder, report, pairs, seconds):
    """Many writers while the log's trigger is there and while it is disabled, and the latter against itself."""
    report.note(f"notify: {WRITERS} writers, {pairs} interleaved pairs of {seconds} s, a listener in the database")
    script = RANDOM + UPDATE
    for mode, text in (("c", "C"), ("portable", "portable")):
        fill(database, mode, ROWS)
        with database.connect(autocommit=True) as listener:
            listener.execute(f'LISTEN "{mode}.hc_trigger_log"')
            with_notify, itself = [], []
            for _ in range(pairs):
                rates = []
                for switch in ("DISABLE", "ENABLE", "DISABLE"):
                    database.execute(f"ALTER TABLE {mode}._trigger_log {switch} TRIGGER tlog_insert_trigger")
                    rates.append(rate(database, folder, script.format(schema=mode), WRITERS, seconds))
                with_notify.append(rates[1] / rates[0])
                itself.append(rates[2] / rates[0])
            database.execute(f"ALTER TABLE {mode}._trigger_log ENABLE TRIGGER tlog_insert_trigger")
        report.figure(f"{WRITERS} writers, {text}: with notify / without", statistics.median(with_notify), at_least=0.95)
        report.note(f"without / itself: {statistics.median(itself):.3g}; with notify from {min(with_notify):.3g} to {max(with_notify):.3g}")
