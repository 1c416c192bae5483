/*-------------------------------------------------------------------------
 * plain_log.c
 *    What makes a trigger log plain, so that entries go straight into it: a
 *    log as we made it, or with indexes and nullable columns of the user.
 *    Whatever else an INSERT would do there (triggers, rules, defaults,
 *    checks, policies, partitions, deferred keys) makes the log not plain.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "hc_sync.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#define LONGEST_STATE 8
#define LONGEST_ACTION 6

static const char *const column_names[HC_LOG_COLUMNS] = {
	"id", "txid", "created_at", "state", "action", "table_name", "record_id", "sfid", "old", "values"
};

/* The most bytes that certainly fit into a text column, whatever the characters; 0 if all do, -1 if it is no text column. */
static int
text_limit(Form_pg_attribute attribute)
{
	if (attribute->atttypid == TEXTOID || (attribute->atttypid == VARCHAROID && attribute->atttypmod < 0))
		return 0;
	return attribute->atttypid == VARCHAROID ? attribute->atttypmod - VARHDRSZ : -1;
}

static bool
holds(Form_pg_attribute attribute, int length)
{
	int			limit = text_limit(attribute);

	return limit == 0 || limit >= length;
}

static bool
fits_integer(Form_pg_attribute attribute, bool *is_narrow)
{
	*is_narrow = attribute->atttypid == INT4OID;
	return attribute->atttypid == INT4OID || attribute->atttypid == INT8OID;
}

static bool
describe_column(HcLog *log, HcLogColumn column, Form_pg_attribute attribute)
{
	log->columns[column] = attribute->attnum;
	switch (column)
	{
		case HC_LOG_ID:
			return fits_integer(attribute, &log->has_narrow_ids);
		case HC_LOG_TXID:
			return attribute->atttypid == INT8OID;
		case HC_LOG_CREATED_AT:
			return attribute->atttypid == TIMESTAMPTZOID;
		case HC_LOG_STATE:
			return holds(attribute, LONGEST_STATE);
		case HC_LOG_ACTION:
			return holds(attribute, LONGEST_ACTION);
		case HC_LOG_TABLE_NAME:
			return holds(attribute, NAMEDATALEN);
		case HC_LOG_RECORD_ID:
			return fits_integer(attribute, &log->has_narrow_records) && !attribute->attnotnull;
		case HC_LOG_SFID:
			log->longest_sfid = text_limit(attribute);
			return log->longest_sfid >= 0 && !attribute->attnotnull;
		default:
			return text_limit(attribute) == 0 && !attribute->attnotnull;
	}
}

/* Columns that we do not know stay null, which only a nullable column without a default takes as an INSERT would. */
static bool
has_plain_columns(HcLog *log, TupleDesc descriptor)
{
	int			found = 0;
	bool		has_updated_at = false;

	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
		int			column = 0;

		if (attribute->attisdropped)
			continue;
		if (attribute->attidentity != '\0' || attribute->attgenerated != '\0')
			return false;
		while (column < HC_LOG_COLUMNS && strcmp(NameStr(attribute->attname), column_names[column]) != 0)
			column++;
		if (column < HC_LOG_COLUMNS)
		{
			if (!describe_column(log, column, attribute))
				return false;
			found++;
		}
		else if (strcmp(NameStr(attribute->attname), "updated_at") == 0)
		{
			/* An INSERT sets it to null, whatever its default. A domain might refuse that. */
			if (attribute->attnotnull || attribute->atttypid >= FirstNormalObjectId)
				return false;
			has_updated_at = true;
		}
		else if (attribute->attnotnull || attribute->atthasdef || get_typtype(attribute->atttypid) == TYPTYPE_DOMAIN)
			return false;
	}
	return found == HC_LOG_COLUMNS && has_updated_at &&
		(descriptor->constr == NULL || descriptor->constr->num_check == 0);
}

/* No trigger but ours, which notes that the log has grown; a disabled one is none, unless it could be enabled by the session's role. */
static bool
has_plain_triggers(HcLog *log, TriggerDesc *triggers)
{
	Oid			announce = InvalidOid;

	log->announcer = TRIGGER_DISABLED;
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (trigger->tgenabled == TRIGGER_DISABLED || !TRIGGER_FOR_INSERT(trigger->tgtype))
			continue;
		if (!OidIsValid(announce))
			announce = hc_announce_function();
		if (trigger->tgfoid != announce || log->announcer != TRIGGER_DISABLED || !TRIGGER_FOR_AFTER(trigger->tgtype) ||
			trigger->tgqual != NULL || trigger->tgdeferrable || trigger->tgnewtable != NULL)
			return false;
		log->announcer = trigger->tgenabled;
	}
	return true;
}

/* Keys that are checked at once, as the table is written. */
static bool
has_plain_indexes(Relation relation)
{
	ListCell   *cell;
	List	   *indexes = RelationGetIndexList(relation);

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		bool		is_plain = index->rd_index->indimmediate && !index->rd_index->indisexclusion;

		index_close(index, AccessShareLock);
		if (!is_plain)
			return false;
	}
	list_free(indexes);
	return true;
}

void
hc_describe_plain_log(HcLog *log, Relation relation)
{
	Form_pg_class form = relation->rd_rel;

	hc_forget_writer(log);
	log->is_plain = form->relkind == RELKIND_RELATION && !form->relispartition && !form->relrowsecurity && !form->relhasrules &&
		pg_class_aclcheck(log->relid, log->owner, ACL_INSERT) == ACLCHECK_OK && hc_may_use_schema(log->schema, log->owner) &&
		has_plain_columns(log, RelationGetDescr(relation)) && has_plain_triggers(log, relation->trigdesc) &&
		has_plain_indexes(relation);
}

static bool
is_narrow(int64 value)
{
	return value >= PG_INT32_MIN && value <= PG_INT32_MAX;
}

/* What does not fit gets the error that an INSERT gives, from one. */
bool
hc_fits_plain_log(HcLog *log, const HcEntry *entry, const char *texts)
{
	return log->is_plain &&
		(!log->has_narrow_ids || is_narrow(entry->id)) &&
		(!log->has_narrow_records || is_narrow(entry->record_id)) &&
		(log->longest_sfid == 0 || entry->sfid == HC_NULL ||
		 VARSIZE(HC_TEXT(texts, entry->sfid)) - VARHDRSZ <= log->longest_sfid);
}
