internal import Synchronization

/// Where the read lane leaves what there is to load.
final class LoadDesk: Sendable {
    private let schedule: Mutex<LoadSchedule>
    let wakes = Wakeups()
    /// Raised when a load ended, so that the database is asked what is next.
    private let asker: Wakeups

    init(limit: Int, asker: Wakeups) {
        schedule = Mutex(LoadSchedule(limit: limit))
        self.asker = asker
    }

    func offer(_ mappings: [String], asked: ContinuousClock.Instant) {
        schedule.withLock { $0.offer(mappings, asked: asked) }
        if !mappings.isEmpty { wakes.raise() }
    }

    func next() -> String? { schedule.withLock { $0.next() } }

    func finished(_ mapping: String) {
        schedule.withLock { $0.finished(mapping, at: .now) }
        wakes.raise()
        asker.raise()
    }
}

/// Runs loads, each with a session of its own, a few at a time.
struct LoadLane: Sendable {
    let desk: LoadDesk
    let timing: RelayTiming
    let load: @Sendable (_ mapping: String) async throws -> Void

    /// Runs until the service is asked to stop; loads then end at their next page.
    /// - Throws: what a load throws, which is a lost leadership and nothing less.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            while !isStopping {
                while let mapping = desk.next() {
                    group.addTask {
                        defer { desk.finished(mapping) }
                        try await load(mapping)
                    }
                }
                await desk.wakes.wait(upTo: timing.probe)
            }
        }
    }
}
