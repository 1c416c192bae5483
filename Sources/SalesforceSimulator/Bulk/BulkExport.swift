import Foundation
import GRDB

/// The rows of a query on their way into a result file.
struct BulkExport: Sendable {
    private let job: String
    private let query: String
    private let range: (from: String, to: String?)?
    private let format: BulkRowFormat
    private var lastRow: Int64 = 0
    private(set) var isFinished = false
    private(set) var result: BulkResult

    /// Nil when the job is gone or aborted.
    static func begin(_ jobId: String, _ batchId: String, _ state: OrgState) throws -> BulkExport? {
        guard let job = state.jobs[jobId], job.state != .aborted, let batch = job.batches.first(where: { $0.id == batchId }) else { return nil }
        let plan = try state.bulkPlan(batch.query, job: job)
        let file = try state.jobs.file(batch.id + ".result")
        let format = BulkRowFormat(job, epochDates: state.settings.bulk.epochDates)
        guard FileManager.default.createFile(atPath: file.path, contents: nil) else { throw CocoaError(.fileWriteUnknown) }
        return BulkExport(
            job: jobId, query: batch.query, range: batch.range, format: format,
            result: BulkResult(path: file.path, header: Data(format.start(plan).utf8), records: 0, length: 0, marks: []))
    }

    private init(job: String, query: String, range: (from: String, to: String?)?, format: BulkRowFormat, result: BulkResult) {
        self.job = job
        self.query = query
        self.range = range
        self.format = format
        self.result = result
    }

    /// Writes the next records; nil when the job is gone or aborted. A query with an order or a limit is written in one piece.
    func advanced(by count: Int, _ state: OrgState, _ db: Database) throws -> BulkExport? {
        guard let job = state.jobs[job], job.state != .aborted else { return nil }
        var next = self
        var plan = try state.bulkPlan(query, job: job)
        if let range {
            plan.condition = [plan.condition.isEmpty ? "" : "(\(plan.condition))", "t0.Id >= ?"].filter { !$0.isEmpty }.joined(separator: " AND ")
            plan.arguments.append(range.from.databaseValue)
            if let to = range.to {
                plan.condition += " AND t0.Id < ?"
                plan.arguments.append(to.databaseValue)
            }
        }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: result.path))
        defer { try? handle.close() }
        try handle.seekToEnd()
        var writer = format.writer
        func append(_ record: ResultRecord) {
            if next.result.records % BulkResult.stride == 0 { next.result.marks.append(next.result.length + Int64(writer.text.utf8.count)) }
            format.write(record, isFirst: next.result.records == 0, to: &writer)
            next.result.records += 1
        }
        func flush(_ end: String = "") throws {
            let data = Data((writer.takeText() + end).utf8)
            try handle.write(contentsOf: data)
            next.result.length += Int64(data.count)
        }
        if plan.isChunkable {
            let last = try QueryRunner.chunk(plan, after: lastRow, limit: count, db) { append($0) }
            if let last { next.lastRow = last } else { next.isFinished = true }
        } else {
            let rows = try QueryRunner.rowNumbers(plan, db)
            for start in stride(from: 0, to: rows.count, by: count) {
                for record in try QueryRunner.records(plan, rows: rows[start..<min(start + count, rows.count)], db) { append(record) }
                try flush()
            }
            next.isFinished = true
        }
        try flush(next.isFinished ? format.end : "")
        return next
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
        // In CSV, parents are read as plain columns, in the order of the select list.
        if job.contentType == .csv { plan.parents = [] }
        return plan
    }
}
