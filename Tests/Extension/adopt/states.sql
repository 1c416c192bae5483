-- Looks at a schema from outside, for tests that compare before and after.
-- Everything that undo must put back: functions, triggers, rights.
CREATE FUNCTION heroku.made(schema name) RETURNS SETOF text LANGUAGE sql SET search_path = pg_catalog AS $$
    SELECT * FROM (
        SELECT pg_get_functiondef(p.oid) || (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a) || p.proowner::text
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1 OR n.nspname = 'public' AND p.proname = 'get_xmlbinary'
        UNION ALL
        SELECT pg_get_triggerdef(t.oid) || t.tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND NOT t.tgisinternal
        UNION ALL
        SELECT c.relname || ' ' || c.relkind::text || ' ' || coalesce(c.relacl::text, '') || c.relowner::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 OR c.relname LIKE 'hc_quiet_' || $1) AS everything(x) ORDER BY x COLLATE "C"
$$;
-- Versions of rows: a rewritten row, or a new one, shows.
CREATE FUNCTION heroku.versions(tables text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text := '';
    part text;
    target text;
BEGIN
    FOREACH target IN ARRAY tables LOOP
        EXECUTE format('SELECT string_agg(t.ctid || '' '' || t.xmin || '' '' || t.id, '', '' ORDER BY t.id) FROM %s t', target) INTO part;
        answer := concat_ws('; ', answer, part, pg_relation_filenode(target));
    END LOOP;
    RETURN answer;
END $$;
