import GRDB

/// `composite/tree/{Type}`: records with their children in one call, all of them or none (wire reference 2.9).
struct RecordTree {
    let document: JSON
    let context: CallContext

    private static let largest = 200
    private static let deepest = 5

    private struct Outcome {
        var reference: String
        var id: String?
        var errors: [RecordError] = []
    }

    func save(_ object: ObjectDefinition) throws -> Reply {
        let records = document["records"]?.elements ?? []
        var outcomes: [Outcome] = []
        try context.state.savepoint(context.db) {
            try save(records, type: object.name, parent: nil, depth: 1, &outcomes)
            return outcomes.contains { !$0.errors.isEmpty } ? .rollback : .commit
        }
        let failed = outcomes.filter { !$0.errors.isEmpty }
        let results = (failed.isEmpty ? outcomes : failed).map { outcome -> JSON in
            failed.isEmpty
                ? ["referenceId": .string(outcome.reference), "id": .text(outcome.id)]
                : ["referenceId": .string(outcome.reference), "errors": .array(outcome.errors.map {
                    ["statusCode": .string($0.code), "message": .string($0.message), "fields": .texts($0.fields)]
                })]
        }
        return .json(failed.isEmpty ? 201 : 400, ["hasErrors": .bool(!failed.isEmpty), "results": .array(results)])
    }

    private func save(_ records: [JSON], type: String, parent: (field: String, id: String)?, depth: Int, _ outcomes: inout [Outcome]) throws {
        guard depth <= RecordTree.deepest else { throw APIError(400, "LIMIT_EXCEEDED", "A tree is at most \(RecordTree.deepest) levels deep") }
        for record in records {
            let reference = record["attributes"]?["referenceId"]?.string ?? ""
            guard !reference.isEmpty else { throw APIError(400, "INVALID_INPUT", "Include a reference ID for each record in the request.") }
            guard outcomes.count < RecordTree.largest else { throw RecordBatch.tooMany(RecordTree.largest) }
            let children = record.members.filter { $0.value["records"] != nil }
            var input = RESTRecord.input(.object(record.members.filter { $0.value["records"] == nil }), type: nil)
            if input.type.isEmpty { input.type = type }
            if let parent { input.fields.append(RecordInput.Field(name: parent.field, input: .text(parent.id))) }
            let saved = try context.batch(allOrNone: false).write(.create, [input])[0]
            outcomes.append(Outcome(reference: reference, id: saved.id, errors: saved.error.map { [$0] } ?? []))
            guard let id = saved.id else { continue }
            for list in children {
                guard let (child, field) = relationship(list.key, of: input.type) else {
                    throw APIError(400, "INVALID_FIELD", "No child relationship '\(list.key)' on \(input.type)")
                }
                try save(list.value["records"]?.elements ?? [], type: child.name, parent: (field.name, id), depth: depth + 1, &outcomes)
            }
        }
    }

    private func relationship(_ name: String, of parent: String) -> (ObjectDefinition, FieldDefinition)? {
        for child in context.state.objects {
            for field in child.fields
            where field.childRelationshipName?.lowercased() == name.lowercased() && field.referenceTo.contains(where: { $0.lowercased() == parent.lowercased() }) {
                return (child, field)
            }
        }
        return nil
    }
}
