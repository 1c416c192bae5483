import GRDB

extension ObjectDefinition {
    /// The record type of the org's own that every object has.
    static let masterRecordType = "012000000000000AAA"

    /// `recordTypeInfos` of describe (wire reference 2.5): the record types, then the master.
    func recordTypeInfos(version: String) -> [JSON] {
        let types = recordTypes ?? []
        let standard = types.first { $0.isDefault && $0.available }
        func info(_ id: String, _ name: String, _ developerName: String, active: Bool, available: Bool, isDefault: Bool, isMaster: Bool) -> JSON {
            [
                "active": .bool(active), "available": .bool(available), "defaultRecordTypeMapping": .bool(isDefault),
                "developerName": .string(developerName), "master": .bool(isMaster), "name": .string(name), "recordTypeId": .string(id),
                "urls": ["layout": .string("/services/data/v\(version)/sobjects/\(self.name)/describe/layouts/\(id)")],
            ]
        }
        return types.map {
            info($0.id, $0.name, $0.developerName, active: $0.active, available: $0.available, isDefault: $0.id == standard?.id, isMaster: false)
        } + [info(ObjectDefinition.masterRecordType, "Master", "Master", active: true, available: true, isDefault: standard == nil, isMaster: true)]
    }

    /// Its records name the record types of the other objects.
    static let recordType: ObjectDefinition = {
        var object = ObjectDefinition("RecordType", keyPrefix: "012", fields: systemFields(owner: false).filter { $0.name != "IsDeleted" } + [
            .text("Name", 80).required.with { $0.nameField = true }, .text("DeveloperName", 80).required, .text("SobjectType", 40).required,
            FieldDefinition("IsActive", .boolean),
        ])
        object.createable = false
        object.updateable = false
        object.deletable = false
        object.undeletable = false
        object.replicateable = false
        return object
    }()

    /// The field that an object has once it has record types.
    static let recordTypeField = FieldDefinition.lookup("RecordTypeId", to: "RecordType", relationship: "RecordType", children: nil)
        .with { $0.label = "Record Type ID" }
}

extension RecordSaver {
    /// Gives a new record the standard record type, and refuses one that the user may not use.
    func applyRecordType(_ full: ObjectDefinition, _ changes: inout Values, creating: Bool) throws {
        guard let types = full.recordTypes else { return }
        func isAvailable(_ type: ObjectDefinition.RecordType) -> Bool { type.active && (type.availableTo.map { $0.contains(user) } ?? true) }
        if creating, (changes["RecordTypeId"] ?? .null).isNull, let standard = types.first(where: { $0.isDefault && isAvailable($0) }) {
            changes["RecordTypeId"] = standard.id.databaseValue
        }
        guard let id = changes["RecordTypeId"].flatMap(String.fromDatabaseValue) else { return }
        guard types.contains(where: { $0.id == id && isAvailable($0) }) else {
            throw RecordError("INVALID_CROSS_REFERENCE_KEY", "Record Type ID: this ID value isn't valid for the user: \(id)", ["RecordTypeId"])
        }
    }
}

extension OrgState {
    /// Adds a record type to an object, or changes the one with its developer name; the first brings the field and the object RecordType.
    func save(_ type: ObjectDefinition.RecordType, of name: String, user: String, _ db: Database) throws {
        if object("RecordType") == nil { try save(ObjectDefinition.recordType, db) }
        if object(name)?.field("RecordTypeId") == nil { try save(ObjectDefinition.recordTypeField, of: name, db) }
        guard var object = object(name) else { throw APIError.unknownType(name) }
        let known = object.recordTypes?.first { $0.developerName == type.developerName }
        var type = type
        let fields = RecordSaver.Values(dictionaryLiteral:
            ("Name", type.name.databaseValue), ("DeveloperName", type.developerName.databaseValue), ("SobjectType", object.name.databaseValue),
            ("IsActive", (type.active ? 1 : 0).databaseValue))
        if let known {
            type.id = known.id
            try db.execute(
                sql: "UPDATE \"RecordType\" SET Name = ?, IsActive = ?, SystemModstamp = ? WHERE Id = ?",
                arguments: [type.name, type.active ? 1 : 0, stamp, known.id])
        } else {
            type.id = RecordIdentifier.make(keyPrefix: "012", number: try next("id:RecordType", db))
            let stamps = ["CreatedDate", "LastModifiedDate", "SystemModstamp"].map { ($0, stamp.databaseValue) }
            let users = ["CreatedById", "LastModifiedById"].map { ($0, user.databaseValue) }
            let row = fields.map { ($0.key, $0.value) } + stamps + users + [("Id", type.id.databaseValue)]
            try db.execute(
                sql: "INSERT INTO \"RecordType\" (\(row.map { ObjectTable.quoted($0.0) }.joined(separator: ", "))) VALUES (\(row.map { _ in "?" }.joined(separator: ", ")))",
                arguments: StatementArguments(row.map(\.1)))
        }
        var types = (object.recordTypes ?? []).filter { $0.id != type.id }
        if type.isDefault { for index in types.indices { types[index].isDefault = false } }
        types.append(type)
        object.recordTypes = types
        try save(object, db)
    }
}
