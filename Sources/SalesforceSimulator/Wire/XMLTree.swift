import Foundation
#if canImport(FoundationXML)
    import FoundationXML
#endif

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

    func first(_ name: String) -> XMLElementNode? { children.first { $0.name == name } }

    /// True for a SOAP header with `mustUnderstand`.
    var isMandatory: Bool { attributes.contains { $0.key.hasSuffix("mustUnderstand") && ["1", "true"].contains($0.value) } }

    /// True for `xsi:nil="true"`, whatever prefix the document gives the schema instance namespace.
    var isNil: Bool {
        attributes.contains { key, value in (key == "nil" || key.hasSuffix(":nil")) && (value == "true" || value == "1") }
    }
}

/// Builds a tree from a document with Foundation's event parser.
final class XMLTreeBuilder: NSObject, XMLParserDelegate {
    struct Failure: Error { var message: String }

    private var stack: [XMLElementNode] = []
    private var root: XMLElementNode?

    /// - Throws: ``Failure`` when the document is not well formed.
    static func parse(_ data: Data) throws -> XMLElementNode {
        let builder = XMLTreeBuilder()
        let parser = XMLParser(data: data)
        parser.delegate = builder
        parser.shouldResolveExternalEntities = false
        guard parser.parse(), let root = builder.root else {
            throw Failure(message: parser.parserError?.localizedDescription ?? "the document is empty")
        }
        return root
    }

    func parser(
        _ parser: XMLParser, didStartElement elementName: String, namespaceURI: String?,
        qualifiedName qName: String?, attributes attributeDict: [String: String]
    ) {
        let local = elementName.split(separator: ":").last.map(String.init) ?? elementName
        let node = XMLElementNode(name: local, attributes: attributeDict)
        if let parent = stack.last { parent.children.append(node) } else { root = node }
        stack.append(node)
    }

    func parser(_ parser: XMLParser, didEndElement elementName: String, namespaceURI: String?, qualifiedName qName: String?) {
        stack.removeLast()
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { stack.last?.text += string }

    func parser(_ parser: XMLParser, foundCDATA CDATABlock: Data) {
        stack.last?.text += String(decoding: CDATABlock, as: UTF8.self)
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
