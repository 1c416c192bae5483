/// Waiting times between attempts: exponential, with full jitter, so that many clients of one server do not return together.
public struct Backoff: Sendable {
    /// The upper limit of the first wait, and of any wait.
    public var base: Duration
    public var cap: Duration
    public private(set) var attempt = 0

    public init(base: Duration = .milliseconds(200), cap: Duration = .seconds(10)) {
        self.base = base
        self.cap = cap
    }

    /// The next wait: uniform between zero and `base` doubled with each attempt, at most `cap`.
    public mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let limit = upperLimit
        attempt += 1
        return limit * Double.random(in: 0...1, using: &generator)
    }

    public mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// Begins again, after a success.
    public mutating func reset() {
        attempt = 0
    }

    /// The longest that ``next()`` can return now.
    public var upperLimit: Duration {
        // 2^20 times any sensible base is beyond any sensible cap; the bound keeps the shift defined.
        min(cap, base * (1 << min(attempt, 20)))
    }
}

extension PostgresSession {
    /// Connects, and keeps trying while the failure is transient and the task is not cancelled.
    ///
    /// - Parameters:
    ///   - clock: what the waits are measured by.
    ///   - onFailure: told of each failed attempt and the wait that follows, for a log line.
    /// - Throws: the first failure that no waiting mends; `CancellationError`.
    nonisolated(nonsending) public static func connectPersistently(
        _ conninfo: String,
        options: SessionOptions = SessionOptions(),
        backoff: Backoff = Backoff(),
        clock: some Clock<Duration> = ContinuousClock(),
        onFailure: (PostgresError, Duration) -> Void = { _, _ in }
    ) async throws -> PostgresSession {
        var backoff = backoff
        while true {
            try Task.checkCancellation()
            do throws(PostgresError) {
                return try await connect(conninfo, options: options)
            } catch {
                if error.code == .cancelled { throw CancellationError() }
                guard error.isTransient else { throw error }
                let wait = backoff.next()
                onFailure(error, wait)
                try await clock.sleep(for: wait)
            }
        }
    }
}
