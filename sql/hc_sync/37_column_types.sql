-- Another type for a column: which types hold which, and how a value of one becomes a value of the other.

-- Domains count as what they are made of.
CREATE FUNCTION public.hc_column_type(target regclass, column_name name) RETURNS text
LANGUAGE sql STABLE STRICT AS $function$
    WITH RECURSIVE base(type, typmod) AS (
        SELECT a.atttypid, a.atttypmod FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = $1 AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT t.typbasetype, t.typtypmod FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype = 'd'
    )
    SELECT pg_catalog.format_type(b.type, b.typmod) FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype <> 'd'
$function$;
COMMENT ON FUNCTION public.hc_column_type(regclass, name) IS 'Type of a column as SQL writes it, of a domain its base type; null if there is no such column';

-- Characters that a text type holds: -1 without a limit, null if it is none.
CREATE FUNCTION public.hc_text_length(type text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT AS $function$
    SELECT CASE WHEN $1 IN ('text', 'character varying') THEN -1
                ELSE pg_catalog.substring($1, '^character varying\(([0-9]+)\)$')::integer END
$function$;
COMMENT ON FUNCTION public.hc_text_length(text) IS 'Characters that text or character varying holds, -1 for any number; null for another type';

-- A column that holds more than is needed is left as it is: a shorter one protects nothing and costs a rewrite.
CREATE FUNCTION public.hc_type_holds(have text, wanted text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT AS $function$
    SELECT $1 = $2
        OR coalesce(public.hc_text_length($2) IS NOT NULL
                    AND (public.hc_text_length($1) = -1 OR public.hc_text_length($1) >= public.hc_text_length($2) AND public.hc_text_length($2) > 0), false)
        OR $1 = 'bigint' AND $2 = 'integer'
        OR $1 = 'numeric' AND $2 IN ('integer', 'bigint', 'double precision')
$function$;
COMMENT ON FUNCTION public.hc_type_holds(text, text) IS 'Whether a column of the first type holds every value of the second';

CREATE FUNCTION public.hc_type_lengthens(have text, wanted text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT AS $function$
    SELECT public.hc_text_length($1) IS NOT NULL AND public.hc_text_length($2) IS NOT NULL AND NOT public.hc_type_holds($1, $2)
$function$;
COMMENT ON FUNCTION public.hc_type_lengthens(text, text) IS 'Whether the first type becomes the second in place, without a look at any row';

-- Where no value can be refused, the expression is a plain cast. Otherwise a value converts if its text is one of the new type.
CREATE FUNCTION public.hc_may_fail(have text, wanted text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT AS $function$
    SELECT NOT coalesce(public.hc_type_holds($2, $1)
                OR $1 IN ('integer', 'bigint') AND $2 IN ('bigint', 'double precision', 'numeric')
                OR $1 = 'date' AND $2 LIKE 'timestamp%'
                OR coalesce(public.hc_text_length($2) = -1, false)
                OR public.hc_text_length($1) IS NULL AND coalesce(public.hc_text_length($2) >= 32, false), false)
        OR $1 = 'bigint' AND $2 = 'integer'
$function$;
COMMENT ON FUNCTION public.hc_may_fail(text, text) IS 'Whether the first type has values that cannot become the second';

CREATE FUNCTION public.hc_conversion(value text, have text, wanted text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $function$
    SELECT CASE WHEN public.hc_may_fail($2, $3) OR public.hc_text_length($3) IS NOT NULL
                THEN pg_catalog.format('(%s)::pg_catalog.text::%s', $1, $3)
                ELSE pg_catalog.format('(%s)::%s', $1, $3) END
$function$;
COMMENT ON FUNCTION public.hc_conversion(text, text, text) IS 'Expression that turns a value of one type into another; it raises for a value that does not convert';

CREATE FUNCTION public.hc_converts(value text, wanted text) RETURNS boolean
LANGUAGE plpgsql STABLE STRICT SET datestyle = 'ISO, MDY' SET timezone = 'UTC' AS $function$
DECLARE
    longest integer := public.hc_text_length(wanted);
BEGIN
    IF longest IS NOT NULL THEN
        RETURN longest < 0 OR pg_catalog.length(value) <= longest;
    END IF;
    CASE wanted
        WHEN 'double precision' THEN PERFORM value::double precision;
        WHEN 'integer' THEN PERFORM value::integer;
        WHEN 'boolean' THEN PERFORM value::boolean;
        WHEN 'date' THEN PERFORM value::date;
        WHEN 'timestamp without time zone' THEN PERFORM value::timestamp;
        ELSE EXECUTE pg_catalog.format('SELECT $1::%s', wanted) USING value;
    END CASE;
    RETURN true;
EXCEPTION WHEN data_exception THEN
    RETURN false;
END
$function$;
COMMENT ON FUNCTION public.hc_converts(text, text) IS 'Whether a text is a value of a type; null for null';

CREATE FUNCTION public.hc_conversion_failures(target regclass, column_name name, wanted text, OUT failures bigint, OUT examples text)
LANGUAGE plpgsql STABLE AS $function$
BEGIN
    EXECUTE pg_catalog.format(
        'SELECT pg_catalog.count(*), pg_catalog.string_agg(CASE WHEN n <= 5 THEN pg_catalog.format(''id %%s: %%L'', id, pg_catalog.left(v, 60)) END, '', '' ORDER BY id)
           FROM (SELECT id, %1$I::pg_catalog.text AS v, pg_catalog.row_number() OVER (ORDER BY id) AS n
                   FROM %2$s WHERE NOT public.hc_converts(%1$I::pg_catalog.text, $1)) x', column_name, target)
        INTO failures, examples USING wanted;
END
$function$;
COMMENT ON FUNCTION public.hc_conversion_failures(regclass, name, text) IS
    'How many rows have a value that the type does not have, and the first five of them';
