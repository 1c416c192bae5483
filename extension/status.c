/*-------------------------------------------------------------------------
 * status.c
 *    The status trigger: _hc_lastop and _hc_err of a row that is written.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "hc_sync.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(hc_status);

static void
check_call(FunctionCallInfo fcinfo)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("hc_status must be called as a trigger"));
	if (!TRIGGER_FIRED_BEFORE(trigdata->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("trigger \"%s\" must fire before each inserted or updated row", trigdata->tg_trigger->tgname));
}

/* Our own session sets a status by changing it; keeping the old value is no statement about it. */
static bool
sets_status(HcTable *table, TupleDesc descriptor, HeapTuple old_row, HeapTuple new_row)
{
	bool		old_is_null;
	bool		new_is_null;
	Datum		old_value = heap_getattr(old_row, table->last_operation, descriptor, &old_is_null);
	Datum		new_value = heap_getattr(new_row, table->last_operation, descriptor, &new_is_null);
	text	   *old_text;
	text	   *new_text;

	if (old_is_null || new_is_null)
		return false;
	old_text = DatumGetTextPP(old_value);
	new_text = DatumGetTextPP(new_value);
	return VARSIZE_ANY_EXHDR(old_text) != VARSIZE_ANY_EXHDR(new_text) ||
		memcmp(VARDATA_ANY(old_text), VARDATA_ANY(new_text), VARSIZE_ANY_EXHDR(old_text)) != 0;
}

static HeapTuple
with_status(HcTable *table, TupleDesc descriptor, HeapTuple row, const char *status)
{
	int			columns[2] = {table->last_operation, table->error};
	Datum		values[2] = {CStringGetTextDatum(status), (Datum) 0};
	bool		nulls[2] = {false, true};

	return heap_modify_tuple_by_cols(row, descriptor, 2, columns, values, nulls);
}

Datum
hc_status(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	bool		is_update;
	bool		user_is_writing;
	HeapTuple	row;
	HcTable    *table;
	TupleDesc	descriptor;

	check_call(fcinfo);
	is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	row = is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	descriptor = RelationGetDescr(trigdata->tg_relation);

	/* The guard may run SQL, so the table is looked up after it. */
	user_is_writing = hc_user_is_writing();
	table = hc_table(trigdata->tg_relation);
	if (user_is_writing)
		return PointerGetDatum(with_status(table, descriptor, row, "PENDING"));
	if (is_update && sets_status(table, descriptor, trigdata->tg_trigtuple, row))
		return PointerGetDatum(row);
	return PointerGetDatum(with_status(table, descriptor, row, "SYNCED"));
}
