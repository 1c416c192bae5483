-- Made anew with another condition.
DROP INDEX public.hc_batch_entry_log;
