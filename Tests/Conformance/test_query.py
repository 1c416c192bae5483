"""Row 7: queries and their pages (wire reference 2.6)."""

import asyncio

import pytest
from aiosalesforce.auth import ClientCredentialsFlow

from support import clients
from support.checklist import AIO, SIMPLE

COUNT = 4_500
SOQL = "SELECT Id, Name FROM Account WHERE Name LIKE 'Paged %' ORDER BY Id"


@pytest.fixture(scope="module")
def paged(org):
    org.generate("Account", COUNT, Name="Paged {n}")


def pages(sf):
    return [answer.json() for answer in sf.session.answers]


async def collect(org, **options):
    client, transport = clients.asynchronous(org, ClientCredentialsFlow("hc-sync-sample", "sample-secret"))
    async with client.httpx_client:
        records = [record async for record in client.query(SOQL, **options)]
        return records, [answer.json() for answer in transport.answers[1:]]


@pytest.mark.row(7, "pages of 2,000", SIMPLE)
def test_query_all_brings_every_record_once_in_pages_of_2000(paged, sf):
    found = sf.query_all(SOQL)
    assert found["totalSize"] == COUNT and len({record["Id"] for record in found["records"]}) == COUNT
    assert [len(page["records"]) for page in pages(sf)] == [2_000, 2_000, 500]
    assert {page["totalSize"] for page in pages(sf)} == {COUNT}


@pytest.mark.row(7, "pages of 2,000", SIMPLE)
def test_query_all_iter_reads_on_as_it_is_read(paged, sf):
    records = sf.query_all_iter(SOQL)
    first = next(records)
    assert first["attributes"] == {"type": "Account", "url": f"/services/data/v62.0/sobjects/Account/{first['Id']}"}
    assert len(sf.session.answers) == 1
    assert sum(1 for _ in records) == COUNT - 1


@pytest.mark.row(7, "pages of 2,000", AIO)
def test_aiosalesforce_query(org, paged):
    records, found = asyncio.run(collect(org))
    assert len({record["Id"] for record in records}) == COUNT
    assert [len(page["records"]) for page in found] == [2_000, 2_000, 500]


@pytest.mark.row(7, "batchSize from 200 to 2,000", SIMPLE)
@pytest.mark.parametrize("asked, given", [(1, 200), (200, 200), (250, 250), (2_000, 2_000), (5_000, 2_000)])
def test_batch_size(paged, sf, asked, given):
    page = sf.query(SOQL, headers={"Sforce-Query-Options": f"batchSize={asked}"})
    assert len(page["records"]) == given


@pytest.mark.row(7, "nextRecordsUrl is relative", SIMPLE)
def test_next_records_url_is_a_path_of_the_org(paged, sf):
    page = sf.query(SOQL)
    assert page["done"] is False and page["nextRecordsUrl"].startswith("/services/data/v62.0/query/")
    assert sf.query_more(page["nextRecordsUrl"], identifier_is_url=True)["records"][0]["Name"] == "Paged 2001"


@pytest.mark.row(7, "nextRecordsUrl is relative", SIMPLE)
def test_next_page_by_its_locator_alone(paged, sf):
    locator = sf.query(SOQL)["nextRecordsUrl"].rsplit("/", 1)[1]
    assert sf.query_more(locator)["records"][0]["Name"] == "Paged 2001"


@pytest.mark.row(7, "the last page has no nextRecordsUrl", SIMPLE)
def test_last_page(paged, sf):
    sf.query_all(SOQL)
    assert [page["done"] for page in pages(sf)] == [False, False, True]
    assert ["nextRecordsUrl" in page for page in pages(sf)] == [True, True, False]


@pytest.mark.row(7, "the last page has no nextRecordsUrl", AIO)
def test_aiosalesforce_stops_where_the_key_is_missing(org, paged):
    _, found = asyncio.run(collect(org))
    assert ["nextRecordsUrl" in page for page in found] == [True, True, False]


@pytest.mark.row(7, "include_deleted", SIMPLE)
def test_deleted_records_come_only_when_asked_for(org, sf):
    kept, gone = org.insert_many("Account", [{"Name": "Bin kept"}, {"Name": "Bin gone"}])
    org.delete("Account", gone)
    soql = "SELECT Id, IsDeleted FROM Account WHERE Name LIKE 'Bin %'"
    assert [record["Id"] for record in sf.query_all(soql)["records"]] == [kept]
    found = {record["Id"]: record["IsDeleted"] for record in sf.query_all(soql, include_deleted=True)["records"]}
    assert found == {kept: False, gone: True}


@pytest.mark.row(7, "include_deleted", SIMPLE)
def test_next_page_of_a_query_for_all_has_the_path_of_any_query(paged, sf):
    page = sf.query(SOQL, include_deleted=True)
    assert page["nextRecordsUrl"].startswith("/services/data/v62.0/query/")
    assert len(sf.query_more(page["nextRecordsUrl"], identifier_is_url=True)["records"]) == 2_000


@pytest.mark.row(7, "include_deleted", AIO)
def test_aiosalesforce_includes_deleted_records(org, paged):
    (gone,) = org.insert_many("Account", [{"Name": "Paged and gone"}])
    org.delete("Account", gone)
    records, _ = asyncio.run(collect(org, include_all_records=True))
    assert gone in {record["Id"] for record in records} and len(records) == COUNT + 1
