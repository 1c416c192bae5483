import Foundation

/// Bulk API 2.0 query jobs: `/services/data/v{v}/jobs/query` (wire reference 4.3).
struct Bulk2Handler: FamilyHandler {
    let request: SimRequest
    let jobs: BulkJobStore

    private var version: String { String(request.segments[2].dropFirst()) }
    /// What follows `jobs`.
    private var resource: [String] { Array(request.segments.dropFirst(4)) }
    /// Results appear within pages from 58.0.
    private var number: Double { Double(version) ?? 0 }

    func refusal(_ error: APIError) -> Reply { RESTHandler.refusal(error) }

    func describe() -> CallDescription {
        let kind = resource.first?.lowercased() ?? ""
        let operation = switch (request.method, resource.count) {
        case ("POST", 1): "createJob"
        case ("GET", 1): "listJobs"
        case ("GET", 2): "getJob"
        case ("PATCH", 2): "abortJob"
        case ("DELETE", 2): "deleteJob"
        case ("GET", 3) where resource[2].lowercased() == "results": "results"
        case ("GET", 3) where resource[2].lowercased() == "resultpages": "resultPages"
        default: "unknown"
        }
        var call = CallDescription(.bulk2, kind == "query" ? operation : kind + "." + operation, version: version)
        if operation == "createJob", let query = (try? JSONParser.parse(request.body))?["query"]?.string {
            call.object = RESTHandler.queriedObject(query)
        } else if resource.count > 1, let id = RecordIdentifier.normalized(resource[1]) {
            call.object = jobs[id]?.object
        }
        return call
    }

    func answer(_ call: inout CallDescription, _ context: inout CallContext) throws -> Reply {
        try context.checkVersion(version)
        try context.authenticate(request.bearerToken)
        call.user = context.user
        guard resource.first?.lowercased() == "query", number >= 47 else { throw APIError.notFound() }
        switch call.operation {
        case "createJob": return try create(context)
        case "listJobs": return list()
        default: break
        }
        guard resource.count >= 2, let id = RecordIdentifier.normalized(resource[1]), var job = jobs[id], job.isBulk2 else { throw APIError.notFound() }
        switch call.operation {
        case "getJob": return .json(200, document(job, full: true))
        case "abortJob":
            guard try JSONParser.parse(request.body)["state"]?.string == "Aborted" else {
                throw APIError(400, "INVALIDJOB", "Unknown state")
            }
            guard [.uploadComplete, .inProgress, .open].contains(job.state) else {
                throw APIError(400, "INVALIDJOBSTATE", "Aborting a job is not allowed in the state \(job.state.rawValue)")
            }
            job.state = .aborted
            jobs[id] = job
            return .json(200, document(job, full: true))
        case "deleteJob":
            guard [.complete, .aborted, .failed].contains(job.state) else {
                throw APIError(400, "INVALIDJOBSTATE", "Deleting a job is not allowed in the state \(job.state.rawValue)")
            }
            jobs[id] = nil
            return Reply(204)
        case "results": return try results(job, &call, context)
        case "resultPages" where number >= 58: return try pages(job, context)
        default: throw APIError.notFound()
        }
    }

    private func create(_ context: CallContext) throws -> Reply {
        let body = try JSONParser.parse(request.body)
        guard let operation = body["operation"]?.string, ["query", "queryAll"].contains(operation) else {
            throw APIError(400, "INVALIDJOB", "operation must be query or queryAll")
        }
        guard let query = body["query"]?.string, !query.isEmpty else { throw APIError(400, "INVALIDJOB", "query is required") }
        guard ["CSV", nil].contains(body["contentType"]?.string) else { throw APIError(400, "INVALIDJOB", "contentType must be CSV") }
        let id = RecordIdentifier.make(keyPrefix: "750", number: try context.state.next("id:job", context.db))
        var job = BulkJob(
            id: id, version: version, user: context.user, object: "", includesDeleted: operation == "queryAll", created: context.stamp,
            state: .uploadComplete, isBulk2: true)
        job.lineEnding = body["lineEnding"]?.string ?? "LF"
        job.delimiter = body["columnDelimiter"]?.string ?? "COMMA"
        job.query = query
        // A query that cannot run is refused at once.
        job.object = try context.state.bulkPlan(query, job: job).object.name
        job.batches = [BulkJob.Batch(id: id + "-1", resultId: id, query: query, created: context.stamp)]
        jobs[id] = job
        jobs.start(job)
        return .json(200, document(job, full: false))
    }

    private func document(_ job: BulkJob, full: Bool) -> JSON {
        var value: JSON = [
            "id": .string(job.id), "operation": .string(job.includesDeleted ? "queryAll" : "query"), "object": .string(job.object),
            "createdById": .string(job.user), "createdDate": .string(TimeText.rest(job.created)),
            "systemModstamp": .string(TimeText.rest(job.created)), "state": .string(job.state.rawValue), "concurrencyMode": "Parallel",
            "contentType": "CSV", "apiVersion": .number(job.version), "lineEnding": .string(job.lineEnding),
            "columnDelimiter": .string(job.delimiter),
        ]
        guard full else { return value }
        value.set("jobType", "V2Query")
        value.set("retries", 0)
        value.set("totalProcessingTime", 100)
        value.set("isPkChunkingSupported", true)
        if job.state == .complete { value.set("numberRecordsProcessed", .int(job.records)) }
        if let message = job.errorMessage { value.set("errorMessage", .string(message)) }
        return value
    }

    private func list() -> Reply {
        let all = jobs.all.filter(\.isBulk2).map { document($0, full: true) }
        return .json(200, ["done": true, "nextRecordsUrl": nil, "records": .array(all)])
    }

    // MARK: Results

    /// A locator is the number of the record where the page begins, in base 64.
    private static func locator(_ record: Int) -> String {
        Data(String(record).utf8).base64EncodedString().replacing("=", with: "")
    }

    private func position(of locator: String?, in result: BulkResult) throws -> Int {
        guard let locator, !locator.isEmpty else { return 0 }
        var padded = locator
        while padded.utf8.count % 4 != 0 { padded += "=" }
        guard let data = Data(base64Encoded: padded), let record = Int(String(decoding: data, as: UTF8.self)), (0...result.records).contains(record) else {
            throw APIError(400, "INVALID_LOCATOR", "Invalid locator")
        }
        return record
    }

    private func finished(_ job: BulkJob) throws -> BulkResult {
        guard job.version == version else {
            throw APIError(409, "CONFLICT", "The results of a job must be read with its API version \(job.version)")
        }
        guard job.state == .complete, let result = job.batches.first?.result else {
            throw APIError(400, "INVALIDJOBSTATE", "The results of a job in the state \(job.state.rawValue) are not available")
        }
        return result
    }

    private func results(_ job: BulkJob, _ call: inout CallDescription, _ context: CallContext) throws -> Reply {
        let result = try finished(job)
        let start = try position(of: request.query["locator"], in: result)
        let most = request.query["maxRecords"].flatMap { Int($0) } ?? context.state.settings.bulkPageRecords
        guard most > 0 else { throw APIError(400, "INVALIDJOB", "maxRecords must be positive") }
        let end = min(start + most, result.records)
        let from = try result.offset(of: start)
        let to = try result.offset(of: end)
        call.recordCount = end - start
        return Reply(
            200, headers: [
                ("Content-Type", "text/csv"), ("Sforce-NumberOfRecords", String(end - start)),
                ("Sforce-Locator", end < result.records ? Bulk2Handler.locator(end) : "null"),
            ], body: .file(prefix: result.header, path: result.path, offset: from, length: to - from))
    }

    private func pages(_ job: BulkJob, _ context: CallContext) throws -> Reply {
        let result = try finished(job)
        let size = context.state.settings.bulkPageRecords
        let base = "/services/data/v\(version)/jobs/query/\(job.id)/"
        var start = try position(of: request.query["locator"], in: result)
        var links: [JSON] = []
        repeat {
            links.append(["resultUrl": .string(base + "results?locator=\(Bulk2Handler.locator(start))&maxRecords=\(size)")])
            start += size
        } while links.count < 5 && start < result.records
        let done = start >= result.records
        return .json(200, [
            "resultPages": .array(links), "nextRecordsUrl": done ? nil : .string(base + "resultPages?locator=\(Bulk2Handler.locator(start))"),
            "done": .bool(done),
        ])
    }
}
