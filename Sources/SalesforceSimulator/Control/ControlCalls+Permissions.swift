extension ControlCalls {
    /// `/_sim/permissions`: what users may do with objects and fields, and whether they read encrypted texts.
    func permissions() throws -> JSON {
        switch request.method {
        case "DELETE":
            state.settings.permissions = []
            state.settings.records.objectPermissions = []
            state.settings.records.usersWithoutEncryptedData = []
        case "POST": try addPermission(try body())
        default: break
        }
        state.describesChanged()
        try state.saveSettings(db)
        let fields = state.settings.permissions.map { rule -> JSON in
            ["user": .string(rule.user), "object": .string(rule.object), "field": .string(rule.field), "readable": .bool(rule.readable),
             "createable": .bool(rule.createable), "updateable": .bool(rule.updateable)]
        }
        let objects = state.settings.records.objectPermissions.map { rule -> JSON in
            ["user": .string(rule.user), "object": .string(rule.object), "readable": .bool(rule.readable), "createable": .bool(rule.createable),
             "updateable": .bool(rule.updateable), "deletable": .bool(rule.deletable)]
        }
        let masked = state.settings.records.usersWithoutEncryptedData.map { ["user": .string($0), "viewEncryptedData": false] as JSON }
        return .array(fields + objects + masked)
    }

    private func addPermission(_ body: JSON) throws {
        let user = try (body["user"]?.string ?? "*") == "*" ? "*" : actor(body)
        if let views = body["viewEncryptedData"]?.bool {
            state.settings.records.usersWithoutEncryptedData.removeAll { $0 == user }
            if !views { state.settings.records.usersWithoutEncryptedData.append(user) }
            if body["object"] == nil { return }
        }
        let object = try object(try required(body, "object"))
        guard let name = body["field"]?.string else {
            state.settings.records.objectPermissions.removeAll { $0.user == user && $0.object == object.name }
            state.settings.records.objectPermissions.append(RecordSettings.ObjectPermission(
                user: user, object: object.name, readable: body["readable"]?.bool ?? true, createable: body["createable"]?.bool ?? true,
                updateable: body["updateable"]?.bool ?? true, deletable: body["deletable"]?.bool ?? true))
            return
        }
        guard let field = object.field(name) else { throw APIError.notFound("no such field") }
        state.settings.permissions.removeAll { $0.user == user && $0.object == object.name && $0.field == field.name }
        state.settings.permissions.append(OrgSettings.Permission(
            user: user, object: object.name, field: field.name, readable: body["readable"]?.bool ?? true,
            createable: body["createable"]?.bool ?? true, updateable: body["updateable"]?.bool ?? true))
    }
}
