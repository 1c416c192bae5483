extension RESTHandler {
    /// Queries and their pages (wire reference 2.6).
    func query(_ call: inout CallDescription, _ context: CallContext) throws -> Reply {
        let largest = context.state.settings.queryPageRecords
        let size = QueryPage.size(asked: request.option("batchSize", of: "sforce-query-options"), standard: largest, largest: largest)
        if call.operation == "queryMore" {
            let page = try QueryPage.next(resource[1], size: size, context)
            return answer(page, &call)
        }
        if let text = request.query["explain"] { return .json(200, try QueryExplanation.json(text, context)) }
        guard let text = request.query["q"] else { throw APIError(400, "MALFORMED_QUERY", "A query string has to be specified") }
        let plan = try context.plan(text, includesDeleted: call.operation == "queryAll")
        call.object = plan.object.name
        if plan.countsRows {
            return answer(QueryPage(records: [], total: try QueryRunner.count(plan, context.db), locator: nil), &call)
        }
        if plan.isAggregate {
            let groups = try QueryRunner.groups(plan, context.db)
            return answer(QueryPage(records: groups, total: groups.count, locator: nil), &call)
        }
        return answer(try QueryPage.first(plan, size: size, context), &call)
    }

    private func answer(_ page: QueryPage, _ call: inout CallDescription) -> Reply {
        call.recordCount = page.records.count
        return .json(200, page.json(version: version))
    }

    /// getUpdated and getDeleted (wire reference 2.10).
    func replication(_ call: inout CallDescription, _ context: CallContext) throws -> Reply {
        let object = try object(resource[1], context)
        func instant(_ name: String) throws -> Int64 {
            guard let text = request.query[name], let value = TimeText.parseDateTime(text.replacing(" ", with: "+")) else {
                throw APIError(400, "INVALID_REPLICATION_DATE", "\(name) is missing or no date and time")
            }
            return value
        }
        let window = try ReplicationWindow(start: try instant("start"), end: try instant("end"), deleted: call.operation == "getDeleted", context.state)
        if call.operation == "getUpdated" {
            let ids = try window.updatedIds(object, context)
            call.recordCount = ids.count
            return .json(200, ["ids": .texts(ids), "latestDateCovered": .string(TimeText.rest(window.latestDateCovered))])
        }
        let deleted = try window.deletedRecords(object, context)
        call.recordCount = deleted.count
        return .json(200, [
            "deletedRecords": .array(deleted.map { ["deletedDate": .string(TimeText.rest($0.date)), "id": .string($0.id)] }),
            "earliestDateAvailable": .string(TimeText.rest(window.earliestDateAvailable)),
            "latestDateCovered": .string(TimeText.rest(window.latestDateCovered)),
        ])
    }
}
