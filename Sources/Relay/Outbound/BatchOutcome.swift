internal import SalesforceAPI

/// What became of a batch, as `hc_answer` takes it. The only place where what Salesforce said becomes a decision about
/// sending again (design section 7, In doubt).
enum BatchOutcome: Sendable, Equatable {
    case answered(WriteReply)
    /// Proven: nothing ran. The batch is offered again, after the wait if one is given.
    case notRun(code: String, message: String, retryAfter: Duration?)
    /// Sent, and nobody knows.
    case inDoubt(code: String, message: String)
    /// The whole call was refused, and repeating it would be too: each of its changes fails, and a person decides.
    case refused(code: String, message: String, requestID: String?)

    /// How long a batch waits when the org or the user, not the batch, must be put right first.
    static let waitForPerson = Duration.seconds(60)

    init(_ error: SalesforceError) {
        let code = error.code ?? error.status.map { "HTTP_\($0)" } ?? "UNKNOWN"
        let message = error.description
        switch error.disposition {
        case .inDoubt:
            self = .inDoubt(code: code, message: message)
        case .nothingRan(let wait):
            self = .notRun(code: code, message: message, retryAfter: wait)
        case .limit(let wait):
            self = .notRun(code: code, message: message, retryAfter: wait)
        case .needsSession, .restartQuery:
            self = .notRun(code: code, message: message, retryAfter: nil)
        case .configuration where Self.concernsOrg(error.code):
            self = .notRun(code: code, message: message, retryAfter: Self.waitForPerson)
        case .configuration, .bug:
            self = .refused(code: code, message: message, requestID: error.requestID)
        }
    }

    /// True when the refusal is about the org, the user or the login, and would meet every other batch too: failing thousands
    /// of changes for it would only make work. Codes of the login are in small letters.
    private static func concernsOrg(_ code: String?) -> Bool {
        guard let code else { return true }
        return code == code.lowercased() || code.hasPrefix("LOGIN_") || code.hasPrefix("TXN_SECURITY") || orgCodes.contains(code)
    }

    private static let orgCodes: Set<String> = [
        "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "TRIAL_EXPIRED", "INVALID_LOGIN", "PASSWORD_LOCKOUT", "ORG_IS_DOT_ORG",
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "MUTUAL_AUTHENTICATION_FAILED", "INVALID_SSO_GATEWAY_URL",
        "CLIENT_NOT_ACCESSIBLE_FOR_USER", "CLIENT_REQUIRE_UPDATE_FOR_USER", "UNSUPPORTED_CLIENT", "UNSUPPORTED_API_VERSION",
        "INACTIVE_PORTAL", "INVALID_CLIENT", "INVALID_SESSION_ID", "STORAGE_LIMIT_EXCEEDED",
    ]

    /// How long at least not to send anything else, when the next batch would likely meet the same; nil when there is an answer.
    var obstacle: Duration? {
        switch self {
        case .answered, .refused: nil
        case .notRun(_, _, let wait): wait ?? .zero
        case .inDoubt: .zero
        }
    }

    /// The name that `hc_answer` knows.
    var name: String {
        switch self {
        case .answered: "answered"
        case .notRun: "not_run"
        case .inDoubt: "in_doubt"
        case .refused: "refused"
        }
    }

    /// The document that goes with the name, as JSON.
    var json: String {
        var json = JSONText()
        switch self {
        case .answered(let reply): json.append(reply)
        case .notRun(let code, let message, let wait):
            json.object(["code": code, "message": message], numbers: ["retry_after_ms": wait?.milliseconds])
        case .inDoubt(let code, let message): json.object(["code": code, "message": message])
        case .refused(let code, let message, let requestID):
            json.object(["code": code, "message": message, "request_id": requestID])
        }
        return json.text
    }
}
