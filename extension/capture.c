/*-------------------------------------------------------------------------
 * capture.c
 *    The log trigger: a user's change of a mapped row becomes an entry of
 *    the trigger log in the same transaction.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "hc_sync.h"

PG_FUNCTION_INFO_V1(hc_capture);

static void
check_call(FunctionCallInfo fcinfo)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("hc_capture must be called as a trigger"));
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("trigger \"%s\" must fire after each row", trigdata->tg_trigger->tgname));
	if (trigdata->tg_trigger->tgnargs != 1 ||
		(strcmp(trigdata->tg_trigger->tgargs[0], "NEW") != 0 && strcmp(trigdata->tg_trigger->tgargs[0], "READONLY") != 0))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("trigger \"%s\" must have one argument, NEW or READONLY", trigdata->tg_trigger->tgname),
				errhint("Make the triggers again with hc_mapping_triggers_create."));
}

static void
set_record(HcEntry *entry, HcTable *table, TupleTableSlot *row)
{
	Datum		value = slot_getattr(row, table->id, &entry->record_id_is_null);

	if (entry->record_id_is_null)
		entry->record_id = (Datum) 0;
	else
		entry->record_id = table->id_type == INT8OID ? value : Int64GetDatum((int64) DatumGetInt32(value));
}

static void
capture_insert(HcEntry *entry, HcTable *table, TupleTableSlot *row)
{
	entry->action = "INSERT";
	set_record(entry, table, row);
	entry->new_values = makeStringInfo();
	hc_append_row(entry->new_values, table, row);
}

static void
capture_update(HcEntry *entry, HcTable *table, TupleTableSlot *old_row, TupleTableSlot *new_row, bool sends)
{
	entry->action = "UPDATE";
	set_record(entry, table, new_row);
	entry->sfid = hc_column_text(table, table->sfid, old_row);
	entry->old_values = makeStringInfo();
	hc_append_row(entry->old_values, table, old_row);
	entry->new_values = makeStringInfo();
	hc_append_changes(entry->new_values, table, old_row, new_row);
	if (sends && entry->new_values->len == 0)
		entry->state = "IGNORE";
}

static void
capture_delete(HcEntry *entry, HcTable *table, TupleTableSlot *row, bool sends)
{
	entry->action = "DELETE";
	set_record(entry, table, row);
	entry->sfid = hc_column_text(table, table->sfid, row);
	entry->old_values = makeStringInfo();
	hc_append_row(entry->old_values, table, row);
	if (sends && entry->sfid == NULL)
		entry->state = "IGNORE";
}

/* A mapping that sends ignores changes without effect; a read-only one logs them all. */
Datum
hc_capture(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	HcEntry		entry = {0};
	HcTable    *table;
	bool		sends;
	int			nest_level;

	check_call(fcinfo);
	table = hc_table(trigdata->tg_relation);
	entry.state = trigdata->tg_trigger->tgargs[0];
	entry.table_name = RelationGetRelationName(trigdata->tg_relation);
	sends = strcmp(entry.state, "NEW") == 0;

	nest_level = hc_begin_output();
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		capture_insert(&entry, table, trigdata->tg_trigslot);
	else if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		capture_update(&entry, table, trigdata->tg_trigslot, trigdata->tg_newslot, sends);
	else if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		capture_delete(&entry, table, trigdata->tg_trigslot, sends);
	else
		elog(ERROR, "unexpected trigger event %u", trigdata->tg_event);
	hc_end_output(nest_level);

	hc_log_append(hc_log(trigdata->tg_relation), &entry);
	return PointerGetDatum(NULL);	/* ignored for AFTER triggers */
}
