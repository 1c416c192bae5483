/// Open results: the row numbers that are still to be answered. A record is read when its page is.
struct CursorStore {
    struct Cursor {
        var plan: QueryPlan
        var rows: [Int64]
        var user: String
        /// On the org's clock.
        var opened: Int64 = 0
    }

    private var cursors: [String: Cursor] = [:]
    private var order: [String] = []
    private var number: Int64 = 0
    private var rowCount = 0

    /// More open results, or rows of them, are not kept; the oldest go.
    private let limit = 1_000
    private let rowLimit = 40_000_000

    /// - Parameter perUser: how many results a user may have open; nil sets no limit.
    mutating func open(_ cursor: Cursor, perUser: Int? = nil) -> String {
        number += 1
        let locator = RecordIdentifier.make(keyPrefix: "01g", number: number)
        cursors[locator] = cursor
        order.append(locator)
        rowCount += cursor.rows.count
        while order.count > limit || (rowCount > rowLimit && order.count > 1) { close(order[0]) }
        if let perUser {
            let own = order.filter { cursors[$0]?.user == cursor.user }
            for locator in own.dropLast(perUser) { close(locator) }
        }
        return locator
    }

    private mutating func close(_ locator: String) {
        rowCount -= cursors.removeValue(forKey: locator)?.rows.count ?? 0
        order.removeAll { $0 == locator }
    }

    /// The cursor and the offset of a locator such as `01gxx0000004h3EAAQ-2000`.
    ///
    /// - Throws: INVALID_QUERY_LOCATOR when it is unknown, another user's, or older than `hours` at `now`.
    mutating func find(_ locator: String, user: String, now: Int64, hours: Int) throws -> (cursor: Cursor, name: String, offset: Int) {
        let refusal = APIError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        let parts = locator.split(separator: "-")
        guard parts.count == 2, let offset = Int(parts[1]), offset >= 0, let name = RecordIdentifier.normalized(String(parts[0])),
            let cursor = cursors[name], offset <= cursor.rows.count, cursor.user == user
        else { throw refusal }
        guard now - cursor.opened <= Int64(hours) * 3_600_000 else {
            close(name)
            throw refusal
        }
        return (cursor, name, offset)
    }

    mutating func closeAll() {
        cursors = [:]
        order = []
        rowCount = 0
    }
}
