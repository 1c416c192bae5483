-- Which version of the SQL this database has. The number comes from extension/hc_sync.control.

CREATE FUNCTION public.hc_version() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$ SELECT '@VERSION@'::pg_catalog.text $function$;
COMMENT ON FUNCTION public.hc_version() IS 'Version of HC Sync''s SQL in this database, of the extension or of the portable bundle';
