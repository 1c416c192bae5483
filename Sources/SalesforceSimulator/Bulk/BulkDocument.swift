import Foundation

/// The documents of Bulk 1.0: flat, in XML or JSON (wire reference 4.1).
enum BulkDocument {
    static let namespace = "http://www.force.com/2009/06/asyncapi/dataload"
    static let instance = "http://www.w3.org/2001/XMLSchema-instance"

    /// The order of a job's elements; a document out of order is refused.
    static let jobElements = [
        "id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state", "externalIdFieldName", "concurrencyMode",
        "contentType", "numberBatchesQueued", "numberBatchesInProgress", "numberBatchesCompleted", "numberBatchesFailed", "numberBatchesTotal",
        "numberRecordsProcessed", "numberRetries", "apiVersion", "assignmentRuleId", "numberRecordsFailed", "totalProcessingTime",
        "apiActiveProcessingTime", "apexProcessingTime", "fastPathEnabled",
    ]

    typealias Fields = [(String, String)]

    /// Content types on this API carry no parameters: clients compare them whole.
    static func reply(_ status: Int, _ text: String, json: Bool) -> Reply {
        Reply(status, headers: [("Content-Type", json ? "application/json" : "application/xml")], body: .data(Data(text.utf8)))
    }

    static func reply(_ status: Int, _ root: String, _ fields: Fields, json: Bool) -> Reply {
        if json { return reply(status, object(fields).text, json: true) }
        var writer = start(root)
        for (name, text) in fields { writer.element(name, text) }
        writer.close(root)
        return reply(status, writer.text, json: false)
    }

    static func start(_ root: String) -> XMLWriter { XMLWriter("<?xml version=\"1.0\" encoding=\"UTF-8\"?><\(root) xmlns=\"\(namespace)\">") }

    /// Numbers are numbers and dates end with `+0000`.
    static func object(_ fields: Fields) -> JSON {
        .object(fields.map { name, text in
            let isNumber = (name.hasPrefix("number") || name.hasSuffix("Time") || name == "apiVersion") && Double(text) != nil
            let value = name.hasSuffix("Date") || name == "systemModstamp" ? text.replacing("Z", with: "+0000") : text
            return JSON.Member(key: name, value: isNumber ? .number(text) : .string(value))
        })
    }

    static func job(_ job: BulkJob) -> Fields {
        func count(_ states: BulkJob.Batch.State...) -> String { String(job.batches.count { states.contains($0.state) }) }
        var fields: Fields = [
            ("id", job.id), ("operation", job.operation.rawValue), ("object", job.object), ("createdById", job.user),
            ("createdDate", TimeText.zulu(job.created)), ("systemModstamp", TimeText.zulu(job.changed)), ("state", job.state.rawValue),
        ]
        if let key = job.externalIdField { fields.append(("externalIdFieldName", key)) }
        fields += [
            ("concurrencyMode", job.isSerial ? "Serial" : "Parallel"), ("contentType", job.contentType.rawValue),
            ("numberBatchesQueued", count(.queued)), ("numberBatchesInProgress", count(.inProgress)), ("numberBatchesCompleted", count(.completed)),
            ("numberBatchesFailed", count(.failed)), ("numberBatchesTotal", String(job.batches.count)),
            ("numberRecordsProcessed", String(job.records)), ("numberRetries", "0"), ("apiVersion", job.version),
        ]
        if let rule = job.assignmentRule { fields.append(("assignmentRuleId", rule)) }
        let milliseconds = String(job.batches.reduce(0) { $0 + $1.tally.milliseconds })
        return fields + [
            ("numberRecordsFailed", String(job.failures)), ("totalProcessingTime", milliseconds),
            ("apiActiveProcessingTime", milliseconds), ("apexProcessingTime", "0"),
        ]
    }

    static func batch(_ batch: BulkJob.Batch, of job: BulkJob) -> Fields {
        var fields: Fields = [("id", batch.id), ("jobId", job.id), ("state", batch.state.rawValue)]
        if let message = batch.message { fields.append(("stateMessage", message)) }
        let milliseconds = String(batch.tally.milliseconds)
        return fields + [
            ("createdDate", TimeText.zulu(batch.created)), ("systemModstamp", TimeText.zulu(batch.changed)),
            ("numberRecordsProcessed", String(batch.result?.records ?? batch.tally.processed)), ("numberRecordsFailed", String(batch.tally.failed)),
            ("totalProcessingTime", milliseconds), ("apiActiveProcessingTime", milliseconds), ("apexProcessingTime", "0"),
        ]
    }
}
