"""Random logs without faults: the org ends as the model says, and every record's changes came in order."""

from .run import Run
from .verdict import differences, order_violations, state_differences
from .world import allow, refuse


class LogRun(Run):
    """Phases of changes, each followed by what a person does about what failed."""

    test = "test_random_logs.py"

    def play(self):
        self.above = self.first
        for _ in range(self.chance.randint(1, 3)):
            self.phase()
            self.edit()
        self.finish()

    def phase(self):
        # What merged writes make of changes depends on what waits when they look.
        self.scenario.keeps_parents = self.algorithm == "merged"
        self.scenario.phase(self.chance.randint(5, 40), whole=self.algorithm == "merged")
        upto = self.world.last_id()
        captured = [entry for entry in self.world.captured(self.above) if entry["id"] <= upto]
        self.above = upto
        self.world.settle()
        self.model.capture(captured)
        self.compare_states()

    def edit(self):
        """What a person does: lifts the rule, sends all again, or forgets one change."""
        failed = [id for id, state in self.model.states().items() if state == "FAILED"]
        if self.chance.random() < 0.5 and self.model.refuses:
            allow(self.world.org)
            self.model.refuses = False
        self.figures["rejections"] += len(failed)
        if failed and self.chance.random() < 0.3:
            one = self.chance.choice(failed)
            self.world.database.execute("UPDATE salesforce._trigger_log SET state = 'IGNORE' WHERE id = %s", one)
            self.model.edit({one: "IGNORE"})
            failed.remove(one)
        self.world.database.execute("UPDATE salesforce._trigger_log SET state = 'NEW' WHERE state = 'FAILED'")
        self.figures["requeued"] += len(failed)
        self.world.advance(121)   # edits of state are found by the full look, every two minutes
        self.world.settle()
        self.model.edit({id: "NEW" for id in failed})
        self.compare_states()

    def compare_states(self):
        self.expect("states of entries", state_differences(self.model, self.world.states(self.first)))

    def finish(self):
        name, org = self.scenario.name, self.world.org
        self.expect("the org", differences(self.model, org, name))
        self.expect("order", order_violations(self.model, org, name))
        self.figures.update({"changes": self.scenario.changes, "records": len(self.model.records), "differences from the model": 0, "violations of order": 0})
        self.world.end()
        if not self.model.refuses:
            refuse(org)
