import GRDB

/// What an org does now and then, on its own clock.
struct RecordUpkeep: Sendable {
    /// When the recycle bin was last looked through.
    var checkedAt: Int64 = 0
    /// Used calls as `/limits` last showed them, and when they were counted.
    var shownCalls: (at: Int64, used: Int)?
}

/// Deleted records until they are purged (wire reference 6.4, 6): nothing but the delete log names them afterwards.
struct RecycleBin {
    let state: OrgState
    let db: Database

    private static let interval: Int64 = 3_600_000
    private static let days: Int64 = 15

    private var objects: [ObjectDefinition] { state.objects.filter { $0.field("IsDeleted") != nil } }

    /// Purges what is older than 15 days, and trims the delete log when it has grown too long; at most once an hour of the org's clock.
    func tidy() throws {
        let now = state.now
        guard abs(now - state.upkeep.checkedAt) >= RecycleBin.interval else { return }
        state.upkeep.checkedAt = now
        try purge(deletedBefore: now - RecycleBin.days * TimeText.millisecondsPerDay)
        if let limit = state.settings.recordSettings?.deleteLogRecords, try loggedRecords() > limit { try trimLog(before: now - 2 * RecycleBin.interval) }
    }

    var count: Int {
        get throws { try objects.reduce(0) { try $0 + (Int.fetchOne(db, sql: "SELECT COUNT(*) FROM \(ObjectTable.quoted($1.name)) WHERE IsDeleted = 1") ?? 0) } }
    }

    func purge(deletedBefore moment: Int64) throws {
        for object in objects {
            try db.execute(
                sql: "DELETE FROM \(ObjectTable.quoted(object.name)) WHERE IsDeleted = 1 AND Id IN (SELECT id FROM sim_deletion WHERE object = ? AND deleted_at < ?)",
                arguments: [object.name, moment])
        }
    }

    /// Purges the oldest records beyond the size that the settings give.
    func keepToSize() throws {
        guard let limit = state.settings.recordSettings?.recycleBinRecords else { return }
        let all = objects.map { "SELECT Id, '\($0.name)' AS object FROM \(ObjectTable.quoted($0.name)) WHERE IsDeleted = 1" }.joined(separator: " UNION ALL ")
        let rows = try Row.fetchAll(db, sql: """
            SELECT bin.object, bin.Id FROM (\(all)) AS bin JOIN sim_deletion AS log ON log.id = bin.Id
            GROUP BY bin.Id ORDER BY MAX(log.rowid) DESC LIMIT -1 OFFSET \(limit)
            """)
        for row in rows {
            let id: String = row[1]
            try db.execute(sql: "DELETE FROM \(ObjectTable.quoted(row[0])) WHERE Id = ?", arguments: [id])
        }
    }

    // MARK: The delete log

    private func loggedRecords() throws -> Int {
        try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sim_deletion WHERE deleted_at >= ?", arguments: [state.settings.records.deleteLogStart ?? 0]) ?? 0
    }

    /// Forgets what was deleted before a moment: `earliestDateAvailable` moves there. Records in the bin can still be restored.
    func trimLog(before moment: Int64) throws {
        state.settings.records.deleteLogStart = max(moment, state.settings.records.deleteLogStart ?? moment)
        try state.saveSettings(db)
    }
}
