-- A record that somebody changed in Salesforce reaches its table. Run by scripts/demo after demo-out.sql.
\pset footer off
SELECT id, sfid FROM salesforce.account WHERE _hc_lastop = 'SYNCED' ORDER BY id DESC LIMIT 1 \gset
\setenv SFID :sfid
SELECT 'Changed in the org at ' || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'HH24:MI:SS.MS') AS description \gset
\setenv DESCRIPTION :description

\echo
\echo 'From Salesforce to PostgreSQL'
\echo 'In the org, another user sets Description of' :sfid
SELECT clock_timestamp() AS began \gset
