/*-------------------------------------------------------------------------
 * row_text.c
 *    A row as the text that hstore would give, built from the tuple without
 *    an hstore between. The values are PostgreSQL's output of each type.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "hc_sync.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/guc.h"

#define LONGEST_SCRATCH (256 * 1024)

/*
 * The log holds ISO dates and shortest round-trip floats whatever the
 * application set. Answers what hc_end_output needs; 0 if nothing differed.
 */
int
hc_begin_output(void)
{
	int			nest_level;

	if (DateStyle == USE_ISO_DATES && extra_float_digits > 0)
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

static void
append_quoted(StringInfo text, const char *value, int length)
{
	const char *end = value + length;

	enlargeStringInfo(text, length + 2);
	appendStringInfoCharMacro(text, '"');
	while (value < end)
	{
		const char *plain = value;

		while (value < end && *value != '"' && *value != '\\')
			value++;
		appendBinaryStringInfo(text, plain, value - plain);
		if (value < end)
		{
			appendStringInfoChar(text, '\\');
			appendStringInfoChar(text, *value++);
		}
	}
	appendStringInfoChar(text, '"');
}

/* The output of one value that is not null; not terminated where it points into the tuple. */
static const char *
value_text(HcColumn *column, Datum value, int *length)
{
	char	   *output;

	switch (column->type)
	{
		case TEXTOID:
		case VARCHAROID:
			{
				struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);

				*length = VARSIZE_ANY_EXHDR(packed);
				return VARDATA_ANY(packed);
			}
		case BOOLOID:
			*length = 1;
			return DatumGetBool(value) ? "t" : "f";
		default:
			output = OutputFunctionCall(&column->output, value);
			*length = strlen(output);
			return output;
	}
}

static void
append_pair(StringInfo text, HcColumn *column, Datum value, bool is_null)
{
	const char *output;
	int			length;

	if (text->len > 0)
		appendBinaryStringInfo(text, ", ", 2);
	appendBinaryStringInfo(text, column->prefix, column->prefix_length);
	if (is_null)
	{
		appendBinaryStringInfo(text, "NULL", 4);
		return;
	}
	output = value_text(column, value, &length);
	append_quoted(text, output, length);
}

/* Same image means same text; different images may still have the same text, and the text decides. */
static bool
is_unchanged(HcColumn *column, Datum old_value, bool old_is_null, Datum new_value, bool new_is_null)
{
	const char *old_text;
	const char *new_text;
	int			old_length;
	int			new_length;

	if (old_is_null || new_is_null)
		return old_is_null && new_is_null;
	if (datum_image_eq(old_value, new_value, column->by_value, column->type_length))
		return true;
	old_text = value_text(column, old_value, &old_length);
	new_text = value_text(column, new_value, &new_length);
	return old_length == new_length && memcmp(old_text, new_text, old_length) == 0;
}

/* A text to append to, whose length is filled in at the end. It is kept from row to row, unless one was very long. */
static StringInfo
begin_text(void)
{
	static StringInfoData scratch = {0};

	if (scratch.data != NULL && scratch.maxlen > LONGEST_SCRATCH)
	{
		pfree(scratch.data);
		scratch.data = NULL;
	}
	if (scratch.data == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(hc_memory());

		initStringInfo(&scratch);
		MemoryContextSwitchTo(caller);
	}
	resetStringInfo(&scratch);
	return &scratch;
}

/* All captured columns. */
text *
hc_row_text(HcTable *table, TupleTableSlot *row)
{
	StringInfo	text = begin_text();

	slot_getallattrs(row);
	for (int i = 0; i < table->column_count; i++)
	{
		HcColumn   *column = &table->columns[i];

		append_pair(text, column, row->tts_values[column->attnum - 1], row->tts_isnull[column->attnum - 1]);
	}
	return cstring_to_text_with_len(text->data, text->len);
}

/* The captured columns whose values differ, with their new values. */
text *
hc_changes_text(HcTable *table, TupleTableSlot *old_row, TupleTableSlot *new_row)
{
	StringInfo	text = begin_text();

	slot_getallattrs(old_row);
	slot_getallattrs(new_row);
	for (int i = 0; i < table->column_count; i++)
	{
		HcColumn   *column = &table->columns[i];
		int			at = column->attnum - 1;

		if (!is_unchanged(column, old_row->tts_values[at], old_row->tts_isnull[at],
						  new_row->tts_values[at], new_row->tts_isnull[at]))
			append_pair(text, column, new_row->tts_values[at], new_row->tts_isnull[at]);
	}
	return cstring_to_text_with_len(text->data, text->len);
}

/* One text column of a row; null if it is null. */
text *
hc_column_text(HcTable *table, AttrNumber attnum, TupleTableSlot *row)
{
	bool		is_null;
	Datum		value = slot_getattr(row, attnum, &is_null);

	return is_null ? NULL : DatumGetTextPP(value);
}
