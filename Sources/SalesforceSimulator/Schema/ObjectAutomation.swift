extension ObjectDefinition {
    /// Changes a field before the record is stored, also one that the client sent.
    struct BeforeSaveRule: Codable, Sendable, Equatable {
        enum Action: String, Codable, Sendable, CaseIterable { case upperCase, lowerCase, set, clear }

        var field: String
        var action: Action
        /// What `set` stores: a text with `{Field}` placeholders.
        var template = ""
        var onCreate = true
        var onUpdate = true
    }

    /// Which records an after-save flow changes besides the saved one.
    enum FlowTarget: Codable, Sendable, Equatable {
        /// The record that a lookup of the saved record names.
        case parent(lookup: String)
        /// The records whose lookup names the saved record.
        case children(object: String, lookup: String)
        /// A new record, its fields as texts with `{Field}` placeholders.
        case create(object: String, values: [String: String])
    }
}

extension FieldDefinition {
    /// A number worked out from the detail records of a master, and kept.
    struct Rollup: Codable, Sendable, Equatable {
        enum Operation: String, Codable, Sendable, CaseIterable { case count = "COUNT", sum = "SUM", min = "MIN", max = "MAX" }

        var operation: Operation
        /// The object of the details and its lookup to the master.
        var object: String
        var lookup: String
        /// The field of the details; COUNT needs none.
        var field: String?
    }
}

extension ObjectDefinition {
    /// Finds records that are the same in all of the fields.
    struct DuplicateRule: Codable, Sendable, Equatable {
        /// An alert can be saved over, a block cannot.
        enum Action: String, Codable, Sendable, CaseIterable { case alert, block }

        var name: String
        var action: Action
        var fields: [String]
        var message: String
        var matchRule: String
    }

    /// Decides who owns a record when a call asks for it.
    struct AssignmentRule: Codable, Sendable, Equatable {
        struct Entry: Codable, Sendable, Equatable {
            /// Nil meets every record; its message means nothing here.
            var condition: ValidationRule?
            var owner: String
        }

        var id: String
        var name: String
        /// The one that a call means when it names none.
        var active: Bool
        var entries: [Entry]
    }

    /// One record type of an object (wire reference 2.5).
    struct RecordType: Codable, Sendable, Equatable {
        var id: String
        var name: String
        var developerName: String
        var active = true
        /// What a new record takes that names none.
        var isDefault = false
        /// Ids of the users who may use it; nil: everyone.
        var availableTo: [String]?
        /// Worked out for the user who looks.
        var available = true
    }
}
