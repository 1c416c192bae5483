/// One element of a request document, known by its local name: Salesforce accepts the fields of an sObject in
/// the sObject namespace, the partner namespace or none (wire reference 3.1).
final class XMLElementNode {
    let name: String
    let attributes: [String: String]
    var children: [XMLElementNode] = []
    var text = ""

    init(name: String, attributes: [String: String]) {
        self.name = name
        self.attributes = attributes
    }

    /// The text without the white space around it.
    var trimmedText: String { FieldValue.trimmed(text) }

    func first(_ name: String) -> XMLElementNode? { children.first { $0.name == name } }

    /// True for a SOAP header with `mustUnderstand`.
    var isMandatory: Bool { attributes.contains { $0.key.hasSuffix("mustUnderstand") && ["1", "true"].contains($0.value) } }

    /// True for `xsi:nil="true"`, whatever prefix the document gives the schema instance namespace.
    var isNil: Bool {
        attributes.contains { key, value in (key == "nil" || key.hasSuffix(":nil")) && (value == "true" || value == "1") }
    }
}

/// Writes XML text.
struct XMLWriter {
    private(set) var text = ""

    init(_ start: String = "") { text = start }

    mutating func raw(_ fragment: String) { text += fragment }

    mutating func open(_ tag: String) { text += "<" + tag + ">" }

    mutating func close(_ name: String) { text += "</" + name + ">" }

    /// An element with text content; nil becomes `xsi:nil="true"`.
    mutating func element(_ name: String, _ value: String?) {
        guard let value else {
            text += "<" + name + " xsi:nil=\"true\"/>"
            return
        }
        text += "<" + name + ">"
        XMLWriter.escape(value, to: &text)
        text += "</" + name + ">"
    }

    static func escape(_ value: String, into writer: inout XMLWriter) { escape(value, to: &writer.text) }

    /// Escapes markup, writes CR as a reference so that it survives, and drops what XML 1.0 cannot carry.
    static func escape(_ value: String, to output: inout String) {
        let plain = value.utf8.allSatisfy {
            $0 >= 0x20 && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: "&") && $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: "\"")
        }
        if plain {
            output += value
            return
        }
        for scalar in value.unicodeScalars {
            switch scalar {
            case "<": output += "&lt;"
            case ">": output += "&gt;"
            case "&": output += "&amp;"
            case "\"": output += "&quot;"
            case "\r": output += "&#13;"
            case "\n", "\t": output.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20: break
            default: output.unicodeScalars.append(scalar)
            }
        }
    }
}
