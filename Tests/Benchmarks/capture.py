"""What capture costs a writer: statements of many rows, single rows by several clients, and the notification of the relay.

What is compared takes turns, several rounds, so that what else the machine does hits all alike, and medians are taken.
"Added time" is that of a statement on a captured table less that of the same statement on a table without capture.
The floor is one INSERT .. SELECT of the same log rows into an identical log with its indexes, without triggers.
ROWS=100000 takes the full number of rows without the full number of rounds.
"""

import os
import statistics
import time

from capturetables import COLUMNS, empty, make_tables
from capturewriters import notify, single_rows

FULL = os.environ.get("FULL") == "1"
ROWS = int(os.environ.get("ROWS", 100_000 if FULL else 20_000))
ROUNDS = 7 if FULL else 3
HEROKU_ROWS = 2_000 if FULL else 500
STATEMENTS = {
    "INSERT": f"INSERT INTO {{schema}}.account ({COLUMNS}) SELECT {COLUMNS} FROM source LIMIT {{rows}}",
    "UPDATE": "UPDATE {schema}.account SET text1__c = text2__c, amount1__c = amount2__c + 1, closed1__c = closed1__c + interval '1 h'",
    "DELETE": "DELETE FROM {schema}.account",
}
PROMISES = {
    "floor": {"c": {"INSERT": 1.0, "UPDATE": 1.2, "DELETE": 1.0}, "portable": {"INSERT": 2.0, "UPDATE": 3.5, "DELETE": 2.0}},
    "heroku": {"c": 50, "portable": 15},
}


def run(cluster, folder, report):
    database = cluster.database()
    make_tables(database, ROWS)
    many_rows(database, report)
    single_rows(database, folder, report, rounds=7 if FULL else 2, seconds=5 if FULL else 1)
    notify(database, folder, report, pairs=10 if FULL else 3, seconds=4 if FULL else 1)
    database.drop()


def timed(database, statement):
    begun = time.perf_counter()
    database.execute(statement)
    return time.perf_counter() - begun


def many_rows(database, report):
    """Each statement on a table without capture and with each way of capture, and the floor of its log rows."""
    seconds = {name: {schema: [] for schema in ("plain", "floor", "c", "portable", "few", "heroku", "mended")} for name in STATEMENTS}
    for number in range(ROUNDS + 1):
        empty(database, "plain", "c", "portable", "floor", "heroku", "mended")
        database.execute("CHECKPOINT")
        for name, statement in STATEMENTS.items():
            this = {schema: timed(database, statement.format(schema=schema, rows=ROWS)) for schema in ("plain", "c", "portable")}
            this["floor"] = timed(database, f"INSERT INTO floor._trigger_log SELECT * FROM c._trigger_log WHERE action = '{name}'")
            for schema, time_taken in this.items():
                if number > 0:   # the first round fills caches
                    seconds[name][schema].append(time_taken)
        same_rows(database)
        if number <= (2 if FULL else 1):
            heroku_round(database, seconds, number)
    for name in STATEMENTS:
        figures(report, name, {schema: statistics.median(seen) for schema, seen in seconds[name].items()})


def heroku_round(database, seconds, number):
    empty(database, "plain")
    for name, statement in STATEMENTS.items():
        for schema in ("plain", "heroku", "mended"):
            time_taken = timed(database, statement.format(schema=schema, rows=HEROKU_ROWS))
            if number > 0:
                seconds[name]["few" if schema == "plain" else schema].append(time_taken)


def same_rows(database):
    """The two ways of capture wrote the same entries, and all of them."""
    for name in STATEMENTS:
        counts = [database.value(f"SELECT count(*) FROM {schema}._trigger_log WHERE action = '{name}'") for schema in ("c", "portable", "floor")]
        assert counts == [ROWS] * 3, counts
    seen = [database.value(f"""SELECT md5(string_agg(md5(concat_ws('|', action, state, sfid, regexp_replace(old, '"id"=>"\\d+"', ''),
        regexp_replace(values, '"id"=>"\\d+"', ''))), '' ORDER BY id)) FROM {schema}._trigger_log""") for schema in ("c", "portable")]
    assert seen[0] == seen[1], "the logs differ"


def figures(report, name, median):
    report.note(f"{name} of {ROWS:,} rows: {median['plain'] * 1e3:.0f} ms plain, floor {median['floor'] * 1e3:.0f} ms; with capture {median['c'] * 1e3:.0f} ms in C, "
                f"{median['portable'] * 1e3:.0f} ms portable; of {HEROKU_ROWS:,} rows: {median['few'] * 1e3:.0f} ms plain, {median['heroku'] * 1e3:.0f} ms Heroku's way, "
                f"{median['mended'] * 1e3:.0f} ms with its gate mended")
    for schema, way in (("c", "C"), ("portable", "portable")):
        added = median[schema] - median["plain"]
        report.figure(f"{name} of many rows, {way}: added time / floor", added / median["floor"], PROMISES["floor"][schema][name])
        for baseline, text in (("heroku", "Heroku's way"), ("mended", "Heroku's way with its gate mended")):
            theirs = (median[baseline] - median["few"]) * ROWS / HEROKU_ROWS
            report.figure(f"{name} of many rows: added time of {text} / {way}", theirs / added,
                          at_least=PROMISES["heroku"][schema] if baseline == "heroku" else None)
