"""The project's models on tables that we made: create, read, change and delete through Django's ORM."""

import datetime
import decimal
import uuid

import pytest


def newest(project):
    return project.one('SELECT * FROM salesforce._trigger_log ORDER BY id DESC LIMIT 1')


def test_a_created_object_is_captured_with_what_it_was_given(project):
    from store.models import Account
    account = Account.objects.create(name="Müller & Söhne", annual_revenue=decimal.Decimal("10.50"), employees=7, industry="Energy")
    assert account.id and account.sf_id is None
    account.refresh_from_db()
    assert (account._hc_lastop, account._hc_err) == ("PENDING", None)
    assert isinstance(account.external_id, uuid.UUID) and account.annual_revenue == decimal.Decimal("10.50")
    entry = newest(project)
    assert (entry["action"], entry["state"], entry["table_name"], entry["record_id"]) == ("INSERT", "NEW", "account", account.id)
    assert f'"externalid__c"=>"{account.external_id.hex}"' in entry["values"] and '"annualrevenue"=>"10.5"' in entry["values"]


def test_a_saved_object_is_captured_with_the_columns_that_differ(project):
    from store.models import Account
    account = Account.objects.create(name="Before")
    account.name = "After"
    account.save()   # Django sets every column
    entry = newest(project)
    assert (entry["action"], entry["state"], entry["values"]) == ("UPDATE", "NEW", '"name"=>"After"')
    account.save()
    entry = newest(project)
    assert (entry["action"], entry["state"], entry["values"]) == ("UPDATE", "IGNORE", "")


def test_a_set_of_objects_is_created_changed_and_deleted(project):
    from store.models import Account, Contact
    before = project.value("SELECT coalesce(max(id), 0) FROM salesforce._trigger_log")
    made = Account.objects.bulk_create([Account(name=f"Bulk {n}") for n in range(3)])
    assert all(account.id for account in made), "Django reads the ids back with RETURNING"
    assert Account.objects.filter(name__startswith="Bulk").update(phone="1") == 3
    assert Account.objects.filter(name__startswith="Bulk").delete()[0] == 3
    entries = project.execute("SELECT action, state, count(*) AS n FROM salesforce._trigger_log WHERE id > %s GROUP BY 1, 2 ORDER BY 1", before)
    assert [tuple(entry.values()) for entry in entries] == [("DELETE", "IGNORE", 3), ("INSERT", "NEW", 3), ("UPDATE", "NEW", 3)]
    assert Contact.objects.filter(account__name="Bulk 0").count() == 0


def test_an_object_is_upserted_on_its_external_id(project):
    from store.models import Account
    key = uuid.uuid4()
    for name in ("First", "Second"):
        Account.objects.bulk_create([Account(name=name, external_id=key)], update_conflicts=True, unique_fields=["external_id"],
                                    update_fields=["name"])
    assert [account.name for account in Account.objects.filter(external_id=key)] == ["Second"]
    assert newest(project)["action"] == "UPDATE"
    account, created = Account.objects.update_or_create(external_id=key, defaults={"name": "Third"})
    assert not created and newest(project)["values"] == '"name"=>"Third"'


def test_lookups_are_followed_by_the_salesforce_id(project):
    from store.models import Account, Contact
    parent = Account.objects.create(name="Parent")
    project.execute("UPDATE salesforce.account SET sfid = '001xx00000000A1AAA' WHERE id = %s", parent.id)
    parent.refresh_from_db()
    Contact.objects.create(last_name="Child", account=parent)
    child = Contact.objects.select_related("account").get(last_name="Child")
    assert child.account == parent and [contact.last_name for contact in parent.contacts.all()] == ["Child"]


def test_times_are_utc(project):
    from store.models import Account
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, datetime.timezone.utc)
    account = Account.objects.create(name="Times")
    project.execute("UPDATE salesforce.account SET createddate = '2026-01-02 03:04:05.678' WHERE id = %s", account.id)
    assert Account.objects.get(created_date=moment).created_date == moment


def test_the_router_refuses_to_write_what_is_read_only(project):
    from heroku_connect.db.exceptions import WriteNotSupportedError
    from heroku_connect.test.utils import no_heroku_connect_write_restrictions
    from store.models import User
    with pytest.raises(WriteNotSupportedError):
        User.objects.create(username="nobody@example.com")
    with no_heroku_connect_write_restrictions():
        user = User.objects.create(username="somebody@example.com")
    entry = newest(project)
    assert (entry["table_name"], entry["state"], entry["record_id"]) == ("user", "READONLY", user.id)
    assert User.objects.get(username="somebody@example.com").sf_id is None


def test_a_transaction_that_is_rolled_back_leaves_no_entry(project):
    from django.db import transaction
    from store.models import Account
    before = project.value("SELECT count(*) FROM salesforce._trigger_log")
    with pytest.raises(RuntimeError), transaction.atomic():
        Account.objects.create(name="Never")
        raise RuntimeError
    with transaction.atomic():
        Account.objects.create(name="Kept")
        with pytest.raises(RuntimeError), transaction.atomic():   # a savepoint
            Account.objects.create(name="Never")
            raise RuntimeError
    assert project.value("SELECT count(*) FROM salesforce._trigger_log") == before + 1
    assert Account.objects.filter(name__in=["Never", "Kept"]).count() == 1
