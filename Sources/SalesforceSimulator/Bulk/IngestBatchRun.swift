import Foundation

/// Runs an ingest batch of Bulk 1.0: its rows in order, its results in the same order and in the format of the job (wire reference 4.1).
struct IngestBatchRun: Sendable {
    let org: Org
    let id: String
    let batch: String

    static let mostRecords = 10_000

    func run() async throws {
        let begun = ContinuousClock.now
        let found = try await org.perform { state, _ -> (job: BulkJob, batch: BulkJob.Batch, object: ObjectDefinition?, result: String)? in
            guard let job = state.jobs[id], job.state != .aborted, let batch = job.batches.first(where: { $0.id == batch }) else { return nil }
            return (job, batch, state.object(job.object, for: job.user), try state.jobs.file(batch.id + ".result").path)
        }
        guard let found, let path = found.batch.request else { return }
        guard let object = found.object else { throw BulkFailure("InvalidEntity", "Unable to find object: \(found.job.object)") }
        var source = try await IngestRows(path: path, found.job, object, org)
        defer { source.close() }
        var writer = try IngestResultWriter(path: found.result, contentType: found.job.contentType)
        let worker = IngestWorker(org: org)
        var first = 0
        var failure: (any Error)?
        do {
            while true {
                let (records, stop) = try source.next(IngestChunk.size, first: first, found.job)
                if !records.isEmpty {
                    let chunk = IngestChunk(job: found.job, batch: batch, first: first, records: records, rejections: found.batch.rejections)
                    guard let outcomes = try await worker.save(chunk) else { return }
                    try writer.append(outcomes)
                    first += records.count
                }
                if let stop { throw stop }
                if records.isEmpty { break }
            }
        } catch is CancellationError {
            return
        } catch {
            failure = error
        }
        let result = try writer.finish()
        let elapsed = begun.duration(to: .now)
        let milliseconds = Int(elapsed.components.seconds * 1_000 + elapsed.components.attoseconds / 1_000_000_000_000_000)
        let hasResult = first > 0 || failure == nil
        try await org.perform { state, _ in
            state.changeTally(id, batch) { $0.milliseconds = milliseconds }
            // A batch that failed on its way answers what it had saved.
            state.update(id, batch) { if hasResult { $0.result = result } }
        }
        if let failure { throw failure }
    }
}

/// The rows of a batch, a chunk at a time.
struct IngestRows {
    private enum Source {
        case csv(CSVReader, IngestColumns)
        case records(ArraySlice<RecordInput>)
    }

    private var source: Source
    private let separator = UInt8(ascii: ",")

    init(path: String, _ job: BulkJob, _ object: ObjectDefinition, _ org: Org) async throws {
        guard job.contentType == .csv else {
            let body = try Data(contentsOf: URL(fileURLWithPath: path))
            let records = try IngestDocument.records(body, job.contentType, of: object)
            try IngestRows.check(records.count)
            if job.operation.isDelete, records.contains(where: { $0.id == nil || $0.fields.contains { $0.name.lowercased() != "id" } }) {
                throw BulkFailure.invalidBatch("The '\(job.operation.rawValue)' batch must contain only ids")
            }
            source = .records(records[...])
            return
        }
        var scan = try CSVReader(path: path, lineEnding: .either)
        defer { scan.close() }
        guard let header = try scan.next() else { throw BulkFailure("ClientInputError", "The batch holds no header") }
        var count = 0
        while try scan.next() != nil { count += 1 }
        try IngestRows.check(count)
        let names = try CSVReader.values(header.bytes, separator: separator)
        let columns = try await org.perform { state, _ in try IngestColumns(names, of: object, job.operation, state, user: job.user) }
        source = .csv(try CSVReader(path: path, offset: header.end, lineEnding: .either), columns)
    }

    private static func check(_ count: Int) throws {
        guard count <= IngestBatchRun.mostRecords else {
            throw BulkFailure.invalidBatch(
                "Exceeded number of records : \(count). Number of records should be less than or equal to \(IngestBatchRun.mostRecords)")
        }
    }

    func close() { if case .csv(let reader, _) = source { reader.close() } }

    /// Up to `count` records; empty at the end. A row that cannot be read ends the batch after the rows before it.
    mutating func next(_ count: Int, first: Int, _ job: BulkJob) throws -> ([RecordInput], BulkFailure?) {
        switch source {
        case .records(let left):
            source = .records(left.dropFirst(count))
            return (Array(left.prefix(count)), nil)
        case .csv(var reader, let columns):
            defer { source = .csv(reader, columns) }
            var records: [RecordInput] = []
            do {
                while records.count < count, let row = try reader.next() {
                    records.append(columns.record(try columns.values(of: row.bytes, number: first + records.count, separator, job)))
                }
            } catch let failure as BulkFailure {
                return (records, failure)
            }
            return (records, nil)
        }
    }
}

/// Writes the result file of a batch.
struct IngestResultWriter {
    private let path: String
    private let contentType: BulkJob.ContentType
    private let handle: FileHandle
    private var records = 0
    private var length: Int64 = 0

    init(path: String, contentType: BulkJob.ContentType) throws {
        self.path = path
        self.contentType = contentType
        guard FileManager.default.createFile(atPath: path, contents: nil) else { throw CocoaError(.fileWriteUnknown) }
        handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        switch contentType {
        case .csv: try write("\"Id\",\"Success\",\"Created\",\"Error\"\n")
        case .json: try write("[")
        case .xml:
            try write("<?xml version=\"1.0\" encoding=\"UTF-8\"?><results xmlns=\"\(BulkDocument.namespace)\" xmlns:xsi=\"\(BulkDocument.instance)\">")
        }
    }

    private mutating func write(_ text: String) throws {
        let data = Data(text.utf8)
        try handle.write(contentsOf: data)
        length += Int64(data.count)
    }

    mutating func append(_ outcomes: [WriteOutcome]) throws {
        switch contentType {
        case .csv:
            var writer = CSVWriter()
            for outcome in outcomes {
                writer.line([outcome.id ?? "", outcome.error == nil ? "true" : "false", outcome.created ? "true" : "false", outcome.error?.bulkText ?? ""])
            }
            try write(writer.takeText())
        case .json:
            var text = ""
            for outcome in outcomes {
                if records > 0 || !text.isEmpty { text += "," }
                outcome.bulkJSON.write(to: &text)
            }
            try write(text)
        case .xml:
            var writer = XMLWriter()
            for outcome in outcomes { outcome.writeBulkXML(&writer) }
            try write(writer.text)
        }
        records += outcomes.count
    }

    mutating func finish() throws -> BulkResult {
        switch contentType {
        case .csv: break
        case .json: try write("]")
        case .xml: try write("</results>")
        }
        try handle.close()
        return BulkResult(path: path, header: Data(), records: records, length: length, marks: [])
    }
}

extension WriteOutcome {
    fileprivate var bulkJSON: JSON {
        var errors: [JSON] = []
        if let error {
            errors = [[
                "message": .string(error.message), "fields": .texts(error.fields), "statusCode": .string(error.code), "extendedErrorDetails": nil,
            ]]
        }
        return ["success": .bool(error == nil), "created": .bool(created), "id": .text(id), "errors": .array(errors)]
    }

    fileprivate func writeBulkXML(_ writer: inout XMLWriter) {
        writer.open("result")
        writer.element("id", id)
        writer.element("success", error == nil ? "true" : "false")
        writer.element("created", created ? "true" : "false")
        if let error {
            writer.open("errors")
            for field in error.fields { writer.element("fields", field) }
            writer.element("message", error.message)
            writer.element("statusCode", error.code)
            writer.close("errors")
        }
        writer.close("result")
    }
}
