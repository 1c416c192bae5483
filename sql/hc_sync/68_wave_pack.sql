-- Packing: from counts of changes that may be sent to calls

CREATE FUNCTION public.hc_bulk_threshold(c public.hc_connection) RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN coalesce((c.settings ->> 'bulk_writes')::boolean, true) AND public.hc_write_algorithm(c) = 'planned' THEN public.hc_bulk_least(c) END
$$;
COMMENT ON FUNCTION public.hc_bulk_threshold(public.hc_connection) IS 'From how many changes of one object and operation on a Bulk job is made of them; null: never.';

CREATE FUNCTION public.hc_call_cost(api text, records integer) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    -- Bulk 2.0: create, upload, close, about four looks at its state, two results. Bulk 1.0 takes batches of up to 10,000 records.
    SELECT CASE api WHEN 'single' THEN (records + 199) / 200 WHEN 'bulk2' THEN 9 ELSE 7 + 2 * ((records + 9999) / 10000) END
$$;
COMMENT ON FUNCTION public.hc_call_cost(text, integer) IS 'How many Salesforce calls of the daily limit so many records take.';

-- groups: [{"number", "operation", "field", "records", "plain", "waited", "options"}], each the changes of one mapping and operation that may be sent
-- now, in an order of which the calls take slices. plain: how many at the front a Bulk job could carry; waited: how many others wait for.
CREATE FUNCTION public.hc_wave_slices(c public.hc_connection, groups jsonb)
    RETURNS TABLE (call integer, number integer, low integer, high integer, api text, fill text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    at_once CONSTANT integer := 200;
    objects CONSTANT integer := coalesce((c.settings ->> 'objects_per_call')::integer, 10);
    threshold CONSTANT integer := public.hc_bulk_threshold(c);
    most CONSTANT integer := 10000;      -- records of a Bulk job: more would hold their locks for long
    g record;
    kind text;                            -- operation and identifier field of the call being filled
    room integer := 0; types integer := 0;
    rest jsonb := '[]';
BEGIN
    call := 0;
    fill := 'full';
    FOR g IN SELECT x.* FROM jsonb_to_recordset(groups) AS x(number integer, operation text, field text, records integer, plain integer, waited integer, options jsonb) ORDER BY x.number LOOP
        number := g.number;
        low := 1;
        api := public.hc_bulk_api(c, g.operation);
        WHILE api IS NOT NULL AND g.plain - low + 1 >= threshold AND public.hc_call_cost(api, least(g.plain - low + 1, most)) < public.hc_call_cost('single', least(g.plain - low + 1, most)) LOOP
            call := call + 1;
            high := least(low + most - 1, g.plain);
            RETURN NEXT;
            low := high + 1;
        END LOOP;
        api := 'single';
        WHILE g.records - low + 1 >= at_once LOOP
            call := call + 1;
            high := low + at_once - 1;
            RETURN NEXT;
            low := high + 1;
        END LOOP;
        IF low <= g.records THEN
            rest := rest || jsonb_build_object('number', g.number, 'operation', g.operation, 'field', g.field, 'low', low, 'high', g.records, 'waited', g.waited > 0,
                                               'options', coalesce(g.options, '{}'));
        END IF;
    END LOOP;

    -- What is left: several objects of one operation and with the same options share a call, those first that others wait for.
    FOR g IN SELECT x.* FROM jsonb_to_recordset(rest) AS x(number integer, operation text, field text, low integer, high integer, waited boolean, options jsonb)
              ORDER BY x.operation, x.field NULLS FIRST, x.options, x.waited DESC, x.high - x.low DESC, x.number LOOP
        IF kind IS DISTINCT FROM concat_ws(' ', g.operation, g.field, g.options) THEN
            kind := concat_ws(' ', g.operation, g.field, g.options);
            room := 0;
        END IF;
        number := g.number;
        low := g.low;
        WHILE low <= g.high LOOP
            IF room = 0 OR types = 0 THEN
                call := call + 1;
                room := at_once;
                types := objects;
            END IF;
            high := least(low + room - 1, g.high);
            room := room - (high - low + 1);
            types := types - 1;
            fill := CASE WHEN g.waited THEN 'waited' ELSE 'part' END;
            RETURN NEXT;
            low := high + 1;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION public.hc_wave_slices(public.hc_connection, jsonb) IS 'All calls that the groups make, full ones and others: which slice of which group goes in which.';

CREATE FUNCTION public.hc_wave_pack(c public.hc_connection, groups jsonb, partly boolean)
    RETURNS TABLE (call integer, number integer, low integer, high integer, api text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH slice AS (
        SELECT s.*, CASE WHEN s.api <> 'single' OR sum(s.high - s.low + 1) OVER w >= 200 THEN 1 WHEN bool_or(s.fill = 'waited') OVER w THEN 2 ELSE 3 END AS rank
          FROM public.hc_wave_slices(c, groups) s WINDOW w AS (PARTITION BY s.call)
    )
    -- A call that is not full is made when there is no full one, and first for what others wait for: what it unlocks may fill the rest.
    SELECT s.call, s.number, s.low, s.high, s.api FROM slice s
     WHERE s.rank = (SELECT min(x.rank) FROM slice x) AND (partly OR s.rank = 1)
$$;
COMMENT ON FUNCTION public.hc_wave_pack(public.hc_connection, jsonb, boolean) IS
    'Which calls are made now of the changes that may be sent: the full ones; without one, and if partly, those that others wait for; without these, all.';
