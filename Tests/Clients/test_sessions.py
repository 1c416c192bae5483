"""Sessions as applications have them: behind a transaction pooler, reset between uses, of a role with few rights, under row security."""

import psycopg
import pytest

from harness.pooler import Pooler
from support.application import ROLE


def entries(schema):
    return schema.execute("SELECT action, state, record_id FROM salesforce._trigger_log ORDER BY id")


def test_clients_of_a_transaction_pooler_do_not_meet(schema, tmp_path):
    pooler = Pooler(tmp_path, schema).start()
    try:
        with psycopg.connect(pooler.url, autocommit=True, prepare_threshold=None) as one, \
                psycopg.connect(pooler.url, autocommit=True, prepare_threshold=None) as other:
            before = len(entries(schema))
            with one.transaction():
                one.execute("SET LOCAL xmlbinary = hex")
                backend = one.execute("INSERT INTO salesforce.contact (lastname) VALUES ('not captured') RETURNING pg_backend_pid()").fetchone()
            assert other.execute("INSERT INTO salesforce.contact (lastname) VALUES ('captured') RETURNING pg_backend_pid()").fetchone() == backend
            assert len(entries(schema)) == before + 1
            with pytest.raises(psycopg.errors.DivisionByZero), one.transaction():
                one.execute("SET LOCAL xmlbinary = hex")
                one.execute("INSERT INTO salesforce.contact (lastname) VALUES ('never')")
                one.execute("SELECT 1 / 0")
            assert other.execute("UPDATE salesforce.contact SET lastname = 'again' WHERE lastname = 'captured' RETURNING pg_backend_pid()").fetchone() == backend
            assert len(entries(schema)) == before + 2
    finally:
        pooler.program.forget()


@pytest.mark.parametrize("reset", ["DISCARD ALL", "DISCARD PLANS", "DISCARD SEQUENCES", "DISCARD TEMP", "RESET ALL",
                                   "SET SESSION AUTHORIZATION DEFAULT", "DEALLOCATE ALL"])
def test_a_session_that_was_reset_goes_on_being_captured(schema, reset):
    with psycopg.connect(schema.url, autocommit=True) as connection:
        connection.execute("SET xmlbinary = hex")
        connection.execute("SET xmlbinary = base64")
        before = len(entries(schema))
        for _ in range(2):
            connection.execute("INSERT INTO salesforce.contact (lastname) VALUES ('before')")
            connection.execute(reset)
            connection.execute("UPDATE salesforce.contact SET lastname = 'after' WHERE lastname = 'before'")
        assert [entry["action"] for entry in entries(schema)[before:]] == ["INSERT", "UPDATE"] * 2


@pytest.fixture
def clerk(schema):
    """A role that may use one mapped table and nothing else."""
    owner = schema.administrator
    if not owner.execute("SELECT 1 FROM pg_roles WHERE rolname = 'clerk'"):
        owner.execute("CREATE ROLE clerk LOGIN")
    schema.execute("GRANT USAGE ON SCHEMA salesforce TO clerk")
    schema.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON salesforce.contact TO clerk")
    with psycopg.connect(schema.url.replace(f"user={ROLE}", "user=clerk"), autocommit=True) as connection:
        yield connection
    schema.execute("REVOKE ALL ON salesforce.contact FROM clerk")


def test_rights_on_the_mapped_table_are_enough(schema, clerk):
    before = len(entries(schema))
    clerk.execute("INSERT INTO salesforce.contact (lastname) VALUES ('by a clerk')")   # takes an id of the sequence
    clerk.execute("UPDATE salesforce.contact SET lastname = 'changed' WHERE lastname = 'by a clerk'")
    clerk.execute("DELETE FROM salesforce.contact WHERE lastname = 'changed'")
    assert [entry["action"] for entry in entries(schema)[before:]] == ["INSERT", "UPDATE", "DELETE"]
    for statement in ("SELECT * FROM salesforce._trigger_log", "UPDATE salesforce._trigger_log SET state = 'IGNORE'",
                      "INSERT INTO salesforce._trigger_log (state) VALUES ('NEW')", "DELETE FROM salesforce._trigger_log",
                      "SELECT salesforce.hc_capture_insert_from_row('id=>1', 'contact')", "SELECT nextval('salesforce._trigger_log_id_seq')",
                      "SELECT * FROM public.hc_connection"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            clerk.execute(statement)


def test_row_security_hides_rows_from_the_role_and_nothing_from_capture(schema, clerk):
    schema.execute("""ALTER TABLE salesforce.contact ENABLE ROW LEVEL SECURITY;
                      CREATE POLICY own ON salesforce.contact TO clerk USING (firstname = 'clerk') WITH CHECK (firstname = 'clerk')""")
    try:
        schema.execute("INSERT INTO salesforce.contact (lastname, firstname) VALUES ('hidden', 'owner')")
        before = len(entries(schema))
        clerk.execute("INSERT INTO salesforce.contact (lastname, firstname) VALUES ('shown', 'clerk')")
        assert clerk.execute("UPDATE salesforce.contact SET phone = '1'").rowcount == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            clerk.execute("UPDATE salesforce.contact SET firstname = 'owner'")
        assert [(entry["action"], entry["state"]) for entry in entries(schema)[before:]] == [("INSERT", "NEW"), ("UPDATE", "NEW")]
    finally:
        schema.execute("DROP POLICY own ON salesforce.contact; ALTER TABLE salesforce.contact DISABLE ROW LEVEL SECURITY")


def test_tables_of_the_application_may_bear_our_names(schema):
    """A temporary table, or one in another schema of the path, that is called like a table of the service's."""
    with psycopg.connect(schema.url, autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE _trigger_log (id int, mine text)")
        connection.execute("CREATE TEMP TABLE contact (id int)")
        before = len(entries(schema))
        connection.execute("INSERT INTO salesforce.contact (lastname) VALUES ('past the temporary one')")
        assert len(entries(schema)) == before + 1
        assert connection.execute("SELECT count(*) FROM pg_temp._trigger_log").fetchone() == (0,)
