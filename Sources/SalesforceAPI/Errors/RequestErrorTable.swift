/// Codes that refuse a whole request, by what they prove (API reference 7.1, 4.1; design section 7, "In doubt").
enum RequestErrorTable {
    /// How the code reached us: a SOAP fault has HTTP status 500 whatever it says, so its status decides nothing.
    enum Envelope: Sendable { case rest, soap, bulk1 }

    /// The longest wait that a limit asks for by itself, until `/limits` is looked at again.
    static let dailyLimitWait = Duration.seconds(15 * 60)
    /// Requests that run too long at the same time end within a minute or so.
    static let concurrencyWait = Duration.seconds(45)

    static func disposition(
        code: String, message: String, status: Int, envelope: Envelope, retryAfter: Duration? = nil
    ) -> Disposition {
        if session.contains(code) { return .needsSession }
        if limit.contains(code) { return .limit(retryAfter: retryAfter ?? wait(message)) }
        if refusedBeforeRunning.contains(code) { return .nothingRan(retryAfter: retryAfter) }
        if neverProof.contains(code) { return .inDoubt }
        // A server error proves nothing, except in SOAP, where every refusal comes with status 500.
        if status >= 500, envelope != .soap { return .inDoubt }
        if passing.contains(code) { return envelope == .soap ? .inDoubt : .nothingRan(retryAfter: retryAfter) }
        if restart.contains(code) { return .restartQuery }
        if bug.contains(code) { return .bug }
        if envelope == .soap, !configuration.contains(code) { return .inDoubt }
        return .configuration
    }

    /// Only the text tells the daily limit from the one on concurrent requests (API reference 9.2, trap 32).
    private static func wait(_ message: String) -> Duration {
        message.contains("Concurrent") ? concurrencyWait : dailyLimitWait
    }

    /// By which rule the call is retried, or who must put what right.
    static func kind(code: String?, message: String, disposition: Disposition) -> FailureKind {
        switch disposition {
        case .limit: code == nil || message.contains("Concurrent") ? .concurrency : .quota
        case .needsSession: .login
        case .bug: .request
        case .restartQuery: .outage
        case .configuration: configurationKind(code)
        case .nothingRan, .inDoubt: passingKind(code)
        }
    }

    /// Codes of logins and of the transport are in small letters.
    private static func configurationKind(_ code: String?) -> FailureKind {
        guard let code, code != code.lowercased() else { return .login }
        if inactive.contains(code) { return .inactive }
        if login.contains(code) || session.contains(code) { return .login }
        return organization.contains(code) ? .organization : .configuration
    }

    private static func passingKind(_ code: String?) -> FailureKind {
        guard let code, code != code.lowercased() else { return .outage }
        if lock.contains(code) { return .lock }
        if slow.contains(code) { return .slow }
        return outage.contains(code) || maintenance.contains(code) ? .outage : .unknown
    }

    private static let session: Set<String> = [
        "INVALID_SESSION_ID", "INVALID_AUTH_HEADER", "InvalidSessionId", "ORG_NOT_OWNED_BY_INSTANCE",
    ]

    private static let limit: Set<String> = [
        "REQUEST_LIMIT_EXCEEDED", "EXCEEDED_QUOTA", "LIMIT_EXCEEDED", "ExceededQuota", "EXCEEDEDQUOTA",
    ]

    private static let maintenance: Set<String> = ["INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"]

    private static let lock: Set<String> = ["UNABLE_TO_LOCK_ROW", "TooManyLockFailure"]

    private static let refusedBeforeRunning = maintenance.union(["UNABLE_TO_LOCK_ROW"])

    private static let slow: Set<String> = [
        "TOO_MANY_APEX_REQUESTS", "REALTIME_PROCESSING_TIME_EXCEEDED_LIMIT", "REQUEST_RUNNING_TOO_LONG",
    ]

    private static let outage: Set<String> = [
        "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE", "ORG_IN_MAINTENANCE", "ORG_LOCKED", "API_CURRENTLY_DISABLED",
        "DATACLOUD_API_SERVER_BUSY_EXCEPTION", "SSO_SERVICE_DOWN", "SERVER_UNAVAILABLE",
    ]

    private static let neverProof: Set<String> = [
        "UNKNOWN_EXCEPTION", "SERVER_UNAVAILABLE", "BATCH_PROCESSING_HALTED", "InternalServerError", "Timeout", "Unknown",
        "API_ERROR", "APEX_ERROR",
    ]

    private static let passing = outage.union(slow).union(lock)

    private static let restart: Set<String> = [
        "INVALID_QUERY_LOCATOR", "INVALID_LOCATOR", "ASYNC_OPERATION_LOCATOR", "QUERY_TIMEOUT", "INVALID_REPLICATION_DATE",
        "INVALIDJOB", "INVALIDJOBSTATE", "InvalidJob", "InvalidJobState", "Gone",
    ]

    private static let bug: Set<String> = [
        "EXCEEDED_ID_LIMIT", "EXCEEDED_MAX_SIZE_REQUEST", "EXCEEDED_MAX_SOBJECTS", "EXCEEDED_MAX_TYPES_LIMIT",
        "INVALID_BATCH_SIZE", "TOO_MANY_RECORDS", "POST_BODY_PARSE_ERROR", "JSON_PARSER_ERROR", "XML_PARSER_ERROR",
        "MALFORMED_QUERY", "ILLEGAL_QUERY_PARAMETER_VALUE", "INVALID_SOAP_HEADER", "UNSUPPORTED_MEDIA_TYPE",
        "NOT_ACCEPTABLE", "INVALID_QUERY_FILTER_OPERATOR", "METHOD_NOT_ALLOWED", "MISSING_ARGUMENT", "INVALID_DATE_FORMAT",
        "CONFLICT", "InvalidOperation", "InvalidUrl", "InvalidXml", "InvalidBatch", "INVALIDBATCH", "ClientInputError",
        "CLIENTINPUTERROR", "INVALIDOPERATION", "UnsupportedContentType", "soapenv:Client", "MALFORMED_ID",
    ]

    private static let login: Set<String> = [
        "LOGIN_CHALLENGE_ISSUED", "LOGIN_CHALLENGE_PENDING", "LOGIN_DURING_RESTRICTED_DOMAIN",
        "LOGIN_DURING_RESTRICTED_TIME", "LOGIN_MUST_USE_SECURITY_TOKEN", "INVALID_LOGIN", "PASSWORD_LOCKOUT",
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "INVALID_NEW_PASSWORD", "INVALID_OLD_PASSWORD",
        "MUTUAL_AUTHENTICATION_FAILED", "INVALID_SSO_GATEWAY_URL", "TXN_SECURITY_NO_ACCESS", "TXN_SECURITY_END_A_SESSION",
        "TXN_SECURITY_TWO_FA_REQUIRED", "INACTIVE_OWNER_OR_USER", "INACTIVE_PORTAL",
    ]

    private static let inactive: Set<String> = ["TRIAL_EXPIRED", "ORG_IS_DOT_ORG"]

    private static let organization: Set<String> = [
        "API_DISABLED_FOR_ORG", "CLIENT_NOT_ACCESSIBLE_FOR_USER", "CLIENT_REQUIRE_UPDATE_FOR_USER", "INVALID_CLIENT",
        "UNSUPPORTED_CLIENT", "UNSUPPORTED_API_VERSION", "STORAGE_LIMIT_EXCEEDED", "INVALID_PACKAGE_VERSION",
    ]

    /// Needed for SOAP only, where a code that nobody knows proves nothing.
    private static let configuration = login.union(inactive).union(organization).union([
        "QUERY_TOO_COMPLICATED", "OPERATION_TOO_LARGE", "INVALID_FIELD", "INVALID_TYPE", "ENTITY_NOT_QUERYABLE",
        "INVALID_TYPE_FOR_OPERATION", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY", "FUNCTIONALITY_NOT_ENABLED",
        "INSUFFICIENT_ACCESS", "INVALID_ASSIGNMENT_RULE",
    ])
}
