#!/bin/sh
# Runs the regression and isolation tests in a private cluster, once with the extension and once with the portable bundle alone, and
# then a dump and restore, switches under load, replicas and the upgrades. Needs the right to install the extension; started by root, the
# cluster runs as postgres.
# usage: extension/run-tests.sh [STAGE ...], a stage being c, portable, or a script of Tests/Extension without its .sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
: "${PG_CONFIG:=pg_config}"
bin=$("$PG_CONFIG" --bindir)
stages=${*:-c portable dump_restore switch_under_load adopt_under_load replication upgrade portable_bundle}

[ "$stages" = portable ] || make -s -C "$here" install PG_CONFIG="$PG_CONFIG" >/dev/null
make -s -C "$here/../sql"
version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$here/hc_sync.control")
portable=$here/../sql/portable/hc_sync--$version.sql

home=$(mktemp -d /tmp/hc_sync.XXXXXX)
as_owner() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    chown postgres "$home"
    as_owner() { (cd / && runuser -u postgres -- "$@"); }
fi
stop() {
    as_owner "$bin/pg_ctl" -D "$home/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$home"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

PGHOST=$home PGPORT=54317 PGUSER=postgres
export PGHOST PGPORT PGUSER
as_owner "$bin/initdb" -D "$home/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
as_owner "$bin/pg_ctl" -D "$home/data" -l "$home/log" -w start >/dev/null -o \
    "-c listen_addresses='' -c unix_socket_directories=$home -c port=$PGPORT -c fsync=off -c autovacuum=off -c max_prepared_transactions=4 -c wal_level=logical"

sql() { "$bin/psql" -X -q -v ON_ERROR_STOP=1 "$@"; }
sql -d postgres -c 'CREATE ROLE regress_dba LOGIN CREATEROLE' -c 'GRANT SET ON PARAMETER session_replication_role TO regress_dba'

# The regression and isolation files. Those of the portable mode run as the owner of the database, who is no superuser and applied
# the bundle.
files() {
    mode=$1
    echo "== capture: $mode"
    for database in contrib_regression isolation_regression; do
        case $mode in
            c)
                user=postgres
                sql -d postgres -c "CREATE DATABASE $database"
                ;;
            portable)
                user=regress_dba
                sql -d postgres -c "CREATE DATABASE $database OWNER $user"
                sql -d $database -U $user --single-transaction -f "$portable"
                ;;
        esac
    done
    [ "$mode" = portable ] || sql -d isolation_regression -c 'SET client_min_messages = error' -c 'CREATE EXTENSION hc_sync CASCADE'
    sql -d isolation_regression -U "$user" -f "$here/../Tests/Extension/sql/protocol_tools.sql"
    if ! PGUSER=$user PGOPTIONS="-c regress.capture=$mode" make -s -C "$here" installcheck PG_CONFIG="$PG_CONFIG" MODE="$mode"; then
        for differences in "$here/../.build/regress/$mode/regression.diffs" "$here/../.build/regress/$mode/isolation/regression.diffs"; do
            [ ! -s "$differences" ] || head -n 200 "$differences"
        done
        exit 1
    fi
    sql -d postgres -c 'DROP DATABASE contrib_regression' -c 'DROP DATABASE isolation_regression'
}

for stage in $stages; do
    case $stage in
        c | portable) files "$stage" ;;
        *) "$here/../Tests/Extension/$stage.sh" "$bin" ;;
    esac
done
