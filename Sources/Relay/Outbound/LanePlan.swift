internal import PostgresClient

/// What the write lane leaves alone for a while after a failure, so that one obstacle neither stops the rest nor is run
/// against in a loop. Each further failure of the same part doubles its wait, up to half a minute.
struct LanePlan: Sendable {
    enum Part: Hashable, Sendable { case sending, readingBack, doubts }

    private struct Closing {
        var until: ContinuousClock.Instant
        var failures: Int
    }

    static let firstWait = Duration.milliseconds(500)
    static let longestWait = Duration.seconds(30)

    private var closings: [Part: Closing] = [:]

    func isOpen(_ part: Part, at instant: ContinuousClock.Instant) -> Bool {
        closings[part].map { $0.until <= instant } ?? true
    }

    /// Closes `part` after a failure.
    /// - Parameter atLeast: what Salesforce asks for; beyond a minute the database's own timers take over.
    mutating func failed(_ part: Part, atLeast: Duration = .zero, at instant: ContinuousClock.Instant) {
        let failures = (closings[part]?.failures ?? 0) + 1
        let doubled = min(Self.longestWait, Self.firstWait * (1 << min(failures - 1, 10)))
        closings[part] = Closing(until: instant.advanced(by: max(doubled, min(atLeast, .seconds(60)))), failures: failures)
    }

    /// Opens `part` and forgets its failures.
    mutating func succeeded(_ part: Part) { closings[part] = nil }

    /// How long to sleep: `wanted`, or less if a part opens before.
    func pause(_ wanted: Duration, at instant: ContinuousClock.Instant) -> Duration {
        let openings = closings.values.map(\.until).filter { $0 > instant }.map { $0 - instant }
        return min(wanted, openings.min() ?? wanted)
    }
}
