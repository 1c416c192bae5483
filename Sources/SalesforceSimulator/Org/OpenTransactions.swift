import GRDB

/// Transactions that have taken their stamp and are not visible yet (wire reference 6.4, 2).
///
/// Their oldest stamp holds back `latestDateCovered`: that is Salesforce's own answer to late commits.
struct OpenTransactions {
    struct Pending {
        var id: Int
        var stamp: Int64
        /// On the org's clock; nil waits for a release.
        var due: Int64?
        /// Whose locks end with it.
        var owner: RowLocks.Owner?
        var commit: (OrgState, Database, Int64) throws -> Void
    }

    private(set) var pending: [Pending] = []
    /// Stamps of calls whose commit a fault delays.
    private var running: [Int64] = []
    private var lastId = 0

    var oldestStamp: Int64? { (pending.map(\.stamp) + running).min() }

    mutating func hold(stamp: Int64, due: Int64?, owner: RowLocks.Owner? = nil, commit: @escaping (OrgState, Database, Int64) throws -> Void) -> Int {
        lastId += 1
        pending.append(Pending(id: lastId, stamp: stamp, due: due, owner: owner, commit: commit))
        return lastId
    }

    mutating func begin(_ stamp: Int64) { running.append(stamp) }

    mutating func end(_ stamp: Int64) {
        if let index = running.firstIndex(of: stamp) { running.remove(at: index) }
    }

    mutating func take(id: Int) -> Pending? {
        guard let index = pending.firstIndex(where: { $0.id == id }) else { return nil }
        return pending.remove(at: index)
    }

    /// Takes out everything whose time has come.
    mutating func takeDue(at now: Int64) -> [Pending] {
        let due = pending.filter { $0.due.map { $0 <= now } ?? false }
        if !due.isEmpty { pending.removeAll { entry in due.contains { $0.id == entry.id } } }
        return due
    }
}
