import Foundation
import GRDB

/// One saved change of one record, as the listeners of an org learn of it: streaming events, the history of writes.
struct RecordChange: Sendable {
    enum Kind: String, Sendable { case created, updated, deleted, undeleted }

    var kind: Kind
    var object: String
    var id: String
    /// Canonical names of the fields whose stored value the save changed; of a new or restored record, those that are not null.
    var changedFields: [String]
    /// The stored values after the change, by canonical name; of a deleted record, those it had.
    var values: RecordSaver.Values
    var user: String
    var stamp: Int64
}

/// Who changed something: the source of a change event's `changeOrigin` (wire reference 5.7).
struct ChangeOrigin: Sendable, Equatable {
    /// `rest`, `soap` or `bulkapi`.
    var api: String
    var version: String
    /// The name in the call options.
    var client: String?

    var text: String { "com/salesforce/api/\(api)/\(version);client=\(client ?? "")" }
}

/// The changes of one transaction, in the order they were made.
struct CommittedChanges: Sendable {
    var transactionKey: String
    /// Grows with every commit of the org.
    var commitNumber: Int64
    /// Milliseconds since 1970 on the org's clock.
    var committedAt: Int64
    /// Nil for a change made by hand (the control, the page): no API call stands behind it.
    var origin: ChangeOrigin?
    var changes: [RecordChange]
}

/// Collects what a transaction changes until it commits. One call of ``Org/perform(_:)`` is one transaction, and so is each
/// held one; ``OrgState/savepoint(_:_:)`` takes back what a refused record had written.
struct ChangeJournal {
    /// Whom the changes are laid to; set by whoever runs a call, gone with the commit.
    var origin: ChangeOrigin?
    private(set) var changes: [RecordChange] = []
    /// Begins with the time, so that the numbers of an org in a file go on growing after a restart.
    private var commitNumber = 9_000_000_000_000 + Int64(Date().timeIntervalSince1970 * 1_000)

    var mark: Int { changes.count }

    var lastCommitNumber: Int64 { commitNumber }

    mutating func append(_ change: RecordChange) { changes.append(change) }

    mutating func rollBack(to mark: Int) { changes.removeLast(changes.count - mark) }

    mutating func discard() {
        changes = []
        origin = nil
    }

    /// What the transaction changed; nil when it changed nothing.
    mutating func commit(at now: Int64) -> CommittedChanges? {
        defer { discard() }
        guard !changes.isEmpty else { return nil }
        commitNumber += 1
        return CommittedChanges(
            transactionKey: UUID().uuidString.lowercased(), commitNumber: commitNumber, committedAt: now, origin: origin, changes: changes)
    }
}

extension OrgState {
    /// A savepoint of the database that takes the journal with it.
    func savepoint(_ db: Database, _ body: () throws -> Database.TransactionCompletion) throws {
        let mark = journal.mark
        var completion = Database.TransactionCompletion.rollback
        defer { if completion == .rollback { journal.rollBack(to: mark) } }
        guard db.isInsideTransaction else {
            return try db.inSavepoint {
                completion = try body()
                return completion
            }
        }
        try statements.savepoint("SAVEPOINT", db)
        do {
            completion = try body()
        } catch {
            // An error that ended the whole transaction has left no savepoint to go back to.
            try? statements.savepoint("ROLLBACK TO", db)
            try? statements.savepoint("RELEASE", db)
            throw error
        }
        if completion == .rollback { try statements.savepoint("ROLLBACK TO", db) }
        try statements.savepoint("RELEASE", db)
    }

    /// Ends the transaction: its changes go to everything that listens.
    func publishChanges(_ db: Database) throws {
        guard let committed = journal.commit(at: now) else { return }
        for listener in changeListeners { try listener(committed, self, db) }
    }
}
