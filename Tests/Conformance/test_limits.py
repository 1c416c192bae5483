"""Row 12: limits (wire reference 2.1, 2.11)."""

import re

import pytest

from support.checklist import SIMPLE


@pytest.mark.row(12, "DailyBulkApiBatches is there", SIMPLE)
def test_limits_name_what_a_sync_tool_reads(sf):
    limits = sf.limits()
    for name in ("DailyApiRequests", "DailyBulkApiBatches", "DailyBulkV2QueryJobs", "DailyBulkV2QueryFileStorageMB"):
        assert 0 <= limits[name]["Remaining"] <= limits[name]["Max"]
    assert limits["DailyBulkApiBatches"]["Max"] == 15_000


@pytest.mark.row(12, "short form of Sforce-Limit-Info", SIMPLE)
def test_limit_header_has_the_short_form(sf):
    sf.query("SELECT COUNT() FROM Account")
    assert re.fullmatch(r"api-usage=(\d+)/(\d+)", sf.session.last.headers["Sforce-Limit-Info"])


@pytest.mark.row(12, "short form of Sforce-Limit-Info", SIMPLE)
def test_limit_header_counts_calls(sf):
    used = []
    for _ in range(3):
        sf.query("SELECT COUNT() FROM Account")
        used.append(sf.api_usage["api-usage"].used)
    assert used[1] - used[0] == used[2] - used[1] == 1


@pytest.mark.row(12, "short form of Sforce-Limit-Info", SIMPLE)
def test_quota_check_of_a_tap(org, sf):
    """What tap-salesforce does before it goes on: it stops at 80 % of the day's calls."""
    org.control("PATCH", "settings", {"dailyRequests": 1_000, "usedRequests": 900})
    sf.limits()
    used, allotted = map(int, re.fullmatch(r"api-usage=(\d+)/(\d+)", sf.session.last.headers["Sforce-Limit-Info"]).groups())
    assert allotted == 1_000 and used * 100 / allotted > 80
