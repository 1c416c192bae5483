/// The SQL that reads a field: its column, or for a formula its text worked out from other fields at each read.
enum FieldExpression {
    static func sql(_ field: FieldDefinition, of object: ObjectDefinition, alias: String) -> String {
        if field.isMasked == true { return "replace(hex(zeroblob(length(\(alias).\(ObjectTable.quoted(field.name))))), '00', '*')" }
        guard let formula = field.formula else { return "\(alias).\(ObjectTable.quoted(field.name))" }
        return field.isDecimal || field.kind == .int
            ? numeric(formula, field, object, alias) : textual(formula, object, alias)
    }

    private static func textual(_ formula: String, _ object: ObjectDefinition, _ alias: String) -> String {
        let pieces = Template.pieces(of: formula).map { piece -> String in
            switch piece {
            case .text(let text): "'" + text.replacing("'", with: "''") + "'"
            case .field(let name):
                if let field = object.field(name), field.isStored { "COALESCE(\(plainText(field, alias)), '')" } else { "''" }
            }
        }
        return "NULLIF(TRIM(" + (pieces.isEmpty ? "''" : pieces.joined(separator: " || ")) + "), '')"
    }

    /// Arithmetic over numbers: anything but digits, operators and parentheses between the fields is dropped.
    private static func numeric(_ formula: String, _ field: FieldDefinition, _ object: ObjectDefinition, _ alias: String) -> String {
        let pieces = Template.pieces(of: formula).map { piece -> String in
            switch piece {
            case .text(let text): String(text.filter { "0123456789.+-*/() ".contains($0) })
            case .field(let name):
                if let field = object.field(name), field.isStored {
                    "(\(alias).\(ObjectTable.quoted(field.name)) / \(Double(power(of: 10, field.scale))))"
                } else { "NULL" }
            }
        }
        return "CAST(ROUND((\(pieces.joined())) * \(power(of: 10, field.scale))) AS INTEGER)"
    }

    private static func plainText(_ field: FieldDefinition, _ alias: String) -> String {
        let column = "\(alias).\(ObjectTable.quoted(field.name))"
        return switch field.kind {
        case .double, .currency, .percent: "printf('%.\(field.scale)f', \(column) / \(Double(power(of: 10, field.scale))))"
        case .boolean: "CASE \(column) WHEN 1 THEN 'true' ELSE 'false' END"
        case .datetime: "strftime('%Y-%m-%dT%H:%M:%S.000Z', \(column) / 1000, 'unixepoch')"
        default: column
        }
    }
}

/// A text with `{Field}` placeholders.
enum Template {
    enum Piece: Equatable {
        case text(String)
        case field(String)
    }

    static func pieces(of template: String) -> [Piece] {
        var pieces: [Piece] = []
        var rest = Substring(template)
        while let open = rest.utf8.firstIndex(of: UInt8(ascii: "{")), let close = rest.utf8[open...].firstIndex(of: UInt8(ascii: "}")) {
            if open > rest.startIndex { pieces.append(.text(String(rest[..<open]))) }
            pieces.append(.field(String(rest[rest.index(after: open)..<close])))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        return pieces
    }
}

/// Addresses and locations: objects made of other fields.
enum CompoundField {
    static let addressParts = ["City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street"]

    /// The stored components in wire order; nil where the object has no such field.
    static func components(of field: FieldDefinition, in object: ObjectDefinition) -> [FieldDefinition?] {
        if field.kind == .location {
            let stem = field.name.hasSuffix("__c") ? String(field.name.dropLast(3)) : field.name
            return ["Latitude", "Longitude"].map { object.field(stem + "__" + $0 + "__s") }
        }
        let stem = field.name.hasSuffix("Address") ? String(field.name.dropLast("Address".count)) : field.name
        return addressParts.map { object.field(stem + $0) }
    }
}
