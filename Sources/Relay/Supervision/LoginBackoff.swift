internal import PostgresClient
internal import SalesforceAPI

/// When a failed login is tried again. Salesforce counts logins, and locks users that fail too often, so all lanes wait
/// together.
struct LoginBackoff: Sendable {
    private(set) var failures = 0
    private var last: SalesforceError?
    private var until: ContinuousClock.Instant?
    private var waits = Backoff(base: .seconds(2), cap: .seconds(120))

    var isFailing: Bool { failures > 0 }

    /// The failure that still stands at `instant`; nil when it is time for another attempt.
    func refusal(at instant: ContinuousClock.Instant) -> SalesforceError? {
        guard let last, let until, instant < until else { return nil }
        return last
    }

    /// Notes a failure and returns how long it stands: at least a second, longer if Salesforce says so.
    mutating func failed(_ error: SalesforceError, at instant: ContinuousClock.Instant) -> Duration {
        // The id of the request differs each time.
        if let last, (last.code, last.message) != (error.code, error.message) { failures = 0 }
        failures += 1
        last = error
        let wait = max(.seconds(1), waits.next(), error.retryAfter ?? .zero)
        until = instant.advanced(by: wait)
        return wait
    }
}
