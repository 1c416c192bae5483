/// A field of an object, as describe shows it and as the store keeps it (wire reference 2.5 and 8.2).
struct FieldDefinition: Codable, Sendable, Equatable {
    /// Describe's field types.
    enum Kind: String, Codable, Sendable, CaseIterable {
        case id, reference, string, textarea, phone, url, email, picklist, multipicklist, combobox, encryptedstring
        case boolean, int, double, currency, percent, date, datetime, time, base64, address, location
        case anyType, complexvalue, json
    }

    var name: String
    var label: String
    var kind: Kind
    var length = 0
    var precision = 0
    var scale = 0
    var nillable = true
    var createable = true
    var updateable = true
    var unique = false
    var caseSensitive = false
    var externalId = false
    var idLookup = false
    /// Display format of an auto-number such as `INV-{0000}`.
    var autoNumberFormat: String?
    /// A text with `{Field}` placeholders, worked out at each read; its change moves no stamp.
    var formula: String?
    /// Worked out from detail records whenever one of them changes.
    var rollup: Rollup?
    /// What an insert without the field stores, as text.
    var defaultValue: String?
    var referenceTo: [String] = []
    var relationshipName: String?
    /// The name of the list of children on the parent object.
    var childRelationshipName: String?
    var cascadeDelete = false
    var restrictedDelete = false
    var picklistValues: [String] = []
    var restrictedPicklist = false
    var compoundFieldName: String?
    var nameField = false
    var extraTypeInfo: String?
    /// Kept by the server: never written by a client and stamped on save.
    var isSystem = false
    /// The user who looks reads `*` for each character of an encrypted text.
    var isMasked: Bool?

    init(_ name: String, _ kind: Kind, label: String? = nil) {
        self.name = name
        self.kind = kind
        self.label = label ?? FieldDefinition.label(of: name)
    }

    static func label(of name: String) -> String {
        let stem = name.hasSuffix("__c") ? String(name.dropLast(3)).split(separator: "_").joined(separator: " ") : name
        var words = ""
        for character in stem {
            if character.isUppercase, let last = words.last, last.isLowercase { words += " " }
            words.append(character)
        }
        return words
    }
}

extension FieldDefinition {
    var isCustom: Bool { name.hasSuffix("__c") || name.hasSuffix("__s") }

    var isCalculated: Bool { formula != nil || rollup != nil }

    /// Address and location hold no value of their own: their components do.
    var isCompound: Bool { kind == .address || kind == .location }

    /// True when the object's table has a column for it.
    var isStored: Bool { !isCompound && formula == nil }

    /// Decimals are stored as whole numbers of their last digit, so that 18 digits stay exact.
    var isDecimal: Bool { kind == .double || kind == .currency || kind == .percent }

    var isText: Bool {
        switch kind {
        case .string, .textarea, .phone, .url, .email, .picklist, .multipicklist, .combobox, .encryptedstring,
            .anyType, .complexvalue, .json, .base64:
            true
        default: false
        }
    }

    var isLongText: Bool { kind == .textarea && length > 255 }

    /// SOQL cannot filter by these (wire reference 6.2).
    var isFilterable: Bool {
        switch kind {
        case .base64, .address, .location, .encryptedstring, .complexvalue, .json: false
        default: !isLongText
        }
    }

    /// What GROUP BY takes.
    var isGroupable: Bool { isFilterable && !isDecimal && kind != .datetime && kind != .multipicklist && kind != .time }

    var isSortable: Bool { isFilterable && kind != .multipicklist }

    var soapType: String {
        switch kind {
        case .id, .reference: "tns:ID"
        case .boolean: "xsd:boolean"
        case .int: "xsd:int"
        case .double, .currency, .percent: "xsd:double"
        case .date: "xsd:date"
        case .datetime: "xsd:dateTime"
        case .time: "xsd:time"
        case .base64: "xsd:base64Binary"
        case .address: "urn:address"
        case .location: "urn:location"
        case .anyType: "xsd:anyType"
        case .complexvalue: "xsd:anyType"
        case .json: "urn:json"
        default: "xsd:string"
        }
    }

    /// Describe's `length`: characters of text, 18 for ids, 0 for everything else.
    var describedLength: Int {
        switch kind {
        case .id, .reference: 18
        default: isText ? length : 0
        }
    }
}

extension FieldDefinition {
    /// A copy changed by `edit`; keeps the sample org's tables of fields readable.
    func with(_ edit: (inout FieldDefinition) -> Void) -> FieldDefinition {
        var copy = self
        edit(&copy)
        return copy
    }

    var required: FieldDefinition { with { $0.nillable = false } }
    var readOnly: FieldDefinition { with { $0.createable = false; $0.updateable = false } }

    static func text(_ name: String, _ length: Int) -> FieldDefinition {
        FieldDefinition(name, .string).with { $0.length = length }
    }

    static func area(_ name: String, _ length: Int, rich: Bool = false) -> FieldDefinition {
        FieldDefinition(name, .textarea).with {
            $0.length = length
            $0.extraTypeInfo = rich ? "richtextarea" : "plaintextarea"
        }
    }

    static func decimal(_ name: String, _ kind: Kind, _ precision: Int, _ scale: Int) -> FieldDefinition {
        FieldDefinition(name, kind).with {
            $0.precision = precision
            $0.scale = scale
        }
    }

    static func choice(_ name: String, _ values: [String], restricted: Bool = false, several: Bool = false) -> FieldDefinition {
        FieldDefinition(name, several ? .multipicklist : .picklist).with {
            $0.length = several ? 4099 : 255
            $0.picklistValues = values
            $0.restrictedPicklist = restricted
        }
    }

    static func lookup(_ name: String, to target: String, relationship: String, children: String?) -> FieldDefinition {
        FieldDefinition(name, .reference).with {
            $0.length = 18
            $0.referenceTo = [target]
            $0.relationshipName = relationship
            $0.childRelationshipName = children
        }
    }

    static func externalId(_ name: String, _ length: Int) -> FieldDefinition {
        text(name, length).with {
            $0.externalId = true
            $0.unique = true
            $0.idLookup = true
        }
    }
}
