-- It has a third parameter now, with a default.
DROP FUNCTION public.hc_lead(uuid, text);
