/*-------------------------------------------------------------------------
 * announce.c
 *    Wake-up of the relay. The trigger of a trigger log only notes that the
 *    log has grown; whether to notify is decided once, just before commit.
 *    The mark, its meaning and the portable form are in 45_notify.sql.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/hash.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_sequence.h"
#include "commands/async.h"
#include "datatype/timestamp.h"
#include "hc_sync.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#define ADVISORY_CLASS 18499	/* of the locks that portable announcers try too */
#define LONGEST_STEP_MS INT64CONST(3600000)

PG_FUNCTION_INFO_V1(hc_announce);

/* Schemas whose log this transaction has grown; in the transaction's memory. */
static List *grown_schemas = NIL;
static Oid	last_noted = InvalidOid;

static int64
now_ms(void)
{
	int64		epoch_us = ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)) * USECS_PER_DAY;

	return (GetCurrentTimestamp() + epoch_us) / 1000;
}

static bool
is_quiet(Oid mark, int64 longest_ms)
{
	LOCAL_FCINFO(call, 1);
	Datum		until_ms;
	int64		now = now_ms();

	InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
	call->args[0].value = ObjectIdGetDatum(mark);
	call->args[0].isnull = false;
	until_ms = pg_sequence_last_value(call);
	if (call->isnull)
		return true;			/* the relay is busy */

	/* A time too far ahead comes from a clock that was set back. */
	return DatumGetInt64(until_ms) > now && DatumGetInt64(until_ms) <= now + longest_ms;
}

static int64
step_ms(Oid mark)
{
	HeapTuple	tuple = SearchSysCache1(SEQRELID, ObjectIdGetDatum(mark));
	int64		step;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for sequence %u", mark);
	step = ((Form_pg_sequence) GETSTRUCT(tuple))->seqincrement;
	ReleaseSysCache(tuple);
	return step;
}

/* Answers whether it is on us to notify, and marks that we do. */
static bool
take_turn(Oid mark, const char *channel)
{
	Datum		key;
	bool		is_ours = false;

	if (is_quiet(mark, LONGEST_STEP_MS))
		return false;
	key = DirectFunctionCall1Coll(hashtext, C_COLLATION_OID, CStringGetTextDatum(channel));
	/* Tried, never waited for: whoever holds it is announcing at this moment. */
	if (!DatumGetBool(DirectFunctionCall2(pg_try_advisory_lock_int4, Int32GetDatum(ADVISORY_CLASS), key)))
		return false;
	if (!is_quiet(mark, step_ms(mark)))
	{
		DirectFunctionCall2(setval_oid, ObjectIdGetDatum(mark), Int64GetDatum(now_ms() + step_ms(mark)));
		is_ours = true;
	}
	DirectFunctionCall2(pg_advisory_unlock_int4, Int32GetDatum(ADVISORY_CLASS), key);
	return is_ours;
}

static Oid
mark_owner(Oid mark)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(mark));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", mark);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

static void
announce(Oid schema)
{
	char	   *schema_name = get_namespace_name(schema);
	char	   *channel;
	Oid			public_schema;
	Oid			mark;
	Oid			caller;
	int			caller_context;
	bool		is_ours;

	if (schema_name == NULL)
		return;					/* dropped in this transaction */
	channel = psprintf("%s.hc_trigger_log", schema_name);
	public_schema = get_namespace_oid("public", true);
	mark = OidIsValid(public_schema) ? get_relname_relid(psprintf("hc_quiet_%s", schema_name), public_schema) : InvalidOid;

	/* Without a mark, and where it cannot be set, one notification too many is better than none. */
	if (!OidIsValid(mark) || XactReadOnly)
	{
		Async_Notify(channel, "ping");
		return;
	}
	GetUserIdAndSecContext(&caller, &caller_context);
	SetUserIdAndSecContext(mark_owner(mark), caller_context | SECURITY_LOCAL_USERID_CHANGE);
	is_ours = take_turn(mark, channel);
	SetUserIdAndSecContext(caller, caller_context);
	if (is_ours)
		Async_Notify(channel, "ping");
}

static void
at_transaction_end(XactEvent event, void *argument)
{
	ListCell   *cell;

	if (event == XACT_EVENT_PRE_COMMIT)
	{
		foreach(cell, grown_schemas)
			announce(lfirst_oid(cell));
	}
	/* A prepared transaction cannot notify: the relay finds it at its next look. */
	if (event != XACT_EVENT_PARALLEL_PRE_COMMIT)
	{
		grown_schemas = NIL;
		last_noted = InvalidOid;
	}
}

void
hc_announce_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
}

/* Noted once per transaction and log; the commit decides whether it is announced. */
void
hc_note_growth(Oid schema)
{
	MemoryContext caller;

	if (schema == last_noted)
		return;
	caller = MemoryContextSwitchTo(TopTransactionContext);
	grown_schemas = list_append_unique_oid(grown_schemas, schema);
	MemoryContextSwitchTo(caller);
	last_noted = schema;
}

/* The member public.hc_announce(); none in a database without it. */
Oid
hc_announce_function(void)
{
	Oid			public_schema = get_namespace_oid("public", true);
	oidvector  *no_arguments = buildoidvector(NULL, 0);

	if (!OidIsValid(public_schema))
		return InvalidOid;
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum("hc_announce"),
						   PointerGetDatum(no_arguments), ObjectIdGetDatum(public_schema));
}

Datum
hc_announce(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("hc_announce must be called as a trigger"));
	hc_note_growth(RelationGetNamespace(trigdata->tg_relation));
	return PointerGetDatum(NULL);	/* ignored for AFTER triggers */
}
