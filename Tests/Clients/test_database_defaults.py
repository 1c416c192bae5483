"""Settings that an application gave its database or its role apply to our sessions and to captured values as well."""

import datetime

import pytest

from harness.waiting import wait_until

DEFAULTS = {
    "search_path": "salesforce",                       # without public: with Heroku Connect every write of the application fails
    "datestyle": "'German'",
    "timezone": "'Asia/Kathmandu'",
    "intervalstyle": "'iso_8601'",
    "extra_float_digits": "-5",
    "bytea_output": "'escape'",
    "standard_conforming_strings": "off",
    "array_nulls": "off",
    "default_transaction_isolation": "'repeatable read'",
    "default_transaction_read_only": "off",
    "lock_timeout": "'2s'",
    "statement_timeout": "'30s'",
    "row_security": "off",
}


@pytest.fixture(scope="module")
def odd(start_live):
    return start_live(**DEFAULTS)


def synced(database, table, condition, *parameters):
    def reached():
        rows = database.execute(f"SELECT * FROM {table} WHERE {condition}", *parameters)
        return rows and rows[0]["_hc_lastop"] == "SYNCED" and rows[0]
    return wait_until(reached, 20, f"a row of {table} to be SYNCED")


def test_the_application_s_values_arrive_in_salesforce(odd, org):
    odd.execute("""INSERT INTO everything__c (name, externalid__c, date__c, date_time__c, time__c, number__c, checkbox__c, long_text__c)
                   VALUES ('odd', 'odd-1', '31.12.2025', '31.12.2025 23:59:58', '23:59:58', -123456789.1234, true, E'back\\\\slash "quote"')""")
    row = synced(odd, "everything__c", "externalid__c = 'odd-1'")
    record = org.record("Everything__c", row["sfid"])
    assert record["Date__c"] == "2025-12-31" and record["Date_Time__c"].startswith("2025-12-31T23:59:58")
    assert record["Number__c"] == -123456789.1234 and record["Long_Text__c"] == 'back\\slash "quote"' and record["Checkbox__c"] is True
    assert row["date_time__c"] == datetime.datetime(2025, 12, 31, 23, 59, 58) and odd.value("SELECT number__c = -123456789.1234 FROM everything__c WHERE externalid__c = 'odd-1'")


def test_what_salesforce_says_arrives_here(odd, org):
    sfid = org.insert("Everything__c", Name="from the org", Date__c="2024-02-29", Date_Time__c="2024-02-29T12:34:56.000Z",
                      Number__c=123456789.1234, Time__c="01:02:03.000Z")
    odd.relay.poll_now("Everything__c")
    row = synced(odd, "everything__c", "sfid = %s", sfid)
    assert row["date__c"] == datetime.date(2024, 2, 29) and row["date_time__c"] == datetime.datetime(2024, 2, 29, 12, 34, 56)
    assert row["time__c"] == datetime.time(1, 2, 3)
    assert odd.value("SELECT number__c = 123456789.1234 FROM everything__c WHERE sfid = %s", sfid)
    org.delete("Everything__c", sfid)
    org.advance_clock(minutes=15)
    odd.relay.advance_clock("15 minutes")
    wait_until(lambda: not odd.execute("SELECT 1 FROM everything__c WHERE sfid = %s", sfid), 20, "the row to go")


def test_changes_and_deletes_are_sent(odd, org):
    odd.execute("INSERT INTO account (name, externalid__c) VALUES ('odd', 'odd-account')")
    row = synced(odd, "account", "externalid__c = 'odd-account'")
    odd.execute("UPDATE account SET phone = '1', annualrevenue = 123456789012 WHERE id = %s", row["id"])
    synced(odd, "account", "id = %s AND phone = '1'", row["id"])
    assert org.record("Account", row["sfid"])["AnnualRevenue"] == 123456789012
    odd.execute("DELETE FROM account WHERE id = %s", row["id"])
    wait_until(lambda: org.record("Account", row["sfid"])["IsDeleted"], 20, "the record to be deleted")


def test_nothing_that_the_relay_wrote_was_captured(odd):
    wait_until(lambda: odd.value("SELECT count(*) = 0 FROM _trigger_log"), 20, "the log to be empty")
    archived = odd.execute("SELECT action, state, count(*) AS n FROM _trigger_log_archive GROUP BY 1, 2 ORDER BY 1")
    assert [tuple(row.values()) for row in archived] == [("DELETE", "SUCCESS", 1), ("INSERT", "SUCCESS", 2), ("UPDATE", "SUCCESS", 1)]
