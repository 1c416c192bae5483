extension OrgState {
    /// The objects a user may read, as the user sees them.
    func objects(for user: String) -> [ObjectDefinition] { objects.compactMap { object($0.name, for: user) } }

    /// What a user may do with an object; nil when nothing is said about it.
    func objectPermission(_ object: ObjectDefinition, of user: String) -> RecordSettings.ObjectPermission? {
        guard let permissions = settings.recordSettings?.objectPermissions, !permissions.isEmpty else { return nil }
        let own = permissions.filter { $0.object == object.name && ($0.user == "*" || $0.user == user) }
        return own.dropFirst().reduce(own.first) { combined, next in
            guard var combined else { return next }
            combined.readable = combined.readable && next.readable
            combined.createable = combined.createable && next.createable
            combined.updateable = combined.updateable && next.updateable
            combined.deletable = combined.deletable && next.deletable
            return combined
        }
    }

    /// True when a user reads encrypted fields as masks.
    func masksEncrypted(for user: String) -> Bool {
        guard let users = settings.recordSettings?.usersWithoutEncryptedData, !users.isEmpty else { return false }
        return users.contains(user) || users.contains("*")
    }

    /// Applies what a user may do to an object's definition.
    func restrict(_ object: inout ObjectDefinition, to user: String) {
        if let permission = objectPermission(object, of: user) {
            object.createable = object.createable && permission.createable
            object.updateable = object.updateable && permission.updateable
            object.deletable = object.deletable && permission.deletable
        }
        if object.fields.contains(where: { $0.kind == .encryptedstring }), masksEncrypted(for: user) {
            for index in object.fields.indices where object.fields[index].kind == .encryptedstring { object.fields[index].isMasked = true }
        }
        if let types = object.recordTypes {
            object.recordTypes = types.map { type in
                var type = type
                type.available = type.active && (type.availableTo.map { $0.contains(user) } ?? true)
                return type
            }
        }
    }
}

extension RecordError {
    /// A user may not do this with the object.
    static func noAccess(_ id: String) -> RecordError {
        RecordError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id" + (id.isEmpty ? "" : ": " + id))
    }
}
