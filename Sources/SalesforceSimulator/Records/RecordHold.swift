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

    func ids(of stored: [String]) -> [String] {
        stored.compactMap { RecordIdentifier.normalized($0) }.flatMap { id -> [String] in
            guard let object = state.object(keyPrefix: RecordIdentifier.keyPrefix(of: id)) else { return [id] }
            let saver = RecordSaver(state: state, db: db, object: object, user: "", stamp: 0)
            return [id] + ((try? saver.live(id, object)).map { RecordSaver.parents(object, $0) } ?? [])
        }
    }
}
