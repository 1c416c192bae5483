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
        /// The types of a polymorphic reference by the key prefixes of their ids.
        var types: [String: String] = [:]

        func type(of id: String) -> String { types[RecordIdentifier.keyPrefix(of: id)] ?? type }
    }

    /// The children of each record: a query of their own, narrowed to one parent.
    struct Child {
        var name: String
        var plan: QueryPlan
        /// The column that names the parent.
        var reference: String
    }

    var object: ObjectDefinition
    var columns: [Column]
    var parents: [Parent] = []
    var children: [Child] = []
    var countsRows = false
    var isAggregate = false
    var joins = ""
    var condition = ""
    var arguments: [DatabaseValue] = []
    /// GROUP BY and HAVING.
    var group = ""
    var order = ""
    var limit: Int?
    var offset: Int?
    /// True when nothing but WHERE narrows it: what PK chunking demands.
    var isChunkable: Bool { order.isEmpty && limit == nil && offset == nil && !isAggregate && !countsRows && children.isEmpty }

    /// Rows with two or more long texts or files make pages short (wire reference 3.5).
    var isWide: Bool { columns.filter { ($0.field.isLongText && $0.field.isCustom) || $0.field.kind == .base64 }.count > 1 }

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
