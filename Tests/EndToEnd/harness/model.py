"""What the org must hold after a log, by the rules of the reference and of the design, told once more and independently.

The model takes captured entries in the order of their ids and knows nothing of batches, calls or time. It is one change at a time:
the lowest entry that nothing holds back is next.
"""

from dataclasses import dataclass, field

from .world import KEY, REFUSED, RELATIONS, column, table

FIELDS = {"name": "Name", "text__c": "Text__c", "number__c": "Number__c", "seq__c": "Seq__c", KEY.lower(): KEY}


@dataclass
class Entry:
    id: int
    object: str
    row: int
    action: str
    values: dict                 # column -> text or None, as captured
    old: dict                    # likewise, before an UPDATE or DELETE
    state: str = "NEW"           # NEW, FAILED, SUCCESS, IGNORE, or ABSENT: a DELETE of a row that Salesforce may not know

    @staticmethod
    def of(captured):
        object_name = next(name for name in RELATIONS if table(name) == captured["table_name"])
        state = captured["state"]
        if captured["action"] == "DELETE" and state in ("IGNORE", "IGNORED"):
            state = "ABSENT"
        return Entry(captured["id"], object_name, captured["record_id"], captured["action"], captured["values"] or {}, captured["old"] or {},
                     "IGNORE" if state in ("IGNORE", "IGNORED") else state if state == "ABSENT" else "NEW")

    def names(self):
        """(object, key) of the records that it names as parents, and of those that it leaves."""
        named = set()
        for lookup, parent in RELATIONS[self.object].items():
            name = column(self.object, lookup)
            if self.action == "DELETE" or name in self.values:
                named |= {(parent, key) for key in (self.values.get(name), self.old.get(name)) if key is not None}
        return named


@dataclass
class Record:
    """A record of the org. `sequence`: the numbers of the changes that it accepted, in their order."""

    object: str
    key: str
    values: dict
    parents: dict                # lookup -> identifier of the parent or None
    is_deleted: bool = False
    sequence: list = field(default_factory=list)


class Model:
    """What the algorithms do alike. Where they differ:

    ordered   an INSERT whose row is gone is nobody's parent to come
    planned   children wait for an INSERT wherever it stands, until it fails and its row is gone
    """

    def __init__(self, algorithm, drops_superseded=False):
        self.algorithm = algorithm
        self.drops_superseded = drops_superseded   # an older change that is sent again leaves out what a newer one has written meanwhile
        self.refuses = True
        self.entries = {}
        self.records = {}        # (object, key) -> Record
        self.rows = {}           # (object, row) -> key of the record that the row got
        self.accepted = {}       # (object, row) -> {column: (id, value) of the newest entry that wrote it}

    # What happens

    def capture(self, captured):
        for one in captured:
            self.entries[one["id"]] = Entry.of(one)
        self.run()

    def edit(self, states):
        """A person's edits of `state`: id -> NEW or IGNORE."""
        for id, state in states.items():
            self.entries[id].state = state
        self.run()

    def run(self):
        while (entry := self.next()) is not None:
            self.send(entry)

    # One change at a time

    def next(self):
        """The lowest entry that may go, or None."""
        blocked = set()
        for id in sorted(self.entries):
            entry = self.entries[id]
            row = (entry.object, entry.row)
            if not self.is_open(entry) or row in blocked:
                continue
            if self.waits_for(entry) is None:
                return entry
            blocked.add(row)
        return None

    def is_open(self, entry):
        return entry.state == "NEW" or entry.state == "ABSENT" and (entry.object, entry.row) in self.rows

    def waits_for(self, entry):
        """The id of the INSERT that must succeed first, or None."""
        row = (entry.object, entry.row)
        if entry.action != "INSERT" and row not in self.rows:
            return self.unsent_insert(row, entry)
        if entry.action == "DELETE":
            at = (entry.object, self.rows[row])
            return next((e.id for e in self.entries.values() if e.id < entry.id and self.is_open(e) and at in e.names()), None)
        for lookup, parent in RELATIONS[entry.object].items():
            key = entry.values.get(column(entry.object, lookup))
            if key is None:
                continue
            for other in self.entries.values():
                if (other.action == "INSERT" and other.state in ("NEW", "FAILED") and other is not entry and other.object == parent
                        and other.values.get(KEY.lower()) == key and self.stands(other)):
                    return other.id
        return None

    def stands(self, insert):
        """Whether children wait for the INSERT: not if it failed and its row is gone."""
        if insert.state == "NEW" and self.algorithm != "ordered":
            return True
        return not any(e.action == "DELETE" and e.object == insert.object and e.row == insert.row for e in self.entries.values())

    def unsent_insert(self, row, entry):
        return next((e.id for e in self.entries.values() if e.action == "INSERT" and e.state in ("NEW", "FAILED")
                     and (e.object, e.row) == row and e is not entry), None)

    def send(self, entry):
        row = (entry.object, entry.row)
        if entry.action == "INSERT":
            accepted = self.insert(entry)
        elif row not in self.rows:
            accepted = False
        elif entry.action == "DELETE":
            accepted = self.delete(self.records[entry.object, self.rows[row]])
        else:
            accepted = self.update(entry, self.records[entry.object, self.rows[row]])
        entry.state = {True: "SUCCESS", False: "FAILED", None: "IGNORE"}[accepted]   # None: nothing is left to send

    def insert(self, entry):
        key = entry.values[KEY.lower()]
        record = self.records.get((entry.object, key))
        if record is None or record.is_deleted:
            record = Record(entry.object, key, {name: None for name in FIELDS.values()}, {lookup: None for lookup in RELATIONS[entry.object]})
        if not self.write(entry, record, {c: v for c, v in entry.values.items() if v is not None}):
            return False
        self.records[entry.object, key] = record
        self.rows[entry.object, entry.row] = key
        return True

    def update(self, entry, record):
        values = entry.values
        if self.drops_superseded:
            newest = self.accepted.get((entry.object, entry.row), {})
            # What is the same as the newest accepted value is sent again.
            values = {c: v for c, v in values.items() if newest.get(c, (0, v))[0] < entry.id or newest[c][1] == v}
        if not any(c in FIELDS or self.lookup_of(entry.object, c) for c in values):
            return None
        return not record.is_deleted and self.write(entry, record, values)

    def write(self, entry, record, values):
        if self.refuses and (values.get("text__c") or "").startswith(REFUSED):
            return False
        parents = {}
        for lookup, parent in RELATIONS[entry.object].items():
            name = column(entry.object, lookup)
            if name in values:
                key = values[name]
                if key is not None and ((parent, key) not in self.records or self.records[parent, key].is_deleted):
                    return False
                parents[lookup] = key
        record.values.update({FIELDS[c]: v for c, v in values.items() if c in FIELDS})
        record.parents.update(parents)
        if "seq__c" in values:
            record.sequence.append(int(values["seq__c"]))
        newest = self.accepted.setdefault((entry.object, entry.row), {})
        for name in values:
            newest[name] = max(newest.get(name, (0, None)), (entry.id, values[name]), key=lambda one: one[0])
        return True

    @staticmethod
    def lookup_of(object_name, name):
        return next((lookup for lookup in RELATIONS[object_name] if column(object_name, lookup) == name), None)

    def delete(self, record):
        record.is_deleted = True
        for child in self.records.values():
            for lookup, parent in RELATIONS[child.object].items():
                if parent == record.object and child.parents[lookup] == record.key:
                    child.parents[lookup] = None
        return True

    # What there must be

    def living(self):
        """(object, key) -> values and parents of every record that is not deleted."""
        return {at: {**normal(record.values), **record.parents} for at, record in self.records.items() if not record.is_deleted}

    def text(self, states):
        """The log, for the report of a failure: each entry with what became of it."""
        return "\n".join(f"{id} {e.action} {e.object} {e.row} {e.values}: {' '.join(str(x) for x in states.get(id, ['gone']) if x)}, expected {e.state}"
                         for id, e in self.entries.items())

    def states(self):
        return {id: entry.state if entry.state != "ABSENT" else "NEW" if self.is_open(entry) else "IGNORE" for id, entry in self.entries.items()}


def normal(values):
    """Values as the org shows them: numbers as numbers, texts trimmed, nothing for an empty text."""
    return {name: float(value) if name in ("Number__c", "Seq__c") and value is not None else (value.strip() or None if value is not None else None)
            for name, value in values.items()}
