import GRDB

/// Compiles a parsed query for one user: names that the user may not read do not exist.
struct QueryCompiler {
    let text: String
    private let lookup: (String) -> ObjectDefinition?
    private var object: ObjectDefinition
    private var alias: String?
    private var joins: [(path: String, alias: String, object: ObjectDefinition)] = []
    private var joinSQL = ""
    var arguments: [DatabaseValue] = []

    /// - Parameters:
    ///   - includesDeleted: what queryAll sees.
    ///   - lookup: an object by name, without case, as the user sees it.
    /// - Throws: ``APIError`` with Salesforce's code and place.
    static func compile(
        _ text: String, includesDeleted: Bool, lookup: @escaping (String) -> ObjectDefinition?
    ) throws -> QueryPlan {
        let query = try SOQLParser.parse(text)
        guard let object = lookup(query.object.text) else {
            let error = APIError.unknownType(query.object.text)
            throw SOQLParser.refusal(error.code, text, error.message, at: query.object.offset)
        }
        guard object.queryable else {
            throw APIError(400, "INVALID_TYPE_FOR_OPERATION", "entity type \(object.name) does not support query")
        }
        var compiler = QueryCompiler(text: text, lookup: lookup, object: object, alias: query.alias)
        return try compiler.plan(query, includesDeleted: includesDeleted)
    }

    private init(text: String, lookup: @escaping (String) -> ObjectDefinition?, object: ObjectDefinition, alias: String?) {
        self.text = text
        self.lookup = lookup
        self.object = object
        self.alias = alias
    }

    private mutating func plan(_ query: SOQLQuery, includesDeleted: Bool) throws -> QueryPlan {
        var columns: [QueryPlan.Column] = []
        var aggregates = 0
        for item in query.items {
            switch item {
            case .field(let name): columns.append(try column(name))
            case .fields(let scope, let offset): columns += try everyField(scope, offset: offset, limit: query.limit)
            case .aggregate(let function, let name, let alias):
                columns.append(try aggregate(function, name, alias: alias ?? "expr\(aggregates)"))
                if alias == nil { aggregates += 1 }
            }
        }
        let isAggregate = columns.contains { $0.alias != nil }
        if isAggregate, let plain = columns.first(where: { $0.alias == nil }) {
            throw SOQLParser.malformed(text, "Field must be grouped or aggregated: \(plain.field.name)", at: 0)
        }
        var seen: Set<String> = []
        for column in columns where column.alias == nil {
            guard seen.insert(column.path.joined(separator: ".")).inserted else {
                throw APIError(400, "MALFORMED_QUERY", "duplicate field selected: \(column.field.name)")
            }
        }
        var conditions: [String] = []
        if !includesDeleted, object.field("IsDeleted") != nil { conditions.append("t0.IsDeleted = 0") }
        if let condition = query.condition { conditions.append(try compile(condition)) }
        var order: [String] = []
        for entry in query.order {
            let (field, expression) = try resolveSingle(entry.name)
            guard field.isSortable else {
                throw SOQLParser.refusal("INVALID_FIELD", text, "field '\(field.name)' can not be sorted in a query call", at: entry.name.offset)
            }
            let collation = field.isText ? " COLLATE NOCASE" : ""
            // SQLite's own order puts nulls first when ascending and last when descending; saying so again would hide the index.
            let nulls = entry.nullsLast == entry.descending ? "" : (entry.nullsLast ? " NULLS LAST" : " NULLS FIRST")
            order.append(expression + collation + (entry.descending ? " DESC" : "") + nulls)
        }
        var plan = QueryPlan(object: object, columns: columns)
        plan.countsRows = query.countsRows
        plan.isAggregate = isAggregate
        plan.condition = conditions.joined(separator: " AND ")
        plan.order = order.isEmpty ? "" : " ORDER BY " + order.joined(separator: ", ")
        plan.limit = query.limit
        plan.offset = query.offset
        var parentPaths: Set<String> = []
        for column in columns where column.path.count > 1 && column.alias == nil {
            for depth in 1..<column.path.count {
                let path = Array(column.path.prefix(depth))
                let key = path.joined(separator: ".").lowercased()
                guard parentPaths.insert(key).inserted, let join = joins.first(where: { $0.path == key }) else { continue }
                plan.parents.append(QueryPlan.Parent(path: path, type: join.object.name, expression: "\(join.alias).Id"))
            }
        }
        plan.joins = joinSQL
        plan.arguments = arguments
        return plan
    }

    // MARK: Names

    /// The table alias and object behind all but the last part of a path, joining parents as needed.
    private mutating func resolve(_ name: SOQLQuery.Name) throws -> (field: FieldDefinition, alias: String, path: [String], types: [String]) {
        var parts = name.text.split(separator: ".").map(String.init)
        if parts.count > 1, [alias?.lowercased(), object.name.lowercased()].contains(parts[0].lowercased()),
            object.parentField(relationship: parts[0]) == nil { parts.removeFirst() }
        guard parts.count <= 6, let last = parts.last else { throw SOQLParser.malformed(text, "unexpected token: '\(name.text)'", at: name.offset) }
        var table = "t0"
        var holder = object
        var path: [String] = []
        var types = [object.name]
        for part in parts.dropLast() {
            guard let reference = holder.parentField(relationship: part), let target = reference.referenceTo.first.flatMap(lookup) else {
                throw SOQLParser.refusal("INVALID_FIELD", text, "Didn't understand relationship '\(part)' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.", at: name.offset)
            }
            path.append(reference.relationshipName ?? part)
            types.append(target.name)
            let key = path.joined(separator: ".").lowercased()
            if let join = joins.first(where: { $0.path == key }) {
                table = join.alias
            } else {
                let next = "t\(joins.count + 1)"
                joins.append((key, next, target))
                joinSQL += " LEFT JOIN \(ObjectTable.quoted(target.name)) AS \(next) ON \(next).Id = \(table).\(ObjectTable.quoted(reference.name))"
                table = next
            }
            holder = target
        }
        guard let field = holder.field(last) else {
            throw SOQLParser.refusal("INVALID_FIELD", text, "No such column '\(last)' on entity '\(holder.name)'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.", at: name.offset)
        }
        path.append(field.name)
        return (field, table, path, types)
    }

    mutating func resolveSingle(_ name: SOQLQuery.Name) throws -> (FieldDefinition, String) {
        let (field, alias, _, types) = try resolve(name)
        let holder = types.last.flatMap(lookup) ?? object
        return (field, FieldExpression.sql(field, of: holder, alias: alias))
    }

    private mutating func column(_ name: SOQLQuery.Name) throws -> QueryPlan.Column {
        let (field, alias, path, types) = try resolve(name)
        let holder = types.last.flatMap(lookup) ?? object
        let expressions = field.isCompound
            ? CompoundField.components(of: field, in: holder).map { $0.map { FieldExpression.sql($0, of: holder, alias: alias) } ?? "NULL" }
            : [FieldExpression.sql(field, of: holder, alias: alias)]
        return QueryPlan.Column(path: path, types: types, field: field, expressions: expressions)
    }

    private mutating func everyField(_ scope: String, offset: Int, limit: Int?) throws -> [QueryPlan.Column] {
        guard ["ALL", "STANDARD", "CUSTOM"].contains(scope) else { throw SOQLParser.malformed(text, "unexpected token: '\(scope)'", at: offset) }
        guard scope == "STANDARD" || (limit ?? .max) <= 200 else {
            throw SOQLParser.malformed(text, "The SOQL FIELDS function must have a LIMIT of at most 200", at: offset)
        }
        return try object.fields.filter { scope == "ALL" || $0.isCustom == (scope == "CUSTOM") }
            .map { try column(SOQLQuery.Name(text: $0.name, offset: offset)) }
    }

    private mutating func aggregate(_ function: SOQLQuery.Aggregate, _ name: SOQLQuery.Name, alias: String) throws -> QueryPlan.Column {
        let (field, expression) = try resolveSingle(name)
        var result = field
        let sql: String
        switch function {
        case .count: sql = "COUNT(\(expression))"
        case .countDistinct: sql = "COUNT(DISTINCT \(expression))"
        case .min, .max, .sum: sql = "\(function.rawValue.uppercased())(\(expression))"
        case .avg: sql = "CAST(ROUND(AVG(\(expression))) AS INTEGER)"
        }
        if function == .count || function == .countDistinct { result = FieldDefinition(alias, .int) }
        return QueryPlan.Column(path: [alias], types: [object.name], field: result, expressions: [sql], alias: alias)
    }
}
