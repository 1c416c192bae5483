import SalesforceAPI
import Testing

/// One page, what the database is to get of it, and how many records it holds.
struct CSVCase: Sendable, CustomTestStringConvertible {
    var name: String
    var page: String
    var output: String
    var records: Int
    var testDescription: String { name }
}

@Suite("CSV pages")
struct CSVPageFilterTests {
    static let cases: [CSVCase] = [
        CSVCase(name: "plain", page: "\"Id\",\"Name\"\n\"1\",\"a\"\n\"2\",\"b\"\n", output: "\"1\",\"a\"\n\"2\",\"b\"\n", records: 2),
        CSVCase(name: "no line end at the end", page: "\"Id\"\n\"1\"\n\"2\"", output: "\"1\"\n\"2\"", records: 2),
        CSVCase(
            name: "breaks, quotes and commas inside quotes", page: "\"Id\",\"T\"\n\"1\",\"a\nb\r\n\"\"c\"\", d\"\n\"2\",\"\"\"\"\n",
            output: "\"1\",\"a\nb\r\n\"\"c\"\", d\"\n\"2\",\"\"\"\"\n", records: 2),
        CSVCase(name: "CRLF", page: "\"Id\"\r\n\"1\"\r\n\"x\r\ny\"\r\n", output: "\"1\"\n\"x\r\ny\"\n", records: 2),
        CSVCase(
            name: "a header with a break and a quote", page: "\"I\nd\",\"N\"\"x\"\n\"1\",\"2\"\n", output: "\"1\",\"2\"\n", records: 1),
        CSVCase(name: "NULs everywhere", page: "\"I\u{0}d\"\u{0}\n\u{0}\"a\u{0}\u{0}b\"\n\u{0}", output: "\"ab\"\n", records: 1),
        CSVCase(name: "emoji", page: "\"Näme\"\n\"😀,é\"\n\"👩‍👩‍👧\"\n", output: "\"😀,é\"\n\"👩‍👩‍👧\"\n", records: 2),
        CSVCase(name: "empty values are records", page: "\"Id\"\n\"\"\n\"\"\n", output: "\"\"\n\"\"\n", records: 2),
        CSVCase(name: "a blank line is none", page: "\"Id\"\r\n\r\n\"1\"\r\n\r\n", output: "\"1\"\n", records: 1),
        CSVCase(name: "header only", page: "\"Id\",\"Name\"\n", output: "", records: 0),
        CSVCase(name: "nothing", page: "", output: "", records: 0),
        CSVCase(name: "no records, as text", page: "Records not found for this query", output: "", records: 0),
        CSVCase(name: "no records, as text with a line end", page: "Records not found for this query\r\n", output: "", records: 0),
        CSVCase(name: "that text as a value", page: "\"T\"\n\"Records not found for this query\"\n", output: "\"Records not found for this query\"\n", records: 1),
    ]

    private func run(_ chunks: [[UInt8]]) -> (output: String, filter: CSVPageFilter) {
        var filter = CSVPageFilter()
        var output: [UInt8] = []
        for chunk in chunks { output += filter.transform(chunk) }
        filter.finish()
        return (String(decoding: output, as: UTF8.self), filter)
    }

    @Test("a page cut in two at any byte gives the same", arguments: cases)
    func cutInTwo(example: CSVCase) {
        let bytes = Array(example.page.utf8)
        for cut in 0...bytes.count {
            let (output, filter) = run([Array(bytes[..<cut]), Array(bytes[cut...])])
            #expect(output == example.output, "cut at \(cut)")
            #expect(filter.recordCount == example.records, "cut at \(cut)")
            #expect(filter.bytesRead == bytes.count)
            #expect(filter.isComplete)
        }
    }

    @Test("a page that comes byte by byte gives the same", arguments: cases)
    func byteByByte(example: CSVCase) {
        let (output, filter) = run(example.page.utf8.map { [$0] })
        #expect(output == example.output)
        #expect(filter.recordCount == example.records)
    }

    @Test("the header names the columns")
    func columns() {
        #expect(run([Array("\"Id\",\"Owner.Name\"\r\n\"1\",\"x\"\r\n".utf8)]).filter.columns == ["Id", "Owner.Name"])
        #expect(run([Array("Records not found for this query".utf8)]).filter.columns == [])
        #expect(run([Array("Records not found for this query\n".utf8)]).filter.isEmptyResult)
    }

    @Test("a page that ends inside a value is not complete, one that ends early has fewer records")
    func short() {
        let cut = run([Array("\"Id\"\n\"1\"\n\"2".utf8)]).filter
        #expect(cut.isComplete == false)
        #expect(run([Array("\"Id\"\n\"1\"\n".utf8)]).filter.recordCount == 1)
    }
}
