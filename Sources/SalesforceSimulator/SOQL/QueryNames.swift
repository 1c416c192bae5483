import GRDB

/// The objects that a query may name, as its user sees them, and the time its date literals count from.
struct QuerySchema {
    var object: (String) -> ObjectDefinition?
    /// The child object and its reference, by parent and relationship name.
    var children: (ObjectDefinition, String) -> (object: ObjectDefinition, reference: FieldDefinition)?
    /// Milliseconds since 1970 on the org's clock.
    var now: Int64
    var settings = QuerySettings()

    init(_ state: OrgState, for user: String) {
        object = { state.object($0, for: user) }
        children = { parent, relationship in
            let wanted = relationship.lowercased()
            for child in state.objects(for: user) {
                let reference = child.fields.first { $0.childRelationshipName?.lowercased() == wanted && $0.referenceTo.contains(parent.name) }
                if let reference { return (child, reference) }
            }
            return nil
        }
        now = state.now
        settings = state.settings.query
    }

    /// Objects only: no subquery finds a relationship.
    init(now: Int64, object: @escaping (String) -> ObjectDefinition?) {
        self.object = object
        self.now = now
        children = { _, _ in nil }
    }
}

/// Where a path leads: one table, or one for each object that a polymorphic reference may point to.
struct QuerySource {
    struct Part {
        var alias: String
        var object: ObjectDefinition
    }

    var parts: [Part]

    var isPolymorphic: Bool { parts.count > 1 }

    /// What answers call the object; the parents of a polymorphic reference are known by their ids.
    var name: String { isPolymorphic ? "Name" : parts[0].object.name }

    /// Fields that every parent of a polymorphic reference may be asked for.
    private static let shared: Set<String> = [
        "id", "name", "firstname", "lastname", "email", "phone", "title", "username", "alias", "isactive",
    ]

    /// - Returns: The field and the SQL that reads it; nil when there is no such field.
    func field(_ name: String, owner: Bool) -> (FieldDefinition, String)? {
        if let only = parts.first, parts.count == 1 {
            if let field = only.object.field(name) { return (field, FieldExpression.sql(field, of: only.object, alias: only.alias)) }
            guard owner, name.lowercased() == "type" else { return nil }
        }
        if name.lowercased() == "type" {
            let cases = parts.map { "WHEN \($0.alias).Id IS NOT NULL THEN '\($0.object.name)'" }.joined(separator: " ")
            return (FieldDefinition.text("Type", 40), "(CASE \(cases) END)")
        }
        guard QuerySource.shared.contains(name.lowercased()) else { return nil }
        let found = parts.compactMap { part in part.object.field(name).map { ($0, FieldExpression.sql($0, of: part.object, alias: part.alias)) } }
        guard let first = found.first else { return nil }
        return found.count == 1 ? first : (first.0, "COALESCE(" + found.map(\.1).joined(separator: ", ") + ")")
    }
}

extension QueryCompiler {
    struct Resolved {
        var field: FieldDefinition
        /// Reads the field; for a compound field nothing.
        var sql: String
        /// As describe spells it.
        var path: [String]
        var types: [String]
        var source: QuerySource
    }

    /// Follows a path from the queried object, joining parents as needed.
    mutating func resolve(_ name: SOQLQuery.Name) throws -> Resolved {
        var parts = name.text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts.count > 1, [alias?.lowercased(), object.name.lowercased()].contains(parts[0].lowercased()),
            object.parentField(relationship: parts[0]) == nil { parts.removeFirst() }
        guard parts.count <= 6, let last = parts.last, !parts.contains("") else { throw SOQLParser.malformed(text, "unexpected token: '\(name.text)'", at: name.offset) }
        var source = QuerySource(parts: [QuerySource.Part(alias: "t0", object: object)])
        var path: [String] = []
        var types = [object.name]
        for part in parts.dropLast() {
            guard !source.isPolymorphic, let reference = source.parts[0].object.parentField(relationship: part),
                let next = join(reference, from: source.parts[0].alias, path: path + [reference.relationshipName ?? part])
            else {
                throw SOQLParser.refusal("INVALID_FIELD", text, "Didn't understand relationship '\(part)' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.", at: name.offset)
            }
            path.append(reference.relationshipName ?? part)
            types.append(next.name)
            source = next
        }
        guard joins.count <= 55 else { throw SOQLParser.malformed(text, "a query may follow at most 55 relationships to parents", at: name.offset) }
        guard let (field, sql) = source.field(last, owner: ["owner", "who", "what"].contains(path.last?.lowercased())) else {
            throw SOQLParser.refusal("INVALID_FIELD", text, "No such column '\(last)' on entity '\(source.name)'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.", at: name.offset)
        }
        formulaCharacters += field.formula?.utf8.count ?? 0
        guard formulaCharacters <= schema.settings.formulaCharacters else { throw SOQLParser.tooComplicated }
        path.append(field.name)
        return Resolved(field: field, sql: sql, path: path, types: types, source: source)
    }

    private mutating func join(_ reference: FieldDefinition, from table: String, path: [String]) -> QuerySource? {
        let key = path.joined(separator: ".").lowercased()
        if let join = joins.first(where: { $0.path == key }) { return join.source }
        var parts: [QuerySource.Part] = []
        for target in reference.referenceTo {
            guard let object = schema.object(target) else { continue }
            aliases += 1
            parts.append(QuerySource.Part(alias: "t\(aliases)", object: object))
            joinSQL += " LEFT JOIN \(ObjectTable.quoted(object.name)) AS t\(aliases) ON t\(aliases).Id = \(table).\(ObjectTable.quoted(reference.name))"
        }
        guard !parts.isEmpty else { return nil }
        let source = QuerySource(parts: parts)
        joins.append(Join(path: key, source: source))
        return source
    }

    /// The value of a path or function: what conditions, orders and groups work on.
    mutating func value(_ name: SOQLQuery.Name) throws -> (field: FieldDefinition, sql: String) {
        let resolved = try resolve(name)
        guard let function = name.function, !SOQLFunction.formats.contains(function) else { return (resolved.field, resolved.sql) }
        let field = resolved.field
        if let template = SOQLFunction.dateParts[function] {
            guard field.kind == .date || field.kind == .datetime else { throw refuse(name, function) }
            let source = field.kind == .date ? resolved.sql : "\(resolved.sql) / 1000, 'unixepoch'"
            return (FieldDefinition(function, function == "DAY_ONLY" ? .date : .int), template.replacing("{}", with: source))
        }
        guard field.isFilterable else { throw refuse(name, function) }
        switch function {
        case "COUNT": return (FieldDefinition("expr", .int), "COUNT(\(resolved.sql))")
        case "COUNT_DISTINCT": return (FieldDefinition("expr", .int), "COUNT(DISTINCT \(resolved.sql)\(field.isText ? " COLLATE NOCASE" : ""))")
        case "MIN", "MAX":
            guard field.kind != .boolean, field.kind != .multipicklist else { throw refuse(name, function) }
            return (field, "\(function)(\(resolved.sql))")
        case "SUM":
            guard field.isDecimal || field.kind == .int else { throw refuse(name, function) }
            return (field, "SUM(\(resolved.sql))")
        default:
            guard field.isDecimal || field.kind == .int else { throw refuse(name, function) }
            // The mean keeps more digits than its values.
            let finer = FieldDefinition.decimal("expr", .double, 18, min(field.scale + 6, 12))
            return (finer, "CAST(ROUND(AVG(\(resolved.sql)) * \(power(of: 10, finer.scale - field.scale))) AS INTEGER)")
        }
    }

    private func refuse(_ name: SOQLQuery.Name, _ function: String) -> APIError {
        SOQLParser.malformed(text, "field \(name.text) does not support aggregate operator \(function)", at: name.offset)
    }
}
