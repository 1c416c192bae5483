"""Runs in which answers are lost: nothing twice, and nothing lost without a word."""

from collections import Counter

from .run import Run
from .verdict import differences, order_violations, org_records, state_differences
from .world import KEY, NOTE, RELATIONS, table

RATE = 0.05   # of the relay's calls meet a fault

LOST = [
    {"kind": "dropBeforeCommit", "weight": 3}, {"kind": "dropAfterCommit", "weight": 4},
    {"kind": "unavailable", "when": "after", "weight": 2}, {"kind": "unavailableHTML", "when": "after", "weight": 1},
    {"kind": "error", "code": "UNKNOWN_EXCEPTION", "message": "An unexpected error occurred.", "status": 500, "when": "after", "weight": 1},
    {"kind": "html", "weight": 1}, {"kind": "html", "when": "after", "weight": 2}, {"kind": "unavailable", "weight": 1},
    {"kind": "truncate", "weight": 2},
    {"kind": "delay", "milliseconds": 2500, "weight": 1},   # longer than the relay waits
    {"kind": "equalRecord", "when": "before", "values": {KEY: None}, "weight": 2}, {"kind": "equalRecord", "when": "after", "values": {KEY: None}, "weight": 2},
]
# By the org's clock, which the tests move: the work is done so many milliseconds later: at the latest just before the ten minutes are over.
OUTLASTS = [{"kind": "abandon", "milliseconds": seconds * 1000, "weight": 2} for seconds in (1, 60, 590)]


class Notes:
    """Changes of records without an identifier; some are equal to each other, some have texts that the org trims or its automation changes."""

    def __init__(self, scenario):
        self.scenario, self.chance = scenario, scenario.chance
        self.made = Counter()     # name -> rows inserted
        self.rows = []            # (id, name)
        self.changes = 0

    def insert(self, transaction):
        chance = self.chance
        number = chance.randint(1, 3) if self.made and chance.random() < 0.3 else len(self.made) + 1   # one of the first again, or a new one
        name = f"{self.scenario.name}-note{number}"
        equal = number * 7 % 5    # what is equal in name is equal in all
        values = {"name": name, "text__c": ["plain", "  padded ", " ", "Ünï", None][equal], "number__c": number}
        if equal in (1, 3):
            values["shout__c"] = "quiet"
        if equal == 2:
            values["flow__c"] = "mine"
        cursor = transaction.execute(f"INSERT INTO salesforce.{table(NOTE)} ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))}) RETURNING id",
                                     list(values.values()))
        self.made[name] += 1
        self.rows.append((cursor.fetchone()["id"], name))

    def change(self, transaction):
        self.changes += 1
        draw = self.chance.random()
        if draw < 0.6 or not self.rows:
            self.insert(transaction)
        elif draw < 0.85:
            transaction.execute(f"UPDATE salesforce.{table(NOTE)} SET number__c = %s, text__c = %s WHERE id = %s",
                                [self.chance.randint(100, 999), self.chance.choice([" later ", "later", None]), self.chance.choice(self.rows)[0]])
        else:
            row = self.chance.choice(self.rows)
            self.rows.remove(row)
            transaction.execute(f"DELETE FROM salesforce.{table(NOTE)} WHERE id = %s", [row[0]])


class LostRun(Run):
    """Changes of records with and without an identifier, while calls meet faults."""

    test = "test_lost_answers.py"

    def __init__(self, world, seed, algorithm):
        super().__init__(world, seed, algorithm)
        self.scenario.names_gone = False   # while a DELETE is in doubt, a later child may still find its record
        self.notes = Notes(self.scenario)
        # Every other run has no calls that outlast their client: in those the org must equal the model whatever was lost.
        faults = LOST + (OUTLASTS if seed % 2 else [])
        world.org.control("POST", "plan", {"seed": seed, "rate": RATE, "calls": 1000, "faults": faults})

    def play(self):
        chance = self.chance
        for _ in range(chance.randint(1, 4)):
            self.scenario.transaction(chance.randint(1, 8))
            with self.world.database.connect() as transaction:
                for _ in range(chance.randint(0, 5)):
                    self.notes.change(transaction)
        self.captured = [entry for entry in self.world.captured(self.first) if entry["table_name"] != table(NOTE)]
        self.world.settle()
        self.schedule = self.world.org.control("GET", "plan")
        self.world.advance(600)   # what a client left behind is done by then
        self.world.settle()
        self.model.capture(self.captured)
        self.judge()

    @property
    def met(self):
        """Faults that a call met."""
        return [slot for slot in self.schedule["schedule"] if slot["used"]]

    def judge(self):
        org, name = self.world.org, self.scenario.name
        entries = self.world.states(self.first)
        living, _ = org_records(org, name)
        self.expect("records with an identifier twice", [f"{at}: {len(records)}" for at, records in living.items() if len(records) > 1])
        self.expect("records without an identifier", self.judge_notes())
        self.expect("rows", self.judge_rows())
        different = differences(self.model, org, name)
        # A call that outlasts its client may do its work after later changes of the record: the log cannot tell.
        if not any(slot["kind"] == "abandon" for slot in self.met):
            self.expect("states of entries", state_differences(self.model, entries))
            self.expect("the org", different)
            self.expect("order", order_violations(self.model, org, name))
        self.figures.update({
            "changes": self.scenario.changes + self.notes.changes, "calls": self.schedule["seen"], "answers lost": len(self.met),
            "duplicates with an identifier": 0, "silent duplicates without": 0, "parked for a person": self.parked(),
            "records that a call changed after its client had gone": len(different)})
        for slot in self.met:
            self.figures[f"fault: {slot['kind']}"] += 1
            self.figures[f"operation: {slot['operation']}"] += 1
        self.world.end()

    def expect(self, what, lines):
        if lines:
            print("faults met:", *self.met, sep="\n")
        super().expect(what, lines)

    def parked(self):
        return self.world.database.value("SELECT count(*) FROM public.hc_batch_entry e JOIN public.hc_batch b ON b.id = e.batch WHERE b.state = 'PARKED' AND e.outcome IS NULL")

    def judge_notes(self):
        """As many records of each name as rows were inserted, made by our user, unless a person is asked or told."""
        records = Counter(record["Name"] for record in self.world.org.records(NOTE, f"Name LIKE '{self.scenario.name}-%' AND CreatedBy.Username = 'integration@example.com'"))
        lines = []
        told = Counter()   # name -> inserts that are FAILED, or wait for a person
        for row in self.world.database.execute("""
                SELECT "values"::hstore -> 'name' AS name, l.state, l.sf_message, b.state AS batch FROM salesforce._trigger_log l
                LEFT JOIN public.hc_batch_entry e ON e.log_id = l.id AND NOT e.applied LEFT JOIN public.hc_batch b ON b.id = e.batch
                 WHERE l.id > %s AND l.action = 'INSERT' AND l.table_name = %s""", self.first, table(NOTE)):
            told[row["name"]] += 1
            if row["state"] != "FAILED" and row["batch"] != "PARKED":
                lines.append(f"{row['name']}: its INSERT is {row['state']} ({row['sf_message']})")
        for name, made in self.notes.made.items():
            if not told[name] and records[name] != made:
                lines.append(f"{name}: {records[name]} records for {made} rows")
            elif told[name] and not made - told[name] <= records[name] <= made + told[name]:
                lines.append(f"{name}: {records[name]} records for {made} rows, {told[name]} of which wait for a person")
        return lines

    def judge_rows(self):
        """No record has two rows, and no row that was sent is without its record."""
        lines = []
        for name in [*RELATIONS, NOTE]:
            for row in self.world.database.execute(f"SELECT sfid, count(*) AS rows FROM salesforce.{table(name)} WHERE sfid IS NOT NULL GROUP BY sfid HAVING count(*) > 1"):
                lines.append(f"{name} {row['sfid']} has {row['rows']} rows")
            for row in self.world.database.execute(f"SELECT id, _hc_lastop FROM salesforce.{table(name)} WHERE sfid IS NULL AND name LIKE %s "
                                                   "AND _hc_lastop NOT IN ('PENDING', 'FAILED')", self.scenario.name + "-%"):
                lines.append(f"{name} row {row['id']} is {row['_hc_lastop']} without a record")
        return lines
