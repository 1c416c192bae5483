import HTTPTransport

/// Writing by Bulk API 2.0, from version 41.0 (API reference 4.2): create a job, upload its rows, close it, look until it has
/// settled, read its results. Nothing is processed before the job is closed.
extension SalesforceClient {
    private var ingestJobs: String { "\(dataPath)/jobs/ingest" }

    private func ingestPath(_ id: String) -> String { "\(ingestJobs)/\(PercentEncoding.encode(id))" }

    /// Opens a job. A lost answer may leave one behind, without rows; ``listIngestJobs(classic:nextRecordsURL:)`` shows it.
    public func createIngestJob(_ order: BulkIngestOrder) async throws(SalesforceError) -> BulkIngestJob {
        let operation = "bulk \(order.operation.rawValue) of \(order.object)"
        guard configuration.apiVersion.supports(.bulk2Ingest) else {
            throw SalesforceError(
                .configuration, code: "UNSUPPORTED_API_VERSION", message: "version \(configuration.apiVersion) has no Bulk 2.0 ingest",
                operation: operation)
        }
        var body = JSONWriter()
        body.raw(#"{"object":"#)
        body.string(order.object)
        body.raw(#","operation":"\#(order.operation.rawValue)""#)
        if let field = order.externalIDField {
            body.raw(#","externalIdFieldName":"#)
            body.string(field)
        }
        if let rule = order.assignmentRuleID {
            body.raw(#","assignmentRuleId":"#)
            body.string(rule)
        }
        body.raw(#","contentType":"CSV","lineEnding":"LF","columnDelimiter":"COMMA"}"#)
        let call = Call(operation: operation, method: .post, path: ingestJobs, body: body.bytes, isWrite: true)
        return try decode(BulkIngestJob.self, try await send(call), operation)
    }

    /// Sends the rows of a job, its one upload: CSV with a header line, LF line ends, at most 100 MB.
    public func uploadIngestRows(_ id: String, _ body: (BulkUpload) async throws -> Void) async throws {
        let call = Call(
            operation: "upload of a bulk job", method: .put, path: ingestPath(id) + "/batches", contentType: "text/csv", isWrite: true)
        _ = try await upload(call, body)
    }

    /// Says that the upload is whole: from here on the job runs.
    public func closeIngestJob(_ id: String) async throws(SalesforceError) -> BulkIngestJob {
        try await setIngestState(id, "UploadComplete")
    }

    /// Stops a job. Rows it has saved stay saved.
    public func abortIngestJob(_ id: String) async throws(SalesforceError) -> BulkIngestJob {
        try await setIngestState(id, "Aborted")
    }

    private func setIngestState(_ id: String, _ state: String) async throws(SalesforceError) -> BulkIngestJob {
        let operation = state == "Aborted" ? "abort of a bulk job" : "end of the upload of a bulk job"
        let call = Call(
            operation: operation, method: .patch, path: ingestPath(id), body: Array(#"{"state":"\#(state)"}"#.utf8), isWrite: true)
        return try decode(BulkIngestJob.self, try await send(call), operation)
    }

    /// Where a job stands.
    public func ingestJob(_ id: String) async throws(SalesforceError) -> BulkIngestJob {
        let operation = "state of a bulk job"
        return try decode(BulkIngestJob.self, try await send(Call(operation: operation, path: ingestPath(id))), operation)
    }

    /// Streams one of the results of a settled job as CSV to `body`: `sf__Id`, `sf__Created` or `sf__Error`, then the columns of
    /// the upload. Rows come in no order.
    public func ingestResult<Result>(
        _ id: String, _ result: BulkIngestResult, body: (BulkResultHead, BulkBody) async throws -> Result
    ) async throws -> Result {
        try await stream(
            Call(
                operation: "results of a bulk job", path: "\(ingestPath(id))/\(result.rawValue)/",
                headers: [HTTPHeader("Accept", "text/csv")]), body)
    }

    /// Removes a settled job and its results. One that is gone already is no error.
    public func deleteIngestJob(_ id: String) async throws(SalesforceError) {
        do throws(SalesforceError) {
            _ = try await send(Call(operation: "removal of a bulk job", method: .delete, path: ingestPath(id)))
        } catch {
            guard error.status == 404 else { throw error }
        }
    }

    /// The org's ingest jobs, a page of them, and where the next page is.
    /// - Parameter classic: those of Bulk API 1.0 instead of 2.0.
    public func listIngestJobs(
        classic: Bool = false, nextRecordsURL: String? = nil
    ) async throws(SalesforceError) -> (jobs: [BulkIngestJob], nextRecordsURL: String?) {
        struct Answer: Decodable {
            var records: [BulkIngestJob]
            var nextRecordsUrl: String?
            var done: Bool?
        }
        let operation = "list of bulk jobs"
        let path = nextRecordsURL ?? "\(ingestJobs)?jobType=\(classic ? "Classic" : "V2Ingest")"
        guard path.hasPrefix("/services/") else { throw unreadable(operation, status: nil) }
        let answer = try decode(Answer.self, try await send(Call(operation: operation, path: path)), operation)
        return (answer.records, answer.done == true ? nil : answer.nextRecordsUrl)
    }
}
