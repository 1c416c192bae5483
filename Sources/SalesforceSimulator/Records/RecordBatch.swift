import GRDB

/// What became of one record of a call.
struct WriteOutcome: Sendable {
    var id: String?
    var created = false
    var error: RecordError?
}

/// The rules of a write call over several records (wire reference 2.8, 3.4, 3.5).
struct RecordBatch {
    enum Operation: Sendable, Equatable {
        case create, update
        /// The field whose value decides between the two.
        case upsert(String)
    }

    let state: OrgState
    let db: Database
    let user: String
    let stamp: Int64
    var allOrNone = false
    var truncating = false
    var options = CallOptions()
    /// Records a fault refuses, by their place in the call.
    var rejections: [Int: RecordError] = [:]
    var limit = 200
    /// The transaction whose locks the records may pass.
    var lockOwner: RowLocks.Owner?

    func write(_ operation: Operation, _ records: [RecordInput]) throws -> [WriteOutcome] {
        guard records.count <= limit else { throw RecordBatch.tooMany(limit) }
        try checkChunks(records)
        var outcomes = records.map { _ in WriteOutcome() }
        var work: [Work] = []
        for (index, record) in records.enumerated() {
            do {
                if let rejection = rejections[index] { throw rejection }
                work.append(try prepare(operation, record, index))
            } catch let error as RecordError {
                outcomes[index].error = error
            }
        }
        refuseRepeated(operation, &work, &outcomes)
        try state.savepoint(db) {
            if try !saveTogether(work, &outcomes) { try saveOneByOne(work, &outcomes) }
            guard allOrNone, outcomes.contains(where: { $0.error != nil }) else { return .commit }
            for index in outcomes.indices {
                outcomes[index] = WriteOutcome(error: outcomes[index].error ?? .rolledBack)
            }
            return .rollback
        }
        return outcomes
    }

    /// Saves the records without a savepoint for each, which costs about as much as its update. False, and nothing is changed,
    /// when one of them is refused.
    private func saveTogether(_ work: [Work], _ outcomes: inout [WriteOutcome]) throws -> Bool {
        var saved = outcomes
        do {
            try state.savepoint(db) {
                for item in work { saved[item.index] = try item.save() }
                return .commit
            }
        } catch is RecordError {
            return false
        }
        outcomes = saved
        return true
    }

    private func saveOneByOne(_ work: [Work], _ outcomes: inout [WriteOutcome]) throws {
        for item in work {
            do {
                try state.savepoint(db) {
                    outcomes[item.index] = try item.save()
                    return .commit
                }
            } catch let error as RecordError {
                outcomes[item.index] = WriteOutcome(error: error)
            }
        }
    }

    static func tooMany(_ limit: Int) -> APIError {
        APIError(400, "EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than \(limit) records into this call")
    }

    /// A call is cut at each change of type; ten pieces are the most.
    private func checkChunks(_ records: [RecordInput]) throws {
        let chunks = zip(records, records.dropFirst()).reduce(1) { $0 + ($1.0.type.lowercased() == $1.1.type.lowercased() ? 0 : 1) }
        guard chunks <= 10 else {
            throw APIError(400, "LIMIT_EXCEEDED", "Cannot have more than 10 chunks in a single operation. Please rearrange the data to reduce chunking.")
        }
    }

    private struct Work {
        var index: Int
        /// What may stand only once in a call.
        var key: String?
        var save: () throws -> WriteOutcome
    }

    private func prepare(_ operation: Operation, _ record: RecordInput, _ index: Int) throws -> Work {
        guard let object = state.object(record.type, for: user) else {
            throw RecordError("INVALID_TYPE", "sObject type '\(record.type)' is not supported.")
        }
        let saver = RecordSaver(
            state: state, db: db, object: object, user: user, stamp: stamp, truncating: truncating, options: options,
            lockOwner: lockOwner)
        switch operation {
        case .create:
            if record.id != nil { throw RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"]) }
            let values = try saver.prepare(record, creating: true)
            return Work(index: index, key: nil) { WriteOutcome(id: try saver.insert(values), created: true) }
        case .update:
            guard let sent = record.id, !sent.isEmpty else { throw RecordError("MISSING_ARGUMENT", "Id not specified in an update call", ["Id"]) }
            let id = try RecordBatch.checkedId(sent, object)
            let values = try saver.prepare(record, creating: false)
            return Work(index: index, key: id) {
                try saver.update(id, values)
                return WriteOutcome(id: id)
            }
        case .upsert(let keyName):
            return try prepareUpsert(keyName, record, index, saver)
        }
    }

    private func prepareUpsert(_ keyName: String, _ record: RecordInput, _ index: Int, _ saver: RecordSaver) throws -> Work {
        let object = saver.object
        guard let key = object.field(keyName), key.idLookup else {
            throw RecordError("INVALID_FIELD", "Field name provided, \(keyName) is not an External ID or indexed field for \(object.name)")
        }
        if key.name == "Id" {
            guard let sent = record.id, !sent.isEmpty else {
                let values = try saver.prepare(record, creating: true)
                return Work(index: index, key: nil) { WriteOutcome(id: try saver.insert(values), created: true) }
            }
            let id = try RecordBatch.checkedId(sent, object)
            let values = try saver.prepare(record, creating: false)
            return Work(index: index, key: id) {
                try saver.update(id, values)
                return WriteOutcome(id: id)
            }
        }
        if record.id != nil { throw RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify both an external ID reference \(key.name) and a salesforce id", [key.name]) }
        let wanted = try FieldValue.stored(record.input(key.name) ?? .null, field: key, truncating: truncating)
        guard !wanted.isNull else { throw RecordError("MISSING_ARGUMENT", "\(key.name) not specified", [key.name]) }
        let ids = try saver.ids(of: object, where: key, equals: wanted)
        guard ids.count <= 1 else {
            throw RecordError("DUPLICATE_EXTERNAL_ID", "\(key.name): more than one record found for external id field: [\(ids.joined(separator: ", "))]", [key.name])
        }
        let values = try saver.prepare(record, creating: ids.isEmpty, ignoring: key.name)
        let identity = (ResultValue(wanted, field: key).plainText ?? "").lowercased()
        return Work(index: index, key: object.name + ":" + identity) {
            guard let id = ids.first else { return WriteOutcome(id: try saver.insert(values), created: true) }
            var changes = values
            changes[key.name] = nil
            try saver.update(id, changes)
            return WriteOutcome(id: id)
        }
    }

    static func checkedId(_ sent: String, _ object: ObjectDefinition) throws -> String {
        guard let id = RecordIdentifier.normalized(sent) else { throw RecordError("MALFORMED_ID", "malformed id \(sent)", ["Id"]) }
        guard RecordIdentifier.keyPrefix(of: id) == object.keyPrefix else {
            throw RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        }
        return id
    }

    /// A record or identifier that stands twice in a call is refused each time it stands there.
    private func refuseRepeated(_ operation: Operation, _ work: inout [Work], _ outcomes: inout [WriteOutcome]) {
        var counts: [String: Int] = [:]
        for item in work { if let key = item.key { counts[key, default: 0] += 1 } }
        work.removeAll { item in
            guard let key = item.key, (counts[key] ?? 0) > 1 else { return false }
            if case .upsert(let field) = operation, field.lowercased() != "id" {
                let value = key.split(separator: ":", maxSplits: 1).last.map(String.init) ?? key
                outcomes[item.index].error = RecordError("DUPLICATE_VALUE", "Duplicate external id specified: \(value)", [field])
            } else {
                outcomes[item.index].error = RecordError("DUPLICATE_VALUE", "duplicate id specified: \(key)", ["Id"])
            }
            return true
        }
    }
}
