"""Triggers and keys that applications put on mapped tables (reference 1.7 and 10.5), with a relay that reads and writes."""

import pytest

from harness.waiting import wait_until


@pytest.fixture(scope="module")
def shop(start_live):
    return start_live()


@pytest.fixture
def made(shop):
    """Runs DDL, and undoes it after the test with the statements that were named for that."""
    undo = []

    def make(statement, *undoing):
        shop.execute(statement)
        undo.extend(undoing)

    yield make
    for statement in reversed(undo):
        shop.execute(statement)


def find(database, table, condition, *parameters):
    rows = database.execute(f"SELECT * FROM salesforce.{table} WHERE {condition}", *parameters)
    return rows[0] if rows else None


def synced(database, table, condition, *parameters):
    return wait_until(lambda: (row := find(database, table, condition, *parameters)) and row["_hc_lastop"] == "SYNCED" and row, 20,
                      f"a row of {table} to be SYNCED")


def test_a_trigger_for_rows_from_salesforce_sends_what_it_changes(shop, org, made):
    """The documented pattern: save the guard, SET LOCAL base64, update, restore."""
    made("""CREATE FUNCTION public.welcome() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE oldxmlbinary varchar;
            BEGIN
                oldxmlbinary := get_xmlbinary();
                SET LOCAL xmlbinary TO 'base64';
                UPDATE salesforce.account SET description = 'Welcome, ' || NEW.name WHERE id = NEW.id;
                EXECUTE 'SET LOCAL xmlbinary TO ' || oldxmlbinary;
                RETURN NEW;
            END $$;
            CREATE TRIGGER welcome AFTER INSERT ON salesforce.account FOR EACH ROW
                WHEN (get_xmlbinary()::text != 'base64'::text) EXECUTE PROCEDURE public.welcome()""", "DROP FUNCTION public.welcome() CASCADE")
    mine = shop.value("INSERT INTO salesforce.account (name) VALUES ('mine') RETURNING id")
    sfid = org.insert("Account", Name="theirs")
    shop.relay.poll_now("Account")
    wait_until(lambda: org.record("Account", sfid)["Description"] == "Welcome, theirs", 20, "the trigger's change to be sent")
    assert synced(shop, "account", "sfid = %s", sfid)["description"] == "Welcome, theirs"
    assert synced(shop, "account", "id = %s", mine)["description"] is None
    shop.relay.work_through()
    log = shop.execute("SELECT action, state, values FROM salesforce._trigger_log_archive WHERE sfid = %s", sfid)
    assert log == [{"action": "UPDATE", "state": "SUCCESS", "values": '"description"=>"Welcome, theirs"'}], "the relay's own writes are not captured"


def test_the_automatic_external_id(shop, org, made):
    """SET SESSION instead of LOCAL, as one real application has it, and a name that sorts before ours."""
    made('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"')
    made("""CREATE FUNCTION public.external_id() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE before varchar := get_xmlbinary();
            BEGIN
                SET SESSION xmlbinary TO 'base64';
                UPDATE salesforce.account SET externalid__c = uuid_generate_v4()::text WHERE id = NEW.id;
                EXECUTE 'SET SESSION xmlbinary TO ' || before;
                RETURN NULL;
            END $$;
            CREATE TRIGGER account_external_id AFTER INSERT OR UPDATE ON salesforce.account FOR EACH ROW
                WHEN (NEW.externalid__c IS NULL OR NEW.externalid__c = '') EXECUTE FUNCTION public.external_id()""",
         "DROP FUNCTION public.external_id() CASCADE")
    id = shop.value("INSERT INTO salesforce.account (name) VALUES ('blank') RETURNING id")
    sfid = org.insert("Account", Name="blank in the org")
    shop.relay.poll_now("Account")
    for row in (synced(shop, "account", "id = %s AND sfid IS NOT NULL", id), synced(shop, "account", "sfid = %s AND externalid__c IS NOT NULL", sfid)):
        wait_until(lambda: org.record("Account", row["sfid"])["ExternalId__c"] == row["externalid__c"], 20, "the external id to arrive")
        assert len(row["externalid__c"]) == 36
    assert len(org.records("Account", "Name LIKE 'blank%'")) == 2, "none was made twice"
    shop.relay.work_through()
    assert shop.value("SELECT count(*) FROM salesforce._trigger_log") == 0
    # The relay's sessions are as before: what arrives from now on is not captured.
    other = org.insert("Account", Name="later", ExternalId__c="later-1")
    shop.relay.poll_now("Account")
    synced(shop, "account", "sfid = %s", other)
    assert shop.value("SELECT count(*) FROM salesforce._trigger_log_archive WHERE sfid = %s", other) == 0


def let_time_pass(shop, org):
    """A quarter of an hour, after which every mapping is polled and deleted records are asked for."""
    org.advance_clock(minutes=15)
    shop.relay.advance_clock("15 minutes")


def test_a_deleted_record_takes_the_application_s_rows_with_it(shop, org, made):
    made("CREATE TABLE public.basket (account_sfid text REFERENCES salesforce.account (sfid) ON DELETE CASCADE)", "DROP TABLE public.basket")
    sfid = org.insert("Account", Name="with a basket")
    shop.relay.poll_now("Account")
    synced(shop, "account", "sfid = %s", sfid)
    shop.execute("INSERT INTO public.basket VALUES (%s)", sfid)
    org.delete("Account", sfid)
    let_time_pass(shop, org)
    wait_until(lambda: not find(shop, "account", "sfid = %s", sfid), 20, "the row to go")
    assert shop.value("SELECT count(*) FROM public.basket") == 0


def test_a_key_that_forbids_a_delete_holds_only_that_row_back(shop, org, made):
    made("CREATE TABLE public.invoice (account_sfid text REFERENCES salesforce.account (sfid))", "DROP TABLE public.invoice")
    kept, gone = org.insert_many("Account", [{"Name": "invoiced"}, {"Name": "free"}])
    shop.relay.poll_now("Account")
    synced(shop, "account", "sfid = %s", kept)
    shop.execute("INSERT INTO public.invoice VALUES (%s)", kept)
    org.delete("Account", gone, kept)
    let_time_pass(shop, org)
    wait_until(lambda: not find(shop, "account", "sfid = %s", gone), 20, "the other row to go")
    reason = wait_until(lambda: shop.execute("SELECT reason FROM public.hc_staged WHERE sfid = %s", kept), 20, "the delete to wait")[0]["reason"]
    assert "invoice" in reason and find(shop, "account", "sfid = %s", kept)
    shop.execute("DELETE FROM public.invoice")
    shop.relay.advance_clock("1 minute")   # what waits is tried again after 30 s
    wait_until(lambda: not find(shop, "account", "sfid = %s", kept), 20, "the row to go once nothing forbids it")


def test_a_child_waits_for_its_parent_where_the_application_has_a_key_between_them(shop, org, made):
    made("ALTER TABLE salesforce.contact ADD CONSTRAINT contact_account FOREIGN KEY (accountid) REFERENCES salesforce.account (sfid) ON DELETE CASCADE NOT VALID",
         "ALTER TABLE salesforce.contact DROP CONSTRAINT contact_account")
    parent = org.insert("Account", Name="parent of one")
    child = org.insert("Contact", LastName="child of one", AccountId=parent)
    shop.relay.poll_now("Contact")
    wait_until(lambda: shop.execute("SELECT 1 FROM public.hc_staged WHERE sfid = %s AND reason LIKE '%%contact_account%%'", child), 20, "the child to wait")
    shop.relay.poll_now("Account")
    shop.relay.advance_clock("1 minute")
    assert synced(shop, "contact", "sfid = %s", child)["accountid"] == parent
    # The cascade between mapped tables is the service's, not the application's: it is not captured, and not sent.
    org.forget_calls()
    org.delete("Account", parent)
    let_time_pass(shop, org)
    wait_until(lambda: not find(shop, "contact", "sfid = %s", child), 20, "the child to go with its parent")
    shop.relay.work_through()
    assert not org.writes()


def test_a_composite_key_to_two_mapped_columns(shop, org, made):
    made("""ALTER TABLE salesforce.account ADD CONSTRAINT account_two UNIQUE (sfid, externalid__c);
            ALTER TABLE salesforce.contact ADD CONSTRAINT contact_two FOREIGN KEY (accountid, account__externalid__c)
                REFERENCES salesforce.account (sfid, externalid__c)""",
         "ALTER TABLE salesforce.account DROP CONSTRAINT account_two CASCADE")
    shop.execute("INSERT INTO salesforce.account (name, externalid__c) VALUES ('two', 'two-1')")
    id = shop.value("INSERT INTO salesforce.contact (lastname, account__externalid__c) VALUES ('of two', 'two-1') RETURNING id")
    contact = synced(shop, "contact", "id = %s AND accountid IS NOT NULL", id)
    assert (contact["accountid"], contact["account__externalid__c"]) == (synced(shop, "account", "externalid__c = 'two-1'")["sfid"], "two-1")
    assert org.record("Contact", contact["sfid"])["AccountId"] == contact["accountid"]


def test_writes_through_a_view_are_captured_and_sent(shop, org, made):
    made("CREATE VIEW public.customers AS SELECT id, name AS customer, phone FROM salesforce.account WHERE name <> '' WITH CHECK OPTION",
         "DROP VIEW public.customers")
    id = shop.value("INSERT INTO public.customers (customer) VALUES ('through a view') RETURNING id")
    row = synced(shop, "account", "id = %s", id)
    shop.execute("UPDATE public.customers SET phone = '7' WHERE id = %s", id)
    wait_until(lambda: org.record("Account", row["sfid"])["Phone"] == "7", 20, "the update to be sent")


def test_disabling_the_log_trigger_stops_capture_of_its_table_alone(shop, made):
    made("ALTER TABLE salesforce.account DISABLE TRIGGER hc_account_logtrigger", "ALTER TABLE salesforce.account ENABLE TRIGGER hc_account_logtrigger")
    entries = "SELECT count(*) FROM (SELECT id FROM salesforce._trigger_log UNION SELECT id FROM salesforce._trigger_log_archive) l"
    before = shop.value(entries)
    id = shop.value("INSERT INTO salesforce.account (name) VALUES ('silent') RETURNING id")
    assert find(shop, "account", "id = %s", id)["_hc_lastop"] == "PENDING" and shop.value(entries) == before
    shop.execute("INSERT INTO salesforce.contact (lastname) VALUES ('heard')")
    assert shop.value(entries) == before + 1


def test_a_reload_keeps_keys_views_and_ids(shop, org, made):
    made("CREATE TABLE public.visit (account_sfid text REFERENCES salesforce.account (sfid) ON DELETE CASCADE)", "DROP TABLE public.visit")
    made("CREATE VIEW public.names AS SELECT id, sfid, name FROM salesforce.account", "DROP VIEW public.names")
    shop.execute("INSERT INTO public.visit SELECT sfid FROM salesforce.account WHERE sfid IS NOT NULL")
    rows = "SELECT id, sfid FROM public.names WHERE sfid IS NOT NULL ORDER BY id"
    before, visits = shop.execute(rows), shop.value("SELECT count(*) FROM public.visit")
    assert visits > 30
    shop.execute("SELECT public.hc_mapping_reload(id) FROM public.hc_mapping WHERE object_name = 'Account'")
    shop.relay.wait_until_loaded()   # hc_mapping_reload has set another state
    assert shop.execute(rows) == before and shop.value("SELECT count(*) FROM public.visit") == visits
