-- New columns of our tables go to the end, in a new database too: CREATE TABLE and this file must agree on their order.

-- Null: what stands in the schemas of these connections is of version 0.9.
ALTER TABLE public.hc_connection ADD COLUMN generated_by text;
ALTER TABLE public.hc_mapping ADD COLUMN sends_until bigint;
ALTER TABLE public.hc_connection ADD COLUMN sending_held jsonb;
ALTER TABLE public.hc_mapping ADD COLUMN sending_held jsonb;
