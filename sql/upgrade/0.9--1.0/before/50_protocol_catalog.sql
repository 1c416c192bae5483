-- Made anew with other conditions.
DROP INDEX public.hc_batch_entry_log;
DROP INDEX public.hc_batch_entry_record;

ALTER TABLE public.hc_batch
    ADD COLUMN call  bigint,
    ADD COLUMN api   text NOT NULL DEFAULT 'single' CHECK (api IN ('single', 'bulk1', 'bulk2')),
    ADD COLUMN locks text[] NOT NULL DEFAULT '{}',
    ADD COLUMN job   jsonb,
    ADD COLUMN retry_kind text,
    ADD COLUMN retries    integer NOT NULL DEFAULT 0;
ALTER TABLE public.hc_batch DROP CONSTRAINT hc_batch_operation_check,
    ADD CONSTRAINT hc_batch_operation_check CHECK (operation IN ('create', 'update', 'upsert', 'delete', 'undelete'));
ALTER TABLE public.hc_batch_entry
    ADD COLUMN keys        text[] NOT NULL DEFAULT '{}',
    ADD COLUMN merged_into integer,
    ADD COLUMN retry_kind  text,
    ADD COLUMN retries     integer NOT NULL DEFAULT 0;
