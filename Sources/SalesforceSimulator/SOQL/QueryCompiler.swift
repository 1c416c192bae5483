import GRDB

/// Compiles a parsed query for one user: names that the user may not read do not exist.
struct QueryCompiler {
    private let text: String
    private let lookup: (String) -> ObjectDefinition?
    private var object: ObjectDefinition
    private var alias: String?
    private var joins: [(path: String, alias: String, object: ObjectDefinition)] = []
    private var joinSQL = ""
    private var arguments: [DatabaseValue] = []

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

    private mutating func resolveSingle(_ name: SOQLQuery.Name) throws -> (FieldDefinition, String) {
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

    // MARK: Conditions

    private mutating func compile(_ condition: SOQLQuery.Condition) throws -> String {
        switch condition {
        case .all(let parts): return "(" + (try parts.map { try compile($0) }).joined(separator: " AND ") + ")"
        case .any(let parts): return "(" + (try parts.map { try compile($0) }).joined(separator: " OR ") + ")"
        // SOQL knows two truth values: what is not matched is matched by NOT.
        case .not(let inner): return "NOT COALESCE(\(try compile(inner)), 0)"
        case .compare(let name, let comparison, let literal): return try compare(name, comparison, literal)
        case .list(let name, let literals, let negated):
            let (field, expression) = try filterable(name)
            let collation = collation(field)
            let values = try literals.filter { $0 != .null }.map { try value($0, field, name) }
            arguments += values
            let list = values.map { _ in "?" }.joined(separator: ", ")
            let hasNull = literals.contains(.null)
            if negated { return "(\(expression)\(collation) NOT IN (\(list))" + (hasNull ? ")" : " OR \(expression) IS NULL)") }
            return "(\(expression)\(collation) IN (\(list))" + (hasNull ? " OR \(expression) IS NULL)" : ")")
        case .choices(let name, let values, let excluding):
            let (_, expression) = try filterable(name)
            let tests = values.map { value -> String in
                let parts = value.split(separator: ";").map(String.init)
                arguments += parts.map { "%;\($0);%".databaseValue }
                return "(" + parts.map { _ in "(';' || \(expression) || ';') LIKE ?" }.joined(separator: " AND ") + ")"
            }
            let any = "COALESCE((" + tests.joined(separator: " OR ") + "), 0)"
            return excluding ? "NOT " + any : any
        }
    }

    private mutating func filterable(_ name: SOQLQuery.Name) throws -> (FieldDefinition, String) {
        let (field, expression) = try resolveSingle(name)
        guard field.isFilterable else {
            throw SOQLParser.refusal("INVALID_FIELD", text, "field '\(field.name)' can not be filtered in a query call", at: name.offset)
        }
        return (field, expression)
    }

    private func isFiner(_ digits: String, than scale: Int) -> Bool {
        guard let number = Double(digits) else { return false }
        let shifted = number * Double(power(of: 10, scale))
        return shifted.magnitude < 1e15 && shifted.rounded() != shifted
    }

    private func collation(_ field: FieldDefinition) -> String { field.isText && !field.caseSensitive ? " COLLATE NOCASE" : "" }

    private mutating func compare(_ name: SOQLQuery.Name, _ comparison: SOQLQuery.Comparison, _ literal: SOQLQuery.Literal) throws -> String {
        let (field, expression) = try filterable(name)
        if literal == .null {
            switch comparison {
            case .equal: return "\(expression) IS NULL"
            case .differs: return "\(expression) IS NOT NULL"
            default: throw SOQLParser.refusal("INVALID_QUERY_FILTER_OPERATOR", text, "invalid operator on null", at: name.offset)
            }
        }
        if comparison == .like {
            guard field.isText, case .string(let pattern) = literal else {
                throw SOQLParser.refusal("INVALID_QUERY_FILTER_OPERATOR", text, "invalid operator on \(field.kind.rawValue) field", at: name.offset)
            }
            arguments.append(DatabaseText.encode(pattern).databaseValue)
            return "\(expression) LIKE ? ESCAPE '\\'"
        }
        if field.isDecimal || field.kind == .int, case .number(let digits) = literal, isFiner(digits, than: field.scale) {
            // A literal finer than the field's scale is compared as it is, not rounded onto a stored value.
            arguments.append((Double(digits) ?? 0).databaseValue)
            arguments.append(Double(power(of: 10, field.scale)).databaseValue)
            return "\(expression) \(comparison.rawValue == "!=" ? "<>" : comparison.rawValue) (? * ?)"
        }
        arguments.append(try value(literal, field, name))
        let collation = collation(field)
        switch comparison {
        case .differs: return "(\(expression) <> ?\(collation) OR \(expression) IS NULL)"
        default: return "\(expression) \(comparison.rawValue) ?\(collation)"
        }
    }

    private func value(_ literal: SOQLQuery.Literal, _ field: FieldDefinition, _ name: SOQLQuery.Name) throws -> DatabaseValue {
        func refuse(_ type: String, quoted: Bool) -> APIError {
            SOQLParser.refusal("INVALID_FIELD", text, "value of filter criterion for field '\(field.name)' must be of type \(type) and should \(quoted ? "" : "not ")be enclosed in quotes", at: name.offset)
        }
        switch field.kind {
        case .id, .reference:
            guard case .string(let text) = literal else { throw refuse("string", quoted: true) }
            return (RecordIdentifier.normalized(text) ?? text).databaseValue
        case .boolean:
            guard case .bool(let flag) = literal else { throw refuse("boolean", quoted: false) }
            return (flag ? 1 : 0).databaseValue
        case .int, .double, .currency, .percent:
            guard case .number(let digits) = literal, let number = scaled(digits, scale: field.scale) else { throw refuse(field.kind == .int ? "int" : "double", quoted: false) }
            return number.databaseValue
        case .date:
            guard case .date(let date) = literal else { throw refuse("date", quoted: false) }
            return date.databaseValue
        case .datetime:
            guard case .dateTime(let instant) = literal else { throw refuse("dateTime", quoted: false) }
            return instant.databaseValue
        case .time:
            guard case .time(let time) = literal else { throw refuse("time", quoted: false) }
            return time.databaseValue
        default:
            guard case .string(let text) = literal else { throw refuse("string", quoted: true) }
            let plain = text.replacing("\\_", with: "_").replacing("\\%", with: "%")
            return DatabaseText.encode(plain).databaseValue
        }
    }
}
