-- Bulk, the results: CSV in a temporary table becomes outcomes, in one statement a file

CREATE FUNCTION public.hc_bulk_result_copy(columns text[]) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- In the transaction of the COPY, and for it alone. Takes no lock that anybody waits for: a network is at the other end.
    EXECUTE format('CREATE TEMPORARY TABLE hc_bulk_result (n bigint GENERATED ALWAYS AS IDENTITY, %s) ON COMMIT DROP',
                   (SELECT string_agg(format('c%s text', x.n), ', ' ORDER BY x.n) FROM unnest(columns) WITH ORDINALITY AS x(name, n)));
    RETURN format('COPY pg_temp.hc_bulk_result (%1$s) FROM STDIN WITH (FORMAT csv, FORCE_NULL (%1$s))',
                  (SELECT string_agg('c' || x.n, ', ' ORDER BY x.n) FROM unnest(columns) WITH ORDINALITY AS x(name, n)));
END
$$;
COMMENT ON FUNCTION public.hc_bulk_result_copy(text[]) IS 'Makes the temporary table for a result with these columns and returns the COPY that fills it, without the header.';

CREATE FUNCTION public.hc_bulk_error(text text) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    -- CODE:message:Field Field --, where the message may contain anything.
    SELECT jsonb_build_object('code', coalesce(p[1], 'UNKNOWN_EXCEPTION'), 'message', coalesce(p[2], nullif(text, ''), 'Salesforce gave no reason'),
                              'fields', coalesce((SELECT jsonb_agg(f.name) FROM regexp_split_to_table(btrim(p[3]), '[\s,]+') f(name) WHERE f.name <> ''), '[]'))
      FROM (SELECT regexp_match(text, '^([A-Z][A-Z0-9_]+):(.*?)(?::([^:]*?)\s*--)?\s*$')) x(p)
$$;
COMMENT ON FUNCTION public.hc_bulk_error(text) IS 'An error as a row of a Bulk result says it: {"code","message","fields"}.';

CREATE FUNCTION public.hc_bulk_result(connection uuid, epoch bigint, batch bigint, file text, columns text[], complete boolean DEFAULT true) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    c public.hc_connection := public.hc_step(hc_bulk_result.connection, hc_bulk_result.epoch);
    b public.hc_batch := public.hc_open_batch(c, hc_bulk_result.batch, ARRAY['SENT']);
    lines bigint; matched bigint; asked bigint;
    own text;       -- the column that says which row it is
    key_there text; key_here text;
    outcome text;
    joined text;
BEGIN
    IF b.job ->> 'step' IS DISTINCT FROM 'settled' THEN
        RAISE EXCEPTION 'the bulk job of batch % is at step %, not settled', b.id, coalesce(b.job ->> 'step', 'none') USING ERRCODE = 'HC003';
    END IF;
    IF cardinality(columns) = 0 THEN
        UPDATE public.hc_batch x SET job = jsonb_set(x.job, '{read}', coalesce(x.job -> 'read', '[]') || to_jsonb(hc_bulk_result.file)) WHERE x.id = b.id;
        RETURN jsonb_build_object('lines', 0, 'matched', 0);
    END IF;
    EXECUTE 'SELECT count(*) FROM pg_temp.hc_bulk_result' INTO lines;
    IF hc_bulk_result.file = 'batch' THEN
        SELECT count(*) INTO asked FROM public.hc_batch_entry e WHERE e.batch = b.id AND e.outcome IS NULL AND NOT e.applied AND e.merged_into IS NULL;
        IF lines > asked OR complete AND lines <> asked THEN
            RAISE EXCEPTION 'the result of bulk batch % has % rows, % were sent', b.job ->> 'part', lines, asked USING ERRCODE = 'HC005';
        END IF;
        outcome := format('CASE WHEN lower(r.%1$s) = ''true'' THEN jsonb_build_object(''success'', true, ''id'', r.%2$s, ''created'', coalesce(lower(r.%3$s) = ''true'', false))
                                ELSE jsonb_build_object(''success'', false, ''errors'', jsonb_build_array(public.hc_bulk_error(coalesce(r.%4$s, '''')))) END',
                          public.hc_bulk_result_column(columns, 'Success'), public.hc_bulk_result_column(columns, 'Id'),
                          public.hc_bulk_result_column(columns, 'Created'), public.hc_bulk_result_column(columns, 'Error'));
        joined := '(SELECT x.position, CASE WHEN x.retry_kind = ''lock'' THEN x.retries ELSE 0 END AS retries, row_number() OVER (ORDER BY x.position) AS n FROM public.hc_batch_entry x
                     WHERE x.batch = $1 AND x.outcome IS NULL AND NOT x.applied AND x.merged_into IS NULL) o JOIN pg_temp.hc_bulk_result r ON r.n = o.n';
    ELSE
        -- Results come in no order, with the columns that were sent.
        own := public.hc_bulk_result_column(columns, CASE b.operation WHEN 'upsert' THEN b.external_id_field ELSE 'Id' END);
        key_there := CASE b.operation WHEN 'upsert' THEN format('lower(r.%s)', own) ELSE format('left(r.%s, 15)', own) END;
        key_here := CASE b.operation WHEN 'upsert' THEN format('lower(x.payload -> ''fields'' ->> %L)', b.external_id_field) ELSE 'left(x.payload ->> ''id'', 15)' END;
        outcome := CASE hc_bulk_result.file
            WHEN 'successfulResults' THEN format('jsonb_build_object(''success'', true, ''id'', r.%s, ''created'', coalesce(lower(r.%s) = ''true'', false))',
                                                 public.hc_bulk_result_column(columns, 'sf__Id'), public.hc_bulk_result_column(columns, 'sf__Created'))
            WHEN 'failedResults' THEN format('jsonb_build_object(''success'', false, ''errors'', jsonb_build_array(public.hc_bulk_error(coalesce(r.%s, ''''))))',
                                             public.hc_bulk_result_column(columns, 'sf__Error'))
            ELSE 'NULL::jsonb' END;
        joined := format('(SELECT x.position, CASE WHEN x.retry_kind = ''lock'' THEN x.retries ELSE 0 END AS retries, %s AS key FROM public.hc_batch_entry x WHERE x.batch = $1 AND x.outcome IS NULL AND NOT x.applied AND x.merged_into IS NULL) o
                          JOIN (SELECT DISTINCT ON (%2$s) %2$s AS key, r.* FROM pg_temp.hc_bulk_result r ORDER BY %2$s, r.n) r ON r.key = o.key', key_here, key_there);
    END IF;
    -- What proves that the row was not written gets no outcome: it goes again.
    EXECUTE format('UPDATE public.hc_batch_entry e
                       SET outcome = CASE WHEN NOT a.again THEN a.outcome END,
                           reason = CASE WHEN a.again THEN a.outcome -> ''errors'' -> 0 ->> ''message'' ELSE e.reason END,
                           retry_kind = CASE WHEN a.again THEN ''lock'' ELSE e.retry_kind END, retries = CASE WHEN a.again THEN a.retries + 1 ELSE e.retries END,
                           payload = CASE WHEN a.again THEN e.payload || ''{"lock_error": true}'' WHEN a.outcome IS NULL THEN e.payload || ''{"not_reached": true}'' ELSE e.payload END
                      FROM (SELECT o.position, o.retries, s.outcome,
                                   coalesce(NOT (s.outcome ->> ''success'')::boolean AND public.hc_error_kind(s.outcome -> ''errors'' -> 0 ->> ''code'') = ''lock'' AND o.retries < $2, false) AS again
                              FROM %s, LATERAL (SELECT %s AS outcome) s) a
                     WHERE e.batch = $1 AND e.position = a.position', joined, outcome) USING b.id, (public.hc_retry_rule('lock')).tries;
    GET DIAGNOSTICS matched = ROW_COUNT;
    UPDATE public.hc_batch x SET job = jsonb_set(x.job, '{read}', coalesce(x.job -> 'read', '[]') || to_jsonb(hc_bulk_result.file)) WHERE x.id = b.id;
    RETURN jsonb_build_object('lines', lines, 'matched', matched);
END
$$;
COMMENT ON FUNCTION public.hc_bulk_result(uuid, bigint, bigint, text, text[], boolean) IS
    'Matches the temporary table with the batch: batch (Bulk 1.0) row by row; successfulResults, failedResults and unprocessedrecords (Bulk 2.0) by record id, or by the identifier without case. complete: a result with fewer rows than were sent is refused (HC005). Without columns the file is noted as read: there is none.';

CREATE FUNCTION public.hc_bulk_result_column(columns text[], name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n bigint := (SELECT min(x.n) FROM unnest(columns) WITH ORDINALITY AS x(title, n) WHERE lower(x.title) = lower(hc_bulk_result_column.name));
BEGIN
    IF n IS NULL THEN
        RAISE EXCEPTION 'a bulk result has no column %: %', name, array_to_string(columns, ', ') USING ERRCODE = 'HC005';
    END IF;
    RETURN 'c' || n;
END
$$;
COMMENT ON FUNCTION public.hc_bulk_result_column(text[], text) IS 'The column of the temporary table that a title of the result stands over (HC005 if none).';
