"""Row 11: getUpdated and getDeleted over REST (wire reference 2.10)."""

import datetime

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest

from support.checklist import SIMPLE

MINUTE = datetime.timedelta(minutes=1)


def now(org):
    return datetime.datetime.fromisoformat(org.control("GET", "clock")["now"].replace("Z", "+00:00").replace("+0000", "+00:00"))


@pytest.mark.row(11, "%2B00%3A00 is read", SIMPLE)
def test_updated_lists_a_changed_record(org, sf):
    id = org.insert("Account", Name="Changed")
    found = sf.Account.updated(now(org) - 5 * MINUTE, now(org) + 5 * MINUTE)
    assert "%2B00%3A00" in sf.session.last.request.url
    assert id in found["ids"] and found["latestDateCovered"].endswith("+0000")


@pytest.mark.row(11, "%2B00%3A00 is read", SIMPLE)
def test_offset_of_another_zone_is_read(org, sf):
    id = org.insert("Account", Name="Changed elsewhere")
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    start, end = (now(org) - 5 * MINUTE).astimezone(zone), (now(org) + 5 * MINUTE).astimezone(zone)
    assert id in sf.Account.updated(start, end)["ids"]


@pytest.mark.row(11, "seconds are cut to the minute", SIMPLE)
def test_a_start_within_the_minute_counts_from_the_whole_minute(org, sf):
    org.control("POST", "clock", {"now": (now(org).replace(second=10, microsecond=0) + 2 * MINUTE).strftime("%Y-%m-%dT%H:%M:%S.000Z")})
    id = org.insert("Account", Name="Early in the minute")
    start = now(org).replace(second=50)
    assert id in sf.Account.updated(start, start + 3 * MINUTE)["ids"], "12:30:50 is cut to 12:30:00"


@pytest.mark.row(11, "seconds are cut to the minute", SIMPLE)
def test_an_end_within_the_minute_counts_to_the_whole_minute(org, sf):
    org.control("POST", "clock", {"now": (now(org).replace(second=10, microsecond=0) + 2 * MINUTE).strftime("%Y-%m-%dT%H:%M:%S.000Z")})
    id = org.insert("Account", Name="After the end")
    end = now(org).replace(second=50)
    assert id not in sf.Account.updated(end - 5 * MINUTE, end)["ids"], "12:30:50 is cut to 12:30:00"


@pytest.mark.row(11, "INVALID_REPLICATION_DATE", SIMPLE)
@pytest.mark.parametrize("call, start, end", [("updated", 5, -5), ("deleted", 5, -5), ("deleted", 0, 0), ("deleted", -1, 0)])
def test_dates_in_the_wrong_order(org, sf, call, start, end):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        getattr(sf.Account, call)(now(org) + start * MINUTE, now(org) + end * MINUTE)
    assert refused.value.content[0]["errorCode"] == "INVALID_REPLICATION_DATE"


@pytest.mark.row(11, "INVALID_REPLICATION_DATE", SIMPLE)
@pytest.mark.parametrize("call, days", [("updated", 31), ("deleted", 16)])
def test_dates_before_the_look_back(org, sf, call, days):
    start = now(org) - datetime.timedelta(days=days)
    with pytest.raises(SalesforceMalformedRequest) as refused:
        getattr(sf.Account, call)(start, now(org))
    assert refused.value.content[0]["errorCode"] == "INVALID_REPLICATION_DATE"


@pytest.mark.row(11, "deleted", SIMPLE)
def test_deleted_lists_a_deleted_record(org, sf):
    id = org.insert("Account", Name="Deleted")
    org.delete("Account", id)
    found = sf.Account.deleted(now(org) - 5 * MINUTE, now(org) + 5 * MINUTE)
    assert set(found) == {"deletedRecords", "earliestDateAvailable", "latestDateCovered"}
    (entry,) = [entry for entry in found["deletedRecords"] if entry["id"] == id]
    assert set(entry) == {"id", "deletedDate"} and entry["deletedDate"].endswith("+0000")
