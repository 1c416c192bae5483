internal import Logging
internal import PostgresClient
internal import SalesforceAPI

/// What `hc_load_begin` says of a load: new, or taken up where an earlier relay left it.
struct LoadPlan: Decodable, Sendable {
    var load: Int
    var kind: String
    var step: String?
    var object: String
    var soql: String
    var table: String
    var copy: String
    /// The bulk query that runs for it.
    var job: LoadJob?
    /// Where its next page is; `end` after the last.
    var locator: String?
    var rows: Int
    var expected: Int?
    /// More records than that are loaded through Bulk.
    var threshold: Int

    /// Whether all records have been read, and only steps in the database are left.
    var isFilled: Bool { locator == Self.end || (step.map { $0 != "fill" } ?? false) }
    static let end = "end"
}

/// A bulk query as it is kept with the load, so that another relay can go on with it.
struct LoadJob: Codable, Sendable, Equatable {
    enum API: String, Codable, Sendable { case bulk1, bulk2 }
    var api: API
    var id: String
    /// The org's time just before the query began: polls begin there, however often the load is taken up.
    var began: String
}

/// One load of one mapping, on a session of its own.
struct Load: Sendable {
    let database: ProtocolSession
    let org: OrgAccess
    let log: EventLog
    let configuration: RelayConfiguration
    let mapping: String

    /// - Throws: ``PostgresError`` when leadership or the session is lost. What Salesforce refuses is told to the database, and
    ///   the load is taken up again when its time comes.
    func run() async throws {
        do {
            guard let plan = try await database.ask(LoadPlan.self, "hc_load_begin", .text(mapping)) else { return }
            try await CallPurpose.$current.withValue(CallPurpose(kind: .load, mappings: [mapping])) { try await run(plan) }
        } catch let error as PostgresError where error.isUnknown || error.isWrongState {
            return   // removed meanwhile
        }
    }

    private func run(_ plan: LoadPlan) async throws {
        let progress = LoadProgress()
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await progress.report(log, mapping: mapping, object: plan.object, every: configuration.timing.progress) }
                defer { group.cancelAll() }
                try await fillAndFinish(plan, progress)
            }
        } catch let error as SalesforceError {
            await org.met(error)
            if error.disposition == .restartQuery { try await database.call("hc_load_restart", .int(plan.load)) }
            try await failed(plan, ReadFailure(error), requestID: error.requestID)
        } catch let error as PostgresError
            where !error.isConnectionLoss && !error.isStaleEpoch && !error.isUnknown && error.code != .cancelled
        {
            try await failed(
                plan, ReadFailure(code: error.sqlState ?? "PG", message: error.description, kind: error.isTransient ? .transient : .configuration))
        }
    }

    private func fillAndFinish(_ plan: LoadPlan, _ progress: LoadProgress) async throws {
        let start = ContinuousClock.now
        var began: String?
        if !plan.isFilled {
            let client = try await org.ready()
            began = try await fill(plan, client, progress)
            // Asked to stop: the next leader goes on.
            guard began != nil else { return }
        }
        guard let rows = try await finish(plan, began: began ?? plan.job?.began, progress) else { return }
        let duration = ContinuousClock.now - start
        log.mapping(mapping, "RELOAD COMPLETE", state: "RELOAD_TABLE", [
            "object": .string(plan.object), "rows": .stringConvertible(rows), "ms": .stringConvertible(duration.milliseconds),
        ])
    }

    /// Reads every record into the private table.
    /// - Returns: the org's time before the query began; nil when it ended early because the service stops.
    private func fill(_ plan: LoadPlan, _ client: SalesforceClient, _ progress: LoadProgress) async throws -> String? {
        let bulk = BulkLoad(database: database, client: client, log: log, pageSize: configuration.bulkPageSize, mapping: mapping)
        if let job = plan.job {
            log.mapping(mapping, "Loading table \(plan.object.lowercased()) via Bulk goes on", state: "LOADING_BULK_JOB", [
                "rows": .stringConvertible(plan.rows), "job": .string(job.id),
            ])
            return try await bulk.read(plan, job, progress) ? job.began : nil
        }
        let began = try await OrgTime.now(client).text
        let count = try await client.count(plan.object)
        progress.begin("RELOAD_TABLE", rows: 0, expected: count)
        let usesBulk = count > plan.threshold
        log.mapping(mapping, "Loading table \(plan.object.lowercased()) via \(usesBulk ? "Bulk" : "REST")", state: "RELOAD_TABLE", [
            "expected": .stringConvertible(count), "load": .stringConvertible(plan.load),
        ])
        if usesBulk {
            do {
                return try await bulk.start(plan, expected: count, began: began, progress) ? began : nil
            } catch let error as SalesforceError where BulkLoad.isRefusal(error) {
                // Some objects are not served by Bulk (API reference 4.3): they go by queries, however many they are.
                log.mapping(mapping, "BULK REFUSED, LOADING BY QUERIES", state: "RELOAD_TABLE", level: .notice, [
                    "error": .stringConvertible(error), "error_code": .string(error.code ?? ""),
                ])
            }
        }
        return try await readByQueries(plan, client, progress) ? began : nil
    }

    private func readByQueries(_ plan: LoadPlan, _ client: SalesforceClient, _ progress: LoadProgress) async throws -> Bool {
        var pages = client.query(plan.soql)
        while let page = try await pages.next() {
            if page.count > 0, let rows = try await database.call("hc_load_records", .int(plan.load), .json(page.records)) {
                progress.set(rows: Int(rows) ?? 0)
            }
            if isStopping { return false }
        }
        return true
    }

    /// Indexes, triggers and the name of a first load; the merge of a reload, in chunks.
    /// - Returns: the rows loaded; nil when it ended early because the service stops.
    private func finish(_ plan: LoadPlan, began: String?, _ progress: LoadProgress) async throws -> Int? {
        struct Step: Decodable {
            var done: Bool
            var rows: Int
        }
        progress.set(phase: "RELOAD_TABLE")
        var backoff = Backoff(base: .milliseconds(100), cap: .seconds(2))
        while !isStopping {
            do {
                guard let step = try await database.ask(Step.self, "hc_load_finish", .int(plan.load), .text(began)) else { return nil }
                if step.done { return step.rows }
                backoff.reset()
            } catch let error as PostgresError where error.isTransient && !error.isConnectionLoss && backoff.attempt < 20 {
                await rest(for: backoff.next())
            }
        }
        return nil
    }

    private func failed(_ plan: LoadPlan, _ failure: ReadFailure, requestID: String? = nil) async throws {
        log.mapping(
            mapping, "RELOAD FAILED", state: failure.kind == .configuration ? "BAD_CONFIG" : "RELOAD_TABLE",
            level: failure.kind == .configuration ? .error : .warning, [
                "object": .string(plan.object), "error": .string(failure.message), "error_code": .string(failure.code),
                "kind": .string(failure.kind.rawValue), "request_id": .string(requestID ?? ""),
            ])
        try await database.call(
            "hc_load_failed", .int(plan.load), .text(failure.code), .text(failure.message), .text(failure.kind.rawValue))
    }
}
