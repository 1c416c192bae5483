/// An object as the list of objects shows it (API reference 2.4).
public struct ObjectSummary: Sendable, Decodable, Equatable {
    public var name: String
    public var label: String?
    public var keyPrefix: String?
    public var queryable: Bool
    public var replicateable: Bool
    public var createable: Bool
    public var updateable: Bool
    public var deletable: Bool
}

/// An object and its fields, as far as the relay decides by them (API reference 2.5).
public struct ObjectDescription: Sendable, Decodable, Equatable {
    public var name: String
    public var label: String?
    public var keyPrefix: String?
    public var queryable: Bool
    public var replicateable: Bool
    public var createable: Bool
    public var updateable: Bool
    public var deletable: Bool
    public var fields: [FieldDescription]

    /// The field called `name`, in any case.
    public func field(_ name: String) -> FieldDescription? {
        fields.first { $0.name.lowercased() == name.lowercased() }
    }
}

/// One field. Keys that an answer leaves out count as false, zero or nothing.
public struct FieldDescription: Sendable, Decodable, Equatable {
    public var name: String
    public var label: String
    /// One of API reference 8.2: `string`, `reference`, `datetime` …
    public var type: String
    public var soapType: String
    /// Characters; 0 for what is no text.
    public var length: Int
    public var precision: Int
    public var scale: Int
    public var digits: Int
    public var createable: Bool
    public var updateable: Bool
    public var nillable: Bool
    public var externalId: Bool
    public var idLookup: Bool
    public var unique: Bool
    public var caseSensitive: Bool
    public var calculated: Bool
    public var autoNumber: Bool
    public var encrypted: Bool
    public var htmlFormatted: Bool
    public var defaultedOnCreate: Bool
    public var polymorphicForeignKey: Bool
    public var filterable: Bool
    public var sortable: Bool
    public var relationshipName: String?
    public var referenceTo: [String]
    public var compoundFieldName: String?
    public var extraTypeInfo: String?

    private enum Key: String, CodingKey {
        case name, label, type, soapType, length, precision, scale, digits, createable, updateable, nillable, externalId
        case idLookup, unique, caseSensitive, calculated, autoNumber, encrypted, htmlFormatted, defaultedOnCreate
        case polymorphicForeignKey, filterable, sortable, relationshipName, referenceTo, compoundFieldName, extraTypeInfo
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        func flag(_ key: Key) throws -> Bool { try values.decodeIfPresent(Bool.self, forKey: key) ?? false }
        func number(_ key: Key) throws -> Int { try values.decodeIfPresent(Int.self, forKey: key) ?? 0 }
        func text(_ key: Key) throws -> String? { try values.decodeIfPresent(String.self, forKey: key) }
        name = try values.decode(String.self, forKey: .name)
        type = try values.decode(String.self, forKey: .type)
        label = try text(.label) ?? name
        soapType = try text(.soapType) ?? ""
        length = try number(.length)
        precision = try number(.precision)
        scale = try number(.scale)
        digits = try number(.digits)
        createable = try flag(.createable)
        updateable = try flag(.updateable)
        nillable = try flag(.nillable)
        externalId = try flag(.externalId)
        idLookup = try flag(.idLookup)
        unique = try flag(.unique)
        caseSensitive = try flag(.caseSensitive)
        calculated = try flag(.calculated)
        autoNumber = try flag(.autoNumber)
        encrypted = try flag(.encrypted)
        htmlFormatted = try flag(.htmlFormatted)
        defaultedOnCreate = try flag(.defaultedOnCreate)
        polymorphicForeignKey = try flag(.polymorphicForeignKey)
        filterable = try flag(.filterable)
        sortable = try flag(.sortable)
        relationshipName = try text(.relationshipName)
        referenceTo = try values.decodeIfPresent([String].self, forKey: .referenceTo) ?? []
        compoundFieldName = try text(.compoundFieldName)
        extraTypeInfo = try text(.extraTypeInfo)
    }
}
