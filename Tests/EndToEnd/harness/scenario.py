"""Random logs: what applications and a person do to mapped rows and to the log, drawn from a seed."""

import random

from .world import KEY, REFUSED, RELATIONS, column, table

WORDS = ["one", "two", "three", "blue", "green", "north", "a, b", "\"quoted\"", "<&>", "Ünïcødé"]


class Row:
    def __init__(self, object_name, id, key):
        self.object, self.id, self.key = object_name, id, key


class Scenario:
    """One run's changes, made through `database`. All that is drawn comes from the seed."""

    def __init__(self, world, seed, name=None):
        self.world = world
        self.database = world.database
        self.seed = seed
        self.chance = random.Random(seed)
        self.name = name or f"s{seed}r{world.runs}"
        count = self.chance.randint(3, len(RELATIONS))
        self.objects = list(RELATIONS)[:count]
        self.rows = []           # rows that are there
        self.gone = []           # keys of rows that were deleted: (object, key)
        self.announced = {}      # object -> keys that children of this transaction named before their parent is made
        self.fresh = set()       # parents made after their children in this phase
        self.keeps_parents = False   # no UPDATE names another parent, so that no parents come to wait for each other
        self.names_gone = True       # children may name parents that were deleted
        self.changes = 0
        self.made = 0

    def pick(self, some):
        return self.chance.choice(some)

    def next_change(self):
        self.changes += 1
        return self.changes

    def text(self):
        if self.chance.random() < 0.1:
            return f"{REFUSED} {self.changes}"
        return None if self.chance.random() < 0.1 else self.pick(WORDS)

    # Changes of rows, in a transaction that the caller opened

    def parents(self, object_name, some):
        """Columns that name parents, each with the probability `some`; rarely one that is gone, or that comes later."""
        named = {}
        for lookup, parent in RELATIONS[object_name].items():
            if self.chance.random() >= some:
                continue
            rows = [row.key for row in self.rows if row.object == parent]
            gone = [key for object_of, key in self.gone if object_of == parent]
            draw = self.chance.random()
            if draw < 0.06 and gone and self.names_gone:
                named[column(object_name, lookup)] = self.pick(gone)
            elif draw < 0.14 and parent != object_name:
                self.made += 1
                key = f"{self.name}-{self.made}"
                self.announced.setdefault(parent, []).append(key)
                named[column(object_name, lookup)] = key
            elif rows:
                named[column(object_name, lookup)] = self.pick(rows)
        return named

    def insert(self, transaction, object_name=None):
        object_name = object_name or self.pick(self.objects)
        announced = self.announced.get(object_name) or []
        was_named = bool(announced)
        if announced:
            key = announced.pop(0)
        else:
            self.made += 1
            key = f"{self.name}-{self.made}"
        seq = self.next_change()
        values = {"name": f"{self.name} {object_name} {seq}", KEY.lower(): key, "text__c": self.text(), "seq__c": seq,
                  "number__c": self.chance.randint(0, 99), **self.parents(object_name, 0.7)}
        cursor = transaction.execute(f"INSERT INTO salesforce.{table(object_name)} ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))}) RETURNING id",
                                     list(values.values()))
        self.rows.append(Row(object_name, cursor.fetchone()["id"], key))
        if was_named:
            self.fresh.add(self.rows[-1])

    def update(self, transaction):
        if not self.rows:
            return
        row = self.pick(self.rows)
        values = {"seq__c": self.next_change()}
        if self.chance.random() < 0.7:
            values["text__c"] = self.text()
        if self.chance.random() < 0.5:
            values["number__c"] = self.pick([None, self.chance.randint(0, 99)])
        if self.keeps_parents:
            pass
        elif self.chance.random() < 0.25:
            values.update(self.parents(row.object, 0.6))
        elif self.chance.random() < 0.1:
            values.update({column(row.object, lookup): None for lookup in RELATIONS[row.object]})
        # Nothing becomes its own parent.
        values = {name: value for name, value in values.items() if value != row.key}
        transaction.execute(f"UPDATE salesforce.{table(row.object)} SET {', '.join(f'{name} = %s' for name in values)} WHERE id = %s",
                            [*values.values(), row.id])

    def delete(self, transaction):
        if not self.rows:
            return
        row = self.pick(self.rows)
        if row in self.fresh:   # which of parent's DELETE and child comes first would be a matter of luck
            return
        self.rows.remove(row)
        self.gone.append((row.object, row.key))
        transaction.execute(f"DELETE FROM salesforce.{table(row.object)} WHERE id = %s", [row.id])

    def change(self, transaction):
        draw = self.chance.random()
        (self.insert if draw < 0.4 or not self.rows else self.update if draw < 0.88 else self.delete)(transaction)

    def transaction(self, changes):
        """Some changes, and now and then a person's IGNORE of one of them before it can be sent. Returns ids that were set to IGNORE."""
        with self.database.connect() as transaction:
            above = transaction.execute("SELECT coalesce(max(id), 0) AS id FROM salesforce._trigger_log").fetchone()["id"]
            for _ in range(changes):
                self.change(transaction)
            # The parents that children named before; one in ten never comes.
            for object_name, keys in list(self.announced.items()):
                for _ in range(len(keys)):
                    if self.chance.random() < 0.9:
                        self.insert(transaction, object_name)
            self.announced.clear()
            if self.chance.random() < 0.1:
                ids = [r["id"] for r in transaction.execute("SELECT id FROM salesforce._trigger_log WHERE id > %s AND state = 'NEW' AND action <> 'DELETE' "
                                                            "AND txid = txid_current() ORDER BY id", [above]).fetchall()]
                if ids:
                    transaction.execute("UPDATE salesforce._trigger_log SET state = 'IGNORE' WHERE id = %s", [self.pick(ids)])

    def phase(self, changes, whole=False):
        """So many changes; in one transaction if `whole`, else in transactions of any size."""
        done = 0
        while done < changes:
            size = changes - done if whole else min(changes - done, self.pick([1, 1, 2, 3, 5, 8, 20]))
            self.transaction(size)
            done += size
        self.fresh = set()
