import GRDB

/// A query compiled to SQL over the objects' tables.
struct QueryPlan {
    struct Column {
        /// Relationship names and the field's name, as describe spells them.
        var path: [String]
        /// The object at each step of the path, the queried one first.
        var types: [String]
        var field: FieldDefinition
        /// More than one for a compound field: its components in order.
        var expressions: [String]
        /// Set for aggregates: the name in the answer.
        var alias: String?
    }

    /// A parent's id, fetched so that a missing parent answers null.
    struct Parent {
        var path: [String]
        var type: String
        var expression: String
    }

    var object: ObjectDefinition
    var columns: [Column]
    var parents: [Parent] = []
    var countsRows = false
    var isAggregate = false
    var joins = ""
    var condition = ""
    var arguments: [DatabaseValue] = []
    var order = ""
    var limit: Int?
    var offset: Int?
    /// True when nothing but WHERE narrows it: what PK chunking demands.
    var isChunkable: Bool { order.isEmpty && limit == nil && offset == nil && !isAggregate && !countsRows }

    var from: String { " FROM \(ObjectTable.quoted(object.name)) AS t0" + joins }
    var filter: String { condition.isEmpty ? "" : " WHERE " + condition }
    var tail: String {
        order + (limit.map { " LIMIT \($0)" } ?? (offset == nil ? "" : " LIMIT -1")) + (offset.map { " OFFSET \($0)" } ?? "")
    }

    /// The select list: the record's row id and id, parents' ids, then the columns.
    var selection: String {
        (["t0.rowid", "t0.Id"] + parents.map(\.expression) + columns.flatMap(\.expressions)).joined(separator: ", ")
    }
}
