import Foundation
import GRDB

/// A batch, or a whole Bulk 2.0 ingest job, that waits to be run.
struct BulkWork: Sendable {
    var job: String
    var batch: String?
}

/// Runs jobs in the background, a few records at a time, so that other calls come between.
struct BulkJobRunner: Sendable {
    let org: Org

    private static let chunk = 2_000

    /// Works until cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await work in org.work { group.addTask { await run(work) } }
        }
    }

    private func run(_ work: BulkWork) async {
        guard let batch = work.batch else { return await IngestJobRun(org: org, id: work.job).run() }
        do {
            try await run(work.job, batch)
        } catch is CancellationError {
            return
        } catch {
            let isBulk2 = (try? await org.perform { state, _ in state.jobs[work.job]?.isBulk2 }) ?? false
            let message = isBulk2 ? (error as? APIError).map { "\($0.code): \($0.message)" } ?? BulkFailure(error).text : BulkFailure(error).text
            try? await org.perform { state, _ in
                state.update(work.job, batch) {
                    $0.state = .failed
                    $0.message = message
                }
            }
        }
        // The place of this batch is free.
        try? await org.perform { state, _ in
            if state.jobs[work.job]?.isBulk2 == false { state.jobs.dispatch(work.job, workers: state.settings.bulk.workers) }
        }
    }

    private func run(_ job: String, _ batch: String) async throws {
        let (queue, delay) = try await org.perform { state, _ in (state.settings.bulk.queueMilliseconds, state.settings.bulkDelayMilliseconds) }
        if queue > 0 { try await Task.sleep(for: .milliseconds(queue)) }
        if try await org.perform({ state, db in try state.cutByPrimaryKey(job, batch, db) }) { return }
        let operation = try await org.perform { state, _ in
            state.update(job, batch) { $0.state = .inProgress }
            return state.jobs[job]?.operation
        }
        guard let operation else { return }
        if delay > 0 { try await Task.sleep(for: .milliseconds(delay)) }
        if operation.isQuery {
            guard let result = try await export(job, batch) else { return }
            try await org.perform { state, _ in state.update(job, batch) { $0.result = result } }
        } else {
            try await IngestBatchRun(org: org, id: job, batch: batch).run()
        }
        try await org.perform { state, _ in state.update(job, batch) { if $0.state == .inProgress { $0.state = .completed } } }
    }

    /// Nil when the job is gone or aborted.
    private func export(_ job: String, _ batch: String) async throws -> BulkResult? {
        let begun = try await org.perform { state, _ in try BulkExport.begin(job, batch, state) }
        guard var export = begun else { return nil }
        while !export.isFinished {
            try Task.checkCancellation()
            let current = export
            guard let next = try await org.perform({ state, db in try current.advanced(by: BulkJobRunner.chunk, state, db) }) else { return nil }
            export = next
        }
        return export.result
    }
}

extension OrgState {
    /// Changes a batch, unless its job was aborted or removed meanwhile; a Bulk 2.0 job follows its only batch.
    func update(_ jobId: String, _ batchId: String, _ edit: (inout BulkJob.Batch) -> Void) {
        guard var job = jobs[jobId], job.state != .aborted, let index = job.batches.firstIndex(where: { $0.id == batchId }) else { return }
        edit(&job.batches[index])
        job.batches[index].changed = stamp
        if job.isBulk2 {
            switch job.batches[index].state {
            case .inProgress: job.state = .inProgress
            case .completed: job.state = .complete
            case .failed:
                job.state = .failed
                job.errorMessage = job.batches[index].message
            default: break
            }
            job.changed = stamp
        }
        jobs[jobId] = job
    }

    /// Turns the batch of a PK chunking job into one batch for each span of ids (wire reference 4.1).
    ///
    /// - Returns: False when the batch is to be run itself.
    func cutByPrimaryKey(_ jobId: String, _ batchId: String, _ db: Database) throws -> Bool {
        guard var job = jobs[jobId], job.state != .aborted, let size = job.chunkSize, let index = job.batches.firstIndex(where: { $0.id == batchId }),
            job.batches[index].range == nil
        else { return false }
        let query = job.batches[index].query
        let plan = try bulkPlan(query, job: job)
        guard plan.isChunkable else { throw BulkFailure.invalidBatch("PK chunking works for queries with nothing but WHERE") }
        guard PrimaryKeyChunks.isSupported(plan.object) else {
            throw BulkFailure.invalidBatch("PK chunking is not supported for \(plan.object.name)")
        }
        job.batches[index].state = .notProcessed
        job.batches[index].changed = stamp
        for range in try PrimaryKeyChunks.ranges(plan.object, size: size, start: job.chunkStart, db) {
            job.batches.append(try newBatch(query, range, db))
        }
        jobs[jobId] = job
        return true
    }

    func newBatch(_ query: String, _ range: (from: String, to: String?)?, _ db: Database) throws -> BulkJob.Batch {
        let number = try next("id:batch", db)
        return BulkJob.Batch(
            id: RecordIdentifier.make(keyPrefix: "751", number: number), resultId: RecordIdentifier.make(keyPrefix: "752", number: number),
            query: query, range: range, created: stamp)
    }
}
