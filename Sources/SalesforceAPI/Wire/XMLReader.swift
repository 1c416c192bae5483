/// Pulls elements and text out of a complete XML document in memory, in one pass, without a tree.
///
/// It reads what Salesforce writes: elements, attributes, text, CDATA, comments, processing instructions, the five named
/// entities and character references. A document type declaration is refused, so there are no external entities.
struct XMLReader {
    struct Malformed: Error {}

    enum Event: Equatable {
        /// A start tag: its local name and whether it carries `xsi:nil="true"`.
        case start(name: String, isNil: Bool)
        case end
        case text(String)
    }

    private let bytes: [UInt8]
    private var position = 0
    private var openElements = 0
    private var pendingEnd = false
    private var sawRoot = false

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next event; nil after the end of the root element. Text of one element may come in several pieces.
    mutating func next() throws(Malformed) -> Event? {
        if pendingEnd {
            pendingEnd = false
            openElements -= 1
            return .end
        }
        while position < bytes.count {
            if bytes[position] != UInt8(ascii: "<") {
                let text = try characters()
                if openElements > 0 { return .text(text) }
                continue
            }
            if starts(with: "<!--") {
                try skip(past: "-->")
            } else if starts(with: "<![CDATA[") {
                return .text(try characterData())
            } else if starts(with: "<?") {
                try skip(past: "?>")
            } else if starts(with: "<!") {
                throw Malformed()
            } else if starts(with: "</") {
                try skip(past: ">")
                guard openElements > 0 else { throw Malformed() }
                openElements -= 1
                return .end
            } else {
                return try startTag()
            }
        }
        guard sawRoot, openElements == 0 else { throw Malformed() }
        return nil
    }

    /// The text of the element whose start was just read, through its end; nested elements are passed over.
    mutating func text() throws(Malformed) -> String {
        var result = ""
        var depth = 0
        while let event = try next() {
            switch event {
            case .text(let piece) where depth == 0: result += piece
            case .text: break
            case .start: depth += 1
            case .end:
                if depth == 0 { return result }
                depth -= 1
            }
        }
        throw Malformed()
    }

    /// Passes over the rest of the element whose start was just read.
    mutating func skipElement() throws(Malformed) { _ = try text() }

    /// Calls `body` with each child of the element whose start was just read; `body` must consume the child through its end.
    mutating func eachChild(
        _ body: (_ name: String, _ isNil: Bool, _ reader: inout XMLReader) throws(Malformed) -> Void
    ) throws(Malformed) {
        while let event = try next() {
            switch event {
            case .start(let name, let isNil): try body(name, isNil, &self)
            case .text: break
            case .end: return
            }
        }
        throw Malformed()
    }

    private mutating func startTag() throws(Malformed) -> Event {
        position += 1
        let name = try nameToken()
        var isNil = false
        while true {
            skipSpace()
            guard position < bytes.count else { throw Malformed() }
            if bytes[position] == UInt8(ascii: ">") {
                position += 1
                break
            }
            if starts(with: "/>") {
                position += 2
                pendingEnd = true
                break
            }
            let attribute = try nameToken()
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "=") else { throw Malformed() }
            position += 1
            skipSpace()
            guard position < bytes.count else { throw Malformed() }
            let quote = bytes[position]
            guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { throw Malformed() }
            position += 1
            let start = position
            while position < bytes.count, bytes[position] != quote { position += 1 }
            guard position < bytes.count else { throw Malformed() }
            if attribute == "nil" {
                let value = bytes[start..<position]
                isNil = value.elementsEqual("true".utf8) || value.elementsEqual("1".utf8)
            }
            position += 1
        }
        openElements += 1
        sawRoot = true
        return .start(name: name, isNil: isNil)
    }

    /// A name without its prefix.
    private mutating func nameToken() throws(Malformed) -> String {
        var start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: ":"): start = position + 1
            case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ">"), UInt8(ascii: "/"), UInt8(ascii: "="):
                guard position > start else { throw Malformed() }
                return String(decoding: bytes[start..<position], as: UTF8.self)
            case UInt8(ascii: "<"), UInt8(ascii: "\""), UInt8(ascii: "'"): throw Malformed()
            default: break
            }
            position += 1
        }
        throw Malformed()
    }

    private mutating func characters() throws(Malformed) -> String {
        var result: [UInt8] = []
        while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
            switch bytes[position] {
            case UInt8(ascii: "&"): try reference(into: &result)
            case 0x0D:
                // XML's own rule: a literal CR, alone or before LF, reads as LF.
                result.append(0x0A)
                position += 1
                if position < bytes.count, bytes[position] == 0x0A { position += 1 }
            default:
                result.append(bytes[position])
                position += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private mutating func reference(into result: inout [UInt8]) throws(Malformed) {
        position += 1
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: ";"), position - start < 12 { position += 1 }
        guard position < bytes.count, bytes[position] == UInt8(ascii: ";") else { throw Malformed() }
        let name = String(decoding: bytes[start..<position], as: UTF8.self)
        position += 1
        switch name {
        case "amp": result.append(UInt8(ascii: "&"))
        case "lt": result.append(UInt8(ascii: "<"))
        case "gt": result.append(UInt8(ascii: ">"))
        case "quot": result.append(UInt8(ascii: "\""))
        case "apos": result.append(UInt8(ascii: "'"))
        default:
            let number: UInt32? =
                name.hasPrefix("#x") || name.hasPrefix("#X")
                ? UInt32(name.dropFirst(2), radix: 16) : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
            guard let number, let scalar = Unicode.Scalar(number) else { throw Malformed() }
            result.append(contentsOf: String(Character(scalar)).utf8)
        }
    }

    private mutating func characterData() throws(Malformed) -> String {
        position += 9
        let start = position
        try skip(past: "]]>")
        return String(decoding: bytes[start..<(position - 3)], as: UTF8.self)
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private func starts(with text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        for offset in 0..<count where bytes[position + offset] != text.utf8Start[offset] { return false }
        return true
    }

    private mutating func skip(past text: StaticString) throws(Malformed) {
        while position < bytes.count {
            if starts(with: text) {
                position += text.utf8CodeUnitCount
                return
            }
            position += 1
        }
        throw Malformed()
    }
}
