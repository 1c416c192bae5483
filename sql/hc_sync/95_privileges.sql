-- Who may do what. Users of mapped tables need nothing of ours: triggers run without a right on their functions. The owner of the
-- database administers connections; another owner of a connection's schema gets the same rights by name.

CREATE FUNCTION public.hc_administration_grants(role name) RETURNS SETOF text
LANGUAGE sql STABLE AS $function$
    SELECT CASE c.relkind WHEN 'S' THEN pg_catalog.format('GRANT ALL ON SEQUENCE public.%I TO %I', c.relname, $1)
                          ELSE pg_catalog.format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO %I', c.relname, $1) END
      FROM pg_catalog.pg_class c
     WHERE c.relnamespace = 'public'::pg_catalog.regnamespace AND c.relkind IN ('r', 'v', 'S')
       AND c.relname ~ '^hc_' AND c.relname !~ '^hc_(load|quiet)_'
    UNION ALL
    SELECT pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO %I', p.oid::pg_catalog.regprocedure, $1)
      FROM pg_catalog.pg_proc p
     WHERE p.pronamespace = 'public'::pg_catalog.regnamespace AND p.proname ~ '^hc_'
$function$;
COMMENT ON FUNCTION public.hc_administration_grants(name) IS 'Statements that let a role administer connections';

CREATE FUNCTION public.hc_grant_administration(role name) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    statement text;
BEGIN
    FOR statement IN SELECT s FROM public.hc_administration_grants($1) AS statements(s) LOOP
        EXECUTE statement;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION public.hc_grant_administration(name) IS 'Lets a role administer connections; the owner of the database always may';

DO $do$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT pg_catalog.regexp_replace(pg_catalog.regexp_replace(s, '^GRANT .* ON (SEQUENCE|ROUTINE|)', 'REVOKE ALL ON \1'),
                                         ' TO \S+$', ' FROM PUBLIC')
          FROM public.hc_administration_grants('pg_database_owner') AS statements(s)
    LOOP
        EXECUTE statement;
    END LOOP;
    PERFORM public.hc_grant_administration('pg_database_owner');
END
$do$;
