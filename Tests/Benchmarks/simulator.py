"""The simulator's own speed: it must never be what a benchmark measures.

Each figure stands beside a plain tool that does the same work in the same run: `psql \\copy` for the results of Bulk jobs,
SQLite itself for SOAP calls and generated records, an empty org for the opening of a full one.
"""

import os
import sqlite3
import statistics
import subprocess
import time
from contextlib import closing

from harness import ROOT
from harness.organization import Organization

from measure import memory_peak, reset_memory_peak
from orgclient import OrgClient

FULL = os.environ.get("FULL") == "1"
WIDE = {"Name": "Record {n}", "Text__c": "Some text as there is in many orgs, number {n}", "Short_Text__c": "s{n%1000}",
        "Text_Area__c": "A \"quoted\" text, with commas, of record {n}", "Long_Text__c": "A description of some length for record {n} of this org",
        "Phone__c": "+49 30 {n}", "Url__c": "https://example.com/{n}", "Email__c": "person{n}@example.com", "Picklist__c": "Two",
        "Restricted__c": "Red", "Multi__c": "North;West", "Checkbox__c": "{n%2}", "Integer__c": "{n%1000000}", "Number__c": "{n%9999}.25",
        "Currency__c": "{n%100000}.5", "Percent__c": "{n%100}", "Date__c": "2024-{n%12+1:2}-{n%28+1:2}", "Date_Time__c": "2024-{n%12+1:2}-01T10:00:00",
        "Time__c": "13:{n%60:2}:00", "ExternalId__c": "x{n}", "Number_Key__c": "{n}"}
SYSTEM = ["Id", "IsDeleted", "OwnerId", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"]
ACCOUNT = {"Name": "Account {n}", "Type": "Customer", "Phone": "+49 30 {n}", "Website": "https://example.com/{n}", "AnnualRevenue": "{n%1000000}",
           "NumberOfEmployees": "{n%5000}", "BillingCity": "Berlin", "BillingCountry": "Germany", "Description": "An account, number {n}",
           "ExternalId__c": "x{n}"}
CALL = 200


def run(cluster, folder, report):
    work = folder / "simulator"
    work.mkdir()
    org = Organization(work)
    org.start()
    try:
        # Bulk first: its memory is that of a simulator that has done nothing else.
        bulk_results(cluster, work, report, org, 1_000_000 if FULL else 100_000)
        soap_calls(work, report, org, 60 if FULL else 20)
        generation(report, org, 1_000_000 if FULL else 200_000)
        opening(report, org, 5_000_000 if FULL else 1_000_000)
    finally:
        org.program.forget()
        for file in work.glob("*.sqlite*"):
            file.unlink()


def timed(work):
    """Seconds that `work` takes, and what it returns."""
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


# (a) Bulk

def bulk_results(cluster, work, report, org, count):
    """Results of both Bulk APIs against `\\copy` of the same file; the three take turns."""
    seconds, _ = timed(lambda: org.generate("Everything__c", count, **WIDE))
    report.note(f"{count:,} wide records generated in {seconds:.1f} s")
    columns = SYSTEM + list(WIDE)
    query = f"SELECT {', '.join(columns)} FROM Everything__c"
    database = cluster.database(False)
    database.execute(f"CREATE TABLE plain ({', '.join(f'{name} text' for name in columns)})")
    copy = [f"{bindir()}/psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--command", f"\\copy plain from '{work / 'result.csv'}' csv header",
            database.url]
    pid = org.program.process.pid
    with OrgClient(org) as client:
        reset_memory_peak(pid)
        before = memory_peak(pid)
        job2 = client.bulk2_query(query)
        job1 = client.bulk1_query("Everything__c", query)
        size, rows = client.bulk2_results(job2.id, count, work / "result.csv")
        report.note(f"result of {rows:,} records, {size / 1e6:.0f} MB, made in {job2.seconds:.1f} s (2.0) and {job1.seconds:.1f} s (1.0)")
        assert rows >= count, rows
        times = {"copy": [], "2.0": [], "1.0": []}
        for _ in range(5):
            times["2.0"].append(timed(lambda: client.bulk2_results(job2.id, rows))[0])
            times["copy"].append(timed(lambda: subprocess.run(copy, check=True, cwd=work))[0])
            times["1.0"].append(timed(lambda: client.bulk1_results(job1))[0])
            database.execute("TRUNCATE plain")
        peak = memory_peak(pid)
        client.bulk2_delete(job2.id)
    database.drop()
    (work / "result.csv").unlink()
    median = {name: statistics.median(seen) for name, seen in times.items()}
    rates = ", ".join(f"{name} {size / 1e6 / seconds:.0f}" for name, seconds in median.items())
    report.note(f"MB a second: {rates}")
    report.figure(f"\\copy of {rows:,} records / sending them (Bulk 2.0)", median["copy"] / median["2.0"], at_least=3)
    report.figure("the same over Bulk 1.0", median["copy"] / median["1.0"], at_least=3)
    report.note(f"simulator memory: {before:.0f} MiB before, peak {peak:.0f} MiB while making and sending them")


def bindir():
    pg_config = subprocess.run([ROOT / "scripts" / "pg-config"], capture_output=True, text=True, check=True).stdout.strip()
    return subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip()


# (b) SOAP

def soap_calls(work, report, org, calls):
    """Writes of 200 records, and each written once more by SQLite alone: the same rows, tables, indices and pragmas.

    Compared are the lower quartiles: a call of several threads meets more of what else the machine does than one short
    transaction, and that is not what it costs. The medians are printed.
    """
    org.generate("Account", 100_000, **ACCOUNT)
    twin = work / "twin.sqlite"
    with closing(sqlite3.connect(work / "org.sqlite")) as source, closing(sqlite3.connect(twin, isolation_level=None)) as copy:
        source.backup(copy)
        copy.executescript("PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; PRAGMA journal_mode = WAL;")
        source.row_factory = sqlite3.Row
        with OrgClient(org) as client:
            for operation in ("create", "update", "upsert"):
                soap, plain = [], []
                for number in range(calls + 2):
                    records = batch(operation, number, source)
                    seconds, answer = timed(client.soap_write(operation, records))
                    ids = client.saved(answer)
                    assert len(ids) == CALL
                    rows = [source.execute("SELECT * FROM Account WHERE Id = ?", (id,)).fetchone() for id in ids]
                    transaction = sqlite_transaction(copy, operation, rows, records)
                    if number < 2:
                        continue   # the first calls fill caches on both sides
                    soap.append(seconds)
                    plain.append(transaction)
                report.note(f"{operation}: {statistics.median(soap) * 1000:.1f} ms a call of {CALL} records, SQLite {statistics.median(plain) * 1000:.2f} ms")
                report.figure(f"SOAP {operation} of {CALL} / one SQLite transaction", quartile(soap) / quartile(plain), 10)
    for file in work.glob("twin.sqlite*"):
        file.unlink()


def quartile(times):
    return statistics.quantiles(times, n=4)[0]


def batch(operation, number, source):
    """Records of ten fields: new ones, known ones by Id, or half of each by external id."""
    known = source.execute("SELECT Id, ExternalId__c FROM Account WHERE ExternalId__c LIKE 'x%' AND rowid > ? ORDER BY rowid LIMIT ?",
                           (number * CALL * 2, CALL)).fetchall()
    records = []
    for index in range(CALL):
        n = number * CALL + index
        record = {key: template.split("{")[0] + str(n) if "{" in template else template for key, template in ACCOUNT.items()}
        record["ExternalId__c"] = f"{operation}-{n}"
        record["AnnualRevenue"] = f"{n}"
        record["NumberOfEmployees"] = str(n % 5000)
        if operation == "update":
            record = {"Id": known[index]["Id"], **record}
        elif operation == "upsert" and index % 2:
            record["ExternalId__c"] = known[index]["ExternalId__c"]
        records.append(record)
    return records


def sqlite_transaction(copy, operation, rows, records):
    """Seconds of one transaction that writes `rows`, as the org has them now."""
    names = rows[0].keys()
    insert = f"INSERT INTO Account ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    changed = [name for name in [*records[0], "Checked__c", "LastModifiedDate", "LastModifiedById", "SystemModstamp"] if name != "Id"]
    key = "ExternalId__c" if operation == "upsert" else "Id"
    changed = [name for name in changed if name != key]
    where = "ExternalId__c = ? COLLATE NOCASE" if operation == "upsert" else "Id = ?"
    update = f"UPDATE Account SET {', '.join(name + ' = ?' for name in changed)} WHERE {where}"
    new = [tuple(row) for row, record in zip(rows, records) if operation == "create" or record["ExternalId__c"].startswith("upsert")]
    old = [tuple(row[name] for name in changed) + (row[key],) for row in rows] if operation == "update" else \
        [tuple(row[name] for name in changed) + (row[key],) for row in rows if row[key].startswith("x")] if operation == "upsert" else []

    def transaction():
        copy.execute("BEGIN IMMEDIATE")
        if new:
            copy.executemany(insert, new)
        if old:
            copy.executemany(update, old)
        copy.execute("COMMIT")

    assert len(new) + len(old) == CALL, (len(new), len(old))
    return timed(transaction)[0]


# (d) generation and (c) opening

def generation(report, org, count):
    seconds, _ = timed(lambda: org.generate("Account", count, **ACCOUNT))
    report.note(f"{count / seconds:,.0f} generated records a second")
    report.figure(f"generating {count:,} records", seconds, 30 * count / 1_000_000, " s")


def opening(report, org, count):
    """From the start of the program to its answer to a query, when it was told to stop before and when it was killed.

    The file is not in the kernel's cache. An org of the sample's few records opens beside it.
    """
    file = org.program.folder / "org.sqlite"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source:
        there = source.execute("SELECT count(*) FROM Account").fetchone()[0]
    while there < count:
        step = min(1_000_000, count - there)
        org.generate("Account", step, **ACCOUNT)
        there += step
    with OrgClient(org) as client:
        token = client.token
    small_folder = file.parent / "small"
    small_folder.mkdir()
    small = Organization(small_folder)
    small.start()
    with OrgClient(small) as client:
        small_token = client.token
    small.program.stop()
    small_seconds, _ = timed(lambda: first_answer(small, small_token))
    small.program.forget()
    report.note(f"an org of the sample records opens in {small_seconds:.2f} s")
    for ending in ("stopped", "killed"):
        org.program.stop(60) if ending == "stopped" else org.program.kill()
        size = sum(part.stat().st_size for part in file.parent.glob("org.sqlite*"))
        for part in file.parent.glob("org.sqlite*"):
            forget_cached(part)
        seconds, _ = timed(lambda: first_answer(org, token))
        report.figure(f"opening an org of {there:,} records ({size / 1e6:,.0f} MB) that was {ending}", seconds, 5, " s")


def first_answer(org, token):
    org.start()
    with OrgClient(org, token) as client:
        (record,) = client.query("SELECT Id, Name FROM Account ORDER BY Id LIMIT 1")
        return record


def forget_cached(path):
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
