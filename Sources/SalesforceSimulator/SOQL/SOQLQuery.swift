/// A parsed query.
struct SOQLQuery: Equatable {
    /// A field path, or a function of one.
    struct Name: Equatable {
        var text: String
        var offset: Int
        /// In capitals: `MAX`, `CALENDAR_YEAR`.
        var function: String?

        var isAggregate: Bool { function.map { SOQLFunction.aggregates.contains($0) } ?? false }
    }

    enum Item: Equatable {
        case field(Name, alias: String?)
        case fields(String, offset: Int)
        /// The children of a relationship.
        case children(SOQLQuery)
    }

    enum Literal: Equatable {
        case string(String)
        case number(String)
        /// `USD5000`
        case currency(String)
        case date(String)
        case dateTime(Int64)
        case time(Int64)
        /// `TODAY`, `LAST_N_DAYS:7`
        case days(DateLiteral)
        case bool(Bool)
        case null
    }

    enum Comparison: String { case equal = "=", differs = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">=", like = "LIKE" }

    indirect enum Condition: Equatable {
        case compare(Name, Comparison, Literal)
        case list(Name, [Literal], negated: Bool)
        /// `IN (SELECT ...)`
        case within(Name, SOQLQuery, negated: Bool)
        case choices(Name, [String], excluding: Bool)
        case not(Condition)
        case all([Condition])
        case any([Condition])
    }

    struct Order: Equatable {
        var name: Name
        var descending: Bool
        var nullsLast: Bool
    }

    var items: [Item]
    /// `SELECT COUNT() FROM`: only the number of rows.
    var countsRows: Bool
    /// The object, or in a subquery of the select list the name of the relationship.
    var object: Name
    var alias: String?
    var condition: Condition?
    var grouping: [Name] = []
    var having: Condition?
    var order: [Order] = []
    var limit: Int?
    var offset: Int?

    var isAggregate: Bool {
        !grouping.isEmpty || items.contains { if case .field(let name, _) = $0 { name.isAggregate } else { false } }
    }
}

/// The functions of a select list and a condition.
enum SOQLFunction {
    static let aggregates: Set<String> = ["COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"]
    /// The value as it is: there is one language and one currency.
    static let formats: Set<String> = ["TOLABEL", "CONVERTCURRENCY", "FORMAT"]

    /// What SQLite's strftime makes of a point in time, as an expression over `{}`.
    static let dateParts: [String: String] = [
        "CALENDAR_YEAR": "CAST(strftime('%Y', {}) AS INTEGER)", "CALENDAR_MONTH": "CAST(strftime('%m', {}) AS INTEGER)",
        "CALENDAR_QUARTER": "((CAST(strftime('%m', {}) AS INTEGER) + 2) / 3)", "DAY_IN_MONTH": "CAST(strftime('%d', {}) AS INTEGER)",
        "DAY_IN_WEEK": "(CAST(strftime('%w', {}) AS INTEGER) + 1)", "DAY_IN_YEAR": "CAST(strftime('%j', {}) AS INTEGER)",
        "HOUR_IN_DAY": "CAST(strftime('%H', {}) AS INTEGER)", "WEEK_IN_YEAR": "((CAST(strftime('%j', {}) AS INTEGER) + 6) / 7)",
        "WEEK_IN_MONTH": "((CAST(strftime('%d', {}) AS INTEGER) + 6) / 7)", "DAY_ONLY": "date({})",
        "FISCAL_YEAR": "CAST(strftime('%Y', {}) AS INTEGER)", "FISCAL_MONTH": "CAST(strftime('%m', {}) AS INTEGER)",
        "FISCAL_QUARTER": "((CAST(strftime('%m', {}) AS INTEGER) + 2) / 3)",
    ]

    static func isKnown(_ name: String) -> Bool { aggregates.contains(name) || formats.contains(name) || dateParts[name] != nil }
}
