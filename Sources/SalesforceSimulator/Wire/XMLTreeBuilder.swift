import Foundation

/// Reads a document into a tree of its elements. It is our own because Foundation's event parser makes an object of every
/// name, attribute and text, which cost more than the saving of the records in them.
///
/// What XML 1.0 calls a fatal error is one here: tags that do not match, unknown entities, characters that no document may
/// hold. A document type is skipped, its entities are unknown. Namespaces are not looked at: elements go by their local names.
struct XMLTreeBuilder {
    /// Why a document cannot be read.
    struct Failure: Error { var message: String }

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var open: [(name: Range<Int>, node: XMLElementNode)] = []
    private var root: XMLElementNode?

    /// - Throws: ``Failure`` with what is wrong and where when the document is not well formed.
    static func parse(_ data: Data) throws -> XMLElementNode {
        let text = try decoded(data)
        return try text.withUnsafeBytes { raw in
            var builder = XMLTreeBuilder(bytes: raw.bindMemory(to: UInt8.self))
            return try builder.document()
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// The document in UTF-8. Of other encodings only those that a client of today may name are read.
    private static func decoded(_ data: Data) throws -> Data {
        let start = Array(data.prefix(100))
        if start.starts(with: [0xEF, 0xBB, 0xBF]) { return data.dropFirst(3) }
        if start.starts(with: [0xFE, 0xFF]) || start.starts(with: [0xFF, 0xFE]) {
            guard let text = String(data: data, encoding: .utf16) else { throw Failure(message: "the document is no UTF-16") }
            return Data(text.utf8)
        }
        let declaration = String(decoding: start.prefix { $0 != UInt8(ascii: ">") }, as: UTF8.self).lowercased()
        if declaration.hasPrefix("<?xml"), declaration.contains("iso-8859-1") || declaration.contains("windows-1252") {
            guard let text = String(data: data, encoding: .isoLatin1) else { throw Failure(message: "the document is no Latin-1") }
            return Data(text.utf8)
        }
        return data
    }

    private mutating func document() throws -> XMLElementNode {
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "<") { try markup() } else { try characters() }
        }
        if let last = open.last { throw failure("the element \(string(last.name)) is not closed") }
        guard let root else { throw Failure(message: "the document is empty") }
        return root
    }

    private mutating func markup() throws {
        switch byte(position + 1) {
        case UInt8(ascii: "/"): try endTag()
        case UInt8(ascii: "?"): try skip(past: "?>")
        case UInt8(ascii: "!"):
            if at("<!--") {
                position += 4
                try skip(past: "-->")
            } else if at("<![CDATA["), let node = open.last?.node {
                position += 9
                let start = position
                try skip(past: "]]>")
                try append(start..<position - 3, to: node)
            } else if at("<!DOCTYPE"), root == nil {
                try skipDocumentType()
            } else {
                throw failure("a declaration is not allowed here")
            }
        default: try startTag()
        }
    }

    // MARK: Tags

    private mutating func startTag() throws {
        position += 1
        let name = try self.name()
        var attributes: [String: String] = [:]
        var isEmpty = false
        while true {
            let hadSpace = skipSpace()
            guard let next = byte(position) else { throw failure("the tag \(string(name)) does not end") }
            if next == UInt8(ascii: ">") {
                position += 1
                break
            }
            if next == UInt8(ascii: "/"), byte(position + 1) == UInt8(ascii: ">") {
                position += 2
                isEmpty = true
                break
            }
            guard hadSpace else { throw failure("the tag \(string(name)) is malformed") }
            let (key, value) = try attribute()
            guard attributes.updateValue(value, forKey: key) == nil else { throw failure("the attribute \(key) stands twice") }
        }
        var local = name
        if let colon = bytes[name].lastIndex(of: UInt8(ascii: ":")), colon + 1 < name.upperBound { local = colon + 1..<name.upperBound }
        let node = XMLElementNode(name: string(local), attributes: attributes)
        if let parent = open.last?.node {
            parent.children.append(node)
        } else {
            guard root == nil else { throw failure("a document has one root") }
            root = node
        }
        if !isEmpty {
            guard open.count < 1_000 else { throw failure("elements are nested too deeply") }
            open.append((name, node))
        }
    }

    private mutating func endTag() throws {
        position += 2
        let name = try self.name()
        skipSpace()
        guard byte(position) == UInt8(ascii: ">") else { throw failure("an end tag does not end") }
        position += 1
        guard let last = open.popLast(), bytes[last.name].elementsEqual(bytes[name]) else {
            throw failure("the end tag \(string(name)) closes no element")
        }
    }

    private mutating func attribute() throws -> (String, String) {
        let key = string(try name())
        skipSpace()
        guard byte(position) == UInt8(ascii: "=") else { throw failure("the attribute \(key) has no value") }
        position += 1
        skipSpace()
        guard let quote = byte(position), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            throw failure("the value of \(key) is not quoted")
        }
        let start = position + 1
        guard let end = bytes[start...].firstIndex(of: quote) else { throw failure("the value of \(key) does not end") }
        guard !bytes[start..<end].contains(UInt8(ascii: "<")) else { throw failure("the value of \(key) holds a <") }
        position = end + 1
        return (key, try text(start..<end, expanding: true))
    }

    private mutating func name() throws -> Range<Int> {
        let start = position
        while let next = byte(position), XMLTreeBuilder.isName(next) { position += 1 }
        guard position > start, !XMLTreeBuilder.isDigitLike(bytes[start]) else { throw failure("a name is missing") }
        return start..<position
    }

    // MARK: Texts

    private mutating func characters() throws {
        let start = position
        position = bytes[start...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
        if let node = open.last?.node {
            // White space between elements is most of an indented document, and no client's text.
            if !node.children.isEmpty, bytes[start..<position].allSatisfy(XMLTreeBuilder.isSpace) { return }
            node.text += try text(start..<position, expanding: true)
        } else if !bytes[start..<position].allSatisfy(XMLTreeBuilder.isSpace) {
            throw failure("there is text outside of the root")
        }
    }

    private func append(_ range: Range<Int>, to node: XMLElementNode) throws { node.text += try text(range, expanding: false) }

    /// The text of a range: line ends become U+000A, references what they stand for.
    private func text(_ range: Range<Int>, expanding: Bool) throws -> String {
        var isPlain = true
        for byte in bytes[range] {
            if byte == UInt8(ascii: "&") || byte == UInt8(ascii: "\r") {
                isPlain = false
            } else if byte < 0x20, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\t") {
                throw failure("a document cannot hold the character \(byte)", at: range.lowerBound)
            }
        }
        if isPlain { return try string(checked: range) }
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            switch bytes[index] {
            case UInt8(ascii: "\r"):
                result.append(UInt8(ascii: "\n"))
                if index + 1 < range.upperBound, bytes[index + 1] == UInt8(ascii: "\n") { index += 1 }
                index += 1
            case UInt8(ascii: "&") where expanding:
                guard let end = bytes[index..<range.upperBound].firstIndex(of: UInt8(ascii: ";")) else { throw failure("a reference does not end", at: index) }
                guard let scalar = XMLTreeBuilder.reference(string(index + 1..<end)) else {
                    throw failure("the reference &\(string(index + 1..<end)); is unknown", at: index)
                }
                result += Array(String(Character(scalar)).utf8)
                index = end + 1
            default:
                result.append(bytes[index])
                index += 1
            }
        }
        guard let text = String(validating: result, as: UTF8.self) else { throw failure("a text is no UTF-8", at: range.lowerBound) }
        return text
    }

    /// What stands behind `&amp;`, `&#38;` or `&#x26;`; nil for entities that XML does not define and what it cannot carry.
    private static func reference(_ name: String) -> Unicode.Scalar? {
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard name.hasPrefix("#") else { return nil }
            let isHexadecimal = name.hasPrefix("#x")
            guard let value = UInt32(name.dropFirst(isHexadecimal ? 2 : 1), radix: isHexadecimal ? 16 : 10), let scalar = Unicode.Scalar(value),
                value >= 0x20 || [0x9, 0xA, 0xD].contains(value), value != 0xFFFE, value != 0xFFFF
            else { return nil }
            return scalar
        }
    }

    // MARK: Bytes

    private func byte(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private func at(_ marker: StaticString) -> Bool {
        position + marker.utf8CodeUnitCount <= bytes.count
            && memcmp(bytes.baseAddress! + position, marker.utf8Start, marker.utf8CodeUnitCount) == 0
    }

    private mutating func skip(past marker: StaticString) throws {
        while position < bytes.count {
            if at(marker) {
                position += marker.utf8CodeUnitCount
                return
            }
            position += 1
        }
        throw failure("the document ends before \(marker)")
    }

    /// A document type with its internal subset, whose declarations are not read.
    private mutating func skipDocumentType() throws {
        var depth = 0
        while let next = byte(position) {
            position += 1
            if next == UInt8(ascii: "[") { depth += 1 }
            if next == UInt8(ascii: "]") { depth -= 1 }
            if next == UInt8(ascii: ">"), depth == 0 { return }
        }
        throw failure("the document type does not end")
    }

    @discardableResult
    private mutating func skipSpace() -> Bool {
        let start = position
        while let next = byte(position), XMLTreeBuilder.isSpace(next) { position += 1 }
        return position > start
    }

    private func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private func string(checked range: Range<Int>) throws -> String {
        guard let text = String(validating: bytes[range], as: UTF8.self) else { throw failure("a text is no UTF-8", at: range.lowerBound) }
        return text
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D }

    /// Letters, digits, `.-_:` and everything beyond ASCII.
    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: ":"), 0x80...: true
        case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }

    /// What may stand within a name, but not begin one.
    private static func isDigitLike(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    private func failure(_ message: String, at place: Int? = nil) -> Failure {
        let place = place ?? position
        let line = 1 + bytes.prefix(place).count { $0 == UInt8(ascii: "\n") }
        return Failure(message: "\(message) (line \(line))")
    }
}
