import Foundation

extension RESTHandler {
    /// One record: create, retrieve, update, upsert, delete (wire reference 2.7).
    func record(_ call: inout CallDescription, _ context: CallContext) throws -> Reply {
        let object = try object(resource[1], context)
        call.recordCount = 1
        switch resource.count {
        case 2: return try create(object, context)
        case 3:
            let id = resource[2]
            switch call.operation {
            case "create" where id.lowercased() == "id": return try create(object, context)
            case "update": return try update(object, id, &call, context)
            case "delete":
                try remove(object, id, context)
                return Reply(204)
            case "retrieve": return try retrieve(object, id, context)
            default: throw notAllowed()
            }
        case 4:
            if let content = try content(object, context) { return content }
            return try byIdentifier(object, field: resource[2], value: resource[3], &call, context)
        default: throw APIError.notFound()
        }
    }

    private func notAllowed() -> APIError {
        APIError(405, "METHOD_NOT_ALLOWED", "HTTP Method '\(request.method)' not allowed.")
    }

    private func outcome(_ outcomes: [WriteOutcome]) throws -> WriteOutcome {
        guard let outcome = outcomes.first else { throw APIError.notFound() }
        if let error = outcome.error {
            let status = ["ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"].contains(error.code) && error.fields.isEmpty ? 404 : 400
            var refusal = APIError(status, error.code == "INVALID_CROSS_REFERENCE_KEY" && status == 404 ? "NOT_FOUND" : error.code, error.message, fields: error.fields)
            refusal.duplicate = error.duplicate
            throw refusal
        }
        return outcome
    }

    private func create(_ object: ObjectDefinition, _ context: CallContext) throws -> Reply {
        let input = RESTRecord.input(try body(), type: object.name)
        let saved = try outcome(context.batch(allOrNone: false).write(.create, [input]))
        return created(saved, object, includeFlag: false)
    }

    private func created(_ saved: WriteOutcome, _ object: ObjectDefinition, includeFlag: Bool) -> Reply {
        var document: JSON = ["id": .text(saved.id), "success": true, "errors": []]
        if includeFlag { document.set("created", .bool(saved.created)) }
        var reply = Reply.json(saved.created ? 201 : 200, document)
        if saved.created { reply.headers.append(("Location", "/services/data/v\(version)/sobjects/\(object.name)/\(saved.id ?? "")")) }
        return reply
    }

    private func update(_ object: ObjectDefinition, _ id: String, _ call: inout CallDescription, _ context: CallContext) throws -> Reply {
        var input = RESTRecord.input(try body(), type: object.name)
        guard input.id == nil else {
            throw APIError(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")
        }
        input.id = id
        _ = try outcome(context.batch(allOrNone: false).write(.update, [input]))
        return Reply(204)
    }

    private func remove(_ object: ObjectDefinition, _ id: String, _ context: CallContext) throws {
        _ = try RecordBatch.checkedId(id, object)
        _ = try outcome(context.remover(allOrNone: false).delete([id]))
    }

    private func retrieve(_ object: ObjectDefinition, _ id: String, _ context: CallContext) throws -> Reply {
        let fields = request.query["fields"].map { $0.split(separator: ",").map(String.init) } ?? object.fields.map(\.name)
        guard let normalized = RecordIdentifier.normalized(id) else { throw APIError.notFound() }
        if let record = try context.retrieve(object, fields: fields, ids: [normalized])[0] { return .json(200, record.json(version: version)) }
        if try context.retrieve(object, fields: ["Id"], ids: [normalized], includesDeleted: true)[0] != nil {
            throw APIError(404, "ENTITY_IS_DELETED", "entity is deleted")
        }
        throw APIError.notFound()
    }

    private func byIdentifier(
        _ object: ObjectDefinition, field name: String, value: String, _ call: inout CallDescription, _ context: CallContext
    ) throws -> Reply {
        guard let key = object.field(name), key.idLookup else {
            throw APIError(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: \(name)")
        }
        let saver = RecordSaver(state: context.state, db: context.db, object: object, user: context.user, stamp: context.stamp)
        let wanted = try FieldValue.stored(.text(value), field: key, truncating: false)
        let ids = try saver.ids(of: object, where: key, equals: wanted)
        if ids.count > 1 {
            return .json(300, .array(ids.map { .string("/services/data/v\(version)/sobjects/\(object.name)/\($0)") }))
        }
        switch request.method {
        case "PATCH":
            if ids.isEmpty, request.query["updateOnly"] == "true" { throw APIError.notFound() }
            var input = RESTRecord.input(try body(), type: object.name)
            guard input.input(key.name) == nil else {
                throw APIError(400, "INVALID_FIELD", "The \(key.name) field should not be specified in the sobject data.", fields: [key.name])
            }
            input.fields.append(RecordInput.Field(name: key.name, input: .text(value)))
            if key.name == "Id" { input.id = value }
            let saved = try outcome(context.batch(allOrNone: false).write(.upsert(key.name), [input]))
            // Before 46.0 an update answered nothing.
            if (Double(version) ?? 0) < 46, !saved.created { return Reply(204) }
            return created(saved, object, includeFlag: (Double(version) ?? 0) >= 46)
        case "DELETE":
            guard let id = ids.first else { throw APIError.notFound() }
            try remove(object, id, context)
            return Reply(204)
        case "GET", "HEAD":
            guard let id = ids.first else { throw APIError.notFound() }
            return try retrieve(object, id, context)
        default: throw notAllowed()
        }
    }

    // MARK: Collections

    /// Up to 200 records of a call (wire reference 2.8).
    func collection(_ call: inout CallDescription, _ context: CallContext) throws -> Reply {
        switch call.operation {
        case "delete":
            let ids = (request.query["ids"] ?? "").split(separator: ",").map(String.init)
            call.recordCount = ids.count
            let outcomes = try context.remover(allOrNone: request.query["allOrNone"] == "true").delete(ids)
            return .json(200, .array(outcomes.map { $0.json(isUpsert: false) }))
        case "retrieve": return try retrieveCollection(&call, context)
        default: break
        }
        let document = try body()
        guard document["records"] != nil else { throw APIError(400, "JSON_PARSER_ERROR", "records is required") }
        let batch = context.batch(allOrNone: document["allOrNone"]?.bool ?? false)
        let operation: RecordBatch.Operation
        switch call.operation {
        case "create": operation = .create
        case "update": operation = .update
        case "upsert" where resource.count == 4:
            guard call.records.allSatisfy({ $0.type.lowercased() == resource[2].lowercased() }) else {
                throw APIError(400, "INVALID_ARGUMENT_TYPE", "records must be of type \(resource[2])")
            }
            operation = .upsert(resource[3])
        default: throw APIError.notFound()
        }
        let outcomes = try batch.write(operation, call.records)
        return .json(200, .array(outcomes.map { $0.json(isUpsert: call.operation == "upsert") }))
    }

    private func retrieveCollection(_ call: inout CallDescription, _ context: CallContext) throws -> Reply {
        guard resource.count == 3 else { throw APIError.notFound() }
        let ids: [String]
        let fields: [String]
        if request.method == "POST" {
            let document = try body()
            ids = document["ids"]?.elements.compactMap(\.string) ?? []
            fields = document["fields"]?.elements.compactMap(\.string) ?? []
        } else {
            ids = (request.query["ids"] ?? "").split(separator: ",").map(String.init)
            fields = (request.query["fields"] ?? "").split(separator: ",").map(String.init)
        }
        guard ids.count <= 2_000 else { throw APIError(400, "EXCEEDED_ID_LIMIT", "record limit reached. cannot retrieve more than 2000 records") }
        let records = try context.retrieve(try object(resource[2], context), fields: fields, ids: ids)
        call.ids = ids
        call.recordCount = records.count
        return .json(200, .array(records.map { $0?.json(version: version) ?? .null }))
    }
}
