internal import Logging

/// Writes log lines with the keys that Heroku Connect's have: `object_type` is `sync` for the connection, `mapping` for one
/// object (reference 8.1).
struct EventLog: Sendable {
    let logger: Logger
    let connection: String

    /// About the connection as a whole.
    func sync(
        _ event: String, state: String = "IDLE", level: Logger.Level = .info, _ facts: Logger.Metadata = [:]
    ) {
        write(event, "sync", connection, state, level, facts)
    }

    /// About one mapping.
    func mapping(
        _ id: String, _ event: String, state: String, level: Logger.Level = .info, _ facts: Logger.Metadata = [:]
    ) {
        write(event, "mapping", id, state, level, facts)
    }

    private func write(
        _ event: String, _ type: String, _ id: String, _ state: String, _ level: Logger.Level, _ facts: Logger.Metadata
    ) {
        var metadata = facts
        metadata["object_type"] = .string(type)
        metadata["object_id"] = .string(id)
        metadata["state"] = .string(state)
        logger.log(level: level, "\(event)", metadata: metadata)
    }
}

extension Duration {
    /// Whole milliseconds, for a log line or a function's parameter.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }

    /// Seconds with two digits, as Heroku Connect writes them: `0.31`.
    var secondsText: String {
        let hundredths = (milliseconds + 5) / 10
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

/// A `Result` of a piece of work and how long it took.
func timed<R>(_ work: () async throws -> R) async rethrows -> (R, Duration) {
    let clock = ContinuousClock()
    let start = clock.now
    let result = try await work()
    return (result, clock.now - start)
}
