internal import Logging
internal import PostgresClient
internal import SalesforceAPI

/// Runs Bulk jobs. The database says what is next (`hc_bulk_next`) and keeps each step before the next one begins, so that a
/// job goes on where it was when this relay ends, or when an answer is lost.
struct BulkJobRunner: BulkRunner {
    /// On the session that holds the connection's lock: steps that are about to be sent are noted there.
    let database: ProtocolSession
    let rows: BulkRows
    let org: OrgAccess
    let log: EventLog
    let timing: RelayTiming

    /// Waits between two looks at a job that runs.
    static let firstLook = Duration.milliseconds(500)
    static let longestLook = Duration.seconds(10)
    /// So often the same result is asked for again before its rows count as in doubt.
    static let mostReads = 8

    func run(_ call: CallRequest, steps: DatabaseCombiner) async throws -> BatchOutcome? {
        guard let batch = call.batches.first?.batch else { return nil }
        let begun = ContinuousClock.now
        var attempt = Attempt()
        do {
            while let step = try await database.ask(BulkStep.self, "hc_bulk_next", .int(batch)) {
                if let note = step.note { self.note(note, step) }
                // What has been sent goes on in Salesforce, and the next leader with it.
                if isStopping || step.action == .nothing { return nil }
                if step.action == .end {
                    report(try await database.ask(BulkSummary.self, "hc_bulk_end", .int(batch)), step, batch, begun)
                    return nil
                }
                do {
                    let client = try await org.ready()
                    guard try await take(step, BulkTurn(client: client, database: database, org: org, batch: batch, timing: timing), &attempt) else { return nil }
                } catch let error as SalesforceError {
                    await org.met(error)
                    try await failed(step, batch, error, &attempt)
                } catch let error as PostgresError where error.isOfRows {
                    try await failed(step, batch, error, &attempt)
                }
            }
        } catch let error as PostgresError where error.isUnknown || error.isWrongState {
            // Its mapping was removed, or a person decided meanwhile.
            log.sync("BULK JOB NOT WANTED", state: "POLLING_DB_CHANGES", level: .notice, [
                "batch": .stringConvertible(batch), "error": .stringConvertible(error),
            ])
        }
        return nil
    }

    /// What the loop remembers from one step to the next.
    private struct Attempt {
        var look = BulkJobRunner.firstLook
        var backoff = Backoff(base: .seconds(1), cap: .seconds(30))
        var failures = 0

        mutating func succeeded() {
            backoff.reset()
            failures = 0
        }
    }

    /// - Returns: false when the batch is not this job's any more.
    private func take(_ step: BulkStep, _ turn: BulkTurn, _ attempt: inout Attempt) async throws -> Bool {
        var goesOn = true
        switch step.action {
        case .create: goesOn = try await create(step, turn)
        case .find: goesOn = try await turn.find(step)
        case .upload: try await turn.upload(step, rows)
        case .abandon: goesOn = try await turn.abandon(step)
        case .close: try await turn.close(step)
        case .ask: try await turn.ask(step)
        case .look:
            if try await turn.look(step) { break }
            await rest(for: attempt.look)
            attempt.look = min(attempt.look * 1.5, Self.longestLook)
        case .read: try await turn.read(step, rows)
        case .end, .nothing: goesOn = false
        }
        attempt.succeeded()
        return goesOn
    }

    /// A refused job is no failure of its changes: they go by single calls.
    private func create(_ step: BulkStep, _ turn: BulkTurn) async throws -> Bool {
        do {
            try await turn.create(step)
            return true
        } catch let error as SalesforceError {
            await org.met(error)
            // The day's jobs are used up: single calls have another limit.
            let isUsedUp = ["EXCEEDEDQUOTA", "ExceededQuota"].contains(error.code)
            let outcome = BatchOutcome(error)
            switch outcome {
            case .inDoubt: throw error
            case .notRun(let code, let message, _, _) where !isUsedUp:
                log.mapping(step.mapping, "BULK JOB WAITS", state: "POLLING_DB_CHANGES", level: .warning, [
                    "batch": .stringConvertible(turn.batch), "error": .string(message), "error_code": .string(code),
                ])
                try await turn.giveUp("not_run", outcome.json)
            case .notRun, .refused, .answered:
                if let note = try await turn.giveUp("refused", BulkTurn.reason(error.code, error.message)) { self.note(note, step) }
            }
            return false
        }
    }

    private func failed(_ step: BulkStep, _ batch: Int, _ error: any Error, _ attempt: inout Attempt) async throws {
        attempt.failures += 1
        let known = error as? SalesforceError
        log.mapping(step.mapping, "BULK JOB INTERRUPTED", state: "POLLING_DB_CHANGES", level: .warning, [
            "batch": .stringConvertible(batch), "step": .string(step.action.rawValue), "job": .string(step.job ?? ""),
            "error": .string("\(error)"), "error_code": .string(known?.code ?? ""), "attempt": .stringConvertible(attempt.failures),
        ])
        let isGone = known?.status == 404 || known?.disposition == .restartQuery
        if step.action == .look && isGone || step.action == .read && attempt.failures >= Self.mostReads {
            _ = try await database.call(
                "hc_bulk_give_up", .int(batch), .text("gone"), .json(BulkTurn.reason(known?.code, "\(error)")))
            return
        }
        await rest(for: max(known?.retryAfter ?? .zero, attempt.backoff.next()))
    }

    private func note(_ line: String, _ step: BulkStep) {
        log.mapping(step.mapping, line, state: "POLLING_DB_CHANGES", level: .warning)
    }

    private func report(_ summary: BulkSummary?, _ step: BulkStep, _ batch: Int, _ begun: ContinuousClock.Instant) {
        guard let summary else { return }
        if let line = summary.note { note(line, step) }
        let duration = ContinuousClock.now - begun
        let verb = (step.operation ?? "").uppercased()
        log.mapping(
            step.mapping, "\(step.object ?? "") BULK \(verb) ↑SALESFORCE \(summary.rows ?? 0) rows (\(duration.secondsText) secs)",
            state: "POLLING_DB_CHANGES", level: summary.failed ?? 0 > 0 ? .warning : .info, [
                "batch": .stringConvertible(batch), "job": .string(step.job ?? ""), "rows": .stringConvertible(summary.rows ?? 0),
                "failed": .stringConvertible(summary.failed ?? 0), "serial": .stringConvertible(summary.serial ?? 0),
                "again": .stringConvertible(summary.again ?? 0), "doubtful": .stringConvertible(summary.doubtful ?? 0),
                "ms": .stringConvertible(duration.milliseconds),
            ])
    }
}
