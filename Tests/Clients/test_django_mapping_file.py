"""The file that `makemappings` writes for the project is taken as it is, and the tables are those that its models expect."""

import json

import pytest

from support import django_project


@pytest.fixture(scope="module")
def file():
    return django_project.mapping_file()


def test_the_file_is_read_without_loss(live, file):
    assert file["connection"]["organization_id"] == "", "a project that does not know its org"
    taken = {row["object_name"]: row["config"] for row in live.execute("SELECT * FROM hc_mapping_file(%s)", json.dumps(file))}
    written = {mapping["object_name"]: mapping["config"] for mapping in file["mappings"]}
    assert taken.keys() == written.keys() == {"Account", "Contact", "User", "Everything__c"}
    for name, config in written.items():
        assert {key: taken[name].get(key) for key in config} == config


def test_importing_it_again_changes_nothing(live, file):
    mappings = "SELECT object_name, table_name, access, config, revision FROM hc_mapping ORDER BY 1"
    before = live.execute(mappings)
    live.relay.import_mapping(file)
    assert live.execute(mappings) == before


def test_the_tables_have_the_columns_and_indexes_that_the_models_ask_for(live, file):
    from heroku_connect.utils import get_heroku_connect_models
    for model in get_heroku_connect_models():
        table = model.get_heroku_connect_table_name()
        columns = {row["attname"] for row in live.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = format('salesforce.%%I', %s::text)::regclass AND attnum > 0", table)}
        assert columns == {field.column for field in model._meta.concrete_fields}
        for field in model.get_heroku_connect_fields():
            if field.db_index:
                index = f"{'hcu' if field.unique else 'hc'}_idx_{table}_{field.column}"
                assert live.execute("SELECT 1 FROM pg_indexes WHERE schemaname = 'salesforce' AND tablename = %s AND indexname = %s "
                                    "AND (indexdef LIKE 'CREATE UNIQUE %%') = %s", table, index, field.unique), index
