"""Taking over a schema of Heroku Connect: 100 mappings, whatever their rows, in at most 10 s; indexes aside, no table is read through."""

import os
import subprocess
import time

from harness import ROOT

MAPPINGS = 100

# Filled before it has triggers, as a restore is; every table with the three indexes that Heroku Connect makes.
MAKE = """
DO $$
DECLARE
    t text;
BEGIN
    FOR n IN 1 .. {mappings} LOOP
        t := format('object_%s__c', n);
        EXECUTE format('CREATE UNLOGGED TABLE salesforce.%1$I (name character varying(80), isdeleted boolean, systemmodstamp timestamp without time zone,
            sfid character varying(18) COLLATE pg_catalog.ucs_basic, id serial, _hc_lastop character varying(32), _hc_err text)', t);
        EXECUTE format('INSERT INTO salesforce.%I (name, isdeleted, systemmodstamp, sfid, _hc_lastop)
            SELECT ''n'' || g, false, (now() AT TIME ZONE ''UTC'') - make_interval(secs => g), ''a00'' || lpad(g::text, 15, ''0''), ''SYNCED''
              FROM generate_series(1, {rows}) g', t);
        EXECUTE format('ALTER TABLE salesforce.%I ADD CONSTRAINT %I PRIMARY KEY (id)', t, t || '_pkey');
        EXECUTE format('CREATE UNIQUE INDEX %I ON salesforce.%I (sfid)', 'hcu_idx_' || t || '_sfid', t);
        EXECUTE format('CREATE INDEX %I ON salesforce.%I (systemmodstamp)', 'hc_idx_' || t || '_systemmodstamp', t);
        PERFORM heroku.triggers('salesforce', t::name, CASE WHEN n % 2 = 0 THEN 'read_only' ELSE 'read_write' END);
    END LOOP;
END $$;
INSERT INTO salesforce._trigger_log (state, action, table_name, record_id, "values")
    SELECT 'NEW', 'UPDATE', format('object_%s__c', 1 + 2 * (g % 50)), g, '"name"=>"x"' FROM generate_series(1, 1000) g;
"""


def tables_read(database):
    """How often mapped tables were read through, by this session and those that ended."""
    database.execute("SELECT pg_stat_force_next_flush()")
    return database.value("SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE relname LIKE 'object%'")


def run(cluster, folder, report):
    rows = (100_000 if os.environ.get("FULL") == "1" else 1_000)
    database = cluster.database()
    try:
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.url, "-f", ROOT / "Tests/Extension/adopt/heroku.sql",
                        "-c", "SELECT heroku.log('salesforce')"], check=True, stdout=subprocess.DEVNULL)
        database.execute(MAKE.format(mappings=MAPPINGS, rows=rows))
        database.execute("VACUUM ANALYZE")
        before = tables_read(database)
        database.disconnect()   # a new session has no cached plans
        begun = time.monotonic()
        steps = database.execute("SELECT step FROM hc_adopt('salesforce')")
        taken = time.monotonic() - begun
        assert tables_read(database) == before, "a mapped table was read through"
        connection = database.value("SELECT id::text FROM hc_connection")
        begun = time.monotonic()
        database.execute(f"CALL hc_adopt_triggers('{connection}')")
        exchanged = time.monotonic() - begun
        assert sum(step["step"] == "mapping" for step in steps) == MAPPINGS
        report.figure(f"adopt {MAPPINGS} mappings with {MAPPINGS * rows:,} rows", taken, 10, " s")
        report.note(f"their triggers exchanged one by one in {exchanged:.2f} s")
    finally:
        database.drop()
