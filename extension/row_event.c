/*-------------------------------------------------------------------------
 * row_event.c
 *    The shorter way of a change into the log. The condition of the log
 *    trigger, public.get_xmlbinary() = 'base64', is evaluated by the server
 *    for each row that was written, with the row at hand. Here a statement
 *    gets a condition of its own in its place, which looks at the setting
 *    without a call, and where nothing else of the table could tell, makes
 *    the entry there and then and answers that no trigger need be queued:
 *    the row is neither fetched nor taken apart again.
 *
 *    What decides is still the trigger: one that is disabled, or is not for
 *    this event or column or session_replication_role, has no condition to
 *    evaluate. Writers that do not come by the executor's start (COPY,
 *    replication, rows routed to partitions) and statements of foreign keys
 *    go the trigger's ordinary way.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_operator_d.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "hc_sync.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"

/* Where the log trigger of a table stands, if it is as we make it. */
typedef struct HcLogTrigger
{
	Oid			relid;			/* hash key, must be first */
	bool		valid;
	int			position;		/* among the triggers of the table; HC_NO_TRIGGER for none */
	Oid			guard;			/* the function that its condition asks */
	bool		is_alone;		/* no other trigger fires after a row, so that none can tell what comes first */
} HcLogTrigger;

#define HC_NO_TRIGGER (-1)

/* A condition that stands in the place of one that was compiled. */
typedef struct HcCondition
{
	ExprState	state;			/* must be first */
	EState	   *statement;
	Relation	relation;
	bool		sends;
	bool		captures;
} HcCondition;

static HTAB *log_triggers = NULL;
static uint64 changes_seen = 0;

static void
mark_changed(Datum argument, Oid relid)
{
	HASH_SEQ_STATUS scan;
	HcLogTrigger *trigger;

	changes_seen++;
	if (OidIsValid(relid))
	{
		trigger = hash_search(log_triggers, &relid, HASH_FIND, NULL);
		if (trigger != NULL)
			trigger->valid = false;
		return;
	}
	hash_seq_init(&scan, log_triggers);
	while ((trigger = hash_seq_search(&scan)) != NULL)
		trigger->valid = false;
}

void
hc_row_event_init(void)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(HcLogTrigger);
	control.hcxt = hc_memory();
	log_triggers = hash_create("hc_sync log triggers", 32, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(mark_changed, (Datum) 0);
}

/* The function f of a condition f()::text = 'base64'::text, as the log trigger has it; none of any other condition. */
static Oid
asked_function(char *condition)
{
	OpExpr	   *comparison = stringToNode(condition);
	FuncExpr   *function;
	Const	   *word;

	if (!IsA(comparison, OpExpr) || comparison->opno != TextEqualOperator || !IsA(linitial(comparison->args), RelabelType))
		return InvalidOid;
	function = (FuncExpr *) ((RelabelType *) linitial(comparison->args))->arg;
	word = lsecond(comparison->args);
	if (!IsA(function, FuncExpr) || !IsA(word, Const) || word->consttype != TEXTOID || word->constisnull ||
		strcmp(TextDatumGetCString(word->constvalue), "base64") != 0)
		return InvalidOid;
	return function->funcid;
}

static bool
calls_capture(Trigger *trigger)
{
	FmgrInfo	function;

	fmgr_info(trigger->tgfoid, &function);
	return function.fn_addr == hc_capture;
}

static bool
is_log_trigger(Trigger *trigger)
{
	return calls_capture(trigger) && trigger->tgqual != NULL && !trigger->tgdeferrable && trigger->tgnargs == 1 &&
		(strcmp(trigger->tgargs[0], "NEW") == 0 || strcmp(trigger->tgargs[0], "READONLY") == 0);
}

static void
find_log_trigger(HcLogTrigger *found, TriggerDesc *triggers)
{
	uint64		changes_before = changes_seen;
	int			others = 0;
	int			position = HC_NO_TRIGGER;

	for (int i = 0; i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (!TRIGGER_FOR_ROW(trigger->tgtype) || !TRIGGER_FOR_AFTER(trigger->tgtype) || trigger->tgenabled == TRIGGER_DISABLED)
			continue;
		if (position == HC_NO_TRIGGER && is_log_trigger(trigger))
			position = i;
		else
			others++;
	}
	found->position = position;
	found->guard = position == HC_NO_TRIGGER ? InvalidOid : asked_function(triggers->triggers[position].tgqual);
	found->is_alone = others == 0;
	found->valid = changes_before == changes_seen;
}

static HcLogTrigger *
log_trigger(ResultRelInfo *target)
{
	Oid			relid = RelationGetRelid(target->ri_RelationDesc);
	bool		found;
	HcLogTrigger *trigger = hash_search(log_triggers, &relid, HASH_ENTER, &found);

	if (!found || !trigger->valid)
	{
		trigger->valid = false;
		find_log_trigger(trigger, target->ri_TrigDesc);
	}
	return trigger;
}

/* The server gives an expression of a trigger the old row as the inner and the new one as the outer. */
static Datum
evaluate(ExprState *state, ExprContext *context, bool *is_null)
{
	HcCondition *condition = (HcCondition *) state;

	*is_null = false;
	if (!hc_user_is_writing())
		return BoolGetDatum(false);
	return BoolGetDatum(!condition->captures ||
						!hc_capture_early(condition->statement, condition->relation, condition->sends,
										  context->ecxt_innertuple, context->ecxt_outertuple));
}

static bool
fires_after_rows(TriggerDesc *triggers)
{
	return triggers != NULL &&
		(triggers->trig_insert_after_row || triggers->trig_update_after_row || triggers->trig_delete_after_row);
}

/* Partitions and their roots keep the condition: a row that moves between them has events that are none of ours. */
static void
watch_target(EState *statement, ResultRelInfo *target)
{
	HcLogTrigger *found;
	HcCondition *condition;

	if (!fires_after_rows(target->ri_TrigDesc) || target->ri_RelationDesc->rd_rel->relkind != RELKIND_RELATION ||
		target->ri_RelationDesc->rd_rel->relispartition)
		return;
	found = log_trigger(target);
	if (!OidIsValid(found->guard) || found->guard != hc_own_guard() || target->ri_TrigWhenExprs[found->position] != NULL)
		return;
	condition = MemoryContextAllocZero(statement->es_query_cxt, sizeof(HcCondition));
	NodeSetTag(&condition->state, T_ExprState);
	condition->state.flags = EEO_FLAG_IS_QUAL;
	condition->state.evalfunc = evaluate;
	condition->statement = statement;
	condition->relation = target->ri_RelationDesc;
	condition->sends = strcmp(target->ri_TrigDesc->triggers[found->position].tgargs[0], "NEW") == 0;
	/* EXPLAIN ANALYZE shows what triggers cost, so there they are called. */
	condition->captures = found->is_alone && statement->es_instrument == 0;
	target->ri_TrigWhenExprs[found->position] = &condition->state;
}

/* A statement that has begun and whose end will flush what waits. */
void
hc_watch_rows(EState *statement)
{
	ListCell   *cell;

	foreach(cell, statement->es_opened_result_relations)
		watch_target(statement, lfirst(cell));
}
