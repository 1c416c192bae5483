"""What the package does with changes that Salesforce refused: failed(), redo(), the admin's actions; the relay sends what results.

An edit of `state` wakes nobody, as with Heroku Connect, and is seen within 10 s; the tests wake the relay.
"""

import uuid

import pytest

from harness.waiting import wait_until
from support.management_api import management_api

REFUSAL = {"code": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "not on a Tuesday"}


@pytest.fixture
def api(live_project, request):
    """The write algorithm that the package believes in: `ordered` or `merged`."""
    from django.test import override_settings
    from heroku_connect.utils import get_unique_connection_write_mode
    get_unique_connection_write_mode.cache_clear()
    with management_api(live_project, request.param == "ordered") as address, override_settings(HEROKU_CONNECT_API_ENDPOINT=address):
        yield request.param


both = pytest.mark.parametrize("api", ["ordered", "merged"], indirect=True)


def lastop(model, id, wanted):
    def reached():
        row = model.objects.get(id=id)
        return row._hc_lastop == wanted and row
    return wait_until(reached, 20, f"row {id} to be {wanted}")


@pytest.fixture
def refused(live_project, org):
    """An account whose INSERT was refused, with its entry."""
    from heroku_connect.models import TriggerLog
    from store.models import Account
    org.fault("reject", object="Account", operation="upsert", **REFUSAL)
    account = Account.objects.create(name="Refused", industry="Energy")
    account = lastop(Account, account.id, "FAILED")
    return account, TriggerLog.objects.failed().get(table_name="account", record_id=account.id)


@pytest.fixture
def accepted(live_project):
    from store.models import Account
    return lastop(Account, Account.objects.create(name="Accepted").id, "SYNCED")


def state_of(entry):
    """Where the entry is now, and its state."""
    from heroku_connect.models import TriggerLog, TriggerLogArchive
    for model in (TriggerLog, TriggerLogArchive):
        if found := model.objects.filter(id=entry.id).first():
            return model.__name__, found.state


@both
def test_a_refused_insert_is_shown_and_done_again(api, refused, org, live):
    from heroku_connect.models import TriggerLog
    from store.models import Account
    account, entry = refused
    assert "not on a Tuesday" in entry.sf_message and entry.processed_at and '"msg": "' in account._hc_err
    entry.redo()
    live.relay.wake()
    account = lastop(Account, account.id, "SYNCED")
    assert account.sf_id and account._hc_err is None
    assert org.record("Account", account.sf_id)["Name"] == "Refused"
    expected = "REQUEUED" if api == "ordered" else "SUCCESS"
    wait_until(lambda: state_of(entry) == ("TriggerLogArchive", expected), 20, f"the first entry to be {expected} in the archive")
    assert not TriggerLog.objects.related_to(type("Row", (), {"table_name": "account", "record_id": account.id})).exists()


@both
def test_a_refused_update_is_done_again_with_its_own_columns(api, accepted, org, live):
    from heroku_connect.models import TriggerLog
    from store.models import Account
    org.fault("reject", object="Account", operation="update", **REFUSAL)
    accepted.phone = "+44 1"
    accepted.save()
    lastop(Account, accepted.id, "FAILED")
    org.forget_calls()
    TriggerLog.objects.failed().get(table_name="account", record_id=accepted.id).redo()
    live.relay.wake()
    lastop(Account, accepted.id, "SYNCED")
    (write,) = org.writes()
    assert write["records"][0]["fields"] == {"Phone": "+44 1"} and not write["records"][0]["nulled"]


@both
def test_a_refused_delete_is_done_again(api, accepted, org, live):
    from heroku_connect.models import TriggerLog
    org.fault("reject", operation="delete", **REFUSAL)   # a delete names Ids, no object
    sf_id, id = accepted.sf_id, accepted.id
    accepted.delete()
    failed = TriggerLog.objects.failed().filter(table_name="account", record_id=id)
    wait_until(failed.exists, 20, "the DELETE to be refused")
    failed.get().redo()
    live.relay.wake()
    wait_until(lambda: org.record("Account", sf_id)["IsDeleted"], 20, "the record to be deleted")


@both
def test_an_archived_entry_is_done_again(api, refused, org, live):
    from heroku_connect.models import TriggerLog, TriggerLogArchive
    from store.models import Account
    account, entry = refused
    live.execute("""WITH gone AS (DELETE FROM salesforce._trigger_log WHERE id = %s RETURNING *)
                    INSERT INTO salesforce._trigger_log_archive SELECT * FROM gone""", entry.id)
    archived = TriggerLogArchive.objects.failed().get(id=entry.id)
    archived.redo()
    account = lastop(Account, account.id, "SYNCED")
    assert org.record("Account", account.sf_id)["Industry"] == "Energy"
    archived.refresh_from_db()
    assert archived.state == "REQUEUED" and not TriggerLog.objects.filter(id=entry.id).exists()


@pytest.mark.parametrize("api", ["ordered"], indirect=True)
def test_a_redone_update_without_values_ends_and_sends_nothing(api, accepted, org):
    from heroku_connect.models import TriggerLog, TriggerLogArchive
    entry, = TriggerLog.capture_update_from_model("account", accepted.id)   # ARRAY['{}']: no column
    org.forget_calls()
    wait_until(lambda: state_of(entry) == ("TriggerLogArchive", "IGNORED"), 20, "the entry to be put away")
    assert not org.writes() and TriggerLogArchive.objects.get(id=entry.id).sf_message == "the change names no field"


@pytest.fixture
def admin(live_project):
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client
    call_command("migrate", verbosity=0)
    User.objects.filter(username="admin").exists() or User.objects.create_superuser("admin", "admin@example.com", "admin")
    client = Client()
    client.force_login(User.objects.get(username="admin"))
    return client


def act(admin, action, entry):
    answer = admin.post("/admin/heroku_connect/triggerlog/", {"action": action, "_selected_action": [entry.id]}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("api", ["ordered"], indirect=True)
def test_the_admin_shows_and_retries_a_refused_entry(api, admin, refused, org):
    from store.models import Account
    account, entry = refused
    page = admin.get("/admin/heroku_connect/triggerlog/?state__exact=FAILED")
    assert page.status_code == 200 and "not on a Tuesday" in page.content.decode()
    assert admin.get(f"/admin/heroku_connect/triggerlog/{entry.id}/change/").status_code == 200
    assert admin.get("/admin/heroku_connect/triggerlogarchive/", {"q": str(uuid.uuid4())}).status_code == 200
    assert "1 failed trigger logs retried" in act(admin, "retry_failed_logs_action", entry)
    lastop(Account, account.id, "SYNCED")


@pytest.mark.parametrize("api", ["ordered"], indirect=True)
def test_the_admin_gives_a_refused_entry_up(api, admin, refused, live):
    from store.models import Account
    account, entry = refused
    assert "1 failed trigger logs marked as ignored" in act(admin, "ignore_failed_logs_action", entry)
    live.relay.wake()
    wait_until(lambda: state_of(entry) == ("TriggerLogArchive", "IGNORED"), 20, "the entry to be put away")
    assert Account.objects.get(id=account.id).sf_id is None
