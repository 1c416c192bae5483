"""Six related objects of an org, mapped and served by one relay that lives through many runs.

A run has records of its own: their names and identifiers begin with the run's name, so that neither database nor org is made anew.
Time is not waited for: `settle` moves the clocks of org and connection to what is due next.
"""

import json
import os
import time

from .organization import Organization
from .relay import Relay, mapping

KEY = "Key__c"
# The relationships of each object: lookup field -> object, parents named by their identifier.
RELATIONS = {
    "Region__c": {"Parent__c": "Region__c"},
    "Company__c": {"Region__c": "Region__c"},
    "Person__c": {"Company__c": "Company__c", "Region__c": "Region__c"},
    "Product__c": {},
    "Deal__c": {"Company__c": "Company__c", "Person__c": "Person__c"},
    "Line__c": {"Deal__c": "Deal__c", "Product__c": "Product__c"},
}
# An object without an identifier: its records can only be told by what they hold. The org itself changes two of the fields.
NOTE = "Note__c"
ALGORITHMS = os.environ.get("ALGORITHMS", "ordered,planned,merged").split(",")
REFUSED = "refuse"   # a text that begins so is refused by the validation rule, while there is one

LOOK = """
SELECT jsonb_build_object(
    'connection', (SELECT state FROM public.hc_connection),
    'batches', (SELECT coalesce(jsonb_agg(jsonb_build_array(b.id, b.state, b.attempt)), '[]') FROM public.hc_batch b WHERE b.state <> 'DONE'),
    'entries', (SELECT coalesce(jsonb_agg(to_jsonb(l) || jsonb_build_object('values', hstore_to_json(l."values"::hstore), 'old', hstore_to_json(l.old::hstore),
                    'row_is_gone', l.action = 'INSERT' AND EXISTS (SELECT FROM salesforce._trigger_log_archive a WHERE a.table_name = l.table_name AND a.record_id = l.record_id
                                                                     AND a.action = 'DELETE' AND a.id > l.id)
                                OR EXISTS (SELECT FROM salesforce._trigger_log a WHERE a.table_name = l.table_name AND a.record_id = l.record_id
                                                                     AND a.action = 'DELETE' AND a.id > l.id)) ORDER BY l.id), '[]')
                  FROM (SELECT id, state, action, table_name, record_id, "values", old FROM salesforce._trigger_log WHERE state IN ('NEW', 'PENDING', 'REQUEUE', 'FAILED')) l),
    'reads', (SELECT count(*) FROM public.hc_read_back),
    'staged', (SELECT count(*) FROM public.hc_staged),
    'due', extract(epoch FROM (SELECT min(x.at) FROM (
        SELECT b.due_at AS at FROM public.hc_batch b WHERE b.state IN ('REPEAT', 'DOUBT')
        UNION ALL SELECT b.apply_at FROM public.hc_batch b WHERE b.state <> 'DONE'
        UNION ALL SELECT r.due_at FROM public.hc_read_back r) x
     WHERE x.at > public.hc_clock(c.id)) - public.hc_clock(c.id)))
  FROM public.hc_connection c
"""


def column(object_name, lookup):
    """The column that names the parent of a lookup by its identifier."""
    return f"{lookup[:-1]}r__{KEY}".lower()


def table(object_name):
    return object_name.lower()


def create_objects(org):
    """The identifiers are not unique in the org, so that a record sent twice is there twice."""
    for name, relations in RELATIONS.items():
        org.control("POST", "objects", {"name": name, "fields": [
            {"name": KEY, "type": "string", "length": 64, "externalId": True, "unique": False},
            {"name": "Text__c", "type": "string", "length": 80}, {"name": "Number__c", "type": "double"},
            {"name": "Seq__c", "type": "double", "scale": 0},
            *({"name": lookup, "type": "reference", "referenceTo": [parent], "relationshipName": lookup[:-1] + "r",
               "childRelationshipName": f"{name[:-3]}{lookup[:-3]}s__r"} for lookup, parent in relations.items())]})
    org.control("POST", "objects", {"name": NOTE, "fields": [
        {"name": "Text__c", "type": "string", "length": 80}, {"name": "Number__c", "type": "double"}, {"name": "Shout__c", "type": "string", "length": 80},
        {"name": "Flow__c", "type": "string", "length": 120}]})
    org.control("POST", f"objects/{NOTE}/before-save", {"field": "Shout__c", "action": "upperCase"})
    org.control("POST", f"objects/{NOTE}/flows", {"field": "Flow__c", "template": "Flow: {Name}"})
    refuse(org)


def refuse(org):
    """From now on the org refuses records whose text begins with `REFUSED`."""
    for name in RELATIONS:
        org.control("POST", f"objects/{name}/rules", {"field": "Text__c", "operator": "startsWith", "value": REFUSED, "message": "This text is refused."})


def allow(org):
    for name in RELATIONS:
        org.remove_rules(name)


def mappings():
    for name, relations in RELATIONS.items():
        fields = ["Name", KEY, "Text__c", "Number__c", "Seq__c", *relations, *(f"{lookup[:-1]}r__{KEY}" for lookup in relations)]
        yield mapping(name, fields, upsert_field=KEY, sf_polling_seconds=3600)
    yield mapping(NOTE, ["Name", "Text__c", "Number__c", "Shout__c", "Flow__c", "CreatedById"], sf_polling_seconds=3600)


class World:
    """A relay with a database and an org of their own, after the objects were loaded."""

    def __init__(self, cluster, folder):
        org = Organization(folder, sample=False).start()
        # A call that takes longer than 2 s is one whose answer is lost.
        self.relay = Relay(folder, cluster.database(), org, HC_WRITE_TIMEOUT="2")
        self.database = self.relay.database
        self.org = org
        self.runs = 0
        create_objects(self.org)
        self.relay.add_connection()
        self.relay.import_mapping(*mappings())
        self.relay.start_and_load()
        # The relay is woken every 10 ms, not every 10 s.
        self.database.execute("ALTER SEQUENCE public.hc_quiet_salesforce INCREMENT 1000")
        # The clock only ever moves on: after many runs a day has passed since any entry was processed.
        self.settings(failed_kept="10000 days", archive_kept="10000 days")

    def remove(self):
        self.relay.program.forget()
        self.org.program.forget()
        self.database.drop()

    def algorithm(self, name):
        self.merges = name == "merged"
        self.settings(write_algorithm=name)

    def settings(self, **settings):
        self.database.execute("UPDATE public.hc_connection SET settings = settings || %s::jsonb", json.dumps(settings))

    def begin(self):
        """Forgets the calls and the history of the runs before."""
        self.org.remove_faults()
        self.org.control("DELETE", "plan")
        self.org.forget_calls()
        self.org.control("DELETE", "invariants")
        self.runs += 1

    def end(self):
        """Gives up what the run left unfinished, as a person would."""
        self.org.remove_faults()
        self.org.control("DELETE", "plan")
        for entry in self.database.execute("SELECT e.batch, e.log_id FROM public.hc_batch_entry e JOIN public.hc_batch b ON b.id = e.batch "
                                           "WHERE b.state = 'PARKED' AND e.outcome IS NULL"):
            self.database.execute("SELECT public.hc_doubt_decide(%s, %s, 'drop')", entry["batch"], entry["log_id"])
        self.database.execute("UPDATE salesforce._trigger_log SET state = 'IGNORE' WHERE state IN ('NEW', 'FAILED')")
        self.settle()
        self.database.execute("DELETE FROM salesforce._trigger_log WHERE state IN ('IGNORE', 'IGNORED', 'FAILED')")

    # Time

    def advance(self, seconds):
        """Moves the clocks of org and connection."""
        seconds = int(seconds) + 1
        self.relay.pause()   # a login between the two would take the difference for that of the machines' clocks
        self.org.advance_clock(seconds)
        self.relay.advance_clock(f"{seconds} seconds")
        self.relay.resume()

    def look(self):
        return self.database.value(LOOK)

    def settle(self, timeout=60):
        """Waits until the relay can do nothing more: what is left is FAILED, waits for what is FAILED, or is parked."""
        deadline = time.monotonic() + timeout
        before, since, woken = None, time.monotonic(), 0.0
        pause = 0.005
        while True:
            seen = self.look()
            if is_settled(seen, self.merges):
                return
            now = time.monotonic()
            due = seen.pop("due")
            if seen != before:
                before, since, pause = seen, now, 0.005
            assert self.relay.program.running, "the relay has stopped"
            assert now < deadline, "\n".join([f"not settled after {timeout} s:", *map(str, seen.pop("entries")), str(seen)])
            under_way = any(state in ("CLAIMED", "SENT") for _, state, _ in seen["batches"])
            if is_parked(seen) and now - since > 0.6:
                return
            if due is not None and not under_way and now - since > 0.03:
                self.advance(due)
                since = now
            elif now - woken > 0.5 and now - since > 0.1:
                self.relay.wake()
                woken = now
            time.sleep(pause)
            pause = min(pause * 1.3, 0.05)

    # What was captured, and what became of it

    def last_id(self):
        return self.database.value("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM salesforce._trigger_log_id_seq")

    def captured(self, above):
        """Entries with ids above the given one, in order, in words of the model."""
        return self.database.execute("""
            SELECT id, action, table_name, record_id, state, hstore_to_json("values"::hstore) AS "values", hstore_to_json(old::hstore) AS old FROM (
                SELECT * FROM salesforce._trigger_log UNION ALL SELECT * FROM salesforce._trigger_log_archive) l WHERE id > %s ORDER BY id""", above)

    def states(self, above):
        """What became of the entries: id -> (state, message)."""
        return {row["id"]: (row["state"], row["sf_message"]) for row in self.database.execute("""
            SELECT id, state, sf_message FROM salesforce._trigger_log WHERE id > %(above)s
            UNION ALL SELECT id, state, sf_message FROM salesforce._trigger_log_archive WHERE id > %(above)s""".replace("%(above)s", str(int(above))))}


def is_settled(seen, merges=False):
    """Nothing is under way, and every change that is not sent waits, in the end, for an INSERT that failed.

    Merged writes send such an INSERT again with the next change of its row, if that is still there.
    """
    if seen["reads"] or seen["batches"] or seen["due"] is not None or any(e["state"] in ("PENDING", "REQUEUE") for e in seen["entries"]):
        return False
    held = [e for e in seen["entries"] if e["state"] == "FAILED" and e["action"] == "INSERT"]
    waiting = [e for e in seen["entries"] if e["state"] == "NEW"]
    if merges:
        held = [e for e in held if e["row_is_gone"] or not any((e["table_name"], e["record_id"]) == (other["table_name"], other["record_id"]) for other in waiting)]
    while waiting:
        found = [e for e in waiting if any(waits_for(e, other) for other in held)]
        if not found:
            return False
        held += found
        waiting = [e for e in waiting if e not in found]
    return True


def waits_for(entry, other):
    """Whether an entry cannot go before the other one: of its row, of a parent to come, or of a child of the record that it deletes."""
    if (entry["table_name"], entry["record_id"]) == (other["table_name"], other["record_id"]):
        return entry["id"] > other["id"]
    if entry["action"] == "DELETE":
        return other["id"] < entry["id"] and (entry["table_name"], entry["old"].get(KEY.lower())) in named(other)
    return (other["action"] == "INSERT" and not (other["state"] == "FAILED" and other["row_is_gone"])
            and (other["table_name"], other["values"].get(KEY.lower())) in named(entry))


def named(entry):
    """(table, key) of the parents that an entry names, or leaves."""
    object_name = next((name for name in RELATIONS if table(name) == entry["table_name"]), None)
    found = set()
    for lookup, parent in RELATIONS.get(object_name, {}).items():
        name = column(object_name, lookup)
        if entry["action"] == "DELETE" or name in entry["values"]:
            found |= {(table(parent), values[name]) for values in (entry["values"], entry["old"]) if values and values.get(name) is not None}
    return found


def is_parked(seen):
    """All that is left of the batches needs a person."""
    return not seen["reads"] and seen["batches"] and all(state == "PARKED" for _, state, _ in seen["batches"])
