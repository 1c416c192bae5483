import Testing

@testable import SalesforceAPI

@Suite("XML")
struct XMLTests {
    private func events(_ text: String) throws -> [XMLReader.Event] {
        var reader = XMLReader(Array(text.utf8))
        var events: [XMLReader.Event] = []
        while let event = try reader.next() { events.append(event) }
        return events
    }

    @Test("prefixes, nil, references, CDATA and comments are read")
    func reads() throws {
        #expect(
            try events(#"<?xml version="1.0"?><!-- c --><a:x xmlns:a='u'><sf:Phone xsi:nil="true"/>1 &lt; 2&amp;&#13;&#x1F600;<![CDATA[<b>&]]></a:x>"#)
                == [
                    .start(name: "x", isNil: false), .start(name: "Phone", isNil: true), .end, .text("1 < 2&\r😀"),
                    .text("<b>&"), .end,
                ])
    }

    @Test(
        "what is not complete, or declares a document type, is refused",
        arguments: ["", "text", "<a>", "<a></a", "<a", "<a>&nope;</a>", "<a b></a>", "</a>", #"<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>"#, "<a>&#0;</a>x</b>"])
    func refuses(text: String) {
        #expect(throws: XMLReader.Malformed.self) { try events(text) }
    }

    @Test("what is written is read back, CR and all", arguments: ["a<b>&\"c'", "line\r\nend\rx\ty", "😀 ü", " blank "])
    func roundTrip(text: String) throws {
        var writer = XMLWriter()
        writer.element("v", text)
        var reader = XMLReader(writer.bytes)
        #expect(try reader.next() == .start(name: "v", isNil: false))
        #expect(try reader.text() == text)
    }

    @Test("CR is written as a reference")
    func carriageReturn() {
        var writer = XMLWriter()
        writer.element("v", "a\r\nb")
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "<v>a&#13;\nb</v>")
    }
}
