/*-------------------------------------------------------------------------
 * pending.c
 *    Entries that wait to be written together: those of one statement, up to
 *    a limit, and never longer than to the statement's end or to the next
 *    SQL that could look for them in the log, whichever is first.
 *
 *    An entry belongs to the subtransaction that changed the row, its owner,
 *    and must not share the fate of a deeper one in which it happens to be
 *    written. So what is written deeper is kept until that one has ended,
 *    and is written again if it was rolled back.
 *
 *    Entries that a running statement made early are held back until it
 *    finishes, unless the room gets short.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hc_sync.h"
#include "utils/memutils.h"

#define MOST_ENTRIES 1000
#define MOST_BYTES (1024 * 1024)

static HcEntry entries[MOST_ENTRIES];
static int	count = 0;
static int	unwritten = 0;		/* and not held back */
static StringInfoData texts = {0};
static bool is_writing = false;

static void
forget_all(void)
{
	count = 0;
	unwritten = 0;
	is_writing = false;
	texts.len = 0;
	if (texts.maxlen > 2 * MOST_BYTES)
	{
		pfree(texts.data);
		texts.data = NULL;
	}
}

static bool
is_written(const HcEntry *entry)
{
	return entry->written != InvalidSubTransactionId;
}

static bool
is_due(const HcEntry *entry)
{
	return !is_written(entry) && entry->statement == NULL;
}

/* Removes the entries that are done or gone, owner invalid. The texts stay until none is left. */
static void
close_up(void)
{
	int			kept = 0;

	unwritten = 0;
	for (int i = 0; i < count; i++)
	{
		if (entries[i].owner == InvalidSubTransactionId)
			continue;
		if (is_due(&entries[i]))
			unwritten++;
		if (kept != i)
			entries[kept] = entries[i];
		kept++;
	}
	count = kept;
	if (count == 0)
		forget_all();
}

static bool
belong_together(const HcEntry *a, const HcEntry *b)
{
	return is_due(b) && a->log == b->log && a->command == b->command;
}

static void
write_all(void)
{
	SubTransactionId current = GetCurrentSubTransactionId();

	for (int from = 0; from < count;)
	{
		int			to = from + 1;

		if (!is_due(&entries[from]))
		{
			from = to;
			continue;
		}
		while (to < count && belong_together(&entries[from], &entries[to]))
			to++;
		hc_write_entries(&entries[from], to - from, texts.data, false);
		from = to;
	}
	for (int i = 0; i < count; i++)
	{
		if (entries[i].statement != NULL)
			continue;
		if (entries[i].owner == current)
			entries[i].owner = InvalidSubTransactionId;
		else if (!is_written(&entries[i]))
			entries[i].written = current;
	}
	close_up();
}

/* Writes what waits. What an index of the log calls meanwhile, or a trigger that has just been made for it, changes nothing here. */
void
hc_flush_pending(void)
{
	if (unwritten == 0 || is_writing)
		return;
	is_writing = true;
	PG_TRY();
	{
		write_all();
	}
	PG_FINALLY();
	{
		is_writing = false;
	}
	PG_END_TRY();
}

/* Holds back no longer what a statement made early, or any statement. */
static void
release(const void *statement, bool of_all)
{
	for (int i = 0; i < count; i++)
	{
		if (entries[i].statement == NULL || (!of_all && entries[i].statement != statement))
			continue;
		entries[i].statement = NULL;
		unwritten += is_due(&entries[i]);
	}
}

void
hc_release_pending(const void *statement)
{
	release(statement, false);
}

/* Takes an entry whose texts are in a buffer of the caller. Only within a statement at whose end hc_flush_pending is called. */
void
hc_add_pending(const HcEntry *entry, const StringInfoData *its_texts)
{
	HcEntry    *added;
	int			offset;

	if (is_writing)
	{
		HcEntry		alone = *entry;

		hc_write_entries(&alone, 1, its_texts->data, false);
		return;
	}
	if (count == MOST_ENTRIES || texts.len >= MOST_BYTES)
	{
		release(NULL, true);
		hc_flush_pending();
		/* Those that a deeper subtransaction keeps may fill the room; then this one goes its own way. */
		if (count == MOST_ENTRIES || texts.len >= MOST_BYTES)
		{
			HcEntry		alone = *entry;

			hc_write_entries(&alone, 1, its_texts->data, false);
			return;
		}
	}
	if (texts.data == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(hc_memory());

		initStringInfo(&texts);
		MemoryContextSwitchTo(caller);
	}
	offset = MAXALIGN(texts.len);
	enlargeStringInfo(&texts, offset - texts.len + its_texts->len);
	memcpy(texts.data + offset, its_texts->data, its_texts->len);
	texts.len = offset + its_texts->len;

	added = &entries[count];
	*added = *entry;
	added->written = InvalidSubTransactionId;
	added->table_name += offset;
	if (added->sfid != HC_NULL)
		added->sfid += offset;
	if (added->old_values != HC_NULL)
		added->old_values += offset;
	if (added->new_values != HC_NULL)
		added->new_values += offset;
	count++;
	unwritten += is_due(added);
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId ended, SubTransactionId parent, void *argument)
{
	if (count == 0 || (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB))
		return;
	for (int i = 0; i < count; i++)
	{
		HcEntry    *entry = &entries[i];

		if (event == SUBXACT_EVENT_COMMIT_SUB)
		{
			if (entry->owner == ended)
				entry->owner = parent;
			if (entry->written == ended)
				entry->written = parent;
			if (is_written(entry) && entry->written == entry->owner)
				entry->owner = InvalidSubTransactionId;
		}
		else if (entry->owner == ended)
			entry->owner = InvalidSubTransactionId;
		else if (entry->written == ended)
			entry->written = InvalidSubTransactionId;
	}
	close_up();
}

/* Nothing waits when a transaction ends; should it, it is written rather than lost. */
static void
at_transaction_end(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
	{
		Assert(unwritten == 0);
		release(NULL, true);
		hc_flush_pending();
		if (count > 0)
			elog(ERROR, "%d log entries are not written", count);
	}
	else if (event == XACT_EVENT_ABORT)
		forget_all();
}

void
hc_pending_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
}
