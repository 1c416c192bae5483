#!/bin/sh
# The portable bundle is applied whole or refused with the reason; a database goes from it to the extension and back under load, and
# has then what a new one has; one that Heroku Connect made gets the extension the same way.
# usage: portable.sh <bindir>; PGHOST and PGPORT set, the extension installed.
set -eu
bin=$1
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$here/../../extension/hc_sync.control")
bundle=$here/../../sql/portable/hc_sync--$version.sql
make -s -C "$here/../../sql"
work=$(mktemp -d)
load=
trap '[ -z "$load" ] || kill $load 2>/dev/null; rm -rf "$work"' EXIT
sql() { "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
fail() { echo "portable bundle: $*" >&2; exit 1; }
expect() { [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"; }
make_database() { # DATABASE OWNER
    sql -d postgres -c "SET client_min_messages = error" -c "DROP DATABASE IF EXISTS $1"
    sql -d postgres -c "CREATE DATABASE $1 OWNER $2"
}
apply() { sql -U hc_dba --single-transaction -f "$bundle" "$@"; }

# refused REASON COMMAND ...: the command fails, says why, and leaves no trace.
refused() {
    reason=$1
    shift
    before=$(traces)
    ! "$@" >"$work/refused" 2>&1 || fail "was not refused: $reason"
    grep -q "ERROR:  $reason" "$work/refused" || { cat "$work/refused" >&2; fail "expected: $reason"; }
    [ "$(grep -c ERROR "$work/refused")" = 1 ] || { cat "$work/refused" >&2; fail "went on after: $reason"; }
    expect "after: $reason" "$before" "$(traces)"
}
traces() { sql -d hc_portable -U postgres -c "SELECT count(*), max(oid) FROM (SELECT oid FROM pg_class UNION ALL SELECT oid FROM pg_proc UNION ALL SELECT oid FROM pg_extension) all_of_them"; }

sql -d postgres -c "SET client_min_messages = error" -c "DROP DATABASE IF EXISTS hc_portable" -c "DROP DATABASE IF EXISTS hc_extension" \
    -c "DROP ROLE IF EXISTS hc_dba" -c "DROP ROLE IF EXISTS hc_stranger"
sql -d postgres -c "CREATE ROLE hc_dba LOGIN" -c "CREATE ROLE hc_stranger LOGIN"

make_database hc_portable hc_dba
refused "this file is applied whole or not at all, in one transaction" sql -U hc_dba -d hc_portable -f "$bundle"
refused "this file is applied whole or not at all, in one transaction" "$bin/psql" -X -q -U hc_dba -d hc_portable -f "$bundle"
sql -d hc_portable -U postgres -c 'REVOKE CREATE ON SCHEMA public FROM PUBLIC' # as it is from PostgreSQL 15 on
refused 'role "hc_stranger" may not create objects in schema public' sql -U hc_stranger -d hc_portable --single-transaction -f "$bundle"
# A role that owns nothing needs CREATE on the database, for schemas and hstore, and on schema public. hstore may be anywhere.
sql -d hc_portable -U postgres -c 'GRANT CREATE ON DATABASE hc_portable TO hc_stranger' -c 'GRANT CREATE ON SCHEMA public TO hc_stranger' \
    -c 'CREATE SCHEMA elsewhere' -c 'GRANT USAGE ON SCHEMA elsewhere TO PUBLIC' -c 'CREATE EXTENSION hstore SCHEMA elsewhere'
sql -U hc_stranger -d hc_portable --single-transaction -f "$bundle"
sql -U hc_stranger -d hc_portable -c "SELECT public.hc_connection_create('salesforce')" >/dev/null
expect "applied by a role with CREATE only" "$version|elsewhere" "$(sql -U hc_stranger -d hc_portable -c 'SELECT public.hc_version(), public.hc_hstore_schema()')"
refused "the portable bundle is installed in this database already, in version $version" sql -U hc_stranger -d hc_portable --single-transaction -f "$bundle"
refused "this file upgrades version 0.9 of the portable bundle, and version $version is installed" \
    sql -U hc_stranger -d hc_portable --single-transaction -f "$here/../../sql/portable/hc_sync--0.9--$version.sql"

# It is no owner of the database, and administers after the extension took the catalog over as before.
sql -U postgres -d hc_portable -c "CREATE EXTENSION hc_sync VERSION 'portable'" -c 'ALTER EXTENSION hc_sync UPDATE'
sql -U hc_stranger -d hc_portable -c "SELECT public.hc_connection_create('second')" >/dev/null
expect "after the extension took over" "2" "$(sql -U hc_stranger -d hc_portable -c 'SELECT count(*) FROM public.hc_connection')"

make_database hc_portable hc_dba
sql -U hc_dba -d hc_portable --single-transaction -f "$here/../../sql/portable/hc_sync--0.9.sql"
sql -U postgres -d hc_portable -c "CREATE EXTENSION hc_sync VERSION 'portable'"
refused "the portable bundle in this database has version 0.9, the extension has $version" sql -U postgres -d hc_portable -c 'ALTER EXTENSION hc_sync UPDATE'

make_database hc_portable hc_dba
refused "the portable bundle is not installed in this database" \
    sql -U hc_dba -d hc_portable --single-transaction -f "$here/../../sql/portable/hc_sync--0.9--$version.sql"
apply -d hc_portable
refused "the portable bundle is installed in this database" sql -d hc_portable -c 'CREATE EXTENSION hc_sync'
make_database hc_extension hc_dba
sql -d hc_extension -c 'SET client_min_messages = error' -c 'CREATE EXTENSION hc_sync CASCADE'
refused "the extension hc_sync is installed in this database" apply -d hc_extension
echo "portable bundle, refusals: ok"

# Writers insert, update and delete all the while; a row that is there has an INSERT in the log, and each change has its entry.
for database in hc_portable hc_extension; do
    sql -d $database -U hc_dba >/dev/null <<'SQL'
SELECT hc_mapping_create(hc_connection_create('salesforce'), 'Account',
    '{"access": "read_write", "fields": {"Name": {}}}', '{"name": "Account", "fields": [{"name": "Id", "type": "id", "length": 18},
      {"name": "SystemModstamp", "type": "datetime"}, {"name": "Name", "type": "string", "length": 255}]}');
CREATE TABLE public.written (id bigint, changes int);
SQL
done
cat >"$work/writer" <<'SQL'
BEGIN;
INSERT INTO salesforce.account (name) VALUES ('written') RETURNING id \gset
UPDATE salesforce.account SET name = 'changed' WHERE id = :id;
DELETE FROM salesforce.account WHERE id = :id AND id % 3 = 0;
INSERT INTO public.written VALUES (:id, CASE WHEN :id % 3 = 0 THEN 3 ELSE 2 END);
COMMIT;
SQL
"$bin/pgbench" -n -d hc_portable -U hc_dba -c 3 -j 1 -T 300 -f "$work/writer" >"$work/pgbench" 2>&1 &
load=$!
capturing_in_c="SELECT count(*) FROM pg_trigger WHERE tgname ~ '^(hc_account|tlog)_' AND tgfoid = ANY (ARRAY[to_regprocedure('hc_capture()'), to_regprocedure('hc_status()'), to_regprocedure('hc_announce()')])"
written() { sql -d hc_portable -c 'SELECT count(*) FROM public.written'; }
wait_for_writers() { # until each of them has written through what is there now
    start=$(written)
    tries=600
    while [ "$(written)" -lt $((start + 30)) ]; do
        tries=$((tries - 1))
        [ $tries != 0 ] && kill -0 $load 2>/dev/null || { cat "$work/pgbench" >&2; fail "the writers stopped"; }
        sleep 0.05
    done
}
become_c() {
    sql -d hc_portable -U postgres -c "CREATE EXTENSION hc_sync VERSION 'portable'" -c 'ALTER EXTENSION hc_sync UPDATE'
    wait_for_writers
    printf '%s\n' 'SELECT id AS c FROM hc_connection \gset' "CALL hc_capture_mode(:'c', 'c');" | sql -d hc_portable -U hc_dba
    expect "triggers in C" 3 "$(sql -d hc_portable -c "$capturing_in_c")"
    wait_for_writers
}
become_portable() {
    # The owner of the database can do the first half, and is told the rest.
    sql -d hc_portable -U hc_dba -c 'CALL hc_uninstall()' 2>"$work/notice"
    grep -q 'As a superuser: CALL public.hc_uninstall(); DROP EXTENSION hc_sync;' "$work/notice" || fail "$(cat "$work/notice")"
    expect "triggers in C" 0 "$(sql -d hc_portable -c "$capturing_in_c")"
    wait_for_writers
    sql -d hc_portable -U postgres -c 'SET client_min_messages = warning' -c 'CALL hc_uninstall()' -c 'DROP EXTENSION hc_sync'
    wait_for_writers
}
surface() { sql -d "$1" -U postgres -f "$here/surface.sql" | grep -v '^public.written'; }
same() { # WHAT FRESH OTHER
    surface "$2" >"$work/fresh"
    surface "$3" >"$work/other"
    diff -U 0 "$work/fresh" "$work/other" | grep -v '^@@' >"$work/diff" || true
    [ ! -s "$work/diff" ] || { head -n 40 "$work/diff" >&2; fail "$1: - made new, + converted"; }
}

surface hc_portable >"$work/portable"
become_c
same "as an extension" hc_extension hc_portable
become_portable
surface hc_portable | diff -U 0 "$work/portable" - || fail "back from the extension: - before, + after"
become_c
kill $load
{ wait $load; } 2>/dev/null || true
load=
! grep -q 'ERROR' "$work/pgbench" || { cat "$work/pgbench" >&2; fail "a writer failed"; }
expect "entries against changes" "t|t" "$(sql -d hc_portable -c "SELECT sum(changes) = (SELECT count(*) FROM salesforce._trigger_log),
    count(*) = (SELECT count(DISTINCT record_id) FROM salesforce._trigger_log) FROM public.written")"
echo "portable bundle, to the extension and back under load: ok, $(written) transactions"

# What Heroku Connect leaves: the guard, the log, a mapped table with its functions and triggers, nothing of ours.
make_database hc_portable hc_dba
sql -d hc_portable -U hc_dba <<'SQL'
CREATE EXTENSION hstore;
CREATE FUNCTION public.get_xmlbinary() RETURNS character varying LANGUAGE plpgsql AS $$
DECLARE xmlbin varchar; BEGIN select into xmlbin setting from pg_settings where name='xmlbinary'; RETURN xmlbin; END $$;
CREATE SCHEMA salesforce;
CREATE TABLE salesforce.account (id serial PRIMARY KEY, sfid varchar(18), name varchar(255), _hc_lastop varchar(32), _hc_err text);
CREATE FUNCTION salesforce.hc_account_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF public.get_xmlbinary() = 'base64' THEN NEW._hc_lastop = 'PENDING'; END IF; RETURN NEW; END $$;
CREATE TRIGGER hc_account_status_trigger BEFORE INSERT OR UPDATE ON salesforce.account FOR EACH ROW EXECUTE FUNCTION salesforce.hc_account_status();
SQL
guard=$(sql -d hc_portable -c "SELECT oid, xmin, prosrc FROM pg_proc WHERE proname = 'get_xmlbinary'")
sql -d hc_portable -U postgres -c "CREATE EXTENSION hc_sync VERSION 'portable'" -c 'ALTER EXTENSION hc_sync UPDATE'
expect "the guard of Heroku Connect" "$guard" "$(sql -d hc_portable -c "SELECT oid, xmin, prosrc FROM pg_proc WHERE proname = 'get_xmlbinary'")"
sql -d hc_portable -U hc_dba -c "INSERT INTO salesforce.account (name) VALUES ('a')"
expect "its trigger" PENDING "$(sql -d hc_portable -U hc_dba -c 'SELECT _hc_lastop FROM salesforce.account')"
sql -d hc_portable -U hc_dba -c "SELECT hc_connection_create('second')" >/dev/null
surface hc_portable | grep -v '^second\.\|^salesforce\.\|^public\.hc_quiet_second' >"$work/adopted"
make_database hc_extension hc_dba
sql -d hc_extension -c 'SET client_min_messages = error' -c 'CREATE EXTENSION hc_sync CASCADE'
surface hc_extension | diff -U 0 - "$work/adopted" | grep '^[-+][^-+]' | grep -v 'get_xmlbinary' >"$work/diff" || true
[ ! -s "$work/diff" ] || { head -n 40 "$work/diff" >&2; fail "in a database of Heroku Connect: - made new, + taken over"; }
# A plain CREATE EXTENSION does it too, where nothing of ours is there.
sql -d hc_portable -U postgres -c 'SET client_min_messages = error' -c 'DROP EXTENSION hc_sync CASCADE' -c 'CREATE EXTENSION hc_sync'
expect "the guard again" "$guard" "$(sql -d hc_portable -c "SELECT oid, xmin, prosrc FROM pg_proc WHERE proname = 'get_xmlbinary'")"
echo "portable bundle, database of Heroku Connect: ok"
sql -d postgres -c 'DROP DATABASE hc_portable' -c 'DROP DATABASE hc_extension' -c 'DROP ROLE hc_dba' -c 'DROP ROLE hc_stranger'
