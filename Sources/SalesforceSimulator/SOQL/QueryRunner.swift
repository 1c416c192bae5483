import GRDB

/// Runs compiled queries.
enum QueryRunner {
    static func count(_ plan: QueryPlan, _ db: Database) throws -> Int {
        let sql = "SELECT COUNT(*) FROM (SELECT 1" + plan.from + plan.filter + plan.tail + ")"
        return try Int.fetchOne(db.cachedStatement(sql: sql), arguments: StatementArguments(plan.arguments)) ?? 0
    }

    /// The rows of an aggregate query: one, or one for each group.
    static func groups(_ plan: QueryPlan, _ db: Database) throws -> [ResultRecord] {
        let sql = "SELECT " + plan.columns.flatMap(\.expressions).joined(separator: ", ") + plan.from + plan.filter + plan.group + plan.tail
        let rows = try Row.fetchAll(db, sql: sql, arguments: StatementArguments(plan.arguments))
        guard rows.count <= 2_000 else {
            throw APIError(400, "EXCEEDED_ID_LIMIT", "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch")
        }
        return rows.map { row in
            let fields = plan.columns.enumerated().map { index, column in
                (column.alias ?? "", ResultValue(row[index] as DatabaseValue, field: column.field))
            }
            return ResultRecord(type: "AggregateResult", id: nil, fields: fields)
        }
    }

    /// The row numbers of the whole result in order: what a cursor keeps.
    static func rowNumbers(_ plan: QueryPlan, _ db: Database) throws -> [Int64] {
        try Int64.fetchAll(
            db, sql: "SELECT t0.rowid" + plan.from + plan.filter + plan.tail, arguments: StatementArguments(plan.arguments))
    }

    /// The records behind row numbers, in their order; rows that are gone are left out.
    static func records(_ plan: QueryPlan, rows: ArraySlice<Int64>, _ db: Database) throws -> [ResultRecord] {
        let found = try recordsByRow(plan, rows: rows, db)
        return rows.compactMap { found[$0] }
    }

    static func recordsByRow(_ plan: QueryPlan, rows: ArraySlice<Int64>, _ db: Database) throws -> [Int64: ResultRecord] {
        guard !rows.isEmpty else { return [:] }
        let list = rows.map(String.init).joined(separator: ",")
        let cursor = try Row.fetchCursor(db, sql: "SELECT " + plan.selection + plan.from + " WHERE t0.rowid IN (\(list))")
        var found: [Int64: ResultRecord] = [:]
        while let row = try cursor.next() { found[row[0]] = record(plan, row) }
        return found
    }

    /// The row numbers of one parent's children.
    static func rowNumbers(_ child: QueryPlan.Child, of parent: String, _ db: Database) throws -> [Int64] {
        let condition = " WHERE \(child.reference) = ?" + (child.plan.condition.isEmpty ? "" : " AND (" + child.plan.condition + ")")
        let statement = try db.cachedStatement(sql: "SELECT t0.rowid" + child.plan.from + condition + child.plan.tail)
        return try Int64.fetchAll(statement, arguments: StatementArguments([parent.databaseValue] + child.plan.arguments))
    }

    /// The records of consecutive row numbers after `after`, for exports: at most `limit`, and the last row number seen.
    static func chunk(
        _ plan: QueryPlan, after: Int64, limit: Int, _ db: Database, each: (ResultRecord) throws -> Void
    ) throws -> Int64? {
        let condition = (plan.condition.isEmpty ? "" : "(" + plan.condition + ") AND ") + "t0.rowid > ?"
        let sql = "SELECT " + plan.selection + plan.from + " WHERE " + condition + " ORDER BY t0.rowid LIMIT \(limit)"
        let cursor = try Row.fetchCursor(
            db.cachedStatement(sql: sql), arguments: StatementArguments(plan.arguments + [after.databaseValue]))
        var last: Int64?
        while let row = try cursor.next() {
            last = row[0]
            try each(record(plan, row))
        }
        return last
    }

    static func record(_ plan: QueryPlan, _ row: Row) -> ResultRecord {
        var position = 2
        let id: String? = row[1]
        guard plan.parents.isEmpty else { return recordWithParents(plan, row) }
        var fields: [(String, ResultValue)] = []
        fields.reserveCapacity(plan.columns.count)
        for column in plan.columns {
            fields.append((column.path[0], value(column, row, &position)))
        }
        return ResultRecord(type: plan.object.name, id: id, fields: fields)
    }

    private static func value(_ column: QueryPlan.Column, _ row: Row, _ position: inout Int) -> ResultValue {
        defer { position += column.expressions.count }
        guard column.field.isCompound else { return ResultValue(row[position] as DatabaseValue, field: column.field) }
        let names = column.field.kind == .location ? ["latitude", "longitude"]
            : ["city", "country", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state", "street"]
        let numeric = FieldDefinition.decimal("", .double, 18, 15)
        let text = FieldDefinition.text("", 0)
        let parts = names.enumerated().map { index, name in
            (name, ResultValue(row[position + index] as DatabaseValue, field: name.hasSuffix("itude") ? numeric : text))
        }
        return parts.allSatisfy(\.1.isNull) ? .null : .compound(type: column.field.kind.rawValue, parts)
    }

    /// Parents become records of their own, at the place where the select list first names them.
    private static func recordWithParents(_ plan: QueryPlan, _ row: Row) -> ResultRecord {
        var position = 2 + plan.parents.count
        let parentIds = Dictionary(uniqueKeysWithValues: plan.parents.enumerated().map { index, parent in
            (parent.path.joined(separator: "."), row[2 + index] as String?)
        })
        struct Slot { var path: [String]; var value: ResultValue }
        var slots: [Slot] = []
        for column in plan.columns { slots.append(Slot(path: column.path, value: value(column, row, &position))) }
        func build(_ type: String, _ id: String?, _ prefix: [String]) -> ResultRecord {
            var record = ResultRecord(type: type, id: id, fields: [])
            for slot in slots where slot.path.starts(with: prefix) {
                let name = slot.path[prefix.count]
                if slot.path.count == prefix.count + 1 {
                    record.fields.append((name, slot.value))
                } else if !record.fields.contains(where: { $0.0 == name }) {
                    let path = prefix + [name]
                    let parent = plan.parents.first { $0.path == path }
                    let parentId = parentIds[path.joined(separator: ".")] ?? nil
                    let value = parentId.map { ResultValue.record(build(parent?.type(of: $0) ?? "", $0, path)) }
                    record.fields.append((name, value ?? .null))
                }
            }
            return record
        }
        return build(plan.object.name, row[1], [])
    }
}
