"""A fresh schema against what pg_dump prints of one that Heroku Connect made: canonical/salesforce.sql, written from the reference.

DIFFERENCES are the deliberate ones. Each must apply somewhere, so that none outlives its reason.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest

from harness import ROOT
from support.application import ApplicationDatabase

CANONICAL = Path(__file__).parent / "canonical" / "salesforce.sql"

# Ways of capture it is for, what stands in the canonical statement, what we print, and why.
DIFFERENCES = [
    ("c", r"^(CREATE TRIGGER hc_\w+_logtrigger .*) EXECUTE FUNCTION salesforce\.hc_user_logger\(\);", r"\1 EXECUTE FUNCTION public.hc_capture('READONLY');",
     "capture in C is one function for all tables; a mapping that sends nothing says so in the trigger"),
    ("c", r"^(CREATE TRIGGER hc_\w+_logtrigger .*) EXECUTE FUNCTION salesforce\.hc_\w+_logger\(\);", r"\1 EXECUTE FUNCTION public.hc_capture('NEW');",
     "capture in C is one function for all tables"),
    ("c", r"^(CREATE TRIGGER hc_\w+_status_trigger .*) EXECUTE FUNCTION salesforce\.hc_\w+_status\(\);", r"\1 EXECUTE FUNCTION public.hc_status();",
     "so is the status trigger"),
    ("c", r"^(CREATE TRIGGER tlog_insert_trigger .*) EXECUTE FUNCTION salesforce\.tlog_notify_trigger\(\);", r"\1 EXECUTE FUNCTION public.hc_announce();",
     "one notification per interval, decided at commit"),
    ("c portable", r"^(CREATE FUNCTION salesforce\.hc_\w+_logger\(\) RETURNS trigger\n    LANGUAGE plpgsql)\n",
     r"\1 SECURITY DEFINER\n    SET search_path TO 'pg_catalog', 'pg_temp'\n",
     "who may write a mapped table needs no right on the log, and no search_path"),
    ("c portable", r"^(CREATE FUNCTION salesforce\.tlog_notify_trigger\(\) RETURNS trigger\n    LANGUAGE plpgsql)\n",
     r"\1 SECURITY DEFINER\n    SET search_path TO 'pg_catalog', 'pg_temp'\n", "the mark of the last notification belongs to the owner"),
]

# Statements that Heroku Connect's schema does not have, and why ours does.
ADDITIONS = [
    (r"^CREATE (TRIGGER hc_\w+_truncate_trigger|FUNCTION salesforce\.hc_truncate_trigger\(\)) ", "TRUNCATE is lost on Heroku; here it is refused or warned of"),
    (r"^GRANT USAGE ON SEQUENCE salesforce\.\w+_id_seq TO PUBLIC;$", "who may insert into a mapped table may take its id"),
    (r"^REVOKE ALL ON FUNCTION salesforce\.(hc_\w+_logger|tlog_notify_trigger|hc_truncate_trigger)\(\) FROM PUBLIC;$", "nobody else may make a trigger that writes the log"),
]


def describe(name, *fields):
    system = [("Id", "id", 18), ("SystemModstamp", "datetime", 0), *([("IsDeleted", "boolean", 0)] if name != "User" else [])]
    return {"name": name, "queryable": True, "fields": [
        {"name": field, "type": type, "length": length, "createable": True, "updateable": True, **(more[0] if more else {})}
        for field, type, length, *more in (*system, *fields)]}


def parent(object_name, relationship):
    return {"referenceTo": [object_name], "relationshipName": relationship}


KEY = {"externalId": True, "unique": True}
BOM = describe("i_m__Request_BOM__c", ("i_m__ExternalID__c", "string", 20, KEY))
MAPPINGS = [
    (describe("Account", ("AccountNumber", "string", 40), ("AnnualRevenue", "currency", 0), ("CreatedDate", "datetime", 0),
              ("Description", "textarea", 32000), ("ExternalId__c", "string", 36, KEY), ("Industry", "picklist", 255), ("Name", "string", 255),
              ("NumberOfEmployees", "int", 0), ("ParentId", "reference", 18, parent("Account", "Parent"))),
     {"access": "read_write", "upsert_field": "ExternalId__c", "indexes": {"ParentId": {"unique": False}},
      "fields": ["AccountNumber", "AnnualRevenue", "CreatedDate", "Description", "ExternalId__c", "Industry", "Name", "NumberOfEmployees", "ParentId"]}),
    (describe("Event_Participant__c", ("Event_Start_Date__c", "date", 0), ("Account__c", "reference", 18, parent("Account", "Account__r"))),
     {"access": "read_write", "fields": ["Event_Start_Date__c", "Account__r__ExternalId__c"]}),
    ({**describe("i_m__Request_Entity__c", ("i_m__To_Request_BOM__c", "reference", 18, parent("i_m__Request_BOM__c", "i_m__To_Request_BOM__r"))),
      "hc_sync": {"parents": {"i_m__Request_BOM__c": BOM}}},
     {"access": "read_write", "fields": ["i_m__To_Request_BOM__r__i_m__ExternalID__c"],
      "indexes": {"i_m__To_Request_BOM__r__i_m__ExternalID__c": {"unique": False}}}),
    (describe("i_m__Suggested_Rental_Entity__c", ("i_m__To_Suggested_Rental_Set__c", "reference", 18, parent("Account", "i_m__To_Suggested_Rental_Set__r"))),
     {"access": "read_write", "fields": ["i_m__To_Suggested_Rental_Set__c"], "indexes": {"i_m__To_Suggested_Rental_Set__c": {"unique": False}}}),
    (describe("User", ("Email", "email", 128)), {"access": "read_only", "fields": ["Email"]}),
]


@pytest.fixture(scope="module", params=["c", "portable"])
def mode(request):
    return request.param


@pytest.fixture(scope="module")
def fresh(cluster, mode):
    database = ApplicationDatabase.create(cluster)
    connection = database.connect_org(mode)
    for description, config in MAPPINGS:
        config = {**config, "fields": {field: {} for field in config["fields"]}}
        database.execute("SELECT hc_mapping_create(%s, %s, %s, %s)", connection, description["name"], json.dumps(config), json.dumps(description))
    yield database
    database.drop()


def pg_dump(database):
    """The objects of schema salesforce, each as pg_dump prints it, with <body> for the bodies of functions."""
    pg_config = subprocess.run([ROOT / "scripts" / "pg-config"], check=True, capture_output=True, text=True).stdout.strip()
    folder = subprocess.run([pg_config, "--bindir"], check=True, capture_output=True, text=True).stdout.strip()
    text = subprocess.run([f"{folder}/pg_dump", "--schema-only", "--no-owner", "--schema", "salesforce", database.url],
                          check=True, capture_output=True, text=True).stdout
    text = re.sub(r"^SET default_\w+ = .*\n|^--\n-- PostgreSQL database dump complete\n--\n|^\\unrestrict .*\n", "", text, flags=re.MULTILINE)
    objects = [re.sub(r"AS \$(\w*)\$.*\$\1\$;", "AS <body>;", part, flags=re.DOTALL).strip()
               for part in re.split(r"^--\n-- Name: .*\n--\n", text, flags=re.MULTILINE)[1:]]
    return [statement for part in objects for statement in (part.split("\n") if re.match("GRANT|REVOKE", part) else [part])]


def expected(mode):
    statements = [part.strip() for part in CANONICAL.read_text().split("\n\n") if not part.startswith("--")]
    for modes, pattern, ours, _ in DIFFERENCES:
        if mode in modes.split():
            changed = [re.sub(pattern, ours, statement) for statement in statements]
            assert changed != statements, f"this difference is none any more: {pattern}"
            statements = changed
    return statements


def test_every_statement_is_heroku_s_or_a_deliberate_difference(fresh, mode):
    ours = pg_dump(fresh)
    for pattern, _ in ADDITIONS:
        added = [statement for statement in ours if re.match(pattern, statement)]
        assert added, f"this addition is none any more: {pattern}"
        ours = [statement for statement in ours if statement not in added]
    wanted = expected(mode)
    missing = sorted(set(wanted) - set(ours))
    surplus = sorted(set(ours) - set(wanted))
    assert not missing and not surplus, "\n".join(["missing:", *missing, "surplus:", *surplus])
    assert len(ours) == len(wanted)


def test_every_function_carries_heroku_s_version(fresh):
    """Tools read the version from the comment in the body."""
    bodies = fresh.execute("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'salesforce'::regnamespace ORDER BY 1")
    versions = {row["proname"]: re.findall("-- VERSION ([0-9]+) --", row["prosrc"]) for row in bodies}
    loggers = {name for name in versions if name.endswith("_logger")}
    assert len(loggers) == len(MAPPINGS) and all(versions[name] == ["4"] for name in loggers)
    for name in ("tlog_notify_trigger", "hc_capture_insert_from_row", "hc_capture_update_from_row"):
        assert versions[name] == ["1"]


def test_the_guard_is_where_applications_call_it(fresh):
    guard = fresh.one("SELECT pg_get_function_result(oid) AS result, provolatile, prosecdef, proconfig, has_function_privilege('public', oid, 'EXECUTE') AS all "
                      "FROM pg_proc WHERE oid = 'public.get_xmlbinary()'::regprocedure")
    # Heroku Connect's is in PL/pgSQL and scans pg_settings; ours is in SQL, so that a trigger's condition costs nothing.
    assert guard == {"result": "character varying", "provolatile": "v", "prosecdef": False, "proconfig": None, "all": True}
    with fresh.connect() as connection:
        for value in ("hex", "base64"):
            connection.execute(f"SET LOCAL xmlbinary = {value}")
            assert connection.execute("SELECT public.get_xmlbinary()").fetchone() == {"get_xmlbinary": value}


def test_everything_belongs_to_the_owner_of_the_schema(fresh):
    owners = fresh.execute("""SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relnamespace = 'salesforce'::regnamespace
                              UNION SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'salesforce'::regnamespace
                              UNION SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'salesforce'""")
    assert [row["owner"] for row in owners] == ["application"]
