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
    3: ("refresh, code, introspect, revoke, identity", {
        "refresh with rotation": [HTTP],
        "code with PKCE": [HTTP],
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
        "SOAP: fault text Illegal Session": [ZEEP, PYFORCE],
        "Bulk 1.0: 400 with XML": [BULK],
        "Bulk 1.0: 400 with JSON": [SIMPLE],
        "the client logs in again": [SIMPLE, AIO, BULK, ZEEP, PYFORCE],
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
    14: ("Bulk 1.0 JSON", {
        "concurrencyMode 0 is Parallel": [SIMPLE],
        "JSON replies": [SIMPLE],
        "insert": [SIMPLE],
        "upsert": [SIMPLE],
        "query": [SIMPLE],
    }),
    15: ("Bulk 1.0 XML, CSV, PK chunking", {
        "exact Content-Types": [BULK],
        "PK chunking: the first batch is NotProcessed": [BULK],
        "results in the order of the input": [BULK],
        "no rows: a line of text": [BULK],
        "jobs are closed and aborted": [BULK],
    }),
    16: ("Bulk 2.0 ingest", {
        "201 on PUT": [SIMPLE],
        "unprocessedRecords in the client's spelling": [SIMPLE],
        "#N/A sets null, empty leaves unchanged": [SIMPLE],
        "CRLF job": [SIMPLE],
        "failed records": [SIMPLE],
        "insert, upsert, update, delete": [SIMPLE],
        "errorMessage of a failed job": [SIMPLE],
    }),
    17: ("Bulk 2.0 query", {
        "Sforce-Locator null at the end": [SIMPLE],
        "header on every page": [SIMPLE],
        "Sforce-NumberOfRecords": [SIMPLE],
        "download": [SIMPLE],
    }),
    19: ("faults by switch", {
        "UNABLE_TO_LOCK_ROW on the k-th row": [SIMPLE, ZEEP, BULK],
        "REQUEST_LIMIT_EXCEEDED of the day": [SIMPLE, AIO],
        "REQUEST_LIMIT_EXCEEDED of long calls": [SIMPLE],
        "503 with HTML": [SIMPLE, AIO],
        "503 with JSON": [SIMPLE, AIO],
        "QUERY_TIMEOUT": [SIMPLE],
        "INVALID_QUERY_LOCATOR": [SIMPLE],
        "slow reply": [SIMPLE],
        "connection cut within the body": [SIMPLE],
        "late commit": [SIMPLE],
    }),
    20: ("data", {
        "NUL": [SIMPLE, ZEEP, BULK],
        "emoji": [SIMPLE, ZEEP, BULK],
        "CR LF": [SIMPLE, ZEEP, BULK],
        "131,072 characters": [SIMPLE, ZEEP, BULK],
        "18 digits": [SIMPLE, ZEEP, BULK],
        "quotes in CSV": [SIMPLE, ZEEP, BULK],
        "ids of 15 characters": [SIMPLE, ZEEP, BULK],
    }),
}
