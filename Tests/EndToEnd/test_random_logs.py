"""Random logs of related objects: the org ends as the reference model says, each record's changes in order, parents before children.

A failure names its seed; `SEEDS=7,12 pytest Tests/EndToEnd/test_random_logs.py` runs those alone, `RUNS=500` runs so many.
"""

import pytest

from harness.log_run import LogRun
from harness.model import Model
from harness.run import chosen_seeds, play_seeds
from harness.verdict import state_differences
from harness.waiting import wait_until
from harness.world import ALGORITHMS


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_org_equals_the_model(world, algorithm):
    print(play_seeds(LogRun, world, chosen_seeds(1000, 10), algorithm))


def sent(world, *statements):
    """Runs statements in one transaction, and returns the model and what became of the entries."""
    world.begin()
    world.algorithm("ordered")
    above = world.last_id()
    with world.database.connect() as transaction:
        for statement in statements:
            transaction.execute(statement)
    model = Model("ordered")
    captured = world.captured(above)
    world.settle()
    model.capture(captured)
    return model, world.states(above)


def test_an_update_that_waited_while_its_row_was_deleted_is_sent(world):
    model, states = sent(world, "INSERT INTO salesforce.product__c (name, key__c) VALUES ('one', 'gone-1')", "UPDATE salesforce.product__c SET name = 'two' WHERE key__c = 'gone-1'",
                         "DELETE FROM salesforce.product__c WHERE key__c = 'gone-1'")
    assert state_differences(model, states) == [] and [write["operation"] for write in world.org.writes()] == ["upsert", "update", "delete"]


def test_a_parent_and_its_child_whose_rows_are_gone_travel_in_two_requests(world):
    insert = "INSERT INTO salesforce.region__c (key__c, parent__r__key__c) VALUES "
    model, states = sent(world, insert + "('gone-2', NULL)", insert + "('gone-3', 'gone-2')", "DELETE FROM salesforce.region__c WHERE key__c LIKE 'gone-%'")
    assert state_differences(model, states) == []
    assert [(write["operation"], write["recordCount"]) for write in world.org.writes()][:2] == [("upsert", 1), ("upsert", 1)]


def test_a_delete_does_not_overtake_a_child_that_waits_for_the_application(world):
    person, region = "salesforce.person__c", "salesforce.region__c"
    sent(world, f"INSERT INTO {person} (name, key__c) VALUES ('child', 'late-child')")
    world.org.forget_calls()
    above = world.last_id()
    slow = world.org.fault("delay", api="soap", operation="update", milliseconds=700)
    world.database.execute(f"UPDATE {person} SET name = 'one' WHERE key__c = 'late-child'")
    world.org.wait_for_fault(slow)
    world.database.execute(f"INSERT INTO {region} (key__c) VALUES ('late-parent')")
    world.database.execute(f"UPDATE {person} SET region__r__key__c = 'late-parent' WHERE key__c = 'late-child'")
    world.database.execute(f"DELETE FROM {region} WHERE key__c = 'late-parent'")
    with world.database.connect() as application:
        application.execute(f"SELECT FROM {person} WHERE key__c = 'late-child' FOR UPDATE")
        wait_until(lambda: len(world.org.writes()) == 2, 20, "the parent to be sent")
        world.relay.work_through()
        application.rollback()
    world.settle()
    assert [write["operation"] for write in world.org.writes()] == ["update", "upsert", "update", "delete"]
    assert {state for state, _ in world.states(above).values()} == {"SUCCESS"}
