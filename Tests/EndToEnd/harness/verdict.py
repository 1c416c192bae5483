"""Compares an org, and the log that led to it, with the model."""

from .model import FIELDS, normal
from .world import KEY, RELATIONS


def org_records(org, name):
    """Every record of a run: living ones as (object, key) -> values and parents, and all of them as Id -> (object, key)."""
    where = f"{KEY} LIKE '{name}-%'"
    by_id, found = {}, []
    for object_name in RELATIONS:
        for record in org.records(object_name, where):
            by_id[record["Id"]] = (object_name, record[KEY])
            found.append((object_name, record))
    living = {}
    for object_name, record in found:
        if record["IsDeleted"]:
            continue
        values = {name: float(record[name]) if name in ("Number__c", "Seq__c") and record[name] is not None else record[name] for name in FIELDS.values()}
        parents = {lookup: by_id.get(record[lookup], (None, record[lookup]))[1] for lookup in RELATIONS[object_name]}
        living.setdefault((object_name, record[KEY]), []).append({**values, **parents})
    return living, by_id


def differences(model, org, name):
    """What the org holds otherwise than the model says, as lines."""
    living, _ = org_records(org, name)
    expected = model.living()
    lines = []
    for at in sorted(set(living) | set(expected)):
        records, wanted = living.get(at, []), expected.get(at)
        if len(records) > 1:
            lines.append(f"{at}: {len(records)} living records")
        elif not records:
            lines.append(f"{at}: missing, expected {wanted}")
        elif wanted is None:
            lines.append(f"{at}: not expected: {records[0]}")
        elif records[0] != wanted:
            lines.append(f"{at}: " + ", ".join(f"{f} is {records[0][f]!r}, expected {wanted[f]!r}" for f in wanted if records[0][f] != wanted[f]))
    return lines


def state_differences(model, states):
    """Entries that ended otherwise than the model says."""
    def word(state):
        return "IGNORE" if state == "IGNORED" else state
    lines = []
    for id, expected in model.states().items():
        state, message = states.get(id, ("gone", None))
        if word(state) != expected:
            entry = model.entries[id]
            lines.append(f"entry {id} ({entry.action} of {entry.object} {entry.row}) is {state}, expected {expected}: {message}")
    return lines


def without_repeats(values):
    return [value for n, value in enumerate(values) if n == 0 or values[n - 1] != value]


def sequences(org, name):
    """(object, key) -> the values that Seq__c took, in the order of the commits at the org."""
    _, by_id = org_records(org, name)
    found = {}
    for object_name in RELATIONS:
        for record in org.control("GET", "invariants", object=object_name, field="Seq__c")["writes"]:
            if record["id"] in by_id:
                found[by_id[record["id"]]] = without_repeats([int(float(v["value"])) for v in record["values"] if v["value"] is not None])
    return found


def order_violations(model, org, name):
    """Records whose changes the org did not get one by one in the order of the log."""
    found = sequences(org, name)
    lines = []
    for at, record in model.records.items():
        expected = without_repeats(record.sequence)
        if found.get(at, []) != expected:
            lines.append(f"{at}: the changes came as {found.get(at, [])}, expected {expected}")
    return lines
