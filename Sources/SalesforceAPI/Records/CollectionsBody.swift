/// Writes the JSON bodies of sObject collections (API reference 2.7, 2.8).
enum CollectionsBody {
    static func encode(_ records: [WriteRecord], _ operation: WriteOperation) -> [UInt8] {
        var json = JSONWriter()
        json.raw(#"{"allOrNone":false,"records":["#)
        for (index, record) in records.enumerated() {
            if index > 0 { json.raw(",") }
            encode(record, operation, into: &json)
        }
        json.raw("]}")
        return json.bytes
    }

    private static func encode(_ record: WriteRecord, _ operation: WriteOperation, into json: inout JSONWriter) {
        json.raw("{")
        attributes(record.objectType, into: &json)
        if let id = record.id, operation != .create {
            json.raw(",")
            json.key("id")
            json.string(id)
        }
        for name in record.nulls {
            json.raw(",")
            json.key(name)
            json.raw("null")
        }
        for field in record.fields {
            json.raw(",")
            json.key(field.name)
            value(field, into: &json)
        }
        for parent in record.parents {
            json.raw(",")
            json.key(parent.relationshipName)
            json.raw("{")
            attributes(parent.parentType, into: &json)
            json.raw(",")
            json.key(parent.externalIDField)
            json.string(parent.value)
            json.raw("}")
        }
        json.raw("}")
    }

    private static func attributes(_ type: String, into json: inout JSONWriter) {
        json.raw(#""attributes":{"type":"#)
        json.string(type)
        json.raw("}")
    }

    private static func value(_ field: WriteField, into json: inout JSONWriter) {
        switch field.form {
        case _ where field.value.isEmpty: json.raw("null")
        case .number where JSONWriter.isNumber(field.value): json.raw(field.value)
        case .boolean where field.value == "true" || field.value == "false": json.raw(field.value)
        case .text, .number, .boolean: json.string(field.value)
        }
    }

    static func encode(ids: [String], fields: [String]) -> [UInt8] {
        var json = JSONWriter()
        json.raw("{")
        for (key, list) in [("ids", ids), ("fields", fields)] {
            if key == "fields" { json.raw(",") }
            json.key(key)
            json.raw("[")
            for (index, item) in list.enumerated() {
                if index > 0 { json.raw(",") }
                json.string(item)
            }
            json.raw("]")
        }
        json.raw("}")
        return json.bytes
    }
}
