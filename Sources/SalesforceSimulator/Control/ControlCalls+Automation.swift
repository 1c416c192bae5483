extension ControlCalls {
    /// Rules and flows of an object: `rules`, `before-save` and `flows`.
    ///
    /// - Returns: False when the request names none of them.
    func changeAutomation(of object: inout ObjectDefinition) throws -> Bool {
        guard path.count == 3 else { return false }
        switch (request.method, path[2]) {
        case ("POST", "rules"): object.validationRules.append(try validationRule(try body(), object))
        case ("DELETE", "rules"): object.validationRules = []
        case ("POST", "before-save"): object.beforeSaveRules = (object.beforeSaveRules ?? []) + [try beforeSaveRule(try body(), object)]
        case ("DELETE", "before-save"): object.beforeSaveRules = nil
        case ("POST", "flows"): object.flows.append(try flow(try body(), object))
        case ("DELETE", "flows"): object.flows = []
        case ("POST", "duplicate-rules"): object.duplicateRules = (object.duplicateRules ?? []) + [try duplicateRule(try body(), object)]
        case ("DELETE", "duplicate-rules"): object.duplicateRules = nil
        case ("POST", "assignment-rules"): object.assignmentRules = (object.assignmentRules ?? []) + [try assignmentRule(try body(), object)]
        case ("DELETE", "assignment-rules"): object.assignmentRules = nil
        case ("POST", "record-types"):
            try state.save(try recordType(try body()), of: object.name, user: try actor([:]), db)
            object = try self.object(object.name)
            return true
        default: return false
        }
        try state.save(object, db)
        return true
    }

    private func field(_ name: String, of object: ObjectDefinition) throws -> FieldDefinition {
        guard let field = object.field(name) else { throw APIError(400, "INVALID_FIELD", "\(object.name) has no field \(name)") }
        return field
    }

    private func duplicateRule(_ body: JSON, _ object: ObjectDefinition) throws -> ObjectDefinition.DuplicateRule {
        guard let action = ObjectDefinition.DuplicateRule.Action(rawValue: body["action"]?.string ?? "block") else {
            throw APIError(400, "INVALID_ARGUMENT_TYPE", "action is alert or block")
        }
        let name = try required(body, "name")
        let fields = try (body["fields"]?.elements ?? []).map { try field($0.string ?? "", of: object) }
        guard !fields.isEmpty, fields.allSatisfy(\.isStored) else {
            throw APIError(400, "INVALID_ARGUMENT_TYPE", "fields names at least one field, and none that is calculated")
        }
        return ObjectDefinition.DuplicateRule(
            name: name, action: action, fields: fields.map(\.name), message: body["message"]?.string ?? "Use one of these records?",
            matchRule: body["matchRule"]?.string ?? name + "_Match")
    }

    private func assignmentRule(_ body: JSON, _ object: ObjectDefinition) throws -> ObjectDefinition.AssignmentRule {
        let entries = try (body["entries"]?.elements ?? []).map { entry in
            ObjectDefinition.AssignmentRule.Entry(
                condition: entry["field"] == nil ? nil : try validationRule(entry, object), owner: try actor(["user": .string(try required(entry, "owner"))]))
        }
        let id = try body["id"]?.string.flatMap { RecordIdentifier.normalized($0) }
            ?? RecordIdentifier.make(keyPrefix: "01Q", number: state.next("id:AssignmentRule", db))
        return ObjectDefinition.AssignmentRule(id: id, name: try required(body, "name"), active: body["active"]?.bool ?? true, entries: entries)
    }

    private func validationRule(_ body: JSON, _ object: ObjectDefinition) throws -> ObjectDefinition.ValidationRule {
        guard let comparison = ObjectDefinition.ValidationRule.Comparison(rawValue: try required(body, "operator")) else {
            throw APIError(400, "INVALID_OPERATOR", "operator is one of =, !=, <, >, contains, startsWith, isBlank, isNotBlank")
        }
        return ObjectDefinition.ValidationRule(
            field: try required(body, "field"), comparison: comparison, value: body["value"]?.string ?? "",
            message: body["owner"] == nil ? try required(body, "message") : "")
    }

    private func beforeSaveRule(_ body: JSON, _ object: ObjectDefinition) throws -> ObjectDefinition.BeforeSaveRule {
        let actions = ObjectDefinition.BeforeSaveRule.Action.allCases.map(\.rawValue)
        guard let action = ObjectDefinition.BeforeSaveRule.Action(rawValue: try required(body, "action")) else {
            throw APIError(400, "INVALID_ARGUMENT_TYPE", "action is one of \(actions.joined(separator: ", "))")
        }
        return ObjectDefinition.BeforeSaveRule(
            field: try field(try required(body, "field"), of: object).name, action: action, template: body["template"]?.string ?? "",
            onCreate: body["onCreate"]?.bool ?? true, onUpdate: body["onUpdate"]?.bool ?? true)
    }

    private func flow(_ body: JSON, _ object: ObjectDefinition) throws -> ObjectDefinition.Flow {
        let target = try flowTarget(body, object)
        var name = ""
        if case .create? = target {} else { name = try required(body, "field") }
        return ObjectDefinition.Flow(
            field: name, template: body["template"]?.string ?? "", onCreate: body["onCreate"]?.bool ?? true,
            onUpdate: body["onUpdate"]?.bool ?? true, target: target)
    }

    private func flowTarget(_ body: JSON, _ object: ObjectDefinition) throws -> ObjectDefinition.FlowTarget? {
        if let lookup = body["parent"]?.string { return .parent(lookup: try field(lookup, of: object).name) }
        if let children = body["children"] {
            let child = try self.object(try required(children, "object"))
            return .children(object: child.name, lookup: try field(try required(children, "lookup"), of: child).name)
        }
        if let create = body["create"] {
            let created = try self.object(try required(create, "object"))
            var values: [String: String] = [:]
            for member in create["values"]?.members ?? [] { values[try field(member.key, of: created).name] = member.value.string ?? "" }
            return .create(object: created.name, values: values)
        }
        return nil
    }

    /// `{operation, object, lookup, field?}` of a roll-up field.
    func rollup(_ body: JSON) throws -> FieldDefinition.Rollup {
        guard let operation = FieldDefinition.Rollup.Operation(rawValue: try required(body, "operation").uppercased()) else {
            throw APIError(400, "INVALID_ARGUMENT_TYPE", "operation is one of COUNT, SUM, MIN, MAX")
        }
        let details = try object(try required(body, "object"))
        let source = try operation == .count ? nil : field(try required(body, "field"), of: details).name
        return FieldDefinition.Rollup(
            operation: operation, object: details.name, lookup: try field(try required(body, "lookup"), of: details).name, field: source)
    }
}
