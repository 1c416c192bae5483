import GRDB

/// The statements of saves. A call writes the same fields of the same object many times over: to compose a text of thirty
/// names, or to look it up, would cost more than to run it.
final class SaveStatements {
    private struct Key: Hashable {
        var verb: String
        var object: String
        var names: [String]
    }

    private var statements: [Key: DirectStatement] = [:]

    /// `INSERT` of these columns, one argument each.
    func insert(into object: String, _ names: [String], _ db: Database) throws -> DirectStatement {
        try statement("INSERT", object, names, db) {
            "INSERT INTO \(ObjectTable.quoted(object)) (\(names.map(ObjectTable.quoted).joined(separator: ", "))) "
                + "VALUES (\(names.map { _ in "?" }.joined(separator: ", ")))"
        }
    }

    /// `UPDATE` of these columns, one argument each, then the id.
    func update(_ object: String, _ names: [String], _ db: Database) throws -> DirectStatement {
        try statement("UPDATE", object, names, db) {
            "UPDATE \(ObjectTable.quoted(object)) SET \(names.map { ObjectTable.quoted($0) + " = ?" }.joined(separator: ", ")) WHERE Id = ?"
        }
    }

    /// `SELECT` of these columns for one id.
    func select(_ names: [String], from object: String, _ db: Database) throws -> DirectStatement {
        try statement("SELECT", object, names, db) {
            "SELECT \(names.map(ObjectTable.quoted).joined(separator: ", ")) FROM \(ObjectTable.quoted(object)) WHERE Id = ?"
        }
    }

    /// Ids of at most three records with a value, deleted ones left out.
    func find(_ field: FieldDefinition, of object: ObjectDefinition, _ db: Database) throws -> DirectStatement {
        let ignoresCase = field.isText && !field.caseSensitive
        return try statement(ignoresCase ? "FIND NOCASE" : "FIND", object.name, [field.name], db) {
            let deleted = object.field("IsDeleted") == nil ? "" : " AND IsDeleted = 0"
            return "SELECT Id FROM \(ObjectTable.quoted(object.name)) WHERE \(ObjectTable.quoted(field.name)) = ?\(ignoresCase ? " COLLATE NOCASE" : "")\(deleted) LIMIT 3"
        }
    }

    /// `SAVEPOINT`, `RELEASE` or `ROLLBACK TO` of a record; they nest.
    func savepoint(_ verb: String, _ db: Database) throws {
        try statement(verb, "", [], db) { verb + " record" }.run()
    }

    private func statement(_ verb: String, _ object: String, _ names: [String], _ db: Database, text: () -> String) throws -> DirectStatement {
        let key = Key(verb: verb, object: object, names: names)
        if let known = statements[key] { return known }
        // Clients send few sets of fields; one that sends ever new ones must not fill the memory.
        if statements.count >= 1_000 { statements = [:] }
        let made = try DirectStatement(text(), db)
        statements[key] = made
        return made
    }
}
