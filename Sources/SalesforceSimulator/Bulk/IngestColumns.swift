/// The header of an ingest CSV, understood: what each column of a row means (wire reference 4.4).
struct IngestColumns: Sendable {
    private enum Column: Sendable {
        case id
        case field(String, FieldDefinition.Kind)
        /// A lookup, its parent named by an identifier of `type`.
        case parent(lookup: String, type: String?, identifier: String)
    }

    private let columns: [Column]
    private let type: String
    private let defaultOffset: String
    let fieldCharacters: Int

    var count: Int { columns.count }

    /// - Throws: ``BulkFailure`` InvalidBatch that names the first column that does not fit.
    init(_ names: [String], of object: ObjectDefinition, _ operation: BulkJob.Operation, _ state: OrgState, user: String) throws {
        type = object.name
        let minutes = state.settings.bulk.defaultOffsetMinutes
        defaultOffset = (minutes < 0 ? "-" : "+") + [abs(minutes) / 60, abs(minutes) % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
        fieldCharacters = state.settings.bulk.fieldCharacters
        guard names.count <= 5_000 else { throw BulkFailure.invalidBatch("A record has at most 5,000 fields: the header names \(names.count)") }
        if operation.isDelete, names.count != 1 || names[0].lowercased() != "id" {
            throw BulkFailure.invalidBatch("The '\(operation.rawValue)' batch must contain only ids")
        }
        columns = try names.map { name in
            if name.lowercased() == "id" { return .id }
            guard name.contains(".") else {
                guard let field = object.field(name) else { throw IngestColumns.unknown(name) }
                return .field(field.name, field.kind)
            }
            return try IngestColumns.parent(name, of: object) { state.object($0, for: user) }
        }
    }

    private static func unknown(_ name: String) -> BulkFailure { .invalidBatch("Field name not found : \(name)") }

    /// `Rel.Ext__c`, and `Type:Rel.Ext__c` for a lookup to several objects and only there.
    private static func parent(_ name: String, of object: ObjectDefinition, _ lookup: (String) -> ObjectDefinition?) throws -> Column {
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let path = (parts.last ?? "").split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard path.count == 2, let field = object.parentField(relationship: path[0]) else { throw unknown(name) }
        let named = parts.count == 2 ? parts[0] : nil
        if field.referenceTo.count < 2, named != nil {
            throw BulkFailure.invalidBatch("Invalid foreign key reference : type is not needed for non polymorphic foreign key reference \(name)")
        }
        if field.referenceTo.count > 1, named == nil {
            throw BulkFailure.invalidBatch("Invalid foreign key reference : type is needed for polymorphic foreign key reference \(name)")
        }
        let type = field.referenceTo.first { named == nil || $0.lowercased() == named?.lowercased() }
        guard let type, let target = lookup(type) else { throw BulkFailure.invalidBatch("Invalid foreign key reference : \(name)") }
        guard let identifier = target.field(path[1]) else { throw unknown(name) }
        guard identifier.idLookup else { throw BulkFailure.invalidBatch("Invalid foreign key reference : \(name)") }
        return .parent(lookup: field.name, type: named == nil ? nil : type, identifier: identifier.name)
    }

    /// A row as a record: an empty value leaves its field alone, `#N/A` sets it to null.
    func record(_ values: [String]) -> RecordInput {
        var record = RecordInput(type: type, id: nil, fields: [])
        for (column, value) in zip(columns, values) where !value.isEmpty {
            switch column {
            case .id: record.id = value
            case .field(let name, _) where value == "#N/A", .parent(let name, _, _) where value == "#N/A":
                record.fields.append(RecordInput.Field(name: name, input: .null))
            case .field(let name, let kind): record.fields.append(RecordInput.Field(name: name, input: input(value, kind)))
            case .parent(let name, let type, let identifier):
                record.fields.append(RecordInput.Field(name: name, input: .parent(type: type, field: identifier, value: value)))
            }
        }
        return record
    }

    private func input(_ value: String, _ kind: FieldDefinition.Kind) -> FieldInput {
        switch kind {
        case .boolean:
            switch value.lowercased() {
            case "true", "1", "yes": .bool(true)
            case "false", "0", "no": .bool(false)
            default: .text(value)
            }
        case .datetime where IngestColumns.lacksOffset(value): .text(value + defaultOffset)
        default: .text(value)
        }
    }

    /// True for a date with a time that says nothing of its offset.
    private static func lacksOffset(_ value: String) -> Bool {
        let time = value.dropFirst(10)
        return !time.isEmpty && !time.contains { $0 == "Z" || $0 == "+" || $0 == "-" }
    }
}
