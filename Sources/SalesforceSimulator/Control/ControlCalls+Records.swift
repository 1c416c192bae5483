import GRDB

extension ControlCalls {
    /// `/_sim/records/{object}`: the records as they are, and changes by another user.
    func records() throws -> JSON {
        let object = try object(path[1])
        switch (request.method, path.count) {
        case ("GET", 2): return try read(object)
        case ("POST", 2): return try change(try body(), object, .create)
        case ("PATCH", 2): return try change(try body(), object, .update)
        case ("DELETE", 2): return try remove(object, undelete: false)
        case ("POST", 3) where path[2] == "touch": return try touch(object)
        case ("POST", 3) where path[2] == "undelete": return try remove(object, undelete: true)
        default: throw APIError.notFound()
        }
    }

    /// Every stored and calculated field, deleted records included.
    private func read(_ object: ObjectDefinition) throws -> JSON {
        let names = object.fields.map(\.name).joined(separator: ", ")
        let condition = request.query["where"].map { " WHERE " + $0 } ?? ""
        let limit = request.query["limit"].flatMap { Int($0) } ?? 1_000
        let text = "SELECT \(names) FROM \(object.name)\(condition) ORDER BY Id LIMIT \(limit)"
        let plan = try QueryCompiler.compile(text, includesDeleted: request.query["deleted"] != "false") { [state] in state.object($0) }
        let rows = try QueryRunner.rowNumbers(plan, db)
        return .array(try QueryRunner.records(plan, rows: rows[...], db).map { $0.json(version: "67.0") })
    }

    private func change(_ body: JSON, _ object: ObjectDefinition, _ operation: RecordBatch.Operation) throws -> JSON {
        let user = try actor(body)
        let inputs = (body["records"]?.elements ?? [body]).map { record -> RecordInput in
            var input = RESTRecord.input(record, type: nil)
            input.type = object.name
            input.fields.removeAll { ["user", "commit"].contains($0.name) && body["records"] == nil }
            return input
        }
        let write: (OrgState, Database, Int64, RowLocks.Owner?) throws -> [WriteOutcome] = { state, db, stamp, owner in
            try RecordBatch(state: state, db: db, user: user, stamp: stamp, limit: 100_000, lockOwner: owner).write(operation, inputs)
        }
        if let commit = body["commit"] {
            // The stamp is taken now, the change is seen when the transaction ends.
            let due = commit["afterMilliseconds"]?.int.map { state.now + Int64($0) }
            let rows = LockedRows(state: state, db: db).ids(of: inputs)
            let id = try state.hold(due: due, rows: rows) { state, db, stamp, owner in _ = try write(state, db, stamp, owner) }
            return ["transaction": .int(id)]
        }
        return .array(try write(state, db, state.stamp, nil).map { $0.json(isUpsert: false) })
    }

    private func remove(_ object: ObjectDefinition, undelete: Bool) throws -> JSON {
        let body = try body()
        let ids = body["ids"]?.elements.compactMap(\.string) ?? (request.query["ids"] ?? "").split(separator: ",").map(String.init)
        let user = try actor(body)
        let erase = request.query["erase"] == "true"
        let run: (OrgState, Database, Int64, RowLocks.Owner?) throws -> [WriteOutcome] = { state, db, stamp, owner in
            let remover = RecordRemover(state: state, db: db, user: user, stamp: stamp, lockOwner: owner)
            return undelete ? try remover.undelete(ids) : erase ? try remover.erase(ids) : try remover.delete(ids)
        }
        if let commit = body["commit"] {
            let due = commit["afterMilliseconds"]?.int.map { state.now + Int64($0) }
            let rows = LockedRows(state: state, db: db).ids(of: ids)
            let id = try state.hold(due: due, rows: rows) { state, db, stamp, owner in _ = try run(state, db, stamp, owner) }
            return ["transaction": .int(id)]
        }
        return .array(try run(state, db, state.stamp, nil).map { $0.json(isUpsert: false) })
    }
}
