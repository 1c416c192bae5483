import Foundation

/// Reads CSV from a file, one record after another; it holds a buffer and the record at hand (wire reference 4.4).
struct CSVReader {
    /// Which line ends are taken.
    enum LineEnding: Sendable {
        case lf, crlf
        /// Bulk 1.0 declares none and takes both.
        case either
    }

    struct Record: Sendable {
        /// As sent, without the line end.
        var bytes: [UInt8]
        /// Where it begins, and where the next one does.
        var start: Int64
        var end: Int64
    }

    static let quote = UInt8(ascii: "\"")
    private static let return_ = UInt8(ascii: "\r")
    private static let feed = UInt8(ascii: "\n")
    private static let piece = 256 * 1_024

    private let handle: FileHandle
    private let lineEnding: LineEnding
    private var buffer: [UInt8] = []
    private var position = 0
    private var bufferStart: Int64
    private var isAtEnd = false

    init(path: String, offset: Int64 = 0, lineEnding: LineEnding) throws {
        handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        try handle.seek(toOffset: UInt64(offset))
        bufferStart = offset
        self.lineEnding = lineEnding
    }

    func close() { try? handle.close() }

    /// The next record that is not an empty line; nil at the end.
    ///
    /// - Throws: ``BulkFailure`` ClientInputError when a line end is not the declared one, InvalidBatch when a quote stays open.
    mutating func next() throws -> Record? {
        while let record = try line() {
            if !record.bytes.isEmpty { return record }
        }
        return nil
    }

    private mutating func line() throws -> Record? {
        var scan = position
        var isQuoted = false
        while true {
            while scan < buffer.count {
                let byte = buffer[scan]
                if byte == CSVReader.quote {
                    isQuoted.toggle()
                } else if byte == CSVReader.return_ {
                    if lineEnding == .lf { throw wrongLineEnding }
                } else if byte == CSVReader.feed, !isQuoted {
                    return try record(upTo: scan, next: scan + 1)
                }
                scan += 1
            }
            if isAtEnd {
                guard position < buffer.count else { return nil }
                guard !isQuoted else { throw BulkFailure.invalidBatch("Failed to parse CSV. EOF reached before closing an opened quote") }
                return try record(upTo: buffer.count, next: buffer.count)
            }
            scan -= position
            try fill()
        }
    }

    private mutating func record(upTo end: Int, next: Int) throws -> Record {
        var end = end
        if lineEnding != .lf {
            if end > position, buffer[end - 1] == CSVReader.return_ {
                end -= 1
            } else if lineEnding == .crlf, next > end {
                throw wrongLineEnding
            }
        }
        defer { position = next }
        return Record(bytes: Array(buffer[position..<end]), start: bufferStart + Int64(position), end: bufferStart + Int64(next))
    }

    private var wrongLineEnding: BulkFailure {
        BulkFailure("ClientInputError", "LineEnding is invalid on user data. Current LineEnding setting is \(lineEnding == .lf ? "LF" : "CRLF")")
    }

    private mutating func fill() throws {
        buffer.removeFirst(position)
        bufferStart += Int64(position)
        position = 0
        if let data = try handle.read(upToCount: CSVReader.piece), !data.isEmpty { buffer.append(contentsOf: data) } else { isAtEnd = true }
    }

    /// The values of a record.
    ///
    /// - Throws: ``BulkFailure`` InvalidBatch for a quote that neither encloses a value nor is doubled within one.
    static func values(_ bytes: [UInt8], separator: UInt8) throws -> [String] {
        var values: [String] = []
        var index = 0
        while true {
            var value: [UInt8] = []
            if index < bytes.count, bytes[index] == quote {
                index += 1
                while true {
                    guard index < bytes.count else { throw unescaped }
                    if bytes[index] == quote {
                        guard index + 1 < bytes.count, bytes[index + 1] == quote else { break }
                        index += 1
                    }
                    value.append(bytes[index])
                    index += 1
                }
                index += 1
                guard index == bytes.count || bytes[index] == separator else { throw unescaped }
            } else {
                let end = bytes[index...].firstIndex(of: separator) ?? bytes.count
                value = Array(bytes[index..<end])
                guard !value.contains(quote) else { throw unescaped }
                index = end
            }
            values.append(String(decoding: value, as: UTF8.self))
            guard index < bytes.count else { return values }
            index += 1
        }
    }

    private static let unescaped = BulkFailure.invalidBatch("Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote")
}
