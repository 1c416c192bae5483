import Foundation
import GRDB

/// The operations of a session (wire reference 3.4).
struct SOAPCalls {
    let envelope: SOAPEnvelope
    let request: SimRequest
    let version: String
    let context: CallContext

    /// The children of the response element.
    func answer(_ call: inout CallDescription) throws -> String {
        switch call.operation {
        case "create": return try write(.create, call)
        case "update": return try write(.update, call)
        case "upsert":
            guard let field = envelope.text("externalIDFieldName") ?? envelope.text("externalIdFieldName") else {
                throw APIError(500, "MISSING_ARGUMENT", "externalIDFieldName is required")
            }
            return try write(.upsert(field), call)
        case "delete": return remove(try context.remover(allOrNone: allOrNone).delete(call.ids))
        case "undelete": return remove(try context.remover(allOrNone: allOrNone).undelete(call.ids))
        case "emptyRecycleBin": return remove(try context.remover(allOrNone: false).emptyRecycleBin(call.ids))
        case "query", "queryAll", "queryMore": return try query(&call)
        case "retrieve": return try retrieve(&call)
        case "getUpdated", "getDeleted": return try replication(&call)
        case "getServerTimestamp":
            var writer = XMLWriter("<result>")
            writer.element("timestamp", TimeText.zulu(context.state.now))
            return writer.text + "</result>"
        case "getUserInfo": return "<result>" + (try SOAPLogin.userInfo(context.user, context)) + "</result>"
        case "logout":
            if let token = envelope.header("SessionHeader", "sessionId") { try Sessions.close(token, context.db) }
            return ""
        case "invalidateSessions": return try invalidate(envelope.texts("sessionIds"))
        case "describeSObject", "describeSObjects": return try describe(envelope.texts("sObjectType"))
        default: return SOAPDescribe.global(context.state.objects(for: context.user))
        }
    }

    private var allOrNone: Bool { envelope.flag("AllOrNoneHeader", "allOrNone") }

    private func describe(_ names: [String]) throws -> String {
        guard names.count <= 100 else { throw APIError(500, "EXCEEDED_MAX_TYPES_LIMIT", "describeSObjects takes at most 100 types") }
        return try names.map { SOAPDescribe.object(try context.object($0), all: context.state.objects(for: context.user)) }.joined()
    }

    private func invalidate(_ tokens: [String]) throws -> String {
        var writer = XMLWriter()
        for token in tokens {
            let isLive = try Sessions.user(of: token, context.state, context.db) != nil
            try Sessions.close(token, context.db)
            writer.open("result")
            SOAPCalls.errors(isLive ? nil : RecordError("INVALID_SESSION_ID", "Invalid session id"), &writer)
            writer.element("success", isLive ? "true" : "false")
            writer.close("result")
        }
        return writer.text
    }

    // MARK: Writing

    private func write(_ operation: RecordBatch.Operation, _ call: CallDescription) throws -> String {
        let outcomes = try context.batch(allOrNone: allOrNone, truncating: context.options.truncates).write(operation, call.records)
        var isUpsert = false
        if case .upsert = operation { isUpsert = true }
        var writer = XMLWriter()
        for outcome in outcomes {
            writer.open("result")
            if isUpsert { writer.element("created", outcome.created ? "true" : "false") }
            SOAPCalls.errors(outcome.error, &writer)
            writer.element("id", outcome.id)
            writer.element("success", outcome.error == nil ? "true" : "false")
            writer.close("result")
        }
        return writer.text
    }

    private func remove(_ outcomes: [WriteOutcome]) -> String {
        var writer = XMLWriter()
        for outcome in outcomes {
            writer.open("result")
            SOAPCalls.errors(outcome.error, &writer)
            writer.element("id", outcome.id)
            writer.element("success", outcome.error == nil ? "true" : "false")
            writer.close("result")
        }
        return writer.text
    }

    private static func errors(_ error: RecordError?, _ writer: inout XMLWriter) {
        guard let error else { return }
        writer.raw(error.duplicate == nil ? "<errors>" : "<errors xsi:type=\"DuplicateError\">")
        for field in error.fields { writer.element("fields", field) }
        writer.element("message", error.message)
        writer.element("statusCode", error.code)
        if let duplicate = error.duplicate { SOAPDuplicate.write(duplicate, &writer) }
        writer.close("errors")
    }

    // MARK: Reading

    private func query(_ call: inout CallDescription) throws -> String {
        let size = QueryPage.size(
            asked: envelope.header("QueryOptions", "batchSize"), standard: 500, largest: context.state.settings.queryPageRecords)
        if call.operation == "queryMore" {
            let page = try QueryPage.next(envelope.text("queryLocator") ?? "", size: size, context)
            call.recordCount = page.records.count
            return result(page)
        }
        let plan = try context.plan(envelope.text("queryString") ?? "", includesDeleted: call.operation == "queryAll")
        call.object = plan.object.name
        if plan.countsRows {
            return result(QueryPage(records: [], total: try QueryRunner.count(plan, context.db), locator: nil))
        }
        if plan.isAggregate {
            let groups = try QueryRunner.groups(plan, context.db)
            return result(QueryPage(records: groups, total: groups.count, locator: nil))
        }
        let page = try QueryPage.first(plan, size: size, context)
        call.recordCount = page.records.count
        return result(page)
    }

    private func result(_ page: QueryPage) -> String {
        var writer = XMLWriter()
        SOAPRecordWriter.write(page, as: "result", &writer)
        return writer.text
    }

    private func retrieve(_ call: inout CallDescription) throws -> String {
        guard call.ids.count <= 2_000 else { throw APIError(500, "EXCEEDED_ID_LIMIT", "retrieve takes at most 2000 ids") }
        let object = try object()
        let fields = (envelope.text("fieldList") ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        for id in call.ids where RecordIdentifier.normalized(id) == nil { throw APIError(500, "MALFORMED_ID", "malformed id \(id)") }
        let records = try context.retrieve(object, fields: fields, ids: call.ids)
        call.recordCount = records.count
        var writer = XMLWriter()
        for record in records {
            if let record { SOAPRecordWriter.write(record, as: "result", &writer) } else { writer.raw("<result xsi:nil=\"true\"/>") }
        }
        return writer.text
    }

    private func object() throws -> ObjectDefinition { try context.object(envelope.text("sObjectType") ?? "") }

    private func replication(_ call: inout CallDescription) throws -> String {
        let object = try object()
        guard let start = envelope.text("startDate").flatMap({ TimeText.parseDateTime($0) }),
            let end = envelope.text("endDate").flatMap({ TimeText.parseDateTime($0) })
        else { throw APIError(500, "INVALID_REPLICATION_DATE", "startDate and endDate are required") }
        let window = try ReplicationWindow(start: start, end: end, deleted: call.operation == "getDeleted", context.state)
        var writer = XMLWriter("<result>")
        if call.operation == "getUpdated" {
            let ids = try window.updatedIds(object, context)
            call.recordCount = ids.count
            for id in ids { writer.element("ids", id) }
        } else {
            let deleted = try window.deletedRecords(object, context)
            call.recordCount = deleted.count
            for entry in deleted {
                writer.raw("<deletedRecords>")
                writer.element("deletedDate", TimeText.zulu(entry.date))
                writer.element("id", entry.id)
                writer.raw("</deletedRecords>")
            }
            writer.element("earliestDateAvailable", TimeText.zulu(window.earliestDateAvailable))
        }
        writer.element("latestDateCovered", TimeText.zulu(window.latestDateCovered))
        return writer.text + "</result>"
    }
}

/// Records of answers: the type and id first, then the fields, the id once more if it was selected.
enum SOAPRecordWriter {
    static func write(_ page: QueryPage, as element: String, _ writer: inout XMLWriter) {
        writer.raw("<\(element) xsi:type=\"QueryResult\">")
        writer.element("done", page.locator == nil ? "true" : "false")
        writer.element("queryLocator", page.locator)
        for record in page.records { write(record, as: "records", &writer) }
        writer.element("size", String(page.total))
        writer.close(element)
    }

    static func write(_ record: ResultRecord, as element: String, _ writer: inout XMLWriter) {
        writer.raw("<\(element) xsi:type=\"sf:sObject\">")
        writer.element("sf:type", record.type)
        // The fixed element is nil unless the id was selected.
        writer.element("sf:Id", record.fields.contains { $0.0 == "Id" } ? record.id : nil)
        for (name, value) in record.fields {
            switch value {
            case .children(let page): write(page, as: "sf:" + name, &writer)
            case .record(let parent): write(parent, as: "sf:" + name, &writer)
            case .compound(let type, let parts):
                writer.raw("<sf:\(name) xsi:type=\"\(type)\">")
                for (part, value) in parts { writer.element(part, value.plainText) }
                writer.raw("</sf:\(name)>")
            default: writer.element("sf:" + name, value.plainText)
            }
        }
        writer.close(element)
    }
}
