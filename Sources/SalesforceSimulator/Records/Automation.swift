import GRDB

/// `INV-{0000}`: the number takes the place of the zeros, padded to as many digits.
enum AutoNumber {
    static func text(_ number: Int64, format: String) -> String {
        Template.pieces(of: format).map { piece in
            switch piece {
            case .text(let text): return text
            case .field(let zeros):
                let digits = String(number)
                return String(repeating: "0", count: max(0, zeros.count - digits.count)) + digits
            }
        }.joined()
    }
}

extension ObjectDefinition.ValidationRule {
    func refuses(_ record: RecordSaver.Values, of object: ObjectDefinition) -> Bool {
        guard let definition = object.field(field) else { return false }
        let actual = ResultValue(record[definition.name] ?? .null, field: definition).plainText
        switch comparison {
        case .isBlank: return actual == nil
        case .isNotBlank: return actual != nil
        case .equals: return actual == value
        case .differs: return actual != value
        case .contains: return actual?.contains(value) ?? false
        case .startsWith: return actual?.hasPrefix(value) ?? false
        case .less, .greater:
            guard let actual else { return false }
            let isLess = if let left = Double(actual), let right = Double(value) { left < right } else { actual < value }
            return comparison == .less ? isLess : !isLess && actual != value
        }
    }
}
