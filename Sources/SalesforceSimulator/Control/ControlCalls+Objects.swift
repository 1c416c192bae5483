import GRDB

extension ControlCalls {
    func createObject(_ body: JSON) throws -> JSON {
        let name = try required(body, "name")
        guard state.object(name) == nil else { throw APIError(400, "DUPLICATE_DEVELOPER_NAME", "the object \(name) exists") }
        let prefix = try body["keyPrefix"]?.string ?? nextPrefix()
        let fields = try (body["fields"]?.elements ?? []).map { try fieldDefinition($0) }
        let hasName = fields.contains(where: \.nameField)
        let nameField = FieldDefinition.text("Name", 80).with { $0.nameField = true }
        let system = ObjectDefinition.systemFields(owner: !fields.contains(where: \.cascadeDelete))
        var object = ObjectDefinition(
            name, label: body["label"]?.string, keyPrefix: prefix,
            fields: system + (hasName || fields.contains { $0.name == "Name" } ? [] : [nameField]) + fields)
        if let flag = body["bulkSupported"]?.bool { object.bulkSupported = flag }
        if let flag = body["queryable"]?.bool { object.queryable = flag }
        if let flag = body["replicateable"]?.bool { object.replicateable = flag }
        try state.save(object, db)
        return Describe.object(object, all: state.objects, version: "67.0")
    }

    /// Custom objects take a00 to aZZ in turn.
    private func nextPrefix() throws -> String {
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        while true {
            let number = Int(try state.next("key prefix", db))
            guard number < digits.count * digits.count else { throw APIError(400, "LIMIT_EXCEEDED", "no key prefix is left") }
            let prefix = "a" + String(digits[number / digits.count]) + String(digits[number % digits.count])
            if state.object(keyPrefix: prefix) == nil { return prefix }
        }
    }

    /// A field in describe's words: `name`, `type`, `length`, `precision`, `scale`, `nillable`, and so on.
    func fieldDefinition(_ body: JSON) throws -> FieldDefinition {
        guard let kind = FieldDefinition.Kind(rawValue: body["type"]?.string ?? "string") else {
            throw APIError(400, "INVALID_TYPE", "unknown field type \(body["type"]?.string ?? "")")
        }
        var field = FieldDefinition(try required(body, "name"), kind, label: body["label"]?.string)
        let standard: [FieldDefinition.Kind: Int] = [
            .string: 255, .textarea: 255, .phone: 40, .url: 255, .email: 80, .picklist: 255, .multipicklist: 4099, .combobox: 255,
            .encryptedstring: 175, .reference: 18, .anyType: 255, .base64: 0,
        ]
        field.length = body["length"]?.int ?? standard[kind] ?? 0
        if field.isDecimal {
            field.precision = body["precision"]?.int ?? 18
            field.scale = body["scale"]?.int ?? 2
        }
        field.nillable = body["nillable"]?.bool ?? true
        field.createable = body["createable"]?.bool ?? true
        field.updateable = body["updateable"]?.bool ?? true
        field.externalId = body["externalId"]?.bool ?? false
        field.unique = body["unique"]?.bool ?? false
        field.caseSensitive = body["caseSensitive"]?.bool ?? false
        field.idLookup = body["idLookup"]?.bool ?? field.externalId
        field.autoNumberFormat = body["autoNumberFormat"]?.string
        field.formula = body["formula"]?.string
        field.rollup = try body["rollup"].map { try rollup($0) }
        field.defaultValue = body["defaultValue"]?.string
        field.nameField = body["nameField"]?.bool ?? (field.name == "Name")
        field.picklistValues = body["picklistValues"]?.elements.compactMap(\.string) ?? []
        field.restrictedPicklist = body["restrictedPicklist"]?.bool ?? false
        field.extraTypeInfo = body["extraTypeInfo"]?.string ?? (kind == .textarea ? "plaintextarea" : nil)
        field.referenceTo = body["referenceTo"]?.elements.compactMap(\.string) ?? []
        field.relationshipName = body["relationshipName"]?.string
        field.childRelationshipName = body["childRelationshipName"]?.string
        field.cascadeDelete = body["cascadeDelete"]?.bool ?? false
        field.restrictedDelete = body["restrictedDelete"]?.bool ?? false
        if field.isCalculated {
            field = field.readOnly
            if field.isText { field.length = body["length"]?.int ?? 1300 }
        }
        return field
    }

    /// Fields, rules and flows of one object.
    func changeObject() throws -> JSON {
        var object = try object(path[1])
        switch (request.method, path[2], path.count) {
        case ("POST", "fields", 3):
            let field = try fieldDefinition(try body())
            try state.save(field, of: object.name, db)
            if let rollup = field.rollup { try RollupSummary.refreshAll(over: rollup.object, state, db) }
        case ("PATCH", "fields", 4): try changeField(path[3], of: object)
        case ("DELETE", "fields", 4): try state.removeField(path[3], of: object.name, db)
        case _ where try changeAutomation(of: &object): break
        default: throw APIError.notFound()
        }
        return Describe.object(try self.object(object.name), all: state.objects, version: "67.0")
    }
}
