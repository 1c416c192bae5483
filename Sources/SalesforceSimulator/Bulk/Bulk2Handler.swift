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
        case "listJobs":
            let found = jobs.all.filter { $0.isBulk2 && $0.operation.isQuery }
            return try Bulk2Document.list(found, request, path: "data/v\(version)/jobs/query", page: context.state.settings.bulk.listPage)
        default: break
        }
        guard resource.count >= 2, let id = RecordIdentifier.normalized(resource[1]), var job = jobs[id], job.isBulk2, job.operation.isQuery else { throw APIError.notFound() }
        switch call.operation {
        case "getJob": return .json(200, Bulk2Document.full(job))
        case "abortJob":
            guard try JSONParser.parse(request.body)["state"]?.string == "Aborted" else {
                throw APIError(400, "INVALIDJOB", "Unknown state")
            }
            guard [.uploadComplete, .inProgress, .open].contains(job.state) else {
                throw APIError(400, "INVALIDJOBSTATE", "Aborting a job is not allowed in the state \(job.state.rawValue)")
            }
            job.state = .aborted
            job.changed = context.stamp
            jobs[id] = job
            return .json(200, Bulk2Document.full(job))
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
        guard let operation = body["operation"]?.string.flatMap({ BulkJob.Operation(rawValue: $0) }), operation.isQuery else {
            throw APIError(400, "INVALIDJOB", "operation must be query or queryAll")
        }
        guard let query = body["query"]?.string, !query.isEmpty else { throw APIError(400, "INVALIDJOB", "query is required") }
        var job = BulkJob(
            id: try BulkRules.newId(context), version: version, user: context.user, object: "", operation: operation, created: context.stamp,
            state: .uploadComplete, isBulk2: true)
        job.client = request.client
        do { try Bulk2Document.readFormat(body, into: &job) } catch let failure as BulkFailure { throw failure.refusal(bulk2: true) }
        job.query = query
        // A query that cannot run is refused at once.
        job.object = try context.state.bulkPlan(query, job: job).object.name
        do {
            try jobs.countQueryJob(limit: context.state.settings.otherLimits["DailyBulkV2QueryJobs"] ?? 10_000, now: context.state.now)
        } catch let failure as BulkFailure { throw failure.refusal(bulk2: true) }
        job.batches = [BulkJob.Batch(id: job.id + "-1", resultId: job.id, query: query, created: context.stamp)]
        jobs.add(job, now: context.state.now)
        jobs.start(job)
        return .json(200, Bulk2Document.created(job))
    }

    // MARK: Results

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
        let start = try Bulk2Document.position(request.query["locator"], of: result.records)
        let most = request.query["maxRecords"].flatMap { Int($0) } ?? context.state.settings.bulkPageRecords
        guard most > 0 else { throw APIError(400, "INVALIDJOB", "maxRecords must be positive") }
        let end = min(start + most, result.records)
        let from = try result.offset(of: start)
        let to = try result.offset(of: end)
        call.recordCount = end - start
        return Reply(
            200, headers: [
                ("Content-Type", "text/csv"), ("Sforce-NumberOfRecords", String(end - start)),
                ("Sforce-Locator", end < result.records ? Bulk2Document.locator(end) : "null"),
            ], body: .file(prefix: result.header, path: result.path, offset: from, length: to - from))
    }

    private func pages(_ job: BulkJob, _ context: CallContext) throws -> Reply {
        let result = try finished(job)
        let size = context.state.settings.bulkPageRecords
        let base = "/services/data/v\(version)/jobs/query/\(job.id)/"
        var start = try Bulk2Document.position(request.query["locator"], of: result.records)
        var links: [JSON] = []
        repeat {
            links.append(["resultUrl": .string(base + "results?locator=\(Bulk2Document.locator(start))&maxRecords=\(size)")])
            start += size
        } while links.count < 5 && start < result.records
        let done = start >= result.records
        return .json(200, [
            "resultPages": .array(links), "nextRecordsUrl": done ? nil : .string(base + "resultPages?locator=\(Bulk2Document.locator(start))"),
            "done": .bool(done),
        ])
    }
}
