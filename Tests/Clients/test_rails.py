"""A Rails application's ActiveRecord on tables that we made (reference 10.5)."""

import re

from support.program import run

# Debian's Ruby, whatever other one is on the path: its ActiveRecord is used.
RUBY = ["/usr/bin/ruby", "-W0"]


def rails(scenario, database):
    return run(RUBY, "rails.rb", scenario, database)


def table(schema, name):
    return re.search(rf'^  create_table "{name}".*?^  end$', schema, re.MULTILINE | re.DOTALL).group()


def test_the_schema_is_dumped_and_loaded(schema):
    answer = rails("schema", schema)
    log = table(answer["schema"], "_trigger_log")
    assert 'create_table "_trigger_log", id: :serial, force: :cascade' in log
    for line in ('t.bigint "txid"', 't.string "state", limit: 8', 't.string "action", limit: 7', 't.string "table_name", limit: 128',
                 't.integer "record_id"', 't.string "sfid", limit: 18', 't.text "old"', 't.text "values"', 't.integer "sf_result"',
                 't.index ["state", "id"], name: "_trigger_log_idx_state_id"', 'where: "(((state)::text = \'NEW\'::text) OR ((state)::text = \'PENDING\'::text))"'):
        assert line in log, line
    assert "_trigger_log_archive" in answer["schema"] and 'id: :integer, default: nil' in table(answer["schema"], "_trigger_log_archive")
    account = table(answer["schema"], "account")
    assert 't.string "name", limit: 255' in account and 't.float "annualrevenue"' in account
    assert 't.index ["sfid"], name: "hcu_idx_account_sfid", unique: true' in account
    assert 'create_table "user"' in answer["schema"]
    assert "Could not dump" not in answer["schema"] and "hc_connection" not in answer["schema"]
    assert "hc_connection" in answer["plain"], "else the setting ignore_tables is needless"
    tables = re.compile(r'^  create_table.*?^  end$', re.MULTILINE | re.DOTALL)
    assert tables.findall(answer["again"]) == tables.findall(answer["schema"]), "loaded and dumped again, it is the same"


def test_models_write_and_read(schema):
    answer = rails("models", schema)
    assert answer["created"] == [["INSERT", "NEW"]]
    assert answer["shown"] == {"name": "Upserted", "phone": "2", "_hc_lastop": "PENDING", "_hc_err": None}
    assert [entry[:2] for entry in answer["log"]] == [
        ["INSERT", "NEW"], ["UPDATE", "NEW"], ["UPDATE", "NEW"], ["UPDATE", "NEW"], ["UPDATE", "IGNORE"], ["DELETE", "IGNORE"]]
    assert [entry[2] for entry in answer["log"][1:]] == ['"phone"=>"1"', '"phone"=>"2"', '"name"=>"Upserted"', "", None]
    assert answer["newest"] == "DELETE"
    assert answer["columns"] == ["id", "txid", "created_at", "updated_at", "processed_at", "processed_tx", "state", "action", "table_name",
                                 "record_id", "sfid", "old", "values", "sf_result", "sf_message"]


def test_a_child_names_its_parent_by_external_id(live, org):
    answer = rails("relationship", live)
    assert answer["first"] == "PENDING" and answer["sfid"] and answer["error"] is None
    assert answer["accountid"] == answer["parent"] and answer["key"] == "rails-parent"
    assert answer["through"] == ["Rails parent"]
    assert org.record("Contact", answer["sfid"])["AccountId"] == answer["parent"]


def test_a_blanket_retry_sends_what_failed(live, org):
    org.fault("reject", object="Account", operation="upsert", code="FIELD_CUSTOM_VALIDATION_EXCEPTION", message="later")
    live.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES ('Retried', 'rails-retry')")
    answer = rails("retry", live)
    assert "later" in answer["sf_message"] and answer["hc_err"]["msg"] == "later" and answer["hc_err"]["op"] == "INSERT"
    assert answer["sfid"] and answer["error"] is None and answer["archived"] == "SUCCESS"
