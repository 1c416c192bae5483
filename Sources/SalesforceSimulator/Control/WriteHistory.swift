import GRDB

/// Every saved change since the org opened, by whom and in which order: what invariants are asked of.
struct WriteHistory: Sendable {
    struct Write: Sendable {
        var kind: RecordChange.Kind
        var object: String
        var id: String
        var user: String
        var origin: ChangeOrigin?
        var commit: Int64
        var committedAt: Int64
        var stamp: Int64
        /// What the save changed, and what it became: as two lists, since a dictionary for each write costs more to make than the save.
        var fields: [String]
        var values: [DatabaseValue]

        func value(of field: String) -> DatabaseValue? { fields.firstIndex(of: field).map { values[$0] } }
    }

    private(set) var writes: [Write] = []
    /// Changes by kind and object, whether or not they are still kept.
    private(set) var counts: [String: [String: Int]] = [:]
    private(set) var forgotten = 0
    private let capacity = 200_000

    static func record(_ committed: CommittedChanges, _ state: OrgState, _ db: Database) throws { state.history.append(committed) }

    private mutating func append(_ committed: CommittedChanges) {
        for change in committed.changes {
            counts[change.kind.rawValue, default: [:]][change.object, default: 0] += 1
            writes.append(Write(
                kind: change.kind, object: change.object, id: change.id, user: change.user, origin: committed.origin,
                commit: committed.commitNumber, committedAt: committed.committedAt, stamp: change.stamp,
                fields: change.changedFields, values: change.changedFields.map { change.values[$0] ?? .null }))
        }
        guard writes.count > capacity + 10_000 else { return }
        forgotten += writes.count - capacity
        writes.removeFirst(writes.count - capacity)
    }
}

extension ControlCalls {
    /// `/_sim/invariants`: what must hold of all writes, whatever went wrong between.
    func invariants() throws -> JSON {
        let history = state.history
        var answer: JSON = ["forgotten": .int(history.forgotten)]
        for kind in ["created", "updated", "deleted", "undeleted"] {
            let counts = (history.counts[kind] ?? [:]).sorted { $0.key < $1.key }
            answer.set(kind, .object(counts.map { JSON.Member(key: $0.key, value: .int($0.value)) }))
        }
        guard let name = request.query["object"] else { return answer }
        let object = try object(name)
        func field(_ name: String) throws -> FieldDefinition {
            guard let field = object.field(name), field.isStored else { throw APIError(400, "INVALID_FIELD", "\(object.name) stores no field \(name)") }
            return field
        }
        if let key = request.query["key"] { answer.set("duplicates", try duplicates(object, field(key))) }
        if let name = request.query["field"] {
            let written = try writes(object, field(name), id: request.query["id"].flatMap { RecordIdentifier.normalized($0) })
            answer.set("writes", written.writes)
            answer.set("overwritten", written.overwritten)
        }
        return answer
    }

    /// Values of a business key that several living records have.
    private func duplicates(_ object: ObjectDefinition, _ key: FieldDefinition) throws -> JSON {
        let column = ObjectTable.quoted(key.name)
        let living = object.field("IsDeleted") == nil ? "" : " AND IsDeleted = 0"
        let rows = try Row.fetchAll(db, sql: """
            SELECT \(column), group_concat(Id) FROM \(ObjectTable.quoted(object.name)) WHERE \(column) IS NOT NULL\(living)
            GROUP BY \(column) HAVING COUNT(*) > 1 ORDER BY 1 LIMIT 1000
            """)
        return .array(rows.map { row in
            let ids = (row[1] as String).split(separator: ",").map(String.init).sorted()
            return ["value": .text(ResultValue(row[0] as DatabaseValue, field: key).plainText), "ids": .texts(ids)]
        })
    }

    /// The values a field took, record by record, and those that one user wrote over another's.
    private func writes(_ object: ObjectDefinition, _ field: FieldDefinition, id: String?) throws -> (writes: JSON, overwritten: JSON) {
        var names: [String: String] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT Id, Username FROM \"User\"") { names[row[0]] = row[1] }
        var order: [String] = []
        var taken: [String: [WriteHistory.Write]] = [:]
        for write in state.history.writes where write.object == object.name && (id == nil || write.id == id) && write.value(of: field.name) != nil {
            if taken[write.id] == nil { order.append(write.id) }
            taken[write.id, default: []].append(write)
        }
        func value(_ write: WriteHistory.Write) -> JSON { .text(write.value(of: field.name).flatMap { ResultValue($0, field: field).plainText }) }
        func described(_ write: WriteHistory.Write) -> JSON {
            [
                "value": value(write), "kind": .string(write.kind.rawValue), "by": .text(names[write.user] ?? write.user),
                "api": .text(write.origin?.api), "client": .text(write.origin?.client), "commit": .int(write.commit),
                "committedAt": .string(TimeText.zulu(write.committedAt)), "stamp": .string(TimeText.zulu(write.stamp)),
            ]
        }
        var overwritten: [JSON] = []
        for id in order {
            let list = taken[id] ?? []
            for (old, new) in zip(list, list.dropFirst()) where old.user != new.user && value(old) != value(new) && value(old) != .null {
                overwritten.append([
                    "id": .string(id), "value": value(old), "by": .text(names[old.user]), "replacedWith": value(new),
                    "replacedBy": .text(names[new.user]), "afterMilliseconds": .int(new.committedAt - old.committedAt),
                ])
            }
        }
        let list = order.map { id -> JSON in ["id": .string(id), "values": .array((taken[id] ?? []).map(described))] }
        return (.array(list), .array(overwritten))
    }
}
