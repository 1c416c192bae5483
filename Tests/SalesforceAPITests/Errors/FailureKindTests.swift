import HTTPTransport
import Testing

@testable import SalesforceAPI

/// Every code of a request (API reference 7.1, 7.4), with the class that the reference gives it, as SOAP and REST answer it.
@Suite("kinds of failure")
struct FailureKindTests {
    private typealias Row = (codes: String, soap: Disposition, rest: Disposition, kind: FailureKind)

    private static let table: [Row] = [
        // S: a new token, once; then a person.
        ("INVALID_SESSION_ID INVALID_AUTH_HEADER ORG_NOT_OWNED_BY_INSTANCE", .needsSession, .needsSession, .login),
        // C: the login.
        (
            "LOGIN_CHALLENGE_ISSUED LOGIN_CHALLENGE_PENDING LOGIN_DURING_RESTRICTED_DOMAIN LOGIN_DURING_RESTRICTED_TIME LOGIN_MUST_USE_SECURITY_TOKEN INVALID_LOGIN "
                + "PASSWORD_LOCKOUT INVALID_OPERATION_WITH_EXPIRED_PASSWORD INVALID_NEW_PASSWORD INVALID_OLD_PASSWORD MUTUAL_AUTHENTICATION_FAILED INVALID_SSO_GATEWAY_URL "
                + "TXN_SECURITY_NO_ACCESS TXN_SECURITY_END_A_SESSION TXN_SECURITY_TWO_FA_REQUIRED INACTIVE_OWNER_OR_USER INACTIVE_PORTAL",
            .configuration, .configuration, .login
        ),
        // C: the org.
        ("TRIAL_EXPIRED ORG_IS_DOT_ORG", .configuration, .configuration, .inactive),
        (
            "API_DISABLED_FOR_ORG CLIENT_NOT_ACCESSIBLE_FOR_USER CLIENT_REQUIRE_UPDATE_FOR_USER INVALID_CLIENT UNSUPPORTED_CLIENT UNSUPPORTED_API_VERSION INVALID_PACKAGE_VERSION",
            .configuration, .configuration, .organization
        ),
        // C: the mapping, rights, schema.
        (
            "INVALID_FIELD INVALID_TYPE ENTITY_NOT_QUERYABLE INVALID_TYPE_FOR_OPERATION NOT_FOUND INVALID_CROSS_REFERENCE_KEY FUNCTIONALITY_NOT_ENABLED INSUFFICIENT_ACCESS "
                + "QUERY_TOO_COMPLICATED OPERATION_TOO_LARGE",
            .configuration, .configuration, .configuration
        ),
        // L: a limit of the org; nothing ran.
        ("REQUEST_LIMIT_EXCEEDED EXCEEDED_QUOTA LIMIT_EXCEEDED", .limit(retryAfter: .seconds(900)), .limit(retryAfter: .seconds(900)), .quota),
        // T: proven that nothing was written, or in doubt.
        ("UNABLE_TO_LOCK_ROW", .nothingRan(retryAfter: nil), .nothingRan(retryAfter: nil), .lock),
        ("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", .nothingRan(retryAfter: nil), .nothingRan(retryAfter: nil), .outage),
        ("TOO_MANY_APEX_REQUESTS REALTIME_PROCESSING_TIME_EXCEEDED_LIMIT REQUEST_RUNNING_TOO_LONG", .inDoubt, .nothingRan(retryAfter: nil), .slow),
        (
            "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE ORG_IN_MAINTENANCE ORG_LOCKED API_CURRENTLY_DISABLED DATACLOUD_API_SERVER_BUSY_EXCEPTION SSO_SERVICE_DOWN",
            .inDoubt, .nothingRan(retryAfter: nil), .outage
        ),
        ("SERVER_UNAVAILABLE", .inDoubt, .inDoubt, .outage),
        ("BATCH_PROCESSING_HALTED UNKNOWN_EXCEPTION", .inDoubt, .inDoubt, .unknown),
        // Q: the query again.
        ("QUERY_TIMEOUT INVALID_QUERY_LOCATOR INVALID_LOCATOR ASYNC_OPERATION_LOCATOR INVALID_REPLICATION_DATE", .restartQuery, .restartQuery, .outage),
        // B: the request as it was written.
        (
            "EXCEEDED_ID_LIMIT EXCEEDED_MAX_SIZE_REQUEST EXCEEDED_MAX_SOBJECTS EXCEEDED_MAX_TYPES_LIMIT INVALID_BATCH_SIZE TOO_MANY_RECORDS POST_BODY_PARSE_ERROR JSON_PARSER_ERROR "
                + "XML_PARSER_ERROR MALFORMED_QUERY ILLEGAL_QUERY_PARAMETER_VALUE INVALID_SOAP_HEADER UNSUPPORTED_MEDIA_TYPE NOT_ACCEPTABLE INVALID_QUERY_FILTER_OPERATOR "
                + "METHOD_NOT_ALLOWED MISSING_ARGUMENT INVALID_DATE_FORMAT",
            .bug, .bug, .request
        ),
    ]

    private static func error(_ example: AnswerCase) -> SalesforceError? {
        ResponseClassifier.error(
            HTTPResponse(status: example.status, headers: HTTPHeaders([HTTPHeader("Content-Type", example.type)]), body: Array(example.body.utf8)),
            envelope: example.envelope, operation: "update of 2 Account records")
    }

    @Test("each code of the reference has its kind, by SOAP and by REST")
    func codes() throws {
        var count = 0
        for row in Self.table {
            for code in row.codes.split(separator: " ").map(String.init) {
                let soap = try #require(Self.error(.soap(code, row.soap)))
                #expect((soap.disposition, soap.kind) == (row.soap, row.kind), "\(code) by SOAP")
                let rest = try #require(Self.error(.rest(400, code, row.rest)))
                #expect((rest.disposition, rest.kind) == (row.rest, row.kind), "\(code) by REST")
                count += 1
            }
        }
        #expect(count == 79)
    }

    @Test("too many calls at once pass sooner than a day's limit")
    func concurrency() {
        let message = "ConcurrentPerOrgLongTxn Limit exceeded."
        #expect(Self.error(.rest(403, "REQUEST_LIMIT_EXCEEDED", .bug, message: message))?.kind == .concurrency)
        #expect(Self.error(.soap("REQUEST_LIMIT_EXCEEDED", .bug, message: message))?.kind == .concurrency)
        #expect(Self.error(.rest(403, "REQUEST_LIMIT_EXCEEDED", .bug, message: "TotalRequests Limit exceeded."))?.kind == .quota)
    }

    @Test("a code that nobody knows: a server error passes, another is for a person", arguments: [
        (AnswerCase.rest(500, "CODE_OF_NEXT_YEAR", .inDoubt), FailureKind.unknown), (.soap("CODE_OF_NEXT_YEAR", .inDoubt), .unknown),
        (.rest(400, "CODE_OF_NEXT_YEAR", .configuration), .configuration), (.rest(403, "CODE_OF_NEXT_YEAR", .configuration), .configuration),
    ])
    func unknown(example: AnswerCase, kind: FailureKind) {
        let error = Self.error(example)
        #expect(error?.disposition == example.disposition && error?.kind == kind)
    }

    @Test("maintenance and networks answer without a code: an outage, whatever the status", arguments: [
        (200, "text/html"), (503, "text/html"), (502, "text/html"), (504, "text/html"), (420, "text/html"), (500, "text/plain"), (406, "text/plain"),
    ])
    func outage(status: Int, type: String) {
        for envelope in [RequestErrorTable.Envelope.rest, .soap] {
            let error = Self.error(
                AnswerCase(name: "\(status)", status: status, type: type, body: type == "text/html" ? "<html>down for maintenance</html>" : "", envelope: envelope))
            #expect(error?.disposition == .inDoubt && error?.kind == .outage)
        }
        let tooMany = Self.error(AnswerCase(name: "429", status: 429, body: ""))
        #expect(tooMany?.kind == .concurrency)
    }
}
