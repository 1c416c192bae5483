import GRDB

/// The SQLite table that holds an object's records: one column per stored field, named for it.
enum ObjectTable {
    static func quoted(_ name: String) -> String {
        "\"" + (name.utf8.contains(UInt8(ascii: "\"")) ? name.replacing("\"", with: "\"\"") : name) + "\""
    }

    private static func columnType(_ field: FieldDefinition) -> String {
        switch field.kind {
        case .boolean, .int, .double, .currency, .percent, .datetime, .time: "INTEGER"
        default: "TEXT"
        }
    }

    static func create(_ object: ObjectDefinition, in db: Database) throws {
        let table = quoted(object.name)
        let columns = object.fields.filter(\.isStored).map { field in
            quoted(field.name) + " " + columnType(field) + (field.kind == .id ? " PRIMARY KEY NOT NULL" : "")
        }
        try db.execute(sql: "CREATE TABLE \(table) (\(columns.joined(separator: ", ")))")
        if object.field("SystemModstamp") != nil {
            try db.execute(sql: "CREATE INDEX \(quoted(object.name + "_modstamp")) ON \(table) (SystemModstamp, Id)")
        }
        for field in object.fields { try createIndex(field, of: object, in: db) }
    }

    static func add(_ field: FieldDefinition, to object: ObjectDefinition, in db: Database) throws {
        guard field.isStored else { return }
        try db.execute(sql: "ALTER TABLE \(quoted(object.name)) ADD COLUMN \(quoted(field.name)) \(columnType(field))")
        try createIndex(field, of: object, in: db)
    }

    static func drop(_ field: FieldDefinition, from object: ObjectDefinition, in db: Database) throws {
        guard field.isStored else { return }
        try db.execute(sql: "DROP INDEX IF EXISTS \(quoted(object.name + "_" + field.name))")
        try db.execute(sql: "ALTER TABLE \(quoted(object.name)) DROP COLUMN \(quoted(field.name))")
    }

    /// Identifiers are looked up without case, lookups when a parent goes.
    private static func createIndex(_ field: FieldDefinition, of object: ObjectDefinition, in db: Database) throws {
        guard field.isStored, field.externalId || field.unique || (field.kind == .reference && !field.isSystem) else { return }
        let collation = field.kind == .reference || field.caseSensitive ? "" : " COLLATE NOCASE"
        try db.execute(sql: "CREATE INDEX \(quoted(object.name + "_" + field.name)) ON \(quoted(object.name)) (\(quoted(field.name))\(collation))")
    }
}
