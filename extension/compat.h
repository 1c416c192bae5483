/*-------------------------------------------------------------------------
 * compat.h
 *    What differs between the versions of the server, in one place.
 *-------------------------------------------------------------------------
 */
#ifndef HC_COMPAT_H
#define HC_COMPAT_H

#include "executor/executor.h"

/* Index entries of a new row, of every index. */
static inline List *
hc_insert_index_tuples(ResultRelInfo *relation, TupleTableSlot *row, EState *state)
{
#if PG_VERSION_NUM >= 160000
	return ExecInsertIndexTuples(relation, row, state, false, false, NULL, NIL, false);
#else
	return ExecInsertIndexTuples(relation, row, state, false, false, NULL, NIL);
#endif
}

#endif							/* HC_COMPAT_H */
