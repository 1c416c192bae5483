internal import SalesforceAPI

/// Why a poll or a load ended early, as `hc_poll_failed` and `hc_load_failed` take it.
struct ReadFailure: Sendable, Equatable {
    enum Kind: String, Sendable {
        /// Passes by itself.
        case transient
        /// A person must change something.
        case configuration
        /// The org's quota is used up.
        case limit
    }

    var code: String
    var message: String
    var kind: Kind

    init(code: String, message: String, kind: Kind) {
        self.code = code
        self.message = message
        self.kind = kind
    }

    /// A failed login says nothing about the mapping: it is shown at the connection, and the mapping only waits.
    init(_ error: SalesforceError) {
        code = error.code ?? error.status.map { "HTTP_\($0)" } ?? "UNKNOWN"
        message = error.description
        kind =
            switch error.disposition {
            case .limit: .limit
            case .configuration where error.operation.hasPrefix("login"): .transient
            case .configuration, .bug: .configuration
            case .nothingRan, .inDoubt, .restartQuery, .needsSession: .transient
            }
    }
}
