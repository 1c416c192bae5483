/// What the write lane leaves alone for a while after a failure, so that one obstacle neither stops the rest nor is run
/// against in a loop. Each further failure of the same part doubles its wait, up to half a minute.
struct LanePlan: Sendable {
    enum Part: Hashable, Sendable { case sending, readingBack, doubts }

    private struct Closing {
        var since: ContinuousClock.Instant
        var until: ContinuousClock.Instant
        var failures: Int
    }

    static let firstWait = Duration.milliseconds(500)
    static let longestWait = Duration.seconds(30)

    private var closings: [Part: Closing] = [:]

    func isOpen(_ part: Part, at instant: ContinuousClock.Instant) -> Bool {
        closings[part].map { $0.until <= instant } ?? true
    }

    /// True from a failure of `part` to its next success: the obstacle is tried with one call, not with all.
    func isProbing(_ part: Part) -> Bool { closings[part] != nil }

    /// Closes `part` after a failure.
    ///
    /// - Parameters:
    ///   - atLeast: what Salesforce asks for; beyond a minute the database's own timers take over.
    ///   - begun: when what failed had begun. Of several that met one obstacle together, the first counts as a failure; the
    ///     others can only lengthen the wait.
    mutating func failed(
        _ part: Part, atLeast: Duration = .zero, begun: ContinuousClock.Instant? = nil, at instant: ContinuousClock.Instant
    ) {
        let least = min(atLeast, .seconds(60))
        if let closing = closings[part], let begun, begun < closing.since {
            closings[part]?.until = max(closing.until, instant.advanced(by: least))
            return
        }
        let failures = (closings[part]?.failures ?? 0) + 1
        let doubled = min(Self.longestWait, Self.firstWait * (1 << min(failures - 1, 10)))
        closings[part] = Closing(since: instant, until: instant.advanced(by: max(doubled, least)), failures: failures)
    }

    /// Opens `part` and forgets its failures.
    /// - Parameter begun: when what succeeded had begun. Before the failure, it says nothing of the obstacle.
    mutating func succeeded(_ part: Part, begun: ContinuousClock.Instant? = nil) {
        if let closing = closings[part], let begun, begun < closing.since { return }
        closings[part] = nil
    }

    /// How long to sleep: `wanted`, or less if a part opens before.
    func pause(_ wanted: Duration, at instant: ContinuousClock.Instant) -> Duration {
        let openings = closings.values.map(\.until).filter { $0 > instant }.map { $0 - instant }
        return min(wanted, openings.min() ?? wanted)
    }
}
