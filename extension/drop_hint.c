/*-------------------------------------------------------------------------
 * drop_hint.c
 *    DROP EXTENSION hc_sync while mapped tables capture with it: the
 *    server's own hint would be CASCADE, which silently ends capture.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/event_trigger.h"
#include "hc_sync.h"
#include "nodes/parsenodes.h"

PG_FUNCTION_INFO_V1(hc_before_drop);

#define CAPTURING_TABLES \
	"SELECT pg_catalog.count(*) FROM pg_catalog.pg_trigger" \
	" WHERE tgfoid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure('public.hc_capture()')"

static bool
drops_us(Node *statement)
{
	DropStmt   *drop = (DropStmt *) statement;
	ListCell   *cell;

	if (statement == NULL || !IsA(statement, DropStmt) || drop->removeType != OBJECT_EXTENSION)
		return false;
	foreach(cell, drop->objects)
		if (strcmp(strVal(lfirst(cell)), "hc_sync") == 0)
			return true;
	return false;
}

static int64
count_capturing_tables(void)
{
	bool		is_null;
	int64		count;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(CAPTURING_TABLES, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "counting the triggers failed");
	count = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
	SPI_finish();
	return count;
}

Datum
hc_before_drop(PG_FUNCTION_ARGS)
{
	EventTriggerData *trigdata = (EventTriggerData *) fcinfo->context;
	int64		tables;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("hc_before_drop must be called as an event trigger"));
	if (!drops_us(trigdata->parsetree))
		return PointerGetDatum(NULL);
	tables = count_capturing_tables();
	if (tables == 0)
		return PointerGetDatum(NULL);
	if (((DropStmt *) trigdata->parsetree)->behavior != DROP_CASCADE)
		ereport(ERROR,
				errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				errmsg("cannot drop extension hc_sync while mapped tables capture with it"),
				errdetail("Mapped tables that do: " INT64_FORMAT ".", tables),
				errhint("Switch each connection first, with CALL public.hc_capture_mode(connection, 'portable')."
						" CASCADE would remove capture, and later changes of these tables would be lost."));
	ereport(WARNING,
			errmsg("capture is removed from " INT64_FORMAT " mapped tables", tables),
			errdetail("Later changes of these tables are not sent to Salesforce."));
	return PointerGetDatum(NULL);
}
