#!/bin/sh
# A database made by an older version and upgraded has what a new one has, and goes on where it was: rows, log, an open batch, a
# failed change. Walked for the extension and for the portable bundle, which a role applies that is no superuser.
# usage: upgrade.sh <bindir>; PGHOST and PGPORT set, the extension installed.
set -eu
bin=$1
here=$(cd "$(dirname "$0")" && pwd)
portable=$here/../../sql/portable
owner=hc_upgrade_owner
make -s -C "$here/../../sql"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sql() { "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
fail() { echo "$*" >&2; exit 1; }
expect() { [ "$2" = "$3" ] || fail "upgrade, $bundle: $1: expected '$2', got '$3'"; }
databases='hc_new hc_old'
drop() {
    for database in $databases; do sql -d postgres -c "SET client_min_messages = error" -c "DROP DATABASE IF EXISTS $database"; done
    sql -d postgres -c "SET client_min_messages = error" -c "DROP ROLE IF EXISTS $owner"
}

install() { # DATABASE VERSION
    case $bundle in
        extension) sql -d "$1" -U postgres -c "SET client_min_messages = error" -c "CREATE EXTENSION hc_sync VERSION '$2' CASCADE" ;;
        portable) sql -d "$1" -U $owner --single-transaction -f "$portable/hc_sync--$2.sql" ;;
    esac
}

map() { # DATABASE
    sql -d "$1" -U $owner >/dev/null <<'SQL'
CREATE FUNCTION public.described(object text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('name', object, 'queryable', true, 'replicateable', true, 'createable', true, 'fields',
        '[{"name": "Id", "type": "id", "length": 18}, {"name": "SystemModstamp", "type": "datetime"},
          {"name": "Ext__c", "type": "string", "length": 36, "externalId": true, "unique": true, "createable": true, "updateable": true},
          {"name": "Name", "type": "string", "length": 80, "createable": true, "updateable": true}]'::jsonb) $$;
SELECT public.hc_connection_create('salesforce', NULL, '62.0');
-- The collation that 0.9 gave to every sfid. An upgrade rewrites no mapped table, so a table keeps the one that it was made with.
UPDATE public.hc_connection SET settings = settings || '{"features": {"ucs_basic_collation_index": true}}';
SELECT public.hc_mapping_create(c.id, 'Account', '{"access": "read_write", "fields": {"Name": {}, "Ext__c": {}}, "upsert_field": "Ext__c"}',
                                public.described('Account')),
       public.hc_mapping_create(c.id, 'Contact', '{"fields": {"Name": {}}}', public.described('Contact')) FROM public.hc_connection c;
DROP FUNCTION public.described(text);
SQL
}

# One change that Salesforce refused, one in a batch that was sent and not answered, one that waits.
work_with() { # DATABASE
    sql -d "$1" -U $owner >/dev/null <<'SQL'
SELECT c.id AS c, public.hc_lead(c.id, 'old') AS e FROM public.hc_connection c \gset
SELECT public.hc_identify(:'c', :e, '00Dxx0000001gPLEAY', '005xx000001Sv6AAAS', clock_timestamp(), true);
UPDATE public.hc_mapping SET state = 'DATA_SYNCED', poll_cursor = now(), deleted_cursor = now(), poll_at = now() + interval '10 min';
INSERT INTO salesforce.account (name, ext__c) VALUES ('refused', 'x1');
SELECT public.hc_claim(:'c', :e) ->> 'batch' AS b \gset
SELECT public.hc_sent(:'c', :e, :b);
SELECT public.hc_answer(:'c', :e, :b, 'answered', '{"results": [{"id": null, "success": false, "errors": [{"code": "REQUIRED_FIELD_MISSING", "message": "because"}]}]}');
SELECT public.hc_apply(:'c', :e, :b);
INSERT INTO salesforce.account (name, ext__c) VALUES ('sent', 'x2');
SELECT public.hc_claim(:'c', :e) ->> 'batch' AS b \gset
SELECT public.hc_sent(:'c', :e, :b);
INSERT INTO salesforce.account (name, ext__c) VALUES ('waits', 'x3');
SELECT public.hc_raise(:'c', NULL, 'test', 'error', 'kept');
SQL
}

upgrade() { # DATABASE FROM
    case $bundle in
        extension) sql -d "$1" -U postgres -c 'ALTER EXTENSION hc_sync UPDATE' ;;
        portable) sql -d "$1" -U $owner --single-transaction -f "$portable/hc_sync--$2--$version.sql" ;;
    esac
    # Until then the older triggers go on.
    sql -d "$1" -U $owner -c "INSERT INTO salesforce.account (name, ext__c) VALUES ('between', 'x0')"
    sql -d "$1" -U $owner -c 'CALL public.hc_refresh()'
}

# Scripts of older versions stay as they were: whoever has one gets the way from it that was tested.
(cd "$here/../../sql" && sha256sum --check --quiet frozen.sha256) || fail "upgrade: a frozen script was changed (sql/frozen.sha256)"

version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$here/../../extension/hc_sync.control")
kept="SELECT (SELECT string_agg(state || ' ' || record_id, ', ' ORDER BY id) FROM salesforce._trigger_log),
             (SELECT string_agg(name || ' ' || _hc_lastop, ', ' ORDER BY id) FROM salesforce.account),
             (SELECT string_agg(state, ', ' ORDER BY id) FROM public.hc_batch), (SELECT count(*) FROM public.hc_notification)"
for bundle in extension portable; do
    for from in $(ls -d "$here"/../../sql/upgrade/*--"$version" | sed "s|.*/\(.*\)--$version|\1|"); do
        drop
        sql -d postgres -c "CREATE ROLE $owner LOGIN"
        for database in $databases; do sql -d postgres -c "CREATE DATABASE $database OWNER $owner"; done
        install hc_new "$version"
        map hc_new
        install hc_old "$from"
        map hc_old
        work_with hc_old
        before=$(sql -d hc_old -U $owner -c "$kept")
        upgrade hc_old "$from"
        expect "what was there, and one more" "$(echo "$before" | sed 's/NEW 3|/NEW 3, NEW 4|/; s/waits PENDING|/waits PENDING, between PENDING|/')" "$(sql -d hc_old -U $owner -c "$kept")"
        expect "version" "$version|$version" "$(sql -d hc_old -U $owner -c 'SELECT public.hc_version(), generated_by FROM public.hc_connection')"

        for database in $databases; do sql -d $database -U postgres -f "$here/surface.sql" >"$work/$database"; done
        [ "$(wc -l <"$work/hc_new")" -gt 3000 ] || fail "upgrade, $bundle: a new database shows only $(wc -l <"$work/hc_new") properties"
        if ! diff -U 0 "$work/hc_new" "$work/hc_old" | grep -v '^@@' >"$work/diff"; then :; fi
        [ ! -s "$work/diff" ] || { head -n 40 "$work/diff" >&2; fail "upgrade from $from, $bundle: - a new database, + the upgraded one.
New and changed columns, constraints and dropped functions: sql/upgrade/$from--$version/before; new columns go to the end of their table."; }

        # The answer of the batch in flight is applied, and the others go on.
        sql -d hc_old -U $owner >/dev/null <<'SQL'
SELECT id AS c, epoch AS e FROM public.hc_connection \gset
SELECT max(id) AS b FROM public.hc_batch \gset
SELECT public.hc_answer(:'c', :e, :b, 'answered', '{"results": [{"id": "001xx000003DGb2AAG", "success": true, "created": true, "errors": []}]}');
SELECT public.hc_apply(:'c', :e, :b);
INSERT INTO salesforce.account (name, ext__c) VALUES ('new', 'x4');
SQL
        expect "log" "FAILED 1, NEW 3, NEW 4, NEW 5" "$(sql -d hc_old -U $owner -c "SELECT string_agg(state || ' ' || record_id, ', ' ORDER BY id) FROM salesforce._trigger_log")"
        expect "archive" "SUCCESS 2" "$(sql -d hc_old -U $owner -c "SELECT string_agg(state || ' ' || record_id, ', ') FROM salesforce._trigger_log_archive")"
        expect "rows" "refused FAILED, sent INSERTED, waits PENDING, between PENDING, new PENDING" \
            "$(sql -d hc_old -U $owner -c "SELECT string_agg(name || ' ' || _hc_lastop, ', ' ORDER BY id) FROM salesforce.account")"
        echo "upgrade from $from, $bundle: ok"
    done
done
drop
