-- pg_dump carries the rows of the catalog (user data is never a member of the extension, but these tables are).

SELECT pg_catalog.pg_extension_config_dump('public.hc_connection', '');
SELECT pg_catalog.pg_extension_config_dump('public.hc_mapping', '');
SELECT pg_catalog.pg_extension_config_dump('public.hc_field', '');
SELECT pg_catalog.pg_extension_config_dump('public.hc_event', '');
SELECT pg_catalog.pg_extension_config_dump('public.hc_event_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('public.hc_notification', '');
SELECT pg_catalog.pg_extension_config_dump('public.hc_notification_id_seq', '');
