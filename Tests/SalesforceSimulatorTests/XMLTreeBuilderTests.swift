import Foundation
import Testing

@testable import SalesforceSimulator

@Suite("reading XML")
struct XMLTreeBuilderTests {
    private func root(_ text: String) throws -> XMLElementNode { try XMLTreeBuilder.parse(Data(text.utf8)) }

    @Test("elements go by their local names, with attributes, children in order and text")
    func tree() throws {
        let root = try root("""
            <?xml version="1.0" encoding="UTF-8"?><!-- a > b --><s:Envelope xmlns:s='urn:s' a.b="1 &lt; 2">
              <s:Body><first/><second xsi:nil = "true"></second>tail</s:Body>
            </s:Envelope>
            """)
        #expect(root.name == "Envelope")
        #expect(root.attributes == ["xmlns:s": "urn:s", "a.b": "1 < 2"])
        let body = try #require(root.first("Body"))
        #expect(body.children.map(\.name) == ["first", "second"])
        #expect(body.children.map(\.isNil) == [false, true])
        #expect(body.text == "tail")
    }

    @Test("references, CDATA and every kind of line end become text")
    func text() throws {
        #expect(try root("<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x1F600;</a>").text == "<&>\"'A\u{1F600}")
        #expect(try root("<a>x<![CDATA[<b>&amp;]]>y</a>").text == "x<b>&amp;y")
        #expect(try root("<a>1\r\n2\r3\n4&#13;5</a>").text == "1\n2\n3\n4\r5")
        #expect(try root("<a>äöü \u{1F600}</a>").text == "äöü \u{1F600}")
        #expect(try root("<a>  </a>").text == "  ")
    }

    @Test("other encodings are read as they say")
    func encodings() throws {
        let latin = Data("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>".utf8) + Data([0xE4]) + Data("</a>".utf8)
        #expect(try XMLTreeBuilder.parse(latin).text == "ä")
        #expect(try XMLTreeBuilder.parse(Data([0xEF, 0xBB, 0xBF]) + Data("<a>ä</a>".utf8)).text == "ä")
        #expect(try XMLTreeBuilder.parse(#require("<a>ä</a>".data(using: .utf16))).text == "ä")
    }

    @Test("what is not well formed is refused", arguments: [
        "", "   ", "text", "<a>", "<a></b>", "</a>", "<a/><b/>", "<a/>x", "<a><b></a></b>", "<a b></a>", "<a b=1/>", "<a b='1' b='2'/>",
        "<a b='<'/>", "<a b='1'c='2'/>", "<a>&unknown;</a>", "<a>&amp</a>", "<a>&#0;</a>", "<a>&#xFFFE;</a>", "<a>\u{1}</a>", "<1/>", "<a", "<a><!-- </a>",
        "<a><![CDATA[</a>", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
    ])
    func refusals(_ text: String) {
        #expect(throws: XMLTreeBuilder.Failure.self) { try root(text) }
    }

    @Test("bytes that are no UTF-8 are refused")
    func invalidBytes() {
        #expect(throws: XMLTreeBuilder.Failure.self) { try XMLTreeBuilder.parse(Data("<a>".utf8) + Data([0xC3, 0x28]) + Data("</a>".utf8)) }
    }

    @Test("a refusal names the line")
    func line() throws {
        let failure = try #require(throws: XMLTreeBuilder.Failure.self) { try root("<a>\n<b>\n</c></b></a>") }
        #expect(failure.message == "the end tag c closes no element (line 3)")
    }
}
