"""What the org must hold when writes are merged: the net effect of all that waits of a row is one change.

It holds for logs of which nothing is sent before all of a phase is committed, and in which no parents wait for each other.
"""

from .model import Model
from .world import KEY


class Unit:
    """What waits of one row. `survivor` carries the net effect; `place` is where it stands among others."""

    def __init__(self, members):
        self.members = sorted(members, key=lambda entry: entry.id)
        of = {action: [e for e in self.members if e.action == action] for action in ("INSERT", "UPDATE", "DELETE")}
        self.survivor = (of["DELETE"] or of["INSERT"][:1] or of["UPDATE"])[-1]
        self.row = (self.survivor.object, self.survivor.row)
        self.place = self.survivor.id if of["DELETE"] else self.members[0].id
        self.values = {}
        for entry in self.members:
            self.values.update(entry.values)
        self.names = set().union(*(entry.names() for entry in self.members))


class MergedModel(Model):
    def run(self):
        while True:
            units = self.units()
            ready = [unit for unit in units if not self.waits(unit, units)]
            if not ready:
                return
            self.send_unit(min(ready, key=lambda unit: unit.place))

    def units(self):
        rows = {}
        for entry in self.entries.values():
            if self.is_open(entry):
                rows.setdefault((entry.object, entry.row), []).append(entry)
        units = []
        for row, members in rows.items():
            is_gone = any(e.action == "DELETE" for e in self.entries.values() if (e.object, e.row) == row)
            makes = row not in self.rows and any(e.action == "INSERT" for e in members)
            if makes and is_gone:   # made and deleted before it was sent: nothing
                for entry in members:
                    entry.state = "MERGED"
                continue
            if not is_gone:         # an INSERT that failed goes again with the next change of its row
                members += [e for e in self.entries.values() if e.action == "INSERT" and e.state == "FAILED" and (e.object, e.row) == row]
            if row in self.rows or any(e.action == "INSERT" for e in members):
                units.append(Unit(members))
            else:                   # changes of a record that is not there have no net effect
                units += [Unit([entry]) for entry in members]
        return units

    def waits(self, unit, units):
        entry = unit.survivor
        if entry.action != "INSERT" and unit.row not in self.rows:
            return self.unsent_insert(unit.row, entry) is not None
        if entry.action == "DELETE":
            return any(other.place < unit.place and (entry.object, self.rows[unit.row]) in other.names for other in units)
        parents = [other.survivor for other in units if other is not unit and other.survivor.action == "INSERT"]
        parents += [e for e in self.entries.values() if e.action == "INSERT" and e.state == "FAILED" and self.stands(e) and (e.object, e.row) != unit.row]
        return any((parent.object, parent.values.get(KEY.lower())) in unit.names for parent in parents)

    def send_unit(self, unit):
        survivor = unit.survivor
        if survivor.action != "DELETE":
            survivor.values = unit.values
        self.send(survivor)
        for entry in unit.members:
            if entry is not survivor:
                entry.state = "MERGED"
                if survivor.state == "SUCCESS":
                    newest = self.accepted.setdefault(unit.row, {})
                    newest.update({name: max(newest.get(name, (0, None)), (entry.id, value), key=lambda one: one[0]) for name, value in entry.values.items()})
