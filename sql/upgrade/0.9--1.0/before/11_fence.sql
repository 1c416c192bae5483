-- Its place is public.hc_fence, which the parts make. Nothing ever kept a fence in it.
ALTER TABLE public.hc_connection DROP COLUMN fence;
