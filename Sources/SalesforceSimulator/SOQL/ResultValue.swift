import GRDB

/// One value of a result, before the wire format is chosen.
indirect enum ResultValue: Sendable {
    case null
    case text(String)
    case bool(Bool)
    case int(Int64)
    case decimal(String)
    case date(String)
    case dateTime(Int64)
    case time(Int64)
    /// City, country, and so on, lower-case keys in wire order.
    case compound(type: String, [(String, ResultValue)])
    /// Binary content is fetched from a path of its own.
    case binary(String)
    case record(ResultRecord)
    case children(QueryPage)

    init(_ value: DatabaseValue, field: FieldDefinition) {
        switch value.storage {
        case .null: self = .null
        case .string(let text):
            switch field.kind {
            case .date: self = .date(text)
            case .base64: self = .binary(text)
            default: self = .text(DatabaseText.decode(text))
            }
        case .int64(let number): self = ResultValue.number(number, field)
        case .double(let number): self = ResultValue.number(Int64(number), field)
        case .blob: self = .null
        }
    }

    private static func number(_ number: Int64, _ field: FieldDefinition) -> ResultValue {
        switch field.kind {
        case .boolean: .bool(number != 0)
        case .double, .currency, .percent: .decimal(decimalText(number, scale: field.scale))
        case .datetime: .dateTime(number)
        case .time: .time(number)
        default: .int(number)
        }
    }

    var isNull: Bool {
        if case .null = self { return true }
        return false
    }
}

struct ResultRecord: Sendable {
    var type: String
    var id: String?
    var fields: [(String, ResultValue)]
}

extension ResultRecord {
    func json(version: String) -> JSON {
        var attributes: JSON = ["type": .string(type)]
        if let id, type != "AggregateResult" { attributes.set("url", .string("/services/data/v\(version)/sobjects/\(type)/\(id)")) }
        var members = [JSON.Member(key: "attributes", value: attributes)]
        for (name, value) in fields {
            members.append(JSON.Member(key: name, value: value.json(version: version, record: self, field: name)))
        }
        return .object(members)
    }
}

extension ResultValue {
    func json(version: String, record: ResultRecord, field: String) -> JSON {
        switch self {
        case .null: .null
        case .text(let text), .date(let text): .string(text)
        case .bool(let flag): .bool(flag)
        case .int(let number): .int(number)
        case .decimal(let digits): .number(digits)
        case .dateTime(let instant): .string(TimeText.rest(instant))
        case .time(let time): .string(TimeText.timeOfDay(time))
        case .binary: .string("/services/data/v\(version)/sobjects/\(record.type)/\(record.id ?? "")/\(field)")
        case .compound(_, let parts):
            .object(parts.map { JSON.Member(key: $0.0, value: $0.1.json(version: version, record: record, field: field)) })
        case .record(let parent): parent.json(version: version)
        case .children(let page): page.json(version: version)
        }
    }

    /// The text of SOAP and CSV; nil for null and for what has parts.
    var plainText: String? {
        switch self {
        case .null, .compound, .record, .children: nil
        case .text(let text), .date(let text), .decimal(let text), .binary(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): String(number)
        case .dateTime(let instant): TimeText.zulu(instant)
        case .time(let time): TimeText.timeOfDay(time)
        }
    }
}
