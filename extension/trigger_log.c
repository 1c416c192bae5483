/*-------------------------------------------------------------------------
 * trigger_log.c
 *    The trigger log of a schema: where it is, whom it belongs to, and the
 *    kept plan that appends to it.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "hc_sync.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#define LOG_NAME "_trigger_log"
#define LOG_SEQUENCE_NAME "_trigger_log_id_seq"

static HTAB *logs = NULL;
static uint64 changes_seen = 0;

static void
mark_all_changed(void)
{
	HASH_SEQ_STATUS scan;
	HcLog	   *log;

	changes_seen++;
	hash_seq_init(&scan, logs);
	while ((log = hash_seq_search(&scan)) != NULL)
		log->valid = false;
}

static void
mark_changed(Datum argument, Oid relid)
{
	HASH_SEQ_STATUS scan;
	HcLog	   *log;

	if (!OidIsValid(relid))
	{
		mark_all_changed();
		return;
	}
	changes_seen++;
	hash_seq_init(&scan, logs);
	while ((log = hash_seq_search(&scan)) != NULL)
		if (log->relid == relid || log->sequence == relid)
			log->valid = false;
}

/* A schema was renamed, perhaps: the plan names it. */
static void
mark_schemas_changed(Datum argument, int cache, uint32 hash)
{
	mark_all_changed();
}

void
hc_trigger_log_init(void)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(HcLog);
	control.hcxt = hc_memory();
	logs = hash_create("hc_sync trigger logs", 8, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(mark_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, mark_schemas_changed, (Datum) 0);
}

static Oid
relation_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* The sequence that the id column owns, or else the one that has its name. */
static Oid
log_sequence(Oid schema, Oid relid)
{
	List	   *owned = getOwnedSequences(relid);
	Oid			sequence = list_length(owned) == 1 ? linitial_oid(owned) : get_relname_relid(LOG_SEQUENCE_NAME, schema);

	if (!OidIsValid(sequence))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_TABLE),
				errmsg("sequence \"%s.%s\" does not exist", get_namespace_name(schema), LOG_SEQUENCE_NAME),
				errdetail("It gives the entries of the trigger log their ids."));
	return sequence;
}

static void
forget_plan(HcLog *log)
{
	/* A plan that an outer call is executing is left to the end of the session: this happens only after DDL on the log. */
	if (log->plan != NULL && log->plan_users == 0)
		SPI_freeplan(log->plan);
	log->plan = NULL;
	log->plan_users = 0;
}

static void
describe_log(HcLog *log)
{
	uint64		changes_before = changes_seen;
	char	   *schema_name = get_namespace_name(log->schema);
	Oid			relid = get_relname_relid(LOG_NAME, log->schema);

	log->valid = false;
	if (!OidIsValid(relid))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_TABLE),
				errmsg("table \"%s.%s\" does not exist", schema_name, LOG_NAME),
				errdetail("Changes of mapped tables of schema \"%s\" are captured there.", schema_name),
				errhint("Make the connection with hc_connection_create, or drop the triggers of this table."));
	if (relid != log->relid || strcmp(schema_name, log->schema_name) != 0)
		forget_plan(log);
	log->relid = relid;
	strlcpy(log->schema_name, schema_name, NAMEDATALEN);
	log->owner = relation_owner(relid);
	log->sequence = log_sequence(log->schema, relid);
	hc_log_table_learn(log);
	log->valid = changes_before == changes_seen;
}

HcLog *
hc_log_of_schema(Oid schema)
{
	bool		found;
	HcLog	   *log = hash_search(logs, &schema, HASH_ENTER, &found);

	if (!found)
	{
		memset((char *) log + sizeof(Oid), 0, sizeof(HcLog) - sizeof(Oid));
		log->schema = schema;
	}
	if (!log->valid)
		describe_log(log);
	return log;
}

/* The log beside a table, in its schema. */
HcLog *
hc_log(Relation relation)
{
	return hc_log_of_schema(RelationGetNamespace(relation));
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
								   quote_identifier(log->schema_name), LOG_NAME);
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

/* Writes one entry as a plain INSERT does, with all that the log's owner has added to the table. */
static void
write_by_plan(HcLog *log, const HcEntry *entry)
{
	Datum		values[10] = {
		Int64GetDatum(entry->id), Int64GetDatum(entry->txid), TimestampTzGetDatum(entry->created_at),
		PointerGetDatum(entry->state), PointerGetDatum(entry->action), PointerGetDatum(entry->table_name),
		Int64GetDatum(entry->record_id), PointerGetDatum(entry->sfid),
		PointerGetDatum(entry->old_values), PointerGetDatum(entry->new_values),
	};
	char		nulls[10] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
	SPIPlanPtr	plan;
	int			result;

	nulls[6] = entry->record_id_is_null ? 'n' : ' ';
	nulls[7] = entry->sfid == NULL ? 'n' : ' ';
	nulls[8] = entry->old_values == NULL ? 'n' : ' ';
	nulls[9] = entry->new_values == NULL ? 'n' : ' ';

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

/* Holds the log as it is: nobody changes the table until the transaction ends, and what is known of it is true. */
static void
lock_log(HcLog *log)
{
	Oid			locked;

	do
	{
		locked = log->relid;
		LockRelationOid(locked, RowExclusiveLock);
		if (!log->valid)
			describe_log(log);
	} while (locked != log->relid);
}

/*
 * Writes entries that have their ids, as the log's owner: who may change a
 * mapped table needs no right on the log.
 */
void
hc_log_write(HcLog *log, HcEntry *const *entries, int count)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "hc_sync log write", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(work);
	Oid			caller_id;
	int			caller_context;
	bool		takes_all = true;

	lock_log(log);
	for (int i = 0; i < count && takes_all; i++)
		takes_all = hc_log_takes(log, entries[i]);

	GetUserIdAndSecContext(&caller_id, &caller_context);
	SetUserIdAndSecContext(log->owner, caller_context | SECURITY_LOCAL_USERID_CHANGE);
	if (takes_all)
		hc_log_table_write(log, entries, count);
	else
		for (int i = 0; i < count; i++)
			write_by_plan(log, entries[i]);
	SetUserIdAndSecContext(caller_id, caller_context);

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
}

/* Gives the entry its id and writes it, at once or when the statement ends. */
void
hc_log_append(HcLog *log, HcEntry *entry, bool may_wait)
{
	/* Only here, under the lock of the mapped row: per record the order of ids is the order of commits. */
	entry->id = nextval_internal(log->sequence, false);
	entry->txid = (int64) U64FromFullTransactionId(GetTopFullTransactionId());
	entry->created_at = GetCurrentTimestamp();

	if (may_wait && log->direct && hc_may_wait())
		hc_wait(log, entry);
	else
		hc_log_write(log, &entry, 1);
}
