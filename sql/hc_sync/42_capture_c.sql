-- The functions in C. The portable bundle leaves this part out.

CREATE FUNCTION public.hc_capture() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'hc_capture';
COMMENT ON FUNCTION public.hc_capture() IS 'Log trigger of a mapped table, with one argument: NEW, or READONLY for a mapping that sends nothing';

CREATE FUNCTION public.hc_status() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'hc_status';
COMMENT ON FUNCTION public.hc_status() IS 'Status trigger of a mapped table: sets _hc_lastop and _hc_err';

CREATE FUNCTION public.hc_announce() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'hc_announce';
COMMENT ON FUNCTION public.hc_announce() IS 'Trigger of a trigger log: wakes the relay at commit, at most once per interval';

CREATE FUNCTION public.hc_before_drop() RETURNS event_trigger LANGUAGE c AS 'MODULE_PATHNAME', 'hc_before_drop';
COMMENT ON FUNCTION public.hc_before_drop() IS 'Says what DROP EXTENSION hc_sync would do to capture';
CREATE EVENT TRIGGER hc_before_drop ON ddl_command_start WHEN TAG IN ('DROP EXTENSION') EXECUTE FUNCTION public.hc_before_drop();
COMMENT ON EVENT TRIGGER hc_before_drop IS 'Says what DROP EXTENSION hc_sync would do to capture';
