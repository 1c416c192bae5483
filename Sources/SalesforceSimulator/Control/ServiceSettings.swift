import GRDB

/// How the org serves: times, limits on what runs at once, and how stale its answers are.
struct ServiceSettings: Codable, Sendable, Equatable {
    /// What a call takes: `fixed` milliseconds and `perRecord` more for each record, give or take `jitter` of it.
    struct Time: Codable, Sendable, Equatable {
        var family: String?
        var operation: String?
        var fixed: Double = 0
        var perRecord: Double = 0
        var jitter: Double = 0

        func meets(_ call: CallDescription) -> Bool {
            (family.map { $0.lowercased() == call.family.rawValue.lowercased() } ?? true)
                && (operation.map { $0.lowercased() == call.operation.lowercased() } ?? true)
        }
    }

    /// The first that meets a call counts.
    var times: [Time] = []
    /// A write holds its records and their parents for the time it takes; another that meets one of them is refused at once with
    /// UNABLE_TO_LOCK_ROW (wire reference 7.2).
    var locksRows = false
    var seed: UInt64 = 0
    /// Requests that have run for `longRequestSeconds` and may run at once (wire reference 2.11).
    var concurrentLongRequests = 25
    var longRequestSeconds = 20.0
    /// Queries and getUpdated do not see what was committed within this time.
    var visibilityDelayMilliseconds = 0
    /// Versions that answer 410 although older ones are served.
    var retiredVersions: Set<String> = []

    mutating func apply(_ body: JSON) {
        func number(_ value: JSON?) -> Double? { value?.string.flatMap { Double($0) } }
        if let entries = body["times"]?.elements {
            times = entries.map {
                Time(
                    family: $0["family"]?.string, operation: $0["operation"]?.string, fixed: number($0["fixed"]) ?? 0,
                    perRecord: number($0["perRecord"]) ?? 0, jitter: min(1, max(0, number($0["jitter"]) ?? 0)))
            }
        }
        if let value = body["locksRows"]?.bool { locksRows = value }
        if let value = body["seed"]?.int { seed = UInt64(max(0, value)) }
        if let value = body["concurrentLongRequests"]?.int { concurrentLongRequests = value }
        if let value = number(body["longRequestSeconds"]) { longRequestSeconds = value }
        if let value = body["visibilityDelayMilliseconds"]?.int { visibilityDelayMilliseconds = value }
        if let value = body["retiredVersions"]?.elements { retiredVersions = Set(value.compactMap(\.string)) }
    }

    var json: JSON {
        [
            "times": .array(times.map {
                ["family": .text($0.family), "operation": .text($0.operation), "fixed": .number("\($0.fixed)"),
                 "perRecord": .number("\($0.perRecord)"), "jitter": .number("\($0.jitter)")]
            }),
            "locksRows": .bool(locksRows), "seed": .int(seed), "concurrentLongRequests": .int(concurrentLongRequests), "longRequestSeconds": .number("\(longRequestSeconds)"),
            "visibilityDelayMilliseconds": .int(visibilityDelayMilliseconds),
            "retiredVersions": .texts(retiredVersions.sorted()),
        ]
    }
}

/// What the settings of the service have come to: requests under way, and jitter.
struct ServiceState {
    private var running: [String: Int64] = [:]
    /// Whose rows a request under way holds.
    fileprivate var owners: [String: RowLocks.Owner] = [:]
    private var generator = SeededGenerator(seed: 0)

    mutating func reseed(_ seed: UInt64) { generator = SeededGenerator(seed: seed) }

    /// A request that takes time, by its identifier.
    mutating func begin(_ request: SimRequest, now: Int64) { if running[request.identifier] == nil { running[request.identifier] = now } }

    mutating func end(_ request: SimRequest) { running[request.identifier] = nil }

    func isOverloaded(_ settings: ServiceSettings, now: Int64) -> Bool {
        guard running.count >= settings.concurrentLongRequests else { return false }
        let long = Int64(settings.longRequestSeconds * 1_000)
        return running.values.count { now - $0 >= long } >= settings.concurrentLongRequests
    }

    /// Milliseconds that a call takes.
    mutating func time(_ call: CallDescription, _ settings: ServiceSettings) -> Int {
        guard let time = settings.times.first(where: { $0.meets(call) }) else { return 0 }
        let whole = time.fixed + time.perRecord * Double(call.recordCount)
        guard time.jitter > 0 else { return Int(whole) }
        return Int(whole * (1 + time.jitter * (2 * generator.unit() - 1)))
    }
}

extension OrgState {
    /// The call's work is done, and its answer is held back: until then it counts as running, and holds its rows.
    func beginService(of request: SimRequest, _ call: CallDescription, _ db: Database) throws {
        service.begin(request, now: machineNow)
        guard settings.service.locksRows, call.isWrite, settings.service.times.contains(where: { $0.meets(call) }) else { return }
        let owner = locks.makeOwner()
        // What others hold was refused, and stays theirs.
        try locks.acquire(try LockedRows(state: self, db: db).ids(of: call).filter { locks.conflict([$0], owner: owner) == nil }, owner: owner)
        service.owners[request.identifier] = owner
    }

    func endService(of request: SimRequest) {
        service.end(request)
        if let owner = service.owners.removeValue(forKey: request.identifier) { locks.release(owner) }
    }
}
