-- A row written in PostgreSQL reaches Salesforce: the SQL, what the row went through, what Salesforce received, what came back.
-- Run by scripts/demo; SALESFORCE_LOGIN_URL is the address of the simulated org.
\pset footer off
\pset null ''
\set calls `curl --silent --fail "$SALESFORCE_LOGIN_URL/_sim/calls"`
SELECT coalesce(max((call ->> 'number')::int), 0) AS seen FROM jsonb_array_elements(:'calls'::jsonb -> 'calls') call \gset

-- One row for each value that _hc_lastop takes from now on, until it is SYNCED.
CREATE FUNCTION pg_temp.follow(account integer, began timestamptz) RETURNS TABLE (after text, _hc_lastop text, sfid text, _hc_err text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    shown text;
    seen record;
BEGIN
    LOOP
        SELECT a.sfid, a._hc_lastop, a._hc_err INTO seen FROM salesforce.account a WHERE a.id = account;
        IF seen._hc_lastop IS DISTINCT FROM shown THEN
            shown := seen._hc_lastop;
            RETURN QUERY SELECT round(extract(epoch FROM clock_timestamp() - began) * 1000) || ' ms', seen._hc_lastop::text, seen.sfid::text, seen._hc_err;
        END IF;
        EXIT WHEN shown IN ('SYNCED', 'FAILED');
        IF clock_timestamp() > began + interval '30 seconds' THEN
            RAISE EXCEPTION 'the row is still % after 30 s', shown;
        END IF;
        PERFORM pg_sleep(0.005);
    END LOOP;
END
$$;

\echo
\echo 'From PostgreSQL to Salesforce'
SELECT clock_timestamp() AS began \gset
\set ECHO queries
INSERT INTO salesforce.account (name, phone) VALUES ('Analytical Engines', '+44 20 7946 0000') RETURNING id \gset
\set ECHO none
\echo
\echo 'The row:'
SELECT * FROM pg_temp.follow(:id, :'began');

\echo 'Salesforce received:'
\set calls `curl --silent --fail "$SALESFORCE_LOGIN_URL/_sim/calls"`
SELECT call ->> 'operation' AS call, call ->> 'object' AS object, r -> 'fields' AS fields, call ->> 'path' AS path
  FROM jsonb_array_elements(:'calls'::jsonb -> 'calls') call, jsonb_array_elements(call -> 'records') r
 WHERE (call ->> 'number')::int > :seen;

\echo 'What came back:'
\x on
SELECT id, sfid, name, phone, createddate, systemmodstamp, _hc_lastop, _hc_err FROM salesforce.account WHERE id = :id;
\x off
SELECT 1 / (_hc_lastop = 'SYNCED')::int AS proved FROM salesforce.account WHERE id = :id \gset
