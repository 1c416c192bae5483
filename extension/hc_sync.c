/*-------------------------------------------------------------------------
 * hc_sync.c
 *    Loading of the library.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hc_sync.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

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
	hc_announce_init();
	hc_pending_init();
}
