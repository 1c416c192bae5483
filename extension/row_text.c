/*-------------------------------------------------------------------------
 * row_text.c
 *    A row as the text that hstore would give, built from the tuple without
 *    an hstore between. The texts of an entry follow each other in one
 *    buffer, each a varlena, so that none is copied to become a value.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hc_sync.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/memutils.h"

/*
 * The log holds ISO dates and shortest round-trip floats whatever the
 * application set. Answers what hc_end_output needs; 0 if nothing differed.
 */
int
hc_begin_output(HcTable *table)
{
	int			nest_level;

	if (!table->has_other_types || (DateStyle == USE_ISO_DATES && extra_float_digits > 0))
		return 0;
	nest_level = NewGUCNestLevel();
	(void) set_config_option("datestyle", "ISO", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("extra_float_digits", "1", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return nest_level;
}

/* After an error the abort of the transaction does this instead. */
void
hc_end_output(int nest_level)
{
	if (nest_level > 0)
		AtEOXact_GUC(true, nest_level);
}

/* Begins a varlena and answers its offset. */
static int
begin_text(StringInfo texts)
{
	int			offset = INTALIGN(texts->len);

	enlargeStringInfo(texts, offset - texts->len + VARHDRSZ);
	texts->len = offset + VARHDRSZ;
	return offset;
}

static int
end_text(StringInfo texts, int offset)
{
	SET_VARSIZE(texts->data + offset, texts->len - offset);
	return offset;
}

static char *
append_escaped(char *to, const char *value, int length)
{
	for (const char *end = value + length; value < end; value++)
	{
		if (*value == '"' || *value == '\\')
			*to++ = '\\';
		*to++ = *value;
	}
	return to;
}

static void
append_pair(StringInfo texts, int begin, HcColumn *column, Datum value, bool is_null)
{
	int			skipped = texts->len == begin + VARHDRSZ ? 2 : 0;	/* ", " before the first */
	char		room[HC_VALUE_ROOM];
	const char *text = "NULL";
	int			length = 4;
	char	   *to;

	if (!is_null)
		text = hc_value_text(column, value, room, &length);
	if (length > MaxAllocSize / 2 - column->prefix_length - 2)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("value of column \"%s\" is too long for the trigger log", column->name));
	enlargeStringInfo(texts, column->prefix_length + 2 * length + 2);
	to = texts->data + texts->len;
	memcpy(to, column->prefix + skipped, column->prefix_length - skipped);
	to += column->prefix_length - skipped;
	if (!is_null)
		*to++ = '"';
	if (memchr(text, '"', length) == NULL && memchr(text, '\\', length) == NULL)
	{
		memcpy(to, text, length);
		to += length;
	}
	else
		to = append_escaped(to, text, length);
	if (!is_null)
		*to++ = '"';
	texts->len = to - texts->data;
}

/* Same image means same text; different images may still have the same text, and the text decides. */
static bool
is_unchanged(HcColumn *column, Datum old_value, bool old_is_null, Datum new_value, bool new_is_null)
{
	char		old_room[HC_VALUE_ROOM];
	char		new_room[HC_VALUE_ROOM];
	const char *old_text;
	const char *new_text;
	int			old_length;
	int			new_length;

	if (old_is_null || new_is_null)
		return old_is_null && new_is_null;
	if (datum_image_eq(old_value, new_value, column->by_value, column->type_length))
		return true;
	old_text = hc_value_text(column, old_value, old_room, &old_length);
	new_text = hc_value_text(column, new_value, new_room, &new_length);
	return old_length == new_length && memcmp(old_text, new_text, old_length) == 0;
}

/* All captured columns. */
int
hc_row_text(StringInfo texts, HcTable *table, TupleTableSlot *row)
{
	int			begin = begin_text(texts);

	slot_getallattrs(row);
	for (int i = 0; i < table->column_count; i++)
	{
		HcColumn   *column = &table->columns[i];

		append_pair(texts, begin, column, row->tts_values[column->attnum - 1], row->tts_isnull[column->attnum - 1]);
	}
	return end_text(texts, begin);
}

/* The captured columns whose values differ, with their new values. */
int
hc_changes_text(StringInfo texts, HcTable *table, TupleTableSlot *old_row, TupleTableSlot *new_row)
{
	int			begin = begin_text(texts);

	slot_getallattrs(old_row);
	slot_getallattrs(new_row);
	for (int i = 0; i < table->column_count; i++)
	{
		HcColumn   *column = &table->columns[i];
		int			at = column->attnum - 1;

		if (!is_unchanged(column, old_row->tts_values[at], old_row->tts_isnull[at],
						  new_row->tts_values[at], new_row->tts_isnull[at]))
			append_pair(texts, begin, column, new_row->tts_values[at], new_row->tts_isnull[at]);
	}
	return end_text(texts, begin);
}

/* One text column of a row. */
int
hc_column_text(StringInfo texts, HcTable *table, AttrNumber attnum, TupleTableSlot *row)
{
	bool		is_null;
	Datum		value = slot_getattr(row, attnum, &is_null);
	struct varlena *packed;
	int			begin;

	if (is_null)
		return HC_NULL;
	packed = PG_DETOAST_DATUM_PACKED(value);
	begin = begin_text(texts);
	appendBinaryStringInfo(texts, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
	return end_text(texts, begin);
}

int
hc_string_text(StringInfo texts, const char *string)
{
	int			begin = begin_text(texts);

	appendBinaryStringInfo(texts, string, strlen(string));
	return end_text(texts, begin);
}
