/*-------------------------------------------------------------------------
 * drop_hint.c
 *    DROP EXTENSION hc_sync while mapped tables capture with it, or while
 *    it holds connections: the server's own hint would be CASCADE, which
 *    silently ends capture, or it would silently drop the catalog.
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

#define CATALOG_MEMBERS \
	"SELECT pg_catalog.count(*) FROM pg_catalog.pg_depend" \
	" WHERE classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass" \
	" AND objid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('public.hc_connection') AND deptype OPERATOR(pg_catalog.=) 'e'"
#define CONNECTIONS "SELECT pg_catalog.count(*) FROM public.hc_connection"

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
count(const char *query)
{
	bool		is_null;
	int64		count;

	if (SPI_execute(query, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "counting failed: %s", query);
	count = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
	return count;
}

/* After hc_uninstall the catalog is no member any more, and stays. */
static void
count_what_would_go(int64 *tables, int64 *connections)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	*tables = count(CAPTURING_TABLES);
	*connections = count(CATALOG_MEMBERS) == 0 ? 0 : count(CONNECTIONS);
	SPI_finish();
}

Datum
hc_before_drop(PG_FUNCTION_ARGS)
{
	EventTriggerData *trigdata = (EventTriggerData *) fcinfo->context;
	int64		tables,
				connections;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("hc_before_drop must be called as an event trigger"));
	if (!drops_us(trigdata->parsetree))
		return PointerGetDatum(NULL);
	count_what_would_go(&tables, &connections);
	if (tables == 0 && connections == 0)
		return PointerGetDatum(NULL);
	if (((DropStmt *) trigdata->parsetree)->behavior != DROP_CASCADE)
		ereport(ERROR,
				errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				errmsg("cannot drop extension hc_sync while connections use it"),
				errdetail("Connections: " INT64_FORMAT ". Mapped tables that capture with it: " INT64_FORMAT ".", connections, tables),
				errhint("To go on without it and lose nothing: CALL public.hc_uninstall(), then drop it."
						" CASCADE would drop the connections and remove capture, and later changes of these tables would be lost."));
	ereport(WARNING,
			errmsg("capture is removed, and the catalog is dropped"),
			errdetail("Connections: " INT64_FORMAT ". Mapped tables that captured: " INT64_FORMAT "."
					  " Later changes of these tables are not sent to Salesforce.", connections, tables));
	return PointerGetDatum(NULL);
}
