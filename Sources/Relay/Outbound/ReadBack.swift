internal import Logging
internal import PostgresClient
internal import SalesforceAPI

/// Reads back what was written, so that rows reach SYNCED with what the org made of them.
struct ReadBack: Sendable {
    struct Request: Decodable, Sendable {
        var mapping: String
        var object: String
        var fields: [String]
        var ids: [String]
        var token: Int
    }

    let database: ProtocolSession
    let org: OrgAccess
    let log: EventLog

    /// Reads everything that is due, up to 2,000 records a call.
    /// - Returns: nil when nothing is left; otherwise how long to leave the rest alone.
    func run() async throws -> Duration? {
        while !isStopping, let request = try await database.ask(Request.self, "hc_read_back_next") {
            do {
                try await CallPurpose.$current.withValue(CallPurpose(kind: .read, mappings: [request.mapping])) { try await read(request) }
            } catch let error as SalesforceError {
                await org.met(error)
                log.mapping(request.mapping, "READ BACK FAILED", state: "DATA_SYNCED", level: .warning, [
                    "object": .string(request.object), "rows": .stringConvertible(request.ids.count), "error": .stringConvertible(error),
                    "error_code": .string(error.code ?? ""), "request_id": .string(error.requestID ?? ""),
                ])
                // The database offers the same records again in half a minute.
                return error.retryAfter ?? .seconds(1)
            }
        }
        return nil
    }

    private func read(_ request: Request) async throws {
        let client = try await org.ready()
        let answer = try await client.retrieve(request.object, fields: request.fields, ids: request.ids)
        try await merge(request, answer)
        log.mapping(
            request.mapping, "\(request.object) RETRIEVE ↷SALESFORCE \(request.ids.count) rows (\(answer.duration.secondsText) secs)",
            state: "DATA_SYNCED", [
                "rows": .stringConvertible(request.ids.count), "ms": .stringConvertible(answer.duration.milliseconds),
                "request_id": .string(answer.requestID ?? ""),
            ])
    }

    private func merge(_ request: Request, _ answer: RetrievedRecords) async throws {
        do throws(PostgresError) {
            try await database.call(
                "hc_read_back_merge", .text(request.mapping), .int(request.token), .textArray(request.ids), .json(answer.records))
        } catch {
            // The records stay due and are read again.
            guard error.isTransient, !error.isConnectionLoss else {
                if error.isUnknown { return }
                throw error
            }
        }
    }
}
