-- A record that somebody changed in Salesforce reaches its table. Run by scripts/demo after demo-out.sql, with its settings.
\pset footer off
\pset null ''

-- Waits until the description is the one given, and says how long that took.
CREATE FUNCTION pg_temp.arrival(record_id text, wanted text, began timestamptz) RETURNS TABLE (after text)
LANGUAGE plpgsql AS $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM salesforce.account a WHERE a.sfid = record_id AND a.description = wanted) LOOP
        IF clock_timestamp() > began + interval '30 seconds' THEN
            RAISE EXCEPTION 'the change of record % has not arrived after 30 s', record_id;
        END IF;
        PERFORM pg_sleep(0.002);
    END LOOP;
    RETURN QUERY SELECT round(extract(epoch FROM clock_timestamp() - began) * 1000) || ' ms';
END
$$;

SELECT sfid, 'Visited on ' || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD at HH24:MI:SS.MS') AS description
  FROM salesforce.account WHERE name = 'Analytical Engines' AND sfid IS NOT NULL ORDER BY id DESC LIMIT 1 \gset

\echo
\echo 'From Salesforce to PostgreSQL'
\echo
\echo '  Another user of the org changes a record:'
\setenv SFID :sfid
\setenv DESCRIPTION :description
\set change `printf '{"records": [{"Id": "%s", "Description": "%s"}]}' "$SFID" "$DESCRIPTION"`
\setenv CHANGE :change
\echo :change
SELECT clock_timestamp() AS began \gset
\set answer `curl --silent --fail --request PATCH --data "$CHANGE" "$SALESFORCE_LOGIN_URL/_sim/records/Account"`
SELECT format('%s %s', CASE WHEN result ->> 'success' = 'true' THEN 'saved' ELSE 'refused' END, result ->> 'id') AS "answer of the org"
  FROM jsonb_array_elements(:'answer'::jsonb) result;

-- The mapping polls every ten minutes; the demonstration does not wait for that.
\echo '  The mapping is polled, now instead of within ten minutes:'
\set ECHO queries
UPDATE hc_mapping SET poll_at = hc_clock(connection) WHERE object_name = 'Account';
\set ECHO none
SELECT hc_wake(id) FROM hc_connection \gset
SELECT after FROM pg_temp.arrival(:'sfid', :'description', :'began') \gset

\echo
\echo '  The row has it after' :after
SELECT id, sfid, name, description, systemmodstamp, _hc_lastop FROM salesforce.account WHERE sfid = :'sfid';

\echo '  Nothing of it was captured, so nothing goes back:'
SELECT count(*) AS "changes waiting" FROM salesforce._trigger_log WHERE state IN ('NEW', 'PENDING');
