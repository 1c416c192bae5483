/// One element of a type in the partner schema.
struct SchemaElement: Sendable, Equatable {
    enum Count: Sendable, Equatable { case one, atMostOne, any }

    var name: String
    /// An XML Schema name (`string`), a name of the partner schema (`ID`), or `sf:sObject`.
    var type: String
    var count = Count.one
    var nillable = false

    /// Reads `name:type`, followed by `?` for an optional element, `*` for any number, `!` for a nillable one.
    init(_ text: Substring) {
        var rest = text
        while let flag = rest.last, "?*!".contains(flag) {
            switch flag {
            case "?": count = .atMostOne
            case "*": count = .any
            default: nillable = true
            }
            rest = rest.dropLast()
        }
        let parts = rest.split(separator: ":", maxSplits: 1)
        name = String(parts[0])
        type = parts.count > 1 ? String(parts[1]) : "string"
    }

    static func list(_ text: String) -> [SchemaElement] { text.split(whereSeparator: \.isWhitespace).map { SchemaElement($0) } }
}

/// A complex type: its elements in their order on the wire, after those of the type it extends.
struct SchemaType: Sendable {
    var name: String
    var base: String?
    var elements: [SchemaElement]

    init(_ name: String, extends base: String? = nil, _ elements: String) {
        self.name = name
        self.base = base
        self.elements = SchemaElement.list(elements)
    }
}

/// An operation of the partner API: parameters in order, the element of its answer, headers that it takes.
struct SchemaOperation: Sendable {
    var name: String
    var parameters: [SchemaElement]
    /// Nil for an operation that answers nothing.
    var result: SchemaElement?
    var headers: [String]
    var faults: [String]

    init(_ name: String, _ parameters: String = "", result: String?, headers: [String], faults: [String] = []) {
        self.name = name
        self.parameters = SchemaElement.list(parameters)
        self.result = result.map { SchemaElement("result:" + Substring($0)) }
        self.headers = headers
        self.faults = faults + ["UnexpectedErrorFault"]
    }
}
