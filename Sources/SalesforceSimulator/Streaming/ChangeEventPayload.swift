import GRDB

/// The fields of a change event: all that are set of a new or restored record, the changed ones of an update, none of a delete.
struct ChangeEventPayload {
    var changeType: String
    var fields: [JSON.Member] = []
    /// Names with their compound field before them: `Name.FirstName`.
    var changedFields: [String] = []
    var nulledFields: [String] = []

    /// Two changes of one transaction with the same likeness differ in nothing but their record.
    var likeness: String {
        [changeType, JSON.object(fields).text, changedFields.joined(separator: ","), nulledFields.joined(separator: ","), entity].joined(separator: "\n")
    }

    private let entity: String

    /// Fields that the server keeps for itself (wire reference 5.7).
    private static let absent: Set<String> = ["Id", "IsDeleted", "SystemModstamp", "LastViewedDate", "LastReferencedDate", "LastActivityDate"]

    init(_ change: RecordChange, of object: ObjectDefinition) {
        entity = change.object + " " + change.user
        switch change.kind {
        case .created: changeType = "CREATE"
        case .updated: changeType = "UPDATE"
        case .deleted: changeType = "DELETE"
        case .undeleted: changeType = "UNDELETE"
        }
        guard change.kind != .deleted else { return }
        var changed = Set(change.changedFields)
        // A save within the same second leaves the stamp as it was; the event carries it all the same.
        changed.insert("LastModifiedDate")
        for field in object.fields where field.isStored && field.kind != .base64 && !ChangeEventPayload.absent.contains(field.name) {
            guard change.kind != .updated || changed.contains(field.name) else { continue }
            let value = ResultValue(change.values[field.name] ?? .null, field: field)
            if change.kind == .updated {
                changedFields.append(ChangeEventPayload.path(of: field).joined(separator: "."))
                if value.isNull { nulledFields.append(ChangeEventPayload.path(of: field).joined(separator: ".")) }
            } else if value.isNull {
                continue
            }
            set(value.eventJSON, at: ChangeEventPayload.path(of: field))
        }
    }

    /// The field's name, after the compound field it is part of: `BillingAddress`, `Street`.
    static func path(of field: FieldDefinition) -> [String] {
        guard let compound = field.compoundFieldName else { return [field.name] }
        if compound.hasSuffix("Address") {
            return [compound, String(field.name.dropFirst(compound.count - "Address".count))]
        }
        if field.name.hasSuffix("__s"), let part = field.name.dropLast(3).split(separator: "_").last { return [compound, String(part)] }
        return [compound, field.name]
    }

    private mutating func set(_ value: JSON, at path: [String]) {
        guard path.count == 2 else { return fields.append(JSON.Member(key: path[0], value: value)) }
        if let index = fields.firstIndex(where: { $0.key == path[0] }) {
            fields[index].value.set(path[1], value)
        } else {
            fields.append(JSON.Member(key: path[0], value: .object([JSON.Member(key: path[1], value: value)])))
        }
    }
}
