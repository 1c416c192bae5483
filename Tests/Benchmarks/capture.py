"""What capture costs a writer: the same pgbench script on a plain table, with capture in C, and with portable capture.

The three take turns, several rounds, so that what else the machine does hits all alike. The figure is the rate of the plain
table divided by the rate with capture: 1 would be free.
"""

import os
import re
import statistics
import subprocess

DESCRIPTION = """{"name":"Account","queryable":true,"replicateable":true,"createable":true,"fields":[
  {"name":"Id","type":"id","length":18},{"name":"SystemModstamp","type":"datetime"},{"name":"IsDeleted","type":"boolean"},
  {"name":"CreatedDate","type":"datetime"}%s]}"""
COLUMNS = 20
ROWS = 10_000

SCRIPTS = {
    "insert": "INSERT INTO {table} (text1__c, text2__c, amount1__c) VALUES ('a', 'b', 1)",
    "update": "\\set id random(1, 10000)\nUPDATE {table} SET text1__c = md5(random()::text), amount1__c = :id WHERE id = :id",
    "update of nothing": "\\set id random(1, 10000)\nUPDATE {table} SET text1__c = text1__c WHERE id = :id",
}


def description():
    fields = "".join(f',{{"name":"Text{n}__c","type":"string","length":255,"createable":true,"updateable":true}}'
                     f',{{"name":"Amount{n}__c","type":"double","createable":true,"updateable":true}}' for n in range(1, COLUMNS // 2 + 1))
    return DESCRIPTION % fields


def make_tables(database):
    """plain.account without capture, and one connection for each mode with the same table."""
    names = ", ".join(f'"Text{n}__c":{{}},"Amount{n}__c":{{}}' for n in range(1, COLUMNS // 2 + 1))
    config = f'{{"access":"read_write","fields":{{{names}}}}}'
    for mode in ("c", "portable"):
        connection = database.value("SELECT hc_connection_create(%s)", f"mode_{mode}")
        database.execute("SELECT hc_mapping_create(%s, 'Account', %s, %s)", connection, config, description())
        database.execute("CALL hc_capture_mode(%s, %s)", connection, mode)
        database.execute("SET xmlbinary = hex")
        database.execute(f"INSERT INTO mode_{mode}.account (sfid, text1__c) SELECT 'x' || g, 'a' FROM generate_series(1, {ROWS}) g")
        database.execute("RESET xmlbinary")
    database.execute("CREATE SCHEMA plain")
    database.execute("CREATE TABLE plain.account (LIKE mode_c.account INCLUDING ALL EXCLUDING DEFAULTS)")
    database.execute("CREATE SEQUENCE plain.account_id_seq AS integer")
    database.execute("ALTER TABLE plain.account ALTER id SET DEFAULT nextval('plain.account_id_seq')")
    database.execute("INSERT INTO plain.account SELECT * FROM mode_c.account")
    database.execute(f"SELECT setval('plain.account_id_seq', {ROWS})")


def rate(database, folder, statement, clients, seconds):
    """Transactions a second, as pgbench counts them."""
    script = folder / "pgbench.sql"
    script.write_text(statement + ";\n")
    bindir = subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
    done = subprocess.run([f"{bindir}/pgbench", "--no-vacuum", "--file", script, f"--client={clients}", f"--jobs={min(clients, 2)}",
                           f"--time={seconds}", "--protocol=prepared", database.url], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return float(re.search(r"tps = ([\d.]+)", done.stdout).group(1))


def run(cluster, folder, report):
    full = os.environ.get("FULL") == "1"
    rounds, seconds = (5, 5) if full else (3, 1)
    database = cluster.database()
    make_tables(database)
    for clients in (1, 8):
        for name, script in SCRIPTS.items():
            rates = {"plain": [], "mode_c": [], "mode_portable": []}
            for _ in range(rounds):
                for schema, seen in rates.items():
                    seen.append(rate(database, folder, script.format(table=f"{schema}.account"), clients, seconds))
            plain, in_c, portable = (statistics.median(seen) for seen in rates.values())
            report.figure(f"{name}, {clients} client{'s' * (clients > 1)}: plain / C capture", plain / in_c)
            report.figure(f"{name}, {clients} client{'s' * (clients > 1)}: plain / portable capture", plain / portable)
            report.note(f"transactions a second: {plain:.0f} plain, {in_c:.0f} C, {portable:.0f} portable")
    database.drop()
