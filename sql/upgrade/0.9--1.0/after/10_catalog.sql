-- What needs the new functions.

ALTER TABLE public.hc_connection ALTER COLUMN generated_by SET DEFAULT public.hc_version();
