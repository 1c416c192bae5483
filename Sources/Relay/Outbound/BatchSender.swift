internal import Logging
internal import PostgresClient
internal import SalesforceAPI

/// Takes one claimed batch through its conversation: sent, talk, answer, apply.
///
/// Between `hc_sent` and the stored answer the outcome is unknown to everybody else. If this relay ends there, the next leader
/// finds the batch sent and unanswered, and the database decides what may be repeated.
struct BatchSender: Sendable {
    let database: ProtocolSession
    let org: OrgAccess
    let log: EventLog
    let timing: RelayTiming

    /// - Throws: ``PostgresError`` when leadership or the session is lost; the batch is then resolved by the next leader.
    func send(_ batch: BatchRequest) async throws -> BatchOutcome {
        let (outcome, duration) = try await timed { try await talk(batch) }
        try await store(outcome, of: batch)
        report(outcome, of: batch, duration)
        if outcome.obstacle == nil { try await apply(batch.batch) }
        return outcome
    }

    private func talk(_ batch: BatchRequest) async throws -> BatchOutcome {
        let client: SalesforceClient
        do {
            client = try await org.ready()
        } catch let error as SalesforceError {
            // Not sent: whatever the login's failure was, no change was in it.
            return .notRun(code: error.code ?? "LOGIN_FAILED", message: error.description, retryAfter: error.retryAfter)
        }
        let mark = SentMark(database: database, org: org, batch: batch.batch, validity: timing.sentMarkValidity)
        let outcome: BatchOutcome
        do {
            let reply = try await WriteGuards.$current.withValue(mark) {
                try await client.send(batch)
            }
            outcome = .answered(reply)
        } catch let error as SalesforceError {
            // Without the mark nothing was sent, and the session or the lead is lost.
            if let refusal = mark.refusal { throw refusal }
            await org.met(error)
            outcome = BatchOutcome(error)
        }
        return outcome
    }

    /// Stores the outcome, again and again while the session lives: giving up would leave a known answer in doubt.
    private func store(_ outcome: BatchOutcome, of batch: BatchRequest) async throws(PostgresError) {
        var backoff = Backoff(base: .milliseconds(100), cap: .seconds(2))
        while true {
            do throws(PostgresError) {
                try await database.call("hc_answer", .int(batch.batch), .text(outcome.name), outcome.document)
                return
            } catch {
                guard error.isTransient, !error.isConnectionLoss, error.code != .cancelled else { throw error }
                log.sync("STORING ANSWER WAITS", state: "POLLING_DB_CHANGES", level: .warning, [
                    "batch": .stringConvertible(batch.batch), "error": .stringConvertible(error),
                ])
                do { try await Task.sleep(for: backoff.next()) } catch { throw PostgresError(code: .cancelled) }
            }
        }
    }

    /// Applies a stored answer. What waits for a lock is named by `hc_work` when it is due again.
    /// - Returns: whether anything was applied.
    @discardableResult
    func apply(_ batch: Int) async throws -> Bool {
        do {
            let applied = try await database.ask(Applied.self, "hc_apply", .int(batch))
            if let applied, applied.waiting > 0 {
                log.sync("ROWS WAIT FOR THE APPLICATION", state: "POLLING_DB_CHANGES", level: .notice, [
                    "batch": .stringConvertible(batch), "rows": .stringConvertible(applied.waiting),
                ])
            }
            return (applied?.applied ?? 0) > 0
        } catch let error as PostgresError where !error.isConnectionLoss && (error.isTransient || error.isWrongState || error.isUnknown) {
            log.sync("APPLYING ANSWER WAITS", state: "POLLING_DB_CHANGES", level: .notice, [
                "batch": .stringConvertible(batch), "error": .stringConvertible(error),
            ])
            return false
        }
    }

    private struct Applied: Decodable {
        var applied: Int
        var waiting: Int
    }

    private func report(_ outcome: BatchOutcome, of batch: BatchRequest, _ duration: Duration) {
        var facts: Logger.Metadata = [
            "batch": .stringConvertible(batch.batch), "rows": .stringConvertible(batch.records.count),
            "ms": .stringConvertible(duration.milliseconds), "operation": .string(batch.operation.rawValue),
            "attempt": .stringConvertible(batch.attempt), "outcome": .string(outcome.name),
        ]
        let event = "\(batch.object) \(batch.verb) ↑SALESFORCE \(batch.records.count) rows (\(duration.secondsText) secs)"
        var level = Logger.Level.info
        switch outcome {
        case .answered(let reply):
            let failed = reply.results.filter { !$0.success }
            facts["failed"] = .stringConvertible(failed.count)
            facts["request_id"] = reply.requestID.map { .string($0) }
            if let first = failed.first?.errors.first {
                level = .warning
                facts["error_code"] = .string(first.statusCode)
            }
        case .notRun(let code, let message, _):
            level = .warning
            facts["error"] = .string(message)
            facts["error_code"] = .string(code)
        case .inDoubt(let code, let message), .refused(let code, let message, _):
            level = .error
            facts["error"] = .string(message)
            facts["error_code"] = .string(code)
        }
        log.sync(event, state: "POLLING_DB_CHANGES", level: level, facts)
    }
}
