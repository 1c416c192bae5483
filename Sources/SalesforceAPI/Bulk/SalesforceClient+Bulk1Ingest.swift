import HTTPTransport

/// Writing by Bulk API 1.0 (API reference 4.1): results come in the order of the rows, and a job may run serially. A batch runs
/// as soon as it is there.
extension SalesforceClient {
    /// Opens a job. A lost answer may leave one behind, without batches, which does nothing.
    /// - Parameter isSerial: its rows are saved one chunk after another, so that none meets a lock of another.
    public func createBulk1IngestJob(_ order: BulkIngestOrder, isSerial: Bool = false) async throws(SalesforceError) -> Bulk1Job {
        var xml = XMLWriter()
        xml.raw(#"<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="\#(Self.bulk1Namespace)">"#)
        xml.element("operation", order.operation.rawValue)
        xml.element("object", order.object)
        if let field = order.externalIDField { xml.element("externalIdFieldName", field) }
        xml.element("concurrencyMode", isSerial ? "Serial" : "Parallel")
        xml.element("contentType", "CSV")
        if let rule = order.assignmentRuleID { xml.element("assignmentRuleId", rule) }
        xml.close("jobInfo")
        return try await bulk1Job(
            "job", operation: "bulk \(order.operation.rawValue) of \(order.object)", body: xml.bytes, isWrite: true)
    }

    /// Sends a batch: CSV with a header line, at most 10,000 rows and 10 MB. A lost answer may leave one behind, which runs:
    /// ``bulk1Batches(_:)`` shows it.
    public func addBulk1IngestBatch(_ jobID: String, _ body: (BulkUpload) async throws -> Void) async throws -> Bulk1Batch {
        let call = Call(
            operation: "batch of a bulk job", method: .post, path: "\(asyncPath)/job/\(PercentEncoding.encode(jobID))/batch",
            contentType: "text/csv; charset=UTF-8", envelope: .bulk1, isWrite: true)
        return try bulk1Batch(try bulk1Elements(try await upload(call, body), call.operation), call.operation)
    }

    /// Streams the result of a batch as CSV to `body`: `Id`, `Success`, `Created`, `Error`, in the order of the rows.
    public func bulk1IngestResult<Result>(
        _ jobID: String, batch: String, body: (BulkResultHead, BulkBody) async throws -> Result
    ) async throws -> Result {
        try await stream(Call(operation: "results of a bulk job", path: bulk1ResultPath(jobID, batch), envelope: .bulk1), body)
    }
}
