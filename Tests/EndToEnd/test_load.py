"""A first load equals the org, value by value and for every type, by Bulk 2.0, by Bulk 1.0 and by plain queries."""

import datetime

import pytest

from harness.relay import mapping
from harness.waiting import wait_until

FIELDS = {
    "Name": "string", "Text__c": "string", "Short_Text__c": "string", "Text_Area__c": "string", "Long_Text__c": "string", "Large_Text__c": "string",
    "Rich_Text__c": "string", "Phone__c": "string", "Url__c": "string", "Email__c": "string", "Picklist__c": "string", "Restricted__c": "string",
    "Multi__c": "string", "Combobox__c": "string", "Checkbox__c": "boolean", "Checkbox_True__c": "boolean", "Integer__c": "int", "Number__c": "double",
    "Whole_Number__c": "double", "Currency__c": "double", "Percent__c": "double", "Date__c": "date", "Date_Time__c": "datetime", "Time__c": "time",
    "Account__c": "string", "Parent__c": "string", "Place__Latitude__s": "double", "Place__Longitude__s": "double", "Any__c": "string",
    "CurrencyIsoCode": "string", "Default__c": "string", "Text_Formula__c": "string", "Number_Formula__c": "double", "ExternalId__c": "string",
    "Number_Key__c": "double", "Encrypted__c": "string",
}
TEXTS = ["plain", 'comma, and "quote"', '"', '""', "two\nlines", "carriage\r\nreturn", "\n", " trimmed ", "", "   ", "😀 👨‍👩‍👧", "tab\tinside", "'single' \\ back\\\\",
         "<tag> & entity", "Ünïcødé 漢字", "#N/A", ",", "\\.", "\\N", "NULL", None, "a;b", "{1,2}"]


def record(n):
    text = TEXTS[n % len(TEXTS)]
    if n % 50 == 49:
        return {"Name": f"empty {n}"}
    return {
        "Name": f"record {n}", "Text__c": text, "Short_Text__c": f"s{n}"[:10], "Text_Area__c": text, "Long_Text__c": f"{text} {n} " * 20,
        "Large_Text__c": "0123456789" * (n % 300), "Rich_Text__c": f"<p>{n} <b>&amp;</b></p>", "Phone__c": f"+49 {n}", "Url__c": f"https://example.com/?q={n}&x=1",
        "Email__c": f"e{n}@example.com", "Picklist__c": ["One", "Two", "Three"][n % 3], "Restricted__c": ["Red", None][n % 2], "Multi__c": ["West;North", "East", None][n % 3],
        "Combobox__c": text, "Encrypted__c": f"secret {n}", "Checkbox__c": n % 2 == 1, "Integer__c": n * 1000 - 5000, "Number__c": n + 0.1234, "Whole_Number__c": n * 12345678,
        "Currency__c": -n - 0.05, "Percent__c": n % 100 + 0.5, "Date__c": f"20{n % 90:02}-02-28", "Date_Time__c": f"20{n % 90:02}-02-28T23:59:59.000Z",
        "Time__c": f"{n % 24:02}:15:30.250Z", "Place__Latitude__s": 52.5, "Place__Longitude__s": -13.4 - n % 100, "Any__c": text, "ExternalId__c": f"L-{n}", "Number_Key__c": 100000 + n,
    }


def value(kind, answered):
    """What a mapped column must hold for a value as the org answers it (reference 5.6)."""
    if answered is None or kind in ("string", "boolean", "int"):
        return answered
    if kind == "double":
        return float(answered)
    if kind == "date":
        return datetime.date.fromisoformat(answered)
    if kind == "datetime":
        return datetime.datetime.strptime(answered, "%Y-%m-%dT%H:%M:%S.%f%z").replace(tzinfo=None)
    if kind == "time":
        return datetime.time.fromisoformat(answered.rstrip("Z"))
    raise AssertionError(kind)


def assert_equal(database, org):
    records = {r["Id"]: r for r in org.records("Everything__c")}
    rows = database.execute("SELECT * FROM salesforce.everything__c")
    assert len(rows) == len(records)
    system = {"CreatedDate": "datetime", "SystemModstamp": "datetime", "IsDeleted": "boolean"}
    for row in rows:
        there = records[row["sfid"]]
        assert row["_hc_lastop"] == "SYNCED" and row["_hc_err"] is None
        for field, kind in {**FIELDS, **system}.items():
            found = row[field.lower()]
            assert found == value(kind, there[field]), (field, found, there[field], there["Name"])
    return records


def fill(org, count):
    """The first thousand as `record` has them, with every text there is; the others are made at once by the org."""
    accounts = [r["Id"] for r in org.records("Account", limit=20)]
    parent = None
    for start in range(0, 1000, 500):
        batch = [record(n) for n in range(start, start + 500)]
        for n, one in enumerate(batch):
            one["Account__c"] = accounts[n % len(accounts)]
            one["Parent__c"] = parent
        parent = org.insert_many("Everything__c", batch)[0]
    org.generate("Everything__c", count - len(org.records("Everything__c")), Name="made {n}", Text__c="text, \"{n}\"", Text_Area__c="one\ntwo {n}", Checkbox__c="{n%2}",
                 Integer__c="{n%1000}", Number__c="{n%100}.25", Currency__c="-{n%1000}.05", Date__c="2024-{n%12+1:2}-01", Multi__c="West;North",
                 Date_Time__c="2024-01-{n%28+1:2}T10:00:00Z", Time__c="10:{n%60:2}:00Z", Picklist__c="One", ExternalId__c="G-{n}")


@pytest.mark.parametrize("count, version, how", [(12000, "62.0", "bulk2"), (12000, "46.0", "bulk1"), (3000, "62.0", "rest")])
def test_a_first_load_equals_the_org(new_relay, database, org, count, version, how):
    fill(org, count)
    relay = new_relay(SALESFORCE_API_VERSION=version, HC_BULK_PAGE_SIZE="5000")
    relay.add_connection()
    relay.import_mapping(mapping("Everything__c", FIELDS, access="read_only"))
    relay.start_and_load(120)
    records = assert_equal(database, org)
    assert len(records) == count
    # What was written through another door is there as it was written: the org's answer alone does not prove itself.
    texts = {row["text__c"] for row in database.execute("SELECT text__c FROM salesforce.everything__c WHERE name LIKE 'record %%'")}
    assert texts == {t.strip() or None if t is not None else None for t in TEXTS}
    families = {call["family"] for call in org.calls() if call["family"] != "control" and "everything" in str(call.get("object")).lower() and call["operation"] != "describe"}
    assert ({"bulk2": "bulk2", "bulk1": "bulk1", "rest": "rest"}[how] in families) and (how == "rest") == (not families & {"bulk1", "bulk2"})
