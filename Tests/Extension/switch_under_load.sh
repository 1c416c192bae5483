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
# Only when the other session listens, or the one notification of the interval could come before it does.
mkfifo "$work/listening"
(read -r _ <"$work/listening"; exec "$bin/pgbench" -n -d hc_load -c 4 -j 1 -T 4 -f "$work/insert") >"$work/pgbench" 2>&1 &
load=$!
{
    echo 'LISTEN "salesforce.hc_trigger_log";'
    echo "\\! echo now >'$work/listening'"
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

# A transaction that stays open keeps the switch waiting at the log, and no other writer.
mkfifo "$work/open"
sql -d hc_load <"$work/open" >/dev/null &
exec 3>"$work/open"
echo "BEGIN; LOCK TABLE salesforce._trigger_log IN ROW EXCLUSIVE MODE; SELECT 'open';" >&3
in_log() { sql -d hc_load -c "SELECT count(*) FROM pg_locks WHERE relation = 'salesforce._trigger_log'::regclass AND $1"; }
wait_for() { tries=600; while [ "$($1 "$2")" = 0 ]; do tries=$((tries - 1)); [ $tries != 0 ] || { echo "switch under load: waited for $2" >&2; exit 1; }; sleep 0.05; done; }
wait_for in_log "mode = 'RowExclusiveLock'"
echo "SELECT id AS c FROM hc_connection \\gset
CALL hc_capture_mode(:'c', 'portable');" >"$work/portable"
sql -d hc_load -f "$work/portable" &
switch=$!
wait_for in_log "NOT granted"
sql -d hc_load -c "SET statement_timeout = '30s'" -c "INSERT INTO salesforce.account (name) VALUES ('meanwhile')" ||
    { echo "switch under load: a writer waited behind the switch" >&2; exit 1; }
[ "$(in_log "mode = 'RowExclusiveLock' AND granted")" = 1 ] || { echo "switch under load: the open transaction ended" >&2; exit 1; }
echo "COMMIT;" >&3
exec 3>&-
wait $switch
echo "switch under load: ok, $(sql -d hc_load -c 'SELECT count(*) FROM salesforce.account') rows"
sql -d postgres -c 'DROP DATABASE hc_load'
