/// Makes JSON from Salesforce fit for PostgreSQL, which cannot store U+0000 and refuses half of a surrogate pair. Both occur:
/// NUL in stored text (API reference 8.2), halves where a text was cut in the middle of an emoji.
enum JSONText {
    /// Moves the value at `range` to the front of `bytes` and cuts the rest off, without a second buffer. Escapes of U+0000
    /// and raw NUL bytes disappear; an unpaired surrogate becomes U+FFFD. An escaped backslash before `u0000` is text and stays.
    static func keepOnly(_ range: Range<Int>, of bytes: inout [UInt8]) {
        var read = range.lowerBound
        var write = 0
        let end = range.upperBound
        var isString = false
        while read < end {
            let byte = bytes[read]
            if byte == 0 {
                read += 1
                continue
            }
            if byte == UInt8(ascii: "\"") { isString.toggle() }
            guard isString, byte == UInt8(ascii: "\\"), read + 1 < end else {
                bytes[write] = byte
                write += 1
                read += 1
                continue
            }
            guard let unit = codeUnit(bytes, at: read, end: end) else {
                copy(2, in: &bytes, from: &read, to: &write)
                continue
            }
            switch unit {
            case 0: read += 6
            case 0xD800...0xDBFF:
                if let low = codeUnit(bytes, at: read + 6, end: end), (0xDC00...0xDFFF).contains(low) {
                    copy(12, in: &bytes, from: &read, to: &write)
                } else {
                    replace(in: &bytes, from: &read, to: &write)
                }
            case 0xDC00...0xDFFF: replace(in: &bytes, from: &read, to: &write)
            default: copy(6, in: &bytes, from: &read, to: &write)
            }
        }
        bytes.removeLast(bytes.count - write)
    }

    /// The UTF-16 unit of a `\uXXXX` escape at `position`; nil when there is another escape or none.
    private static func codeUnit(_ bytes: [UInt8], at position: Int, end: Int) -> UInt16? {
        guard position + 6 <= end, bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u") else {
            return nil
        }
        var unit: UInt16 = 0
        for digit in bytes[(position + 2)..<(position + 6)] {
            switch digit {
            case 0x30...0x39: unit = unit << 4 | UInt16(digit - 0x30)
            case 0x41...0x46: unit = unit << 4 | UInt16(digit - 0x37)
            case 0x61...0x66: unit = unit << 4 | UInt16(digit - 0x57)
            default: return nil
            }
        }
        return unit
    }

    private static func copy(_ count: Int, in bytes: inout [UInt8], from read: inout Int, to write: inout Int) {
        for _ in 0..<count {
            bytes[write] = bytes[read]
            write += 1
            read += 1
        }
    }

    private static func replace(in bytes: inout [UInt8], from read: inout Int, to write: inout Int) {
        for byte in #"\ufffd"#.utf8 {
            bytes[write] = byte
            write += 1
        }
        read += 6
    }

    /// The number of elements of the array at the front of `bytes`, which holds nothing else.
    static func elementCount(_ bytes: [UInt8]) throws(JSONScanner.Malformed) -> Int {
        var scanner = JSONScanner(from: 0, to: bytes.count)
        try scanner.expect("[", in: bytes)
        if try scanner.peek(bytes) == UInt8(ascii: "]") { return 0 }
        var count = 0
        while true {
            _ = try scanner.value(bytes)
            count += 1
            if try scanner.peek(bytes) == UInt8(ascii: ",") {
                try scanner.expect(",", in: bytes)
                continue
            }
            try scanner.expect("]", in: bytes)
            return count
        }
    }
}
