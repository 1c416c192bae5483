import Foundation

/// The CSV of a Bulk 2.0 job, cut into internal batches by where their rows lie.
struct IngestUpload: Sendable {
    struct Span: Sendable {
        var start: Int64
        var end: Int64
        /// The place of its first row in the upload, from 0.
        var first: Int
    }

    let path: String
    /// As sent, and what it names.
    let header: [UInt8]
    let names: [String]
    let spans: [Span]

    /// Reads the whole file once, holding one record at a time.
    ///
    /// - Throws: ``BulkFailure`` when it is no CSV of the declared form.
    init(path: String, separator: UInt8, lineEnding: CSVReader.LineEnding, batchRecords: Int) throws {
        self.path = path
        var reader = try CSVReader(path: path, lineEnding: lineEnding)
        defer { reader.close() }
        guard let first = try reader.next() else { throw BulkFailure("ClientInputError", "The upload holds no header") }
        header = first.bytes
        names = try CSVReader.values(first.bytes, separator: separator)
        var spans: [Span] = []
        var count = 0
        while let record = try reader.next() {
            if count % batchRecords == 0 { spans.append(Span(start: record.start, end: record.end, first: count)) }
            spans[spans.count - 1].end = record.end
            count += 1
        }
        self.spans = spans
    }
}

/// Writes and joins the result files of a Bulk 2.0 job (wire reference 4.2).
enum IngestResultFile {
    static func write(_ lines: [[UInt8]], to path: String) throws {
        var data = Data()
        for line in lines { data.append(contentsOf: line) }
        try data.write(to: URL(fileURLWithPath: path))
    }

    /// A header, then every part; parts that are files of their own go with it.
    static func join(_ parts: [String], header: [UInt8], to path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: Data(header)) else { throw CocoaError(.fileWriteUnknown) }
        for part in parts {
            try copy(part, from: 0, to: nil, into: path)
            try FileManager.default.removeItem(atPath: part)
        }
    }

    /// Appends a piece of a file to another, a buffer at a time.
    static func copy(_ source: String, from start: Int64, to end: Int64?, into target: String) throws {
        let reader = try FileHandle(forReadingFrom: URL(fileURLWithPath: source))
        let writer = try FileHandle(forWritingTo: URL(fileURLWithPath: target))
        defer {
            try? reader.close()
            try? writer.close()
        }
        try reader.seek(toOffset: UInt64(start))
        try writer.seekToEnd()
        var left = end.map { Int($0 - start) } ?? .max
        while left > 0, let data = try reader.read(upToCount: min(left, 1 << 20)), !data.isEmpty {
            try writer.write(contentsOf: data)
            left -= data.count
        }
    }
}
