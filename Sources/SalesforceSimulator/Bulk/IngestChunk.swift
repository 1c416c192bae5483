import GRDB

/// Up to 200 records of an ingest job: one transaction, which holds its rows and their parents while it lasts (wire reference 4.1).
struct IngestChunk: Sendable {
    static let size = 200

    let job: BulkJob
    let batch: String?
    /// The place of the first record in the job or batch.
    let first: Int
    let records: [RecordInput]
    let rejections: [Int: RecordError]

    /// A chunk that is under way.
    struct Hold: Sendable {
        var owner: RowLocks.Owner
        var stamp: Int64
        /// Rows that someone else's lock keeps out, with the id they wait for.
        var blocked: [Int: String] = [:]
    }

    enum Beginning: Sendable {
        case stopped
        case holding(Hold, serviceMilliseconds: Int, waitMilliseconds: Int)
        case done([WriteOutcome])
    }

    /// Takes the rows it can; a chunk that waits for nothing is written at once.
    ///
    /// - Returns: `stopped` when the job was aborted, has failed or is gone.
    func begin(_ state: OrgState, _ db: Database) throws -> Beginning {
        guard let current = state.jobs[job.id], current.state != .aborted, current.errorMessage == nil else { return .stopped }
        let settings = state.settings.bulk
        if let limit = settings.failAfterRecords, current.records >= limit {
            throw BulkFailure("TooManyLockFailure", "Too many lock failure: the job was retried 10 times and stopped")
        }
        var hold = Hold(owner: state.locks.makeOwner(), stamp: state.stamp)
        for index in records.indices { try take(index, &hold, state, db) }
        if hold.blocked.isEmpty, settings.chunkMilliseconds == 0 { return .done(try finish(hold, state, db, isOpen: false)) }
        // It has its stamp and is seen later: other readers must not pass it.
        state.openTransactions.begin(hold.stamp)
        return .holding(hold, serviceMilliseconds: settings.chunkMilliseconds, waitMilliseconds: settings.lockWaitMilliseconds)
    }

    /// Tries again for the rows that are kept out.
    func retry(_ hold: Hold, _ state: OrgState, _ db: Database) throws -> Hold {
        var hold = hold
        for index in hold.blocked.keys.sorted() { try take(index, &hold, state, db) }
        return hold
    }

    private func take(_ index: Int, _ hold: inout Hold, _ state: OrgState, _ db: Database) throws {
        let key = job.operation == .upsert ? job.externalIdField : nil
        let ids = try LockedRows(state: state, db: db).ids(of: records[index], as: job.object, key: key)
        hold.blocked[index] = state.locks.conflict(ids, owner: hold.owner)
        if hold.blocked[index] == nil { try state.locks.acquire(ids, owner: hold.owner) }
    }

    /// Saves the rows and gives them back.
    func finish(_ hold: Hold, _ state: OrgState, _ db: Database, isOpen: Bool = true) throws -> [WriteOutcome] {
        defer {
            state.locks.release(hold.owner)
            if isOpen { state.openTransactions.end(hold.stamp) }
        }
        state.journal.origin = ChangeOrigin(api: "bulkapi", version: job.version, client: job.client)
        var refused: [Int: RecordError] = [:]
        for index in records.indices { refused[index] = rejections[first + index] }
        for (index, id) in hold.blocked { refused[index] = .unableToLock(id) }
        let outcomes = try write(refused, hold, state, db)
        let failed = outcomes.count { $0.error != nil }
        state.changeTally(job.id, batch) {
            $0.processed += outcomes.count
            $0.failed += failed
        }
        return outcomes
    }

    private func write(_ refused: [Int: RecordError], _ hold: Hold, _ state: OrgState, _ db: Database) throws -> [WriteOutcome] {
        var options = CallOptions()
        options.client = job.client
        // Without a rule of its own a job uses none.
        if let rule = job.assignmentRule { options.assignmentRule = .rule(rule) }
        let batch = RecordBatch(
            state: state, db: db, user: job.user, stamp: hold.stamp, options: options, rejections: refused, limit: IngestChunk.size,
            lockOwner: hold.owner)
        switch job.operation {
        case .insert: return try batch.write(.create, records)
        case .update: return try batch.write(.update, records)
        case .upsert: return try batch.write(.upsert(job.externalIdField ?? "Id"), records)
        default:
            var refused = refused
            guard let object = state.object(job.object, for: job.user) else { throw BulkFailure("InvalidEntity", "Unable to find object: \(job.object)") }
            for (index, record) in records.enumerated() where refused[index] == nil {
                do { _ = try RecordBatch.checkedId(record.id ?? "", object) } catch let error as RecordError { refused[index] = error }
            }
            var remover = RecordRemover(state: state, db: db, user: job.user, stamp: hold.stamp, rejections: refused)
            remover.lockOwner = hold.owner
            let ids = records.map { $0.id ?? "" }
            return try job.operation == .delete ? remover.delete(ids) : remover.erase(ids)
        }
    }
}

extension OrgState {
    /// Changes the counts of a batch, or of a whole Bulk 2.0 job.
    func changeTally(_ id: String, _ batch: String?, _ edit: (inout IngestTally) -> Void) {
        guard var job = jobs[id] else { return }
        if let batch, let index = job.batches.firstIndex(where: { $0.id == batch }) { edit(&job.batches[index].tally) } else { edit(&job.tally) }
        jobs[id] = job
    }
}

/// Takes chunks to the org, waiting for rows and for the service time outside of it.
struct IngestWorker: Sendable {
    let org: Org

    /// How often a row that is locked is tried again.
    private static let pause = 40

    /// - Returns: What became of each record; nil when the job stopped before the chunk.
    func save(_ chunk: IngestChunk) async throws -> [WriteOutcome]? {
        switch try await org.perform({ state, db in try chunk.begin(state, db) }) {
        case .stopped: return nil
        case .done(let outcomes): return outcomes
        case .holding(var hold, let service, let wait):
            var left = wait
            while !hold.blocked.isEmpty, left > 0 {
                try await Task.sleep(for: .milliseconds(min(left, IngestWorker.pause)))
                left -= IngestWorker.pause
                let current = hold
                hold = try await org.perform { state, db in try chunk.retry(current, state, db) }
            }
            if service > 0 { try await Task.sleep(for: .milliseconds(service)) }
            let held = hold
            return try await org.perform { state, db in try chunk.finish(held, state, db) }
        }
    }
}
