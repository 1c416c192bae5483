import Testing

@testable import Relay
@testable import SalesforceAPI

@Suite("bulk load")
struct BulkLoadTests {
    private func filter(_ csv: String) -> CSVPageFilter {
        var filter = CSVPageFilter()
        _ = filter.transform(Array(csv.utf8))
        filter.finish()
        return filter
    }

    @Test("a whole page passes")
    func whole() throws {
        let csv = "\"Id\"\n\"a\"\n\"b\"\n"
        try BulkLoad.refuseShort(filter(csv), BulkResultHead(nextLocator: nil, numberOfRecords: 2, bodyLength: csv.utf8.count))
        try BulkLoad.refuseShort(filter(csv), BulkResultHead(nextLocator: nil, numberOfRecords: nil, bodyLength: nil))
    }

    @Test("a page with fewer records or bytes than promised, or cut inside a value, is refused", arguments: [
        ("\"Id\"\n\"a\"\n", 2 as Int?, nil as Int?), ("\"Id\"\n\"a\"\n", nil, 100), ("\"Id\"\n\"a", nil, nil),
    ])
    func short(csv: String, records: Int?, length: Int?) {
        let error = #expect(throws: SalesforceError.self) {
            try BulkLoad.refuseShort(filter(csv), BulkResultHead(nextLocator: nil, numberOfRecords: records, bodyLength: length))
        }
        #expect(error?.code == "short_page" && error?.disposition == .inDoubt)
    }

    @Test("a Bulk 1.0 load goes on at the result it noted, and starts anew when that is gone")
    func bulk1() throws {
        let places = ["1/a", "1/b", "2/a"].map { text in
            let parts = text.split(separator: "/").map(String.init)
            return Bulk1Load.Place(batch: parts[0], result: parts[1])
        }
        #expect(try Array(Bulk1Load.remaining(places, from: nil)) == places)
        #expect(try Array(Bulk1Load.remaining(places, from: "1/b")).map(\.text) == ["1/b", "2/a"])
        #expect(Bulk1Load.after(places[1], in: places)?.text == "2/a")
        #expect(Bulk1Load.after(places[2], in: places) == nil)
        let error = #expect(throws: SalesforceError.self) { try Bulk1Load.remaining(places, from: "9/z") }
        #expect(error?.disposition == .restartQuery)
    }

    @Test("only an object that Bulk does not serve goes by queries instead", arguments: [
        ("INVALIDENTITY", true), ("FeatureNotEnabled", true), ("INVALID_FIELD", false), ("timed_out", false),
    ])
    func refusal(code: String, isRefusal: Bool) {
        #expect(BulkLoad.isRefusal(SalesforceError(.configuration, code: code, message: "", operation: "o")) == isRefusal)
    }

    @Test("a failed login is no fault of the mapping", arguments: [
        ("login at https://x", Disposition.configuration, ReadFailure.Kind.transient),
        ("query of Account", .configuration, .configuration), ("query of Account", .limit(retryAfter: .seconds(1)), .limit),
        ("query of Account", .inDoubt, .transient), ("query of Account", .needsSession, .transient),
    ])
    func readFailure(operation: String, disposition: Disposition, kind: ReadFailure.Kind) {
        #expect(ReadFailure(SalesforceError(disposition, code: "C", message: "m", operation: operation)).kind == kind)
    }
}
