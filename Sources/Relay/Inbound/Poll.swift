internal import Logging
internal import PostgresClient
internal import SalesforceAPI

/// One poll of one mapping: what changed since its cursor, what was deleted, and how far the cursor may move. Holds one page
/// of records at a time, as the bytes that came.
struct Poll: Sendable {
    struct Plan: Decodable, Sendable {
        struct Deletes: Decodable, Sendable { var start: String }
        var object: String
        var soql: String
        var deletes: Deletes?
        var horizonWanted: Bool

        private enum CodingKeys: String, CodingKey {
            case object, soql, deletes
            case horizonWanted = "horizon_wanted"
        }
    }

    let database: ProtocolSession
    let org: OrgAccess
    let log: EventLog
    let mapping: String

    private var merge: Merge { Merge(database: database, log: log) }

    /// - Throws: ``PostgresError`` when leadership or the session is lost. What Salesforce refuses is told to the database.
    /// - Returns: false when there was nothing to poll.
    func run() async throws -> Bool {
        do {
            guard let plan = try await database.ask(Plan.self, "hc_poll_begin", .text(mapping)) else { return false }
            try await CallPurpose.$current.withValue(CallPurpose(kind: .read, mappings: [mapping])) { try await poll(plan) }
        } catch let error as SalesforceError {
            await org.met(error)
            try await failed(ReadFailure(error), requestID: error.requestID)
        } catch let error as PostgresError where error.isUnknown || error.isWrongState {
            return false   // removed, paused or reloaded meanwhile
        } catch let error as PostgresError where !error.isConnectionLoss && !error.isStaleEpoch && error.code != .cancelled {
            try await failed(
                ReadFailure(
                    code: error.sqlState ?? "PG", message: error.description, kind: error.isTransient ? .transient : .configuration))
        }
        return true
    }

    private func poll(_ plan: Plan) async throws {
        let client = try await org.ready()
        let began = try await OrgTime.now(client)
        let rows = try await readChanges(plan, client, began)
        guard !isStopping else { return }   // the cursor stays, and the next leader asks again
        try await readDeletes(plan, client, began)
        let horizon = rows > 0 || plan.horizonWanted ? await horizon(plan.object, client, began) : nil
        try await database.call("hc_poll_done", .text(mapping), .int(rows), .text(began.text), .text(horizon))
    }

    private func readChanges(_ plan: Plan, _ client: SalesforceClient, _ began: OrgTime) async throws -> Int {
        var pages = client.query(plan.soql)
        var rows = 0
        let clock = ContinuousClock()
        let start = clock.now
        while !isStopping, let page = try await pages.next() {
            guard page.count > 0 else { continue }
            rows += page.count
            try await database.call("hc_stage", .text(mapping), .json(page.records), .text(began.text))
            _ = try await merge.run(mapping, object: plan.object)
        }
        let duration = clock.now - start
        log.sync(
            "\(plan.object) QUERY ↷SALESFORCE \(rows) rows (\(duration.secondsText) secs)", level: rows > 0 ? .info : .debug, [
                "mapping": .string(mapping), "rows": .stringConvertible(rows), "ms": .stringConvertible(duration.milliseconds),
            ])
        return rows
    }

    /// Salesforce refuses a window of a minute or less (API reference 2.10).
    private func readDeletes(_ plan: Plan, _ client: SalesforceClient, _ began: OrgTime) async throws {
        guard let start = plan.deletes.flatMap({ OrgTime($0.start) }), began.since(start) > .seconds(60) else { return }
        let (deleted, duration) = try await timed { try await client.getDeleted(plan.object, from: start.text, to: began.text) }
        try await database.call(
            "hc_deleted", .text(mapping), .json(deleted.records), .text(deleted.earliestDateAvailable), .text(deleted.latestDateCovered))
        guard deleted.count > 0 else { return }
        log.sync("\(plan.object) GETDELETED ↷SALESFORCE \(deleted.count) rows (\(duration.secondsText) secs)", [
            "mapping": .string(mapping), "rows": .stringConvertible(deleted.count), "ms": .stringConvertible(duration.milliseconds),
        ])
        _ = try await merge.run(mapping, object: plan.object)
    }

    /// Where the org says that nothing older can still be committed; nil, which means a longer overlap, where it cannot say.
    private func horizon(_ object: String, _ client: SalesforceClient, _ began: OrgTime) async -> String? {
        do throws(SalesforceError) {
            return try await client.getUpdated(object, from: began.earlier(by: .seconds(120)).text, to: began.text).latestDateCovered
        } catch {
            log.mapping(mapping, "HORIZON UNKNOWN", state: "POLLING_SF_CHANGES", level: .debug, ["error": .stringConvertible(error)])
            return nil
        }
    }

    private func failed(_ failure: ReadFailure, requestID: String? = nil) async throws {
        log.mapping(
            mapping, "POLL FAILED", state: failure.kind == .configuration ? "BAD_CONFIG" : "DATA_SYNCED",
            level: failure.kind == .configuration ? .error : .warning, [
                "error": .string(failure.message), "error_code": .string(failure.code), "kind": .string(failure.kind.rawValue),
                "request_id": .string(requestID ?? ""),
            ])
        do throws(PostgresError) {
            try await database.call(
                "hc_poll_failed", .text(mapping), .text(failure.code), .text(failure.message), .text(failure.kind.rawValue))
        } catch {
            guard error.isUnknown else { throw error }
        }
    }
}
