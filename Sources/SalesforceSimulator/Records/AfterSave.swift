import GRDB

/// The flows whose work a save is part of: each runs once for a record on the way down, and the way has an end.
struct FlowChain: Sendable {
    /// Salesforce ends a chain of triggers at this depth.
    static let deepest = 16

    private(set) var depth = 0
    private var visited: Set<String> = []

    /// The chain inside a flow of a record; nil when that flow is already at work on it.
    ///
    /// - Throws: CANNOT_EXECUTE_FLOW_TRIGGER when the chain grows without end.
    func entering(_ flow: Int, of object: String, _ id: String) throws -> FlowChain? {
        let key = "\(object):\(flow):\(id)"
        guard !visited.contains(key) else { return nil }
        guard depth < FlowChain.deepest else {
            throw RecordError("CANNOT_EXECUTE_FLOW_TRIGGER", "We can't save this record because its flows call each other without end: maximum trigger depth exceeded, \(object) \(id)")
        }
        var next = self
        next.depth += 1
        next.visited.insert(key)
        return next
    }
}

extension RecordSaver {
    /// What follows a save in the same transaction: roll-ups of its masters, then flows that change other records.
    ///
    /// - Parameters:
    ///   - old: The record before; nil when it is new.
    ///   - new: The record as it is stored.
    func runAfterSave(_ full: ObjectDefinition, _ id: String, old: Values?, new: Values) throws {
        try RollupSummary.refresh(after: full, old: old, new: new, state, db)
        for (index, flow) in full.flows.enumerated() {
            guard let target = flow.target, old == nil ? flow.onCreate : flow.onUpdate,
                let next = try chain.entering(index, of: full.name, id) else { continue }
            do {
                try run(flow, target, full, id, new, next)
            } catch let error as RecordError where !["CANNOT_EXECUTE_FLOW_TRIGGER", "UNABLE_TO_LOCK_ROW"].contains(error.code) {
                throw RecordError(
                    "CANNOT_EXECUTE_FLOW_TRIGGER", "We can't save this record because a flow of \(full.name) failed: \(error.code): \(error.message)")
            }
        }
    }

    private func run(
        _ flow: ObjectDefinition.Flow, _ target: ObjectDefinition.FlowTarget, _ full: ObjectDefinition, _ id: String, _ record: Values,
        _ chain: FlowChain
    ) throws {
        func saver(_ object: ObjectDefinition) -> RecordSaver {
            var saver = RecordSaver(state: state, db: db, object: object, user: user, stamp: stamp, truncating: true)
            saver.chain = chain
            saver.lockOwner = lockOwner
            return saver
        }
        func change(_ object: ObjectDefinition, _ ids: [String]) throws {
            guard let field = object.field(flow.field), field.isStored, !field.isCalculated else { return }
            let value = stored(flow.template, in: field, of: full, from: record)
            for id in ids { try saver(object).update(id, [field.name: value]) }
        }
        switch target {
        case .parent(let lookup):
            guard let parent = full.field(lookup).flatMap({ record[$0.name] }).flatMap(String.fromDatabaseValue),
                let object = state.object(keyPrefix: RecordIdentifier.keyPrefix(of: parent)) else { return }
            try change(object, [parent])
        case .children(let name, let lookup):
            guard let object = state.object(name), let field = object.field(lookup), field.isStored else { return }
            try change(object, try String.fetchAll(
                db, sql: "SELECT Id FROM \(ObjectTable.quoted(object.name)) WHERE \(ObjectTable.quoted(field.name)) = ? AND IsDeleted = 0 ORDER BY Id",
                arguments: [id]))
        case .create(let name, let templates):
            guard let object = state.object(name) else { return }
            var values: Values = [:]
            for (name, template) in templates {
                guard let field = object.field(name), field.isStored, !field.isCalculated else { continue }
                values[field.name] = stored(template, in: field, of: full, from: record)
            }
            _ = try saver(object).insert(values)
        }
    }
}
