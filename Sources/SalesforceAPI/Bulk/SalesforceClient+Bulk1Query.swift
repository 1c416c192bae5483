import HTTPTransport

/// Queries by Bulk API 1.0, for versions without a 2.0 query (API reference 4.1).
extension SalesforceClient {
    var asyncPath: String { "/services/async/\(configuration.apiVersion)" }
    static var bulk1Namespace: String { "http://www.force.com/2009/06/asyncapi/dataload" }

    /// How a query is cut by ranges of record ids.
    public struct PKChunking: Sendable, Equatable {
        /// Records a chunk, at most 250,000.
        public var chunkSize: Int
        /// The parent object, for Share and History objects.
        public var parent: String?

        public init(chunkSize: Int = 100_000, parent: String? = nil) {
            self.chunkSize = min(max(chunkSize, 1), 250_000)
            self.parent = parent
        }
    }

    /// Opens a query job for one object. A lost answer leaves an open job without batches, which does nothing.
    public func createBulk1QueryJob(
        _ object: String, all: Bool = false, chunking: PKChunking? = nil
    ) async throws(SalesforceError) -> Bulk1Job {
        let operation = "bulk query of \(object)"
        if all, !configuration.apiVersion.supports(.bulk1QueryAll) {
            throw SalesforceError(
                .configuration, code: "UNSUPPORTED_API_VERSION", message: "version \(configuration.apiVersion) has no bulk query of deleted rows", operation: operation)
        }
        var xml = XMLWriter()
        xml.raw(#"<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="\#(Self.bulk1Namespace)">"#)
        xml.element("operation", all ? "queryAll" : "query")
        xml.element("object", object)
        xml.element("concurrencyMode", "Parallel")
        xml.element("contentType", "CSV")
        xml.close("jobInfo")
        var headers: [HTTPHeader] = []
        if let chunking {
            let parent = chunking.parent.map { "; parent=\($0)" } ?? ""
            headers.append(HTTPHeader("Sforce-Enable-PKChunking", "chunkSize=\(chunking.chunkSize)\(parent)"))
        }
        return try await bulk1Job("job", operation: operation, headers: headers, body: xml.bytes)
    }

    /// Where a job stands.
    public func bulk1Job(_ id: String) async throws(SalesforceError) -> Bulk1Job {
        try await bulk1Job("job/\(PercentEncoding.encode(id))", operation: "state of a bulk job", body: [])
    }

    /// Hands the query over as the job's batch. With PK chunking the list of batches grows afterwards.
    public func addBulk1QueryBatch(_ jobID: String, soql: String) async throws(SalesforceError) -> Bulk1Batch {
        let operation = "batch of a bulk query"
        let call = Call(
            operation: operation, method: .post, path: "\(asyncPath)/job/\(PercentEncoding.encode(jobID))/batch",
            body: Array(soql.utf8), contentType: "text/csv; charset=UTF-8", envelope: .bulk1)
        return try bulk1Batch(try bulk1Elements(try await send(call), operation), operation)
    }

    /// All batches of a job.
    public func bulk1Batches(_ jobID: String) async throws(SalesforceError) -> [Bulk1Batch] {
        let operation = "batches of a bulk query"
        let call = Call(operation: operation, path: "\(asyncPath)/job/\(PercentEncoding.encode(jobID))/batch", envelope: .bulk1)
        let response = try await send(call)
        var batches: [Bulk1Batch] = []
        do throws(XMLReader.Malformed) {
            var reader = XMLReader(response.body)
            while let event = try reader.next() {
                guard case .start("batchInfo", _) = event else { continue }
                batches.append(try Self.batch(try Self.children(&reader)))
            }
        } catch {
            throw unreadable(operation, status: response.status)
        }
        return batches
    }

    /// The ids of the results of one completed batch, in order.
    public func bulk1ResultList(_ jobID: String, batch: String) async throws(SalesforceError) -> [String] {
        let operation = "results of a bulk query"
        let call = Call(operation: operation, path: bulk1ResultPath(jobID, batch), envelope: .bulk1)
        let response = try await send(call)
        var results: [String] = []
        do throws(XMLReader.Malformed) {
            var reader = XMLReader(response.body)
            while let event = try reader.next() {
                if case .start("result", _) = event { results.append(try reader.text()) }
            }
        } catch {
            throw unreadable(operation, status: response.status)
        }
        return results
    }

    /// Streams one result as CSV with a header line to `body`; see ``CSVPageFilter``.
    public func bulk1Result<Result>(
        _ jobID: String, batch: String, result: String, body: (BulkResultHead, BulkBody) async throws -> Result
    ) async throws -> Result {
        let path = "\(bulk1ResultPath(jobID, batch))/\(PercentEncoding.encode(result))"
        return try await stream(Call(operation: "results of a bulk query", path: path, envelope: .bulk1), body)
    }

    /// Closes a job to further batches; those it has run on.
    public func closeBulk1Job(_ id: String) async throws(SalesforceError) -> Bulk1Job { try await setState(id, "Closed") }

    /// Stops a job.
    public func abortBulk1Job(_ id: String) async throws(SalesforceError) -> Bulk1Job { try await setState(id, "Aborted") }

    private func setState(_ id: String, _ state: String) async throws(SalesforceError) -> Bulk1Job {
        let body = #"<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="\#(Self.bulk1Namespace)"><state>\#(state)</state></jobInfo>"#
        return try await bulk1Job("job/\(PercentEncoding.encode(id))", operation: "end of a bulk job", body: Array(body.utf8))
    }

    func bulk1ResultPath(_ jobID: String, _ batch: String) -> String {
        "\(asyncPath)/job/\(PercentEncoding.encode(jobID))/batch/\(PercentEncoding.encode(batch))/result"
    }

    func bulk1Job(
        _ path: String, operation: String, headers: [HTTPHeader] = [], body: [UInt8], isWrite: Bool = false
    ) async throws(SalesforceError) -> Bulk1Job {
        let response = try await send(
            Call(
                operation: operation, method: body.isEmpty ? .get : .post, path: "\(asyncPath)/\(path)", headers: headers, body: body,
                contentType: "application/xml; charset=UTF-8", envelope: .bulk1, isWrite: isWrite))
        let values = try bulk1Elements(response, operation)
        guard let id = values["id"], let state = values["state"] else { throw unreadable(operation, status: response.status) }
        return Bulk1Job(id: id, state: state)
    }

    /// The children of the answer's root element.
    func bulk1Elements(_ response: HTTPResponse, _ operation: String) throws(SalesforceError) -> [String: String] {
        do throws(XMLReader.Malformed) {
            var reader = XMLReader(response.body)
            while let event = try reader.next() {
                if case .start = event { return try Self.children(&reader) }
            }
        } catch {
            throw unreadable(operation, status: response.status)
        }
        throw unreadable(operation, status: response.status)
    }

    private static func children(_ reader: inout XMLReader) throws(XMLReader.Malformed) -> [String: String] {
        var values: [String: String] = [:]
        try reader.eachChild { (name, _, reader) throws(XMLReader.Malformed) in values[name] = try reader.text() }
        return values
    }

    private static func batch(_ values: [String: String]) throws(XMLReader.Malformed) -> Bulk1Batch {
        guard let id = values["id"], let state = values["state"] else { throw XMLReader.Malformed() }
        return Bulk1Batch(
            id: id, state: state, stateMessage: values["stateMessage"].flatMap { $0.isEmpty ? nil : $0 },
            numberRecordsProcessed: values["numberRecordsProcessed"].flatMap { Int($0) } ?? 0)
    }

    func bulk1Batch(_ values: [String: String], _ operation: String) throws(SalesforceError) -> Bulk1Batch {
        do throws(XMLReader.Malformed) {
            return try Self.batch(values)
        } catch {
            throw unreadable(operation, status: 200)
        }
    }
}
