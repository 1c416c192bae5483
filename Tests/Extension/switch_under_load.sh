#!/bin/sh
# Capture is switched to and fro under load: every row that was written has exactly one entry, and the relay is woken at most once
# per interval. usage: switch_under_load.sh <bindir>; PGHOST and PGPORT set.
set -eu
bin=$1
sql() { "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sql -d postgres -c 'DROP DATABASE IF EXISTS hc_load' -c 'CREATE DATABASE hc_load' 2>/dev/null
sql -d hc_load >/dev/null 2>&1 <<'SQL'
CREATE EXTENSION hc_sync CASCADE;
SELECT hc_mapping_create(hc_connection_create('salesforce'), 'Account',
    '{"access": "read_write", "fields": {"Name": {}}}', '{"name": "Account", "fields": [{"name": "Id", "type": "id", "length": 18},
      {"name": "SystemModstamp", "type": "datetime"}, {"name": "Name", "type": "string", "length": 255}]}');
SQL
echo "INSERT INTO salesforce.account (name) VALUES ('load');" >"$work/insert"
"$bin/pgbench" -n -d hc_load -c 4 -j 1 -T 4 -f "$work/insert" >"$work/pgbench" 2>&1 &
load=$!
{
    echo 'LISTEN "salesforce.hc_trigger_log";'
    echo 'SELECT id AS c FROM hc_connection \gset'
    for mode in portable c portable c portable c; do echo "CALL hc_capture_mode(:'c', '$mode'); SELECT pg_sleep(0.5);"; done
} | sql -d hc_load >"$work/switch"
wait $load
counts=$(sql -d hc_load -c "SELECT count(*) = (SELECT count(*) FROM salesforce._trigger_log)
    AND count(*) = (SELECT count(DISTINCT record_id) FROM salesforce._trigger_log) AND count(*) > 100 FROM salesforce.account")
[ "$counts" = t ] || { echo "switch under load: rows and entries differ" >&2; exit 1; }
pings=$(grep -c 'hc_trigger_log' "$work/switch" || true)
[ "$pings" = 1 ] || { echo "switch under load: expected one notification within an interval, got $pings" >&2; exit 1; }
! grep -q 'failed: [1-9]\|ERROR' "$work/pgbench" || { cat "$work/pgbench" >&2; exit 1; }
echo "switch under load: ok, $(sql -d hc_load -c 'SELECT count(*) FROM salesforce.account') rows"
sql -d postgres -c 'DROP DATABASE hc_load'
