import GRDB

/// Saves one record: types, required fields, references, uniqueness, rules, automation, stamps.
struct RecordSaver {
    let state: OrgState
    let db: Database
    /// The object as the user sees it.
    let object: ObjectDefinition
    let user: String
    /// What CreatedDate, LastModifiedDate and SystemModstamp become.
    let stamp: Int64
    var truncating = false
    /// Duplicates and owners: what the call asks for.
    var options = CallOptions()
    /// The transaction whose locks this save may pass.
    var lockOwner: RowLocks.Owner?
    /// The flows that this save is part of.
    var chain = FlowChain()

    /// Values by canonical field name, ready to be stored.
    typealias Values = [String: DatabaseValue]

    /// Applies names, permissions and types, and finds parents named by an identifier, among the records that exist now.
    ///
    /// Salesforce resolves parents before it writes anything of the call, so a parent of the same call is not found.
    func prepare(_ input: RecordInput, creating: Bool, ignoring key: String? = nil) throws -> Values {
        if let field = input.contradiction {
            throw RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", "Field \(field) is both set and in fieldsToNull", [field])
        }
        var values: Values = [:]
        var refused: [String] = []
        let key = key.flatMap { object.field($0)?.name }
        for sent in input.fields {
            guard let field = object.field(sent.name) ?? reference(for: sent) else {
                throw RecordError("INVALID_FIELD", "No such column '\(sent.name)' on sobject of type \(object.name)", [sent.name])
            }
            if field.name == "Id" || field.name == key {
                if field.name != "Id" {
                    values[field.name] = try FieldValue.stored(sent.input, field: field, truncating: truncating)
                }
                continue
            }
            let writable = (creating ? field.createable : field.updateable)
                && !field.isCalculated && !field.isCompound && field.autoNumberFormat == nil
            guard writable else {
                refused.append(field.name)
                continue
            }
            if case .parent(let type, let identifier, let value) = sent.input {
                values[field.name] = try parent(of: field, type: type, identifier: identifier, value: value)
            } else {
                values[field.name] = try FieldValue.stored(sent.input, field: field, truncating: truncating)
            }
            if field.kind == .base64, let length = object.field(field.name + "Length"), let stored = values[field.name] {
                values[length.name] = BinaryContent.length(of: stored)
            }
        }
        guard refused.isEmpty else {
            throw RecordError(
                "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: \(refused.joined(separator: ", ")). "
                    + "Please check the security settings of this field and verify that it is read/write for your profile or permission set.", refused)
        }
        return values
    }

    /// A relationship name stands for its lookup when it names a parent or is set to null.
    private func reference(for sent: RecordInput.Field) -> FieldDefinition? {
        switch sent.input {
        case .parent, .null: object.parentField(relationship: sent.name)
        default: nil
        }
    }

    private func parent(of field: FieldDefinition, type: String?, identifier: String, value: String) throws -> DatabaseValue {
        guard field.kind == .reference, let targetName = type ?? field.referenceTo.first, field.referenceTo.contains(where: { $0.lowercased() == targetName.lowercased() }),
            let target = state.object(targetName, for: user)
        else { throw RecordError("INVALID_FIELD", "The relationship of \(field.name) does not lead to \(type ?? "its parent")", [field.name]) }
        guard let key = target.field(identifier), key.idLookup else {
            throw RecordError("INVALID_FIELD", "\(identifier) is not an External ID or indexed field for \(target.name)", [field.name])
        }
        let wanted = try FieldValue.stored(.text(value), field: key, truncating: false)
        let ids = try ids(of: target, where: key, equals: wanted)
        guard let id = ids.first else {
            throw RecordError("INVALID_FIELD", "Foreign key external ID: \(value) not found for field \(key.name) in entity \(target.name)")
        }
        guard ids.count == 1 else {
            throw RecordError("DUPLICATE_EXTERNAL_ID", "Foreign key external ID: \(value): more than one record found for external id field: \(ids)", [field.name])
        }
        return id.databaseValue
    }

    /// The records that are not deleted and have this identifier; texts compare without case unless the field says otherwise.
    func ids(of object: ObjectDefinition, where field: FieldDefinition, equals value: DatabaseValue) throws -> [String] {
        guard field.isStored else { return [] }
        return try state.statements.find(field, of: object, db).column([value]).compactMap { String.fromDatabaseValue($0) }
    }

    // MARK: Saving

    /// - Returns: The new record's id.
    func insert(_ prepared: Values, id reserved: String? = nil) throws -> String {
        let full = state.object(object.name) ?? object
        guard full.createable, let keyPrefix = object.keyPrefix else {
            throw RecordError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "entity type cannot be inserted: \(object.label)")
        }
        guard object.createable else { throw RecordError.noAccess("") }
        if let used = state.settings.recordSettings?.usedLimits["DataStorageMB"], used >= LimitsDocument.allowance("DataStorageMB", state) {
            throw RecordError("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded")
        }
        var values = prepared
        for field in full.fields.defaulted where values[field.name] == nil {
            if let text = field.defaultValue {
                values[field.name] = try FieldValue.stored(.text(text), field: field, truncating: true)
            } else if field.kind == .boolean {
                values[field.name] = 0.databaseValue
            }
        }
        if full.fields.has("OwnerId"), (values["OwnerId"] ?? .null).isNull { values["OwnerId"] = user.databaseValue }
        for (name, value) in [("CreatedDate", stamp.databaseValue), ("CreatedById", user.databaseValue)] where full.fields.has(name) {
            values[name] = value
        }
        try applyRecordType(full, &values, creating: true)
        try applyPersonAccount(full, &values, sent: prepared, current: [:])
        try assignOwner(full, &values, record: values)
        stampModification(&values, full)
        runBeforeSave(full, &values, current: [:], creating: true)
        try requireFields(full, values, all: true)
        let id = try reserved ?? RecordIdentifier.make(keyPrefix: keyPrefix, number: state.next("id:" + full.name, db))
        values["Id"] = id.databaseValue
        for field in full.fields.numbered {
            if let rollup = field.rollup, [.count, .sum].contains(rollup.operation) { values[field.name] = 0.databaseValue }
            guard let format = field.autoNumberFormat else { continue }
            values[field.name] = AutoNumber.text(try state.next("number:\(full.name).\(field.name)", db), format: format).databaseValue
        }
        try check(full, changed: values, record: values, id: id)
        try checkLocks(full, id, values)
        runFlows(full, &values, creating: true, changing: values)
        let names = full.fields.storedNames.filter { values[$0] != nil }
        try state.statements.insert(into: full.name, names, db).run(names.map { values[$0] ?? .null })
        record(.created, full, id, changed: names.filter { !(values[$0] ?? .null).isNull }, values: values)
        try runAfterSave(full, id, old: nil, new: values)
        return id
    }

    func update(_ id: String, _ prepared: Values) throws {
        let full = state.object(object.name) ?? object
        guard full.updateable else {
            throw RecordError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "entity type cannot be updated: \(object.label)")
        }
        guard object.updateable else { throw RecordError.noAccess(id) }
        let current = try live(id, full)
        var prepared = prepared
        try applyRecordType(full, &prepared, creating: false)
        try applyPersonAccount(full, &prepared, sent: prepared, current: current)
        if options.assignmentRule != .none { try assignOwner(full, &prepared, record: current.merging(prepared) { _, new in new }) }
        runBeforeSave(full, &prepared, current: current, creating: false)
        var changes = prepared
        stampModification(&changes, full)
        var record = current
        record.merge(changes) { _, new in new }
        try requireFields(full, prepared, all: false)
        try check(full, changed: prepared, record: record, id: id)
        try checkLocks(full, id, record, current)
        runFlows(full, &changes, creating: false, changing: record)
        let names = full.fields.storedNames.filter { changes[$0] != nil }
        try state.statements.update(full.name, names, db).run(names.map { changes[$0] ?? .null } + [id.databaseValue])
        for name in names { record[name] = changes[name] }
        self.record(.updated, full, id, changed: names.filter { current[$0] != changes[$0] }, values: record)
        try runAfterSave(full, id, old: current, new: record)
    }

    /// Takes a parent that goes away out of a record: the stamp moves, who changed it last stays.
    func clear(_ lookup: FieldDefinition, of id: String, _ full: ObjectDefinition) throws {
        var values = try live(id, full)
        try checkLocks(full, id, values)
        var changes: Values = [lookup.name: .null]
        if full.field("SystemModstamp") != nil { changes["SystemModstamp"] = stamp.databaseValue }
        let names = full.fields.storedNames.filter { changes[$0] != nil }
        try state.statements.update(full.name, names, db).run(names.map { changes[$0] ?? .null } + [id.databaseValue])
        values.merge(changes) { _, new in new }
        record(.updated, full, id, changed: names, values: values)
    }

    /// Tells the journal of a change.
    private func record(_ kind: RecordChange.Kind, _ full: ObjectDefinition, _ id: String, changed: [String], values: Values) {
        state.journal.append(
            RecordChange(kind: kind, object: full.name, id: id, changedFields: changed, values: values, user: user, stamp: stamp))
    }

    /// The stored values of a record that is neither unknown nor deleted.
    func live(_ id: String, _ object: ObjectDefinition) throws -> Values {
        let names = object.fields.storedNames
        guard let row = try state.statements.select(names, from: object.name, db).row([id.databaseValue]) else {
            throw RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        }
        var values = Values(minimumCapacity: names.count)
        for (index, name) in names.enumerated() { values[name] = row[index] }
        if values["IsDeleted"]?.storage == .int64(1) { throw RecordError("ENTITY_IS_DELETED", "entity is deleted") }
        return values
    }

    private func stampModification(_ values: inout Values, _ full: ObjectDefinition) {
        for (name, value) in [
            ("LastModifiedDate", stamp.databaseValue), ("LastModifiedById", user.databaseValue), ("SystemModstamp", stamp.databaseValue),
        ] where full.fields.has(name) { values[name] = value }
    }

    private func requireFields(_ full: ObjectDefinition, _ values: Values, all: Bool) throws {
        let missing = full.fields.requiredNames.filter { values[$0].map(\.isNull) ?? all }
        guard missing.isEmpty else {
            throw RecordError("REQUIRED_FIELD_MISSING", "Required fields are missing: [\(missing.joined(separator: ", "))]", missing)
        }
    }

    private func check(_ full: ObjectDefinition, changed: Values, record: Values, id: String) throws {
        for field in full.fields.checked {
            guard let value = changed[field.name], !value.isNull else { continue }
            // Who created and changed a record is the server's own word.
            if field.kind == .reference, field.createable { try checkReference(field, value) }
            guard field.unique else { continue }
            if let other = try ids(of: full, where: field, equals: value).first(where: { $0 != id }) {
                throw RecordError("DUPLICATE_VALUE", "duplicate value found: \(field.name) duplicates value on record with id: \(other)", [field.name])
            }
        }
        try checkDuplicates(full, changed: changed, record: record, id: id)
        try checkPushTopic(record, id: id)
        for rule in full.validationRules where rule.refuses(record, of: full) {
            throw RecordError("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, [rule.field])
        }
    }

    private func checkReference(_ field: FieldDefinition, _ value: DatabaseValue) throws {
        guard let id = String.fromDatabaseValue(value) else { return }
        guard let target = state.object(keyPrefix: RecordIdentifier.keyPrefix(of: id)), field.referenceTo.contains(target.name) else {
            throw RecordError("FIELD_INTEGRITY_EXCEPTION", "\(field.label): id value of incorrect type: \(id)", [field.name])
        }
        let deleted: Int?
        if target.field("IsDeleted") == nil {
            deleted = try Int.fetchOne(db.cachedStatement(sql: "SELECT 0 FROM \(ObjectTable.quoted(target.name)) WHERE Id = ?"), arguments: [id])
        } else {
            deleted = try Int.fetchOne(db.cachedStatement(sql: "SELECT IsDeleted FROM \(ObjectTable.quoted(target.name)) WHERE Id = ?"), arguments: [id])
        }
        guard let deleted else { throw RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [field.name]) }
        guard deleted == 0 else { throw RecordError("ENTITY_IS_DELETED", "entity is deleted", [field.name]) }
    }

    private func runFlows(_ full: ObjectDefinition, _ values: inout Values, creating: Bool, changing record: Values) {
        for flow in full.flows where flow.target == nil && (creating ? flow.onCreate : flow.onUpdate) {
            guard let field = full.field(flow.field), field.isStored, !field.isCalculated else { continue }
            values[field.name] = stored(flow.template, in: field, of: full, from: record)
        }
    }
}
