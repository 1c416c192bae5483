"""The checklist of the wire reference (10.2): what must hold, row by row, and which published clients have to see it."""

SIMPLE = "simple-salesforce"
BULK = "salesforce-bulk"
STREAM = "aiosfstream-ng"
ZEEP = "zeep"
PYFORCE = "pyforce"
AIO = "aiosalesforce"
HTTP = "plain HTTP"

CHECKLIST = {
    1: ("token JWT", {
        "exp as a JSON string is accepted": [SIMPLE],
        "RS256 is verified": [SIMPLE],
        "the reply has access_token and instance_url": [SIMPLE, AIO],
    }),
    2: ("token client credentials", {
        "HTTP Basic form": [SIMPLE],
        "body form": [AIO],
    }),
    3: ("token refresh, introspect, revoke, who am I", {
        "refresh with rotation": [HTTP],
        "introspect": [HTTP],
        "revoke": [HTTP],
        "userinfo": [HTTP],
        "identity URL": [HTTP],
        "error JSON": [HTTP],
    }),
    4: ("SOAP login", {
        "results without a prefix": [SIMPLE],
        "HTTP 500 with sf:exceptionCode": [SIMPLE],
    }),
    5: ("expired token", {
        "REST: 401 with an array": [SIMPLE],
        "Bulk 2.0: 401 with an array": [SIMPLE],
        "SOAP: fault text Illegal Session": [PYFORCE],
        "Bulk 1.0: 400 with XML": [BULK],
        "Bulk 1.0: 400 with JSON": [SIMPLE],
        "the client logs in again": [SIMPLE, AIO, BULK, PYFORCE],
    }),
    6: ("versions, describe", {
        "versions need no token": [SIMPLE],
        "describeGlobal has the keys of 2.4": [SIMPLE],
        "describe has the keys of 2.5": [SIMPLE],
        "describe fields have the keys of 2.5": [SIMPLE],
        "SOAP describe in the order of 10.3": [PYFORCE],
    }),
    7: ("query, paging", {
        "pages of 2,000": [SIMPLE, AIO],
        "batchSize from 200 to 2,000": [SIMPLE],
        "nextRecordsUrl is relative": [SIMPLE],
        "the last page has no nextRecordsUrl": [SIMPLE, AIO],
        "include_deleted": [SIMPLE, AIO],
    }),
    8: ("SOQL errors", {
        "bad field: INVALID_FIELD": [SIMPLE],
        "bad type: INVALID_TYPE": [SIMPLE],
        "quoted dateTime: INVALID_FIELD": [SIMPLE],
        "AND with OR: MALFORMED_QUERY with row and column": [SIMPLE],
    }),
    9: ("CRUD", {
        "201 on create": [SIMPLE],
        "200 on get": [SIMPLE],
        "204 on update and delete": [SIMPLE],
        "300 lists the records": [SIMPLE],
        "404": [SIMPLE],
        "upsert body from 46.0": [SIMPLE],
        "upsert body before 46.0": [SIMPLE],
        "get by external id": [SIMPLE],
    }),
    10: ("collections, composite", {
        "results in the order of the request": [SIMPLE],
        "at most 10 chunks": [SIMPLE],
        "at most 200 records": [SIMPLE],
        "allOrNone rolls back, in its words": [SIMPLE],
        "composite": [SIMPLE],
    }),
    11: ("updated, deleted", {
        "%2B00%3A00 is read": [SIMPLE],
        "seconds are cut to the minute": [SIMPLE],
        "INVALID_REPLICATION_DATE": [SIMPLE],
        "deleted": [SIMPLE],
    }),
    12: ("limits", {
        "DailyBulkApiBatches is there": [SIMPLE],
        "short form of Sforce-Limit-Info": [SIMPLE],
    }),
    13: ("SOAP DML, query", {
        "the WSDL is read": [ZEEP],
        "results in the order of the request": [ZEEP],
        "results in the order of the schema": [ZEEP],
        "null is xsi:nil": [ZEEP],
        "Id comes twice": [ZEEP],
        "fieldsToNull": [ZEEP],
        "queryMore": [ZEEP],
        "upsert": [ZEEP],
        "getUpdated, getDeleted": [ZEEP],
        "retrieve": [ZEEP],
        "pyforce reads it too": [PYFORCE],
    }),
    17: ("Bulk 2.0 query", {
        "Sforce-Locator null at the end": [SIMPLE],
        "header on every page": [SIMPLE],
        "Sforce-NumberOfRecords": [SIMPLE],
        "download": [SIMPLE],
    }),
}
