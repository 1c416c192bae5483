/*-------------------------------------------------------------------------
 * log_write.c
 *    Entries on their way into a trigger log: straight into its table where
 *    that is plain, else each by an INSERT. Either way as the log's owner, so
 *    that who may change a mapped table needs no right on the log.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "hc_sync.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

void
hc_forget_plan(HcLog *log)
{
	/* A plan that an outer call is executing is left to the end of the session: this happens only after DDL on the log. */
	if (log->plan != NULL && log->plan_users == 0)
		SPI_freeplan(log->plan);
	log->plan = NULL;
	log->plan_users = 0;
}

static SPIPlanPtr
append_plan(HcLog *log)
{
	static Oid	types[] = {INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TEXTOID, TEXTOID, TEXTOID};

	if (log->plan == NULL)
	{
		/* Columns by name, because adopted logs have them in any order; updated_at has a default that an entry does not get. */
		char	   *sql = psprintf("INSERT INTO %s.%s (id, txid, created_at, updated_at, state, action, table_name,"
								   " record_id, sfid, old, \"values\")"
								   " VALUES ($1, $2, $3, NULL, $4, $5, $6, $7, $8, $9, $10)",
								   quote_identifier(log->schema_name), HC_LOG_NAME);
		SPIPlanPtr	plan = SPI_prepare(sql, lengthof(types), types);

		if (plan == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		if (SPI_keepplan(plan) != 0)
			elog(ERROR, "SPI_keepplan failed");
		log->plan = plan;
		log->plan_users = 0;
	}
	return log->plan;
}

static void
set_text(Datum *value, char *null, const char *texts, int offset)
{
	*value = offset == HC_NULL ? (Datum) 0 : PointerGetDatum(HC_TEXT(texts, offset));
	*null = offset == HC_NULL ? 'n' : ' ';
}

static void
insert_with_sql(HcLog *log, const HcEntry *entry, const char *texts)
{
	Datum		values[10];
	char		nulls[10] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
	SPIPlanPtr	plan;
	int			result;

	values[0] = Int64GetDatum(entry->id);
	values[1] = Int64GetDatum(entry->transaction);
	values[2] = TimestampTzGetDatum(entry->created_at);
	values[3] = CStringGetTextDatum(entry->state);
	values[4] = CStringGetTextDatum(entry->action);
	set_text(&values[5], &nulls[5], texts, entry->table_name);
	values[6] = Int64GetDatum(entry->record_id);
	nulls[6] = entry->record_id_is_null ? 'n' : ' ';
	set_text(&values[7], &nulls[7], texts, entry->sfid);
	set_text(&values[8], &nulls[8], texts, entry->old_values);
	set_text(&values[9], &nulls[9], texts, entry->new_values);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = append_plan(log);
	log->plan_users++;
	result = SPI_execute_plan(plan, values, nulls, false, 0);
	if (log->plan == plan && log->plan_users > 0)
		log->plan_users--;
	if (result != SPI_OK_INSERT)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	SPI_finish();
}

/* The table of a log, locked: from here on what is known of the log stays true. */
static Relation
open_log(HcLog *log)
{
	for (;;)
	{
		Relation	relation = relation_open(hc_log(log->schema)->relid, RowExclusiveLock);

		/* While the lock was waited for the log may have changed. */
		if (hc_log(log->schema)->relid == RelationGetRelid(relation))
			return relation;
		relation_close(relation, RowExclusiveLock);
		CHECK_FOR_INTERRUPTS();
	}
}

static bool
all_fit(HcLog *log, const HcEntry *entries, int count, const char *texts)
{
	for (int i = 0; i < count; i++)
		if (!hc_fits_plain_log(log, &entries[i], texts))
			return false;
	return true;
}

/* Writes entries of one log and one command. */
void
hc_write_entries(HcEntry *entries, int count, const char *texts, bool with_sql)
{
	HcLog	   *log = entries[0].log;
	Relation	relation = with_sql ? NULL : open_log(log);
	bool		has_snapshot = ActiveSnapshotSet();
	Oid			caller;
	int			caller_context;

	GetUserIdAndSecContext(&caller, &caller_context);
	SetUserIdAndSecContext(log->owner, caller_context | SECURITY_LOCAL_USERID_CHANGE);
	if (!has_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());	/* for conditions of indexes */
	if (relation != NULL && log->is_plain && all_fit(log, entries, count, texts))
		hc_insert_into_plain_log(log, relation, entries, count, texts);
	else
		for (int i = 0; i < count; i++)
			insert_with_sql(log, &entries[i], texts);
	if (!has_snapshot)
		PopActiveSnapshot();
	SetUserIdAndSecContext(caller, caller_context);
	if (relation != NULL)
		relation_close(relation, NoLock);	/* locked to the end of the transaction, as by an INSERT */
}
