import Foundation

extension Bulk1Handler {
    static let mostBytes = 10_000_000

    func addBatch(_ job: BulkJob, _ context: CallContext) throws -> Reply {
        // A batch that a closed job refuses counts all the same.
        try jobs.countBatch(limit: context.state.settings.dailyBulkBatches, now: context.state.now)
        guard job.state == .open else { throw notOpen(job) }
        guard request.body.count <= Bulk1Handler.mostBytes else {
            throw BulkFailure("ClientInputError", "Failed to read request. Exceeded max size limit of \(Bulk1Handler.mostBytes)")
        }
        guard !request.body.isEmpty else { throw BulkFailure("ClientInputError", "The batch is empty") }
        try checkContentType(job)
        var job = job
        let state = context.state
        var batch = try state.newBatch(job.operation.isQuery ? String(decoding: request.body, as: UTF8.self) : "", nil, context.db)
        if job.operation.isQuery {
            do {
                _ = try state.bulkPlan(batch.query, job: job)
            } catch {
                batch.state = .failed
                batch.message = BulkFailure(error).text
            }
        } else {
            let file = try jobs.file(batch.id + ".request")
            try request.body.write(to: file)
            batch.request = file.path
            batch.rejections = context.rejections
        }
        job.batches.append(batch)
        jobs[job.id] = job
        jobs.dispatch(job.id, workers: state.settings.bulk.workers)
        return self.batch(batch, of: job, status: 201)
    }

    /// The body must be what the job was made for; a query may also come as plain text.
    private func checkContentType(_ job: BulkJob) throws {
        let fitting = switch job.contentType {
        case .csv: ["text/csv"]
        case .xml: ["application/xml", "text/xml"]
        case .json: ["application/json"]
        }
        let sent = request.contentType
        guard fitting.contains(sent) || (job.operation.isQuery && (sent == "text/plain" || sent == "text/csv" || sent.isEmpty)) else {
            throw BulkFailure("InvalidBatch", "The content type \(sent) does not fit the job's contentType \(job.contentType.rawValue)")
        }
    }

    func find(_ job: BulkJob) throws -> BulkJob.Batch {
        guard parts.count > 2, let batch = job.batches.first(where: { $0.id == RecordIdentifier.normalized(parts[2]) }) else {
            throw BulkFailure("InvalidBatch", "Unable to find object: \(parts.count > 2 ? parts[2] : "")")
        }
        return batch
    }

    /// Batches of a CSV job answer XML, whatever the format of the job's own request.
    func batch(_ batch: BulkJob.Batch, of job: BulkJob, status: Int) -> Reply {
        BulkDocument.reply(status, "batchInfo", BulkDocument.batch(batch, of: job), json: job.contentType == .json)
    }

    func batchList(_ job: BulkJob) -> Reply {
        let all = job.batches.map { BulkDocument.batch($0, of: job) }
        if job.contentType == .json {
            return BulkDocument.reply(200, (["batchInfo": .array(all.map { BulkDocument.object($0) })] as JSON).text, json: true)
        }
        var writer = BulkDocument.start("batchInfoList")
        for fields in all {
            writer.open("batchInfo")
            for (name, text) in fields { writer.element(name, text) }
            writer.close("batchInfo")
        }
        writer.close("batchInfoList")
        return BulkDocument.reply(200, writer.text, json: false)
    }

    private func type(of job: BulkJob) -> String {
        switch job.contentType {
        case .csv: "text/csv"
        case .xml: "application/xml"
        case .json: "application/json"
        }
    }

    /// The rows or the query as they were sent.
    func body(of batch: BulkJob.Batch, _ job: BulkJob) throws -> Reply {
        guard let path = batch.request else { return .text(200, batch.query, type: type(of: job)) }
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        return Reply(200, headers: [("Content-Type", type(of: job))], body: .file(prefix: Data(), path: path, offset: 0, length: Int64(size)))
    }

    // MARK: Results

    /// The results of a batch's rows; of a query, the ids of its results.
    func results(_ job: BulkJob, _ call: inout CallDescription) throws -> Reply {
        let batch = try finished(job)
        guard job.operation.isQuery else {
            call.recordCount = batch.result?.records ?? 0
            return try reply(batch, job)
        }
        if job.contentType == .json { return BulkDocument.reply(200, JSON.texts([batch.resultId]).text, json: true) }
        var writer = BulkDocument.start("result-list")
        writer.element("result", batch.resultId)
        writer.close("result-list")
        return BulkDocument.reply(200, writer.text, json: false)
    }

    func queryResult(_ job: BulkJob, _ call: inout CallDescription) throws -> Reply {
        let batch = try finished(job)
        guard job.operation.isQuery, RecordIdentifier.normalized(parts[4]) == batch.resultId else {
            throw BulkFailure("InvalidBatch", "Unable to find object: \(parts[4])")
        }
        call.recordCount = batch.result?.records ?? 0
        if job.contentType == .csv, call.recordCount == 0 { return .text(200, "Records not found for this query", type: "text/csv") }
        return try reply(batch, job)
    }

    /// A batch that failed on its way still has the results of what it saved.
    private func finished(_ job: BulkJob) throws -> BulkJob.Batch {
        let batch = try find(job)
        switch batch.state {
        case .completed: return batch
        case .failed, .notProcessed:
            guard batch.result != nil else { throw BulkFailure("InvalidBatch", "Records not processed") }
            return batch
        case .queued, .inProgress: throw BulkFailure("InvalidBatch", "Batch not completed")
        }
    }

    private func reply(_ batch: BulkJob.Batch, _ job: BulkJob) throws -> Reply {
        guard let result = batch.result else { throw BulkFailure("InvalidBatch", "Batch not completed") }
        return Reply(200, headers: [("Content-Type", type(of: job))], body: .file(prefix: result.header, path: result.path, offset: 0, length: result.length))
    }
}
