/// Builds one XML document as bytes. Names are fixed by us or checked by ``isName(_:)``; text is escaped here.
struct XMLWriter {
    private(set) var bytes: [UInt8] = []

    init(reserving capacity: Int = 4096) { bytes.reserveCapacity(capacity) }

    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Takes over what another writer made.
    mutating func append(_ fragment: [UInt8]) { bytes.append(contentsOf: fragment) }

    mutating func open(_ name: String) {
        raw("<")
        raw(name)
        raw(">")
    }

    mutating func close(_ name: String) {
        raw("</")
        raw(name)
        raw(">")
    }

    mutating func element(_ name: String, _ text: String) {
        open(name)
        escaped(text)
        close(name)
    }

    /// Writes text. CR goes as a character reference, because a parser would turn it into LF (API reference 3.4).
    mutating func escaped(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): raw("&amp;")
            case UInt8(ascii: "<"): raw("&lt;")
            case UInt8(ascii: ">"): raw("&gt;")
            case UInt8(ascii: "\""): raw("&quot;")
            case 0x0D: raw("&#13;")
            default: bytes.append(byte)
            }
        }
    }

    /// The first character of `text` that XML 1.0 cannot carry in any form; it would spoil the whole document.
    static func firstForbidden(in text: String) -> Unicode.Scalar? {
        text.unicodeScalars.first { scalar in
            switch scalar.value {
            case 0x09, 0x0A, 0x0D: false
            case 0..<0x20, 0xFFFE, 0xFFFF: true
            default: false
            }
        }
    }

    /// Whether `name` may be an element's name as Salesforce names objects and fields: letters, digits and `_`, not beginning
    /// with a digit.
    static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return name.utf8.allSatisfy { SalesforceID.isAlphanumeric($0) || $0 == UInt8(ascii: "_") }
    }
}
