/// Open results: the row numbers that are still to be answered. A record is read when its page is.
struct CursorStore {
    struct Cursor {
        var plan: QueryPlan
        var rows: [Int64]
        var user: String
    }

    private var cursors: [String: Cursor] = [:]
    private var order: [String] = []
    private var number: Int64 = 0

    /// More than this many open results are not kept; the oldest goes.
    private let limit = 200

    mutating func open(_ cursor: Cursor) -> String {
        number += 1
        let locator = RecordIdentifier.make(keyPrefix: "01g", number: number)
        cursors[locator] = cursor
        order.append(locator)
        if order.count > limit { cursors[order.removeFirst()] = nil }
        return locator
    }

    /// The cursor and the offset of a locator such as `01gxx0000004h3EAAQ-2000`.
    func find(_ locator: String) throws -> (cursor: Cursor, name: String, offset: Int) {
        let parts = locator.split(separator: "-")
        guard parts.count == 2, let offset = Int(parts[1]), let cursor = cursors[String(parts[0])], offset <= cursor.rows.count else {
            throw APIError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        }
        return (cursor, String(parts[0]), offset)
    }

    mutating func closeAll() {
        cursors = [:]
        order = []
    }
}

/// One page of a result.
struct QueryPage {
    var records: [ResultRecord]
    var total: Int
    /// Where the next page begins; nil on the last.
    var locator: String?

    /// Runs a query and answers its first page.
    static func first(_ plan: QueryPlan, size: Int, _ context: CallContext) throws -> QueryPage {
        let rows = try QueryRunner.rowNumbers(plan, context.db)
        let records = try QueryRunner.records(plan, rows: rows.prefix(size), context.db)
        guard rows.count > size else { return QueryPage(records: records, total: rows.count, locator: nil) }
        let name = context.state.cursors.open(CursorStore.Cursor(plan: plan, rows: rows, user: context.user))
        return QueryPage(records: records, total: rows.count, locator: "\(name)-\(size)")
    }

    static func next(_ locator: String, size: Int, _ context: CallContext) throws -> QueryPage {
        let (cursor, name, offset) = try context.state.cursors.find(locator)
        let end = min(offset + size, cursor.rows.count)
        let records = try QueryRunner.records(cursor.plan, rows: cursor.rows[offset..<end], context.db)
        return QueryPage(records: records, total: cursor.rows.count, locator: end < cursor.rows.count ? "\(name)-\(end)" : nil)
    }

    /// The page size a client asked for, within what Salesforce grants.
    static func size(asked: String?, standard: Int, largest: Int) -> Int {
        guard let asked = asked.flatMap({ Int($0) }) else { return min(standard, largest) }
        return min(max(asked, 200), largest)
    }
}
