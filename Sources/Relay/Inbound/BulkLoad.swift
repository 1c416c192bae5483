internal import Logging
internal import PostgresClient
internal import SalesforceAPI

/// The records of a load by a bulk query: CSV pages that stream from Salesforce into COPY, each page and the place of the next
/// in one transaction.
struct BulkLoad: Sendable {
    let database: ProtocolSession
    let client: SalesforceClient
    let log: EventLog
    let pageSize: Int
    let mapping: String

    /// Waits between two looks at a job that runs.
    static let firstLook = Duration.milliseconds(500)
    static let longestLook = Duration.seconds(10)

    /// True for an answer that says that Bulk does not serve the object (API reference 4.1, 4.3).
    static func isRefusal(_ error: SalesforceError) -> Bool {
        ["INVALIDENTITY", "InvalidEntity", "FUNCTIONALITY_NOT_ENABLED", "FeatureNotEnabled", "API_ERROR"].contains(error.code ?? "")
    }

    /// Starts the query and reads its results.
    /// - Returns: false when it ended early because the service stops.
    func start(_ plan: LoadPlan, expected: Int, began: String, _ progress: LoadProgress) async throws -> Bool {
        let job: LoadJob
        switch client.configuration.apiVersion.bulkQuery {
        case .bulk2:
            job = LoadJob(api: .bulk2, id: try await client.createQueryJob(plan.soql).id, began: began)
        case .bulk1:
            let id = try await client.createBulk1QueryJob(plan.object, chunking: SalesforceClient.PKChunking()).id
            _ = try await client.addBulk1QueryBatch(id, soql: plan.soql)
            job = LoadJob(api: .bulk1, id: id, began: began)
        }
        var document = JSONText()
        document.object(["api": job.api.rawValue, "id": job.id, "began": job.began])
        try await database.call("hc_load_job", .int(plan.load), .json(document.text), .int(expected))
        return try await read(plan, job, progress)
    }

    /// Reads the results of a job from the page on at which the load stands.
    /// - Returns: false when it ended early because the service stops.
    func read(_ plan: LoadPlan, _ job: LoadJob, _ progress: LoadProgress) async throws -> Bool {
        progress.begin("WAIT_BULK_LOAD", rows: plan.rows, expected: plan.expected)
        switch job.api {
        case .bulk2: return try await readBulk2(plan, job.id, progress)
        case .bulk1: return try await Bulk1Load(bulk: self, plan: plan, jobID: job.id, progress: progress).read()
        }
    }

    private func readBulk2(_ plan: LoadPlan, _ id: String, _ progress: LoadProgress) async throws -> Bool {
        guard try await waitForCompletion(id) else { return false }
        progress.begin("LOADING_BULK_JOB", rows: plan.rows, expected: plan.expected)
        var locator = plan.locator
        var rows = plan.rows
        repeat {
            if isStopping { return false }
            (locator, rows) = try await client.queryResults(id, locator: locator, maximumRecords: pageSize) { head, body in
                try await store(plan, head, body, nextLocator: head.nextLocator, rowsBefore: rows, progress)
            }
        } while locator != nil
        return true
    }

    private func waitForCompletion(_ id: String) async throws -> Bool {
        var wait = Self.firstLook
        while true {
            let job = try await client.queryJob(id)
            if job.isComplete { return true }
            if job.isFailed {
                throw SalesforceError(
                    .restartQuery, code: "BULK_LOAD_ERROR", message: job.errorMessage ?? "the bulk query ended as \(job.state)",
                    operation: "bulk query of the load")
            }
            await rest(for: wait)
            if isStopping { return false }
            wait = min(wait * 1.5, Self.longestLook)
        }
    }

    /// Copies one page and notes the place of the next, both or neither. A page that came short is rolled back.
    /// - Returns: where the next page is, and the rows so far.
    func store(
        _ plan: LoadPlan, _ head: BulkResultHead, _ body: BulkBody, nextLocator: String?, rowsBefore: Int, _ progress: LoadProgress
    ) async throws -> (String?, Int) {
        let (count, duration) = try await timed {
            try await database.session.postgres.transaction { transaction in
                var filter = CSVPageFilter()
                _ = try await transaction.copyIn(plan.copy) {
                    while let chunk = try await body.next() {
                        let passed = filter.transform(chunk)
                        progress.set(rows: rowsBefore + filter.recordCount)
                        if !passed.isEmpty { return passed }
                    }
                    filter.finish()
                    return nil
                }
                try Self.refuseShort(filter, head)
                _ = try await transaction.query(
                    "SELECT public.hc_load_page($1, $2, $3, $4, $5)",
                    database.prefix + [.int(plan.load), .text(nextLocator), .int(filter.recordCount)])
                return filter.recordCount
            }
        }
        progress.set(rows: rowsBefore + count)
        log.mapping(mapping, "\(plan.object) BULK ↷SALESFORCE \(count) rows (\(duration.secondsText) secs)", state: "LOADING_BULK_JOB", level: .debug, [
            "rows": .stringConvertible(rowsBefore + count), "page_rows": .stringConvertible(count), "ms": .stringConvertible(duration.milliseconds),
        ])
        return (nextLocator, rowsBefore + count)
    }

    /// A page must hold as many records as its header promises, and as many bytes as the answer announced.
    static func refuseShort(_ filter: CSVPageFilter, _ head: BulkResultHead) throws(SalesforceError) {
        let isShort =
            !filter.isComplete || head.numberOfRecords.map { $0 != filter.recordCount } ?? false
            || head.bodyLength.map { $0 != filter.bytesRead } ?? false
        guard isShort else { return }
        throw SalesforceError(
            .inDoubt, code: "short_page",
            message: "a page of the result holds \(filter.recordCount) records, \(head.numberOfRecords.map { "\($0)" } ?? "more") were promised",
            operation: "results of a bulk query")
    }
}
