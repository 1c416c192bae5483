import Foundation

/// A job of either Bulk API (wire reference 4.1 to 4.3); requests and results lie in files.
struct BulkJob: Sendable {
    enum State: String, Sendable {
        case open = "Open", uploadComplete = "UploadComplete", inProgress = "InProgress", complete = "JobComplete"
        case closed = "Closed", aborted = "Aborted", failed = "Failed"
    }

    enum Operation: String, Sendable {
        case insert, update, upsert, delete, hardDelete, query, queryAll

        var isQuery: Bool { self == .query || self == .queryAll }
        var isDelete: Bool { self == .delete || self == .hardDelete }
    }

    /// What the bodies of a job hold; jobs of Bulk 2.0 are CSV.
    enum ContentType: String, Sendable {
        case csv = "CSV", xml = "XML", json = "JSON"
    }

    /// A batch of a Bulk 1.0 job, or the whole of a Bulk 2.0 query job.
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
        /// True once a worker has it.
        var isTaken = false
        var message: String?
        var created: Int64
        var changed: Int64
        var result: BulkResult?
        /// Where the rows of an ingest batch lie, and what became of them.
        var request: String?
        var tally = IngestTally()
        /// Records a fault refuses, by their place in the batch.
        var rejections: [Int: RecordError] = [:]

        init(id: String, resultId: String, query: String, range: (from: String, to: String?)? = nil, created: Int64) {
            self.id = id
            self.resultId = resultId
            self.query = query
            self.range = range
            self.created = created
            changed = created
        }
    }

    var id: String
    var version: String
    var user: String
    /// The name in the call options of whoever made it.
    var client: String?
    var object: String
    var operation: Operation
    var contentType = ContentType.csv
    var query = ""
    var created: Int64
    /// When its state last changed.
    var changed: Int64
    var state: State
    var batches: [Batch] = []
    var errorMessage: String?
    var isBulk2: Bool
    var lineEnding = "LF"
    var delimiter = "COMMA"
    var externalIdField: String?
    var assignmentRule: String?
    var isSerial = false
    /// Records of a span of ids when the client asked for PK chunking, and where the first one begins.
    var chunkSize: Int?
    var chunkStart: String?
    /// The rows of a Bulk 2.0 ingest job and what became of them.
    var upload: String?
    var tally = IngestTally()
    var outcome: IngestFiles?
    var rejections: [Int: RecordError] = [:]

    init(id: String, version: String, user: String, object: String, operation: Operation, created: Int64, state: State, isBulk2: Bool) {
        self.id = id
        self.version = version
        self.user = user
        self.object = object
        self.operation = operation
        self.created = created
        changed = created
        self.state = state
        self.isBulk2 = isBulk2
    }

    var includesDeleted: Bool { operation == .queryAll }

    var records: Int { batches.reduce(tally.processed) { $0 + ($1.result?.records ?? $1.tally.processed) } }

    var failures: Int { batches.reduce(tally.failed) { $0 + $1.tally.failed } }

    var separator: String {
        ["BACKQUOTE": "`", "CARET": "^", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"][delimiter] ?? ","
    }

    static let delimiters = ["BACKQUOTE", "CARET", "COMMA", "PIPE", "SEMICOLON", "TAB"]

    /// Every file that goes when the job goes.
    var files: [String] {
        batches.flatMap { [$0.request, $0.result?.path] }.compactMap { $0 } + [upload].compactMap { $0 } + (outcome?.all ?? [])
    }
}

/// How far the rows of a job or batch are.
struct IngestTally: Sendable {
    /// Saved and refused together.
    var processed = 0
    var failed = 0
    /// Milliseconds of work.
    var milliseconds = 0
}

/// The three result files of a Bulk 2.0 ingest job.
struct IngestFiles: Sendable {
    var successful: String
    var failed: String
    var unprocessed: String

    var all: [String] { [successful, failed, unprocessed] }
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

