-- Protocol: batches in flight, records that arrived, loads under way
--
-- What must survive a crash is in these tables and in no other place. Nobody but the relay and administrators
-- locks them, so that storing an answer can never wait for an application.
--
-- These tables are small after a quiet day and large within a minute, and plans are kept: what looks up entries by key says so with
-- enable_seqscan = off, or it would go through the whole table until the next ANALYZE (and jit = off, which looks at costs too).

CREATE TABLE public.hc_batch (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection        uuid NOT NULL REFERENCES public.hc_connection ON DELETE CASCADE,
    mapping           uuid NOT NULL REFERENCES public.hc_mapping ON DELETE CASCADE,
    epoch             bigint NOT NULL,
    operation         text NOT NULL CHECK (operation IN ('create', 'update', 'upsert', 'delete', 'undelete')),
    object_name       text NOT NULL,
    external_id_field text,
    state             text NOT NULL DEFAULT 'CLAIMED'
                      CHECK (state IN ('CLAIMED', 'SENT', 'REPEAT', 'DOUBT', 'PARKED', 'ANSWERED', 'DONE')),
    attempt           integer NOT NULL DEFAULT 1,
    claimed_at        timestamptz NOT NULL,
    first_sent_at     timestamptz,
    sent_at           timestamptz,
    answered_at       timestamptz,
    due_at            timestamptz,
    apply_at          timestamptz,
    apply_attempt     integer NOT NULL DEFAULT 0,
    request_id        text,
    answer            jsonb,
    reason            text,
    call              bigint,
    api               text NOT NULL DEFAULT 'single' CHECK (api IN ('single', 'bulk1', 'bulk2')),
    locks             text[] NOT NULL DEFAULT '{}',
    job               jsonb,
    retry_kind        text,
    retries           integer NOT NULL DEFAULT 0,
    CHECK ((external_id_field IS NOT NULL) = (operation = 'upsert')),
    CHECK (state NOT IN ('SENT', 'DOUBT', 'PARKED') OR first_sent_at IS NOT NULL)
);
CREATE INDEX hc_batch_open ON public.hc_batch (connection, id) WHERE state <> 'DONE';
-- Of its own: the index of open batches keeps each batch that ever was open while anybody holds a snapshot.
CREATE INDEX hc_batch_repeat ON public.hc_batch (connection, id) WHERE state = 'REPEAT';
CREATE INDEX hc_batch_mapping ON public.hc_batch (mapping);
COMMENT ON TABLE public.hc_batch IS
    'Changes of one mapping and one operation that travel in one Salesforce request. CLAIMED: not sent. SENT: on its way. REPEAT: to be offered again at due_at. DOUBT: sent, answer unknown. PARKED: a person must decide. ANSWERED: the whole answer is stored and is being applied. DONE.';

COMMENT ON COLUMN public.hc_batch.call IS 'Batches of one number travel together in one request: up to ten objects of one operation. Null: alone';
COMMENT ON COLUMN public.hc_batch.api IS 'single: one SOAP or REST collections call; bulk1, bulk2: a job of that Bulk API';
COMMENT ON COLUMN public.hc_batch.locks IS 'Parents that Salesforce locks while the request runs: no two requests with a common one run at the same time';
COMMENT ON COLUMN public.hc_batch.job IS 'Bulk: the job, as far as it is known: {"id", "state", …}';

CREATE TABLE public.hc_batch_entry (
    batch      bigint NOT NULL REFERENCES public.hc_batch ON DELETE CASCADE,
    position   integer NOT NULL,
    mapping    uuid NOT NULL,
    log_id     bigint NOT NULL,
    record_id  bigint,
    action     text NOT NULL,
    sfid       text,
    payload    jsonb NOT NULL,
    outcome    jsonb,
    applied    boolean NOT NULL DEFAULT false,
    reason     text,
    keys       text[] NOT NULL DEFAULT '{}',
    merged_into integer,
    retry_kind text,
    retries    integer NOT NULL DEFAULT 0,
    PRIMARY KEY (batch, position)
);
-- The second condition of each keeps it for queries that imply it, those by record and those by log_id. Without, the planner, who sees
-- that next to no entry is in flight, would take any of the two for the entries of a batch, and pass all that were ever in flight.
CREATE INDEX hc_batch_entry_record ON public.hc_batch_entry (mapping, record_id) WHERE NOT applied AND record_id IS NOT NULL;
CREATE INDEX hc_batch_entry_log ON public.hc_batch_entry (log_id) WHERE NOT applied AND log_id > 0;
COMMENT ON TABLE public.hc_batch_entry IS
    'One captured change in a batch. An entry that is not applied means that its change, and so its record, is in flight, whatever the visible state of the log row says.';
COMMENT ON COLUMN public.hc_batch_entry.keys IS 'What a later change must not overtake: the row, the record, its identifiers and those of its parents';
COMMENT ON COLUMN public.hc_batch_entry.merged_into IS 'The position in the batch of the change that carries the effect of this one, which is not sent itself and shares the other''s outcome';
COMMENT ON COLUMN public.hc_batch.retry_kind IS 'The kind of the last failure (hc_retry_rule)';
COMMENT ON COLUMN public.hc_batch.retries IS 'Failures of that kind in a row';
COMMENT ON COLUMN public.hc_batch_entry.retry_kind IS 'The kind of the record''s last error (hc_error_kind)';
COMMENT ON COLUMN public.hc_batch_entry.retries IS 'Errors of that kind in a row';
COMMENT ON COLUMN public.hc_batch_entry.outcome IS
    'What Salesforce said of this change: {"success","id","created","errors":[{"code","message","fields"}]}, or null while it is not known.';

CREATE TABLE public.hc_staged (
    mapping        uuid NOT NULL REFERENCES public.hc_mapping ON DELETE CASCADE,
    sfid           text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('record', 'deleted')),
    systemmodstamp timestamp,
    record         jsonb,
    began_at       timestamptz NOT NULL,
    retry_at       timestamptz,
    reason         text,
    PRIMARY KEY (mapping, sfid)
);
CREATE INDEX hc_staged_waiting ON public.hc_staged (retry_at) WHERE retry_at IS NOT NULL;
COMMENT ON TABLE public.hc_staged IS
    'Records that arrived from Salesforce and are not merged yet. Those with retry_at wait for the reason given: a row locked by the application, a row with unsent changes, a trigger that raised, a create whose answer is not known.';

CREATE SEQUENCE public.hc_read_back_token;
CREATE TABLE public.hc_read_back (
    mapping  uuid NOT NULL REFERENCES public.hc_mapping ON DELETE CASCADE,
    sfid     text NOT NULL,
    token    bigint NOT NULL DEFAULT nextval('public.hc_read_back_token'),
    due_at   timestamptz,
    PRIMARY KEY (mapping, sfid)
);
COMMENT ON TABLE public.hc_read_back IS
    'Records that we wrote and have not read since. Until then whatever else arrives of them may be older than our write, and is left out.';

CREATE TABLE public.hc_tombstone (
    mapping    uuid NOT NULL REFERENCES public.hc_mapping ON DELETE CASCADE,
    sfid       text NOT NULL,
    deleted_at timestamptz NOT NULL,
    PRIMARY KEY (mapping, sfid)
);
COMMENT ON TABLE public.hc_tombstone IS
    'Records whose delete Salesforce accepted from us: a query that began before that must not bring them back.';

CREATE TABLE public.hc_generation (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mapping    uuid NOT NULL REFERENCES public.hc_mapping ON DELETE CASCADE,
    since      bigint NOT NULL,
    reason     text NOT NULL CHECK (reason IN ('made', 'taken over', 'truncated', 'made anew', 'gone')),
    table_oid  oid,
    home       text NOT NULL,
    began_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    noticed_at timestamptz,
    CHECK ((table_oid IS NULL) = (reason = 'gone'))
);
CREATE INDEX hc_generation_mapping ON public.hc_generation (mapping, since);
COMMENT ON TABLE public.hc_generation IS
    'Generations of the rows of a mapped table, the newest last: a TRUNCATE or another table of the same name begins a new one. A row is made by the transaction that begins it, and waits for nobody.';
COMMENT ON COLUMN public.hc_generation.since IS 'Log entries up to this id speak of rows of earlier generations: what becomes of them never touches a row by its id';
COMMENT ON COLUMN public.hc_generation.home IS 'Server, database and log where this oid means something (hc_home): after a copy or a restore of all, the table is taken as the same';
COMMENT ON COLUMN public.hc_generation.noticed_at IS 'When the relay has told of it';

CREATE TABLE public.hc_load (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection    uuid NOT NULL REFERENCES public.hc_connection ON DELETE CASCADE,
    mapping       uuid NOT NULL UNIQUE REFERENCES public.hc_mapping ON DELETE CASCADE,
    kind          text NOT NULL CHECK (kind IN ('first', 'reload')),
    step          text NOT NULL DEFAULT 'fill' CHECK (step IN ('fill', 'index', 'publish', 'merge', 'remove')),
    private_table name NOT NULL,
    began_at      timestamptz NOT NULL,
    job           jsonb,
    locator       text,
    rows          bigint NOT NULL DEFAULT 0,
    expected      bigint,
    last_sfid     text
);
COMMENT ON TABLE public.hc_load IS
    'The load under way of a mapping: its private table, its bulk job and the page to read next. Page and locator commit together, so a load goes on where it was killed.';
