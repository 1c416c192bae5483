import Foundation

/// A query job of either Bulk API; its result lies in a file.
struct BulkJob: Sendable {
    enum State: String, Sendable {
        case open = "Open", uploadComplete = "UploadComplete", inProgress = "InProgress", complete = "JobComplete"
        case closed = "Closed", aborted = "Aborted", failed = "Failed"
    }

    /// A batch of a Bulk 1.0 job, or the whole of a Bulk 2.0 job.
    struct Batch: Sendable {
        enum State: String, Sendable {
            case queued = "Queued", inProgress = "InProgress", completed = "Completed", failed = "Failed", notProcessed = "NotProcessed"
        }
        var id: String
        var resultId: String
        var query: String
        /// Ids of this part when PK chunking cuts the object: from, up to but not including.
        var range: (from: String, to: String?)?
        var state: State = .queued
        var message: String?
        var created: Int64
        var result: BulkResult?
    }

    var id: String
    var version: String
    var user: String
    var object: String
    var includesDeleted: Bool
    var query = ""
    var created: Int64
    var state: State
    var batches: [Batch] = []
    var errorMessage: String?
    var isBulk2: Bool
    var lineEnding = "LF"
    var delimiter = "COMMA"
    var chunkSize: Int?

    var records: Int { batches.reduce(0) { $0 + ($1.result?.records ?? 0) } }

    var separator: String {
        ["BACKQUOTE": "`", "CARET": "^", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"][delimiter] ?? ","
    }
}

/// A finished result file: a header, then one line per record.
struct BulkResult: Sendable {
    /// Every n-th record's place in the file is remembered.
    static let stride = 500

    var path: String
    var header: Data
    var records: Int
    var length: Int64
    /// The offset of records 0, 500, 1,000 and so on.
    var marks: [Int64]

    /// Where a record begins; the end of the file for the record after the last.
    func offset(of record: Int) throws -> Int64 {
        guard record < records else { return length }
        let mark = record / BulkResult.stride
        var left = record - mark * BulkResult.stride
        guard left > 0 else { return marks[mark] }
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(marks[mark]))
        var position = marks[mark]
        var quoted = false
        while let data = try handle.read(upToCount: 65_536), !data.isEmpty {
            for byte in data {
                position += 1
                if byte == UInt8(ascii: "\"") {
                    quoted.toggle()
                } else if byte == UInt8(ascii: "\n"), !quoted {
                    left -= 1
                    if left == 0 { return position }
                }
            }
        }
        return length
    }
}

/// The query jobs of the org. Files go with their jobs.
final class BulkJobStore {
    private(set) var jobs: [String: BulkJob] = [:]
    private var order: [String] = []
    let directory: URL

    private let submit: AsyncStream<BulkWork>.Continuation

    init(submit: AsyncStream<BulkWork>.Continuation) {
        self.submit = submit
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("sf-simulator-\(UUID().uuidString)")
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    var all: [BulkJob] { order.compactMap { jobs[$0] } }

    subscript(id: String) -> BulkJob? {
        get { jobs[id] }
        set {
            if newValue == nil {
                for batch in jobs[id]?.batches ?? [] { if let path = batch.result?.path { try? FileManager.default.removeItem(atPath: path) } }
                order.removeAll { $0 == id }
            } else if jobs[id] == nil {
                order.append(id)
            }
            jobs[id] = newValue
        }
    }

    /// Hands every batch that waits to the runner.
    func start(_ job: BulkJob) {
        for batch in job.batches where batch.state == .queued { submit.yield(BulkWork(job: job.id, batch: batch.id)) }
    }

    func file(_ name: String) throws -> URL {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return directory.appendingPathComponent(name)
    }
}
