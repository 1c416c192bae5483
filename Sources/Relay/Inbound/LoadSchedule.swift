/// Which loads run. The database says what there is to load; this only keeps a load from running twice, and bounds how many
/// run at a time.
struct LoadSchedule: Sendable {
    let limit: Int
    private var wanted: [String] = []
    private var running: Set<String> = []
    private var ended: [String: ContinuousClock.Instant] = [:]

    init(limit: Int) { self.limit = max(1, limit) }

    /// Takes what the database named, in its order.
    /// - Parameter asked: when it was asked: what ended since then may be named although it is done.
    mutating func offer(_ mappings: [String], asked: ContinuousClock.Instant) {
        wanted = mappings.filter { mapping in ended[mapping].map { $0 < asked } ?? true }
        ended = ended.filter { $0.value >= asked }
    }

    /// The load to begin now, if there is one and room for it.
    mutating func next() -> String? {
        guard running.count < limit, let index = wanted.firstIndex(where: { !running.contains($0) }) else { return nil }
        let mapping = wanted.remove(at: index)
        running.insert(mapping)
        return mapping
    }

    mutating func finished(_ mapping: String, at instant: ContinuousClock.Instant) {
        running.remove(mapping)
        wanted.removeAll { $0 == mapping }
        ended[mapping] = instant
    }
}
