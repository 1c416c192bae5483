/*-------------------------------------------------------------------------
 * value_text.c
 *    A value as PostgreSQL's output of its type. The types that Salesforce's
 *    fields have are written here, byte for byte as their output functions
 *    write them under datestyle ISO and extra_float_digits 1, but without a
 *    call and a copy for each; all other types by their output function.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "datatype/timestamp.h"
#include "hc_sync.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

StaticAssertDecl(HC_VALUE_ROOM >= MAXDATELEN + 1, "room for a timestamp");

bool
hc_writes_type(Oid type)
{
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BOOLOID:
		case INT4OID:
		case INT8OID:
		case FLOAT8OID:
		case DATEOID:
		case TIMESTAMPOID:
			return true;
		default:
			return false;
	}
}

static void
write_date(DateADT date, char *room)
{
	struct pg_tm tm;

	if (DATE_NOT_FINITE(date))
	{
		EncodeSpecialDate(date, room);
		return;
	}
	j2date(date + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	EncodeDateOnly(&tm, USE_ISO_DATES, room);
}

static void
write_timestamp(Timestamp timestamp, char *room)
{
	struct pg_tm tm;
	fsec_t		fraction;

	if (TIMESTAMP_NOT_FINITE(timestamp))
		EncodeSpecialTimestamp(timestamp, room);
	else if (timestamp2tm(timestamp, NULL, &tm, &fraction, NULL, NULL) == 0)
		EncodeDateTime(&tm, fraction, false, 0, NULL, USE_ISO_DATES, room);
	else
		ereport(ERROR,
				errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				errmsg("timestamp out of range"));
}

/* The text of a value that is not null, in room, in the value itself, or in the current memory context; not terminated. */
const char *
hc_value_text(HcColumn *column, Datum value, char *room, int *length)
{
	char	   *output = room;

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
		case INT4OID:
			*length = pg_ltoa(DatumGetInt32(value), room);
			return room;
		case INT8OID:
			*length = pg_lltoa(DatumGetInt64(value), room);
			return room;
		case FLOAT8OID:
			*length = double_to_shortest_decimal_buf(DatumGetFloat8(value), room);
			return room;
		case DATEOID:
			write_date(DatumGetDateADT(value), room);
			break;
		case TIMESTAMPOID:
			write_timestamp(DatumGetTimestamp(value), room);
			break;
		default:
			output = OutputFunctionCall(&column->output, value);
	}
	*length = strlen(output);
	return output;
}
