-- From a portable bundle to the extension and back: who is a member, and whose it is.

CREATE FUNCTION public.hc_members() RETURNS TABLE (class regclass, object oid, kind text, identity text)
LANGUAGE sql STABLE AS $function$
    SELECT d.classid::pg_catalog.regclass, d.objid, i.type, i.identity
      FROM pg_catalog.pg_extension e
      JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid AND d.deptype = 'e'
     CROSS JOIN pg_catalog.pg_identify_object(d.classid, d.objid, 0) i
     -- From PostgreSQL 17 on, row and array types are members of their own; they come and go with what they are the types of.
     WHERE e.extname = 'hc_sync' AND d.classid <> 'pg_catalog.pg_type'::pg_catalog.regclass
     ORDER BY i.type, i.identity COLLATE "C"
$function$;
COMMENT ON FUNCTION public.hc_members() IS 'Objects that belong to the extension hc_sync; none where only the portable bundle is installed';

-- Members that exist in the extension only.
CREATE FUNCTION public.hc_is_in_c(class regclass, object oid) RETURNS boolean
LANGUAGE sql STABLE AS $function$
    SELECT $1 = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass
        OR $1 = 'pg_catalog.pg_proc'::pg_catalog.regclass
           AND EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE p.oid = $2 AND l.lanname = 'c')
$function$;
COMMENT ON FUNCTION public.hc_is_in_c(regclass, oid) IS 'Whether an object is a function in C, or an event trigger, which the portable bundle lacks';

-- An identity column's sequence goes with its table.
CREATE FUNCTION public.hc_members_to_owner(owner name) RETURNS SETOF text
LANGUAGE sql STABLE AS $function$
    SELECT pg_catalog.format('ALTER %s %s OWNER TO %I', CASE WHEN m.kind IN ('function', 'procedure') THEN 'ROUTINE' ELSE pg_catalog.upper(m.kind) END,
                             m.identity, $1)
      FROM public.hc_members() m
      LEFT JOIN pg_catalog.pg_class c ON m.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = m.object
      LEFT JOIN pg_catalog.pg_proc p ON m.class = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = m.object
     WHERE pg_catalog.pg_get_userbyid(coalesce(c.relowner, p.proowner)) <> $1 AND NOT public.hc_is_in_c(m.class, m.object)
       AND NOT (c.relkind IS NOT DISTINCT FROM 'S'
                AND EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = m.class AND d.objid = m.object AND d.deptype = 'i'))
     ORDER BY m.kind DESC, m.identity COLLATE "C"
$function$;
COMMENT ON FUNCTION public.hc_members_to_owner(name) IS
    'Statements that give the members of the extension hc_sync to a role, those aside that the portable bundle lacks';
