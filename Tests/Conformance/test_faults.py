"""Row 19: what goes wrong on purpose, as the clients see it (wire reference 7)."""

import asyncio
import time

import pytest
import requests
from aiosalesforce.auth import ClientCredentialsFlow
from aiosalesforce.exceptions import RequestLimitExceededError
from aiosalesforce.retries import RetryPolicy
from aiosalesforce.retries.rules import ResponseRule
from salesforce_bulk import CsvDictsAdapter
from simple_salesforce.exceptions import SalesforceGeneralError, SalesforceMalformedRequest, SalesforceRefusedRequest

from harness.waiting import wait_until
from support import clients
from support.checklist import AIO, BULK, SIMPLE, ZEEP

LOCKED = "unable to obtain exclusive access to this record or 1 records: 001000000000001AAA"
SOQL = "SELECT Id FROM Account LIMIT 1"


async def ask(org, retries=3):
    """Statuses of the answers to one query of aiosalesforce that takes every 5xx for a reason to try again, at once."""
    policy = RetryPolicy(response_rules=[ResponseRule(lambda answer: answer.status_code >= 500, retries)], max_retries=retries,
                         backoff_base=0.01, backoff_max=0.02)
    client, transport = clients.asynchronous(org, ClientCredentialsFlow("hc-sync-sample", "sample-secret"), retry_policy=policy)
    async with client.httpx_client:
        assert [record async for record in client.query(SOQL)]
        return [answer.status_code for answer in transport.answers[1:]]


@pytest.mark.row(19, "UNABLE_TO_LOCK_ROW on the k-th row", SIMPLE)
def test_locked_row_in_a_collection(org, sf):
    org.fault("reject", record=1, code="UNABLE_TO_LOCK_ROW", message=LOCKED)
    records = [{"attributes": {"type": "Account"}, "Name": f"Lock {n}"} for n in range(3)]
    first, locked, last = sf.restful("composite/sobjects", method="POST", json={"records": records})
    assert (first["success"], last["success"]) == (True, True)
    assert locked == {"success": False, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": LOCKED, "fields": []}]}
    assert sf.restful("composite/sobjects", method="POST", json={"records": records[1:2]})[0]["success"], "and once only"


@pytest.mark.row(19, "UNABLE_TO_LOCK_ROW on the k-th row", ZEEP)
def test_locked_row_in_a_soap_call(org, partner):
    org.fault("reject", record=2, code="UNABLE_TO_LOCK_ROW", message=LOCKED)
    made = partner.call("create", sObjects=[partner.record("Account", Name=f"Lock {n}") for n in range(3)])
    assert [result.success for result in made] == [True, True, False]
    assert (made[2].errors[0].statusCode, made[2].errors[0].message) == ("UNABLE_TO_LOCK_ROW", LOCKED)


@pytest.mark.row(19, "UNABLE_TO_LOCK_ROW on the k-th row", BULK)
def test_locked_row_in_a_batch(org, bulk):
    job = bulk.create_insert_job("Account", contentType="CSV")
    org.fault("reject", record=1, code="UNABLE_TO_LOCK_ROW", message=LOCKED)
    batch = bulk.post_batch(job, CsvDictsAdapter(iter({"Name": f"Lock {n}"} for n in range(3))))
    bulk.close_job(job)
    bulk.wait_for_batch(job, batch, timeout=60, sleep_interval=0.05)
    results = bulk.get_batch_results(batch)
    assert [result.success for result in results] == ["true", "false", "true"]
    assert results[1].error.startswith(f"UNABLE_TO_LOCK_ROW:{LOCKED}:")


@pytest.mark.row(19, "REQUEST_LIMIT_EXCEEDED of the day", SIMPLE)
def test_daily_limit(org, sf):
    org.fault("error", code="REQUEST_LIMIT_EXCEEDED", message="TotalRequests Limit exceeded.")
    with pytest.raises(SalesforceRefusedRequest) as refused:
        sf.query(SOQL)
    assert refused.value.content == [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    assert sf.query(SOQL)["records"]


@pytest.mark.row(19, "REQUEST_LIMIT_EXCEEDED of the day", AIO)
def test_used_up_day_is_a_limit_to_aiosalesforce(org):
    settings = org.control("GET", "settings")
    org.control("PATCH", "settings", {"dailyRequests": 1, "usedRequests": 1_000_000})
    try:
        with pytest.raises(RequestLimitExceededError) as refused:
            asyncio.run(ask(org))
        assert (refused.value.error_code, refused.value.error_message) == ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    finally:
        org.control("PATCH", "settings", {name: settings[name] for name in ("dailyRequests", "usedRequests")})
    assert asyncio.run(ask(org)) == [200]


@pytest.mark.row(19, "REQUEST_LIMIT_EXCEEDED of long calls", SIMPLE)
def test_limit_of_concurrent_long_calls(org, sf):
    org.fault("error", code="REQUEST_LIMIT_EXCEEDED", message="ConcurrentPerOrgLongTxn Limit exceeded.")
    with pytest.raises(SalesforceRefusedRequest) as refused:
        sf.query(SOQL)
    assert refused.value.content == [{"message": "ConcurrentPerOrgLongTxn Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]


@pytest.mark.row(19, "503 with HTML", SIMPLE)
def test_maintenance_page(org, sf):
    org.fault("unavailable_html")
    with pytest.raises(SalesforceGeneralError) as refused:
        sf.query(SOQL)
    assert refused.value.status == 503 and "We are down for maintenance." in refused.value.content
    assert sf.session.last.headers["Content-Type"].startswith("text/html")
    assert sf.query(SOQL)["records"]


@pytest.mark.row(19, "503 with HTML", AIO)
def test_aiosalesforce_tries_again_after_a_maintenance_page(org):
    org.fault("unavailable_html", api="rest", times=2)
    assert asyncio.run(ask(org)) == [503, 503, 200]


@pytest.mark.row(19, "503 with JSON", SIMPLE)
def test_server_unavailable(org, sf):
    org.fault("unavailable")
    with pytest.raises(SalesforceGeneralError) as refused:
        sf.query(SOQL)
    assert (refused.value.status, refused.value.content[0]["errorCode"]) == (503, "SERVER_UNAVAILABLE")


@pytest.mark.row(19, "503 with JSON", AIO)
def test_aiosalesforce_tries_again_when_the_server_is_unavailable(org):
    org.fault("unavailable", api="rest", times=1)
    assert asyncio.run(ask(org)) == [503, 200]


@pytest.mark.row(19, "QUERY_TIMEOUT", SIMPLE)
def test_query_timeout(org, sf):
    org.fault("error", operation="query", code="QUERY_TIMEOUT", message="Your query request was running for too long.")
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query(SOQL)
    assert refused.value.content == [{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}]


@pytest.mark.row(19, "INVALID_QUERY_LOCATOR", SIMPLE)
def test_lost_cursor(org, sf):
    org.generate("Contact", 300, LastName="Cursor {n}")
    page = sf.query("SELECT Id FROM Contact", headers={"Sforce-Query-Options": "batchSize=200"})
    org.control("DELETE", "cursors")
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query_more(page["nextRecordsUrl"], identifier_is_url=True)
    assert refused.value.status == 400 and refused.value.content[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


@pytest.mark.row(19, "slow reply", SIMPLE)
def test_client_that_does_not_wait_has_written_all_the_same(org, sf):
    org.fault("delay", operation="create", milliseconds=30_000)
    with pytest.raises(requests.exceptions.ReadTimeout):
        sf.restful("sobjects/Account", method="POST", json={"Name": "Slow"}, timeout=2)
    wait_until(lambda: org.records("Account", "Name = 'Slow'"), 20, "the record that the client gave up on")


@pytest.mark.row(19, "slow reply", SIMPLE)
def test_client_that_waits_is_answered(org, sf):
    org.fault("delay", operation="query", milliseconds=700)
    begun = time.monotonic()
    assert sf.query(SOQL, timeout=60)["records"]
    assert time.monotonic() - begun >= 0.7


@pytest.mark.row(19, "connection cut within the body", SIMPLE)
def test_half_a_body(org, sf):
    org.generate("Contact", 1_000, LastName="Half {n}")
    org.fault("truncate", operation="query", fraction=0.5)
    with pytest.raises(requests.exceptions.RequestException):
        sf.query("SELECT Id, LastName FROM Contact")
    assert sf.query("SELECT Id, LastName FROM Contact")["records"]


@pytest.mark.row(19, "connection cut within the body", SIMPLE)
@pytest.mark.parametrize("action, written", [("drop_before_commit", 0), ("drop_after_commit", 1)])
def test_no_answer_before_or_after_the_commit(org, sf, action, written):
    org.fault(action, operation="create")
    with pytest.raises(requests.exceptions.ConnectionError):
        sf.Account.create({"Name": f"Cut {action}"})
    assert len(org.records("Account", f"Name = 'Cut {action}'")) == written


@pytest.mark.row(19, "503 with JSON", SIMPLE)
@pytest.mark.parametrize("action, when, written", [("unavailable", "before", 0), ("unavailable", "after", 1), ("error", "after", 1)])
def test_another_answer_before_or_after_the_commit(org, sf, action, when, written):
    org.fault(action, operation="create", when=when, status=503, code="SERVER_UNAVAILABLE", message="Server too busy")
    with pytest.raises(SalesforceGeneralError) as refused:
        sf.Account.create({"Name": f"{action} {when}"})
    assert refused.value.status == 503 and len(org.records("Account", f"Name = '{action} {when}'")) == written


@pytest.mark.row(19, "late commit", SIMPLE)
def test_record_appears_later_with_its_old_stamp(org, sf):
    transaction = org.control("POST", "records/Account", {"records": [{"Name": "Late"}], "commit": {"hold": True}})["transaction"]
    (newer,) = org.insert_many("Account", [{"Name": "Newer"}])
    soql = "SELECT Name, SystemModstamp FROM Account WHERE Name IN ('Late', 'Newer') ORDER BY Name"
    assert [record["Name"] for record in sf.query(soql)["records"]] == ["Newer"]
    org.advance_clock(minutes=5)
    org.control("POST", f"transactions/{transaction}/release")
    late, newer = sf.query(soql)["records"]
    assert late["Name"] == "Late" and late["SystemModstamp"] <= newer["SystemModstamp"], "behind a cursor that has read the newer one"
