internal import PostgresClient
internal import SalesforceAPI

/// One step of a job's conversation: what is asked of Salesforce, noted before, and what came of it, noted after.
struct BulkTurn: Sendable {
    let client: SalesforceClient
    let database: ProtocolSession
    let org: OrgAccess
    let batch: Int
    let timing: RelayTiming

    // MARK: Steps

    func create(_ step: BulkStep) async throws {
        guard let order = step.order else { throw Self.unknown(step) }
        let id = try await marked("create") {
            switch step.api {
            case .bulk1?: try await client.createBulk1IngestJob(order, isSerial: step.isSerial ?? false).id
            default: try await client.createIngestJob(order).id
            }
        }
        try await note("created", ["id": id])
    }

    /// Aborts the job that was made and answered to nobody, if the org's list shows it. It has no rows, so nothing ran either way.
    func find(_ step: BulkStep) async throws -> Bool {
        var listed = "["
        var next: String?
        repeat {
            let (jobs, following) = try await client.listIngestJobs(classic: step.api == .bulk1, nextRecordsURL: next)
            for job in jobs where job.state == "Open" {
                var json = JSONText()
                json.object([
                    "id": job.id, "state": job.state, "object": job.object, "operation": job.operation, "external_id_field": job.externalIdFieldName,
                    "created_by": job.createdById, "created": job.createdDate,
                ])
                listed += (listed == "[" ? "" : ",") + json.text
            }
            next = following
        } while next != nil
        for id in try await database.ask([String].self, "hc_bulk_lost", .int(batch), .json(listed + "]")) ?? [] {
            _ = step.api == .bulk1 ? try await client.abortBulk1Job(id).state : try await client.abortIngestJob(id).state
        }
        try await giveUp("not_run", Self.reason("LOST_ANSWER", "the job that was to be made is not known"))
        return false
    }

    func upload(_ step: BulkStep, _ rows: BulkRows) async throws {
        guard let job = step.job, let header = step.header, let copy = step.copy else { throw Self.unknown(step) }
        let part: String? = try await rows.session { session in
            try await marked("upload") {
                if step.api == .bulk1 {
                    return try await client.addBulk1IngestBatch(job) { try await rows.send(header, copy, session, $0) }.id
                }
                try await client.uploadIngestRows(job) { try await rows.send(header, copy, session, $0) }
                return nil
            }
        }
        try await note("uploaded", ["part": part])
    }

    /// The answer of the upload was lost, or the relay that sent it. Of Bulk 2.0 nothing runs before the close; a batch of Bulk
    /// 1.0 that arrived does, and after the close none can arrive any more.
    func abandon(_ step: BulkStep) async throws -> Bool {
        guard let job = step.job else { throw Self.unknown(step) }
        if step.api == .bulk1 {
            _ = try await client.closeBulk1Job(job)
            if let part = try await client.bulk1Batches(job).first {
                try await note("uploaded", ["part": part.id])
                try await note("closed")
                return true
            }
        } else {
            switch try await ifThere({ try await client.ingestJob(job).state }) {
            case nil, "Aborted"?: break
            case "Open"?: _ = try await client.abortIngestJob(job)
            default:
                // Somebody else has closed it: a job that runs is never sent again.
                try await note("uploaded")
                try await note("closed")
                return true
            }
        }
        try await giveUp("not_run", Self.reason("LOST_ANSWER", "the answer to the upload was lost; the job was aborted before it ran"))
        return false
    }

    func close(_ step: BulkStep) async throws {
        guard let job = step.job else { throw Self.unknown(step) }
        try await marked("close") {
            _ = step.api == .bulk1 ? try await client.closeBulk1Job(job).state : try await client.closeIngestJob(job).state
        }
        try await note("closed")
    }

    func ask(_ step: BulkStep) async throws {
        guard let job = step.job else { throw Self.unknown(step) }
        let state = step.api == .bulk1 ? try await client.bulk1Job(job).state : try await client.ingestJob(job).state
        if state == "Open" { try await close(step) } else { try await note("closed") }
    }

    /// - Returns: whether the job has settled.
    func look(_ step: BulkStep) async throws -> Bool {
        guard let job = step.job else { throw Self.unknown(step) }
        if step.api == .bulk1 {
            guard let part = try await client.bulk1Batches(job).first(where: { $0.id == step.part }) else {
                throw SalesforceError(.restartQuery, code: "InvalidBatch", message: "the batch of the job is gone", operation: "state of a bulk job")
            }
            // Of a job that was aborted, batches that had not begun stay as they are.
            let isAborted = try await part.isSettled ? false : client.bulk1Job(job).state == "Aborted"
            guard part.isSettled || isAborted else { return false }
            try await note("settled", ["state": isAborted ? "Aborted" : part.state, "message": part.stateMessage], numbers: ["processed": part.numberRecordsProcessed])
        } else {
            let job = try await client.ingestJob(job)
            guard job.isSettled else { return false }
            try await note(
                "settled", ["state": job.state, "message": job.errorMessage],
                numbers: ["processed": job.numberRecordsProcessed, "failed": job.numberRecordsFailed])
        }
        return true
    }

    func read(_ step: BulkStep, _ rows: BulkRows) async throws {
        guard let job = step.job, let file = step.file else { throw Self.unknown(step) }
        let isComplete = step.state == "Completed" || step.state == "JobComplete"
        try await rows.session { session in
            do {
                if step.api == .bulk1 {
                    try await client.bulk1IngestResult(job, batch: step.part ?? "") { head, body in
                        try await rows.store(batch, file, head, body, isComplete: isComplete, session)
                    }
                } else {
                    guard let result = BulkIngestResult(rawValue: file) else { throw Self.unknown(step) }
                    try await client.ingestResult(job, result) { head, body in
                        try await rows.store(batch, file, head, body, isComplete: isComplete, session)
                    }
                }
            } catch let error as SalesforceError where !isComplete && [400, 404].contains(error.status) {
                // A job that failed or was aborted early may have none.
                try await rows.storeNothing(batch, file, session)
            }
        }
    }

    // MARK: Notes

    /// Runs a write that is noted on the leader's session immediately before it is sent.
    private func marked<Answer>(_ step: String, _ write: () async throws -> Answer) async throws -> Answer {
        let (database, batch) = (database, batch)
        let mark = SentMark(org: org, work: "bulk batch \(batch)", validity: timing.sentMarkValidity) {
            try await database.call("hc_bulk_step", .int(batch), .text(step))
        }
        do {
            return try await WriteGuards.$current.withValue(mark) { try await write() }
        } catch {
            throw mark.refusal ?? error
        }
    }

    private func note(_ step: String, _ facts: [String: String?] = [:], numbers: [String: Int?] = [:]) async throws {
        var json = JSONText()
        json.object(facts, numbers: numbers)
        try await database.call("hc_bulk_step", .int(batch), .text(step), .json(json.text))
    }

    /// - Parameter reason: `{"code","message"}`, for `not_run` also what `hc_answer` takes.
    @discardableResult
    func giveUp(_ outcome: String, _ reason: String) async throws -> String? {
        struct Answer: Decodable { var note: String? }
        return try await database.ask(Answer.self, "hc_bulk_give_up", .int(batch), .text(outcome), .json(reason))?.note
    }

    static func reason(_ code: String?, _ message: String) -> String {
        var json = JSONText()
        json.object(["code": code, "message": message])
        return json.text
    }

    private func ifThere<Answer>(_ ask: () async throws -> Answer) async throws -> Answer? {
        do { return try await ask() } catch let error as SalesforceError where error.status == 404 { return nil }
    }

    private static func unknown(_ step: BulkStep) -> RelayError {
        RelayError(.notReady, "public.hc_bulk_next answered \(step.action.rawValue) in a shape that this relay does not know: update the extension or the relay")
    }
}
