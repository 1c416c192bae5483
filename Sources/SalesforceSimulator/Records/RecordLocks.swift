import GRDB

extension RecordSaver {
    /// A save needs the record and its parents; a transaction that lasts may hold one of them (wire reference 7.2).
    ///
    /// - Throws: UNABLE_TO_LOCK_ROW.
    func checkLocks(_ full: ObjectDefinition, _ id: String, _ records: Values...) throws {
        guard !state.locks.isEmpty else { return }
        let rows = [id] + records.flatMap { RecordSaver.parents(full, $0) }
        if let taken = state.locks.conflict(rows, owner: lockOwner) { throw RecordError.unableToLock(taken) }
    }

    /// The ids of a record's masters and lookups; who owns, made or changed it does not count.
    static func parents(_ object: ObjectDefinition, _ record: Values) -> [String] {
        object.fields.compactMap { field in
            guard field.kind == .reference, !field.isSystem, field.name != "RecordTypeId" else { return nil }
            return record[field.name].flatMap(String.fromDatabaseValue)
        }
    }
}
