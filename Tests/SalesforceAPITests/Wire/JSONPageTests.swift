import Testing

@testable import SalesforceAPI

@Suite("pages of records")
struct JSONPageTests {
    private func page(_ text: String) throws -> QueryPage { try QueryPage.read(Array(text.utf8)) }
    private func text(_ page: QueryPage) -> String { String(decoding: page.records, as: UTF8.self) }

    @Test("the records array is cut out, whatever stands before and after it")
    func cut() throws {
        let page = try page(
            #"{ "totalSize" : 2501, "done":false, "records" : [ {"Id":"1","Owner":{"Name":"a]}"}}, {"Id":"2","x":[1,2]} ] ,"nextRecordsUrl":"\/services\/data\/v62.0\/query\/0r8xx-2000"}"#)
        #expect(text(page) == #"[ {"Id":"1","Owner":{"Name":"a]}"}}, {"Id":"2","x":[1,2]} ]"#)
        #expect(page.count == 2)
        #expect(page.totalSize == 2501)
        #expect(page.done == false)
        #expect(page.nextRecordsURL == "/services/data/v62.0/query/0r8xx-2000")
    }

    @Test("the last page has no next one, a count has no records")
    func last() throws {
        let page = try page(#"{"totalSize":123,"done":true,"records":[]}"#)
        #expect(page == QueryPage(records: Array("[]".utf8), count: 0, totalSize: 123, done: true, nextRecordsURL: nil))
    }

    @Test(
        "U+0000 goes, and only U+0000",
        arguments: [
            (#"["a\u0000b"]"#, #"["ab"]"#),
            (#"["\u0000"]"#, #"[""]"#),
            (#"["\u0000\u0000x\u0000"]"#, #"["x"]"#),
            // An escaped backslash before the letters is text.
            (#"["\\u0000"]"#, #"["\\u0000"]"#),
            (#"["\\\u0000"]"#, #"["\\"]"#),
            (#"["\\\\u0000"]"#, #"["\\\\u0000"]"#),
            (#"["\"\u0000\""]"#, #"["\"\""]"#),
            (#"["\u0001\u00001"]"#, #"["\u00011"]"#),
            ("[\"a\u{0}b\"]", #"["ab"]"#),
            // Half a surrogate pair, which PostgreSQL refuses, becomes the replacement character; whole pairs stay.
            (#"["\ud83d\ude00"]"#, #"["\ud83d\ude00"]"#),
            (#"["\uD83D"]"#, #"["\ufffd"]"#),
            (#"["\ude00\ud83dx"]"#, #"["\ufffd\ufffdx"]"#),
            (#"["\ud83d\u0000"]"#, #"["\ufffd"]"#),
            (#"["😀 u0000"]"#, #"["😀 u0000"]"#),
        ])
    func strips(input: String, expected: String) throws {
        let result = try page(#"{"done":true,"records":\#(input),"totalSize":1}"#)
        #expect(text(result) == expected)
        #expect(result.count == 1)
    }

    @Test("a NUL escape is found at every place of a value", arguments: 0...12)
    func everyPlace(offset: Int) throws {
        let value = #"ab\\cd\"ef\n"#
        let units = [#"a"#, #"b"#, #"\\"#, #"c"#, #"d"#, #"\""#, #"e"#, #"f"#, #"\n"#]
        let cut = min(offset, units.count)
        let dirty = units[..<cut].joined() + #"\u0000"# + units[cut...].joined()
        let result = try page(#"{"records":[{"v":"\#(dirty)"}],"done":true}"#)
        #expect(text(result) == #"[{"v":"\#(value)"}]"#)
    }

    @Test(
        "what is no complete page is refused",
        arguments: [
            "", "{", "[]", #"{"done":true}"#, #"{"records":[],"done":fal"#, #"{"records":[{"a":1},"done":true}"#,
            // Not done, and no place to go on: going on would lose rows.
            #"{"records":[],"done":false}"#,
            // The token goes to no other host.
            #"{"records":[],"done":false,"nextRecordsUrl":"https://evil.example/services/x"}"#,
            #"{"records":[],"done":false,"nextRecordsUrl":"@evil.example/"}"#,
        ])
    func refuses(input: String) {
        #expect(throws: JSONScanner.Malformed.self) { try page(input) }
    }
}
