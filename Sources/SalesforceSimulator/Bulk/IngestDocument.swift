import Foundation

/// The rows of a JSON or XML batch of Bulk 1.0; at most 10 MB, read whole (wire reference 4.1).
enum IngestDocument {
    /// - Throws: ``BulkFailure`` InvalidBatch when the body is no list of records or names an unknown field.
    static func records(_ body: Data, _ contentType: BulkJob.ContentType, of object: ObjectDefinition) throws -> [RecordInput] {
        let records = contentType == .json ? try json(body, object.name) : try xml(body, object.name)
        for record in records {
            for field in record.fields where object.field(field.name) == nil && object.parentField(relationship: field.name) == nil {
                throw BulkFailure.invalidBatch("Field name not found : \(field.name)")
            }
        }
        return records
    }

    private static func json(_ body: Data, _ type: String) throws -> [RecordInput] {
        guard let document = try? JSONParser.parse(body), case .array(let elements) = document else {
            throw BulkFailure.invalidBatch("Failed to parse JSON: a list of records was expected")
        }
        return elements.map { RESTRecord.input($0, type: type) }
    }

    private static func xml(_ body: Data, _ type: String) throws -> [RecordInput] {
        guard let root = try? XMLTreeBuilder.parse(body), root.name == "sObjects" else {
            throw BulkFailure("InvalidXml", "Failed to parse XML: sObjects was expected")
        }
        return root.children.filter { $0.name == "sObject" }.map { element in
            var record = RecordInput(type: type, id: nil, fields: [])
            for child in element.children where child.name != "type" {
                if child.name.lowercased() == "id" {
                    record.id = child.isNil || child.text.isEmpty ? nil : child.text
                } else if child.isNil || !child.text.isEmpty || !child.children.isEmpty {
                    // An empty element leaves its field alone.
                    record.fields.append(RecordInput.Field(name: child.name, input: input(child)))
                }
            }
            return record
        }
    }

    /// A parent is an sObject within the relationship's element, with one identifier.
    private static func input(_ element: XMLElementNode) -> FieldInput {
        if element.isNil { return .null }
        guard let parent = element.first("sObject") else { return element.text.isEmpty ? .null : .text(element.text) }
        let keys = parent.children.filter { $0.name != "type" }
        guard keys.count == 1 else { return .unusable("an object") }
        return .parent(type: parent.first("type")?.text, field: keys[0].name, value: keys[0].text)
    }
}
