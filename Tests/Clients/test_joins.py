"""Joins that every application makes use the indexes that the mapping asked for."""

import pytest

JOINS = {
    "the contacts of an account": ("hc_idx_contact_accountid",
        "SELECT c.* FROM salesforce.account a JOIN salesforce.contact c ON c.accountid = a.sfid WHERE a.id = 1"),
    "contacts of some accounts": ("hc_idx_contact_accountid",
        "SELECT * FROM salesforce.contact WHERE accountid IN (SELECT sfid FROM salesforce.account WHERE id < 3)"),
    "the account of a contact": ("hcu_idx_account_sfid",
        "SELECT a.* FROM salesforce.contact c JOIN salesforce.account a ON a.sfid = c.accountid WHERE c.id = 1"),
    "an account by its key": ("hcu_idx_account_externalid__c",
        "SELECT a.* FROM salesforce.contact c JOIN salesforce.account a ON a.externalid__c = c.account__externalid__c WHERE c.id = 1"),
}


@pytest.mark.parametrize("what", JOINS)
def test_a_join_uses_the_index(schema, what):
    index, query = JOINS[what]
    with schema.connect() as connection:
        connection.execute("SET LOCAL enable_seqscan = off")   # few rows: what can be used is used
        connection.execute("SET LOCAL enable_hashjoin = off")
        connection.execute("SET LOCAL enable_mergejoin = off")
        plan = "\n".join(line["QUERY PLAN"] for line in connection.execute(f"EXPLAIN {query}"))
    assert f"using {index}" in plan, plan
