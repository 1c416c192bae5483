/*-------------------------------------------------------------------------
 * hc_sync.c
 *    Loading of the library.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "hc_sync.h"
#include "utils/guc.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

/*
 * For the administrator: entries of one statement are collected and written
 * together at its end. Off, each is written by an INSERT of its own at once,
 * which is slower and gives the same log; a switch for emergencies and tests.
 */
bool		hc_bulk_capture = true;

/* The one context for all that outlives a call, so that it shows as one line in a dump of memory contexts. */
MemoryContext
hc_memory(void)
{
	static MemoryContext context = NULL;

	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "hc_sync", ALLOCSET_DEFAULT_SIZES);
	return context;
}

void
_PG_init(void)
{
	hc_table_cache_init();
	hc_trigger_log_init();
	hc_guard_init();
	hc_row_event_init();

	/* In this order: the last one registered is called first, and what is pending at a commit must be written before it is announced. */
	hc_announce_init();
	hc_pending_init();
	hc_statement_end_init();

	DefineCustomBoolVariable("hc_sync.bulk_capture",
							 "Collects the log entries of a statement and writes them together at its end.",
							 "Off, each entry is written by an INSERT of its own at once, which is slower and gives the same log.",
							 &hc_bulk_capture, true, PGC_SUSET, 0, NULL, NULL, NULL);
	hc_reserve_settings("hc_sync");
}
