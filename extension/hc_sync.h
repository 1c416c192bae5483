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
#include "utils/timestamp.h"

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
	int			prefix_length;
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
	bool		entries_may_wait;	/* no trigger of a user could look for them before the statement ends */
} HcTable;

/* The columns of a trigger log that an entry fills. */
enum
{
	HC_LOG_ID, HC_LOG_TXID, HC_LOG_CREATED_AT, HC_LOG_UPDATED_AT, HC_LOG_STATE, HC_LOG_ACTION, HC_LOG_TABLE_NAME,
	HC_LOG_RECORD_ID, HC_LOG_SFID, HC_LOG_OLD, HC_LOG_VALUES, HC_LOG_COLUMNS
};

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
	bool		direct;			/* entries can go straight into the table */
	char		announcer;		/* tgenabled of the trigger that announces, if direct */
	struct
	{
		AttrNumber	attnum;
		Oid			type;
		int32		length;		/* in characters; -1 for any */
	}			columns[HC_LOG_COLUMNS];
} HcLog;

/* One entry. The texts live as long as the call, or as long as the entry waits. */
typedef struct HcEntry
{
	int64		id;
	int64		txid;
	TimestampTz created_at;
	text	   *state;
	text	   *action;
	text	   *table_name;
	int64		record_id;
	bool		record_id_is_null;
	text	   *sfid;			/* null where the log keeps none */
	text	   *old_values;
	text	   *new_values;
} HcEntry;

/* table_cache.c */
extern HcTable *hc_table(Relation relation);

/* trigger_log.c */
extern HcLog *hc_log(Relation relation);
extern HcLog *hc_log_of_schema(Oid schema);
extern void hc_log_append(HcLog *log, HcEntry *entry, bool may_wait);
extern void hc_log_write(HcLog *log, HcEntry *const *entries, int count);

/* log_table.c */
extern void hc_log_table_learn(HcLog *log);
extern bool hc_log_takes(HcLog *log, const HcEntry *entry);
extern void hc_log_table_write(HcLog *log, HcEntry *const *entries, int count);

/* pending.c */
extern bool hc_may_wait(void);
extern void hc_wait(HcLog *log, const HcEntry *entry);

/* capture.c */
extern bool hc_is_capture(Oid function);

/* announce.c */
extern bool hc_is_announcer(Oid function);
extern void hc_note_growth(Oid schema);

/* row_text.c */
extern text *hc_row_text(HcTable *table, TupleTableSlot *row);
extern text *hc_changes_text(HcTable *table, TupleTableSlot *old_row, TupleTableSlot *new_row);
extern int	hc_begin_output(void);
extern void hc_end_output(int nest_level);
extern text *hc_column_text(HcTable *table, AttrNumber attnum, TupleTableSlot *row);

/* guard.c */
extern bool hc_user_is_writing(void);

/* set-up of the caches and callbacks, called once by _PG_init */
extern void hc_table_cache_init(void);
extern void hc_trigger_log_init(void);
extern void hc_guard_init(void);
extern void hc_announce_init(void);
extern void hc_pending_init(void);

extern MemoryContext hc_memory(void);

#endif							/* HC_SYNC_H */
