/*-------------------------------------------------------------------------
 * log_table.c
 *    Entries written into a trigger log by the table's access method, as
 *    COPY writes rows: no plan, no trigger queue. Only for a log that is as
 *    Heroku Connect and we make it; what its owner has added to it, such as
 *    triggers or constraints, is for the plan of trigger_log.c.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/executor.h"
#include "hc_sync.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#define PORTION 64

/* The columns of a log, in Heroku Connect's order; adopted logs have them in any. */
typedef struct LogColumn
{
	const char *name;
	Oid			type;			/* of what we write; integer columns may be of either size */
	bool		is_written;
	bool		is_never_null;	/* so that NOT NULL does no harm */
} LogColumn;

static const LogColumn log_columns[HC_LOG_COLUMNS] = {
	[HC_LOG_ID] = {"id", INT8OID, true, true},
	[HC_LOG_TXID] = {"txid", INT8OID, true, true},
	[HC_LOG_CREATED_AT] = {"created_at", TIMESTAMPTZOID, true, true},
	[HC_LOG_UPDATED_AT] = {"updated_at", TIMESTAMPTZOID, true, false},	/* written as null, against its default */
	[HC_LOG_STATE] = {"state", VARCHAROID, true, true},
	[HC_LOG_ACTION] = {"action", VARCHAROID, true, true},
	[HC_LOG_TABLE_NAME] = {"table_name", VARCHAROID, true, true},
	[HC_LOG_RECORD_ID] = {"record_id", INT8OID, true, false},
	[HC_LOG_SFID] = {"sfid", VARCHAROID, true, false},
	[HC_LOG_OLD] = {"old", TEXTOID, true, false},
	[HC_LOG_VALUES] = {"values", TEXTOID, true, false},
};

static bool
is_integer(Oid type)
{
	return type == INT4OID || type == INT8OID;
}

static bool
type_serves(Oid type, Oid written)
{
	switch (written)
	{
		case INT8OID:
			return is_integer(type);
		case VARCHAROID:
		case TEXTOID:
			return type == VARCHAROID || type == TEXTOID;
		default:
			return type == written;
	}
}

/* Finds the columns; false if one is missing or strange, or if a column that we do not write would not be null. */
static bool
find_columns(HcLog *log, TupleDesc descriptor)
{
	int			found = 0;

	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
		int			which = 0;

		if (attribute->attisdropped)
			continue;
		while (which < HC_LOG_COLUMNS && strcmp(NameStr(attribute->attname), log_columns[which].name) != 0)
			which++;
		if (which == HC_LOG_COLUMNS)
		{
			if (attribute->atthasdef || attribute->attnotnull || attribute->attidentity || attribute->attgenerated ||
				get_typtype(attribute->atttypid) == TYPTYPE_DOMAIN)
				return false;
			continue;
		}
		if (!type_serves(attribute->atttypid, log_columns[which].type) || attribute->attidentity || attribute->attgenerated ||
			(attribute->attnotnull && !log_columns[which].is_never_null))
			return false;
		log->columns[which].attnum = attribute->attnum;
		log->columns[which].type = attribute->atttypid;
		log->columns[which].length = attribute->atttypmod < (int32) VARHDRSZ ? -1 : attribute->atttypmod - (int32) VARHDRSZ;
		found++;
	}
	return found == HC_LOG_COLUMNS;
}

/* The trigger that announces, as 45_notify.sql makes it, and no other one. */
static bool
triggers_serve(HcLog *log, Relation relation)
{
	TriggerDesc *triggers = relation->trigdesc;
	Trigger    *trigger;

	log->announcer = TRIGGER_DISABLED;
	if (triggers == NULL)
		return true;
	trigger = &triggers->triggers[0];
	if (triggers->numtriggers != 1 || trigger->tgisinternal || trigger->tgqual != NULL ||
		trigger->tgtype != (TRIGGER_TYPE_ROW | TRIGGER_TYPE_INSERT) ||
		!hc_is_announcer(trigger->tgfoid))
		return false;
	log->announcer = trigger->tgenabled;
	return true;
}

/* Whether a trigger that is enabled so fires in this session. */
static bool
trigger_fires(char enabled)
{
	return enabled == TRIGGER_FIRES_ALWAYS ||
		enabled == (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA ? TRIGGER_FIRES_ON_REPLICA : TRIGGER_FIRES_ON_ORIGIN);
}

/* Learns whether entries can go straight into the log, and where each column is. */
void
hc_log_table_learn(HcLog *log)
{
	Relation	relation = table_open(log->relid, AccessShareLock);
	TupleConstr *constraints = RelationGetDescr(relation)->constr;

	log->direct = relation->rd_rel->relkind == RELKIND_RELATION && !relation->rd_rel->relispartition &&
		!relation->rd_rel->relrowsecurity && relation->rd_rules == NULL &&
		(constraints == NULL || (constraints->num_check == 0 && !constraints->has_generated_stored)) &&
		triggers_serve(log, relation) && find_columns(log, RelationGetDescr(relation));
	table_close(relation, AccessShareLock);
}

static bool
fits(HcLog *log, int which, text *value)
{
	int32		length = log->columns[which].length;

	return length < 0 || value == NULL || VARSIZE_ANY_EXHDR(value) <= length ||
		pg_mbstrlen_with_len(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)) <= length;
}

static bool
fits_integer(HcLog *log, int which, int64 value)
{
	return log->columns[which].type == INT8OID || (value >= PG_INT32_MIN && value <= PG_INT32_MAX);
}

/* What does not fit is written by the plan, which raises the error that a plain INSERT would. */
bool
hc_log_takes(HcLog *log, const HcEntry *entry)
{
	return log->direct && fits_integer(log, HC_LOG_ID, entry->id) &&
		(entry->record_id_is_null || fits_integer(log, HC_LOG_RECORD_ID, entry->record_id)) &&
		fits(log, HC_LOG_STATE, entry->state) && fits(log, HC_LOG_ACTION, entry->action) &&
		fits(log, HC_LOG_TABLE_NAME, entry->table_name) && fits(log, HC_LOG_SFID, entry->sfid) &&
		fits(log, HC_LOG_OLD, entry->old_values) && fits(log, HC_LOG_VALUES, entry->new_values);
}

static void
set_value(TupleTableSlot *row, HcLog *log, int which, Datum value, bool is_null)
{
	int			at = log->columns[which].attnum - 1;

	row->tts_values[at] = value;
	row->tts_isnull[at] = is_null;
}

static Datum
integer_datum(HcLog *log, int which, int64 value)
{
	return log->columns[which].type == INT8OID ? Int64GetDatum(value) : Int32GetDatum((int32) value);
}

static void
fill_row(TupleTableSlot *row, HcLog *log, const HcEntry *entry)
{
	memset(row->tts_isnull, true, row->tts_tupleDescriptor->natts * sizeof(bool));
	memset(row->tts_values, 0, row->tts_tupleDescriptor->natts * sizeof(Datum));
	set_value(row, log, HC_LOG_ID, integer_datum(log, HC_LOG_ID, entry->id), false);
	set_value(row, log, HC_LOG_TXID, integer_datum(log, HC_LOG_TXID, entry->txid), false);
	set_value(row, log, HC_LOG_CREATED_AT, TimestampTzGetDatum(entry->created_at), false);
	set_value(row, log, HC_LOG_STATE, PointerGetDatum(entry->state), false);
	set_value(row, log, HC_LOG_ACTION, PointerGetDatum(entry->action), false);
	set_value(row, log, HC_LOG_TABLE_NAME, PointerGetDatum(entry->table_name), false);
	set_value(row, log, HC_LOG_RECORD_ID, integer_datum(log, HC_LOG_RECORD_ID, entry->record_id), entry->record_id_is_null);
	set_value(row, log, HC_LOG_SFID, PointerGetDatum(entry->sfid), entry->sfid == NULL);
	set_value(row, log, HC_LOG_OLD, PointerGetDatum(entry->old_values), entry->old_values == NULL);
	set_value(row, log, HC_LOG_VALUES, PointerGetDatum(entry->new_values), entry->new_values == NULL);
	ExecStoreVirtualTuple(row);
}

/* Inserts the first rows, heap first, then each one's index entries. */
static void
insert_rows(ResultRelInfo *target, TupleTableSlot **rows, int count, EState *state)
{
	if (count == 1)
		table_tuple_insert(target->ri_RelationDesc, rows[0], GetCurrentCommandId(true), 0, NULL);
	else
		table_multi_insert(target->ri_RelationDesc, rows, count, GetCurrentCommandId(true), 0, NULL);
	for (int i = 0; i < count && target->ri_NumIndices > 0; i++)
	{
		(void) hc_insert_index_tuples(target, rows[i], state);
		ResetPerTupleExprContext(state);
	}
}

/*
 * Writes entries that the log takes, in their order, as the current user. A
 * portion at a time, in memory that is used again: what is written is still
 * in the processor's cache when its index entries are made.
 */
void
hc_log_table_write(HcLog *log, HcEntry *const *entries, int count)
{
	Relation	relation = table_open(log->relid, RowExclusiveLock);
	EState	   *state = CreateExecutorState();
	ResultRelInfo *target = makeNode(ResultRelInfo);
	int			portion = Min(count, PORTION);
	TupleTableSlot *rows[PORTION];
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "hc_sync log rows", 0, 64 * 1024, 1024 * 1024);

	InitResultRelInfo(target, relation, 0, NULL, 0);
	ExecOpenIndices(target, false);
	for (int i = 0; i < portion; i++)
		rows[i] = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsVirtual);

	for (int done = 0; done < count; done += portion)
	{
		MemoryContext caller = MemoryContextSwitchTo(work);

		portion = Min(count - done, PORTION);
		for (int i = 0; i < portion; i++)
			fill_row(rows[i], log, entries[done + i]);
		insert_rows(target, rows, portion, state);
		for (int i = 0; i < portion; i++)
			ExecClearTuple(rows[i]);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(work);
	}

	for (int i = 0; i < Min(count, PORTION); i++)
		ExecDropSingleTupleTableSlot(rows[i]);
	ExecCloseIndices(target);
	FreeExecutorState(state);
	if (trigger_fires(log->announcer))
		hc_note_growth(log->schema);
	table_close(relation, NoLock);	/* the lock stays until the transaction ends */
}
