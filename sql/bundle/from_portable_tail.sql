-- Who made the bundle goes on administering connections.
DO $$
DECLARE
    former name;
BEGIN
    FOREACH former IN ARRAY pg_catalog.current_setting('hc_bundle.former_owners')::name[] LOOP
        IF NOT pg_catalog.has_table_privilege(former, 'public.hc_connection', 'INSERT') THEN
            PERFORM public.hc_grant_administration(former);
        END IF;
    END LOOP;
END
$$;
