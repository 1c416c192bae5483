-- A row written in PostgreSQL reaches Salesforce: the SQL, what the row went through, what Salesforce received, what came back.
-- Run by scripts/demo; SALESFORCE_LOGIN_URL is the address of the simulated org, LAST_CALL the number of its newest call.
\pset footer off
\pset null ''

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
        EXIT WHEN shown = 'SYNCED';
        IF shown = 'FAILED' OR clock_timestamp() > began + interval '30 seconds' THEN
            RAISE EXCEPTION 'the row is % after % s: %', shown, round(extract(epoch FROM clock_timestamp() - began)), seen._hc_err;
        END IF;
        PERFORM pg_sleep(0.002);
    END LOOP;
END
$$;

\echo
\echo 'From PostgreSQL to Salesforce'
\echo
\echo '  The SQL:'
SELECT clock_timestamp() AS began \gset
\set ECHO queries
INSERT INTO salesforce.account (name, phone) VALUES ('Analytical Engines', '+44 20 7946 0000') RETURNING id;
\set ECHO none
SELECT max(id) AS id FROM salesforce.account WHERE name = 'Analytical Engines' \gset

\echo '  What the row went through:'
SELECT * FROM pg_temp.follow(:id, :'began');

\echo '  What Salesforce received:'
\set calls `curl --silent --fail "$SALESFORCE_LOGIN_URL/_sim/calls?since=$LAST_CALL"`
SELECT call ->> 'operation' AS call, call ->> 'object' AS object, record -> 'fields' AS fields, call ->> 'path' AS path
  FROM jsonb_array_elements(:'calls'::jsonb) call, jsonb_array_elements(call -> 'records') record;

\echo '  What came back:'
SELECT id, sfid, name, checked__c, createddate, _hc_lastop FROM salesforce.account WHERE id = :id;
