/// Reads a record of a JSON body.
enum RESTRecord {
    /// - Parameter type: The type when the path names it; otherwise `attributes.type` does.
    static func input(_ body: JSON, type: String?) -> RecordInput {
        var record = RecordInput(type: type ?? body["attributes"]?["type"]?.string ?? "", id: nil, fields: [])
        for member in body.members where member.key != "attributes" {
            if member.key.lowercased() == "id", case .string(let id) = member.value {
                record.id = id
                if type != nil { record.fields.append(RecordInput.Field(name: member.key, input: .text(id))) }
                continue
            }
            record.fields.append(RecordInput.Field(name: member.key, input: field(member.value)))
        }
        return record
    }

    private static func field(_ value: JSON) -> FieldInput {
        switch value {
        case .null: .null
        case .bool(let flag): .bool(flag)
        case .number(let digits): .number(digits)
        case .string(let text): text.isEmpty ? .null : .text(text)
        case .array: .unusable("a list")
        case .object(let members): parent(members)
        }
    }

    private static func parent(_ members: [JSON.Member]) -> FieldInput {
        let type = members.first { $0.key == "attributes" }?.value["type"]?.string
        let keys = members.filter { $0.key != "attributes" }
        guard keys.count == 1, let value = keys[0].value.string else { return .unusable("an object") }
        return .parent(type: type, field: keys[0].key, value: value)
    }
}

extension WriteOutcome {
    /// A save result of the sObject collections.
    func json(isUpsert: Bool) -> JSON {
        var value: JSON = error == nil ? ["id": .text(id), "success": true, "errors": []] : ["success": false, "errors": []]
        if let error {
            value.set("errors", [["statusCode": .string(error.code), "message": .string(error.message), "fields": .texts(error.fields)]])
        }
        if isUpsert { value.set("created", .bool(created)) }
        return value
    }
}
