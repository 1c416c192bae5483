/// Walks JSON bytes without building values, so that a page of records is cut out and never decoded.
///
/// It trusts the text to be JSON as far as it must to find the end of a value, and stops at the first byte that cannot be.
struct JSONScanner {
    struct Malformed: Error {}

    private(set) var position: Int
    private let end: Int

    init(from position: Int, to end: Int) {
        self.position = position
        self.end = end
    }

    /// The next byte that is no white space, not consumed.
    mutating func peek(_ bytes: [UInt8]) throws(Malformed) -> UInt8 {
        while position < end {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return bytes[position]
            }
        }
        throw Malformed()
    }

    /// Consumes `byte` after white space.
    mutating func expect(_ byte: Character, in bytes: [UInt8]) throws(Malformed) {
        guard try peek(bytes) == byte.asciiValue else { throw Malformed() }
        position += 1
    }

    /// Consumes a string and gives the range of its content between the quotes.
    mutating func string(_ bytes: [UInt8]) throws(Malformed) -> Range<Int> {
        try expect("\"", in: bytes)
        let start = position
        while position < end {
            switch bytes[position] {
            case UInt8(ascii: "\\"): position += 2
            case UInt8(ascii: "\""):
                position += 1
                return start..<(position - 1)
            default: position += 1
            }
        }
        throw Malformed()
    }

    /// Consumes any value and gives its range.
    mutating func value(_ bytes: [UInt8]) throws(Malformed) -> Range<Int> {
        let first = try peek(bytes)
        let start = position
        switch first {
        case UInt8(ascii: "\""): _ = try string(bytes)
        case UInt8(ascii: "{"), UInt8(ascii: "["): try nested(bytes)
        default:
            while position < end, !Self.endsScalar(bytes[position]) { position += 1 }
            guard position > start else { throw Malformed() }
        }
        return start..<position
    }

    private mutating func nested(_ bytes: [UInt8]) throws(Malformed) {
        var depth = 0
        while position < end {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                _ = try string(bytes)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 {
                    position += 1
                    return
                }
            default: break
            }
            position += 1
        }
        throw Malformed()
    }

    /// Consumes an object and gives the range of each top-level value by its key. Keys are compared as they are written, which
    /// is enough for the ASCII keys of Salesforce's envelopes.
    mutating func members(_ bytes: [UInt8]) throws(Malformed) -> [String: Range<Int>] {
        try expect("{", in: bytes)
        var result: [String: Range<Int>] = [:]
        if try peek(bytes) == UInt8(ascii: "}") {
            position += 1
            return result
        }
        while true {
            let key = try string(bytes)
            try expect(":", in: bytes)
            result[String(decoding: bytes[key], as: UTF8.self)] = try value(bytes)
            if try peek(bytes) == UInt8(ascii: ",") {
                position += 1
                continue
            }
            try expect("}", in: bytes)
            return result
        }
    }

    private static func endsScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0x20, 0x0A, 0x0D, 0x09: true
        default: false
        }
    }
}
