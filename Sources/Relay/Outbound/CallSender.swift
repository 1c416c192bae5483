internal import Logging
internal import PostgresClient
internal import SalesforceAPI

/// Takes one claimed call through its conversation: sent, talk, answer.
///
/// Between the mark and the stored answer the outcome is unknown to everybody else. If this relay ends there, the next leader
/// finds the batches sent and unanswered, and the database decides what may be repeated.
struct CallSender: Sendable {
    /// On the session that holds the connection's lock.
    let steps: DatabaseCombiner
    let org: OrgAccess
    let log: EventLog
    let timing: RelayTiming
    let bulk: (any BulkRunner)?

    /// Sends the call and stores what became of each of its batches.
    /// - Returns: nothing for a job that goes on without this relay.
    /// - Throws: when leadership or the session is lost; the call is then resolved by the next leader.
    func send(_ call: CallRequest) async throws -> [BatchAnswer] {
        let mappings = Set(call.batches.map(\.mapping)).sorted()
        return try await CallPurpose.$current.withValue(CallPurpose(kind: .write, mappings: mappings)) { try await converse(call) }
    }

    private func converse(_ call: CallRequest) async throws -> [BatchAnswer] {
        if call.api != .single, let bulk {
            let (outcome, duration) = try await timed { try await bulk.run(call, steps: steps) }
            guard let outcome else { return [] }
            return try await stored(call.batches.map { BatchAnswer(batch: $0.batch, outcome: outcome) }, of: call, duration)
        }
        let (answers, duration) = try await timed { try await talk(call) }
        return try await stored(answers, of: call, duration)
    }

    private func stored(_ answers: [BatchAnswer], of call: CallRequest, _ duration: Duration) async throws -> [BatchAnswer] {
        try await store(answers)
        for (answer, batch) in zip(answers, call.batches) { report(answer.outcome, of: batch, in: call, duration) }
        return answers
    }

    private func talk(_ call: CallRequest) async throws -> [BatchAnswer] {
        let requests: [CallRequest]
        let client: SalesforceClient
        do {
            client = try await org.ready()
            requests = call.requests(mixes: try await client.mixesTypes(inUpsert: call.operation == .upsert))
        } catch let error as SalesforceError {
            return call.batches.map { BatchAnswer(batch: $0.batch, outcome: BatchOutcome(login: error)) }
        }
        var answers: [BatchAnswer] = []
        var hindrance: BatchOutcome?
        for request in requests {
            // What stopped one request would meet the next as well, and of that nothing ran.
            let answered =
                if let hindrance { request.batches.map { BatchAnswer(batch: $0.batch, outcome: hindrance) } }
                else { try await exchange(request, client) }
            answers += answered
            if case .notRun? = answered.first?.outcome { hindrance = answered.first?.outcome }
        }
        return answers
    }

    private func exchange(_ request: CallRequest, _ client: SalesforceClient) async throws -> [BatchAnswer] {
        let mark = SentMark(steps: steps, org: org, call: request.call, validity: timing.sentMarkValidity)
        do {
            // A call that had to be split counts for the mappings of each part.
            let mappings = Set(request.batches.map(\.mapping)).sorted()
            let reply = try await CallPurpose.$current.withValue(CallPurpose(kind: .write, mappings: mappings)) {
                try await WriteGuards.$current.withValue(mark) { try await client.send(request) }
            }
            return request.split(reply)
        } catch let error as SalesforceError {
            // Without the mark nothing was sent: the session or the lead is lost, or a batch is not open any more.
            if let refusal = mark.refusal, (refusal as? PostgresError)?.isAboutBatch != true { throw refusal }
            await org.met(error)
            let outcome = BatchOutcome(error)
            return request.batches.map { BatchAnswer(batch: $0.batch, outcome: outcome) }
        }
    }

    /// Stores the outcomes, again and again while the session lives: giving up would leave known answers in doubt.
    private func store(_ answers: [BatchAnswer]) async throws {
        var backoff = Backoff(base: .milliseconds(100), cap: .seconds(2))
        while true {
            do {
                return try await steps.store(answers)
            } catch let error as PostgresError where error.isTransient && !error.isConnectionLoss && error.code != .cancelled {
                log.sync("STORING ANSWER WAITS", state: "POLLING_DB_CHANGES", level: .warning, [
                    "batch": .stringConvertible(answers.first?.batch ?? 0), "error": .stringConvertible(error),
                ])
                do { try await Task.sleep(for: backoff.next()) } catch { throw PostgresError(code: .cancelled) }
            } catch let error as PostgresError where error.isAboutBatch {
                // Its mapping was removed, or a person decided meanwhile. The others' answers count all the same.
                if answers.count > 1 {
                    for answer in answers { try await store([answer]) }
                    return
                }
                log.sync("ANSWER NOT WANTED", state: "POLLING_DB_CHANGES", level: .notice, [
                    "batch": .stringConvertible(answers.first?.batch ?? 0), "error": .stringConvertible(error),
                ])
                return
            }
        }
    }

    private func report(_ outcome: BatchOutcome, of batch: BatchRequest, in call: CallRequest, _ duration: Duration) {
        var facts: Logger.Metadata = [
            "batch": .stringConvertible(batch.batch), "rows": .stringConvertible(batch.records.count),
            "ms": .stringConvertible(duration.milliseconds), "operation": .string(batch.operation.rawValue),
            "attempt": .stringConvertible(batch.attempt), "outcome": .string(outcome.name),
        ]
        if call.batches.count > 1 { facts["call"] = .stringConvertible(call.call) }
        if call.api != .single { facts["api"] = .string(call.api.rawValue) }
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
        case .notRun(let code, let message, _, _):
            level = .warning
            facts["error"] = .string(message)
            facts["error_code"] = .string(code)
        case .inDoubt(let code, let message, _), .refused(let code, let message, _, _):
            level = .error
            facts["error"] = .string(message)
            facts["error_code"] = .string(code)
        }
        log.sync(event, state: "POLLING_DB_CHANGES", level: level, facts)
    }
}

extension PostgresError {
    /// The batch is gone, or not in a state for what was asked.
    fileprivate var isAboutBatch: Bool { isUnknown || isWrongState }
}
