import GRDB

/// Turns what was sent into what is stored, by Salesforce's own rules (wire reference 8.2): texts are trimmed and
/// blank becomes null, decimals are rounded half up to the scale, datetimes keep whole seconds.
enum FieldValue {
    /// - Throws: ``RecordError`` with the code Salesforce answers for the field's type.
    static func stored(_ input: FieldInput, field: FieldDefinition, truncating: Bool) throws -> DatabaseValue {
        let text: String
        switch input {
        case .null:
            if field.kind == .boolean { throw wrongType(field, "null") }
            return .null
        case .bool(let flag):
            if field.kind == .boolean { return (flag ? 1 : 0).databaseValue }
            text = flag ? "true" : "false"
        case .number(let digits): text = digits
        case .text(let sent): text = sent
        case .unusable(let description): throw wrongType(field, description)
        case .parent: throw wrongType(field, "an object")
        }
        if field.isText { return try storedText(text, field: field, truncating: truncating) }
        let value = trimmed(text)
        if value.isEmpty {
            if field.kind == .boolean { throw wrongType(field, "") }
            return .null
        }
        switch field.kind {
        case .boolean:
            switch value.lowercased() {
            case "true", "1": return 1.databaseValue
            case "false", "0": return 0.databaseValue
            default: throw wrongType(field, value)
            }
        case .int:
            guard let number = scaled(value, scale: 0) else { throw wrongType(field, value) }
            guard abs(number) < power(of: 10, field.precision == 0 ? 10 : field.precision) else { throw outOfRange(field) }
            return number.databaseValue
        case .double, .currency, .percent:
            guard isNumber(value) else { throw wrongType(field, value) }
            guard let number = scaled(value, scale: field.scale),
                number.magnitude < UInt64(power(of: 10, min(field.precision, 18)))
            else { throw outOfRange(field) }
            return number.databaseValue
        case .date:
            guard let date = TimeText.parseDate(value) else { throw wrongType(field, value) }
            try checkYear(date, field)
            return date.databaseValue
        case .datetime:
            guard let instant = TimeText.parseDateTime(value) else { throw wrongType(field, value) }
            try checkYear(value, field)
            return (instant - ((instant % 1_000) + 1_000) % 1_000).databaseValue
        case .time:
            guard let time = TimeText.parseTimeOfDay(value) else { throw wrongType(field, value) }
            return time.databaseValue
        case .reference, .id:
            guard let id = RecordIdentifier.normalized(value) else {
                throw RecordError("MALFORMED_ID", "\(field.label): id value of incorrect type: \(value)", [field.name])
            }
            return id.databaseValue
        default:
            throw wrongType(field, value)
        }
    }

    private static func storedText(_ sent: String, field: FieldDefinition, truncating: Bool) throws -> DatabaseValue {
        var text = trimmed(sent)
        if text.isEmpty { return .null }
        if text.unicodeScalars.count > field.length, field.length > 0 {
            guard truncating else {
                throw RecordError(
                    "STRING_TOO_LONG", "\(field.label): data value too large: \(text.prefix(255)) (max length=\(field.length))", [field.name])
            }
            text = String(String.UnicodeScalarView(text.unicodeScalars.prefix(field.length)))
        }
        switch field.kind {
        case .base64: return try BinaryContent.stored(text, field: field)
        case .email:
            let parts = text.split(separator: "@", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !text.contains(where: \.isWhitespace) else {
                throw RecordError("INVALID_EMAIL_ADDRESS", "\(field.label): invalid email address: \(text)", [field.name])
            }
        case .picklist where field.restrictedPicklist:
            guard let value = field.picklistValues.first(where: { $0.lowercased() == text.lowercased() }) else { throw badChoice(field, text) }
            text = value
        case .multipicklist:
            text = try orderedChoices(text, field)
            if text.isEmpty { return .null }
        case .textarea where field.extraTypeInfo == "richtextarea": text = RichText.cleaned(text)
        default: break
        }
        return DatabaseText.encode(text).databaseValue
    }

    /// The order of the definition, whatever order was sent; values outside an unrestricted list come last.
    private static func orderedChoices(_ text: String, _ field: FieldDefinition) throws -> String {
        let chosen = text.split(separator: ";").map { trimmed(String($0)) }.filter { !$0.isEmpty }
        let known = field.picklistValues.filter { chosen.contains($0) }
        let unknown = chosen.filter { !field.picklistValues.contains($0) }
        if let first = unknown.first, field.restrictedPicklist { throw badChoice(field, first) }
        return (known + unknown).joined(separator: ";")
    }

    static func trimmed(_ text: String) -> String {
        if let first = text.utf8.first, let last = text.utf8.last, first > 0x20, last > 0x20 { return text }
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { $0.value > 0x20 }),
            let last = scalars.lastIndex(where: { $0.value > 0x20 })
        else { return "" }
        return String(scalars[first...last])
    }

    private static func wrongType(_ field: FieldDefinition, _ value: String) -> RecordError {
        RecordError("INVALID_TYPE_ON_FIELD_IN_RECORD", "\(field.label): value not of required type: \(value)", [field.name])
    }

    private static func outOfRange(_ field: FieldDefinition) -> RecordError {
        RecordError("NUMBER_OUTSIDE_VALID_RANGE", "\(field.label): value outside of valid range on numeric field", [field.name])
    }

    private static func badChoice(_ field: FieldDefinition, _ value: String) -> RecordError {
        RecordError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "\(field.label): bad value for restricted picklist field: \(value)", [field.name])
    }

    private static func checkYear(_ value: String, _ field: FieldDefinition) throws {
        guard let year = Int(value.prefix(4)), (1700...4000).contains(year) else {
            throw RecordError("NUMBER_OUTSIDE_VALID_RANGE", "\(field.label): invalid date: \(value)", [field.name])
        }
    }
}

/// Texts as SQLite keeps them: its C interface ends a text at U+0000, which Salesforce can hold, so that one
/// character travels as a noncharacter no client can send.
enum DatabaseText {
    static func encode(_ text: String) -> String {
        text.utf8.contains(0) ? text.replacing("\u{0}", with: "\u{10FFFF}") : text
    }

    static func decode(_ text: String) -> String {
        text.unicodeScalars.contains("\u{10FFFF}") ? text.replacing("\u{10FFFF}", with: "\u{0}") : text
    }
}
