import GRDB

/// `query?explain=`: how a query would be run (wire reference 2.6).
enum QueryExplanation {
    static func json(_ text: String, _ context: CallContext) throws -> JSON {
        let plan = try context.plan(text, includesDeleted: false)
        let all = try Int.fetchOne(context.db, sql: "SELECT COUNT(*) FROM \(ObjectTable.quoted(plan.object.name))") ?? 0
        var counted = plan
        counted.order = ""
        let cardinality = try QueryRunner.count(counted, context.db)
        let indexed = plan.object.fields.filter { field in
            (field.idLookup || field.kind == .reference || field.isSystem && field.kind == .datetime)
                && plan.condition.contains("t0." + ObjectTable.quoted(field.name))
        }
        let scan: JSON = [
            "cardinality": .int(cardinality), "fields": [], "leadingOperationType": "TableScan", "notes": [], "relativeCost": .number("2.8"),
            "sobjectCardinality": .int(all), "sobjectType": .string(plan.object.name),
        ]
        guard !indexed.isEmpty else { return ["plans": [scan]] }
        var index = scan
        index.set("fields", .texts(indexed.map(\.name)))
        index.set("leadingOperationType", "Index")
        index.set("relativeCost", .number(all == 0 ? "0.0" : String(Double(cardinality) / Double(all))))
        return ["plans": [index, scan]]
    }
}
