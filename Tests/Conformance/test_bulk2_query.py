"""Row 17: Bulk API 2.0 queries (wire reference 4.3)."""

import csv
import io

import pytest

from support.checklist import SIMPLE

COUNT = 120
SOQL = "SELECT Id, Name, Phone FROM Account WHERE Name LIKE 'Exported %'"
HEADER = '"Id","Name","Phone"\n'


@pytest.fixture(scope="module", autouse=True)
def exported(org):
    org.control("PATCH", "settings", {"bulkDelayMilliseconds": 0})
    org.generate("Account", COUNT, Name="Exported {n}")


def results(sf):
    """The answers that carried results, in order."""
    return [answer for answer in sf.session.answers if "/results" in answer.request.url]


@pytest.mark.row(17, "Sforce-Locator null at the end", SIMPLE)
def test_client_reads_page_after_page_until_the_locator_is_null(sf):
    pages = list(sf.bulk2.Account.query(SOQL, max_records=50, wait=0))
    names = [row["Name"] for page in pages for row in csv.DictReader(io.StringIO(page))]
    assert sorted(names) == sorted(f"Exported {n}" for n in range(1, COUNT + 1))
    locators = [answer.headers["Sforce-Locator"] for answer in results(sf)]
    assert len(locators) == 3 and locators[-1] == "null" and "null" not in locators[:-1]
    assert all(answer.headers["Content-Type"].startswith("text/csv") for answer in results(sf))


@pytest.mark.row(17, "Sforce-Locator null at the end", SIMPLE)
def test_a_locator_can_be_read_again(sf):
    list(sf.bulk2.Account.query(SOQL, max_records=50, wait=0))
    second = results(sf)[1]
    again = sf.session.get(second.request.url, headers={"Authorization": second.request.headers["Authorization"]})
    assert again.content == second.content


@pytest.mark.row(17, "header on every page", SIMPLE)
def test_every_page_begins_with_the_header(sf):
    pages = list(sf.bulk2.Account.query(SOQL, max_records=50, wait=0))
    assert [page.startswith(HEADER) for page in pages] == [True, True, True]
    assert sum(page.count(HEADER) for page in pages) == 3


@pytest.mark.row(17, "header on every page", SIMPLE)
def test_every_value_is_quoted_and_null_is_the_empty_text(org, sf):
    org.insert("Account", Name='Exported "so to say"')
    (page,) = sf.bulk2.Account.query("SELECT Name, Phone, AnnualRevenue FROM Account WHERE Name LIKE 'Exported \"%'", wait=0)
    assert page == '"Name","Phone","AnnualRevenue"\n"Exported ""so to say""","",""\n'
    org.delete("Account", *[record["Id"] for record in org.records("Account", "Name LIKE 'Exported \"%'")])


@pytest.mark.row(17, "Sforce-NumberOfRecords", SIMPLE)
def test_number_of_records_counts_the_rows_of_the_page(sf):
    list(sf.bulk2.Account.query(SOQL, max_records=50, wait=0))
    assert [answer.headers["Sforce-NumberOfRecords"] for answer in results(sf)] == ["50", "50", "20"]


@pytest.mark.row(17, "Sforce-NumberOfRecords", SIMPLE)
def test_no_rows_are_a_page_without_any(sf):
    (page,) = sf.bulk2.Account.query("SELECT Id, Name, Phone FROM Account WHERE Name = 'nobody'", wait=0)
    assert page == HEADER
    assert [(answer.headers["Sforce-NumberOfRecords"], answer.headers["Sforce-Locator"]) for answer in results(sf)] == [("0", "null")]


@pytest.mark.row(17, "download", SIMPLE)
def test_download_writes_a_file_for_each_page(sf, tmp_path):
    files = sf.bulk2.Account.download(SOQL, str(tmp_path), max_records=50, wait=0)
    assert [file["number_of_records"] for file in files] == [50, 50, 20]
    rows = [row for file in files for row in csv.DictReader(open(file["file"], newline=""))]
    assert len({row["Id"] for row in rows}) == COUNT
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.row(17, "download", SIMPLE)
def test_deleted_rows_come_with_query_all(org, sf):
    id = org.insert("Account", Name="Exported and gone")
    org.delete("Account", id)
    (kept,) = sf.bulk2.Account.query(SOQL, wait=0)
    (all_,) = sf.bulk2.Account.query_all(SOQL, wait=0)
    assert id not in kept and id in all_
