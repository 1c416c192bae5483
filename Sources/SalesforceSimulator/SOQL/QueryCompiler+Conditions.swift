import GRDB

extension QueryCompiler {
    mutating func compile(_ condition: SOQLQuery.Condition) throws -> String {
        switch condition {
        case .all(let parts): return QueryCompiler.balanced(try parts.map { try compile($0) }[...], "AND")
        case .any(let parts):
            if parts.contains(where: { if case .within = $0 { true } else { false } }) {
                throw APIError(400, "MALFORMED_QUERY", "Semi join sub-selects are not allowed with the 'OR' operator")
            }
            return QueryCompiler.balanced(try parts.map { try compile($0) }[...], "OR")
        // SOQL knows two truth values: what is not matched is matched by NOT.
        case .not(let inner): return "NOT COALESCE(\(try compile(inner)), 0)"
        case .compare(let name, let comparison, let literal): return try compare(name, comparison, literal)
        case .list(let name, let literals, let negated): return try list(name, literals, negated: negated)
        case .within(let name, let query, let negated): return try within(name, query, negated: negated)
        case .choices(let name, let values, let excluding):
            let (field, expression) = try filterable(name)
            guard field.kind == .multipicklist else {
                throw SOQLParser.refusal("INVALID_QUERY_FILTER_OPERATOR", text, "includes and excludes need a multi-select picklist", at: name.offset)
            }
            let tests = values.map { value -> String in
                let parts = value.split(separator: ";").map(String.init)
                arguments += parts.map { ("%;" + QueryCompiler.pattern($0) + ";%").databaseValue }
                return "(" + parts.map { _ in "(';' || \(expression) || ';') LIKE ? ESCAPE '\\'" }.joined(separator: " AND ") + ")"
            }
            let any = "COALESCE(" + QueryCompiler.balanced(tests[...], "OR") + ", 0)"
            return excluding ? "NOT " + any : any
        }
    }

    /// Thousands of terms as a tree, because SQLite takes none that is deeper than 1,000.
    private static func balanced(_ parts: ArraySlice<String>, _ operation: String) -> String {
        guard parts.count > 8 else { return "(" + parts.joined(separator: " \(operation) ") + ")" }
        let middle = parts.startIndex + parts.count / 2
        return "(" + balanced(parts[..<middle], operation) + " \(operation) " + balanced(parts[middle...], operation) + ")"
    }

    private mutating func filterable(_ name: SOQLQuery.Name) throws -> (FieldDefinition, String) {
        let (field, expression) = try value(name)
        guard field.isFilterable else {
            throw SOQLParser.refusal("INVALID_FIELD", text, "field '\(field.name)' can not be filtered in a query call", at: name.offset)
        }
        return (field, expression)
    }

    private mutating func list(_ name: SOQLQuery.Name, _ literals: [SOQLQuery.Literal], negated: Bool) throws -> String {
        let (field, expression) = try filterable(name)
        if literals.contains(where: { if case .days = $0 { true } else { false } }) {
            let terms = try literals.map { try compare(name, negated ? .differs : .equal, $0) }
            return QueryCompiler.balanced(terms[...], negated ? "AND" : "OR")
        }
        let collation = collation(field)
        let values = try literals.filter { $0 != .null }.map { try stored($0, field, name) }
        arguments += values
        let list = values.map { _ in "?" }.joined(separator: ", ")
        let hasNull = literals.contains(.null)
        if negated { return "(\(expression)\(collation) NOT IN (\(list))" + (hasNull ? " AND \(expression) IS NOT NULL)" : " OR \(expression) IS NULL)") }
        return "(\(expression)\(collation) IN (\(list))" + (hasNull ? " OR \(expression) IS NULL)" : ")")
    }

    /// `Id IN (SELECT AccountId FROM Contact WHERE ...)`
    private mutating func within(_ name: SOQLQuery.Name, _ query: SOQLQuery, negated: Bool) throws -> String {
        guard !isSemiJoin else { throw APIError(400, "MALFORMED_QUERY", "Nesting of semi join sub-selects is not supported") }
        let (field, expression) = try filterable(name)
        guard let inner = schema.object(query.object.text) else { throw QueryCompiler.unknown(query.object, text) }
        guard query.items.count == 1, case .field(let selected, nil)? = query.items.first, selected.function == nil, query.grouping.isEmpty else {
            throw SOQLParser.malformed(text, "Invalid semi join select: exactly one field is selected", at: query.object.offset)
        }
        var compiler = try QueryCompiler(text, query, inner, schema, includesDeleted)
        compiler.isSemiJoin = true
        let resolved = try compiler.resolve(selected)
        let outerTypes = field.kind == .id ? [try resolve(name).source.name] : field.referenceTo
        let innerTypes = resolved.field.kind == .id ? [resolved.source.name] : resolved.field.referenceTo
        guard [.id, .reference].contains(field.kind), !Set(outerTypes).isDisjoint(with: innerTypes) else {
            throw SOQLParser.malformed(text, "The selected field '\(resolved.field.name)' in the subquery and the left operand field in the where expression in the outer query '\(field.name)' should point to the same object type", at: selected.offset)
        }
        let plan = try compiler.plan(query)
        arguments += plan.arguments
        let conditions = [plan.condition, "\(resolved.sql) IS NOT NULL"].filter { !$0.isEmpty }.joined(separator: " AND ")
        let rows = "SELECT \(resolved.sql)" + plan.from + " WHERE " + conditions + plan.tail
        return negated ? "(\(expression) IS NULL OR \(expression) NOT IN (\(rows)))" : "\(expression) IN (\(rows))"
    }

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
            arguments.append(DatabaseText.encode(QueryCompiler.pattern(pattern, wildcards: true)).databaseValue)
            return "\(expression) LIKE ? ESCAPE '\\'"
        }
        if case .days(let span) = literal { return try compare(name, field, expression, comparison, span) }
        if field.kind == .boolean || field.kind == .multipicklist, ![.equal, .differs].contains(comparison) {
            throw SOQLParser.refusal("INVALID_QUERY_FILTER_OPERATOR", text, "invalid operator on \(field.kind.rawValue) field", at: name.offset)
        }
        if field.isDecimal || field.kind == .int, case .number(let digits) = literal, isFiner(digits, than: field.scale) {
            // A literal finer than the field's scale is compared as it is, not rounded onto a stored value.
            arguments.append((Double(digits) ?? 0).databaseValue)
            arguments.append(Double(power(of: 10, field.scale)).databaseValue)
            return "\(expression) \(comparison.rawValue == "!=" ? "<>" : comparison.rawValue) (? * ?)"
        }
        arguments.append(try stored(literal, field, name))
        let collation = collation(field)
        switch comparison {
        case .differs: return "(\(expression) <> ?\(collation) OR \(expression) IS NULL)"
        default: return "\(expression) \(comparison.rawValue) ?\(collation)"
        }
    }

    /// A span is before what follows it and after what precedes it.
    private mutating func compare(
        _ name: SOQLQuery.Name, _ field: FieldDefinition, _ expression: String, _ comparison: SOQLQuery.Comparison, _ span: DateLiteral
    ) throws -> String {
        guard field.kind == .date || field.kind == .datetime else { throw refuse(field, name, field.kind.rawValue, quoted: field.isText) }
        let days = span.days(at: schema.now)
        func bound(_ day: Int64) -> DatabaseValue {
            let start = day * TimeText.millisecondsPerDay
            return field.kind == .datetime ? start.databaseValue : String(TimeText.zulu(start).prefix(10)).databaseValue
        }
        let (first, end) = (bound(days.first), bound(days.end))
        switch comparison {
        case .less: arguments.append(first); return "\(expression) < ?"
        case .lessOrEqual: arguments.append(end); return "\(expression) < ?"
        case .greater: arguments.append(end); return "\(expression) >= ?"
        case .greaterOrEqual: arguments.append(first); return "\(expression) >= ?"
        case .differs:
            arguments += [first, end]
            return "(\(expression) < ? OR \(expression) >= ? OR \(expression) IS NULL)"
        default:
            arguments += [first, end]
            return "(\(expression) >= ? AND \(expression) < ?)"
        }
    }

    // MARK: Literals

    private func isFiner(_ digits: String, than scale: Int) -> Bool {
        guard let number = Double(digits) else { return false }
        let shifted = number * Double(power(of: 10, scale))
        return shifted.magnitude < 1e15 && shifted.rounded() != shifted
    }

    /// The text for SQLite's LIKE, whose escape is a backslash.
    private static func pattern(_ text: String, wildcards: Bool = false) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case SOQLLexer.wildcardEscape: if wildcards { result.append("\\") }
            case "\\": result += "\\\\".unicodeScalars
            case "%", "_":
                if !wildcards { result.append("\\") }
                result.append(scalar)
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    private func refuse(_ field: FieldDefinition, _ name: SOQLQuery.Name, _ type: String, quoted: Bool) -> APIError {
        SOQLParser.refusal("INVALID_FIELD", text, "value of filter criterion for field '\(field.name)' must be of type \(type) and should \(quoted ? "" : "not ")be enclosed in quotes", at: name.offset)
    }

    private func stored(_ literal: SOQLQuery.Literal, _ field: FieldDefinition, _ name: SOQLQuery.Name) throws -> DatabaseValue {
        switch (field.kind, literal) {
        case (.id, .string(let text)), (.reference, .string(let text)):
            // The check characters of 18 are not looked at: the first 15 decide.
            guard [15, 18].contains(text.utf8.count), let id = RecordIdentifier.normalized(String(text.prefix(15))) else {
                throw SOQLParser.refusal("INVALID_QUERY_FILTER_OPERATOR", self.text, "invalid ID field: \(text)", at: name.offset)
            }
            return id.databaseValue
        case (.id, _), (.reference, _): throw refuse(field, name, "string", quoted: true)
        case (.boolean, .bool(let flag)): return (flag ? 1 : 0).databaseValue
        case (.boolean, _): throw refuse(field, name, "boolean", quoted: false)
        case (.currency, .currency(let digits)), (.int, .number(let digits)), (.double, .number(let digits)),
            (.currency, .number(let digits)), (.percent, .number(let digits)):
            guard let number = scaled(digits, scale: field.scale) else { throw refuse(field, name, "double", quoted: false) }
            return number.databaseValue
        case (.int, _): throw refuse(field, name, "int", quoted: false)
        case (.double, _), (.currency, _), (.percent, _): throw refuse(field, name, "double", quoted: false)
        case (.date, .date(let date)): return date.databaseValue
        case (.date, _): throw refuse(field, name, "date", quoted: false)
        case (.datetime, .dateTime(let instant)): return instant.databaseValue
        case (.datetime, _): throw refuse(field, name, "dateTime", quoted: false)
        case (.time, .time(let time)): return time.databaseValue
        case (.time, _): throw refuse(field, name, "time", quoted: false)
        case (_, .string(let text)):
            let plain = String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != SOQLLexer.wildcardEscape }))
            return DatabaseText.encode(plain).databaseValue
        default: throw refuse(field, name, "string", quoted: true)
        }
    }
}
