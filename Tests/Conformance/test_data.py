"""Row 20: data that is hard to carry, written and read back through each API (wire reference 4.4, 8)."""

import csv
import decimal
import io

import pytest
from salesforce_bulk import CsvDictsAdapter
from simple_salesforce.bulk2 import LineEnding

from support import clients
from support.checklist import BULK, SIMPLE, ZEEP


class REST:
    """simple-salesforce, record by record."""

    client = SIMPLE

    def __init__(self, org):
        self.sf = clients.simple(org, parse_float=decimal.Decimal)

    def write(self, **fields):
        return self.sf.Everything__c.create(fields)["id"]

    def read(self, id, field):
        return self.sf.query(f"SELECT {field} FROM Everything__c WHERE Id = '{id}'")["records"][0][field]


class SOAP:
    """zeep."""

    client = ZEEP

    def __init__(self, org):
        self.partner = clients.Partner(org)

    def write(self, **fields):
        (result,) = self.partner.call("create", sObjects=[self.partner.record("Everything__c", **fields)])
        assert result.success, result.errors
        return result.id

    def read(self, id, field):
        found = self.partner.call("query", queryString=f"SELECT {field} FROM Everything__c WHERE Id = '{id}'")
        return self.partner.value(found.records[0], field)


class Bulk1:
    """salesforce-bulk, in CSV."""

    client = BULK

    def __init__(self, org):
        self.bulk = clients.bulk(org)

    def finish(self, job, batch):
        self.bulk.close_job(job)
        self.bulk.wait_for_batch(job, batch, timeout=60, sleep_interval=0.05)

    def write(self, **fields):
        job = self.bulk.create_insert_job("Everything__c", contentType="CSV")
        batch = self.bulk.post_batch(job, CsvDictsAdapter(iter([fields])))
        self.finish(job, batch)
        (result,) = self.bulk.get_batch_results(batch)
        assert result.success == "true", result.error
        return result.id

    def read(self, id, field):
        job = self.bulk.create_query_job("Everything__c", contentType="CSV")
        batch = self.bulk.query(job, f"SELECT {field} FROM Everything__c WHERE Id = '{id}'")
        self.finish(job, batch)
        (part,) = self.bulk.get_all_results_for_query_batch(batch)
        (row,) = csv.DictReader(io.StringIO(part.read().decode(), newline=""))
        return row[field]


class Bulk2:
    """simple-salesforce, Bulk API 2.0; `line_ending` is that of the job."""

    client = SIMPLE
    line_ending = LineEnding.LF

    def __init__(self, org):
        self.table = clients.simple(org).bulk2.Everything__c

    def write(self, **fields):
        (result,) = self.table.insert(records=[fields], line_ending=self.line_ending, wait=0)
        (row,) = csv.DictReader(io.StringIO(self.table.get_successful_records(result["job_id"]), newline=""))
        return row["sf__Id"]

    def read(self, id, field):
        (page,) = self.table.query(f"SELECT {field} FROM Everything__c WHERE Id = '{id}'", wait=0)
        (row,) = csv.DictReader(io.StringIO(page, newline=""))
        return row[field]


class Bulk2WithCRLF(Bulk2):
    line_ending = LineEnding.CRLF


@pytest.fixture(scope="module", autouse=True)
def settings(org):
    org.control("PATCH", "settings", {"bulkDelayMilliseconds": 20})


def through(clause, *wires):
    """Runs a test once for each wire, each run marked with the client that it proves."""
    return pytest.mark.parametrize("wire", [pytest.param(wire, marks=pytest.mark.row(20, clause, wire.client), id=wire.__name__)
                                            for wire in wires])


def same(org, wire, field, value):
    """Writes a value, and reads it back by the same client and by the control."""
    api = wire(org)
    id = api.write(**{field: value})
    assert org.record("Everything__c", id)[field] == value
    assert api.read(id, field) == value


@through("emoji", REST, SOAP, Bulk1, Bulk2)
@pytest.mark.parametrize("text", ["emoji 😀", "family 👩‍👩‍👧‍👦 and flag 🇫🇷", "Ünïcødé 漢字 \U00020000"])
def test_characters_beyond_the_first_plane(org, wire, text):
    same(org, wire, "Text__c", text)


@through("CR LF", REST, Bulk1, Bulk2WithCRLF)
@pytest.mark.parametrize("text", ["one\r\ntwo", "one\ntwo", "one\r\n\r\ntwo"])
def test_line_breaks_stay_what_they_are(org, wire, text):
    same(org, wire, "Text_Area__c", text)


@through("CR LF", SOAP)
def test_line_breaks_in_xml(org, wire):
    """A CR that is written as a character reference arrives; in replies it may be a reference or normalised (8.2)."""
    api = wire(org)
    id = api.write(Text_Area__c="one\r\ntwo")
    assert b"&#13;" in api.partner.answers[-1].request.body, "the client writes a reference; else this test proves nothing"
    assert org.record("Everything__c", id)["Text_Area__c"] == "one\r\ntwo"
    assert api.read(id, "Text_Area__c") in ("one\r\ntwo", "one\ntwo")


@through("131,072 characters", REST, SOAP)
def test_longest_text(org, wire):
    same(org, wire, "Large_Text__c", "0123456789abcde\n" * 8_191 + "0123456789abcdef")


@through("131,072 characters", Bulk1, Bulk2)
def test_longest_text_is_exported(org, wire):
    """Bulk ingest takes shorter texts in some versions; an export always has them whole."""
    text = "0123456789abcde\n" * 8_191 + "0123456789abcdef"
    id = org.insert("Everything__c", Large_Text__c=text)
    assert wire(org).read(id, "Large_Text__c") == text


@through("131,072 characters", REST)
def test_longer_text_is_refused(org, wire):
    with pytest.raises(Exception) as refused:
        wire(org).write(Large_Text__c="x" * 131_073)
    assert refused.value.content[0]["errorCode"] == "STRING_TOO_LONG"


NUMBERS = [("Whole_Number__c", "123456789012345678"), ("Whole_Number__c", "-999999999999999999"),
           ("Number__c", "12345678901234.5678"), ("Currency__c", "1234567890123456.78")]


@through("18 digits", SOAP, Bulk1, Bulk2)
@pytest.mark.parametrize("field, number", NUMBERS)
def test_all_digits_arrive(org, wire, field, number):
    api = wire(org)
    assert decimal.Decimal(api.read(api.write(**{field: number}), field)) == decimal.Decimal(number)


@through("18 digits", REST)
@pytest.mark.parametrize("field, number", NUMBERS)
def test_all_digits_of_a_json_number_arrive(org, wire, field, number):
    sf = wire(org).sf
    made = sf.restful("sobjects/Everything__c", method="POST", data='{"%s": %s}' % (field, number))
    assert decimal.Decimal(wire(org).read(made["id"], field)) == decimal.Decimal(number)
    assert number in sf.session.get(f"{org.url}/services/data/v62.0/sobjects/Everything__c/{made['id']}",
                                    headers=sf.headers).text.replace("E17", ""), "in the raw text, which a double would have rounded"


@through("quotes in CSV", REST, SOAP, Bulk1, Bulk2)
@pytest.mark.parametrize("text", ['he said "yes, no"', '"', '""', "a,b;c\td", "#quoted,'single'", "two\nlines \"quoted\""])
def test_what_a_csv_must_quote(org, wire, text):
    same(org, wire, "Text_Area__c", text)


@through("ids of 15 characters", REST, SOAP, Bulk1, Bulk2)
def test_short_ids_are_taken_and_long_ones_given(org, wire):
    parent = org.insert("Account", Name="Parent")
    api = wire(org)
    id = api.write(Account__c=parent[:15])
    assert len(parent) == 18 and api.read(id, "Account__c") == parent
    assert api.read(id[:15], "Account__c") == parent, "in a condition, too"


@through("NUL", REST)
def test_nul_is_stored_and_comes_back_in_json(org, wire):
    api = wire(org)
    id = api.write(Text__c="a\0b")
    assert api.read(id, "Text__c") == "a\0b"
    assert "a\\u0000b" in api.sf.session.last.text


@through("NUL", Bulk1, Bulk2)
def test_nul_is_in_the_file_and_the_client_drops_it(org, wire):
    id = REST(org).write(Text__c="a\0b")
    assert wire(org).read(id, "Text__c") == "ab"


@through("NUL", Bulk1)
def test_nul_is_a_byte_of_the_file(org, wire):
    id = REST(org).write(Text__c="a\0b")
    api = wire(org)
    job = api.bulk.create_query_job("Everything__c", contentType="CSV")
    batch = api.bulk.query(job, f"SELECT Text__c FROM Everything__c WHERE Id = '{id}'")
    api.finish(job, batch)
    (result,) = api.bulk.get_query_batch_result_ids(batch)
    assert b'"a\0b"' in api.bulk.get_query_batch_results(batch, result, raw=True).read(decode_content=True)


@through("NUL", SOAP)
def test_nul_cannot_travel_in_xml(org, wire):
    """The client refuses to write one; an envelope that holds one all the same is no XML, and refused whole."""
    api = wire(org)
    with pytest.raises(ValueError):
        api.write(Text__c="a\0b")
    api.write(Text__c="a0b")
    written = len(org.records("Everything__c"))
    envelope = api.partner.answers[-1].request.body.replace(b"a0b", b"a&#0;b")
    answer = api.partner.client.transport.post(api.partner.address, envelope, {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'})
    assert answer.status_code == 500 and b"<faultcode>soapenv:Client</faultcode>" in answer.content
    assert len(org.records("Everything__c")) == written
