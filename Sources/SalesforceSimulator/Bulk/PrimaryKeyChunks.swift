import GRDB

/// PK chunking: a query cut into spans of ids (wire reference 4.1).
enum PrimaryKeyChunks {
    /// Spans of ids that hold `size` record numbers each, deleted records counted.
    static func ranges(_ object: ObjectDefinition, size: Int, _ db: Database) throws -> [(String, String?)] {
        let table = ObjectTable.quoted(object.name)
        var ranges: [(String, String?)] = []
        var from = try String.fetchOne(db, sql: "SELECT MIN(Id) FROM \(table)") ?? nil
        while let start = from {
            let next = try String.fetchOne(
                db, sql: "SELECT Id FROM \(table) WHERE Id >= ? ORDER BY Id LIMIT 1 OFFSET \(size)", arguments: [start])
            ranges.append((start, next))
            from = next
        }
        return ranges
    }
}
