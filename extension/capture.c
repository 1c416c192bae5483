/*-------------------------------------------------------------------------
 * capture.c
 *    The log trigger: a user's change of a mapped row becomes an entry of
 *    the trigger log in the same transaction.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "hc_sync.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(hc_capture);

/* Whether a function is the one below. */
bool
hc_is_capture(Oid function)
{
	FmgrInfo	info;

	fmgr_info(function, &info);
	return info.fn_addr == hc_capture;
}

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

	if (!entry->record_id_is_null)
		entry->record_id = table->id_type == INT8OID ? DatumGetInt64(value) : DatumGetInt32(value);
}

static void
capture_insert(HcEntry *entry, HcTable *table, TupleTableSlot *row)
{
	entry->action = cstring_to_text("INSERT");
	set_record(entry, table, row);
	entry->new_values = hc_row_text(table, row);
}

static void
capture_update(HcEntry *entry, HcTable *table, TupleTableSlot *old_row, TupleTableSlot *new_row)
{
	entry->action = cstring_to_text("UPDATE");
	set_record(entry, table, new_row);
	entry->sfid = hc_column_text(table, table->sfid, old_row);
	entry->old_values = hc_row_text(table, old_row);
	entry->new_values = hc_changes_text(table, old_row, new_row);
}

static void
capture_delete(HcEntry *entry, HcTable *table, TupleTableSlot *row)
{
	entry->action = cstring_to_text("DELETE");
	set_record(entry, table, row);
	entry->sfid = hc_column_text(table, table->sfid, row);
	entry->old_values = hc_row_text(table, row);
}

/* A change that has no effect on the record in Salesforce: an update of nothing, or the deletion of a row that never got there. */
static bool
has_no_effect(const HcEntry *entry, TriggerEvent event)
{
	return (TRIGGER_FIRED_BY_UPDATE(event) && VARSIZE_ANY_EXHDR(entry->new_values) == 0) ||
		(TRIGGER_FIRED_BY_DELETE(event) && entry->sfid == NULL);
}

/* A mapping that sends ignores changes without effect; a read-only one logs them all. */
Datum
hc_capture(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	HcEntry		entry = {0};
	const char *state;
	HcTable    *table;
	bool		may_wait;
	int			nest_level;

	check_call(fcinfo);
	table = hc_table(trigdata->tg_relation);
	may_wait = table->entries_may_wait;

	nest_level = hc_begin_output();
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		capture_insert(&entry, table, trigdata->tg_trigslot);
	else if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		capture_update(&entry, table, trigdata->tg_trigslot, trigdata->tg_newslot);
	else if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		capture_delete(&entry, table, trigdata->tg_trigslot);
	else
		elog(ERROR, "unexpected trigger event %u", trigdata->tg_event);
	hc_end_output(nest_level);

	state = trigdata->tg_trigger->tgargs[0];
	if (strcmp(state, "NEW") == 0 && has_no_effect(&entry, trigdata->tg_event))
		state = "IGNORE";
	entry.state = cstring_to_text(state);
	entry.table_name = cstring_to_text(RelationGetRelationName(trigdata->tg_relation));
	hc_log_append(hc_log(trigdata->tg_relation), &entry, may_wait);
	return PointerGetDatum(NULL);	/* ignored for AFTER triggers */
}
