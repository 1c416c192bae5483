"""How many calls planned writes take, in SQL alone: waves are claimed, and answered with success at once.

100,000 mixed changes over six related objects, 30 % of them repeated edits. The oracle computes, from what the workload knows of each
change and not from the database, schedules by dependency layers over the same calls (200 records and ten objects of one operation),
and takes the cheapest. Without Bulk jobs, which carry 10,000 changes at the cost of nine calls and so leave few calls to compare.
"""

import collections
import json
import os
import random

from psycopg.types.json import Jsonb

# object: its parents by external id
OBJECTS = {"Region__c": [], "Account": ["Region__c"], "Contact": ["Account"], "Asset__c": ["Account"], "Case__c": ["Contact", "Asset__c"], "Note__c": ["Case__c"]}
WEIGHTS = {"Region__c": 2, "Account": 14, "Contact": 24, "Asset__c": 18, "Case__c": 24, "Note__c": 18}
AT_ONCE, OBJECTS_AT_ONCE = 200, 10


def description(name):
    fields = [{"name": "Id", "type": "id", "length": 18}, {"name": "SystemModstamp", "type": "datetime"}, {"name": "IsDeleted", "type": "boolean"},
              {"name": "Name", "type": "string", "length": 80, "createable": True, "updateable": True},
              {"name": "Ext__c", "type": "string", "length": 40, "createable": True, "updateable": True, "externalId": True, "unique": True}]
    for parent in OBJECTS[name]:
        stem = parent.removesuffix("__c")
        fields.append({"name": f"{stem}Ref__c", "type": "reference", "length": 18, "referenceTo": [parent], "relationshipName": f"{stem}Ref__r",
                       "createable": True, "updateable": True})
    return {"name": name, "queryable": True, "createable": True, "replicateable": True, "fields": fields}


def mapping(name):
    fields = {"Name": {}, "Ext__c": {}}
    for parent in OBJECTS[name]:
        fields[f"{parent.removesuffix('__c')}Ref__r__Ext__c"] = {}
    return {"access": "read_write", "upsert_field": "Ext__c", "fields": fields}


class Change:
    """One captured change and what it has to wait for, as the workload knows it."""

    def __init__(self, number, kind, name, record):
        self.number, self.kind, self.name, self.record = number, kind, name, record
        self.waits = []   # changes that must be accepted in an earlier call

    @property
    def operation(self):
        return {"INSERT": "upsert", "UPDATE": "update", "DELETE": "delete"}[self.kind]


def workload(count, seed):
    """Changes in log order: records that exist, new ones, edits, many of what was edited before, moves and deletes."""
    random.seed(seed)
    living = {name: [] for name in OBJECTS}
    last, created, children, parents_of = {}, {}, collections.defaultdict(list), {}
    edited = []
    changes = []
    existing = []
    for name in OBJECTS:
        for n in range(count * WEIGHTS[name] // 200):
            record = (name, f"{name}-old-{n}")
            living[name].append(record)
            parents_of[record] = [random.choice(living[parent]) for parent in OBJECTS[name]]
            existing.append((record, parents_of[record]))
    gone = set()

    def alive(name):
        while True:
            record = random.choice(living[name])
            if record not in gone:
                return record

    def note(kind, record, parents=()):
        change = Change(len(changes), kind, record[0], record)
        if record in last:
            change.waits.append(last[record])
        for parent in parents:
            if parent in created:
                change.waits.append(created[parent])
            children[parent].append(change)
        if kind == "DELETE":
            change.waits += children[record]
        last[record] = change
        changes.append((change, list(parents)))

    names = list(OBJECTS)
    while len(changes) < count:
        dice = random.random()
        if dice < 0.13 and edited:
            record = random.choice(edited)
            if record not in gone:
                note("UPDATE", record)
            continue
        name = random.choices(names, [WEIGHTS[n] for n in names])[0]
        if dice < 0.55:
            record = (name, f"{name}-new-{len(changes)}")
            parents = [alive(parent) for parent in OBJECTS[name]]
            note("INSERT", record, parents)
            created[record] = changes[-1][0]
            living[name].append(record)
            parents_of[record] = parents
            edited.append(record)
        elif dice < 0.96 or OBJECTS[name] == []:
            record = alive(name)
            moves = OBJECTS[name] and random.random() < 0.1
            if moves:
                old = parents_of[record][0]
                parent = alive(OBJECTS[name][0])
                if parent == old:
                    continue
                note("UPDATE", record, [parent])
                children[old].append(changes[-1][0])
                parents_of[record] = [parent] + parents_of[record][1:]
            else:
                note("UPDATE", record)
            edited.append(record)
        elif name == "Note__c":
            record = alive(name)
            if record in created:
                continue   # a row that goes before its INSERT is sent is another story
            note("DELETE", record)
            for parent in parents_of[record]:
                children[parent].append(changes[-1][0])
            gone.add(record)
    return existing, changes


def folded(changes):
    """Of edits of one record in a row, with no change between that names it, one is left."""
    survivors, latest = [], {}
    dependants = collections.defaultdict(int)   # record -> number of its last dependant
    for change, parents in changes:
        before = latest.get(change.record)
        if change.kind == "UPDATE" and not parents and before and before.kind != "DELETE" and dependants[change.record] <= before.last:
            before.last = change.number
            change.into = before
            continue
        change.into, change.last = change, change.number
        latest[change.record] = change
        survivors.append(change)
        for parent in parents:
            dependants[parent] = change.number
    for change in survivors:
        change.waits = list({id(w.into): w.into for w in change.waits if w.into is not change}.values())
    return survivors


def layers_forward(changes):
    layer = {}
    for change in changes:   # in log order, after what they wait for
        layer[change] = 1 + max((layer[w] for w in change.waits), default=-1)
    return layer


def layers_backward(changes, depth):
    layer = {change: depth for change in changes}
    for change in reversed(changes):
        for w in change.waits:
            layer[w] = min(layer[w], layer[change] - 1)
    return layer


def packed(counts, bulk):
    """The cheapest calls for the changes of one operation in one layer, by object."""
    total = 0
    rest = []
    for records in counts:
        while bulk and records >= bulk[0] and bulk[1](min(records, 10000)) < min(records, 10000) / AT_ONCE:
            total += bulk[1](min(records, 10000))
            records -= min(records, 10000)
        rest.append(records)
    return total + max(-(-sum(rest) // AT_ONCE), -(-sum(1 for r in rest if r) // OBJECTS_AT_ONCE))


def cost(layer, bulk):
    counts = collections.Counter((depth, change.operation, change.name) for change, depth in layer.items())
    groups = collections.defaultdict(list)
    for (depth, operation, _), records in counts.items():
        groups[depth, operation].append(records)
    return sum(packed(records, bulk) for records in groups.values())


def eager(changes):
    """Turn by turn: of what is ready, full calls; when there is none, the operation that most others wait for."""
    waiting = {change: len(change.waits) for change in changes}
    followers = collections.defaultdict(list)
    for change in changes:
        for w in change.waits:
            followers[w].append(change)
    depth = {}
    for change in reversed(changes):
        depth[change] = 1 + max((depth[f] for f in followers[change]), default=0)
    ready = collections.defaultdict(list)
    for change in changes:
        if not waiting[change]:
            ready[change.operation].append(change)
    calls = 0
    left = len(changes)
    while left:
        operation = max(ready, key=lambda o: (len(ready[o]) >= AT_ONCE, max((depth[c] for c in ready[o]), default=0), len(ready[o])))
        ready[operation].sort(key=lambda c: -depth[c])
        taken, ready[operation] = ready[operation][:AT_ONCE], ready[operation][AT_ONCE:]
        calls += 1
        left -= len(taken)
        for change in taken:
            for follower in followers[change]:
                waiting[follower] -= 1
                if not waiting[follower]:
                    ready[follower.operation].append(follower)
    return calls


def oracle(changes, bulk=None):
    forward = layers_forward(changes)
    backward = layers_backward(changes, max(forward.values()))
    candidates = [cost(forward, bulk), cost(backward, bulk)]
    if not bulk:
        candidates.append(eager(changes))
    return min(candidates), candidates, 1 + max(forward.values())


class Place:
    """A database with the six objects, led by this process."""

    def __init__(self, cluster, existing):
        self.database = cluster.database()
        self.session = self.database.connect(autocommit=True)
        self.connection = self.value("SELECT hc_connection_create('salesforce')")
        for name in OBJECTS:
            self.value("SELECT hc_mapping_create(%s, %s, %s, %s)", self.connection, name, Jsonb(mapping(name)), Jsonb(description(name)))
        self.epoch = self.value("SELECT hc_lead(%s, 'benchmark')", self.connection)
        for setting in ("idle_session_timeout", "idle_in_transaction_session_timeout"):
            self.session.execute(f"SET {setting} = 0")
        self.ids = 0
        self.session.execute("SET xmlbinary = hex")
        with self.session.transaction():
            for name in OBJECTS:
                with self.session.cursor().copy(f"COPY salesforce.{name.lower()} (sfid, name, ext__c{self.columns(name)}) FROM STDIN") as copy:
                    for (owner, ext), parents in existing:
                        if owner == name:
                            copy.write_row([self.new_id(), "old", ext, *[parent[1] for parent in parents]])
        self.session.execute("RESET xmlbinary")

    @staticmethod
    def columns(name):
        return "".join(f", {parent.removesuffix('__c').lower()}ref__r__ext__c" for parent in OBJECTS[name])

    def value(self, statement, *parameters):
        (value,) = self.session.execute(statement, parameters).fetchone().values()
        return value

    def new_id(self):
        self.ids += 1
        return f"a00{self.ids:012d}AAA"

    def capture(self, changes):
        with self.session.transaction(), self.session.cursor() as cursor:
            for change, parents in changes:
                table = f"salesforce.{change.name.lower()}"
                if change.kind == "INSERT":
                    values = [f"n{change.number}", change.record[1], *[parent[1] for parent in parents]]
                    cursor.execute(f"INSERT INTO {table} (name, ext__c{self.columns(change.name)}) VALUES ({', '.join(['%s'] * len(values))})", values)
                elif change.kind == "DELETE":
                    cursor.execute(f"DELETE FROM {table} WHERE ext__c = %s", [change.record[1]])
                elif parents:
                    column = self.columns(change.name).split(", ")[1]
                    cursor.execute(f"UPDATE {table} SET {column} = %s WHERE ext__c = %s", [parents[0][1], change.record[1]])
                else:
                    cursor.execute(f"UPDATE {table} SET name = %s WHERE ext__c = %s", [f"u{change.number}", change.record[1]])
        self.session.execute("VACUUM ANALYZE")

    def drain(self, settings):
        """Claims and answers until nothing is left; returns the requests that it took."""
        self.session.execute("UPDATE hc_connection SET settings = settings || %s", [Jsonb({"bulk_writes": False, **settings})])
        requests = 0
        while True:
            calls = self.value("SELECT hc_claim_calls(%s, %s, 1000)", self.connection, self.epoch)
            if not calls:
                break
            answers = []
            for call in calls:
                records = sum(len(batch["records"]) for batch in call["batches"])
                requests += self.value("SELECT hc_call_cost(%s, %s)", call["api"], records)
                for batch in call["batches"]:
                    results = [{"id": record.get("id") or self.new_id(), "success": True, "created": batch["operation"] != "update", "errors": []}
                               for record in batch["records"]]
                    answers.append({"batch": batch["batch"], "outcome": "answered", "answer": {"results": results}})
            self.session.execute("SELECT hc_sent_calls(%s, %s, %s)", [self.connection, self.epoch, [call["call"] for call in calls]])
            self.session.execute("SELECT hc_answer_batches(%s, %s, %s)", [self.connection, self.epoch, Jsonb(answers)])
            self.session.execute("SELECT hc_apply_batches(%s, %s, %s)", [self.connection, self.epoch, [answer["batch"] for answer in answers]])
        left = self.value("SELECT jsonb_object_agg(x.state || ' ' || coalesce(x.message, ''), x.n) FROM (SELECT state, left(sf_message, 60) AS message, count(*) AS n"
                          " FROM salesforce._trigger_log WHERE state <> 'IGNORE' GROUP BY 1, 2 LIMIT 20) x")
        assert left is None, f"changes are left: {left}"
        return requests

    def remove(self):
        self.session.close()
        self.database.drop()


def run(cluster, folder, report):
    # With fewer changes the calls at the end, which nothing fills, weigh more than the limits allow for.
    count = int(os.environ.get("CHANGES", 100_000))
    existing, changes = workload(count, 5)
    repeated = len(changes) - len({change.record for change, _ in changes})
    taken = {}
    for name, settings in (("planned", {"write_algorithm": "planned"}), ("planned, folded", {"write_algorithm": "planned", "fold": True}),
                           ("merged", {"write_algorithm": "merged"})):
        place = Place(cluster, existing)
        place.capture(changes)
        taken[name] = place.drain(settings)
        place.remove()
    whole, candidates, depth = oracle([change for change, _ in changes])
    report.note(f"{count:,} changes over {len(OBJECTS)} objects, {repeated / count:.0%} of records changed before; {depth} layers; calls of"
                f" {', '.join(f'{n}: {c}' for n, c in taken.items())}")
    report.note(f"the oracle's schedules: layers from the front {candidates[0]}, from the back {candidates[1]}, turn by turn {candidates[2]}")
    report.figure("planned, calls / of the oracle", taken["planned"] / whole, limit=1.05)
    report.figure("planned, calls / one change a call", taken["planned"] / count, limit=1 / 25)
    least, candidates, depth = oracle(folded(changes))
    report.note(f"folded: {depth} layers; layers from the front {candidates[0]}, from the back {candidates[1]}, turn by turn {candidates[2]}")
    report.figure("planned with folding, calls / of the oracle with folding", taken["planned, folded"] / least, limit=1.05)
    report.figure("planned with folding, calls / merged", taken["planned, folded"] / taken["merged"], limit=1.05)
    report.figure("planned with folding, calls / one change a call", taken["planned, folded"] / count, limit=1 / 25)
    report.figure("planned without folding, calls / merged", taken["planned"] / taken["merged"])
