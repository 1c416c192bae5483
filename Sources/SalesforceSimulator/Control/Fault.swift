/// Something that goes wrong on purpose: which calls it meets, and what it does to them.
struct Fault: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        /// One record of a write is refused; the others are saved.
        case reject
        /// The connection closes and nothing was saved.
        case dropBeforeCommit
        /// The connection closes after everything was saved.
        case dropAfterCommit
        /// The answer, or the work, comes late.
        case delay
        /// An error in the form of the family.
        case error
        /// 503 with JSON.
        case unavailable
        /// 503 with a maintenance page.
        case unavailableHTML
        /// The maintenance page with status 200.
        case html
        /// The connection closes within the body.
        case truncate
        /// The transaction stays open: its stamp is old when it becomes visible.
        case lateCommit
    }

    struct Match: Sendable {
        var family: String?
        var operation: String?
        var object: String?
        var method: String?
        var path: String?
    }

    enum Substitute: Sendable {
        case reply(Reply)
        case error(APIError)
    }

    var id: Int
    var kind: Kind
    var match: Match
    /// Counted from 1: the first matching call it meets.
    var nth = 1
    /// Calls it meets; nil never ends.
    var times: Int? = 1
    var milliseconds = 0
    /// Wait before the work (`before`) or after it.
    var waitsBefore = false
    var status: Int?
    var code = ""
    var message = ""
    var fields: [String] = []
    /// The place of a rejected record, counted from 0.
    var record = 0
    /// The part of a body that goes out.
    var fraction = 0.5

    var seen = 0
    var used = 0

    var isSpent: Bool { times.map { used >= $0 } ?? false }

    func meets(_ request: SimRequest, _ call: CallDescription) -> Bool {
        func same(_ wanted: String?, _ actual: String?) -> Bool { wanted == nil || wanted?.lowercased() == actual?.lowercased() }
        return same(match.family, call.family.rawValue) && same(match.operation, call.operation) && same(match.object, call.object)
            && same(match.method, request.method) && (match.path.map { request.rawPath.contains($0) } ?? true)
    }

    var rejections: [Int: RecordError] { kind == .reject ? [record: RecordError(code, message, fields)] : [:] }

    var pauseBefore: Int? {
        switch kind {
        case .lateCommit: milliseconds
        case .delay: waitsBefore ? milliseconds : nil
        default: nil
        }
    }

    /// The HTTP status that REST gives a code (wire reference 2.2).
    private static func status(of code: String) -> Int {
        switch code {
        case "INVALID_SESSION_ID", "INVALID_AUTH_HEADER": 401
        case "REQUEST_LIMIT_EXCEEDED", "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "INSUFFICIENT_ACCESS": 403
        case "NOT_FOUND", "ENTITY_IS_DELETED": 404
        case "UNKNOWN_EXCEPTION", "APEX_ERROR": 500
        case "SERVER_UNAVAILABLE": 503
        default: 400
        }
    }

    static let maintenancePage = """
        <html><head><title>Maintenance</title></head><body><h1>We are down for maintenance.</h1>\
        <p>Sorry for the inconvenience. We'll be back shortly.</p></body></html>
        """

    /// What is answered instead of doing the work.
    var substitute: Substitute? {
        switch kind {
        case .error: .error(APIError(status ?? Fault.status(of: code), code, message, fields: fields))
        case .unavailable:
            .reply(.json(503, [["message": .string(message.isEmpty ? "Server too busy" : message), "errorCode": "SERVER_UNAVAILABLE"]]))
        case .unavailableHTML: .reply(.text(503, Fault.maintenancePage, type: "text/html;charset=UTF-8"))
        case .html: .reply(.text(200, Fault.maintenancePage, type: "text/html;charset=UTF-8"))
        default: nil
        }
    }

    /// Changes an answer on its way out.
    func shape(_ reply: inout Reply) {
        switch kind {
        case .dropAfterCommit: reply.drops = true
        case .delay where !waitsBefore: reply.delay = milliseconds
        case .truncate: reply.truncation = fraction
        default: break
        }
        // Any fault may answer late, a lost connection too.
        if kind != .delay, kind != .lateCommit { reply.delay = milliseconds }
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
