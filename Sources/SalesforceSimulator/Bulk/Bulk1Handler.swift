import Foundation

/// Bulk API 1.0: `/services/async/{v}/job` (wire reference 4.1).
struct Bulk1Handler: FamilyHandler {
    let request: SimRequest
    let jobs: BulkJobStore

    var version: String { request.segments.count > 2 ? request.segments[2] : "" }
    /// What follows `job`: job id, `batch`, batch id, `result` or `request`, result id.
    var parts: [String] { Array(request.segments.dropFirst(4)) }

    var sendsJSON: Bool { request.contentType == "application/json" }

    private var job: BulkJob? { parts.first.flatMap { RecordIdentifier.normalized($0) }.flatMap { jobs[$0] }.flatMap { $0.isBulk2 ? nil : $0 } }

    func describe() -> CallDescription {
        let third = parts.count > 3 ? parts[3].lowercased() : ""
        let operation = switch (request.method, parts.count) {
        case ("POST", 0): "createJob"
        case ("POST", 1): "changeJob"
        case ("GET", 1): "getJob"
        case ("POST", 2): parts[1].lowercased() == "spec" ? "spec" : "addBatch"
        case ("GET", 2): "listBatches"
        case ("GET", 3): "getBatch"
        case ("GET", 4): third == "request" ? "request" : "resultList"
        case ("GET", 5): "results"
        default: "unknown"
        }
        var call = CallDescription(.bulk1, operation, version: version)
        call.object = operation == "createJob" ? jobFields()["object"] : job?.object
        return call
    }

    private static let codes = [
        "INVALID_SESSION_ID": "InvalidSessionId", "NOT_FOUND": "InvalidUrl", "UNSUPPORTED_API_VERSION": "InvalidVersion",
        "REQUEST_LIMIT_EXCEEDED": "ExceededQuota", "INVALIDENTITY": "InvalidEntity", "SERVER_UNAVAILABLE": "InternalServerError",
        "UNKNOWN_EXCEPTION": "InternalServerError",
    ]

    /// Calls of a batch answer in the job's format, all others in that of the request.
    private var errsInJSON: Bool { sendsJSON || (parts.count > 1 && request.contentType.isEmpty && job?.contentType == .json) }

    func refusal(_ error: APIError) -> Reply {
        let code = Bulk1Handler.codes[error.code] ?? (error.code.contains("_") ? "InvalidBatch" : error.code)
        let message = error.code == "INVALID_SESSION_ID" ? "Invalid session id" : error.message
        let status = error.status >= 500 ? error.status : 400
        return BulkDocument.reply(status, "error", [("exceptionCode", code), ("exceptionMessage", message)], json: errsInJSON)
    }

    func answer(_ call: inout CallDescription, _ context: inout CallContext) throws -> Reply {
        guard context.state.settings.versions.contains(version) else { throw APIError(400, "InvalidVersion", "Invalid Api version specified on URL") }
        try context.authenticate(request.headers["x-sfdc-session"])
        call.user = context.user
        guard request.segments.count > 3, request.segments[3].lowercased() == "job" else { throw APIError.notFound() }
        do {
            if call.operation == "createJob" { return try create(context) }
            guard let job else { throw BulkFailure("InvalidJob", "Unable to find object: \(parts.first ?? "")") }
            switch call.operation {
            case "changeJob": return try change(job, context)
            case "getJob": return info(job, status: 200)
            case "addBatch" where parts[1].lowercased() == "batch": return try addBatch(job, context)
            case "spec": return Reply(201)
            case "listBatches": return batchList(job)
            case "getBatch": return batch(try find(job), of: job, status: 200)
            case "request": return try body(of: try find(job), job)
            case "resultList": return try results(job, &call)
            case "results": return try queryResult(job, &call)
            default: throw APIError.notFound()
            }
        } catch let failure as BulkFailure {
            throw failure.refusal(bulk2: false)
        }
    }
}
