/// Records that a running transaction holds: its own and their parents, as Salesforce locks them on save.
///
/// Only transactions that last are in the table: chunks of Bulk workers and transactions that a test holds open. A call that is
/// answered at once needs no entry, since it runs alone; it only meets the locks of the others.
struct RowLocks {
    /// Whoever holds locks: made once for each transaction.
    struct Owner: Hashable, Sendable { fileprivate var number: Int }

    private var owners: [String: Owner] = [:]
    private var lastNumber = 0

    var isEmpty: Bool { owners.isEmpty }

    mutating func makeOwner() -> Owner {
        lastNumber += 1
        return Owner(number: lastNumber)
    }

    /// The first of the ids that another owner holds.
    func conflict(_ ids: some Sequence<String>, owner: Owner? = nil) -> String? {
        guard !owners.isEmpty else { return nil }
        return ids.first { id in owners[id].map { $0 != owner } ?? false }
    }

    /// Takes all of the ids or none.
    ///
    /// - Throws: UNABLE_TO_LOCK_ROW that names the first id held by another.
    mutating func acquire(_ ids: some Sequence<String>, owner: Owner) throws {
        if let taken = conflict(ids, owner: owner) { throw RecordError.unableToLock(taken) }
        for id in ids { owners[id] = owner }
    }

    mutating func release(_ owner: Owner) { owners = owners.filter { $0.value != owner } }
}

extension RecordError {
    static func unableToLock(_ id: String) -> RecordError {
        RecordError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: \(id)")
    }
}
