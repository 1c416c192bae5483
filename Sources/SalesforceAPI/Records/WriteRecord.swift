/// One value as it goes on the wire (API reference 8.2): `2024-01-31T12:00:00.000Z`, `true`, `12.50`, plain text.
public struct WriteField: Sendable, Equatable {
    /// How JSON writes the value. XML and CSV have text only.
    public enum Form: Sendable, Equatable { case text, number, boolean }

    public var name: String
    /// An empty value is sent as null: Salesforce has no empty string.
    public var value: String
    public var form: Form

    public init(_ name: String, _ value: String, form: Form = .text) {
        self.name = name
        self.value = value
        self.form = form
    }
}

/// A parent named by an external id instead of its record id. The parent must have been accepted in an earlier request.
public struct ParentReference: Sendable, Equatable {
    /// `Account`, or `Foo__r` for a custom lookup.
    public var relationshipName: String
    public var parentType: String
    public var externalIDField: String
    public var value: String

    public init(relationshipName: String, parentType: String, externalIDField: String, value: String) {
        self.relationshipName = relationshipName
        self.parentType = parentType
        self.externalIDField = externalIDField
        self.value = value
    }
}

/// One record to create, update or upsert. A field must not be in `fields` and in `nulls` as well.
public struct WriteRecord: Sendable, Equatable {
    public var objectType: String
    /// 15 or 18 characters; needed by update, refused by create.
    public var id: String?
    public var fields: [WriteField]
    /// Fields to clear.
    public var nulls: [String]
    public var parents: [ParentReference]

    public init(
        objectType: String, id: String? = nil, fields: [WriteField] = [], nulls: [String] = [], parents: [ParentReference] = []
    ) {
        self.objectType = objectType
        self.id = id
        self.fields = fields
        self.nulls = nulls
        self.parents = parents
    }
}

/// What holds for all records of one call.
public struct WriteOptions: Sendable, Equatable {
    public enum AssignmentRule: Sendable, Equatable {
        /// The org's active rule.
        case useDefault
        case rule(id: String)
    }

    /// Assignment rules run on create, update and upsert of Account, Case and Lead; nil: none runs.
    public var assignmentRule: AssignmentRule?
    /// Saves over a duplicate rule that only warns; a blocking rule stays (API reference 7.3).
    public var allowsDuplicates: Bool

    public init(assignmentRule: AssignmentRule? = nil, allowsDuplicates: Bool = false) {
        self.assignmentRule = assignmentRule
        self.allowsDuplicates = allowsDuplicates
    }
}
