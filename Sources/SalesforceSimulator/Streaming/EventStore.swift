import GRDB

/// The events that can be replayed, in the order of their commits; they live in the org's file.
enum EventStore {
    /// Stands in a stored body for the replay id, which differs by channel; JSON texts never hold it as it is.
    static let replayMark = "\u{1}"

    static func prepare(_ db: Database) throws {
        try db.execute(sql: """
            CREATE TABLE IF NOT EXISTS sim_event (position INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, kind TEXT NOT NULL,
                created_at INTEGER NOT NULL, body TEXT NOT NULL);
            CREATE INDEX IF NOT EXISTS sim_event_channel ON sim_event (channel, position);
            CREATE INDEX IF NOT EXISTS sim_event_kind ON sim_event (kind, position);
            CREATE INDEX IF NOT EXISTS sim_event_age ON sim_event (kind, created_at);
            """)
    }

    /// - Parameter body: the message's `data`, with the mark in the place of the replay id.
    static func append(_ channel: StreamChannel, at now: Int64, body: String, _ db: Database) throws {
        let statement = try db.cachedStatement(sql: "INSERT INTO sim_event (channel, kind, created_at, body) VALUES (?, ?, ?, ?)")
        try statement.execute(arguments: [channel.name, channel.kind.rawValue, now, body])
    }

    /// The place of the newest event there ever was; 0 before the first.
    static func lastPosition(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db.cachedStatement(sql: "SELECT seq FROM sqlite_sequence WHERE name = 'sim_event'")) ?? 0
    }

    private static func condition(_ channel: StreamChannel) -> (sql: String, argument: String) {
        channel == .allChanges ? ("kind = ?", StreamChannel.Kind.change.rawValue) : ("channel = ?", channel.name)
    }

    struct Entry {
        var position: Int64
        /// The channel it is delivered on.
        var channel: StreamChannel
        /// The name of the channel it was made for.
        var stored: String
        var body: String

        /// The whole message, with the channel's own replay id.
        var message: String {
            let data = body.replacing(EventStore.replayMark, with: String(channel.replayId(at: position)))
            return "{\"data\":\(data),\"channel\":\(JSON.string(channel.name).text)}"
        }
    }

    static func entries(_ channel: StreamChannel, after position: Int64, limit: Int, _ db: Database) throws -> [Entry] {
        let (sql, argument) = condition(channel)
        let statement = try db.cachedStatement(sql: "SELECT position, channel, body FROM sim_event WHERE \(sql) AND position > ? ORDER BY position LIMIT ?")
        return try Row.fetchAll(statement, arguments: [argument, position, limit]).map { Entry(position: $0[0], channel: channel, stored: $0[1], body: $0[2]) }
    }

    static func has(_ channel: StreamChannel, at position: Int64, _ db: Database) throws -> Bool {
        let (sql, argument) = condition(channel)
        let statement = try db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM sim_event WHERE \(sql) AND position = ?)")
        return try Bool.fetchOne(statement, arguments: [argument, position]) ?? false
    }

    static func has(_ channel: StreamChannel, after position: Int64, _ db: Database) throws -> Bool {
        try !entries(channel, after: position, limit: 1, db).isEmpty
    }

    /// Takes out what is past its retention, and the oldest of too many.
    static func expire(_ state: OrgState, _ db: Database) throws {
        for kind in StreamChannel.Kind.allCases {
            try db.cachedStatement(sql: "DELETE FROM sim_event WHERE kind = ? AND created_at < ?")
                .execute(arguments: [kind.rawValue, state.now - kind.retention])
        }
        try db.cachedStatement(sql: "DELETE FROM sim_event WHERE position <= ?")
            .execute(arguments: [try lastPosition(db) - Int64(state.streaming.settings.keptEvents)])
    }

    /// - Parameter channel: nil empties every channel.
    static func purge(_ channel: String?, _ db: Database) throws -> Int {
        if let channel, channel != StreamChannel.allChangesName {
            try db.execute(sql: "DELETE FROM sim_event WHERE channel = ?", arguments: [channel])
        } else if channel != nil {
            try db.execute(sql: "DELETE FROM sim_event WHERE kind = ?", arguments: [StreamChannel.Kind.change.rawValue])
        } else {
            try db.execute(sql: "DELETE FROM sim_event")
        }
        return db.changesCount
    }
}
