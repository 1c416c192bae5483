-- Definitions of the triggers in both modes, as a dump prints them.
SELECT regress_connection('def') AS connection \gset
SELECT hc_mapping_create(:'connection', 'User', '{"access": "read_write", "fields": {}}', '{"name": "User", "fields": [{"name": "Id", "type": "id"}, {"name": "SystemModstamp", "type": "datetime"}]}') IS NOT NULL AS made;
SELECT hc_mapping_create(:'connection', 'Account', '{"fields": {"Name": {}}}', regress_account()) IS NOT NULL AS made;
\set show 'SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = ''def''::regnamespace ORDER BY c.relname, t.tgname;'
SET search_path = '';
:show
CALL public.hc_capture_mode(:'connection', 'portable');
:show
SELECT pg_get_functiondef('def.hc_user_logger()'::regprocedure);
SELECT pg_get_functiondef('def.hc_account_logger()'::regprocedure);
SELECT pg_get_functiondef('def.hc_account_status()'::regprocedure);
SELECT pg_get_functiondef('def.tlog_notify_trigger()'::regprocedure);
SELECT pg_get_functiondef('public.get_xmlbinary()'::regprocedure);
CALL public.hc_capture_mode(:'connection', 'c');
:show
RESET search_path;
\d def.user
