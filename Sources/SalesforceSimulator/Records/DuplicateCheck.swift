import GRDB

/// What a duplicate rule found (wire reference 7.3).
struct DuplicateResult: Sendable, Equatable {
    struct Match: Sendable, Equatable {
        var id: String
        /// The record's fields, when the client asked for them.
        var fields: [JSON.Member]
    }

    var rule: ObjectDefinition.DuplicateRule
    var object: String
    var matches: [Match]

    func json(version: String) -> JSON {
        let records = matches.map { match -> JSON in
            let attributes: JSON = [
                "type": .string(object), "url": .string("/services/data/v\(version)/sobjects/\(object)/\(match.id)"),
            ]
            let record = [JSON.Member(key: "attributes", value: attributes), JSON.Member(key: "Id", value: .string(match.id))] + match.fields
            return ["additionalInformation": [], "fieldDiffs": [], "matchConfidence": .number("100.0"), "record": .object(record)]
        }
        return [
            "allowSave": .bool(rule.action == .alert), "duplicateRule": .string(rule.name), "duplicateRuleEntityType": .string(object),
            "errorMessage": .string(rule.message),
            "matchResults": [[
                "entityType": .string(object), "errors": [], "matchEngine": "ExactMatchEngine", "matchRecords": .array(records),
                "rule": .string(rule.matchRule), "size": .int(records.count), "success": true,
            ]],
        ]
    }
}

extension RecordSaver {
    /// Looks for records that a duplicate rule calls the same: all its fields are set and equal, without regard to case.
    ///
    /// - Throws: DUPLICATES_DETECTED, unless the rule only alerts and the client saves over it.
    func checkDuplicates(_ full: ObjectDefinition, changed: Values, record: Values, id: String) throws {
        guard let rules = full.duplicateRules else { return }
        for rule in rules where rule.fields.contains(where: { changed[$0] != nil }) {
            if rule.action == .alert, options.allowsDuplicates { continue }
            let values = rule.fields.map { record[$0] ?? .null }
            guard !values.contains(where: \.isNull) else { continue }
            let conditions = rule.fields.map { name in
                ObjectTable.quoted(name) + " = ?" + (full.field(name)?.isText == true ? " COLLATE NOCASE" : "")
            }
            let ids = try String.fetchAll(
                db, sql: "SELECT Id FROM \(ObjectTable.quoted(full.name)) WHERE IsDeleted = 0 AND Id <> ? AND \(conditions.joined(separator: " AND ")) ORDER BY Id LIMIT 100",
                arguments: StatementArguments([id.databaseValue] + values))
            guard !ids.isEmpty else { continue }
            var error = RecordError("DUPLICATES_DETECTED", rule.message)
            error.duplicate = DuplicateResult(rule: rule, object: full.name, matches: try ids.map { DuplicateResult.Match(id: $0, fields: try details(full, $0)) })
            throw error
        }
    }

    private func details(_ full: ObjectDefinition, _ id: String) throws -> [JSON.Member] {
        guard options.includesDuplicateDetails else { return [] }
        let stored = try live(id, full)
        return object.fields.filter { $0.isStored && $0.name != "Id" && $0.kind != .base64 && $0.isMasked != true }.map { field in
            let record = ResultRecord(type: full.name, id: id, fields: [])
            return JSON.Member(
                key: field.name, value: ResultValue(stored[field.name] ?? .null, field: field).json(version: "", record: record, field: field.name))
        }
    }
}
