/// A parsed query.
struct SOQLQuery: Equatable {
    struct Name: Equatable {
        var text: String
        var offset: Int
    }

    enum Aggregate: String, Equatable { case count, min, max, sum, avg, countDistinct = "count_distinct" }

    enum Item: Equatable {
        case field(Name)
        case aggregate(Aggregate, Name, alias: String?)
        case fields(String, offset: Int)
    }

    enum Literal: Equatable {
        case string(String)
        case number(String)
        case date(String)
        case dateTime(Int64)
        case time(Int64)
        case bool(Bool)
        case null
    }

    enum Comparison: String { case equal = "=", differs = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">=", like = "LIKE" }

    indirect enum Condition: Equatable {
        case compare(Name, Comparison, Literal)
        case list(Name, [Literal], negated: Bool)
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
    var object: Name
    var alias: String?
    var condition: Condition?
    var order: [Order] = []
    var limit: Int?
    var offset: Int?
}
