/*-------------------------------------------------------------------------
 * capture.c
 *    The log trigger: a user's change of a mapped row becomes an entry of
 *    the trigger log in the same transaction.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "hc_sync.h"

PG_FUNCTION_INFO_V1(hc_capture);

#define LONGEST_AT_ONCE 65536	/* what is allocated at once for the texts of an entry, for rows that had more before */

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
		entry->record_id = table->id_type == INT8OID ? DatumGetInt64(value) : (int64) DatumGetInt32(value);
}

static void
capture_insert(HcEntry *entry, StringInfo texts, HcTable *table, TupleTableSlot *row)
{
	entry->action = "INSERT";
	set_record(entry, table, row);
	entry->new_values = hc_row_text(texts, table, row);
}

static void
capture_update(HcEntry *entry, StringInfo texts, HcTable *table, bool sends, TupleTableSlot *old_row, TupleTableSlot *new_row)
{
	entry->action = "UPDATE";
	set_record(entry, table, new_row);
	entry->sfid = hc_column_text(texts, table, table->sfid, old_row);
	entry->old_values = hc_row_text(texts, table, old_row);
	entry->new_values = hc_changes_text(texts, table, old_row, new_row);
	if (sends && texts->len == entry->new_values + VARHDRSZ)
		entry->state = "IGNORE";
}

static void
capture_delete(HcEntry *entry, StringInfo texts, HcTable *table, bool sends, TupleTableSlot *row)
{
	entry->action = "DELETE";
	set_record(entry, table, row);
	entry->sfid = hc_column_text(texts, table, table->sfid, row);
	entry->old_values = hc_row_text(texts, table, row);
	if (sends && entry->sfid == HC_NULL)
		entry->state = "IGNORE";
}

/*
 * An INSERT has no old row, a DELETE no new one. A mapping that sends ignores
 * changes without effect; a read-only one logs them all.
 */
static void
describe_change(HcEntry *entry, StringInfo texts, Relation relation, bool sends, TupleTableSlot *old_row, TupleTableSlot *new_row)
{
	HcTable    *table = hc_table(relation);
	int			nest_level = hc_begin_output(table);

	enlargeStringInfo(texts, table->longest_texts);
	entry->state = sends ? "NEW" : "READONLY";
	entry->sfid = entry->old_values = entry->new_values = HC_NULL;
	if (old_row == NULL)
		capture_insert(entry, texts, table, new_row);
	else if (new_row == NULL)
		capture_delete(entry, texts, table, sends, old_row);
	else
		capture_update(entry, texts, table, sends, old_row, new_row);
	entry->table_name = hc_string_text(texts, RelationGetRelationName(relation));
	table->longest_texts = Max(table->longest_texts, Min(texts->len, LONGEST_AT_ONCE));
	hc_end_output(nest_level);
}

/* Only under the lock of the mapped row: per record the order of ids is the order of commits. */
static void
number_entry(HcEntry *entry)
{
	entry->owner = GetCurrentSubTransactionId();
	entry->command = GetCurrentCommandId(true);
	entry->id = nextval_internal(entry->log->sequence, false);
	entry->transaction = (int64) U64FromFullTransactionId(GetTopFullTransactionId());
	entry->created_at = GetCurrentTimestamp();
}

static void
capture(Relation relation, bool sends, TupleTableSlot *old_row, TupleTableSlot *new_row)
{
	HcEntry		entry = {0};
	StringInfoData texts;

	initStringInfo(&texts);
	describe_change(&entry, &texts, relation, sends, old_row, new_row);
	entry.log = hc_log(RelationGetNamespace(relation));
	number_entry(&entry);
	if (!hc_bulk_capture || XactReadOnly)
		hc_write_entries(&entry, 1, texts.data, true);
	else if (hc_is_flush_certain() && hc_fits_plain_log(entry.log, &entry, texts.data))
		hc_add_pending(&entry, &texts);
	else
	{
		hc_flush_pending();
		hc_write_entries(&entry, 1, texts.data, false);
	}
}

/*
 * Captures a row that a running statement has just written, to be logged when
 * the statement finishes. Answers false, and has done nothing, where the log
 * is such that only the trigger's own way serves.
 */
bool
hc_capture_early(const void *statement, Relation relation, bool sends, TupleTableSlot *old_row, TupleTableSlot *new_row)
{
	HcEntry		entry = {0};
	StringInfoData texts;

	if (!hc_bulk_capture || XactReadOnly || !hc_log(RelationGetNamespace(relation))->is_plain)
		return false;
	initStringInfo(&texts);
	describe_change(&entry, &texts, relation, sends, old_row, new_row);
	entry.log = hc_log(RelationGetNamespace(relation));
	number_entry(&entry);
	entry.statement = statement;
	if (!hc_fits_plain_log(entry.log, &entry, texts.data))
		return false;
	hc_add_pending(&entry, &texts);
	return true;
}

Datum
hc_capture(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	bool		is_insert,
				is_update;

	check_call(fcinfo);
	is_insert = TRIGGER_FIRED_BY_INSERT(trigdata->tg_event);
	is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	capture(trigdata->tg_relation, strcmp(trigdata->tg_trigger->tgargs[0], "NEW") == 0,
			is_insert ? NULL : trigdata->tg_trigslot,
			is_insert ? trigdata->tg_trigslot : is_update ? trigdata->tg_newslot : NULL);
	return PointerGetDatum(NULL);	/* ignored for AFTER triggers */
}
