/*-------------------------------------------------------------------------
 * hc_sync.h
 *    What the files of the extension share: the shape of a mapped table,
 *    the trigger log of a schema, the guard, and the text of a row.
 *-------------------------------------------------------------------------
 */
#ifndef HC_SYNC_H
#define HC_SYNC_H

#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/execnodes.h"
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
	char	   *prefix;			/* , "name"=> with quotes and escapes */
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
	bool		has_other_types;	/* some that are written by their output functions */
	int			longest_texts;	/* of an entry so far: what to allocate at once */
	AttrNumber	id;
	Oid			id_type;
	AttrNumber	sfid;
	AttrNumber	last_operation;
	AttrNumber	error;
} HcTable;

/* The columns of a trigger log that capture fills. */
typedef enum HcLogColumn
{
	HC_LOG_ID,
	HC_LOG_TXID,
	HC_LOG_CREATED_AT,
	HC_LOG_STATE,
	HC_LOG_ACTION,
	HC_LOG_TABLE_NAME,
	HC_LOG_RECORD_ID,
	HC_LOG_SFID,
	HC_LOG_OLD,
	HC_LOG_VALUES,
	HC_LOG_COLUMNS				/* how many */
} HcLogColumn;

#define HC_LOG_NAME "_trigger_log"

typedef struct HcLogWriter HcLogWriter;

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
	bool		is_plain;		/* entries can be put into the table without SQL, and nobody could tell */
	char		announcer;		/* tgenabled of our own trigger on a plain log */
	AttrNumber	columns[HC_LOG_COLUMNS];	/* of a plain log */
	bool		has_narrow_ids; /* integer, not bigint */
	bool		has_narrow_records;
	int			longest_sfid;	/* in bytes; 0 without a limit */
	HcLogWriter *writer;
} HcLog;

/* table_cache.c */
extern HcTable *hc_table(Relation relation);

/* An entry of a trigger log that is not written yet. Its texts are varlenas in a buffer, at these offsets; HC_NULL for none. */
#define HC_NULL (-1)
#define HC_TEXT(texts, offset) ((struct varlena *) ((texts) + (offset)))

typedef struct HcEntry
{
	HcLog	   *log;
	SubTransactionId owner;		/* in which the row was changed */
	SubTransactionId written;	/* in which the entry was written, while that is not the owner */
	CommandId	command;		/* in which the row was changed */
	const void *statement;		/* the EState of the statement that is still running and holds the entry back; or NULL */
	int64		id;
	int64		transaction;
	TimestampTz created_at;
	int64		record_id;
	bool		record_id_is_null;
	const char *state;			/* NEW, READONLY or IGNORE; lasting */
	const char *action;			/* lasting */
	int			table_name;
	int			sfid;
	int			old_values;
	int			new_values;
} HcEntry;

/* capture.c */
extern Datum hc_capture(PG_FUNCTION_ARGS);
extern bool hc_capture_early(const void *statement, Relation relation, bool sends, TupleTableSlot *old_row, TupleTableSlot *new_row);

/* row_event.c */
extern void hc_watch_rows(EState *statement);

/* trigger_log.c */
extern HcLog *hc_log(Oid schema);

/* plain_log.c */
extern void hc_describe_plain_log(HcLog *log, Relation relation);
extern bool hc_fits_plain_log(HcLog *log, const HcEntry *entry, const char *texts);

/* plain_write.c */
extern void hc_forget_writer(HcLog *log);
extern void hc_insert_into_plain_log(HcLog *log, Relation relation, HcEntry *entries, int count, const char *texts);

/* log_write.c */
extern void hc_write_entries(HcEntry *entries, int count, const char *texts, bool with_sql);
extern void hc_forget_plan(HcLog *log);

/* pending.c */
extern void hc_add_pending(const HcEntry *entry, const StringInfoData *texts);
extern void hc_flush_pending(void);
extern void hc_release_pending(const void *statement);

/* statement_end.c */
extern bool hc_is_flush_certain(void);
extern void hc_statement_end_init(void);

/* announce.c */
extern void hc_note_growth(Oid schema);
extern Oid	hc_announce_function(void);

/* value_text.c */
extern bool hc_writes_type(Oid type);
extern const char *hc_value_text(HcColumn *column, Datum value, char *room, int *length);
#define HC_VALUE_ROOM 160		/* bytes for a value of a type that hc_writes_type knows, but for text */

/* row_text.c */
extern int	hc_begin_output(HcTable *table);
extern void hc_end_output(int nest_level);
extern int	hc_row_text(StringInfo texts, HcTable *table, TupleTableSlot *row);
extern int	hc_changes_text(StringInfo texts, HcTable *table, TupleTableSlot *old_row, TupleTableSlot *new_row);
extern int	hc_column_text(StringInfo texts, HcTable *table, AttrNumber attnum, TupleTableSlot *row);
extern int	hc_string_text(StringInfo texts, const char *string);

/* guard.c */
extern bool hc_user_is_writing(void);
extern Oid	hc_own_guard(void);

/* set-up of the caches and callbacks, called once by _PG_init */
extern void hc_table_cache_init(void);
extern void hc_trigger_log_init(void);
extern void hc_guard_init(void);
extern void hc_row_event_init(void);
extern void hc_announce_init(void);
extern void hc_pending_init(void);

extern bool hc_bulk_capture;	/* setting hc_sync.bulk_capture */

extern MemoryContext hc_memory(void);

#endif							/* HC_SYNC_H */
