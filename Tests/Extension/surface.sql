-- Everything of HC Sync in this database, a line for each property, for comparing two databases. Owners by their class, names of
-- constraints and defaults as they are, generated ids nowhere. psql -X -q -A -t -f surface.sql
SET search_path = pg_catalog;
CREATE FUNCTION pg_temp.role_class(role oid) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN role = 0 THEN 'PUBLIC' WHEN r.rolsuper THEN 'a superuser'
                WHEN r.oid = (SELECT datdba FROM pg_database WHERE datname = current_database()) THEN 'the database''s owner' ELSE r.rolname END
      FROM (SELECT) one LEFT JOIN pg_roles r ON r.oid = role $$;
CREATE FUNCTION pg_temp.rights(acl aclitem[], kind "char", owner oid) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(DISTINCT pg_temp.role_class(a.grantee) || ' may ' || a.privilege_type, ', '), 'nobody')
      FROM aclexplode(coalesce(acl, acldefault(kind, owner))) a $$;

CREATE TEMP TABLE ours AS
    SELECT n.oid AS schema, n.nspname AS schema_name FROM pg_namespace n
     WHERE n.nspname IN (SELECT schema_name FROM public.hc_connection) OR n.nspname = 'public';
CREATE TEMP TABLE relations AS
    SELECT c.*, c.oid AS id, o.schema_name || '.' || c.relname AS title FROM pg_class c JOIN ours o ON o.schema = c.relnamespace
     WHERE c.relkind IN ('r', 'v', 'S') AND (o.schema_name <> 'public' OR c.relname ~ '^hc_' );
CREATE TEMP TABLE functions AS
    SELECT p.*, p.oid AS id, p.oid::regprocedure::text AS title FROM pg_proc p JOIN ours o ON o.schema = p.pronamespace
     WHERE o.schema_name <> 'public' OR p.proname ~ '^hc_' OR p.proname = 'get_xmlbinary';

WITH lines (line) AS (
    SELECT format('%s: %s, of %s, %s', c.title, c.relkind, pg_temp.role_class(c.relowner),
                  pg_temp.rights(c.relacl, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)) FROM relations c
    UNION ALL SELECT format('%s: comment %s', c.title, obj_description(c.id, 'pg_class')) FROM relations c
    UNION ALL SELECT format('%s: options %s, row security %s', c.title, c.reloptions, c.relrowsecurity) FROM relations c
    UNION ALL SELECT format('%s: column %s of %s is %s', c.title,
                     row_number() OVER (PARTITION BY c.id ORDER BY a.attnum), a.attname, format_type(a.atttypid, a.atttypmod))
                FROM relations c JOIN pg_attribute a ON a.attrelid = c.id AND a.attnum > 0 AND NOT a.attisdropped WHERE c.relkind <> 'S'
    UNION ALL SELECT format('%s.%s: %s, default %s, identity "%s", generated "%s", collation %s, comment %s', c.title, a.attname,
                     CASE WHEN a.attnotnull THEN 'not null' ELSE 'nullable' END, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
                     a.attcollation::regcollation, col_description(c.id, a.attnum))
                FROM relations c JOIN pg_attribute a ON a.attrelid = c.id AND a.attnum > 0 AND NOT a.attisdropped
                LEFT JOIN pg_attrdef d ON d.adrelid = c.id AND d.adnum = a.attnum WHERE c.relkind <> 'S'
    UNION ALL SELECT format('%s: index %s', c.title, pg_get_indexdef(i.indexrelid)) || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END
                FROM relations c JOIN pg_index i ON i.indrelid = c.id
    UNION ALL SELECT format('%s: constraint %s %s%s', c.title, k.conname, pg_get_constraintdef(k.oid), CASE WHEN k.convalidated THEN '' ELSE ' (not valid)' END)
                FROM relations c JOIN pg_constraint k ON k.conrelid = c.id
    UNION ALL SELECT format('%s: %s, enabled %s', c.title, pg_get_triggerdef(t.oid), t.tgenabled) FROM relations c
                JOIN pg_trigger t ON t.tgrelid = c.id AND NOT t.tgisinternal
    UNION ALL SELECT format('%s: rule %s', c.title, pg_get_ruledef(r.oid)) FROM relations c JOIN pg_rewrite r ON r.ev_class = c.id
    UNION ALL SELECT format('%s: sequence of %s, from %s by %s, %s to %s, cache %s, cycle %s, owned by %s', c.title, format_type(s.seqtypid, NULL),
                     s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
                     (SELECT d.refobjid::regclass || '.' || a.attname FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                       WHERE d.classid = 'pg_class'::regclass AND d.objid = c.id AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
                FROM relations c JOIN pg_sequence s ON s.seqrelid = c.id
    UNION ALL SELECT format('%s: of %s, %s', f.title, pg_temp.role_class(f.proowner), pg_temp.rights(f.proacl, 'f', f.proowner)) FROM functions f
    UNION ALL SELECT format('%s: comment %s', f.title, obj_description(f.id, 'pg_proc')) FROM functions f
    UNION ALL SELECT format('%s: %s %s', f.title, to_char(l.number, 'FM0000'), l.text)
                FROM functions f, regexp_split_to_table(pg_get_functiondef(f.id), '\n') WITH ORDINALITY AS l(text, number)
    UNION ALL SELECT format('event trigger %s on %s for %s calls %s, enabled %s: %s', e.evtname, e.evtevent, e.evttags, e.evtfoid::regproc, e.evtenabled,
                     obj_description(e.oid, 'pg_event_trigger')) FROM pg_event_trigger e WHERE e.evtname ~ '^hc_'
    UNION ALL SELECT format('type %s: %s', t.oid::regtype, t.typtype) FROM pg_type t JOIN ours o ON o.schema = t.typnamespace
               WHERE t.typname ~ '^hc_' AND t.typtype <> 'b'
    UNION ALL SELECT format('member: %s %s', i.type, i.identity) FROM pg_extension e JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass
                 AND d.refobjid = e.oid AND d.deptype = 'e' CROSS JOIN pg_identify_object(d.classid, d.objid, 0) i WHERE e.extname = 'hc_sync'
    UNION ALL SELECT format('dumped: %s where "%s"', t.relation::regclass, t.condition) FROM pg_extension e,
                     unnest(e.extconfig, e.extcondition) AS t(relation, condition) WHERE e.extname = 'hc_sync'
    UNION ALL SELECT format('initial rights: %s %s: %s', i.type, i.identity, pg_temp.rights(p.initprivs,
                     CASE i.type WHEN 'sequence' THEN 's' WHEN 'function' THEN 'f' WHEN 'procedure' THEN 'f' ELSE 'r' END::"char", 0))
                FROM pg_init_privs p CROSS JOIN pg_identify_object(p.classoid, p.objoid, p.objsubid) i
               WHERE (p.classoid, p.objoid) IN (SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass
                                             AND d.refobjid = e.oid AND d.deptype = 'e' WHERE e.extname = 'hc_sync')
    UNION ALL SELECT format('extension hc_sync: version %s', e.extversion) FROM pg_extension e WHERE e.extname = 'hc_sync'
)
SELECT line FROM lines WHERE line IS NOT NULL ORDER BY line COLLATE "C";
