"""Changes that applications write into the log themselves (reference 2.6), as the relay sends them."""

from harness.waiting import wait_until


def test_an_entry_without_sfid_reaches_the_row_s_record(live, org):
    """It is written before the row has an sfid, in the trigger's transaction: the relay looks it up when it sends."""
    live.execute("""
        CREATE FUNCTION public.send_id() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE entry salesforce._trigger_log%ROWTYPE;
        BEGIN
            entry.id := nextval('salesforce._trigger_log_id_seq'); entry.action := 'UPDATE'; entry.state := 'NEW'; entry.table_name := 'contact';
            entry.record_id := NEW.id; entry.txid := txid_current(); entry.created_at := clock_timestamp();
            entry."values" := hstore('externalid__c', 'pg-' || NEW.id);
            INSERT INTO salesforce._trigger_log VALUES (entry.*);
            RETURN NULL;
        END $$;
        CREATE TRIGGER send_id AFTER INSERT ON salesforce.contact FOR EACH ROW
            WHEN (get_xmlbinary()::text = 'base64'::text) EXECUTE PROCEDURE public.send_id()""")
    try:
        id = live.value("INSERT INTO salesforce.contact (lastname) VALUES ('sends its id') RETURNING id")
    finally:
        live.execute("DROP FUNCTION public.send_id() CASCADE")
    row = wait_until(lambda: (row := live.row("contact", id)) and row["externalid__c"] and row, 20, "the id to come back")
    assert org.record("Contact", row["sfid"])["ExternalId__c"] == row["externalid__c"] == f"pg-{id}"
    assert len(org.records("Contact", "LastName = 'sends its id'")) == 1


def test_an_insert_is_resent_without_a_column_and_then_the_column(live, org):
    """The documented way out of a cycle of lookups, with ordered writes; merged ones, which the project's file asks for, make one of both."""
    live.execute("UPDATE hc_connection SET settings = settings || '{\"write_algorithm\": \"ordered\"}'")
    id = live.value("INSERT INTO salesforce.contact (lastname, accountid) VALUES ('cycle', '001xx00000099ZZAAA') RETURNING id")
    failed = wait_until(lambda: live.execute("SELECT * FROM salesforce._trigger_log WHERE table_name = 'contact' AND record_id = %s AND state = 'FAILED'", id),
                        20, "the INSERT to be refused")[0]
    parent = org.insert("Account", Name="comes later")
    with live.connect() as connection:
        connection.execute("SET LOCAL xmlbinary = hex")   # mend the row and send nothing by it
        connection.execute("UPDATE salesforce.contact SET accountid = %s WHERE id = %s", (parent, id))
    org.forget_calls()
    with live.connect() as connection:
        connection.execute("UPDATE salesforce._trigger_log SET state = 'REQUEUED' WHERE id = %s", (failed["id"],))
        for function in ("hc_capture_insert_from_row", "hc_capture_update_from_row"):
            connection.execute(f"SELECT salesforce.{function}(hstore(t.*), 'contact', ARRAY['accountid']::text[]) FROM salesforce.contact t WHERE t.id = %s", (id,))
    row = wait_until(lambda: (row := live.row("contact", id)) and row["sfid"] and row["_hc_lastop"] == "SYNCED" and row, 20, "the row to be SYNCED")
    assert org.record("Contact", row["sfid"])["AccountId"] == parent == row["accountid"]
    first, second = [write["records"][0]["fields"] for write in org.writes()]
    assert "AccountId" not in first and first["LastName"] == "cycle" and second == {"AccountId": parent}
    live.execute("UPDATE hc_connection SET settings = settings || '{\"write_algorithm\": \"merged\"}'")
