import GRDB

extension RecordSaver {
    /// Gives a record the owner of the first matching entry of the assignment rule that the call asks for (wire reference 2.1, 3.2).
    ///
    /// - Throws: INVALID_ASSIGNMENT_RULE when the call names a rule that the object does not have.
    func assignOwner(_ full: ObjectDefinition, _ changes: inout Values, record: Values) throws {
        let rule: ObjectDefinition.AssignmentRule?
        switch options.assignmentRule {
        case .none: return
        case .standard:
            guard let rules = full.assignmentRules else { return }
            rule = rules.first(where: \.active)
        case .rule(let id):
            // Other objects know no assignment rules: the header says nothing to them.
            guard full.assignmentRules != nil || ["Account", "Case", "Lead"].contains(full.name) else { return }
            rule = full.assignmentRules?.first { $0.id == RecordIdentifier.normalized(id) }
            guard rule != nil else { throw RecordError("INVALID_ASSIGNMENT_RULE", "no assignment rule of \(full.name) has the id \(id)", ["OwnerId"]) }
        }
        guard full.field("OwnerId") != nil else { return }
        let entry = rule?.entries.first { $0.condition?.refuses(record, of: full) ?? true }
        if let entry { changes["OwnerId"] = entry.owner.databaseValue }
    }
}
