/*-------------------------------------------------------------------------
 * hc_sync.h
 *    What the files of the extension share: the shape of a mapped table,
 *    the trigger log of a schema, the guard, and the text of a row.
 *-------------------------------------------------------------------------
 */
#ifndef HC_SYNC_H
#define HC_SYNC_H

#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/rel.h"

/* One captured column, ready to be written. */
typedef struct HcColumn
{
	AttrNumber	attnum;
	Oid			type;
	bool		by_value;
	int16		type_length;
	int			key_length;		/* bytes of the name: hstore sorts by it first */
	char	   *name;
	char	   *prefix;			/* "name"=> with quotes and escapes */
	FmgrInfo	output;
} HcColumn;

/* Shape of a mapped table. */
typedef struct HcTable
{
	Oid			relid;			/* hash key, must be first */
	bool		valid;
	MemoryContext context;		/* holds the columns */
	int			column_count;
	HcColumn   *columns;		/* captured columns in hstore's order */
	AttrNumber	id;
	Oid			id_type;
	AttrNumber	sfid;
	AttrNumber	last_operation;
	AttrNumber	error;
} HcTable;

/* Trigger log of a schema. */
typedef struct HcLog
{
	Oid			schema;			/* hash key, must be first */
	bool		valid;
	Oid			relid;
	Oid			owner;
	Oid			sequence;
	char		schema_name[NAMEDATALEN];
	SPIPlanPtr	plan;
	int			plan_users;		/* nested uses; a plan in use is not freed */
} HcLog;

/* table_cache.c */
extern HcTable *hc_table(Relation relation);

/* trigger_log.c */
typedef struct HcEntry
{
	const char *state;
	const char *action;
	const char *table_name;
	Datum		record_id;		/* int8 */
	bool		record_id_is_null;
	char	   *sfid;			/* null where the log keeps none */
	StringInfo	old_values;
	StringInfo	new_values;
} HcEntry;

extern HcLog *hc_log(Relation relation);
extern void hc_log_append(HcLog *log, const HcEntry *entry);

/* row_text.c */
extern void hc_append_row(StringInfo text, HcTable *table, TupleTableSlot *row);
extern void hc_append_changes(StringInfo text, HcTable *table,
							  TupleTableSlot *old_row, TupleTableSlot *new_row);
extern int	hc_begin_output(void);
extern void hc_end_output(int nest_level);
extern char *hc_column_text(HcTable *table, AttrNumber attnum, TupleTableSlot *row);

/* guard.c */
extern bool hc_user_is_writing(void);

/* set-up of the caches and callbacks, called once by _PG_init */
extern void hc_table_cache_init(void);
extern void hc_trigger_log_init(void);
extern void hc_guard_init(void);
extern void hc_announce_init(void);

extern MemoryContext hc_memory(void);

#endif							/* HC_SYNC_H */
