import HTTPTransport

/// Failures below HTTP: no answer, or none that is complete.
enum TransportFailure {
    /// - Parameter isWrite: whether the request could change records; an answer to a write that is too large to read leaves it
    ///   in doubt, one to a read does not get smaller.
    static func error(_ error: HTTPError, operation: String, isWrite: Bool) -> SalesforceError {
        let disposition: Disposition
        switch error.code {
        case .badRequest, .badURL: disposition = .bug
        case .bodyTooLarge where !isWrite: disposition = .configuration
        default: disposition = error.requestWasWritten ? .inDoubt : .nothingRan(retryAfter: nil)
        }
        return SalesforceError(disposition, code: code(error.code), message: error.description, operation: operation)
    }

    private static func code(_ code: HTTPError.Code) -> String {
        switch code {
        case .badRequest: "bad_request"
        case .badURL: "invalid_url"
        case .couldNotResolve: "host_not_found"
        case .couldNotConnect: "no_connection"
        case .tls: "certificate_rejected"
        case .timedOut: "timed_out"
        case .stalled: "stalled"
        case .connectionLost: "connection_lost"
        case .badResponse: "bad_response"
        case .bodyTooLarge: "body_too_large"
        case .cancelled: "cancelled"
        default: "transfer_failed"
        }
    }
}
