import Foundation

extension RESTHandler {
    /// The bytes of a binary field, such as `sobjects/Attachment/{id}/Body` (wire reference 8.2); nil when the path names none.
    func content(_ object: ObjectDefinition, _ context: CallContext) throws -> Reply? {
        guard resource.count == 4, ["GET", "HEAD"].contains(request.method), let id = RecordIdentifier.normalized(resource[2]),
            let field = object.field(resource[3]), field.kind == .base64 else { return nil }
        let names = [field.name] + (object.field("ContentType") == nil ? [] : ["ContentType"])
        guard let record = try context.retrieve(object, fields: names, ids: [id])[0], case .binary(let text)? = record.fields.first?.1,
            let data = Data(base64Encoded: text) else { throw APIError.notFound() }
        let type = record.fields.count > 1 ? record.fields[1].1.plainText : nil
        return Reply(200, headers: [("Content-Type", type ?? "application/octet-stream")], body: .data(data))
    }
}
