/*-------------------------------------------------------------------------
 * table_cache.c
 *    The shape of a mapped table: which columns are captured, in which
 *    order, and how each becomes text. Built on first use; a change of the
 *    table only marks it, and the next use builds it again.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "hc_sync.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* What the name of a column begins with that will take another's place; hc_new_column() in SQL says the same. */
#define HC_NEW_COLUMN "_hc_new_"

static HTAB *tables = NULL;
static uint64 changes_seen = 0;

static void
mark_changed(Datum argument, Oid relid)
{
	HASH_SEQ_STATUS scan;
	HcTable    *table;

	changes_seen++;
	if (OidIsValid(relid))
	{
		table = hash_search(tables, &relid, HASH_FIND, NULL);
		if (table != NULL)
			table->valid = false;
		return;
	}
	hash_seq_init(&scan, tables);
	while ((table = hash_seq_search(&scan)) != NULL)
		table->valid = false;
}

void
hc_table_cache_init(void)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(HcTable);
	control.hcxt = hc_memory();
	tables = hash_create("hc_sync tables", 32, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(mark_changed, (Datum) 0);
}

/* hstore keeps shorter keys first and equally long ones by their bytes. */
static int
compare_columns(const void *left, const void *right)
{
	const HcColumn *a = left;
	const HcColumn *b = right;

	if (a->key_length != b->key_length)
		return a->key_length < b->key_length ? -1 : 1;
	return memcmp(a->name, b->name, a->key_length);
}

static char *
column_prefix(const char *name)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, ", \"");
	for (const char *p = name; *p != '\0'; p++)
	{
		if (*p == '"' || *p == '\\')
			appendStringInfoChar(&text, '\\');
		appendStringInfoChar(&text, *p);
	}
	appendStringInfoString(&text, "\"=>");
	return text.data;
}

static void
describe_column(HcColumn *column, Form_pg_attribute attribute, MemoryContext context)
{
	Oid			output_function;
	bool		is_varlena;

	column->attnum = attribute->attnum;
	column->type = attribute->atttypid;
	column->by_value = attribute->attbyval;
	column->type_length = attribute->attlen;
	column->name = pstrdup(NameStr(attribute->attname));
	column->key_length = strlen(column->name);
	column->prefix = column_prefix(column->name);
	column->prefix_length = strlen(column->prefix);
	getTypeOutputInfo(attribute->atttypid, &output_function, &is_varlena);
	fmgr_info_cxt(output_function, &column->output, context);
}

static AttrNumber
required_column(TupleDesc descriptor, Relation relation, const char *name, bool is_integer, Oid *type)
{
	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), name) != 0)
			continue;
		*type = getBaseType(attribute->atttypid);	/* a domain serves as well */
		if (is_integer ? *type == INT4OID || *type == INT8OID : *type == VARCHAROID || *type == TEXTOID)
			return attribute->attnum;
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("column \"%s\" of table \"%s\" must be of type %s", name, RelationGetRelationName(relation),
					   is_integer ? "integer or bigint" : "character varying or text"),
				errdetail("Capture needs it as Heroku Connect made it."));
	}
	ereport(ERROR,
			errcode(ERRCODE_UNDEFINED_COLUMN),
			errmsg("column \"%s\" of table \"%s\" does not exist", name, RelationGetRelationName(relation)),
			errdetail("A mapped table has the columns id, sfid, _hc_lastop and _hc_err."),
			errhint("Add the column, or drop the triggers of this table."));
}

static void
describe_table(HcTable *table, Relation relation)
{
	TupleDesc	descriptor = RelationGetDescr(relation);
	uint64		changes_before = changes_seen;
	Oid			type;
	MemoryContext caller;

	table->valid = false;
	if (table->context != NULL)
		MemoryContextReset(table->context);
	else
		table->context = AllocSetContextCreate(hc_memory(), "hc_sync table", ALLOCSET_SMALL_SIZES);

	table->id = required_column(descriptor, relation, "id", true, &table->id_type);
	table->sfid = required_column(descriptor, relation, "sfid", false, &type);
	table->last_operation = required_column(descriptor, relation, "_hc_lastop", false, &type);
	table->error = required_column(descriptor, relation, "_hc_err", false, &type);

	caller = MemoryContextSwitchTo(table->context);
	table->columns = palloc0(sizeof(HcColumn) * descriptor->natts);
	table->column_count = 0;
	table->has_other_types = false;
	for (int i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);

		if (attribute->attisdropped ||
			attribute->attnum == table->last_operation || attribute->attnum == table->error)
			continue;
		/* A column that is being filled to take another's place is no field yet. */
		if (strncmp(NameStr(attribute->attname), HC_NEW_COLUMN, strlen(HC_NEW_COLUMN)) == 0)
			continue;
		if (!hc_writes_type(attribute->atttypid))
			table->has_other_types = true;
		describe_column(&table->columns[table->column_count++], attribute, table->context);
	}
	qsort(table->columns, table->column_count, sizeof(HcColumn), compare_columns);
	MemoryContextSwitchTo(caller);

	/* Good for this call in any case: the table is locked. What changed meanwhile is read at the next one. */
	table->valid = changes_before == changes_seen;
}

/* The shape of a table that the caller has locked. Valid until the caller runs SQL. */
HcTable *
hc_table(Relation relation)
{
	Oid			relid = RelationGetRelid(relation);
	bool		found;
	HcTable    *table = hash_search(tables, &relid, HASH_ENTER, &found);

	if (!found)
	{
		table->valid = false;
		table->context = NULL;
		table->longest_texts = 0;
	}
	if (!table->valid)
		describe_table(table, relation);
	return table;
}
