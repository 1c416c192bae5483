import GRDB

/// Reads that do not see the latest commits, as Salesforce's own lag by seconds (wire reference 9.2, 2).
///
/// Triggers keep what each change replaced. A read that lags takes the young changes back in a savepoint, reads, and gives them again:
/// it sees the org exactly as it was, updated and deleted records too.
struct ReadLag {
    private var isWatching = false

    private static let reads: Set<String> = ["query", "queryAll", "queryMore", "getUpdated", "getDeleted"]
    /// The machine's clock in SQL, as milliseconds since 1970.
    private static let now = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"

    /// Runs `body`; when it reads and reads lag, as things were a while ago.
    mutating func asSeen(_ call: CallDescription, _ state: OrgState, _ db: Database, _ body: () -> Reply) throws -> Reply {
        let delay = state.settings.service.visibilityDelayMilliseconds
        guard delay > 0 else {
            try suspend(db)
            return body()
        }
        if !isWatching { try watch(state, db) }
        guard ReadLag.reads.contains(call.operation) else { return body() }
        try db.execute(sql: "DELETE FROM temp.sim_lag WHERE at <= \(ReadLag.now) - ?", arguments: [delay])
        var reply = Reply(500)
        try db.inSavepoint {
            try ReadLag.takeBack(db)
            reply = body()
            return .rollback
        }
        return reply
    }

    private mutating func watch(_ state: OrgState, _ db: Database) throws {
        try db.execute(sql: """
            CREATE TEMP TABLE sim_lag (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, place TEXT NOT NULL, row INTEGER NOT NULL, old TEXT);
            CREATE INDEX temp.sim_lag_at ON sim_lag (at)
            """)
        for table in state.objects.map(\.name) + ["sim_deletion"] {
            let quoted = ObjectTable.quoted(table)
            let old = try "json_object(" + db.columns(in: table).map { "'\($0.name)', OLD." + ObjectTable.quoted($0.name) }.joined(separator: ", ") + ")"
            for (event, row, value) in [("INSERT", "NEW.rowid", "NULL"), ("UPDATE", "OLD.rowid", old), ("DELETE", "OLD.rowid", old)] {
                try db.execute(sql: """
                    CREATE TEMP TRIGGER \(ObjectTable.quoted("lag_\(event)_" + table)) AFTER \(event) ON main.\(quoted)
                    BEGIN INSERT INTO sim_lag (at, place, row, old) VALUES (\(ReadLag.now), '\(table)', \(row), \(value)); END
                    """)
            }
        }
        isWatching = true
    }

    /// Stops watching, and forgets: what was committed is seen.
    mutating func suspend(_ db: Database) throws {
        guard isWatching else { return }
        for name in try String.fetchAll(db, sql: "SELECT name FROM sqlite_temp_master WHERE type = 'trigger' AND name LIKE 'lag\\_%' ESCAPE '\\'") {
            try db.execute(sql: "DROP TRIGGER temp.\(ObjectTable.quoted(name))")
        }
        try db.execute(sql: "DROP TABLE temp.sim_lag")
        isWatching = false
    }

    private static func takeBack(_ db: Database) throws {
        // Read whole before anything is undone: undoing is watched, too.
        for entry in try Row.fetchAll(db, sql: "SELECT place, row, old FROM temp.sim_lag ORDER BY number DESC") {
            let place: String = entry[0]
            let table = ObjectTable.quoted(place)
            let row: Int64 = entry[1]
            try db.execute(sql: "DELETE FROM \(table) WHERE rowid = ?", arguments: [row])
            guard let old = entry[2] as String? else { continue }
            let names = try db.columns(in: place).map(\.name)
            try db.execute(
                sql: "INSERT INTO \(table) (rowid, \(names.map(ObjectTable.quoted).joined(separator: ", "))) "
                    + "SELECT ?, \(names.map { "json_extract(?2, '$.\"\($0)\"')" }.joined(separator: ", "))",
                arguments: [row, old])
        }
    }
}
