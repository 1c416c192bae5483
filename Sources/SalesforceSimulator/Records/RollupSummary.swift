import GRDB

/// Roll-up summaries: kept on the master whenever a detail changes; the master's stamps stay (wire reference 6.4, 5).
enum RollupSummary {
    /// A roll-up as its details find it.
    struct Entry: Sendable {
        var master: String
        var field: FieldDefinition
        var rollup: FieldDefinition.Rollup
    }

    /// The roll-ups over each object, by its name in small letters.
    static func index(_ objects: [ObjectDefinition]) -> [String: [Entry]] {
        var entries: [String: [Entry]] = [:]
        for object in objects {
            for field in object.fields {
                guard let rollup = field.rollup else { continue }
                entries[rollup.object.lowercased(), default: []].append(Entry(master: object.name, field: field, rollup: rollup))
            }
        }
        return entries
    }

    /// Works out the roll-ups of the masters that a record has or had.
    static func refresh(after detail: ObjectDefinition, old: RecordSaver.Values?, new: RecordSaver.Values?, _ state: OrgState, _ db: Database) throws {
        guard !state.rollups.isEmpty, let entries = state.rollups[detail.name.lowercased()] else { return }
        for entry in entries {
            guard let lookup = detail.field(entry.rollup.lookup) else { continue }
            let masters = Set([old, new].compactMap { $0?[lookup.name].flatMap(String.fromDatabaseValue) })
            for id in masters.sorted() { try refresh(entry, detail, id, state, db) }
        }
    }

    private static func refresh(_ entry: Entry, _ detail: ObjectDefinition, _ id: String, _ state: OrgState, _ db: Database) throws {
        guard let value = expression(entry, detail) else { return }
        let table = ObjectTable.quoted(entry.master)
        let column = ObjectTable.quoted(entry.field.name)
        try db.cachedStatement(sql: "UPDATE \(table) SET \(column) = \(value) WHERE Id = ? AND \(column) IS NOT \(value)").execute(arguments: [id])
        // A master may be a detail itself.
        guard db.changesCount > 0, let master = state.object(entry.master), state.rollups[master.name.lowercased()] != nil else { return }
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM \(table) WHERE Id = ?", arguments: [id]) else { return }
        var values: RecordSaver.Values = [:]
        for (name, value) in row { values[name] = value }
        try refresh(after: master, old: nil, new: values, state, db)
    }

    /// Works out every master's roll-ups over an object: after a new roll-up field and after generated records.
    static func refreshAll(over name: String, _ state: OrgState, _ db: Database) throws {
        guard let entries = state.rollups[name.lowercased()], let detail = state.object(name) else { return }
        for entry in entries {
            guard let value = expression(entry, detail) else { continue }
            try db.execute(sql: "UPDATE \(ObjectTable.quoted(entry.master)) SET \(ObjectTable.quoted(entry.field.name)) = \(value)")
        }
    }

    /// The value over the details of a row of the master's table; nil when the details have no such field.
    private static func expression(_ entry: Entry, _ detail: ObjectDefinition) -> String? {
        guard let lookup = detail.field(entry.rollup.lookup) else { return nil }
        let source = entry.rollup.field.flatMap { detail.field($0) }
        let scale = entry.field.isDecimal ? entry.field.scale : 0
        let inner: String
        if entry.rollup.operation == .count {
            inner = "COUNT(*) * \(power(of: 10, scale))"
        } else {
            guard let source, source.isStored else { return nil }
            var result = "\(entry.rollup.operation.rawValue)(d.\(ObjectTable.quoted(source.name)))"
            let sourceScale = source.isDecimal ? source.scale : 0
            if scale > sourceScale { result += " * \(power(of: 10, scale - sourceScale))" }
            if scale < sourceScale { result = "CAST(ROUND(\(result) / \(Double(power(of: 10, sourceScale - scale)))) AS INTEGER)" }
            inner = entry.rollup.operation == .sum ? "COALESCE(\(result), 0)" : result
        }
        return "(SELECT \(inner) FROM \(ObjectTable.quoted(detail.name)) AS d WHERE d.\(ObjectTable.quoted(lookup.name)) = \(ObjectTable.quoted(entry.master)).Id AND d.IsDeleted = 0)"
    }
}
