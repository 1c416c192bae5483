-- Functions in PL/pgSQL that do not say which search path they run under get the safe one: whoever administers a connection may have
-- schemas on the path in which others create things. Left out are those whose statements fire triggers of the user, under the path
-- that his sessions have. A procedure that commits can have no path of its own.
DO $do$
DECLARE
    target pg_catalog.regprocedure;
BEGIN
    FOR target IN
        SELECT p.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
         WHERE p.pronamespace OPERATOR(pg_catalog.=) 'public'::pg_catalog.regnamespace AND p.proname OPERATOR(pg_catalog.~) '^hc_'
           AND l.lanname OPERATOR(pg_catalog.=) 'plpgsql' AND p.prokind OPERATOR(pg_catalog.=) 'f'
           AND NOT p.proname OPERATOR(pg_catalog.=) ANY ('{hc_use_application_path,hc_column_chunk}')
           AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proconfig) AS s(setting) WHERE s.setting OPERATOR(pg_catalog.~~) 'search\_path=%')
    LOOP
        EXECUTE pg_catalog.format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp', target);
    END LOOP;
END
$do$;
