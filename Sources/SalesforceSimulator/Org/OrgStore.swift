import Foundation
import GRDB

/// The tables that hold the org itself; records have tables of their own, see ``ObjectTable``.
enum OrgStore {
    static func prepare(_ db: Database) throws {
        try db.execute(sql: """
            CREATE TABLE IF NOT EXISTS sim_object (name TEXT PRIMARY KEY, position INTEGER NOT NULL, definition TEXT NOT NULL);
            CREATE TABLE IF NOT EXISTS sim_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
            CREATE TABLE IF NOT EXISTS sim_counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS sim_deletion (object TEXT NOT NULL, id TEXT NOT NULL, deleted_at INTEGER NOT NULL, batch INTEGER NOT NULL);
            CREATE INDEX IF NOT EXISTS sim_deletion_time ON sim_deletion (object, deleted_at);
            CREATE INDEX IF NOT EXISTS sim_deletion_id ON sim_deletion (id);
            """)
        try Sessions.prepare(db)
    }

    static func settings(_ db: Database) throws -> OrgSettings? {
        guard let text = try String.fetchOne(db, sql: "SELECT value FROM sim_setting WHERE name = 'org'") else { return nil }
        // A file of an earlier version lacks settings that have been added since: they take their defaults.
        let standard = OrgSettings(organizationId: "", organizationName: "", versions: [])
        guard let stored = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
            let defaults = try JSONSerialization.jsonObject(with: JSONEncoder().encode(standard)) as? [String: Any]
        else { return nil }
        let merged = defaults.merging(stored) { _, kept in kept }
        return try JSONDecoder().decode(OrgSettings.self, from: JSONSerialization.data(withJSONObject: merged))
    }

    static func save(_ settings: OrgSettings, in db: Database) throws {
        let text = String(decoding: try JSONEncoder().encode(settings), as: UTF8.self)
        try db.execute(sql: "INSERT OR REPLACE INTO sim_setting (name, value) VALUES ('org', ?)", arguments: [text])
    }

    static func objects(_ db: Database) throws -> [ObjectDefinition] {
        try String.fetchAll(db, sql: "SELECT definition FROM sim_object ORDER BY position")
            .map { try JSONDecoder().decode(ObjectDefinition.self, from: Data($0.utf8)) }
    }

    static func save(_ object: ObjectDefinition, position: Int, in db: Database) throws {
        let text = String(decoding: try JSONEncoder().encode(object), as: UTF8.self)
        try db.execute(
            sql: "INSERT OR REPLACE INTO sim_object (name, position, definition) VALUES (?, ?, ?)", arguments: [object.name, position, text])
    }

    static func advance(_ counter: String, by step: Int64, in db: Database) throws -> Int64 {
        let statement = try db.cachedStatement(sql: """
            INSERT INTO sim_counter (name, value) VALUES (?, ?)
            ON CONFLICT (name) DO UPDATE SET value = value + excluded.value RETURNING value
            """)
        return try Int64.fetchOne(statement, arguments: [counter, step]) ?? step
    }
}
