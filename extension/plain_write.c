/*-------------------------------------------------------------------------
 * plain_write.c
 *    Entries on their way into a plain log: into its table many at a time,
 *    as COPY puts them there, and then into one index after the other, whose
 *    pages stay in the processor's cache meanwhile. What that takes is kept
 *    from one statement to the next, for the sake of statements of one row.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "catalog/index.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_trigger.h"
#include "compat.h"
#include "executor/executor.h"
#include "hc_sync.h"
#include "utils/memutils.h"

/* Rows that are put into the table at a time: they are still in the processor's cache when their index entries are made. */
#define PORTION 64

/* One of the log's indexes. */
typedef struct HcLogIndex
{
	Oid			relid;
	Relation	relation;		/* while entries are written */
	IndexInfo  *info;
} HcLogIndex;

/* What writing into a log takes. It holds no lock and no reference from one use to the next. */
struct HcLogWriter
{
	MemoryContext context;
	EState	   *state;			/* for conditions and expressions of indexes */
	TupleDesc	descriptor;
	TupleTableSlot *slots[PORTION];
	int			slot_count;
	bool		is_lasting;		/* can serve again */
	int			index_count;
	HcLogIndex	indexes[FLEXIBLE_ARRAY_MEMBER];
};

void
hc_forget_writer(HcLog *log)
{
	if (log->writer != NULL)
		MemoryContextDelete(log->writer->context);
	log->writer = NULL;
}

/* A B-tree keeps nothing between insertions; other kinds keep references to the index as it was opened. */
static bool
is_lasting(Relation index)
{
	return index->rd_rel->relam == BTREE_AM_OID;
}

static HcLogWriter *
make_writer(Relation relation)
{
	/* Gone with the transaction, unless it is kept. */
	MemoryContext context = AllocSetContextCreate(CurTransactionContext, "hc_sync log writer", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	List	   *indexes = RelationGetIndexList(relation);
	HcLogWriter *writer = palloc0(offsetof(HcLogWriter, indexes) + list_length(indexes) * sizeof(HcLogIndex));

	writer->context = context;
	writer->state = CreateExecutorState();
	writer->descriptor = CreateTupleDescCopy(RelationGetDescr(relation));
	writer->is_lasting = true;
	for (int i = 0; i < list_length(indexes); i++)
	{
		HcLogIndex *index = &writer->indexes[writer->index_count++];

		index->relid = list_nth_oid(indexes, i);
		index->relation = index_open(index->relid, RowExclusiveLock);
		index->info = BuildIndexInfo(index->relation);
		index->info->ii_Context = context;
		writer->is_lasting = writer->is_lasting && is_lasting(index->relation);
		index_close(index->relation, NoLock);
	}
	MemoryContextSwitchTo(caller);
	return writer;
}

/* Taken out of the log, so that a use within this one, and one after an error, make another. */
static HcLogWriter *
take_writer(HcLog *log, Relation relation)
{
	HcLogWriter *writer = log->writer;

	if (writer == NULL)
		return make_writer(relation);
	log->writer = NULL;
	MemoryContextSetParent(writer->context, CurTransactionContext);
	return writer;
}

static void
put_back_writer(HcLog *log, HcLogWriter *writer)
{
	if (log->writer != NULL || !log->valid || !writer->is_lasting)
	{
		MemoryContextDelete(writer->context);
		return;
	}
	MemoryContextSetParent(writer->context, hc_memory());
	log->writer = writer;
}

/* One of the few words that state and action can be. */
static Datum
word(const char *name)
{
	static struct
	{
		const char *name;
		struct varlena *text;
	}			words[8];
	int			i = 0;

	while (words[i].name != NULL && words[i].name != name)
		i++;
	Assert(i < lengthof(words));
	if (words[i].name == NULL)
	{
		struct varlena *text = MemoryContextAlloc(hc_memory(), VARHDRSZ + strlen(name));

		SET_VARSIZE(text, VARHDRSZ + strlen(name));
		memcpy(VARDATA(text), name, strlen(name));
		words[i].text = text;
		words[i].name = name;
	}
	return PointerGetDatum(words[i].text);
}

static void
set_value(TupleTableSlot *slot, HcLog *log, HcLogColumn column, Datum value)
{
	slot->tts_values[log->columns[column] - 1] = value;
	slot->tts_isnull[log->columns[column] - 1] = false;
}

static void
set_text(TupleTableSlot *slot, HcLog *log, HcLogColumn column, const char *texts, int offset)
{
	if (offset != HC_NULL)
		set_value(slot, log, column, PointerGetDatum(HC_TEXT(texts, offset)));
}

static void
fill_slot(TupleTableSlot *slot, HcLog *log, const HcEntry *entry, const char *texts)
{
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	set_value(slot, log, HC_LOG_ID, log->has_narrow_ids ? Int32GetDatum((int32) entry->id) : Int64GetDatum(entry->id));
	set_value(slot, log, HC_LOG_TXID, Int64GetDatum(entry->transaction));
	set_value(slot, log, HC_LOG_CREATED_AT, TimestampTzGetDatum(entry->created_at));
	set_value(slot, log, HC_LOG_STATE, word(entry->state));
	set_value(slot, log, HC_LOG_ACTION, word(entry->action));
	set_text(slot, log, HC_LOG_TABLE_NAME, texts, entry->table_name);
	if (!entry->record_id_is_null)
		set_value(slot, log, HC_LOG_RECORD_ID,
				  log->has_narrow_records ? Int32GetDatum((int32) entry->record_id) : Int64GetDatum(entry->record_id));
	set_text(slot, log, HC_LOG_SFID, texts, entry->sfid);
	set_text(slot, log, HC_LOG_OLD, texts, entry->old_values);
	set_text(slot, log, HC_LOG_VALUES, texts, entry->new_values);
	ExecStoreVirtualTuple(slot);
}

static bool
announces(const HcLog *log)
{
	if (log->announcer == TRIGGER_DISABLED)
		return false;
	return log->announcer == TRIGGER_FIRES_ALWAYS ||
		log->announcer == (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA ? TRIGGER_FIRES_ON_REPLICA : TRIGGER_FIRES_ON_ORIGIN);
}

/* A key is checked at once. */
static void
insert_into_index(HcLogIndex *index, Relation relation, EState *state, TupleTableSlot **slots, int count)
{
	IndexInfo  *info = index->info;
	ExprContext *context = GetPerTupleExprContext(state);
	IndexUniqueCheck check = info->ii_Unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO;
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];

	if (info->ii_Predicate != NIL && info->ii_PredicateState == NULL)
		info->ii_PredicateState = ExecPrepareQual(info->ii_Predicate, state);
	for (int i = 0; i < count; i++)
	{
		context->ecxt_scantuple = slots[i];
		if (ExecQual(info->ii_PredicateState, context))
		{
			FormIndexDatum(info, slots[i], state, values, nulls);
			index_insert(index->relation, values, nulls, &slots[i]->tts_tid, relation, check, false, info);
		}
		ResetPerTupleExprContext(state);
	}
}

static void
insert_portion(HcLogWriter *writer, Relation relation, int count, CommandId command)
{
	MemoryContext caller = MemoryContextSwitchTo(GetPerTupleMemoryContext(writer->state));

	if (count == 1)
		table_tuple_insert(relation, writer->slots[0], command, 0, NULL);
	else
		table_multi_insert(relation, writer->slots, count, command, 0, NULL);
	for (int i = 0; i < writer->index_count; i++)
	{
		/* An index that is being built concurrently becomes ready without a word to the table. */
		if (writer->indexes[i].relation->rd_index->indisready)
			insert_into_index(&writer->indexes[i], relation, writer->state, writer->slots, count);
	}
	for (int i = 0; i < count; i++)
		ExecClearTuple(writer->slots[i]);
	MemoryContextSwitchTo(caller);
	ResetPerTupleExprContext(writer->state);
}

static void
make_slots(HcLogWriter *writer, Relation relation, int count)
{
	MemoryContext caller = MemoryContextSwitchTo(writer->context);

	while (writer->slot_count < count)
		writer->slots[writer->slot_count++] = MakeSingleTupleTableSlot(writer->descriptor, table_slot_callbacks(relation));
	MemoryContextSwitchTo(caller);
}

/*
 * The entries are of one command and fit. The rows get the number of the
 * command that changed the mapped rows, also when they are written later:
 * whoever would see them after an INSERT at that moment sees them.
 */
void
hc_insert_into_plain_log(HcLog *log, Relation relation, HcEntry *entries, int count, const char *texts)
{
	HcLogWriter *writer = take_writer(log, relation);
	int			portion = Min(count, PORTION);

	make_slots(writer, relation, portion);
	for (int i = 0; i < writer->index_count; i++)
		writer->indexes[i].relation = index_open(writer->indexes[i].relid, RowExclusiveLock);
	for (int done = 0; done < count; done += portion)
	{
		portion = Min(count - done, PORTION);
		for (int i = 0; i < portion; i++)
			fill_slot(writer->slots[i], log, &entries[done + i], texts);
		insert_portion(writer, relation, portion, entries[0].command);
	}
	for (int i = 0; i < writer->index_count; i++)
	{
		hc_index_insert_cleanup(writer->indexes[i].relation, writer->indexes[i].info);
		index_close(writer->indexes[i].relation, NoLock);
	}
	put_back_writer(log, writer);
	if (announces(log))
		hc_note_growth(log->schema);
}
