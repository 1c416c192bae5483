internal import SalesforceAPI

/// What became of a batch, as `hc_answer` takes it. The only place where what Salesforce said becomes a decision about
/// sending again (design section 7, In doubt).
enum BatchOutcome: Sendable, Equatable {
    case answered(WriteReply)
    /// Proven: nothing ran. The batch is offered again by the rule of the kind, after the wait if one is given.
    case notRun(code: String, message: String, kind: FailureKind, retryAfter: Duration?)
    /// Sent, and nobody knows.
    case inDoubt(code: String, message: String, kind: FailureKind)
    /// The whole call was refused, and repeating it would be too: its changes are told apart, and a person decides.
    case refused(code: String, message: String, kind: FailureKind, requestID: String?)

    init(_ error: SalesforceError) {
        let code = error.code ?? error.status.map { "HTTP_\($0)" } ?? "UNKNOWN"
        let message = error.description
        let kind = error.kind
        switch error.disposition {
        case .inDoubt:
            self = .inDoubt(code: code, message: message, kind: kind)
        case .nothingRan, .limit, .needsSession, .restartQuery:
            self = .notRun(code: code, message: message, kind: kind, retryAfter: error.retryAfter)
        case .configuration where kind != .configuration:
            // About the org, the user or the login: it would meet every other batch too, and failing thousands of changes for it
            // would only make work.
            self = .notRun(code: code, message: message, kind: kind, retryAfter: nil)
        case .configuration, .bug:
            self = .refused(code: code, message: message, kind: kind, requestID: error.requestID)
        }
    }

    /// Before anything was sent: whatever the login's failure was, no change was in it.
    init(login error: SalesforceError) {
        self = .notRun(code: error.code ?? "LOGIN_FAILED", message: error.description, kind: error.kind, retryAfter: error.retryAfter)
    }

    /// How long at least not to send anything else, when the next batch would likely meet the same; nil when there is an answer.
    var obstacle: Duration? {
        switch self {
        case .answered, .refused: nil
        case .notRun(_, _, _, let wait): wait ?? .zero
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
        case .notRun(let code, let message, let kind, let wait):
            json.object(["code": code, "message": message, "kind": kind.rawValue], numbers: ["retry_after_ms": wait?.milliseconds])
        case .inDoubt(let code, let message, let kind):
            json.object(["code": code, "message": message, "kind": kind.rawValue])
        case .refused(let code, let message, let kind, let requestID):
            json.object(["code": code, "message": message, "kind": kind.rawValue, "request_id": requestID])
        }
        return json.text
    }
}
