import GRDB

/// The span of a getUpdated or getDeleted call (wire reference 2.10).
struct ReplicationWindow {
    let start: Int64
    let end: Int64
    /// How far the answer is complete: held back by transactions that are still open.
    let latestDateCovered: Int64
    /// How far back the delete log reaches.
    let earliestDateAvailable: Int64

    private static let minute: Int64 = 60_000
    private static let largest = 600_000

    /// - Throws: INVALID_REPLICATION_DATE when the span is empty, too short or too old.
    init(start: Int64, end: Int64, deleted: Bool, _ state: OrgState) throws {
        // Seconds are cut to the minute.
        self.start = start - start % ReplicationWindow.minute
        self.end = end - end % ReplicationWindow.minute
        let now = state.now
        let lookBack = (deleted ? 15 : 30) * TimeText.millisecondsPerDay
        guard self.start < self.end else {
            throw APIError(400, "INVALID_REPLICATION_DATE", "startDate before endDate was expected")
        }
        if deleted, self.end - self.start <= ReplicationWindow.minute {
            throw APIError(400, "INVALID_REPLICATION_DATE", "startDate and endDate must be more than one minute apart")
        }
        guard now - self.start <= lookBack + ReplicationWindow.minute else {
            throw APIError(400, "INVALID_REPLICATION_DATE", "startDate is too far back: the limit is \(deleted ? 15 : 30) days")
        }
        var covered = min(self.end, now / 1_000 * 1_000)
        if let oldest = state.openTransactions.oldestStamp { covered = min(covered, oldest - 1_000) }
        latestDateCovered = covered - covered % 1_000
        let trimmed = state.settings.recordSettings?.deleteLogStart ?? 0
        earliestDateAvailable = max(now - 15 * TimeText.millisecondsPerDay, trimmed) / 1_000 * 1_000
    }

    private func check(_ object: ObjectDefinition) throws {
        guard object.replicateable, object.field("SystemModstamp") != nil else {
            throw APIError(400, "INVALID_TYPE", "entity type \(object.name) is not replicable")
        }
    }

    func updatedIds(_ object: ObjectDefinition, _ context: CallContext) throws -> [String] {
        try check(object)
        let ids = try String.fetchAll(
            context.db, sql: "SELECT Id FROM \(ObjectTable.quoted(object.name)) WHERE SystemModstamp >= ? AND SystemModstamp < ?\(object.field("IsDeleted") == nil ? "" : " AND IsDeleted = 0") ORDER BY SystemModstamp, Id LIMIT \(ReplicationWindow.largest + 1)",
            arguments: [start, end])
        guard ids.count <= ReplicationWindow.largest else { throw APIError(400, "EXCEEDED_ID_LIMIT", "Exceeded 600,000 ids: use a shorter span") }
        return ids
    }

    func deletedRecords(_ object: ObjectDefinition, _ context: CallContext) throws -> [(id: String, date: Int64)] {
        try check(object)
        let rows = try Row.fetchAll(
            context.db, sql: "SELECT id, deleted_at FROM sim_deletion WHERE object = ? AND deleted_at >= ? AND deleted_at < ? ORDER BY deleted_at, id LIMIT \(ReplicationWindow.largest + 1)",
            arguments: [object.name, max(start, earliestDateAvailable), end])
        guard rows.count <= ReplicationWindow.largest else { throw APIError(400, "EXCEEDED_ID_LIMIT", "Exceeded 600,000 ids: use a shorter span") }
        return rows.map { ($0[0], $0[1]) }
    }
}
