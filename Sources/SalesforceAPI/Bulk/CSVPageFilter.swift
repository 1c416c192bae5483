/// Makes one page of a Bulk result fit for `COPY ... (FORMAT csv)` while it streams through, in any chunks.
///
/// Drops the header line that every page repeats and all NUL bytes, and counts the records, so that a page that ended early is
/// noticed against `Sforce-NumberOfRecords`. Quotes decide: a line break inside them belongs to a value. The text
/// `Records not found for this query`, which stands for an empty result, leaves nothing.
public struct CSVPageFilter: Sendable {
    /// Data records complete so far; after ``finish()`` also one without a line break at its end.
    public private(set) var recordCount = 0
    /// Bytes taken in, before anything was dropped.
    public private(set) var bytesRead = 0
    /// The header line without its line break, at most ``maximumHeaderBytes``.
    public private(set) var header: [UInt8] = []
    /// False after ``finish()`` only if the page ended inside quotes, which no complete page does.
    public var isComplete: Bool { !isQuoted }

    /// The whole header line has been seen.
    public var isPastHeader: Bool { !isHeader }

    /// Longer header lines are dropped all the same, but kept only so far.
    public static let maximumHeaderBytes = 256 << 10

    private var isHeader = true
    private var isQuoted = false
    /// Whether anything of the present line has been seen. A line of nothing is no record.
    private var lineHasBytes = false

    public init() {}

    /// What of `chunk` goes to the database. Line ends become LF; breaks inside quotes stay as they are.
    public mutating func transform(_ chunk: [UInt8]) -> [UInt8] {
        bytesRead += chunk.count
        var output: [UInt8] = []
        output.reserveCapacity(chunk.count)
        var runStart = 0
        for index in chunk.indices {
            switch chunk[index] {
            case UInt8(ascii: "\""):
                // A doubled quote closes and opens again, with nothing in between.
                isQuoted.toggle()
                lineHasBytes = true
            // The condition belongs to the line end only: NUL goes from inside quotes too.
            case 0,
                UInt8(ascii: "\r") where !isQuoted:
                pass(chunk[runStart..<index], to: &output)
                runStart = index + 1
            case UInt8(ascii: "\n") where !isQuoted:
                if isHeader {
                    pass(chunk[runStart..<index], to: &output)
                    runStart = index + 1
                    isHeader = false
                } else if lineHasBytes {
                    recordCount += 1
                } else {
                    pass(chunk[runStart..<index], to: &output)
                    runStart = index + 1
                }
                lineHasBytes = false
            default: lineHasBytes = true
            }
        }
        pass(chunk[runStart...], to: &output)
        return output
    }

    private mutating func pass(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        if isHeader {
            header.append(contentsOf: bytes.prefix(Self.maximumHeaderBytes - header.count))
        } else {
            output.append(contentsOf: bytes)
        }
    }

    /// Ends the page: counts a last record that has no line break.
    public mutating func finish() {
        if lineHasBytes, !isHeader { recordCount += 1 }
        isHeader = false
        lineHasBytes = false
    }

    /// The column names of the header line, without quotes.
    public var columns: [String] {
        guard !header.isEmpty, !header.elementsEqual(Self.emptyResult) else { return [] }
        return String(decoding: header, as: UTF8.self).split(separator: ",", omittingEmptySubsequences: false).map { name in
            name.hasPrefix("\"") && name.hasSuffix("\"") && name.count >= 2 ? String(name.dropFirst().dropLast()) : String(name)
        }
    }

    /// True when the page is the text that stands for no records (API reference 4.1).
    public var isEmptyResult: Bool { recordCount == 0 && header.elementsEqual(Self.emptyResult) }

    private static let emptyResult = "Records not found for this query".utf8
}
