"""A step that the database refuses ends the leadership, which begins anew: no lane is left out while the others go on."""

import pytest

from harness.relay import mapping
from harness.waiting import wait_until

STEPS = {"hc_claim_calls": "uuid, bigint, integer", "hc_read_back_next": "uuid, bigint, integer", "hc_housekeeping": "uuid, bigint"}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_for_a_while(connected, database, org, step):
    connected.import_mapping(mapping("Account", ["Name"]))
    connected.start_and_load()
    parameters = STEPS[step]
    database.execute(f"ALTER FUNCTION {step}({parameters}) RENAME TO {step}_real")
    database.execute(f"CREATE FUNCTION public.{step}({parameters}) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '23514'; END $$")
    database.execute("INSERT INTO salesforce.account (name) VALUES ('waits')")
    connected.advance_clock("2 minutes")
    wait_until(lambda: 'event="STEP FAILED"' in connected.output, 20, "the relay to say so")
    database.execute(f"DROP FUNCTION {step}({parameters})")
    database.execute(f"ALTER FUNCTION {step}_real({parameters}) RENAME TO {step}")
    wait_until(lambda: database.value("SELECT _hc_lastop FROM salesforce.account WHERE name = 'waits'") == "SYNCED", 30, "the row to be SYNCED")
    assert connected.output.count('event="LEADING"') > 1
