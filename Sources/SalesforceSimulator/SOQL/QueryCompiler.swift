import Foundation
import GRDB

/// Compiles a parsed query for one user: names that the user may not read do not exist.
struct QueryCompiler {
    struct Join {
        var path: String
        var source: QuerySource
    }

    let text: String
    let schema: QuerySchema
    let includesDeleted: Bool
    let object: ObjectDefinition
    let alias: String?
    var joins: [Join] = []
    var joinSQL = ""
    var aliases = 0
    var formulaCharacters = 0
    var arguments: [DatabaseValue] = []
    /// How a condition stands: inside of a semi-join none may stand, beside an OR neither.
    var isSemiJoin = false

    /// - Parameters:
    ///   - includesDeleted: what queryAll sees.
    ///   - schema: the objects as the user sees them.
    /// - Throws: ``APIError`` with Salesforce's code and place.
    static func compile(_ text: String, includesDeleted: Bool, schema: QuerySchema) throws -> QueryPlan {
        let query = try SOQLParser.parse(text)
        guard let object = schema.object(query.object.text) else { throw unknown(query.object, text) }
        var compiler = try QueryCompiler(text, query, object, schema, includesDeleted)
        return try compiler.plan(query)
    }

    /// Compiles a query without subqueries in its select list, whose date literals count from the machine's clock.
    ///
    /// - Parameter lookup: an object by name, without case, as the user sees it.
    static func compile(_ text: String, includesDeleted: Bool, lookup: @escaping (String) -> ObjectDefinition?) throws -> QueryPlan {
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        return try compile(text, includesDeleted: includesDeleted, schema: QuerySchema(now: now, object: lookup))
    }

    static func unknown(_ name: SOQLQuery.Name, _ text: String) -> APIError {
        let error = APIError.unknownType(name.text)
        return SOQLParser.refusal(error.code, text, error.message, at: name.offset)
    }

    init(_ text: String, _ query: SOQLQuery, _ object: ObjectDefinition, _ schema: QuerySchema, _ includesDeleted: Bool) throws {
        guard object.queryable else {
            throw APIError(400, "INVALID_TYPE_FOR_OPERATION", "entity type \(object.name) does not support query")
        }
        self.text = text
        self.schema = schema
        self.includesDeleted = includesDeleted
        self.object = object
        alias = query.alias
    }

    mutating func plan(_ query: SOQLQuery) throws -> QueryPlan {
        var plan = QueryPlan(object: object, columns: [])
        plan.countsRows = query.countsRows
        plan.isAggregate = query.isAggregate
        let groups = try query.grouping.map { try group($0) }
        for item in query.items {
            switch item {
            case .field(let name, let alias) where plan.isAggregate: plan.columns.append(try groupedColumn(name, alias, groups, plan.columns))
            case .field(let name, let alias): plan.columns.append(try column(name, alias))
            case .fields(let scope, let offset): plan.columns += try everyField(scope, offset: offset, query)
            case .children(let inner): plan.children.append(try children(inner))
            }
        }
        guard plan.children.count <= 20, !plan.isAggregate || plan.children.isEmpty else {
            throw SOQLParser.malformed(text, "a query holds at most 20 subqueries, and none beside aggregates", at: query.object.offset)
        }
        try refuseRepeated(plan)
        var conditions: [String] = []
        if !includesDeleted, object.field("IsDeleted") != nil { conditions.append("t0.IsDeleted = 0") }
        if let condition = query.condition { conditions.append(try compile(condition)) }
        plan.condition = conditions.joined(separator: " AND ")
        if !groups.isEmpty { plan.group = " GROUP BY " + groups.joined(separator: ", ") }
        if let having = query.having { plan.group += " HAVING " + (try compile(having)) }
        plan.order = try order(query.order)
        plan.limit = query.limit
        plan.offset = query.offset
        plan.parents = parents(plan.columns)
        plan.joins = joinSQL
        plan.arguments = arguments
        guard arguments.count <= 20_000 else { throw SOQLParser.tooComplicated }
        return plan
    }

    // MARK: The select list

    private mutating func column(_ name: SOQLQuery.Name, _ alias: String?) throws -> QueryPlan.Column {
        if let function = name.function, !SOQLFunction.formats.contains(function) {
            throw SOQLParser.malformed(text, "\(function) needs a GROUP BY clause here", at: name.offset)
        }
        guard alias == nil || name.function != nil else {
            throw SOQLParser.malformed(text, "only aggregate expressions use field aliasing", at: name.offset)
        }
        let resolved = try resolve(name)
        var column = QueryPlan.Column(path: resolved.path, types: resolved.types, field: resolved.field, expressions: [resolved.sql])
        if resolved.field.isCompound {
            let part = resolved.source.parts[0]
            column.expressions = CompoundField.components(of: resolved.field, in: part.object)
                .map { $0.map { FieldExpression.sql($0, of: part.object, alias: part.alias) } ?? "NULL" }
        }
        if let alias { column.path = [alias] }
        return column
    }

    private mutating func everyField(_ scope: String, offset: Int, _ query: SOQLQuery) throws -> [QueryPlan.Column] {
        guard ["ALL", "STANDARD", "CUSTOM"].contains(scope) else { throw SOQLParser.malformed(text, "unexpected token: '\(scope)'", at: offset) }
        guard scope == "STANDARD" || (query.limit ?? .max) <= 200 else {
            throw SOQLParser.malformed(text, "The SOQL FIELDS function must have a LIMIT of at most 200", at: offset)
        }
        guard !query.isAggregate else { throw SOQLParser.malformed(text, "The SOQL FIELDS function cannot be used with GROUP BY", at: offset) }
        return try object.fields.filter { scope == "ALL" || $0.isCustom == (scope == "CUSTOM") }
            .map { try column(SOQLQuery.Name(text: $0.name, offset: offset), nil) }
    }

    private func refuseRepeated(_ plan: QueryPlan) throws {
        var seen: Set<String> = []
        for column in plan.columns {
            let name = (column.alias ?? column.path.joined(separator: ".")).lowercased()
            guard seen.insert(name).inserted else {
                throw APIError(400, "MALFORMED_QUERY", "duplicate \(column.alias == nil ? "field selected" : "alias"): \(column.alias ?? column.path.joined(separator: "."))")
            }
        }
        for child in plan.children where !seen.insert(child.name.lowercased()).inserted {
            throw APIError(400, "MALFORMED_QUERY", "duplicate field selected: \(child.name)")
        }
    }

    /// Every relationship on the way to a selected field: a parent that is not there answers null.
    private func parents(_ columns: [QueryPlan.Column]) -> [QueryPlan.Parent] {
        var parents: [QueryPlan.Parent] = []
        var seen: Set<String> = []
        for column in columns where column.path.count > 1 && column.alias == nil {
            for depth in 1..<column.path.count {
                let path = Array(column.path.prefix(depth))
                let key = path.joined(separator: ".").lowercased()
                guard seen.insert(key).inserted, let source = joins.first(where: { $0.path == key })?.source else { continue }
                let ids = source.parts.map { $0.alias + ".Id" }
                var parent = QueryPlan.Parent(
                    path: path, type: source.name, expression: ids.count == 1 ? ids[0] : "COALESCE(" + ids.joined(separator: ", ") + ")")
                if source.isPolymorphic {
                    for part in source.parts { parent.types[part.object.keyPrefix ?? ""] = part.object.name }
                }
                parents.append(parent)
            }
        }
        return parents
    }

    private mutating func children(_ query: SOQLQuery) throws -> QueryPlan.Child {
        guard let (child, reference) = schema.children(object, query.object.text) else {
            throw SOQLParser.refusal("INVALID_TYPE", text, "Didn't understand relationship '\(query.object.text)' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.", at: query.object.offset)
        }
        guard !query.isAggregate, !query.countsRows else { throw SOQLParser.malformed(text, "a subquery of the select list holds no aggregates", at: query.object.offset) }
        var compiler = try QueryCompiler(text, query, child, schema, includesDeleted)
        compiler.formulaCharacters = formulaCharacters
        let plan = try compiler.plan(query)
        formulaCharacters = compiler.formulaCharacters
        return QueryPlan.Child(
            name: reference.childRelationshipName ?? query.object.text, plan: plan, reference: "t0." + ObjectTable.quoted(reference.name))
    }

    // MARK: Groups and order

    private mutating func group(_ name: SOQLQuery.Name) throws -> String {
        let (field, sql) = try value(name)
        guard name.function != nil || field.isGroupable, !name.isAggregate else {
            throw SOQLParser.malformed(text, "field '\(field.name)' can not be grouped in a query call", at: name.offset)
        }
        return sql + collation(field)
    }

    /// A column of an aggregate query: an aggregate, or one of the groups under its field's name.
    private mutating func groupedColumn(
        _ name: SOQLQuery.Name, _ alias: String?, _ groups: [String], _ before: [QueryPlan.Column]
    ) throws -> QueryPlan.Column {
        let (field, sql) = try value(name)
        let unnamed = before.filter { $0.alias?.hasPrefix("expr") ?? false }.count
        guard name.isAggregate || groups.contains(sql + collation(field)) else {
            throw SOQLParser.malformed(text, "Field must be grouped or aggregated: \(name.text)", at: name.offset)
        }
        let title = alias ?? (name.function == nil ? field.name : "expr\(unnamed)")
        return QueryPlan.Column(path: [title], types: [object.name], field: field, expressions: [sql], alias: title)
    }

    private mutating func order(_ entries: [SOQLQuery.Order]) throws -> String {
        let terms = try entries.map { entry -> String in
            let (field, expression) = try value(entry.name)
            guard field.isSortable else {
                throw SOQLParser.refusal("INVALID_FIELD", text, "field '\(field.name)' can not be sorted in a query call", at: entry.name.offset)
            }
            // SQLite's own order puts nulls first when ascending and last when descending; saying so again would hide the index.
            let nulls = entry.nullsLast == entry.descending ? "" : (entry.nullsLast ? " NULLS LAST" : " NULLS FIRST")
            return expression + (field.isText ? " COLLATE NOCASE" : "") + (entry.descending ? " DESC" : "") + nulls
        }
        return terms.isEmpty ? "" : " ORDER BY " + terms.joined(separator: ", ")
    }

    func collation(_ field: FieldDefinition) -> String { field.isText && !field.caseSensitive ? " COLLATE NOCASE" : "" }
}
