-- Events, notifications and the clock.
\set SHOW_CONTEXT never
SELECT regress_connection('cat') AS connection \gset
SELECT hc_raise(:'connection', NULL, 'write-error', 'error', 'first', '{"n": 1}');
SELECT hc_raise(:'connection', NULL, 'write-error', 'warning', 'second');
SELECT hc_raise(:'connection', NULL, 'started', 'info', 'only an event');
SELECT hc_raise(NULL, NULL, 'write-error', 'error', 'of no connection');
SELECT event_type, level, message, detail, connection = :'connection' AS ours, at <= clock_timestamp() AS past FROM hc_event WHERE event_type <> 'test' ORDER BY id;
SELECT event_type, level, message, times, last_raised_at >= created_at AS later, connection = :'connection' AS ours FROM hc_notification ORDER BY id;
UPDATE hc_notification SET acknowledged_at = now() WHERE connection = :'connection';
SELECT hc_raise(:'connection', NULL, 'write-error', 'error', 'third');
SELECT message, times, acknowledged_at IS NOT NULL AS acknowledged FROM hc_notification WHERE connection = :'connection' ORDER BY id;
\set VERBOSITY terse
SELECT hc_raise(:'connection', NULL, 'x', 'loud', 'no such level');
\set VERBOSITY default

SELECT hc_clock(:'connection') - clock_timestamp() BETWEEN '-1 second' AND '1 second' AS now;
UPDATE hc_connection SET clock_offset = '1 day' WHERE id = :'connection';
SELECT hc_clock(:'connection') > now() + interval '23 hours' AS tomorrow, hc_clock(gen_random_uuid()) IS NULL AS unknown;
SELECT hc_busy('00000000-0000-0000-0000-000000000001', true);
DELETE FROM hc_connection WHERE id = :'connection';
SELECT count(*) FROM hc_notification WHERE connection = :'connection';
SELECT count(*) FROM hc_event WHERE connection = :'connection';
