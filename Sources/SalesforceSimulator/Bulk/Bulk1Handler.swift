import Foundation
import GRDB

/// Bulk API 1.0 query jobs: `/services/async/{v}/job` (wire reference 4.1).
struct Bulk1Handler: FamilyHandler {
    let request: SimRequest
    let jobs: BulkJobStore

    static let namespace = "http://www.force.com/2009/06/asyncapi/dataload"

    private var version: String { request.segments.count > 2 ? request.segments[2] : "" }
    /// What follows `job`: job id, `batch`, batch id, `result` or `request`, result id.
    private var parts: [String] { Array(request.segments.dropFirst(4)) }
    private var sendsJSON: Bool { request.contentType == "application/json" }

    private var job: BulkJob? { parts.first.flatMap { RecordIdentifier.normalized($0) }.flatMap { jobs[$0] } }

    /// Content types on this API carry no parameters: clients compare them whole.
    private static func reply(_ status: Int, _ text: String, json: Bool) -> Reply {
        Reply(status, headers: [("Content-Type", json ? "application/json" : "application/xml")], body: .data(Data(text.utf8)))
    }

    func describe() -> CallDescription {
        let operation = switch (request.method, parts.count) {
        case ("POST", 0): "createJob"
        case ("POST", 1): "changeJob"
        case ("GET", 1): "getJob"
        case ("POST", 2): "addBatch"
        case ("GET", 2): "listBatches"
        case ("GET", 3): "getBatch"
        case ("GET", 4): parts[3].lowercased() == "request" ? "request" : "resultList"
        case ("GET", 5): "results"
        default: "unknown"
        }
        var call = CallDescription(.bulk1, operation, version: version)
        call.object = operation == "createJob" ? jobFields()["object"] : job?.object
        return call
    }

    func refusal(_ error: APIError) -> Reply {
        let codes = ["INVALID_SESSION_ID": "InvalidSessionId", "NOT_FOUND": "InvalidUrl", "UNSUPPORTED_API_VERSION": "InvalidVersion",
            "REQUEST_LIMIT_EXCEEDED": "ExceededQuota", "INVALIDENTITY": "InvalidEntity", "SERVER_UNAVAILABLE": "InternalServerError"]
        let code = codes[error.code] ?? (error.code.contains("_") ? "InvalidBatch" : error.code)
        let message = error.code == "INVALID_SESSION_ID" ? "Invalid session id" : error.message
        let status = error.status == 503 ? 503 : 400
        if sendsJSON {
            return Bulk1Handler.reply(status, (["exceptionCode": .string(code), "exceptionMessage": .string(message)] as JSON).text, json: true)
        }
        var writer = XMLWriter("<?xml version=\"1.0\" encoding=\"UTF-8\"?><error xmlns=\"\(Bulk1Handler.namespace)\">")
        writer.element("exceptionCode", code)
        writer.element("exceptionMessage", message)
        return Bulk1Handler.reply(status, writer.text + "</error>", json: false)
    }

    func answer(_ call: inout CallDescription, _ context: inout CallContext) throws -> Reply {
        guard context.state.settings.versions.contains(version) else { throw APIError(400, "InvalidVersion", "Invalid Api version specified on URL") }
        try context.authenticate(request.headers["x-sfdc-session"])
        call.user = context.user
        guard request.segments.count > 3, request.segments[3].lowercased() == "job" else { throw APIError.notFound() }
        if call.operation == "createJob" { return try create(context) }
        guard let job else { throw APIError(400, "InvalidJob", "Unable to find object: \(parts.first ?? "")") }
        switch call.operation {
        case "changeJob": return try change(job)
        case "getJob": return info(job, status: 200)
        case "addBatch": return try addBatch(job, context)
        case "listBatches": return batchList(job)
        case "getBatch": return batch(try find(job), of: job, status: 200)
        case "request": return .text(200, try find(job).query, type: "text/csv")
        case "resultList": return try resultList(job)
        case "results": return try results(job, &call)
        default: throw APIError.notFound()
        }
    }

    // MARK: Jobs

    /// The members of a job document in either format.
    private func jobFields() -> [String: String] {
        var fields: [String: String] = [:]
        if sendsJSON {
            for member in ((try? JSONParser.parse(request.body)) ?? .null).members { fields[member.key] = member.value.string }
        } else if let root = try? XMLTreeBuilder.parse(request.body) {
            for child in root.children { fields[child.name] = child.text.trimmingCharacters(in: .whitespacesAndNewlines) }
        }
        return fields
    }

    private func create(_ context: CallContext) throws -> Reply {
        let fields = jobFields()
        guard let operation = fields["operation"], let objectName = fields["object"] else {
            throw APIError(400, "InvalidJob", "operation and object are required")
        }
        guard ["query", "queryAll"].contains(operation) else {
            throw APIError(400, "InvalidOperation", "This org answers query and queryAll jobs only: \(operation)")
        }
        guard let object = context.state.object(objectName, for: context.user) else { throw APIError(400, "InvalidEntity", "Unable to find object: \(objectName)") }
        guard object.bulkSupported else {
            throw APIError(400, "InvalidEntity", "Entity '\(object.name)' is not supported by the Bulk API.")
        }
        guard fields["contentType"]?.uppercased() == "CSV" else { throw APIError(400, "InvalidJob", "Only contentType CSV is answered for queries") }
        let id = RecordIdentifier.make(keyPrefix: "750", number: try context.state.next("id:job", context.db))
        var job = BulkJob(
            id: id, version: version, user: context.user, object: object.name, includesDeleted: operation == "queryAll", created: context.stamp,
            state: .open, isBulk2: false)
        job.chunkSize = chunkSize()
        jobs[id] = job
        return info(job, status: 201)
    }

    private func chunkSize() -> Int? {
        guard let header = request.headers["sforce-enable-pkchunking"], !header.lowercased().hasPrefix("false") else { return nil }
        return min(request.option("chunkSize", of: "sforce-enable-pkchunking").flatMap { Int($0) } ?? 100_000, 250_000)
    }

    private func change(_ job: BulkJob) throws -> Reply {
        var job = job
        switch jobFields()["state"] {
        case "Closed": job.state = .closed
        case "Aborted": job.state = .aborted
        default: throw APIError(400, "InvalidJobState", "state must be Closed or Aborted")
        }
        jobs[job.id] = job
        return info(job, status: 200)
    }

    private func info(_ job: BulkJob, status: Int) -> Reply {
        func count(_ state: BulkJob.Batch.State) -> String { String(job.batches.filter { $0.state == state }.count) }
        let fields: [(String, String)] = [
            ("id", job.id), ("operation", job.includesDeleted ? "queryAll" : "query"), ("object", job.object), ("createdById", job.user),
            ("createdDate", TimeText.zulu(job.created)), ("systemModstamp", TimeText.zulu(job.created)), ("state", job.state.rawValue),
            ("concurrencyMode", "Parallel"), ("contentType", "CSV"), ("numberBatchesQueued", count(.queued)),
            ("numberBatchesInProgress", count(.inProgress)), ("numberBatchesCompleted", count(.completed)),
            ("numberBatchesFailed", count(.failed)), ("numberBatchesTotal", String(job.batches.count)),
            ("numberRecordsProcessed", String(job.records)), ("numberRetries", "0"), ("apiVersion", job.version), ("numberRecordsFailed", "0"),
            ("totalProcessingTime", "0"), ("apiActiveProcessingTime", "0"), ("apexProcessingTime", "0"),
        ]
        return document("jobInfo", fields, status: status)
    }

    private func document(_ root: String, _ fields: [(String, String)], status: Int) -> Reply {
        if sendsJSON {
            let members = fields.map { name, text -> JSON.Member in
                let isNumber = (name.hasPrefix("number") || name.hasSuffix("Time") || name == "apiVersion") && Double(text) != nil
                let value = name.hasSuffix("Date") || name == "systemModstamp" ? text.replacing("Z", with: "+0000") : text
                return JSON.Member(key: name, value: isNumber ? .number(text) : .string(value))
            }
            return Bulk1Handler.reply(status, JSON.object(members).text, json: true)
        }
        var writer = XMLWriter("<?xml version=\"1.0\" encoding=\"UTF-8\"?><\(root) xmlns=\"\(Bulk1Handler.namespace)\">")
        for (name, text) in fields { writer.element(name, text) }
        return Bulk1Handler.reply(status, writer.text + "</\(root)>", json: false)
    }

    // MARK: Batches

    private func addBatch(_ job: BulkJob, _ context: CallContext) throws -> Reply {
        guard job.state == .open else { throw APIError(400, "InvalidJobState", "Unable to create batch, job in state \(job.state.rawValue)") }
        let query = String(decoding: request.body, as: UTF8.self)
        var job = job
        func newBatch(_ range: (String, String?)?, _ state: BulkJob.Batch.State) throws -> BulkJob.Batch {
            let number = try context.state.next("id:batch", context.db)
            return BulkJob.Batch(
                id: RecordIdentifier.make(keyPrefix: "751", number: number), resultId: RecordIdentifier.make(keyPrefix: "752", number: number),
                query: query, range: range, state: state, created: context.stamp)
        }
        var first = try newBatch(nil, .queued)
        do {
            let plan = try context.state.bulkPlan(query, job: job)
            if let size = job.chunkSize {
                guard plan.isChunkable else { throw APIError(400, "InvalidBatch", "PK chunking works for queries with nothing but WHERE") }
                first.state = .notProcessed
                job.batches.append(first)
                for range in try PrimaryKeyChunks.ranges(plan.object, size: size, context.db) { job.batches.append(try newBatch(range, .queued)) }
            } else {
                job.batches.append(first)
            }
        } catch let error as APIError {
            first.state = .failed
            first.message = "InvalidBatch : \(error.message)"
            job.batches.append(first)
        }
        jobs[job.id] = job
        jobs.start(job)
        return batch(first, of: job, status: 201)
    }

    private func find(_ job: BulkJob) throws -> BulkJob.Batch {
        guard parts.count > 2, let batch = job.batches.first(where: { $0.id == RecordIdentifier.normalized(parts[2]) }) else {
            throw APIError(400, "InvalidBatch", "Unable to find object: \(parts.count > 2 ? parts[2] : "")")
        }
        return batch
    }

    private func fields(_ batch: BulkJob.Batch, of job: BulkJob) -> [(String, String)] {
        var fields = [("id", batch.id), ("jobId", job.id), ("state", batch.state.rawValue)]
        if let message = batch.message { fields.append(("stateMessage", message)) }
        return fields + [
            ("createdDate", TimeText.zulu(batch.created)), ("systemModstamp", TimeText.zulu(batch.created)),
            ("numberRecordsProcessed", String(batch.result?.records ?? 0)), ("numberRecordsFailed", "0"), ("totalProcessingTime", "0"),
            ("apiActiveProcessingTime", "0"), ("apexProcessingTime", "0"),
        ]
    }

    /// Batches of a CSV job answer XML, whatever the format of the job's own request.
    private func batch(_ batch: BulkJob.Batch, of job: BulkJob, status: Int) -> Reply {
        var writer = XMLWriter("<?xml version=\"1.0\" encoding=\"UTF-8\"?><batchInfo xmlns=\"\(Bulk1Handler.namespace)\">")
        for (name, text) in fields(batch, of: job) { writer.element(name, text) }
        return Bulk1Handler.reply(status, writer.text + "</batchInfo>", json: false)
    }

    private func batchList(_ job: BulkJob) -> Reply {
        var writer = XMLWriter("<?xml version=\"1.0\" encoding=\"UTF-8\"?><batchInfoList xmlns=\"\(Bulk1Handler.namespace)\">")
        for batch in job.batches {
            writer.open("batchInfo")
            for (name, text) in fields(batch, of: job) { writer.element(name, text) }
            writer.close("batchInfo")
        }
        return Bulk1Handler.reply(200, writer.text + "</batchInfoList>", json: false)
    }

    private func resultList(_ job: BulkJob) throws -> Reply {
        let batch = try find(job)
        guard batch.state == .completed else { throw APIError(400, "InvalidBatch", "Batch not completed") }
        return Bulk1Handler.reply(
            200, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><result-list xmlns=\"\(Bulk1Handler.namespace)\"><result>\(batch.resultId)</result></result-list>",
            json: false)
    }

    private func results(_ job: BulkJob, _ call: inout CallDescription) throws -> Reply {
        let batch = try find(job)
        guard batch.state == .completed, let result = batch.result, RecordIdentifier.normalized(parts[4]) == batch.resultId else {
            throw APIError(400, "InvalidBatch", "Batch not completed")
        }
        call.recordCount = result.records
        guard result.records > 0 else { return .text(200, "Records not found for this query", type: "text/csv") }
        return Reply(
            200, headers: [("Content-Type", "text/csv")],
            body: .file(prefix: result.header, path: result.path, offset: 0, length: result.length))
    }
}
