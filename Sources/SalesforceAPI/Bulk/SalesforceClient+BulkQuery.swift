import HTTPTransport

/// Queries by Bulk API 2.0, from version 47.0 (API reference 4.3).
extension SalesforceClient {
    private var queryJobs: String { "\(dataPath)/jobs/query" }

    /// Starts a query job. A lost answer may leave a job behind; ``listQueryJobs(nextRecordsURL:)`` shows it.
    /// - Parameter all: with deleted and archived rows.
    public func createQueryJob(_ soql: String, all: Bool = false) async throws(SalesforceError) -> BulkQueryJob {
        let operation = "bulk query of \(QueryPages.object(of: soql))"
        guard configuration.apiVersion.supports(.bulk2Query) else {
            throw SalesforceError(
                .configuration, code: "UNSUPPORTED_API_VERSION", message: "version \(configuration.apiVersion) has no Bulk 2.0 query", operation: operation)
        }
        var body = JSONWriter()
        body.raw(#"{"operation":"\#(all ? "queryAll" : "query")","query":"#)
        body.string(soql)
        body.raw(#","contentType":"CSV","columnDelimiter":"COMMA","lineEnding":"LF"}"#)
        let call = Call(operation: operation, method: .post, path: queryJobs, body: body.bytes)
        return try decode(BulkQueryJob.self, try await send(call), operation)
    }

    /// Where a job stands. A job that is gone is ``Disposition/restartQuery``.
    public func queryJob(_ id: String) async throws(SalesforceError) -> BulkQueryJob {
        let operation = "state of a bulk query"
        let call = Call(operation: operation, path: "\(queryJobs)/\(PercentEncoding.encode(id))")
        return try decode(BulkQueryJob.self, try await gone(operation) { () throws(SalesforceError) in try await self.send(call) }, operation)
    }

    /// Streams one page of CSV results to `body`. Every page begins with the header line: see ``CSVPageFilter``.
    /// - Parameters:
    ///   - locator: nil for the first page, otherwise ``BulkResultHead/nextLocator`` of the page before. Pages can be read again
    ///     as long as the job lives.
    ///   - maximumRecords: an upper bound of the page; Salesforce may give fewer.
    public func queryResults<Result>(
        _ id: String, locator: String? = nil, maximumRecords: Int? = nil,
        body: (BulkResultHead, BulkBody) async throws -> Result
    ) async throws -> Result {
        var parameters: [String] = []
        if let maximumRecords { parameters.append("maxRecords=\(maximumRecords)") }
        if let locator { parameters.append("locator=\(PercentEncoding.encode(locator))") }
        let path = "\(queryJobs)/\(PercentEncoding.encode(id))/results" + (parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&"))
        let operation = "results of a bulk query"
        do {
            return try await stream(
                Call(operation: operation, path: path, headers: [HTTPHeader("Accept", "text/csv")]), body)
        } catch let error as SalesforceError {
            throw Self.gone(error, operation)
        }
    }

    /// Locators of the next pages, up to five at a look, so that pages can be read side by side (58.0 and later).
    public func queryResultPages(_ id: String, nextRecordsURL: String? = nil) async throws(SalesforceError) -> BulkResultPages {
        struct Answer: Decodable {
            struct Page: Decodable { var resultUrl: String }
            var resultPages: [Page]
            var nextRecordsUrl: String?
            /// The reference shows both spellings.
            var nextRecordUrl: String?
            var done: Bool?
        }
        let operation = "result pages of a bulk query"
        guard configuration.apiVersion.supports(.bulk2ResultPages) else {
            throw SalesforceError(
                .configuration, code: "UNSUPPORTED_API_VERSION", message: "version \(configuration.apiVersion) has no result pages", operation: operation)
        }
        let path = nextRecordsURL ?? "\(queryJobs)/\(PercentEncoding.encode(id))/resultPages"
        guard path.hasPrefix("/services/") else { throw unreadable(operation, status: nil) }
        let call = Call(operation: operation, path: path)
        let answer = try decode(Answer.self, try await gone(operation) { () throws(SalesforceError) in try await self.send(call) }, operation)
        return BulkResultPages(
            locators: answer.resultPages.map { Self.locator(in: $0.resultUrl) },
            nextRecordsURL: answer.done == true ? nil : answer.nextRecordsUrl ?? answer.nextRecordUrl)
    }

    /// Stops a job that runs.
    public func abortQueryJob(_ id: String) async throws(SalesforceError) -> BulkQueryJob {
        let operation = "abort of a bulk query"
        let call = Call(
            operation: operation, method: .patch, path: "\(queryJobs)/\(PercentEncoding.encode(id))",
            body: Array(#"{"state":"Aborted"}"#.utf8))
        return try decode(BulkQueryJob.self, try await send(call), operation)
    }

    /// Removes a finished job and its results. One that is gone already is no error.
    public func deleteQueryJob(_ id: String) async throws(SalesforceError) {
        let call = Call(
            operation: "removal of a bulk query", method: .delete, path: "\(queryJobs)/\(PercentEncoding.encode(id))")
        do throws(SalesforceError) {
            _ = try await send(call)
        } catch {
            guard error.status == 404 else { throw error }
        }
    }

    /// The org's query jobs, a page of them, and where the next page is.
    public func listQueryJobs(
        nextRecordsURL: String? = nil
    ) async throws(SalesforceError) -> (jobs: [BulkQueryJob], nextRecordsURL: String?) {
        struct Answer: Decodable {
            var records: [BulkQueryJob]
            var nextRecordsUrl: String?
            var done: Bool?
        }
        let operation = "list of bulk queries"
        let path = nextRecordsURL ?? "\(queryJobs)?jobType=V2Query"
        guard path.hasPrefix("/services/") else { throw unreadable(operation, status: nil) }
        let answer = try decode(Answer.self, try await send(Call(operation: operation, path: path)), operation)
        return (answer.records, answer.done == true ? nil : answer.nextRecordsUrl)
    }

    /// The `locator` of a result address; nil when it has none. Escapes are undone, because it is escaped again when used.
    static func locator(in url: String) -> String? {
        guard let query = url.split(separator: "?", maxSplits: 1).dropFirst().first else { return nil }
        return query.split(separator: "&").first { $0.hasPrefix("locator=") }.flatMap { PercentEncoding.decode($0.dropFirst(8)) }
    }

    private func gone(
        _ operation: String, _ work: () async throws(SalesforceError) -> HTTPResponse
    ) async throws(SalesforceError) -> HTTPResponse {
        do throws(SalesforceError) {
            return try await work()
        } catch {
            throw Self.gone(error, operation)
        }
    }

    /// A job that does not exist any more is a reason to start again, not one for a person.
    private static func gone(_ error: SalesforceError, _ operation: String) -> SalesforceError {
        guard error.status == 404, error.disposition == .configuration else { return error }
        return SalesforceError(
            .restartQuery, code: error.code, message: "the job does not exist any more", status: 404,
            requestID: error.requestID, operation: operation)
    }
}
