"""A mapping is changed while changes flow both ways: values arrive, rows keep their id, nothing is lost."""

import threading

from harness.relay import mapping
from harness.waiting import wait_until

ACCOUNT = mapping("Account", ["Name", "ExternalId__c"], upsert_field="ExternalId__c")


class Writer:
    """An application that inserts and renames rows until it is stopped."""

    def __init__(self, database):
        self.names = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(database,))

    def _run(self, database):
        with database.connect(autocommit=True) as connection:
            while not self._stop.wait(0.1):
                number = len(self.names)
                id = connection.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES (%s, %s) RETURNING id",
                                        [f"made {number}", f"made-{number}"]).fetchone()["id"]
                connection.execute("UPDATE salesforce.account SET name = %s WHERE id = %s", [f"renamed {number}", id])
                self.names[id] = f"renamed {number}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def loaded(relay):
    relay.wait_until_loaded(60)
    return True


def test_a_field_added_retyped_and_dropped_while_changes_flow_both_ways(connected, database, org):
    made = org.insert_many("Account", [{"Name": f"there {n}", "ExternalId__c": f"there-{n}"} for n in range(30)])
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    ids = {row["sfid"]: row["id"] for row in database.execute("SELECT sfid, id FROM salesforce.account")}
    org.control("POST", "objects/Account/fields", {"name": "Rank__c", "type": "string", "length": 20})
    for n, id in enumerate(made):
        org.update("Account", id, Rank__c=str(n))

    plan = connected.succeed("mapping", "edit", "Account", "--field", "+rank__c", "--index", "Rank__c", "--dry-run")
    assert "Account: add column: rank__c: character varying(20)" in plan and "add index: hc_idx_account_rank__c" in plan
    assert database.execute("SELECT 1 FROM hc_field WHERE field_name = 'Rank__c'") == []
    with Writer(database) as writer:
        wait_until(lambda: len(writer.names) > 2, 20, "the application to write")
        said = connected.succeed("mapping", "edit", "Account", "--field", "+rank__c", "--index", "Rank__c")
        assert "CREATE INDEX CONCURRENTLY hc_idx_account_rank__c" in said
        org.update("Account", made[0], Name="changed meanwhile")   # seen by the load, or by the poll after it
        wait_until(lambda: loaded(connected), 60, "the new column to be loaded")
        values = {row["sfid"]: row["rank__c"] for row in database.execute("SELECT sfid, rank__c FROM salesforce.account WHERE sfid = ANY (%s)", made)}
        assert values == {id: str(n) for n, id in enumerate(made)}

        org.control("PATCH", "objects/Account/fields/Rank__c", {"type": "double"})
        plan = connected.succeed("mapping", "edit", "Account")
        assert "change type of column: rank__c: character varying(20) -> double precision" in plan and "swap column" in plan
        wait_until(lambda: loaded(connected), 60, "the retyped column to be loaded")
        wait_until(lambda: len(writer.names) > 8, 20, "the application to go on")
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce.account WHERE _hc_lastop IS DISTINCT FROM 'SYNCED'") == 0, 60, "all rows to be SYNCED")
    rows = {row["id"]: row for row in database.execute("SELECT * FROM salesforce.account")}
    by_sfid = {row["sfid"]: row for row in rows.values()}
    assert {by_sfid[id]["rank__c"] for id in made} == {float(n) for n in range(30)}
    assert {sfid: by_sfid[sfid]["id"] for sfid in ids} == ids, "rows keep their id"
    assert all(rows[id]["name"] == name and rows[id]["sfid"] for id, name in writer.names.items())
    in_org = {record["Id"]: record for record in org.records("Account")}
    assert len(in_org) == len(rows) and all(in_org[rows[id]["sfid"]]["Name"] == name for id, name in writer.names.items())
    connected.poll_now("Account")
    assert database.value("SELECT name FROM salesforce.account WHERE sfid = %s", made[0]) == "changed meanwhile"

    # A file that names the mapping changes it to what it says; a view on a column that it leaves out is not dropped by the way.
    database.execute("CREATE VIEW ranks AS SELECT rank__c FROM salesforce.account")
    refused = connected.command("import", connected.write_mapping_file({"mappings": [ACCOUNT], "version": 1}))
    assert refused.returncode == 1 and "view public.ranks" in refused.stderr and "Traceback" not in refused.stderr
    database.execute("DROP VIEW ranks")
    said = connected.succeed("import", connected.write_mapping_file({"mappings": [ACCOUNT], "version": 1}))
    assert "drop column: rank__c" in said
    assert "nothing to change" in connected.succeed("import", connected.write_mapping_file({"mappings": [ACCOUNT], "version": 1}))

    # The end: the table stays, and what is written now goes nowhere.
    count = database.value("SELECT count(*) FROM salesforce.account")
    wait_until(lambda: connected.command("mapping", "delete", "Account").returncode == 0, 20, "the last answers")
    assert database.value("SELECT count(*) FROM salesforce.account") == count
    database.execute("INSERT INTO salesforce.account (name) VALUES ('kept here')")
    assert database.value("SELECT count(*) FROM salesforce._trigger_log WHERE \"values\" LIKE '%%kept here%%'") == 0
    taken = connected.command("import", connected.write_mapping_file({"mappings": [ACCOUNT], "version": 1}))
    assert taken.returncode == 1 and "hc_adopt" in taken.stderr
    connected.succeed("connection", "remove", "salesforce")
    assert database.value("SELECT count(*) FROM hc_connection") == 0
