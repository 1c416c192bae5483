"""Each field type of the package on the column that we made for it from Salesforce's describe (reference 5.6)."""

import datetime
import uuid
from decimal import Decimal

import pytest

from harness.waiting import wait_until

UTC = datetime.timezone.utc

# Field of the model, type of the column, and a value to write.
FIELDS = [
    ("sf_id", "character varying(18)", None),
    ("system_mod_stamp", "timestamp without time zone", None),
    ("is_deleted", "boolean", None),
    ("name", "character varying(80)", "Every type"),
    ("external_id", "character varying(64)", uuid.UUID("12345678123456781234567812345678")),
    ("any_type", "text", "anything"),
    ("checkbox", "boolean", True),
    ("number", "double precision", Decimal("-1234567.8901")),
    ("whole_number", "integer", Decimal("12345678")),
    ("currency", "double precision", Decimal("99.95")),
    ("percent", "double precision", Decimal("12.50")),
    ("date", "date", datetime.date(2026, 2, 28)),
    ("date_time", "timestamp without time zone", datetime.datetime(2026, 7, 1, 23, 59, 59, tzinfo=UTC)),
    ("time", "time without time zone", datetime.time(23, 59, 59)),
    ("email", "character varying(80)", "someone@example.com"),
    ("encrypted", "character varying(175)", "secret"),
    ("phone", "character varying(40)", "+44 20 7946 0000"),
    ("picklist", "character varying(255)", "B"),
    ("multi", "character varying(4099)", "Red;Blue"),
    ("text", "character varying(255)", "Grüße \U0001F600"),
    ("text_area", "character varying(255)", "one\ntwo"),
    ("long_text", "text", "x" * 32768),
    ("rich_text", "text", "<p>rich</p>"),
    ("url", "character varying(255)", "https://example.com/"),
    ("account", "character varying(18)", None),
]
VALUES = {name: value for name, _, value in FIELDS if value is not None}


@pytest.fixture
def model(live_project):
    from store.models import Everything
    return Everything


def test_every_field_type_of_the_package_is_here(model):
    from heroku_connect.db.models import fields, related
    published = {getattr(fields, name) for name in fields.__all__} | {related.Lookup}
    used = {type(field) for field in model.get_heroku_connect_fields()}
    assert published - used == {fields.HerokuConnectFieldMixin}
    assert {field.name for field in model.get_heroku_connect_fields()} == {name for name, *_ in FIELDS}


@pytest.mark.parametrize("name, type", [(name, type) for name, type, _ in FIELDS])
def test_the_column_has_the_type_of_the_reference(live, model, name, type):
    column = model._meta.get_field(name).column
    assert live.value("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'salesforce.everything__c'::regclass "
                      "AND attname = %s", column) == type


def read(row):
    """The values of a row; the package reads a double with more digits than the field has."""
    values = {name: getattr(row, name) for name in VALUES}
    return {name: value.quantize(VALUES[name]) if isinstance(value, Decimal) else value for name, value in values.items()}


def test_values_come_back_from_the_column_and_from_salesforce(live, model, org):
    made = model.objects.create(**VALUES)
    assert read(model.objects.get(id=made.id)) == VALUES, "from the column"
    row = wait_until(lambda: (row := model.objects.get(id=made.id))._hc_lastop == "SYNCED" and row, 20, "the row to be SYNCED")
    assert {**read(row), "encrypted": "secret"} == VALUES, "from Salesforce"
    assert row.sf_id and row.system_mod_stamp.tzinfo == UTC and row.is_deleted is False
    assert row.encrypted in ("secret", "*" * 6), "masked for a user without View Encrypted Data"
    record = org.record("Everything__c", row.sf_id)
    assert record["Date_Time__c"].startswith("2026-07-01T23:59:59") and record["Number__c"] == -1234567.8901

    # And everything is found by its value, as a query of the application would.
    for name, value in VALUES.items():
        if name != "encrypted":
            assert model.objects.filter(**{name: value}, id=row.id).exists(), name


def test_values_are_cleared(live, model, org):
    made = model.objects.create(**{**VALUES, "external_id": uuid.uuid4()})
    synced = lambda: (row := model.objects.get(id=made.id))._hc_lastop == "SYNCED" and row
    row = wait_until(synced, 20, "the row to be SYNCED")
    cleared = [name for name in VALUES if name not in ("name", "external_id", "checkbox")]
    for name in cleared:
        setattr(row, name, None)
    row.save()
    row = wait_until(synced, 20, "the row to be SYNCED again")
    assert {name: getattr(row, name) for name in cleared} == dict.fromkeys(cleared)
    record = org.record("Everything__c", row.sf_id)
    assert {record[model._meta.get_field(name).sf_field_name] for name in cleared} == {None}
