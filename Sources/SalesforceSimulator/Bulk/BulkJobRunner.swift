import Foundation
import GRDB

/// A batch that waits to be run.
struct BulkWork: Sendable {
    var job: String
    var batch: String
}

/// Runs query jobs in the background, a few thousand records at a time, so that other calls come between.
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
        do {
            let delay = try await org.perform { state, _ -> Int in
                state.update(work.job, work.batch) { $0.state = .inProgress }
                return state.settings.bulkDelayMilliseconds
            }
            if delay > 0 { try await Task.sleep(for: .milliseconds(delay)) }
            let export = try await org.perform { state, _ in try BulkExport.begin(work.job, work.batch, state) }
            guard var export else { return }
            while !export.isFinished {
                try Task.checkCancellation()
                let current = export
                export = try await org.perform { state, db in try current.advanced(by: BulkJobRunner.chunk, state, db) }
            }
            let finished = export
            try await org.perform { state, _ in
                state.update(work.job, work.batch) {
                    $0.result = finished.result
                    $0.state = .completed
                }
            }
        } catch {
            let message = (error as? APIError).map { "\($0.code): \($0.message)" } ?? "InternalServerError : \(type(of: error))"
            try? await org.perform { state, _ in
                state.update(work.job, work.batch) {
                    $0.state = .failed
                    $0.message = message
                }
            }
        }
    }
}

extension OrgState {
    /// Changes a batch, unless its job was aborted or removed meanwhile; a Bulk 2.0 job follows its only batch.
    func update(_ jobId: String, _ batchId: String, _ edit: (inout BulkJob.Batch) -> Void) {
        guard var job = jobs[jobId], job.state != .aborted, let index = job.batches.firstIndex(where: { $0.id == batchId }) else { return }
        edit(&job.batches[index])
        if job.isBulk2 {
            switch job.batches[index].state {
            case .inProgress: job.state = .inProgress
            case .completed: job.state = .complete
            case .failed:
                job.state = .failed
                job.errorMessage = job.batches[index].message
            default: break
            }
        }
        jobs[jobId] = job
    }
}

/// An export under way.
struct BulkExport: Sendable {
    private let job: String
    private let query: String
    private let includesDeleted: Bool
    private let user: String
    private let rangeFrom: String?
    private let rangeTo: String?
    private let separator: String
    private let lineEnding: String
    private var lastRow: Int64 = 0
    private(set) var isFinished = false
    private(set) var result: BulkResult

    /// Nil when the job is gone or aborted.
    static func begin(_ jobId: String, _ batchId: String, _ state: OrgState) throws -> BulkExport? {
        guard let job = state.jobs[jobId], job.state != .aborted, let batch = job.batches.first(where: { $0.id == batchId }) else { return nil }
        let plan = try state.bulkPlan(batch.query, job: job)
        let file = try state.jobs.file(batch.id + ".csv")
        var writer = CSVWriter(separator: job.separator, lineEnding: job.lineEnding == "CRLF" ? "\r\n" : "\n")
        writer.line(plan.columns.map { $0.path.joined(separator: ".") })
        let header = Data(writer.takeText().utf8)
        guard FileManager.default.createFile(atPath: file.path, contents: nil) else { throw CocoaError(.fileWriteUnknown) }
        return BulkExport(
            job: jobId, query: batch.query, includesDeleted: job.includesDeleted, user: job.user, rangeFrom: batch.range?.from,
            rangeTo: batch.range?.to, separator: job.separator, lineEnding: writer.lineEnding,
            result: BulkResult(path: file.path, header: header, records: 0, length: 0, marks: []))
    }

    private init(
        job: String, query: String, includesDeleted: Bool, user: String, rangeFrom: String?, rangeTo: String?, separator: String,
        lineEnding: String, result: BulkResult
    ) {
        self.job = job
        self.query = query
        self.includesDeleted = includesDeleted
        self.user = user
        self.rangeFrom = rangeFrom
        self.rangeTo = rangeTo
        self.separator = separator
        self.lineEnding = lineEnding
        self.result = result
    }

    /// Writes the next records. A query with an order or a limit is written in one piece.
    func advanced(by count: Int, _ state: OrgState, _ db: Database) throws -> BulkExport {
        guard let job = state.jobs[job], job.state != .aborted else { throw CancellationError() }
        var next = self
        var plan = try state.bulkPlan(query, job: job)
        if let rangeFrom {
            plan.condition = [plan.condition, "t0.Id >= ?"].filter { !$0.isEmpty }.joined(separator: " AND ")
            plan.arguments.append(rangeFrom.databaseValue)
        }
        if let rangeTo {
            plan.condition += " AND t0.Id < ?"
            plan.arguments.append(rangeTo.databaseValue)
        }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: result.path))
        defer { try? handle.close() }
        try handle.seekToEnd()
        var writer = CSVWriter(separator: separator, lineEnding: lineEnding)
        func append(_ record: ResultRecord) {
            if next.result.records % BulkResult.stride == 0 { next.result.marks.append(next.result.length + Int64(writer.text.utf8.count)) }
            next.result.records += 1
            writer.line(BulkExport.values(record))
        }
        func flush() throws {
            let data = Data(writer.takeText().utf8)
            try handle.write(contentsOf: data)
            next.result.length += Int64(data.count)
        }
        if plan.isChunkable {
            let last = try QueryRunner.chunk(plan, after: lastRow, limit: count, db) { append($0) }
            if let last { next.lastRow = last } else { next.isFinished = true }
            try flush()
        } else {
            let rows = try QueryRunner.rowNumbers(plan, db)
            for start in stride(from: 0, to: rows.count, by: count) {
                for record in try QueryRunner.records(plan, rows: rows[start..<min(start + count, rows.count)], db) { append(record) }
                try flush()
            }
            next.isFinished = true
        }
        return next
    }

    /// Parents take one column per field.
    private static func values(_ record: ResultRecord) -> [String?] {
        record.fields.map { $0.1.plainText }
    }
}

extension OrgState {
    /// What Bulk can export: no aggregates, no offset, no compound or binary fields (wire reference 4.3).
    func bulkPlan(_ query: String, job: BulkJob) throws -> QueryPlan {
        let user = job.user
        var plan = try QueryCompiler.compile(query, includesDeleted: job.includesDeleted) { self.object($0, for: user) }
        guard plan.object.bulkSupported else {
            throw APIError(400, "INVALIDENTITY", "Entity '\(plan.object.name)' is not supported by the Bulk API.")
        }
        guard !plan.isAggregate, !plan.countsRows, plan.offset == nil else {
            throw APIError(400, "API_ERROR", "Aggregate queries and OFFSET are not supported by the Bulk API")
        }
        if let column = plan.columns.first(where: { $0.field.isCompound || $0.field.kind == .base64 }) {
            throw APIError(400, "FUNCTIONALITY_NOT_ENABLED", "Selecting compound data not supported in Bulk Query: \(column.field.name)")
        }
        // Parents are read as plain columns, in the order of the select list.
        plan.parents = []
        return plan
    }
}
