/*-------------------------------------------------------------------------
 * compat.h
 *    What differs between the server versions, and nothing else.
 *-------------------------------------------------------------------------
 */
#ifndef HC_SYNC_COMPAT_H
#define HC_SYNC_COMPAT_H

#if PG_VERSION_NUM >= 160000
#define hc_may_use_schema(schema, role) \
	(object_aclcheck(NamespaceRelationId, schema, role, ACL_USAGE) == ACLCHECK_OK)
#else
#define hc_may_use_schema(schema, role) \
	(pg_namespace_aclcheck(schema, role, ACL_USAGE) == ACLCHECK_OK)
#endif

#if PG_VERSION_NUM >= 170000
#define hc_index_insert_cleanup(index, info) index_insert_cleanup(index, info)
#else
#define hc_index_insert_cleanup(index, info) ((void) 0)
#endif

#if PG_VERSION_NUM >= 150000
#define hc_reserve_settings(prefix) MarkGUCPrefixReserved(prefix)
#else
#define hc_reserve_settings(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

#endif							/* HC_SYNC_COMPAT_H */
