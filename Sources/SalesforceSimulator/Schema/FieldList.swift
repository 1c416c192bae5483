/// The fields of an object in describe's order. What each save asks of them, names above all, is worked out when they change.
struct FieldList: Sendable {
    fileprivate final class Table: Sendable {
        let fields: [FieldDefinition]
        /// Places by the name as it is spelled and in lower case.
        let places: [String: Int]
        /// Places by relationship name in lower case.
        let relationships: [String: Int]
        let storedNames: [String]
        let requiredNames: [String]
        let defaulted: [FieldDefinition]
        let numbered: [FieldDefinition]
        let checked: [FieldDefinition]

        init(_ fields: [FieldDefinition]) {
            self.fields = fields
            var places: [String: Int] = [:]
            var relationships: [String: Int] = [:]
            for (place, field) in fields.enumerated().reversed() {
                places[field.name] = place
                places[field.name.lowercased()] = place
                if let name = field.relationshipName { relationships[name.lowercased()] = place }
            }
            self.places = places
            self.relationships = relationships
            let stored = fields.filter(\.isStored)
            storedNames = stored.map(\.name)
            requiredNames = stored.filter { !$0.nillable && !$0.isSystem && $0.kind != .boolean && $0.autoNumberFormat == nil }.map(\.name)
            defaulted = stored.filter { $0.defaultValue != nil || $0.kind == .boolean }
            numbered = fields.filter { $0.autoNumberFormat != nil || $0.rollup != nil }
            checked = stored.filter { $0.kind != .id && ($0.unique || ($0.kind == .reference && $0.createable)) }
        }
    }

    fileprivate var table: Table

    init(_ fields: [FieldDefinition]) { table = Table(fields) }

    /// A field by name, without case, as Salesforce matches them.
    func named(_ name: String) -> FieldDefinition? {
        guard let place = table.places[name] ?? table.places[name.lowercased()] else { return nil }
        return table.fields[place]
    }

    /// True when there is a field that is spelled like this.
    func has(_ name: String) -> Bool { table.places[name] != nil }

    /// The lookup behind a relationship name, without case.
    func relationship(_ name: String) -> FieldDefinition? { table.relationships[name.lowercased()].map { table.fields[$0] } }

    /// Names of the fields with a column, in order.
    var storedNames: [String] { table.storedNames }
    /// Names of the fields that a client has to fill.
    var requiredNames: [String] { table.requiredNames }
    /// Fields that an insert fills when the client does not: those with a default, and checkboxes.
    var defaulted: [FieldDefinition] { table.defaulted }
    /// Fields that the server counts itself: auto-numbers and roll-ups.
    var numbered: [FieldDefinition] { table.numbered }
    /// Fields whose value other records decide upon: unique ones and lookups that a client sets.
    var checked: [FieldDefinition] { table.checked }
}

extension FieldList: RandomAccessCollection, MutableCollection, RangeReplaceableCollection, ExpressibleByArrayLiteral {
    init() { self.init([]) }

    init(arrayLiteral elements: FieldDefinition...) { self.init(elements) }

    init(_ elements: some Sequence<FieldDefinition>) { self.init(Array(elements)) }

    var startIndex: Int { 0 }
    var endIndex: Int { table.fields.count }

    subscript(position: Int) -> FieldDefinition {
        get { table.fields[position] }
        set { replaceSubrange(position..<position + 1, with: CollectionOfOne(newValue)) }
    }

    mutating func replaceSubrange(_ range: Range<Int>, with elements: some Collection<FieldDefinition>) {
        var fields = table.fields
        fields.replaceSubrange(range, with: elements)
        table = Table(fields)
    }

    mutating func removeAll(where isRemoved: (FieldDefinition) throws -> Bool) rethrows {
        table = Table(try table.fields.filter { try !isRemoved($0) })
    }
}

extension FieldList: Codable, Equatable {
    static func == (left: FieldList, right: FieldList) -> Bool { left.table === right.table || left.table.fields == right.table.fields }

    init(from decoder: any Decoder) throws { self.init(try [FieldDefinition](from: decoder)) }

    func encode(to encoder: any Encoder) throws { try table.fields.encode(to: encoder) }
}
