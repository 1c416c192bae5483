/*-------------------------------------------------------------------------
 * trigger_log.c
 *    The trigger log of a schema: where it is, whom it belongs to, and
 *    what it is like. Looked up on first use and again after a change.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/dependency.h"
#include "hc_sync.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

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
describe_log(HcLog *log)
{
	uint64		changes_before = changes_seen;
	char	   *schema_name = get_namespace_name(log->schema);
	Oid			relid = get_relname_relid(HC_LOG_NAME, log->schema);
	Relation	relation;

	log->valid = false;
	if (!OidIsValid(relid))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_TABLE),
				errmsg("table \"%s.%s\" does not exist", schema_name, HC_LOG_NAME),
				errdetail("Changes of mapped tables of schema \"%s\" are captured there.", schema_name),
				errhint("Make the connection with hc_connection_create, or drop the triggers of this table."));
	if (relid != log->relid || strcmp(schema_name, log->schema_name) != 0)
		hc_forget_plan(log);
	log->relid = relid;
	strlcpy(log->schema_name, schema_name, NAMEDATALEN);
	log->owner = relation_owner(relid);
	log->sequence = log_sequence(log->schema, relid);
	relation = relation_open(relid, RowExclusiveLock);
	hc_describe_plain_log(log, relation);
	relation_close(relation, NoLock);
	log->valid = changes_before == changes_seen;
}

/* The log of a schema. */
HcLog *
hc_log(Oid schema)
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
