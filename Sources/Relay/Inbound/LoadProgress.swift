internal import Logging
internal import Synchronization

/// How far a load is, for a line every other second.
final class LoadProgress: Sendable {
    private struct State {
        var phase = "RELOAD_TABLE"
        var rows = 0
        var expected: Int?
        var rowsAtStart = 0
        var start = ContinuousClock.now
    }

    private let state = Mutex(State())

    /// Rows that an earlier relay loaded are no part of the rate.
    func begin(_ phase: String, rows: Int, expected: Int?) {
        state.withLock {
            $0 = State(phase: phase, rows: rows, expected: expected ?? $0.expected, rowsAtStart: rows, start: .now)
        }
    }

    func set(rows: Int) { state.withLock { $0.rows = rows } }
    func set(phase: String) { state.withLock { $0.phase = phase } }

    /// Rows so far, rows a second, and what remains.
    struct Look: Sendable, Equatable {
        var phase: String
        var rows: Int
        var rowsPerSecond: Int
        var remaining: Int?
        var secondsLeft: Int?

        init(phase: String, rows: Int, loaded: Int, expected: Int?, elapsed: Duration) {
            self.phase = phase
            self.rows = rows
            let milliseconds = max(1, elapsed.milliseconds)
            rowsPerSecond = loaded * 1000 / milliseconds
            remaining = expected.map { max(0, $0 - rows) }
            secondsLeft = loaded > 0 ? remaining.map { ($0 * milliseconds / loaded + 999) / 1000 } : nil
        }
    }

    func look() -> Look {
        state.withLock {
            Look(
                phase: $0.phase, rows: $0.rows, loaded: $0.rows - $0.rowsAtStart, expected: $0.expected,
                elapsed: ContinuousClock.now - $0.start)
        }
    }

    /// Writes a line every `interval` until the task is cancelled.
    func report(_ log: EventLog, mapping: String, object: String, every interval: Duration) async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: interval) } catch { return }
            let look = look()
            var facts: Logger.Metadata = [
                "object": .string(object), "rows": .stringConvertible(look.rows), "rows_per_second": .stringConvertible(look.rowsPerSecond),
            ]
            facts["remaining"] = look.remaining.map { .stringConvertible($0) }
            facts["seconds_left"] = look.secondsLeft.map { .stringConvertible($0) }
            log.mapping(mapping, "LOADING \(object)", state: look.phase, facts)
        }
    }
}
