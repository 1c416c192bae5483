"""A mapped table is emptied while a change of an old row is on its way: the answer does not meet the new row that has the id now."""

import pytest

from harness.relay import mapping
from harness.waiting import wait_until


@pytest.mark.parametrize("relay_dies", [False, True], ids=["answered", "relay killed"])
def test_the_answer_to_an_old_row_is_not_given_to_a_new_one(connected, database, org, relay_dies):
    connected.import_mapping(mapping("Account", ["Name", "Phone"]))
    connected.start_and_load()
    before = {record["Id"] for record in org.records("Account")}
    database.execute("SELECT hc_truncate(id, 'warn') FROM hc_connection")
    slow = org.fault("delay", api="soap", operation="create", milliseconds=1500)
    id = database.value("INSERT INTO salesforce.account (name) VALUES ('old') RETURNING id")
    database.execute("UPDATE salesforce.account SET phone = '1' WHERE id = %s", id)
    org.wait_for_fault(slow)
    if relay_dies:
        connected.kill()
    database.execute("TRUNCATE salesforce.account RESTART IDENTITY")
    database.execute("INSERT INTO salesforce.account (id, name, phone) VALUES (%s, 'new', '2')", id)
    if relay_dies:
        connected.start()
        # A create whose answer is lost is looked for only when its call can no longer be running.
        wait_until(lambda: database.value("SELECT count(*) FROM hc_batch WHERE state = 'DOUBT'"), 20, "the batch to be in doubt")
        connected.advance_clock("11 minutes")

    def settled():
        names = {row["name"]: row for row in database.execute("SELECT * FROM salesforce.account WHERE name IN ('old', 'new')")}
        return names if len(names) == 2 and all(row["_hc_lastop"] == "SYNCED" and row["phone"] for row in names.values()) else None

    rows = wait_until(settled, 40, "both records to have a row of their own")
    assert rows["new"]["id"] == id != rows["old"]["id"]
    made = {record["Id"]: (record["Name"], record["Phone"]) for record in org.records("Account") if record["Id"] not in before}
    assert made == {rows["old"]["sfid"]: ("old", "1"), rows["new"]["sfid"]: ("new", "2")}
    told = database.one("SELECT level, times, message FROM hc_notification WHERE event_type = 'table-replaced'")
    assert (told["level"], told["times"]) == ("warning", 1) and "was truncated" in told["message"]

    # What else was in the table comes back with a reload, and nothing twice.
    database.execute("SELECT hc_mapping_reload(id) FROM hc_mapping")
    wait_until(lambda: database.value("SELECT count(*) FROM salesforce.account") == len(before) + 2, 30, "every record to be back")
    assert database.value("SELECT count(DISTINCT sfid) FROM salesforce.account") == len(before) + 2


def test_doctor_says_that_a_table_is_not_captured_any_more(connected, database):
    connected.import_mapping(mapping("Account", ["Name"]))
    connected.start_and_load()
    assert "not captured" not in connected.succeed("doctor")
    database.execute("CREATE TABLE kept (LIKE salesforce.account); DROP TABLE salesforce.account; ALTER TABLE kept SET SCHEMA salesforce; "
                     "ALTER TABLE salesforce.kept RENAME TO account")
    doctor = connected.command("doctor")
    assert doctor.returncode == 1 and "has no trigger hc_account_logtrigger, so changes of it are not captured" in doctor.stdout
    database.execute("SELECT hc_mapping_triggers_create(id) FROM hc_mapping")
    connected.succeed("doctor")


def test_doctor_warns_of_a_sequence_that_runs_out_of_numbers(connected, database):
    assert "none has used half of its numbers" in connected.succeed("doctor")
    database.execute("SELECT setval('salesforce._trigger_log_id_seq', 1181116006)")   # 55 % of what an integer has
    assert "warning: 55% of its integer numbers are used: CALL public.hc_bigint" in connected.succeed("doctor")
    database.execute("SELECT setval('salesforce._trigger_log_id_seq', 1782579527)")   # 83 %
    doctor = connected.command("doctor")
    assert doctor.returncode == 1 and "salesforce._trigger_log_id_seq" in doctor.stdout and "83% of its integer numbers" in doctor.stdout
