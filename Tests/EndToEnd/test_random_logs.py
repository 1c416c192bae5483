"""Random logs of related objects: the org ends as the reference model says, each record's changes in order, parents before children.

A failure names its seed; `SEEDS=7,12 pytest Tests/EndToEnd/test_random_logs.py` runs those alone, `RUNS=500` runs so many.
"""

import pytest

from harness.log_run import LogRun
from harness.model import Model
from harness.run import chosen_seeds, play_seeds
from harness.verdict import state_differences
from harness.world import ALGORITHMS


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_org_equals_the_model(world, algorithm):
    print(play_seeds(LogRun, world, chosen_seeds(1000, 12), algorithm))


def sent(world, *statements):
    """Runs statements in one transaction, and returns the model and what became of the entries."""
    world.begin()
    world.algorithm("ordered")
    above = world.last_id()
    with world.database.connect() as transaction:
        for statement in statements:
            transaction.execute(statement)
    model = Model()
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
    assert [(write["operation"], write["recordCount"]) for write in world.org.writes()] == [("upsert", 1), ("upsert", 1), ("delete", 2)]
