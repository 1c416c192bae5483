/// One page of a query, as it came.
public struct QueryPage: Sendable, Equatable {
    /// The JSON array of records, ready for PostgreSQL: no U+0000 in any spelling, no halves of surrogate pairs.
    public let records: [UInt8]
    /// How many records the array holds.
    public let count: Int
    /// How many the whole query has, as Salesforce counted them; nil where it does not say.
    public let totalSize: Int?
    /// True for the last page.
    public let done: Bool
    /// Where the next page is, relative to the instance; locators stay valid across tokens of the same user.
    public let nextRecordsURL: String?

    /// Cuts a page out of an answer's bytes without a second copy of them.
    /// - Parameter range: where the answer's object is, if not the whole.
    static func read(_ body: consuming [UInt8], in range: Range<Int>? = nil) throws(JSONScanner.Malformed) -> QueryPage {
        var bytes = body
        var scanner = JSONScanner(from: range?.lowerBound ?? 0, to: range?.upperBound ?? bytes.count)
        let members = try scanner.members(bytes)
        guard let records = members["records"], let done = members["done"] else { throw JSONScanner.Malformed() }
        let isDone = bytes[done].elementsEqual("true".utf8)
        let total = members["totalSize"].flatMap { Int(String(decoding: bytes[$0], as: UTF8.self)) }
        let next = members["nextRecordsUrl"].flatMap { Self.text(bytes[$0]) }
        JSONText.keepOnly(records, of: &bytes)
        let count = try JSONText.elementCount(bytes)
        guard isDone || next != nil else { throw JSONScanner.Malformed() }
        return QueryPage(records: bytes, count: count, totalSize: total, done: isDone, nextRecordsURL: isDone ? nil : next)
    }

    /// A string value without escapes other than `\/`, which is all that a path of Salesforce needs; nil otherwise, and for
    /// anything that is no path on the instance itself: the token goes nowhere else.
    private static func text(_ value: ArraySlice<UInt8>) -> String? {
        guard value.count >= 2, value.first == UInt8(ascii: "\"") else { return nil }
        let text = String(decoding: value.dropFirst().dropLast(), as: UTF8.self).split(separator: "\\/", omittingEmptySubsequences: false)
            .joined(separator: "/")
        guard text.hasPrefix("/services/"), !text.contains("\\"), text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
        return text
    }
}
