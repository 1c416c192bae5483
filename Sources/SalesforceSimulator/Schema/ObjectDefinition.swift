/// An object of the org: what describe says of it, its fields and what its automation does on save.
struct ObjectDefinition: Codable, Sendable, Equatable {
    /// Refuses a save when the stored value matches: FIELD_CUSTOM_VALIDATION_EXCEPTION.
    struct ValidationRule: Codable, Sendable, Equatable {
        enum Comparison: String, Codable, Sendable {
            case equals = "=", differs = "!=", contains, startsWith, isBlank, isNotBlank, less = "<", greater = ">"
        }
        var field: String
        var comparison: Comparison
        var value: String
        var message: String
    }

    /// Sets a field after each save, of this or of other records, to a text with `{Field}` placeholders.
    struct Flow: Codable, Sendable, Equatable {
        var field: String
        var template: String
        var onCreate = true
        var onUpdate = true
        /// Nil: `field` of the saved record itself.
        var target: FlowTarget?
    }

    var name: String
    var label: String
    var labelPlural: String
    var keyPrefix: String?
    var queryable = true
    var createable = true
    var updateable = true
    var deletable = true
    var undeletable = true
    var replicateable = true
    var retrieveable = true
    var triggerable = true
    var searchable = true
    /// False for objects that Bulk refuses with INVALIDENTITY.
    var bulkSupported = true
    var fields: FieldList
    var validationRules: [ValidationRule] = []
    var flows: [Flow] = []
    // Optional, so that an org's file from before them opens.
    var beforeSaveRules: [BeforeSaveRule]?
    var duplicateRules: [DuplicateRule]?
    var assignmentRules: [AssignmentRule]?
    var recordTypes: [RecordType]?

    init(_ name: String, label: String? = nil, plural: String? = nil, keyPrefix: String?, fields: [FieldDefinition]) {
        self.name = name
        self.label = label ?? FieldDefinition.label(of: name)
        self.labelPlural = plural ?? self.label + "s"
        self.keyPrefix = keyPrefix
        self.fields = FieldList(fields)
    }

    var isCustom: Bool { name.contains("__") }

    /// Names of fields are matched without case, as Salesforce does.
    func field(_ name: String) -> FieldDefinition? { fields.named(name) }

    func parentField(relationship: String) -> FieldDefinition? { fields.relationship(relationship) }

    var nameField: FieldDefinition? { fields.first(where: \.nameField) }

    /// The fields every record has, in the order describe lists them (wire reference 2.5).
    static func systemFields(owner: Bool = true) -> [FieldDefinition] {
        func system(_ field: FieldDefinition) -> FieldDefinition {
            field.readOnly.required.with { $0.isSystem = true }
        }
        var fields = [
            system(FieldDefinition("Id", .id, label: "Record ID")).with { $0.length = 18; $0.idLookup = true },
            system(FieldDefinition("IsDeleted", .boolean, label: "Deleted")),
        ]
        if owner {
            fields.append(FieldDefinition.lookup("OwnerId", to: "User", relationship: "Owner", children: nil)
                .required.with { $0.isSystem = true; $0.label = "Owner ID" })
        }
        fields += [
            system(FieldDefinition("CreatedDate", .datetime)),
            system(FieldDefinition.lookup("CreatedById", to: "User", relationship: "CreatedBy", children: nil)),
            system(FieldDefinition("LastModifiedDate", .datetime)),
            system(FieldDefinition.lookup("LastModifiedById", to: "User", relationship: "LastModifiedBy", children: nil)),
            system(FieldDefinition("SystemModstamp", .datetime)),
        ]
        return fields
    }
}
