-- Made anew with other conditions.
DROP INDEX public.hc_batch_entry_log;
DROP INDEX public.hc_batch_entry_record;
