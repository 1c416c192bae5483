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
