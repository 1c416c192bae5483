import Foundation

/// A request envelope: its headers and the one operation of its body (wire reference 3.2).
struct SOAPEnvelope {
    let operation: XMLElementNode
    private let headers: [XMLElementNode]

    /// - Throws: ``XMLTreeBuilder/Failure`` when the body is no SOAP envelope with one operation.
    init(_ data: Data) throws {
        let root = try XMLTreeBuilder.parse(data)
        guard root.name == "Envelope", let body = root.first("Body"), let operation = body.children.first else {
            throw XMLTreeBuilder.Failure(message: "No SOAP envelope with an operation was found")
        }
        self.operation = operation
        headers = root.first("Header")?.children ?? []
        if let header = headers.first(where: { $0.isMandatory && PartnerSchema.type($0.name) == nil }) {
            throw Misunderstood(header: header.name)
        }
    }

    /// A header that must be understood and is not.
    struct Misunderstood: Error { var header: String }

    /// The first parameter, or part of a record, that stands where the schema has no place for it; nil when all is well.
    ///
    /// An id may stand among the fields: the schema's wildcard takes it there, and clients send it so.
    var misplaced: String? {
        guard let parameters = PartnerSchema.operation(operation.name)?.parameters else { return nil }
        var position = 0
        for child in operation.children {
            // Older samples spell the upsert parameter with a small letter.
            let name = child.name == "externalIdFieldName" ? "externalIDFieldName" : child.name
            while position < parameters.count, parameters[position].name != name { position += 1 }
            guard position < parameters.count else { return "{\(PartnerSchema.namespace)}\(child.name)" }
            if name == "sObjects", let part = SOAPRecord.misplaced(child) { return part }
            if parameters[position].count != .any { position += 1 }
        }
        return nil
    }

    func header(_ name: String, _ element: String) -> String? {
        headers.first { $0.name == name }?.first(element).map { $0.trimmedText }
    }

    func flag(_ name: String, _ element: String) -> Bool { ["true", "1"].contains(header(name, element) ?? "") }

    /// The texts of the operation's parameters with this name.
    func texts(_ name: String) -> [String] {
        operation.children.filter { $0.name == name }.map { $0.trimmedText }
    }

    /// The ids of a call; pyforce and its kin write them as `id` to a delete, which only passes where no order is enforced.
    var ids: [String] { texts("ids") + (operation.name == "delete" ? texts("id") : []) }

    func text(_ name: String) -> String? { texts(name).first }

    var records: [RecordInput] { operation.children.filter { $0.name == "sObjects" }.map(SOAPRecord.input) }
}

/// Reads an sObject: type, names to clear, id, fields, parents (wire reference 3.4).
enum SOAPRecord {
    /// The type comes first, then the names to clear, then everything else.
    static func misplaced(_ node: XMLElementNode) -> String? {
        func refused(_ name: String) -> String { "{\(PartnerSchema.recordNamespace)}\(name)" }
        guard let first = node.children.first else { return nil }
        if first.name != "type", node.first("type") != nil { return refused(first.name) }
        let rest = node.children.dropFirst().drop { $0.name == "fieldsToNull" }
        return rest.contains { $0.name == "fieldsToNull" } ? refused("fieldsToNull") : nil
    }

    static func input(_ node: XMLElementNode) -> RecordInput {
        var record = RecordInput(type: "", id: nil, fields: [])
        var cleared: [String] = []
        for child in node.children {
            switch child.name {
            case "type" where record.type.isEmpty: record.type = child.trimmedText
            case "fieldsToNull": cleared.append(child.trimmedText)
            case "Id":
                let id = child.trimmedText
                if !id.isEmpty { record.id = id }
            default:
                if let input = field(child) { record.fields.append(RecordInput.Field(name: child.name, input: input)) }
            }
        }
        record.contradiction = cleared.first { name in record.fields.contains { $0.name.lowercased() == name.lowercased() } }
        for name in cleared { record.fields.append(RecordInput.Field(name: name, input: .null)) }
        return record
    }

    /// An empty or nil element is as good as absent: only `fieldsToNull` clears a field.
    private static func field(_ node: XMLElementNode) -> FieldInput? {
        if node.isNil { return nil }
        if node.children.isEmpty { return node.text.isEmpty ? nil : .text(node.text) }
        let type = node.first("type")?.trimmedText
        let keys = node.children.filter { $0.name != "type" }
        guard keys.count == 1, node.children.first?.name == "type" else { return .unusable("an object") }
        return .parent(type: type, field: keys[0].name, value: keys[0].text)
    }
}
