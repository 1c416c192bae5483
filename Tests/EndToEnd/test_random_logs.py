"""Random logs of related objects: the org ends as the reference model says, each record's changes in order, parents before children.

A failure names its seed; `SEEDS=7,12 pytest Tests/EndToEnd/test_random_logs.py` runs those alone, `RUNS=500` runs so many.
"""

import os
import time

import pytest

from harness.model import Model
from harness.scenario import Scenario
from harness.verdict import differences, order_violations, state_differences
from harness.world import allow, refuse

ALGORITHMS = ["ordered"]
RUNS = int(os.environ.get("RUNS") or 12)


def seeds(first):
    if os.environ.get("SEEDS"):
        return [int(seed) for seed in os.environ["SEEDS"].split(",")]
    return range(first, first + RUNS)


class Run:
    """One seed: phases of changes, each followed by what a person does about what failed."""

    def __init__(self, world, seed, algorithm):
        self.world, self.seed, self.algorithm = world, seed, algorithm
        world.begin()
        world.algorithm(algorithm)
        self.scenario = Scenario(world, seed)
        self.model = Model()
        self.above = self.first = world.last_id()

    def phase(self):
        self.scenario.phase(self.scenario.chance.randint(5, 40))
        upto = self.world.last_id()
        captured = [entry for entry in self.world.captured(self.above) if entry["id"] <= upto]
        self.above = upto
        self.world.settle()
        self.model.capture(captured)
        self.compare_states()

    def edit(self):
        """What a person does: lifts the rule, sends all again, or forgets one change."""
        chance = self.scenario.chance
        failed = [id for id, state in self.model.states().items() if state == "FAILED"]
        if chance.random() < 0.5 and self.model.refuses:
            allow(self.world.org)
            self.model.refuses = False
        if failed and chance.random() < 0.3:
            one = chance.choice(failed)
            self.world.database.execute("UPDATE salesforce._trigger_log SET state = 'IGNORE' WHERE id = %s", one)
            self.model.edit({one: "IGNORE"})
            failed.remove(one)
        self.world.database.execute("UPDATE salesforce._trigger_log SET state = 'NEW' WHERE state = 'FAILED'")
        self.world.advance(121)   # edits of state are found by the full look, every two minutes
        self.world.settle()
        self.model.edit({id: "NEW" for id in failed})
        self.compare_states()

    def compare_states(self):
        self.expect("states", state_differences(self.model, self.world.states(self.first)))

    def finish(self):
        name, org = self.scenario.name, self.world.org
        self.expect("the org", differences(self.model, org, name))
        self.expect("order", order_violations(self.model, org, name))
        self.world.end()
        if not self.model.refuses:
            refuse(org)

    def expect(self, what, lines):
        if lines:
            print(self.model.text(self.world.states(self.first)))
        assert not lines, "\n".join([f"seed {self.seed}, {self.algorithm}: {what} differs from the model; alone: "
                                     f"SEEDS={self.seed} .run/python/bin/pytest Tests/EndToEnd/test_random_logs.py -k {self.algorithm}", *lines])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_org_equals_the_model(world, algorithm):
    began = time.monotonic()
    changes = 0
    for seed in seeds(1000):
        run = Run(world, seed, algorithm)
        for _ in range(run.scenario.chance.randint(1, 3)):
            run.phase()
            run.edit()
        run.finish()
        changes += run.scenario.changes
    print(f"{algorithm}: {len(seeds(1000))} logs, {changes} changes of rows, 0 differences, 0 violations of order, {time.monotonic() - began:.1f} s")


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
