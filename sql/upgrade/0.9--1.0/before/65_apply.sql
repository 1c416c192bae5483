-- Replaced by one that knows which INSERT the record came from.

DROP FUNCTION public.hc_revive_delete(public.hc_connection, public.hc_mapping, bigint, text);
DROP FUNCTION public.hc_must_repeat(public.hc_batch, jsonb);
