import GRDB

extension OrgState {
    /// Keeps a change open as a transaction of its own: it has its stamp and its rows, and is seen when it ends.
    ///
    /// Rows that another transaction holds stay with that one.
    ///
    /// - Parameters:
    ///   - due: When it ends, on the org's clock; nil waits for a release.
    ///   - rows: The ids it locks.
    /// - Returns: The transaction's number.
    func hold(
        due: Int64?, rows: [String], _ write: @escaping (OrgState, Database, Int64, RowLocks.Owner) throws -> Void
    ) throws -> Int {
        let owner = locks.makeOwner()
        try locks.acquire(rows.filter { locks.conflict([$0], owner: owner) == nil }, owner: owner)
        return openTransactions.hold(stamp: stamp, due: due, owner: owner) { try write($0, $1, $2, owner) }
    }

    /// Ends a transaction that was taken out of the open ones.
    func end(_ transaction: OpenTransactions.Pending, commits: Bool, _ db: Database) throws {
        defer { if let owner = transaction.owner { locks.release(owner) } }
        if commits { try transaction.commit(self, db, transaction.stamp) }
    }
}

/// What a transaction locks: its records, the parents they have and those they are given.
struct LockedRows {
    let state: OrgState
    let db: Database

    func ids(of records: [RecordInput]) -> [String] {
        records.flatMap { record -> [String] in
            let sent = record.fields.compactMap { field -> String? in
                guard let definition = state.object(record.type)?.field(field.name), definition.kind == .reference, !definition.isSystem,
                    case .text(let id) = field.input else { return nil }
                return RecordIdentifier.normalized(id)
            }
            return (record.id.map { ids(of: [$0]) } ?? []) + sent
        }
    }

    /// The record itself, the parents it has, and those it is given, by id or by an identifier of theirs.
    ///
    /// - Parameter key: the field that an upsert goes by.
    func ids(of record: RecordInput, as type: String, key: String? = nil) throws -> [String] {
        guard let object = state.object(type) else { return [] }
        let saver = RecordSaver(state: state, db: db, object: object, user: "", stamp: 0)
        var ids: [String] = []
        var own = record.id.flatMap { RecordIdentifier.normalized($0) }
        if own == nil, let key = key.flatMap({ object.field($0) }), key.name != "Id", let input = record.input(key.name),
            let value = try? FieldValue.stored(input, field: key, truncating: false), !value.isNull {
            own = try saver.ids(of: object, where: key, equals: value).first
        }
        if let own { ids += self.ids(of: [own]) }
        for sent in record.fields {
            guard let field = object.field(sent.name) ?? object.parentField(relationship: sent.name), field.kind == .reference, !field.isSystem else { continue }
            switch sent.input {
            case .text(let text): if let id = RecordIdentifier.normalized(text) { ids.append(id) }
            case .parent(let type, let identifier, let value):
                guard let target = (type ?? field.referenceTo.first).flatMap({ state.object($0) }), let key = target.field(identifier),
                    let wanted = try? FieldValue.stored(.text(value), field: key, truncating: false)
                else { continue }
                ids += try saver.ids(of: target, where: key, equals: wanted)
            default: continue
            }
        }
        return ids
    }

    /// Everything that a call has written.
    func ids(of call: CallDescription) throws -> [String] {
        try call.records.flatMap { try ids(of: $0, as: $0.type, key: call.key) } + ids(of: call.ids)
    }

    func ids(of stored: [String]) -> [String] {
        stored.compactMap { RecordIdentifier.normalized($0) }.flatMap { id -> [String] in
            guard let object = state.object(keyPrefix: RecordIdentifier.keyPrefix(of: id)) else { return [id] }
            let saver = RecordSaver(state: state, db: db, object: object, user: "", stamp: 0)
            return [id] + ((try? saver.live(id, object)).map { RecordSaver.parents(object, $0) } ?? [])
        }
    }
}
