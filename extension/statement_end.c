/*-------------------------------------------------------------------------
 * statement_end.c
 *    When pending entries are written. Triggers after rows fire while the
 *    executor finishes a statement, or at the end of a COPY: there entries
 *    wait, and when the call returns they are written. SQL that runs between,
 *    in a user's trigger perhaps, finds them written too. Entries that are
 *    made early, while the statement still runs, wait for its finish as if
 *    they had been made there: SQL that runs before does not see them.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "hc_sync.h"
#include "tcop/utility.h"

static ExecutorStart_hook_type next_start = NULL;
static ExecutorFinish_hook_type next_finish = NULL;
static ProcessUtility_hook_type next_utility = NULL;

static int	depth = 0;			/* of calls that will flush */

bool
hc_is_flush_certain(void)
{
	return depth > 0;
}

/* Statements of foreign keys look at no log, and leave their triggers to the statement that caused them. */
static void
start(QueryDesc *query, int eflags)
{
	if ((eflags & EXEC_FLAG_SKIP_TRIGGERS) == 0)
		hc_flush_pending();
	if (next_start)
		next_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	if ((eflags & (EXEC_FLAG_SKIP_TRIGGERS | EXEC_FLAG_EXPLAIN_ONLY)) == 0)
		hc_watch_rows(query->estate);
}

static void
finish_query(QueryDesc *query)
{
	if (next_finish)
		next_finish(query);
	else
		standard_ExecutorFinish(query);
}

static void
finish(QueryDesc *query)
{
	bool		fires_triggers = (query->estate->es_top_eflags & EXEC_FLAG_SKIP_TRIGGERS) == 0;

	if (!fires_triggers || (query->operation == CMD_SELECT && !query->plannedstmt->hasModifyingCTE))
	{
		finish_query(query);
		return;
	}
	depth++;
	PG_TRY();
	{
		hc_release_pending(query->estate);
		finish_query(query);
		hc_flush_pending();
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
}

static void
run_utility(PlannedStmt *statement, const char *text, bool is_read_only_tree, ProcessUtilityContext context,
			ParamListInfo parameters, QueryEnvironment *environment, DestReceiver *receiver, QueryCompletion *completion)
{
	if (next_utility)
		next_utility(statement, text, is_read_only_tree, context, parameters, environment, receiver, completion);
	else
		standard_ProcessUtility(statement, text, is_read_only_tree, context, parameters, environment, receiver, completion);
}

static void
utility(PlannedStmt *statement, const char *text, bool is_read_only_tree, ProcessUtilityContext context,
		ParamListInfo parameters, QueryEnvironment *environment, DestReceiver *receiver, QueryCompletion *completion)
{
	hc_flush_pending();
	if (!IsA(statement->utilityStmt, CopyStmt))
	{
		run_utility(statement, text, is_read_only_tree, context, parameters, environment, receiver, completion);
		return;
	}
	depth++;
	PG_TRY();
	{
		run_utility(statement, text, is_read_only_tree, context, parameters, environment, receiver, completion);
		hc_flush_pending();
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
}

void
hc_statement_end_init(void)
{
	next_start = ExecutorStart_hook;
	ExecutorStart_hook = start;
	next_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = finish;
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = utility;
}
