-- Errors: what each of Salesforce's status codes of a record means for the change that met it, and how each kind is retried.
-- Codes that refuse a whole request are told apart by the relay, which says the kind with the outcome (RequestErrorTable.swift).

CREATE FUNCTION public.hc_error_kind(code text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    -- No SET clause, so that it is inlined: it runs once for each refused record.
    SELECT CASE
        WHEN code IN ('UNABLE_TO_LOCK_ROW', 'RECORD_IN_USE_BY_WORKFLOW', 'TERRITORY_REALIGN_IN_PROGRESS', 'COLLISION_DETECTED', 'ALREADY_IN_PROCESS',
                      'OPERATION_ENQUEUED', 'ALL_OR_NONE_OPERATION_ROLLED_BACK') THEN 'lock'
        WHEN code IN ('REQUEST_RUNNING_TOO_LONG', 'QUERY_TIMEOUT', 'TOO_MANY_APEX_REQUESTS') THEN 'slow'
        WHEN code IN ('INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE', 'PLATFORM_EVENT_PUBLISHING_UNAVAILABLE', 'SERVER_UNAVAILABLE') THEN 'outage'
        WHEN code IN ('UNKNOWN_EXCEPTION', 'INTERNAL_ERROR', 'PROCESSING_HALTED') THEN 'unknown'
        WHEN code = 'INVALID_SESSION_ID' THEN 'session'
        WHEN code IN ('STORAGE_LIMIT_EXCEEDED', 'LIMIT_EXCEEDED', 'MAX_LIMIT_EXCEEDED', 'REQUEST_LIMIT_EXCEEDED', 'SINGLE_EMAIL_LIMIT_EXCEEDED',
                      'MASS_MAIL_LIMIT_EXCEEDED') THEN 'limit'
        -- Limits on the record itself: no window moves for them, but an administrator may raise them.
        WHEN code IN ('DELETE_OPERATION_TOO_LARGE', 'FILE_SIZE_LIMIT_EXCEEDED', 'MAXIMUM_SIZE_OF_ATTACHMENT') THEN 'size'
        WHEN code IN ('INSUFFICIENT_ACCESS_OR_READONLY', 'INSUFFICIENT_ACCESS', 'INVALID_FIELD_FOR_INSERT_UPDATE', 'INVALID_FIELD', 'INVALID_TYPE',
                      'INVALID_TYPE_FOR_OPERATION', 'FIELD_NOT_UPDATABLE', 'INVALID_OPERATION', 'INVALID_ENTITY_FOR_UPSERT', 'INVALID_EXTERNAL_ID_FIELD_NAME',
                      'FUNCTIONALITY_NOT_ENABLED', 'INACTIVE_OWNER_OR_USER', 'OP_WITH_INVALID_USER_TYPE_EXCEPTION', 'TRANSFER_REQUIRES_READ',
                      'INVALID_ASSIGNMENT_RULE', 'PACKAGE_LICENSE_REQUIRED', 'LICENSE_LIMIT_EXCEEDED', 'REQUIRED_FEATURE_MISSING',
                      'UNAVAILABLE_RECORDTYPE_EXCEPTION', 'INVALID_READ_ONLY_USER_DML', 'MIXED_DML_OPERATION') THEN 'configuration'
        ELSE 'data'
    END
$$;
COMMENT ON FUNCTION public.hc_error_kind(text) IS
    'What a status code of a record means: lock, slow, outage, unknown, session, limit and size are tried again within bounds (hc_retry_rule), configuration stops the mapping if all records of a call meet it, data (and every code not known) fails at once.';

CREATE FUNCTION public.hc_retry_rule(kind text, OUT tries integer, OUT minimum interval, OUT base interval, OUT cap interval)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.tries, r.minimum, r.base, r.cap FROM (VALUES
        ('outage',       NULL, interval '0',          interval '1 second',   interval '120 seconds'),
        ('lock',         10,   interval '0',          interval '1 second',   interval '30 seconds'),
        ('slow',         10,   interval '0',          interval '2 seconds',  interval '120 seconds'),
        ('unknown',      5,    interval '0',          interval '1 second',   interval '120 seconds'),
        ('session',      10,   interval '0',          interval '1 second',   interval '120 seconds'),
        ('concurrency',  NULL, interval '30 seconds', interval '30 seconds', interval '30 seconds'),
        ('quota',        NULL, interval '15 minutes', interval '1 minute',   interval '1 minute'),
        ('limit',        96,   interval '15 minutes', interval '1 minute',   interval '1 minute'),
        ('size',         1,    interval '15 minutes', interval '1 minute',   interval '1 minute'),
        ('login',        NULL, interval '1 minute',   interval '1 second',   interval '60 seconds'),
        ('inactive',     NULL, interval '10 minutes', interval '1 minute',   interval '1 minute'),
        ('organization', NULL, interval '1 minute',   interval '1 second',   interval '60 seconds')
    ) AS r(kind, tries, minimum, base, cap) WHERE r.kind = hc_retry_rule.kind
$$;
COMMENT ON FUNCTION public.hc_retry_rule(text) IS
    'How a kind of error is retried: at most so many times (null: as long as it lasts), after the least wait and a random part of base, doubled each time up to the cap. No row: not at all.';

CREATE FUNCTION public.hc_retry_wait(kind text, tries integer) RETURNS interval
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.minimum + public.hc_later(greatest(hc_retry_wait.tries - 1, 0), r.base, r.cap) FROM public.hc_retry_rule(hc_retry_wait.kind) r
$$;
COMMENT ON FUNCTION public.hc_retry_wait(text, integer) IS 'How long to wait before the next attempt after so many failed ones of this kind in a row: full jitter within the rule of the kind.';

CREATE FUNCTION public.hc_is_accepted(operation text, outcome jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (outcome ->> 'success')::boolean
        OR operation = 'delete' AND outcome -> 'errors' -> 0 ->> 'code' IN ('ENTITY_IS_DELETED', 'INVALID_CROSS_REFERENCE_KEY')
$$;
COMMENT ON FUNCTION public.hc_is_accepted(text, jsonb) IS 'Whether the change has its effect in Salesforce: a delete also of a record that is deleted, or that Salesforce no longer knows.';
