-- Quota: the reserve, levels, daily maxima, what runs out of the window, and what people are told
SELECT regress_tools.connect('quota', false);
SELECT connection AS c, mapping AS m, epoch AS e FROM regress_tools.ids WHERE name = 'quota' \gset
CREATE FUNCTION regress_tools.levels() RETURNS integer LANGUAGE sql AS $$ SELECT public.hc_quota_levels(c) FROM public.hc_connection c WHERE schema_name = 'quota' $$;
CREATE FUNCTION regress_tools.note(note jsonb) RETURNS text LANGUAGE sql AS $$
  SELECT r #>> '{known,used}' || ' used, ' || (r #>> '{known,run_out}') || ' run out' FROM regress_tools.ids i, public.hc_quota_note(i.connection, i.epoch, note) r WHERE i.name = 'quota'
$$;
-- nothing is known: nothing waits
SELECT regress_tools.levels(), public.hc_status(:'c') -> 'quota' AS quota;
-- a tenth is kept back, and each level leaves two hundredths
SELECT used, regress_tools.note(format('{"used":%s,"maximum":1000,"since":0}', used)::jsonb), regress_tools.levels()
  FROM unnest(ARRAY[0, 839, 840, 859, 860, 879, 880, 899, 900, 1200]) AS used;
-- what the report may not contain counts as used
SELECT regress_tools.note('{"used":890,"maximum":1000,"since":9}'), regress_tools.levels();
SELECT regress_tools.note('{"since":10}'), regress_tools.levels();
-- settings; a value that is none is the default
UPDATE public.hc_connection SET settings = settings || '{"api_reserve": 5, "api_step": 0}' WHERE id = :'c';
SELECT regress_tools.levels();
UPDATE public.hc_connection SET settings = settings || '{"api_reserve": "much", "api_step": 101}' WHERE id = :'c';
SELECT regress_tools.levels();
-- writes stop last, loads first; a mapping's priority shifts it
SELECT regress_tools.note('{"used":870,"maximum":1000,"since":0}'), regress_tools.levels();
SELECT priority, kind, public.hc_quota_level(jsonb_populate_record(m, jsonb_build_object('config', m.config || jsonb_build_object('hc_sync', jsonb_build_object('api_priority', priority)))), kind) AS level
  FROM public.hc_mapping m, unnest('{low,normal,high}'::text[]) priority, unnest('{write,read,load}'::text[]) kind WHERE m.id = :'m' ORDER BY 1, 3;
UPDATE public.hc_mapping SET poll_at = now() WHERE id = :'m';
INSERT INTO quota.account (name) VALUES ('one');
SELECT jsonb_array_length(public.hc_work(:'c', :e) -> 'polls') AS polls, public.hc_claim(:'c', :e) ->> 'operation' AS sends;
UPDATE public.hc_mapping SET config = config || '{"hc_sync": {"api_priority": "high"}}' WHERE id = :'m';
SELECT jsonb_array_length(public.hc_work(:'c', :e) -> 'polls') AS polls;
-- told once, however far it goes
SELECT state_detail FROM public.hc_connection WHERE id = :'c';
SELECT regress_tools.note('{"used":900,"maximum":1000,"since":0}'), regress_tools.levels();
SELECT state_detail FROM public.hc_connection WHERE id = :'c';
SELECT event_type, level, times FROM public.hc_notification WHERE connection = :'c';
INSERT INTO quota.account (name) VALUES ('two');
SELECT public.hc_claim(:'c', :e) IS NULL AS nothing, jsonb_array_length(public.hc_work(:'c', :e) -> 'polls') AS polls;
-- our own calls run out of the window by quarters of an hour, the whole report after 24 hours
SELECT regress_tools.note('{"calls":30}');
SELECT public.hc_clock_advance(:'c', '24 hours') > now() AS moved, regress_tools.levels();
SELECT regress_tools.note('{"calls":0}');
SELECT state_detail IS NULL AS goes_on FROM public.hc_connection WHERE id = :'c';
SELECT regress_tools.note('{"used":900,"maximum":1000,"since":0,"calls":1}'), regress_tools.levels();
SELECT public.hc_clock_advance(:'c', '23 hours 44 minutes') > now() AS moved, regress_tools.note('{}'), regress_tools.levels();
UPDATE public.hc_quota_use SET calls = 30, began_at = began_at - interval '1 hour' WHERE connection = :'c' AND calls = 1;
SELECT regress_tools.note('{}'), regress_tools.levels();
-- a mapping's maximum: counted before the call, in small blocks, and durable
SELECT regress_tools.note('{"used":10,"maximum":1000,"since":0}');
UPDATE public.hc_mapping SET config = config || '{"sf_max_daily_api_calls": 3}' WHERE id = :'m';
SELECT r -> 'granted' ->> :'m' AS granted, r -> 'refused' ->> :'m' AS refused FROM generate_series(1, 4) n, LATERAL (SELECT n AS n, public.hc_quota_take(:'c', :e, ARRAY[:'m'::uuid]) AS r OFFSET 0) x;
SELECT regress_tools.note(format('{"calls":2,"mappings":{"%s":2}}', :'m')::jsonb);
SELECT public.hc_claim(:'c', :e) ->> 'operation' AS goes_on;
-- the relay was killed: what it was granted counts as used
SELECT regress_tools.note('{"begins":true}');
SELECT granted, calls, told FROM public.hc_quota_day WHERE mapping = :'m' ORDER BY day DESC LIMIT 1;
INSERT INTO quota.account (name) VALUES ('three');
SELECT public.hc_claim(:'c', :e) IS NULL AS waits, jsonb_array_length(public.hc_work(:'c', :e) -> 'polls') AS polls;
SELECT regexp_replace(state_detail, '\d{4}-\d\d-\d\d', 'DAY') AS state_detail FROM public.hc_mapping WHERE id = :'m';
SELECT event_type, mapping IS NOT NULL AS of_mapping, times, regexp_replace(message, '\d{4}-\d\d-\d\d', 'DAY') AS message FROM public.hc_notification WHERE connection = :'c' ORDER BY id;
-- the next day
SELECT public.hc_clock_advance(:'c', '24 hours') > now() AS moved, regress_tools.note('{}');
SELECT state_detail IS NULL AS goes_on FROM public.hc_mapping WHERE id = :'m';
SELECT public.hc_claim(:'c', :e) ->> 'operation' AS goes_on;
-- what a relay that stops has not used, others may
SELECT r -> 'granted' ->> :'m' AS granted FROM public.hc_quota_take(:'c', :e, ARRAY[:'m'::uuid]) r;
SELECT regress_tools.note('{"ends":true}');
SELECT granted, calls FROM public.hc_quota_day WHERE mapping = :'m' ORDER BY day DESC LIMIT 1;
-- the org's day
UPDATE public.hc_connection SET settings = settings || '{"org_time_zone": "Pacific/Kiritimati"}', clock_offset = date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '12 hours' - now() WHERE id = :'c';
SELECT public.hc_org_day(c) - public.hc_org_day(jsonb_populate_record(c, '{"settings": {"org_time_zone": "nowhere"}}')) AS ahead FROM public.hc_connection c WHERE id = :'c';
-- the forecast: 100 calls in half an hour
DELETE FROM public.hc_quota_use WHERE connection = :'c';
SELECT regress_tools.note('{"used":100,"maximum":1000,"since":0,"calls":1}');
SELECT public.hc_clock_advance(:'c', '30 minutes') IS NOT NULL AS moved;
SELECT regress_tools.note('{"used":200,"maximum":1000,"since":0,"calls":5}');
SELECT q ->> 'used' AS used, q ->> 'maximum' AS maximum, q ->> 'reserve' AS reserve, q ->> 'calls_per_hour' AS calls_per_hour, q ->> 'waiting' AS waiting,
       date_trunc('minute', (q ->> 'reserve_reached_at')::timestamptz - public.hc_clock(:'c') + interval '30 seconds') AS reserve_reached_in FROM (SELECT public.hc_status(:'c') -> 'quota' AS q) x;
SELECT regress_tools.disconnect('quota');
