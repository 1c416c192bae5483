#!/bin/sh
# pg_dump carries mapped tables, log, catalog and capture to another database. usage: dump_restore.sh <bindir>; PGHOST and PGPORT set.
set -eu
bin=$1
sql() { "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
expect() { [ "$2" = "$3" ] || { echo "dump and restore: $1: expected '$2', got '$3'" >&2; exit 1; }; }

sql -d postgres -c 'DROP DATABASE IF EXISTS hc_dump_from' -c 'DROP DATABASE IF EXISTS hc_dump_to' \
    -c 'CREATE DATABASE hc_dump_from' -c 'CREATE DATABASE hc_dump_to' 2>/dev/null
sql -d hc_dump_from >/dev/null 2>&1 <<'SQL'
CREATE EXTENSION hc_sync CASCADE;
SELECT hc_mapping_create(hc_connection_create('salesforce', '00D000000000001EAA', '61.0'), 'Account',
    '{"access": "read_write", "fields": {"Name": {}}}', '{"name": "Account", "fields": [{"name": "Id", "type": "id", "length": 18},
      {"name": "SystemModstamp", "type": "datetime"}, {"name": "Name", "type": "string", "length": 255}]}');
INSERT INTO salesforce.account (name) VALUES ('a'), ('b');
SELECT hc_raise(NULL, NULL, 'test', 'error', 'dumped');
INSERT INTO salesforce._trigger_log_archive (id, state) VALUES (900, 'SUCCESS');
SQL
"$bin/pg_dump" -d hc_dump_from -Fc -f "$work/dump"
"$bin/pg_restore" -d hc_dump_to --exit-on-error "$work/dump"

counts="SELECT (SELECT count(*) FROM salesforce.account), (SELECT count(*) FROM salesforce._trigger_log),
               (SELECT count(*) FROM salesforce._trigger_log_archive), (SELECT count(*) FROM hc_connection),
               (SELECT count(*) FROM hc_mapping), (SELECT count(*) FROM hc_field), (SELECT count(*) FROM hc_event),
               (SELECT count(*) FROM hc_notification)"
expect "rows" "2|2|1|1|1|3|1|1" "$(sql -d hc_dump_to -c "$counts")"
# Capture works there, and sequences go on where they were.
sql -d hc_dump_to -c "INSERT INTO salesforce.account (name) VALUES ('c')"
expect "new entry" "3|NEW|INSERT|3" "$(sql -d hc_dump_to -c 'SELECT id, state, action, record_id FROM salesforce._trigger_log ORDER BY id DESC LIMIT 1')"
sql -d hc_dump_to -c "SELECT hc_raise(NULL, NULL, 'other', 'error', 'after')" >/dev/null
expect "next notification" "2" "$(sql -d hc_dump_to -c 'SELECT max(id) FROM hc_notification')"
expect "owner of the default" "nextval('salesforce.account_id_seq'::regclass)" \
    "$(sql -d hc_dump_to -c "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'salesforce.account'::regclass")"
# Both databases dump to the same definition of capture.
dump_triggers() { "$bin/pg_dump" -d "$1" -s -n salesforce | grep TRIGGER | sort; }
dump_triggers hc_dump_from >"$work/from"
dump_triggers hc_dump_to >"$work/to"
diff "$work/from" "$work/to"
grep -q 'CREATE TRIGGER hc_account_logtrigger AFTER INSERT OR DELETE OR UPDATE ON salesforce.account FOR EACH ROW WHEN' "$work/to"
sql -d postgres -c 'DROP DATABASE hc_dump_from' -c 'DROP DATABASE hc_dump_to'
echo "dump and restore: ok"
