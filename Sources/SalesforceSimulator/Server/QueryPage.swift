/// One page of a result.
struct QueryPage: Sendable {
    var records: [ResultRecord]
    var total: Int
    /// Where the next page begins; nil on the last.
    var locator: String?

    /// Runs a query and answers its first page.
    static func first(_ plan: QueryPlan, size: Int, _ context: CallContext) throws -> QueryPage {
        try page(plan, try QueryRunner.rowNumbers(plan, context.db), size: size, context)
    }

    private static func page(_ plan: QueryPlan, _ rows: [Int64], size: Int, _ context: CallContext) throws -> QueryPage {
        let (records, end) = try read(plan, rows, from: 0, size: size, context)
        guard end < rows.count else { return QueryPage(records: records, total: rows.count, locator: nil) }
        let cursor = CursorStore.Cursor(plan: plan, rows: rows, user: context.user, opened: context.state.now)
        let name = context.state.cursors.open(cursor, perUser: context.state.settings.query.openLocators)
        return QueryPage(records: records, total: rows.count, locator: "\(name)-\(end)")
    }

    static func next(_ locator: String, size: Int, _ context: CallContext) throws -> QueryPage {
        let (cursor, name, offset) = try context.state.cursors.find(
            locator, user: context.user, now: context.state.now, hours: context.state.settings.query.locatorHours)
        let (records, end) = try read(cursor.plan, cursor.rows, from: offset, size: size, context)
        return QueryPage(records: records, total: cursor.rows.count, locator: end < cursor.rows.count ? "\(name)-\(end)" : nil)
    }

    /// The records from a row on, and the row after them. Children count as records of the page (wire reference 2.6).
    private static func read(
        _ plan: QueryPlan, _ rows: [Int64], from start: Int, size: Int, _ context: CallContext
    ) throws -> (records: [ResultRecord], end: Int) {
        let size = plan.isWide ? min(size, context.state.settings.query.wideRowRecords ?? size) : size
        let end = min(start + size, rows.count)
        guard !plan.children.isEmpty else { return (try QueryRunner.records(plan, rows: rows[start..<end], context.db), end) }
        let found = try QueryRunner.recordsByRow(plan, rows: rows[start..<end], context.db)
        var records: [ResultRecord] = []
        var count = 0
        for index in start..<end {
            guard var record = found[rows[index]], let id = record.id else { continue }
            let children = try plan.children.map { ($0, try QueryRunner.rowNumbers($0, of: id, context.db)) }
            count += 1 + children.reduce(0) { $0 + min($1.1.count, size) }
            if count > size, !records.isEmpty { return (records, index) }
            for (child, rows) in children {
                // No children answer null, not an empty list.
                let value = rows.isEmpty ? ResultValue.null : .children(try page(child.plan, rows, size: size, context))
                record.fields.append((child.name, value))
            }
            records.append(record)
        }
        return (records, end)
    }

    /// The page size a client asked for, within what Salesforce grants.
    static func size(asked: String?, standard: Int, largest: Int) -> Int {
        guard let asked = asked.flatMap({ Int($0) }) else { return min(standard, largest) }
        return min(max(asked, 200), largest)
    }

    func json(version: String) -> JSON {
        var document: JSON = ["totalSize": .int(total), "done": .bool(locator == nil)]
        if let locator { document.set("nextRecordsUrl", .string("/services/data/v\(version)/query/\(locator)")) }
        document.set("records", .array(records.map { $0.json(version: version) }))
        return document
    }
}
