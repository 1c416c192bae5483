/// What a client sent for one field, before the field's type is applied.
enum FieldInput: Sendable, Equatable {
    /// Set to nothing: JSON null, an empty JSON string, or a name in `fieldsToNull`.
    case null
    case text(String)
    case number(String)
    case bool(Bool)
    /// A parent named by one of its identifiers instead of its id.
    case parent(type: String?, field: String, value: String)
    /// Something no field takes, such as an array.
    case unusable(String)

    var described: JSON {
        switch self {
        case .null: .null
        case .text(let text): .string(text)
        case .number(let text): .number(text)
        case .bool(let flag): .bool(flag)
        case .parent(let type, let field, let value):
            .object([JSON.Member(key: "type", value: .text(type)), JSON.Member(key: field, value: .string(value))])
        case .unusable(let text): .string(text)
        }
    }
}

/// One record of a write call, in the order its fields were sent.
struct RecordInput: Sendable {
    struct Field: Sendable {
        var name: String
        var input: FieldInput
    }

    var type: String
    var id: String?
    var fields: [Field]
    /// A field that stood both among the values and in `fieldsToNull`.
    var contradiction: String?

    func input(_ name: String) -> FieldInput? {
        if let exact = fields.first(where: { $0.name == name }) { return exact.input }
        let wanted = name.lowercased()
        return fields.first { $0.name.lowercased() == wanted }?.input
    }
}
