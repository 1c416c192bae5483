"""What changes in Salesforce reaches the mapped table, and is not captured."""

from harness.relay import mapping
from harness.waiting import wait_until

ACCOUNT = mapping("Account", ["Name", "ExternalId__c", "AnnualRevenue"], upsert_field="ExternalId__c")


def by_sfid(database, sfid):
    rows = database.execute("SELECT * FROM salesforce.account WHERE sfid = %s", sfid)
    return rows[0] if rows else None


def test_a_record_changed_created_and_deleted_in_the_org_reaches_the_table(connected, database, org):
    kept = org.insert("Account", Name="kept", ExternalId__c="k")
    gone = org.insert("Account", Name="gone", ExternalId__c="g")
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    before = by_sfid(database, kept)
    assert before["_hc_lastop"] == "SYNCED" and by_sfid(database, gone)["name"] == "gone"
    org.update("Account", kept, Name="changed", AnnualRevenue=7)
    made = org.insert("Account", Name="made")
    org.delete("Account", gone)
    org.advance_clock(minutes=15)
    connected.advance_clock("15 minutes")
    wait_until(lambda: by_sfid(database, made), 20, "the new record")
    wait_until(lambda: by_sfid(database, gone) is None, 20, "the deletion")
    after = by_sfid(database, kept)
    assert after["name"] == "changed" and after["annualrevenue"] == 7 and after["id"] == before["id"]
    assert database.value("SELECT count(*) FROM salesforce._trigger_log") == 0
    assert database.value("SELECT count(*) FROM salesforce._trigger_log_archive") == 0


def test_a_record_that_was_committed_late_is_not_missed(connected, database, org):
    connected.import_mapping(ACCOUNT)
    connected.start_and_load()
    org.insert("Account", Name="late", ExternalId__c="l", visible_after=300)   # stamped now, seen in five minutes
    for _ in range(4):
        org.advance_clock(minutes=2)
        connected.poll_now("Account")
    org.advance_clock(minutes=2)
    connected.poll_now("Account")
    wait_until(lambda: database.execute("SELECT 1 FROM salesforce.account WHERE name = 'late'"), 20, "the late record")
