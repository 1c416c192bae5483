import Foundation

/// The JSON of Bulk 2.0 jobs (wire reference 4.2, 4.3).
enum Bulk2Document {
    /// What a creation answers: no counts yet.
    static func created(_ job: BulkJob) -> JSON {
        var value: JSON = [
            "id": .string(job.id), "operation": .string(job.operation.rawValue), "object": .string(job.object),
            "createdById": .string(job.user), "createdDate": .string(TimeText.rest(job.created)),
            "systemModstamp": .string(TimeText.rest(job.changed)), "state": .string(job.state.rawValue),
        ]
        if let key = job.externalIdField { value.set("externalIdFieldName", .string(key)) }
        value.set("concurrencyMode", .string(job.isSerial ? "Serial" : "Parallel"))
        value.set("contentType", .string(job.contentType.rawValue))
        value.set("apiVersion", .number(job.version))
        if let rule = job.assignmentRule { value.set("assignmentRuleId", .string(rule)) }
        if job.isBulk2, !job.operation.isQuery {
            value.set("contentUrl", .string("services/data/v\(job.version)/jobs/ingest/\(job.id)/batches"))
        }
        value.set("lineEnding", .string(job.lineEnding))
        value.set("columnDelimiter", .string(job.delimiter))
        return value
    }

    /// `V2Ingest`, `V2Query`, or `Classic` for a job of Bulk 1.0.
    static func jobType(_ job: BulkJob) -> String { job.isBulk2 ? (job.operation.isQuery ? "V2Query" : "V2Ingest") : "Classic" }

    static func full(_ job: BulkJob) -> JSON {
        var value = created(job)
        value.set("jobType", .string(jobType(job)))
        value.set("retries", 0)
        let milliseconds = job.batches.reduce(job.tally.milliseconds) { $0 + $1.tally.milliseconds }
        value.set("totalProcessingTime", .int(milliseconds))
        if job.operation.isQuery {
            value.set("isPkChunkingSupported", true)
            if job.state == .complete { value.set("numberRecordsProcessed", .int(job.records)) }
        } else {
            value.set("apiActiveProcessingTime", .int(milliseconds))
            value.set("apexProcessingTime", 0)
            value.set("numberRecordsProcessed", .int(job.records))
            value.set("numberRecordsFailed", .int(job.failures))
        }
        if let message = job.errorMessage, job.state == .failed { value.set("errorMessage", .string(message)) }
        return value
    }

    /// A page of a list, oldest first.
    ///
    /// - Parameter path: The list's own, such as `jobs/ingest`.
    static func list(_ jobs: [BulkJob], _ request: SimRequest, path: String, page: Int) throws -> Reply {
        let start = try position(request.query["queryLocator"], of: jobs.count)
        let end = min(start + page, jobs.count)
        // The filters go on with the pages.
        let filters = ["jobType", "isPkChunkingEnabled", "concurrencyMode"].compactMap { name in request.query[name].map { "&\(name)=\($0)" } }.joined()
        let next: JSON = end < jobs.count ? .string("/services/\(path)?queryLocator=\(locator(end))\(filters)") : nil
        return .json(200, ["done": .bool(end == jobs.count), "nextRecordsUrl": next, "records": .array(jobs[start..<end].map { full($0) })])
    }

    /// A locator is a place in a result or list, in base 64.
    static func locator(_ place: Int) -> String { Data(String(place).utf8).base64EncodedString().replacing("=", with: "") }

    static func position(_ locator: String?, of count: Int) throws -> Int {
        guard let locator, !locator.isEmpty else { return 0 }
        var padded = locator
        while padded.utf8.count % 4 != 0 { padded += "=" }
        guard let data = Data(base64Encoded: padded), let place = Int(String(decoding: data, as: UTF8.self)), (0...count).contains(place) else {
            throw APIError(400, "INVALID_LOCATOR", "Invalid locator")
        }
        return place
    }

    /// Line ending and delimiter of a new job.
    static func readFormat(_ body: JSON, into job: inout BulkJob) throws {
        if let ending = body["lineEnding"]?.string {
            guard ["LF", "CRLF"].contains(ending) else { throw BulkFailure("InvalidJob", "lineEnding must be LF or CRLF") }
            job.lineEnding = ending
        }
        if let delimiter = body["columnDelimiter"]?.string {
            guard BulkJob.delimiters.contains(delimiter) else {
                throw BulkFailure("InvalidJob", "columnDelimiter must be one of \(BulkJob.delimiters.joined(separator: ", "))")
            }
            job.delimiter = delimiter
        }
        guard ["CSV", nil].contains(body["contentType"]?.string) else { throw BulkFailure("InvalidJob", "contentType must be CSV") }
    }
}
