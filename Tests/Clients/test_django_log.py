"""The package's models of the trigger log and its archive, and what it offers to do with an entry."""

import pytest


@pytest.fixture
def account(project):
    from store.models import Account
    return Account.objects.create(name="Logged", phone="1")


def latest():
    from heroku_connect.models import TriggerLog
    return TriggerLog.objects.order_by("-id").first()


def test_an_entry_is_read_with_every_field(project, account):
    from heroku_connect.models import TriggerLog
    entry = TriggerLog.objects.related_to(type("Row", (), {"table_name": "account", "record_id": account.id})).get()
    assert (entry.action, entry.state, entry.table_name, entry.record_id, entry.sf_id) == ("INSERT", "NEW", "account", account.id, None)
    assert entry.txid and entry.created_at.tzinfo and entry.updated_at is None and entry.processed_at is None
    assert entry.old is None and entry.sf_message is None and not entry.is_archived
    assert entry.values_as_dict["name"] == "Logged" and entry.values_as_dict["phone"] == "1" and entry.values_as_dict["industry"] is None
    assert {"id", "sfid", "systemmodstamp", "isdeleted"} <= set(entry.values_as_dict)
    assert not {"_hc_lastop", "_hc_err"} & set(entry.values_as_dict)
    assert entry.get_model() == account
    assert TriggerLog.objects.latest() == entry and str(entry).startswith(f"#{entry.id} INSERT account|{account.id}")


def test_values_survive_the_package_s_parser(project, account):
    text = 'say "hi" \\ and\nmore, => \'quoted\' \U0001F600'
    account.description = text
    account.phone = None
    account.save()
    assert latest().values_as_dict == {"description": text, "phone": None}


def test_related_entries_are_found(project, account):
    account.phone = "2"
    account.save()
    entry = latest()
    assert [other.action for other in entry.related()] == ["INSERT", "UPDATE"]
    assert [other.action for other in entry.related(exclude_self=True)] == ["INSERT"]


def test_an_insert_is_captured_again(project, account):
    (entry,) = latest().capture_insert()
    assert entry == latest() and (entry.action, entry.state, entry.record_id) == ("INSERT", "NEW", account.id)
    assert entry.updated_at and entry.values_as_dict["name"] == "Logged" and entry.values_as_dict["id"] == str(account.id)


def test_an_update_is_captured_again_by_fields_and_by_columns(project, account):
    first = latest()
    (entry,) = first.capture_update(update_fields=["name", "external_id"], update_columns=["phone"])
    assert (entry.action, entry.state, entry.old) == ("UPDATE", "NEW", None)
    assert entry.values_as_dict == {"name": "Logged", "externalid__c": account.external_id.hex, "phone": "1"}


def test_what_the_package_sends_as_no_columns_selects_none(project, account):
    # It sends ARRAY['{}'], one column with that name, where it means every column.
    (entry,) = latest().capture_update()
    assert (entry.state, entry.values) == ("NEW", "")


def test_a_record_that_is_gone_is_not_captured(project, account):
    from heroku_connect.models import TriggerLog
    with pytest.raises(TriggerLog.DoesNotExist):
        TriggerLog.capture_insert_from_model("account", 0)
    with pytest.raises(TriggerLog.DoesNotExist):
        TriggerLog.capture_update_from_model("account", 0, update_columns=["name"])


def test_reads_of_the_archive_need_no_more_than_the_log(project, account):
    from heroku_connect.models import TriggerLogArchive
    project.execute("""WITH moved AS (DELETE FROM salesforce._trigger_log WHERE record_id = %s AND table_name = 'account' RETURNING *)
                       INSERT INTO salesforce._trigger_log_archive SELECT * FROM moved""", account.id)
    entry = TriggerLogArchive.objects.get(record_id=account.id, table_name="account")
    assert entry.is_archived and entry.values_as_dict["name"] == "Logged" and entry.get_model() == account
    assert not TriggerLogArchive.objects.failed().exists()
