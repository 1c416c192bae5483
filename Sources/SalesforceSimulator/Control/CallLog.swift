/// The calls the org has answered, newest last; the oldest go when there are too many.
struct CallLog: Sendable {
    struct Entry: Sendable {
        var number: Int
        var time: Int64
        var method: String
        var path: String
        var call: CallDescription
        var status: Int
        var requestId: String
        var fault: String?
    }

    private(set) var entries: [Entry] = []
    /// All calls since the last reset, whether or not their entries are still kept.
    private(set) var total = 0
    private var lastNumber = 0
    private let capacity = 20_000

    mutating func append(_ request: SimRequest, _ call: CallDescription, _ reply: Reply, fault: Fault?, at time: Int64) {
        lastNumber += 1
        total += 1
        entries.append(Entry(
            number: lastNumber, time: time, method: request.method, path: request.rawPath, call: call,
            status: reply.drops ? 0 : reply.status, requestId: request.identifier, fault: fault?.kind.rawValue))
        if entries.count > capacity + 1_000 { entries.removeFirst(1_000) }
    }

    mutating func reset() {
        entries = []
        total = 0
    }

    func matching(_ query: [String: String]) -> [Entry] {
        entries.filter { entry in
            (query["family"].map { $0 == entry.call.family.rawValue } ?? true)
                && (query["operation"].map { $0.lowercased() == entry.call.operation.lowercased() } ?? true)
                && (query["object"].map { $0.lowercased() == entry.call.object?.lowercased() } ?? true)
                && (query["since"].flatMap { Int($0) }.map { entry.number > $0 } ?? true)
        }
    }

    /// Calls by family and operation.
    func counts() -> JSON {
        var counts: [String: Int] = [:]
        for entry in entries { counts[entry.call.family.rawValue + "." + entry.call.operation, default: 0] += 1 }
        return .object(counts.sorted { $0.key < $1.key }.map { JSON.Member(key: $0.key, value: .int($0.value)) })
    }
}

extension CallLog.Entry {
    var json: JSON {
        var value: JSON = [
            "number": .int(number), "time": .string(TimeText.zulu(time)), "method": .string(method), "path": .string(path),
            "family": .string(call.family.rawValue), "operation": .string(call.operation), "object": .text(call.object),
            "version": .text(call.version), "recordCount": .int(call.recordCount), "status": .int(status),
            "requestId": .string(requestId), "user": .text(call.user), "client": .text(call.client), "fault": .text(fault),
        ]
        if !call.records.isEmpty { value.set("records", .array(call.records.map(\.json))) }
        if !call.ids.isEmpty { value.set("ids", .texts(call.ids)) }
        if let options = call.options, !call.records.isEmpty {
            value.set("assignmentRule", .text(options.assignmentRule.name))
            value.set("allowsDuplicates", .bool(options.allowsDuplicates))
        }
        return value
    }
}

extension CallOptions.AssignmentRule {
    /// `standard`, or the id of a rule; nil when none is used.
    var name: String? {
        switch self {
        case .none: nil
        case .standard: "standard"
        case .rule(let id): id
        }
    }
}

extension RecordInput {
    /// What was sent and which fields were cleared.
    var json: JSON {
        [
            "type": .string(type), "id": .text(id),
            "fields": .object(fields.filter { $0.input != .null }.map { JSON.Member(key: $0.name, value: $0.input.described) }),
            "nulled": .texts(fields.filter { $0.input == .null }.map(\.name)),
        ]
    }
}
