/*-------------------------------------------------------------------------
 * pending.c
 *    Entries of a statement that changes many rows, kept until the
 *    statement ends and then written together.
 *
 *    An entry waits only while the end of a statement is sure to pass here:
 *    triggers fire inside ExecutorFinish, or inside COPY, and both are
 *    wrapped. A statement that has loaded this library itself is not.
 *
 *    An entry has its id, taken under the lock of its row, before it waits.
 *    It belongs to the subtransaction that changed the row: it is written
 *    in that one, goes with it when it is rolled back, and passes to its
 *    parent when it is released.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "hc_sync.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#define MOST_ENTRIES 512
#define MOST_BYTES (512 * 1024)
#define KEPT_BYTES (512 * 1024)	/* of memory, from statement to statement: it need not be got and cleared each time */

typedef struct Waiting
{
	SubTransactionId subtransaction;
	Oid			schema;
	HcEntry    *entry;
} Waiting;

static bool bulk_capture = true;
static int	wrapped_calls = 0;	/* statements whose end passes here */

static MemoryContext memory = NULL; /* of the entries that wait; reset when none does */
static Waiting waiting[MOST_ENTRIES];
static int	waiting_count = 0;
static Size waiting_bytes = 0;

static ExecutorFinish_hook_type earlier_finish = NULL;
static ProcessUtility_hook_type earlier_utility = NULL;

static void
forget_all(void)
{
	waiting_count = 0;
	waiting_bytes = 0;
	if (memory != NULL)
		MemoryContextReset(memory);
}

/* Entries of one schema, in a row at the end of those that wait. */
static int
last_run(SubTransactionId subtransaction)
{
	int			first = waiting_count;

	while (first > 0 && waiting[first - 1].subtransaction == subtransaction &&
		   waiting[first - 1].schema == waiting[waiting_count - 1].schema)
		first--;
	return first;
}

/* Writes what waits in the current subtransaction. Entries of outer ones stay: a rollback of this one would take them with it. */
static void
write_pending(void)
{
	SubTransactionId subtransaction = GetCurrentSubTransactionId();
	HcEntry    *entries[MOST_ENTRIES];

	while (waiting_count > 0 && waiting[waiting_count - 1].subtransaction == subtransaction)
	{
		int			first = last_run(subtransaction);
		int			count = waiting_count - first;
		Oid			schema = waiting[first].schema;

		for (int i = 0; i < count; i++)
			entries[i] = waiting[first + i].entry;
		/* Gone before they are written: a failure of the write ends this subtransaction, and them with it. */
		waiting_count = first;
		hc_log_write(hc_log_of_schema(schema), entries, count);
	}
	if (waiting_count == 0)
		forget_all();
}

static text *
kept(text *value)
{
	text	   *copy;

	if (value == NULL)
		return NULL;
	copy = palloc(VARSIZE_ANY(value));
	memcpy(copy, value, VARSIZE_ANY(value));
	waiting_bytes += VARSIZE_ANY(value);
	return copy;
}

/* Whether an entry may wait now. */
bool
hc_may_wait(void)
{
	return wrapped_calls > 0 && bulk_capture;
}

/* Takes a copy of the entry, to be written when the statement ends. */
void
hc_wait(HcLog *log, const HcEntry *entry)
{
	MemoryContext caller;
	HcEntry    *copy;

	if (waiting_count == MOST_ENTRIES || waiting_bytes >= MOST_BYTES)
		write_pending();
	if (waiting_count == MOST_ENTRIES)
	{
		/* All are those of outer subtransactions. */
		hc_log_write(log, (HcEntry *[]) {unconstify(HcEntry *, entry)}, 1);
		return;
	}
	if (memory == NULL)
		memory = AllocSetContextCreate(hc_memory(), "hc_sync pending entries", KEPT_BYTES, KEPT_BYTES, MOST_BYTES);
	caller = MemoryContextSwitchTo(memory);
	copy = palloc(sizeof(HcEntry));
	*copy = *entry;
	copy->state = kept(entry->state);
	copy->action = kept(entry->action);
	copy->table_name = kept(entry->table_name);
	copy->sfid = kept(entry->sfid);
	copy->old_values = kept(entry->old_values);
	copy->new_values = kept(entry->new_values);
	MemoryContextSwitchTo(caller);
	waiting[waiting_count++] = (Waiting) {GetCurrentSubTransactionId(), log->schema, copy};
}

static void
finish_statement(QueryDesc *query)
{
	wrapped_calls++;
	PG_TRY();
	{
		if (earlier_finish)
			earlier_finish(query);
		else
			standard_ExecutorFinish(query);
		if (waiting_count > 0)
			write_pending();
	}
	PG_FINALLY();
	{
		wrapped_calls--;
	}
	PG_END_TRY();
}

static void
run_utility(PlannedStmt *statement, const char *source, bool is_read_only_tree, ProcessUtilityContext context,
			ParamListInfo parameters, QueryEnvironment *environment, DestReceiver *receiver, QueryCompletion *completion)
{
	ProcessUtility_hook_type next = earlier_utility ? earlier_utility : standard_ProcessUtility;

	if (!IsA(statement->utilityStmt, CopyStmt))
	{
		next(statement, source, is_read_only_tree, context, parameters, environment, receiver, completion);
		return;
	}
	wrapped_calls++;
	PG_TRY();
	{
		next(statement, source, is_read_only_tree, context, parameters, environment, receiver, completion);
		if (waiting_count > 0)
			write_pending();
	}
	PG_FINALLY();
	{
		wrapped_calls--;
	}
	PG_END_TRY();
}

static void
at_transaction_end(XactEvent event, void *argument)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (waiting_count > 0)
				elog(ERROR, "%d captured changes were not written", waiting_count);
			break;
		case XACT_EVENT_ABORT:
			forget_all();
			break;
		default:
			break;
	}
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId subtransaction, SubTransactionId parent, void *argument)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		while (waiting_count > 0 && waiting[waiting_count - 1].subtransaction == subtransaction)
			waiting_count--;
		if (waiting_count == 0)
			forget_all();
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		for (int i = waiting_count; i > 0 && waiting[i - 1].subtransaction == subtransaction; i--)
			waiting[i - 1].subtransaction = parent;
	}
}

void
hc_pending_init(void)
{
	DefineCustomBoolVariable("hc_sync.bulk_capture",
							 "Writes the entries of one statement together.",
							 "Off: each entry is written as soon as its row is captured. The log is the same.",
							 &bulk_capture, true, PGC_USERSET, 0, NULL, NULL, NULL);
#if PG_VERSION_NUM >= 150000
	MarkGUCPrefixReserved("hc_sync");
#else
	EmitWarningsOnPlaceholders("hc_sync");
#endif
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
	earlier_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = finish_statement;
	earlier_utility = ProcessUtility_hook;
	ProcessUtility_hook = run_utility;
}
