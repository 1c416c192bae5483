import GRDB

/// Deletes and restores: the recycle bin, the delete log, cascades (wire reference 3.4 and 6.4).
struct RecordRemover {
    let state: OrgState
    let db: Database
    let user: String
    let stamp: Int64
    var allOrNone = false
    var rejections: [Int: RecordError] = [:]
    /// The transaction whose locks the records may pass.
    var lockOwner: RowLocks.Owner?

    func delete(_ ids: [String]) throws -> [WriteOutcome] {
        let outcomes = try each(ids) { try remove($0) }
        try RecycleBin(state: state, db: db).keepToSize()
        return outcomes
    }

    func undelete(_ ids: [String]) throws -> [WriteOutcome] { try each(ids) { try restore($0) } }

    private func each(_ ids: [String], _ body: (String) throws -> Void) throws -> [WriteOutcome] {
        guard ids.count <= 200 else { throw RecordBatch.tooMany(200) }
        var outcomes: [WriteOutcome] = []
        var counts: [String: Int] = [:]
        for id in ids { counts[RecordIdentifier.normalized(id) ?? id, default: 0] += 1 }
        try state.savepoint(db) {
            for (index, sent) in ids.enumerated() {
                do {
                    if let rejection = rejections[index] { throw rejection }
                    guard let id = RecordIdentifier.normalized(sent) else { throw RecordError("MALFORMED_ID", "malformed id \(sent)") }
                    if counts[id] != 1 {
                        throw RecordError("DUPLICATE_VALUE", "duplicate id specified: \(id)", ["Id"])
                    }
                    try state.savepoint(db) {
                        try body(id)
                        return .commit
                    }
                    outcomes.append(WriteOutcome(id: id))
                } catch let error as RecordError {
                    outcomes.append(WriteOutcome(error: error))
                }
            }
            guard allOrNone, outcomes.contains(where: { $0.error != nil }) else { return .commit }
            outcomes = outcomes.map { WriteOutcome(error: $0.error ?? .rolledBack) }
            return .rollback
        }
        return outcomes
    }

    private func object(of id: String) throws -> ObjectDefinition {
        guard let object = state.object(keyPrefix: RecordIdentifier.keyPrefix(of: id)) else {
            throw RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        }
        return object
    }

    private func remove(_ id: String) throws {
        let object = try object(of: id)
        guard state.object(object.name, for: user)?.deletable ?? false || !object.deletable else { throw RecordError.noAccess(id) }
        guard object.deletable else { throw RecordError("INSUFFICIENT_ACCESS_OR_READONLY", "entity type cannot be deleted: \(object.label)") }
        try remove(id, object, batch: try state.next("deletion", db))
    }

    private func remove(_ id: String, _ object: ObjectDefinition, batch: Int64) throws {
        let saver = saver(object)
        let values = try saver.live(id, object)
        try saver.checkLocks(object, id, values)
        for child in state.objects {
            for field in child.fields where field.isStored && !field.isSystem && field.referenceTo.contains(object.name) {
                try release(child, field, from: id, batch: batch)
            }
        }
        try db.execute(
            sql: "UPDATE \(ObjectTable.quoted(object.name)) SET IsDeleted = 1, SystemModstamp = ? WHERE Id = ?", arguments: [stamp, id])
        try db.execute(
            sql: "INSERT INTO sim_deletion (object, id, deleted_at, batch) VALUES (?, ?, ?, ?)", arguments: [object.name, id, stamp, batch])
        state.journal.append(
            RecordChange(kind: .deleted, object: object.name, id: id, changedFields: [], values: values, user: user, stamp: stamp))
        try RollupSummary.refresh(after: object, old: values, new: nil, state, db)
    }

    private func saver(_ object: ObjectDefinition) -> RecordSaver {
        RecordSaver(state: state, db: db, object: object, user: user, stamp: stamp, lockOwner: lockOwner)
    }

    /// Children go with a master, hold it back, or lose their lookup.
    private func release(_ child: ObjectDefinition, _ field: FieldDefinition, from id: String, batch: Int64) throws {
        let table = ObjectTable.quoted(child.name)
        let column = ObjectTable.quoted(field.name)
        let children = try String.fetchAll(db, sql: "SELECT Id FROM \(table) WHERE \(column) = ? AND IsDeleted = 0", arguments: [id])
        guard !children.isEmpty else { return }
        if field.cascadeDelete {
            for childId in children { try remove(childId, child, batch: batch) }
        } else if field.restrictedDelete || !field.nillable {
            throw RecordError(
                "DELETE_FAILED", "Your attempt to delete this record could not be completed because it is associated with the following "
                    + "\(child.labelPlural.lowercased()): \(children.prefix(5).joined(separator: ", "))")
        } else {
            for childId in children { try saver(child).clear(field, of: childId, child) }
        }
    }

    private func restore(_ id: String) throws {
        let object = try object(of: id)
        let deleted = try Int.fetchOne(db, sql: "SELECT IsDeleted FROM \(ObjectTable.quoted(object.name)) WHERE Id = ?", arguments: [id])
        guard deleted == 1, let batch = try Int64.fetchOne(db, sql: "SELECT batch FROM sim_deletion WHERE id = ? ORDER BY batch DESC", arguments: [id]) else {
            throw RecordError("UNDELETE_FAILED", "Entity is not in the recycle bin")
        }
        try checkRestore(id, object)
        let together = try Row.fetchAll(db, sql: "SELECT object, id FROM sim_deletion WHERE batch = ?", arguments: [batch])
        for row in together {
            let name: String = row[0]
            let other: String = row[1]
            try db.execute(
                sql: "UPDATE \(ObjectTable.quoted(name)) SET IsDeleted = 0, SystemModstamp = ?, LastModifiedDate = ?, LastModifiedById = ? WHERE Id = ?",
                arguments: [stamp, stamp, user, other])
        }
        try db.execute(sql: "DELETE FROM sim_deletion WHERE batch = ?", arguments: [batch])
        for row in together {
            guard let object = state.object(row[0]) else { continue }
            let id: String = row[1]
            let values = try saver(object).live(id, object)
            try RollupSummary.refresh(after: object, old: nil, new: values, state, db)
            state.journal.append(RecordChange(
                kind: .undeleted, object: object.name, id: id, changedFields: object.fields.map(\.name).filter { values[$0].map { !$0.isNull } ?? false },
                values: values, user: user, stamp: stamp))
        }
    }

    /// A detail comes back with its master only, and nothing comes back beside a record that took its identifier.
    private func checkRestore(_ id: String, _ object: ObjectDefinition) throws {
        guard object.undeletable else { throw RecordError("UNDELETE_FAILED", "entity type cannot be undeleted: \(object.label)") }
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM \(ObjectTable.quoted(object.name)) WHERE Id = ?", arguments: [id]) else { return }
        for field in object.fields where field.isStored {
            let value: DatabaseValue = row[field.name]
            guard !value.isNull else { continue }
            if field.cascadeDelete, let master = field.referenceTo.first.flatMap({ state.object($0) }) {
                let deleted = try Int.fetchOne(db, sql: "SELECT IsDeleted FROM \(ObjectTable.quoted(master.name)) WHERE Id = ?", arguments: [value])
                if deleted != 0 { throw RecordError("UNDELETE_FAILED", "Undelete failed: the master of the record is deleted", [field.name]) }
            }
            if field.unique, let other = try saver(object).ids(of: object, where: field, equals: value).first {
                throw RecordError("DUPLICATE_VALUE", "duplicate value found: \(field.name) duplicates value on record with id: \(other)", [field.name])
            }
        }
    }

    /// Takes records out of the recycle bin for good.
    func emptyRecycleBin(_ ids: [String]) throws -> [WriteOutcome] {
        try each(ids) { id in
            let object = try object(of: id)
            let deleted = try Int.fetchOne(db, sql: "SELECT IsDeleted FROM \(ObjectTable.quoted(object.name)) WHERE Id = ?", arguments: [id])
            guard deleted == 1 else { throw RecordError("INVALID_ID_FIELD", "Entity is not in the recycle bin: \(id)", ["Id"]) }
            try purge(id, object)
        }
    }

    /// A record goes with the details that were deleted with it.
    private func purge(_ id: String, _ object: ObjectDefinition) throws {
        try db.execute(sql: "DELETE FROM \(ObjectTable.quoted(object.name)) WHERE Id = ?", arguments: [id])
        for child in state.objects where child.field("IsDeleted") != nil {
            for field in child.fields where field.cascadeDelete && field.referenceTo.contains(object.name) {
                let details = try String.fetchAll(
                    db, sql: "SELECT Id FROM \(ObjectTable.quoted(child.name)) WHERE \(ObjectTable.quoted(field.name)) = ? AND IsDeleted = 1", arguments: [id])
                for detail in details { try purge(detail, child) }
            }
        }
    }

    /// Removes records for good; they stay in the delete log. Records in use are deleted first.
    func erase(_ ids: [String]) throws -> [WriteOutcome] {
        try each(ids) { id in
            let object = try object(of: id)
            let table = ObjectTable.quoted(object.name)
            let deleted = try Int.fetchOne(db, sql: "SELECT IsDeleted FROM \(table) WHERE Id = ?", arguments: [id])
            if deleted != 1 { try remove(id) }
            try purge(id, object)
        }
    }
}
