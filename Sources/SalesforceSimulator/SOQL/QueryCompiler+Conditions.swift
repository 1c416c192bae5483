import GRDB

extension QueryCompiler {
    mutating func compile(_ condition: SOQLQuery.Condition) throws -> String {
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
