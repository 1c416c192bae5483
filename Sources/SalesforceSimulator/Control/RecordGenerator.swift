import GRDB

/// Makes many records at once, inside SQLite: a million in seconds, without passing through the rules of a save.
struct RecordGenerator {
    let state: OrgState
    let db: Database

    func generate(_ body: JSON) throws -> JSON {
        guard let name = body["object"]?.string, let object = state.object(name), let prefix = object.keyPrefix else {
            throw APIError.unknownType(body["object"]?.string ?? "")
        }
        guard let count = body["count"]?.int, count > 0, count <= 20_000_000 else {
            throw APIError(400, "INVALID_ARGUMENT_TYPE", "count must be between 1 and 20,000,000")
        }
        let user = try Sessions.userId(body["user"]?.string ?? SampleOrg.administrator, db) ?? ""
        let last = try state.next("id:" + object.name, by: Int64(count), db)
        let first = last - Int64(count)
        // Stamps fall in a span that ends now.
        let spread = max(1, body["stampSpreadSeconds"]?.int ?? 1)
        let newest = body["stamp"]?.string.flatMap { TimeText.parseDateTime($0) } ?? state.stamp
        let stamp = "(\(newest) - ((\(count) - n) % \(spread)) * 1000)"
        var columns: [(String, String)] = [("Id", RecordGenerator.idExpression(prefix: prefix, number: "(\(first) + n)"))]
        for field in object.fields where field.isSystem {
            switch field.name {
            case "IsDeleted": columns.append((field.name, "0"))
            case "CreatedDate", "LastModifiedDate", "SystemModstamp": columns.append((field.name, stamp))
            case "OwnerId", "CreatedById", "LastModifiedById": columns.append((field.name, "'\(user)'"))
            default: break
            }
        }
        let templates = body["fields"]?.members ?? []
        for field in object.fields where !field.isSystem && field.isStored {
            if let template = templates.first(where: { $0.key.lowercased() == field.name.lowercased() })?.value {
                columns.append((field.name, try expression(template, field, count: count)))
            } else if field.kind == .boolean {
                columns.append((field.name, field.defaultValue == "true" ? "1" : "0"))
            } else if field.autoNumberFormat != nil {
                columns.append((field.name, "printf('%08d', \(first) + n)"))
            }
        }
        for member in templates where object.field(member.key) == nil { throw APIError(400, "INVALID_FIELD", "no field \(member.key)") }
        try db.inSavepoint {
            try db.execute(sql: """
                WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(count))
                INSERT INTO \(ObjectTable.quoted(object.name)) (\(columns.map { ObjectTable.quoted($0.0) }.joined(separator: ", ")))
                SELECT \(columns.map(\.1).joined(separator: ", ")) FROM numbers
                """)
            try RollupSummary.refreshAll(over: object.name, state, db)
            return .commit
        }
        return [
            "created": .int(count), "firstId": .string(RecordIdentifier.make(keyPrefix: prefix, number: first + 1)),
            "lastId": .string(RecordIdentifier.make(keyPrefix: prefix, number: last)),
        ]
    }

    /// An id in SQL: ten digits to base 62, and a check character for each group of five (wire reference 8.1).
    static func idExpression(prefix: String, number: String) -> String {
        let digits = "'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'"
        func place(_ index: Int) -> String { "((\(number) / \(power(of: 62, 9 - index))) % 62)" }
        let text = (0..<10).map { "substr(\(digits), \(place($0)) + 1, 1)" }.joined(separator: " || ")
        func check(_ group: Range<Int>) -> String {
            let bits = group.enumerated().map { bit, index in "(\(place(index)) BETWEEN 10 AND 35) * \(1 << bit)" }.joined(separator: " + ")
            return "substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', \(bits) + 1, 1)"
        }
        let start = prefix + RecordIdentifier.instance
        let firstCheck = String(Array(RecordIdentifier.withCheckCharacters(start + "0000000000"))[15])
        return "'\(start)' || \(text) || '\(firstCheck)' || \(check(0..<5)) || \(check(5..<10))"
    }

    /// A template such as `Acme {n}`, `{n%7}`, `2024-{n%12+1:2}-01`; or `{"pick": "Account"}` for the id of some record.
    private func expression(_ template: JSON, _ field: FieldDefinition, count: Int) throws -> String {
        if let target = template["pick"]?.string { return try pick(target) }
        guard let text = template.string else { return "NULL" }
        let pieces = try Template.pieces(of: text).map { piece -> String in
            switch piece {
            case .text(let text): return "'" + DatabaseText.encode(text).replacing("'", with: "''") + "'"
            case .field(let formula): return try RecordGenerator.number(formula)
            }
        }
        guard !pieces.isEmpty else { return "NULL" }
        let value = "(" + pieces.joined(separator: " || ") + ")"
        return switch field.kind {
        case .boolean: "(\(value) IN ('true', '1'))"
        case .int: "CAST(\(value) AS INTEGER)"
        case .double, .currency, .percent: "CAST(ROUND(CAST(\(value) AS REAL) * \(power(of: 10, field.scale))) AS INTEGER)"
        case .datetime: "CAST(strftime('%s', \(value)) AS INTEGER) * 1000"
        case .time: "CAST(strftime('%s', '1970-01-01T' || rtrim(\(value), 'Z')) AS INTEGER) * 1000"
        default: "NULLIF(\(value), '')"
        }
    }

    /// `n`, then `%` a divisor, then `+` an addend, then `:` a width to fill with zeros.
    private static func number(_ formula: String) throws -> String {
        let parts = formula.split(separator: ":")
        guard let arithmetic = parts.first, arithmetic.allSatisfy({ "n0123456789%+-*/() ".contains($0) }) else {
            throw APIError(400, "INVALID_ARGUMENT_TYPE", "a placeholder is arithmetic over n, such as {n%7+1:2}: \(formula)")
        }
        guard parts.count > 1 else { return "CAST((\(arithmetic)) AS TEXT)" }
        guard let width = Int(parts[1]) else { throw APIError(400, "INVALID_ARGUMENT_TYPE", "a width is a number: \(formula)") }
        return "printf('%0\(width)d', \(arithmetic))"
    }

    /// The ids of an object, dealt out in turn.
    private func pick(_ name: String) throws -> String {
        guard let target = state.object(name) else { throw APIError.unknownType(name) }
        let table = "temp.\"pick_\(target.name)\""
        try db.execute(sql: "DROP TABLE IF EXISTS \(table)")
        try db.execute(sql: "CREATE TEMP TABLE \"pick_\(target.name)\" AS SELECT Id FROM \(ObjectTable.quoted(target.name)) WHERE IsDeleted = 0 ORDER BY Id")
        let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM \(table)") ?? 0
        guard count > 0 else { return "NULL" }
        return "(SELECT Id FROM \(table) AS picked WHERE picked.rowid = n % \(count) + 1)"
    }
}
