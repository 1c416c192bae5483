/// Something that goes wrong on purpose: which calls it meets, and what it does to them.
struct Fault: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        /// Records of a write are refused; the others are saved.
        case reject
        /// The same with UNABLE_TO_LOCK_ROW.
        case lockRow
        /// The connection closes and nothing was saved.
        case dropBeforeCommit
        /// The connection closes after everything was saved.
        case dropAfterCommit
        /// The connection closes at once; the work is done later, under the stamp of its beginning.
        case abandon
        /// The answer, or the work, comes late.
        case delay
        /// The transaction stays open: its stamp is old when it becomes visible.
        case lateCommit
        /// An error in the form of the family.
        case error
        case dailyLimit, concurrentLimit, queryTimeout
        /// 503 with JSON.
        case unavailable
        /// 503 with a maintenance page.
        case unavailableHTML
        /// The maintenance page with status 200.
        case html
        /// The connection closes within the body.
        case truncate
        /// The body comes a few bytes at a time.
        case slowBody
        /// The records of a page are left out, once.
        case dropPage
        /// Sessions end before the call: the caller's, or all.
        case endSessions
        /// Every query locator is forgotten before the call.
        case closeCursors
        /// The version of the call is retired before it.
        case retireVersion
        /// Another user creates an equal record just before or just after the call.
        case equalRecord
        /// Calls of `/_sim/` happen just before the call.
        case control
    }

    struct Match: Sendable {
        var family: String?
        var operation: String?
        var object: String?
        var method: String?
        var path: String?
        /// Some field of some record of the call is sent with this text.
        var value: String?
    }

    var id = 0
    var kind: Kind
    var match = Match()
    /// Counted from 1: the first matching call it meets.
    var nth = 1
    /// Calls it meets; nil never ends.
    var times: Int? = 1
    var milliseconds = 0
    /// Before the work instead of after it.
    var waitsBefore = false
    /// What is answered instead of the work's own answer comes after the work was done.
    var worksFirst = false
    var status: Int?
    var code = ""
    var message = ""
    var fields: [String] = []
    var rejected = RecordChoice()
    /// The part of a body that goes out.
    var fraction = 0.5
    /// Of a slow body.
    var bytesPerSecond = 1_000
    /// Every session, not only the caller's.
    var endsAll = true
    var user: String?
    /// What another user's record has otherwise.
    var overrides: JSON = [:]
    /// What `control` does.
    var calls: [ControlStep] = []

    var seen = 0
    var used = 0

    var isSpent: Bool { times.map { used >= $0 } ?? false }

    func meets(_ request: SimRequest, _ call: CallDescription) -> Bool {
        func same(_ wanted: String?, _ actual: String?) -> Bool { wanted == nil || wanted?.lowercased() == actual?.lowercased() }
        return same(match.family, call.family.rawValue) && same(match.operation, call.operation) && same(match.object, call.object)
            && same(match.method, request.method) && (match.path.map { request.rawPath.contains($0) } ?? true)
            && (match.value.map { wanted in call.records.contains { $0.fields.contains { $0.input == .text(wanted) } } } ?? true)
    }

    var pauseBefore: Int? {
        switch kind {
        case .lateCommit: milliseconds
        case .delay: waitsBefore ? milliseconds : nil
        default: nil
        }
    }

    var json: JSON {
        [
            "id": .int(id), "kind": .string(kind.rawValue),
            "match": [
                "family": .text(match.family), "operation": .text(match.operation), "object": .text(match.object),
                "method": .text(match.method), "path": .text(match.path),
            ],
            "nth": .int(nth), "times": times.map { .int($0) } ?? .null, "used": .int(used), "seen": .int(seen),
        ]
    }
}

/// The faults that wait for calls, oldest first.
struct FaultTable: Sendable {
    private(set) var faults: [Fault] = []
    private var lastId = 0

    mutating func add(_ fault: Fault) -> Fault {
        lastId += 1
        var fault = fault
        fault.id = lastId
        faults.append(fault)
        return fault
    }

    mutating func remove(id: Int) { faults.removeAll { $0.id == id } }

    mutating func removeAll() { faults = [] }

    /// The first fault whose turn it is for this call; counts the call for every fault that it matches up to there.
    mutating func match(_ request: SimRequest, _ call: CallDescription) -> Fault? {
        for index in faults.indices where !faults[index].isSpent && faults[index].meets(request, call) {
            faults[index].seen += 1
            guard faults[index].seen >= faults[index].nth else { continue }
            faults[index].used += 1
            return faults[index]
        }
        return nil
    }
}
