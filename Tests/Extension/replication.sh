#!/bin/sh
# Copies of a database capture nothing that was captured where it was written: a logical subscriber with the same triggers, and a
# streaming standby, which captures once it is promoted. A log that a subscription fills is announced to nobody and claimed by nobody.
# usage: replication.sh <bindir>; PGHOST and PGPORT set, wal_level = logical, the extension installed.
set -eu
bin=$1
sql() { "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
fail() { echo "replication: $*" >&2; exit 1; }
expect() { [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"; }
as_owner() { "$@"; }
work=$(mktemp -d /tmp/hc_standby.XXXXXX)
if [ "$(id -u)" = 0 ]; then
    chown postgres "$work"
    as_owner() { (cd / && runuser -u postgres -- "$@"); }
fi
clean() {
    as_owner "$bin/pg_ctl" -D "$work/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean EXIT
until_true() { # WHAT DATABASE QUERY
    for _ in $(seq 600); do
        [ "$(sql -d "$2" -c "$3")" != t ] || return 0
        sleep 0.1
    done
    fail "waited a minute for $1"
}

for database in hc_there hc_here; do
    sql -d postgres -c 'SET client_min_messages = error' -c "DROP DATABASE IF EXISTS $database" -c "CREATE DATABASE $database"
    sql -d $database >/dev/null 2>&1 <<'SQL'
CREATE EXTENSION hc_sync CASCADE;
SELECT hc_mapping_create(c, 'Account', '{"access": "read_write", "fields": {"Name": {}}}', '{"name": "Account", "queryable": true, "fields": [{"name": "Id", "type": "id", "length": 18},
         {"name": "SystemModstamp", "type": "datetime"}, {"name": "Name", "type": "string", "length": 255, "createable": true, "updateable": true}]}'),
       hc_truncate(c, 'warn') FROM hc_connection_create('salesforce') AS c;
SQL
done
here=$(sql -d hc_here -c 'SELECT id FROM hc_connection')

subscribe() { # TABLES
    sql -d hc_there -c "CREATE PUBLICATION p FOR TABLE $1" -c "SELECT pg_create_logical_replication_slot('hc_here', 'pgoutput')" >/dev/null
    sql -d hc_here -c "CREATE SUBSCRIPTION s CONNECTION 'host=$PGHOST port=$PGPORT user=${PGUSER:-postgres} dbname=hc_there' PUBLICATION p
                       WITH (create_slot = false, slot_name = 'hc_here', copy_data = false)"
}
caught_up() {
    until_true "the subscriber" hc_there "SELECT confirmed_flush_lsn >= '$(sql -d hc_there -c 'SELECT pg_current_wal_lsn()')' FROM pg_replication_slots WHERE slot_name = 'hc_here'"
}
write_there() {
    sql -d hc_there >/dev/null 2>&1 <<'SQL'
INSERT INTO salesforce.account (name, sfid) VALUES ('a', '001xx000003DGb1AAG'), ('b', '001xx000003DGb2AAG'), ('c', NULL);
UPDATE salesforce.account SET name = upper(name) WHERE sfid IS NOT NULL;
DELETE FROM salesforce.account WHERE name = 'B';
SQL
}
rows="SELECT string_agg(name || ' ' || _hc_lastop, ', ' ORDER BY id) FROM salesforce.account"
log="SELECT string_agg(id || ' ' || state || ' ' || action || ' ' || record_id, ', ' ORDER BY id) FROM salesforce._trigger_log"
quiet='SELECT last_value FROM public.hc_quiet_salesforce'

# The mapped table alone: what arrives is not captured, what is written here is.
subscribe salesforce.account
write_there
caught_up
expect 'rows that arrived' 'A PENDING, c PENDING' "$(sql -d hc_here -c "$rows")"
expect 'entries of what arrived' '' "$(sql -d hc_here -c "$log")"
expect 'mark of what arrived' 1 "$(sql -d hc_here -c "$quiet")"
sql -d hc_here -c "INSERT INTO salesforce.account (id, name) VALUES (100, 'here')"
expect 'entries of what was written here' '1 NEW INSERT 100' "$(sql -d hc_here -c "$log")"
sql -d hc_here -c 'DELETE FROM salesforce._trigger_log' -c "ALTER SEQUENCE public.hc_quiet_salesforce RESTART 1"
sql -d hc_there -c 'TRUNCATE salesforce.account' 2>/dev/null
caught_up
expect 'rows after TRUNCATE there' 0 "$(sql -d hc_here -c 'SELECT count(*) FROM salesforce.account')"
expect 'generations after TRUNCATE there' made "$(sql -d hc_here -c "SELECT string_agg(reason, ' ' ORDER BY id) FROM hc_generation")"

# The log too: it is copied, with the publisher's ids, and nobody is told of it or may claim it.
sql -d hc_there -c 'ALTER PUBLICATION p ADD TABLE salesforce._trigger_log, salesforce._trigger_log_archive'
sql -d hc_here -c 'ALTER SUBSCRIPTION s REFRESH PUBLICATION WITH (copy_data = true)'
until_true "the log's first copy" hc_here "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"
write_there
caught_up
expect 'the log that arrived' "$(sql -d hc_there -c "$log")" "$(sql -d hc_here -c "$log")"
expect 'mark of the log that arrived' 1 "$(sql -d hc_here -c "$quiet")"
claim="SELECT hc_claim('$here', hc_lead('$here', 'test')) -> 'operation'"
expect 'claim of a copied log' '' "$(sql -d hc_here -c "$claim")"
expect 'claim of it once more' '' "$(sql -d hc_here -c "$claim")"
expect 'notification of it' "log-is-a-copy 1" "$(sql -d hc_here -c "SELECT event_type || ' ' || times FROM hc_notification")"
# Without the subscription it is a log as any other.
sql -d hc_here -c 'ALTER SUBSCRIPTION s DISABLE' -c 'ALTER SUBSCRIPTION s SET (slot_name = NONE)' -c 'DROP SUBSCRIPTION s'
expect 'claim after the subscription' '"create"' "$(sql -d hc_here -c "$claim")"
sql -d hc_there -c "SELECT pg_drop_replication_slot('hc_here')" >/dev/null

# A standby has everything and writes nothing; promoted it goes on, with new ids. Some packages of the server lack the program for it.
if [ ! -x "$bin/pg_basebackup" ]; then
    for database in hc_here hc_there; do sql -d postgres -c "DROP DATABASE $database"; done
    echo "replication: ok, without a standby: there is no $bin/pg_basebackup"
    exit 0
fi
as_owner "$bin/pg_basebackup" -h "$PGHOST" -p "$PGPORT" -U "${PGUSER:-postgres}" -D "$work/data" -c fast -R
as_owner "$bin/pg_ctl" -D "$work/data" -l "$work/log" -w start >/dev/null -o "-c listen_addresses='' -c unix_socket_directories=$work -c port=$PGPORT -c fsync=off -c max_prepared_transactions=10" ||
    { cat "$work/log" >&2; exit 1; }
expect 'log of the standby' "$(sql -d hc_there -c "$log")" "$(sql -h "$work" -d hc_there -c "$log")"
! sql -h "$work" -d hc_there -c "INSERT INTO salesforce.account (name) VALUES ('x')" 2>/dev/null || fail 'the standby took a write'
newest=$(sql -d hc_there -c 'SELECT max(id) FROM salesforce._trigger_log')
as_owner "$bin/pg_ctl" -D "$work/data" -w promote >/dev/null
sql -h "$work" -d hc_there -c "INSERT INTO salesforce.account (name) VALUES ('promoted')"
expect 'entries since the promotion' 'NEW INSERT promoted' "$(sql -h "$work" -d hc_there -c \
    "SELECT state || ' ' || action || ' ' || (\"values\"::hstore -> 'name') FROM salesforce._trigger_log WHERE id > $newest")"
for database in hc_here hc_there; do sql -d postgres -c "DROP DATABASE $database"; done
echo "replication: ok"
