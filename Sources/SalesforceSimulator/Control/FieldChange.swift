import GRDB

/// A change of a field that exists: its length, its label, its type. Values follow when they can; no stamp moves.
extension ControlCalls {
    func changeField(_ name: String, of object: ObjectDefinition) throws {
        guard let old = object.field(name), old.isStored, !old.isSystem else { throw APIError.notFound("\(object.name) stores no field \(name) that can change") }
        let body = try body()
        var field = old
        if let type = body["type"]?.string {
            // What the new type needs and the body does not say is the type's standard.
            var asked = body
            asked.set("name", .string(old.name))
            asked.set("type", .string(type))
            if asked["label"] == nil { asked.set("label", .string(old.label)) }
            field = try fieldDefinition(asked)
        } else {
            if let length = body["length"]?.int { field.length = length }
            if let precision = body["precision"]?.int { field.precision = precision }
            if let scale = body["scale"]?.int { field.scale = scale }
            if let label = body["label"]?.string { field.label = label }
            if let nillable = body["nillable"]?.bool { field.nillable = nillable }
            if let unique = body["unique"]?.bool { field.unique = unique }
            if let values = body["picklistValues"]?.elements { field.picklistValues = values.compactMap(\.string) }
        }
        guard field.isStored else { throw APIError(400, "INVALID_TYPE", "a stored field cannot become \(field.kind.rawValue)") }
        if field.kind == old.kind, field.scale == old.scale { return try state.save(field, of: object.name, db) }
        try retype(old, field, of: object)
    }

    /// A new column takes the values that the new type accepts; the others are null.
    private func retype(_ old: FieldDefinition, _ field: FieldDefinition, of object: ObjectDefinition) throws {
        let table = ObjectTable.quoted(object.name), column = ObjectTable.quoted(old.name)
        let rows = try Row.fetchAll(db, sql: "SELECT rowid, \(column) FROM \(table) WHERE \(column) IS NOT NULL")
        try ObjectTable.drop(old, from: object, in: db)
        var without = object
        without.fields.removeAll { $0.name == old.name }
        try ObjectTable.add(field, to: without, in: db)
        let update = try db.makeStatement(sql: "UPDATE \(table) SET \(column) = ? WHERE rowid = ?")
        for row in rows {
            guard let text = ResultValue(row[1] as DatabaseValue, field: old).plainText,
                let value = try? FieldValue.stored(.text(text), field: field, truncating: true), !value.isNull
            else { continue }
            try update.execute(arguments: [value, row[0] as Int64])
        }
        try state.save(field, of: object.name, db)
    }

    /// Gives records one stamp, as a mass change in one transaction does: `ids`, or those a SOQL condition finds, or all.
    func touch(_ object: ObjectDefinition) throws -> JSON {
        let body = try body()
        var stamp = state.stamp
        if let text = body["stamp"]?.string {
            guard let instant = TimeText.parseDateTime(text) else { throw APIError(400, "INVALID_DATE_FORMAT", "stamp is no date and time") }
            stamp = instant
        }
        let condition = body["where"]?.string.map { " WHERE " + $0 }
            ?? body["ids"].map { " WHERE Id IN (" + $0.elements.compactMap { $0.string.flatMap { RecordIdentifier.normalized($0) } }.map { "'\($0)'" }.joined(separator: ",") + ")" } ?? ""
        let plan = try QueryCompiler.compile("SELECT Id FROM \(object.name)\(condition)", includesDeleted: false) { [state] in state.object($0) }
        let rows = try QueryRunner.rowNumbers(plan, db)
        let update = try db.makeStatement(
            sql: "UPDATE \(ObjectTable.quoted(object.name)) SET SystemModstamp = ?, LastModifiedDate = ?, LastModifiedById = ? WHERE rowid = ?")
        let user = try actor(body)
        try db.inSavepoint {
            for row in rows { try update.execute(arguments: [stamp, stamp, user, row]) }
            return .commit
        }
        return ["touched": .int(rows.count), "stamp": .string(TimeText.zulu(stamp))]
    }
}
