import Foundation

/// Bulk API 2.0 ingest: `/services/data/v{v}/jobs/ingest` (wire reference 4.2).
struct Bulk2IngestHandler: FamilyHandler {
    let request: SimRequest
    let jobs: BulkJobStore

    private var version: String { String(request.segments[2].dropFirst()) }
    /// What follows `jobs/ingest`: job id, then a resource of the job, whose name is matched without case.
    private var parts: [String] { Array(request.segments.dropFirst(5)) }

    private static let results = ["successfulresults": "successfulResults", "failedresults": "failedResults", "unprocessedrecords": "unprocessedrecords"]

    func refusal(_ error: APIError) -> Reply { RESTHandler.refusal(error) }

    func describe() -> CallDescription {
        let resource = parts.count > 1 ? parts[1].lowercased() : ""
        let operation = switch (request.method, parts.count) {
        case ("POST", 0): "createJob"
        case ("GET", 0): "listJobs"
        case ("GET", 1): "getJob"
        case ("PATCH", 1): "changeJob"
        case ("DELETE", 1): "deleteJob"
        case ("PUT", 2) where resource == "batches": "upload"
        case ("GET", 2): Bulk2IngestHandler.results[resource] ?? "unknown"
        default: "unknown"
        }
        var call = CallDescription(.bulk2, "ingest." + operation, version: version)
        call.object = operation == "createJob" ? creation?.job["object"]?.string : job?.object
        return call
    }

    private var job: BulkJob? { parts.first.flatMap { RecordIdentifier.normalized($0) }.flatMap { jobs[$0] } }

    func answer(_ call: inout CallDescription, _ context: inout CallContext) throws -> Reply {
        try context.checkVersion(version)
        try context.authenticate(request.bearerToken)
        call.user = context.user
        guard (Double(version) ?? 0) >= 41 else { throw APIError.notFound() }
        do {
            switch call.operation {
            case "ingest.createJob": return try create(context)
            case "ingest.listJobs": return try list(context)
            default: break
            }
            guard let job, !job.operation.isQuery || !job.isBulk2 else { throw APIError.notFound() }
            if call.operation == "ingest.getJob" { return .json(200, Bulk2Document.full(job)) }
            guard job.isBulk2 else { throw APIError.notFound() }
            switch call.operation {
            case "ingest.upload": return try upload(job, context)
            case "ingest.changeJob": return try change(job, context)
            case "ingest.deleteJob": return try delete(job)
            case "ingest.successfulResults": return try result(job, \.successful, job.records - job.failures, &call)
            case "ingest.failedResults": return try result(job, \.failed, job.failures, &call)
            case "ingest.unprocessedrecords": return try result(job, \.unprocessed, 0, &call)
            default: throw APIError.notFound()
            }
        } catch let failure as BulkFailure {
            throw failure.refusal(bulk2: true)
        }
    }

    // MARK: Creation

    /// Rows up to this length may come with the job.
    private static let mostCharacters = 100_000

    private var creation: (job: JSON, content: Data?)? {
        guard request.contentType.hasPrefix("multipart/") else { return (try? JSONParser.parse(request.body)).map { ($0, nil) } }
        guard let parts = MultipartBody.parts(request.body, contentType: request.headers["content-type"] ?? ""), let text = parts["job"],
            let job = try? JSONParser.parse(text), let content = parts["content"]
        else { return nil }
        return (job, content)
    }

    private func create(_ context: CallContext) throws -> Reply {
        guard let (body, content) = creation else {
            if !request.contentType.hasPrefix("multipart/") { _ = try JSONParser.parse(request.body) }
            throw BulkFailure("InvalidJob", "A multipart job needs the parts job, which is JSON, and content")
        }
        guard let operation = body["operation"]?.string.flatMap({ BulkJob.Operation(rawValue: $0) }), !operation.isQuery else {
            throw BulkFailure("InvalidJob", "operation must be insert, update, upsert, delete or hardDelete")
        }
        guard let name = body["object"]?.string, !name.isEmpty else { throw BulkFailure("InvalidJob", "object is required") }
        let object = try BulkRules.object(name, context)
        var job = BulkJob(
            id: try BulkRules.newId(context), version: version, user: context.user, object: object.name, operation: operation,
            created: context.stamp, state: .open, isBulk2: true)
        job.client = request.client
        job.externalIdField = try BulkRules.externalId(body["externalIdFieldName"]?.string, operation, object)
        try BulkRules.checkHardDelete(operation, context)
        try Bulk2Document.readFormat(body, into: &job)
        job.assignmentRule = body["assignmentRuleId"]?.string
        if let content {
            guard String(decoding: content, as: UTF8.self).unicodeScalars.count <= Bulk2IngestHandler.mostCharacters else {
                throw BulkFailure("InvalidBatch", "The content of a multipart job has at most \(Bulk2IngestHandler.mostCharacters) characters")
            }
            let file = try jobs.file(job.id + ".upload")
            try content.write(to: file)
            job.upload = file.path
            job.rejections = context.rejections
            job.state = .uploadComplete
        }
        jobs.add(job, now: context.state.now)
        if content != nil { jobs.start(job) }
        return .json(200, Bulk2Document.created(job))
    }

    // MARK: The upload and the states

    private func upload(_ job: BulkJob, _ context: CallContext) throws -> Reply {
        guard job.state == .open else {
            throw BulkFailure("InvalidJobState", "The job \(job.id) takes no content: its state is \(job.state.rawValue)")
        }
        guard job.upload == nil else { throw BulkFailure("InvalidBatch", "The job \(job.id) has its content already: a job takes one upload") }
        guard request.contentType == "text/csv" else { throw BulkFailure("InvalidBatch", "The content type must be text/csv, not \(request.contentType)") }
        guard let spooled = request.spooled else { throw BulkFailure("ClientInputError", "The upload is empty") }
        guard (spooled.bytes + 2) / 3 * 4 <= context.state.settings.bulk.uploadBytes else {
            throw BulkFailure("ClientInputError", "The upload is larger than \(context.state.settings.bulk.uploadBytes) bytes in base 64")
        }
        var job = job
        let file = try jobs.file(job.id + ".upload")
        try FileManager.default.moveItem(atPath: spooled.path, toPath: file.path)
        job.upload = file.path
        job.rejections = context.rejections
        jobs[job.id] = job
        return Reply(201)
    }

    private func change(_ job: BulkJob, _ context: CallContext) throws -> Reply {
        var job = job
        let wanted = try JSONParser.parse(request.body)["state"]?.string
        let allowed: [BulkJob.State]
        switch wanted {
        case "UploadComplete":
            allowed = [.open]
            job.state = .uploadComplete
        case "Aborted":
            allowed = [.open, .uploadComplete, .inProgress]
            job.state = .aborted
        default: throw BulkFailure("InvalidJob", "state must be UploadComplete or Aborted")
        }
        guard let current = jobs[job.id]?.state, allowed.contains(current) else {
            throw BulkFailure("InvalidJobState", "Changing the state of the job \(job.id) from \(jobs[job.id]?.state.rawValue ?? "") to \(wanted ?? "") is not allowed")
        }
        if job.state == .uploadComplete, job.upload == nil {
            // A job closed without content has nothing to do but to say so.
            let file = try jobs.file(job.id + ".upload")
            try Data().write(to: file)
            job.upload = file.path
        }
        job.changed = context.stamp
        jobs[job.id] = job
        if job.state == .uploadComplete { jobs.start(job) }
        return .json(200, Bulk2Document.created(job))
    }

    private func delete(_ job: BulkJob) throws -> Reply {
        guard [.uploadComplete, .complete, .aborted, .failed].contains(job.state) else {
            throw BulkFailure("InvalidJobState", "Deleting a job is not allowed in the state \(job.state.rawValue)")
        }
        jobs[job.id] = nil
        return Reply(204)
    }

    // MARK: Lists and results

    /// Every ingest job; jobs of Bulk 1.0 are `Classic`.
    private func list(_ context: CallContext) throws -> Reply {
        let type = request.query["jobType"]
        let chunked = request.query["isPkChunkingEnabled"].flatMap { Bool($0.lowercased()) }
        let mode = request.query["concurrencyMode"]?.lowercased()
        let found = jobs.all.filter { job in
            !(job.isBulk2 && job.operation.isQuery) && (type == nil || type == "" || Bulk2Document.jobType(job).lowercased() == type?.lowercased())
                && (chunked == nil || chunked == (job.chunkSize != nil)) && (mode == nil || mode == "" || mode == (job.isSerial ? "serial" : "parallel"))
        }
        return try Bulk2Document.list(found, request, path: "data/v\(version)/jobs/ingest", page: context.state.settings.bulk.listPage)
    }

    private func result(_ job: BulkJob, _ file: KeyPath<IngestFiles, String>, _ count: Int, _ call: inout CallDescription) throws -> Reply {
        guard [.complete, .failed, .aborted].contains(job.state), let path = job.outcome?[keyPath: file] else {
            throw BulkFailure("InvalidJobState", "The results of a job in the state \(job.state.rawValue) are not available")
        }
        call.recordCount = count
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        return Reply(200, headers: [("Content-Type", "text/csv")], body: .file(prefix: Data(), path: path, offset: 0, length: Int64(size)))
    }
}
