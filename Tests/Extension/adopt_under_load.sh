#!/bin/sh
# A schema of Heroku Connect is taken over and put back, again and again, while applications write: every row that was written has
# exactly one entry, and no writer fails. usage: adopt_under_load.sh <bindir>; PGHOST and PGPORT set.
set -eu
bin=$1
here=$(cd "$(dirname "$0")" && pwd)
sql() { "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sql -d postgres -c 'DROP DATABASE IF EXISTS hc_load' -c 'CREATE DATABASE hc_load' 2>/dev/null
sql -d hc_load -c 'CREATE EXTENSION hstore' -v schema=salesforce -f "$here/adopt/heroku.sql" -f "$here/adopt/canonical.sql" \
    -c 'TRUNCATE salesforce._trigger_log' -c 'CREATE EXTENSION hc_sync' >/dev/null
echo "INSERT INTO salesforce.account (name) VALUES ('load'); UPDATE salesforce.contact SET email = random()::text;" >"$work/write"
"$bin/pgbench" -n -d hc_load -c 4 -j 1 -T 4 -f "$work/write" >"$work/pgbench" 2>&1 &
load=$!
rounds=0
while kill -0 $load 2>/dev/null; do
    sql -d hc_load -c "SELECT FROM hc_adopt('salesforce')" >/dev/null
    connection=$(sql -d hc_load -c 'SELECT id FROM hc_connection')
    sql -d hc_load -c "CALL hc_adopt_triggers('$connection')" -c "CALL hc_adopt_undo('salesforce')" 2>/dev/null
    rounds=$((rounds + 1))
done
wait $load
counts=$(sql -d hc_load -c "SELECT count(*) FILTER (WHERE name = 'load') = (SELECT count(*) FROM salesforce._trigger_log WHERE action = 'INSERT')
    AND count(*) FILTER (WHERE name = 'load') = (SELECT count(*) FROM salesforce._trigger_log WHERE action = 'UPDATE')
    AND count(*) > 100 FROM salesforce.account")
[ "$counts" = t ] || { echo "adopt under load: rows and entries differ" >&2; exit 1; }
! grep -q 'failed: [1-9]\|ERROR' "$work/pgbench" || { cat "$work/pgbench" >&2; exit 1; }
[ "$rounds" -gt 1 ] || { echo "adopt under load: only $rounds rounds" >&2; exit 1; }
echo "adopt under load: ok, $rounds times there and back"
sql -d postgres -c 'DROP DATABASE hc_load'
