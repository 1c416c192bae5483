"""Row 8: what Salesforce says about SOQL that is wrong (wire reference 2.2, 3.6, 6.2)."""

import re

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest

from support.checklist import SIMPLE


def refusal(sf, soql):
    """Code and message of the one error with which the org refuses a query."""
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query(soql)
    assert refused.value.status == 400
    (error,) = refused.value.content
    return error["errorCode"], error["message"]


@pytest.mark.row(8, "bad field: INVALID_FIELD", SIMPLE)
@pytest.mark.parametrize("soql", [
    "SELECT Id, Nothing__c FROM Account", "SELECT Id FROM Account WHERE Nothing__c = 'x'", "SELECT Id FROM Account ORDER BY Nothing__c"])
def test_unknown_field(sf, soql):
    code, message = refusal(sf, soql)
    assert code == "INVALID_FIELD"
    assert "No such column 'Nothing__c' on entity 'Account'" in message


@pytest.mark.row(8, "bad type: INVALID_TYPE", SIMPLE)
def test_unknown_object(sf):
    code, message = refusal(sf, "SELECT Id FROM Nothing__c")
    assert code == "INVALID_TYPE" and "Nothing__c" in message


@pytest.mark.row(8, "quoted dateTime: INVALID_FIELD", SIMPLE)
def test_quoted_date_time(sf):
    code, message = refusal(sf, "SELECT Id FROM Account WHERE SystemModstamp > '2024-01-01T00:00:00Z'")
    assert code == "INVALID_FIELD"
    assert "value of filter criterion for field 'SystemModstamp' must be of type dateTime and should not be enclosed in quotes" in message


@pytest.mark.row(8, "AND with OR: MALFORMED_QUERY with row and column", SIMPLE)
@pytest.mark.parametrize("soql", [
    "SELECT Id FROM Account WHERE Name = 'a' AND Phone = 'b' OR Fax = 'c'",
    "SELECT Id FROM Account WHERE Name = 'a' OR Phone = 'b' AND Fax = 'c'",
    "SELEC Id FROM Account",
    "SELECT Id FROM Account LIMIT x",
])
def test_malformed_query_says_where(sf, soql):
    code, message = refusal(sf, soql)
    assert code == "MALFORMED_QUERY"
    assert re.search(r"ERROR at Row:1:Column:\d+", message), message
