-- What a changed mapping asks of the relay.

-- Rows are kept and merged: the relay reads every record with the fields that the mapping has now. A load that is under way was begun
-- with other fields, so it begins anew.
CREATE FUNCTION public.hc_mapping_read_again(mapping uuid, detail text) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    the_connection uuid;
BEGIN
    DELETE FROM public.hc_load l WHERE l.mapping = $1;
    UPDATE public.hc_mapping m SET state = CASE WHEN m.poll_cursor IS NULL THEN 'INITIAL' ELSE 'SCHEMA_CHANGED' END, state_detail = detail, poll_at = NULL
     WHERE m.id = $1 RETURNING m.connection INTO the_connection;
    PERFORM public.hc_wake(the_connection);
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_read_again(uuid, text) IS
    'Has the relay read all records of a mapping, and merge them into the rows that are there';

CREATE FUNCTION public.hc_mapping_column_swapped(change public.hc_column_change) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
    f public.hc_field := pg_catalog.jsonb_populate_record(NULL::public.hc_field, change.field);
BEGIN
    IF change.field IS NOT NULL THEN
        UPDATE public.hc_field h
           SET salesforce_type = f.salesforce_type, postgres_type = f.postgres_type, length = f.length, scale = f.scale, reference_to = f.reference_to,
               relationship_name = f.relationship_name
         WHERE h.mapping = change.mapping AND h.column_name = change.column_name;
        IF NOT EXISTS (SELECT FROM public.hc_column_change h WHERE h.mapping = change.mapping AND h.field IS NOT NULL AND h.step <> 'validate') THEN
            PERFORM public.hc_mapping_read_again(change.mapping, 'Loading columns of another type');
        END IF;
    END IF;
END
$function$;
COMMENT ON FUNCTION public.hc_mapping_column_swapped(public.hc_column_change) IS
    'Writes what a field is now into the catalog, and has the values read again after the last swap of the mapping';
