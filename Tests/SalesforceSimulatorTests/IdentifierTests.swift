@testable import SalesforceSimulator
import Testing

@Suite("record ids")
struct IdentifierTests {
    @Test("check characters follow the capitals", arguments: [
        ("001xx000003DGb2", "001xx000003DGb2AAG"), ("00Dxx0000001gPL", "00Dxx0000001gPLEAY"), ("005xx000001Sv6A", "005xx000001Sv6AAAS"),
        ("a00D0000008pQRA", "a00D0000008pQRAIA2"), ("0015f00001AbCdE", "0015f00001AbCdEAAV"),
    ])
    func checkCharacters(fifteen: String, eighteen: String) {
        #expect(RecordIdentifier.withCheckCharacters(fifteen) == eighteen)
        #expect(RecordIdentifier.normalized(fifteen) == eighteen)
        #expect(RecordIdentifier.normalized(eighteen) == eighteen)
    }

    @Test("a wrong check character is no id", arguments: ["001xx000003DGb2AAA", "001xx000003DGb", "001xx000003DG-2", ""])
    func malformed(text: String) { #expect(RecordIdentifier.normalized(text) == nil) }

    @Test("ids sort by record number")
    func order() {
        let ids = [1, 9, 10, 35, 36, 61, 62, 3_843, 3_844].map { RecordIdentifier.make(keyPrefix: "001", number: $0) }
        #expect(ids == ids.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        #expect(Set(ids).count == ids.count)
    }
}

@Suite("values")
struct ValueTests {
    @Test("decimals are rounded half up to the scale", arguments: [
        ("1.005", 2, "1.01"), ("1.004", 2, "1.0"), ("-2.5", 0, "-3.0"), ("1e3", 2, "1000.0"), ("123456789012345678", 0, "123456789012345678.0"),
        ("12345678", 2, "1.2345678E7"), ("0.05", 2, "0.05"), ("10000000", 0, "1.0E7"), ("9999999.5", 1, "9999999.5"),
    ])
    func decimals(sent: String, scale: Int, answered: String) throws {
        #expect(decimalText(try #require(scaled(sent, scale: scale)), scale: scale) == answered)
    }

    @Test("instants keep their moment whatever the offset", arguments: [
        ("2024-01-01T00:00:00.000Z", "2024-01-01T00:00:00.000Z"), ("2024-01-01T01:00:00+01:00", "2024-01-01T00:00:00.000Z"),
        ("2023-12-31T19:00:00.250-0500", "2024-01-01T00:00:00.250Z"), ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59.000Z"),
        ("2024-02-29T12:30:00.000+0000", "2024-02-29T12:30:00.000Z"),
    ])
    func instants(sent: String, answered: String) throws {
        #expect(TimeText.zulu(try #require(TimeText.parseDateTime(sent))) == answered)
    }

    @Test("no day outside the calendar", arguments: ["2023-02-29", "2024-13-01", "2024-00-10", "24-01-01", "2024-1-1"])
    func badDates(text: String) { #expect(TimeText.parseDate(text) == nil) }

    @Test("HTTP dates go both ways")
    func httpDates() throws {
        let instant = try #require(TimeText.parseDateTime("2024-08-10T07:05:09Z"))
        #expect(TimeText.http(instant) == "Sat, 10 Aug 2024 07:05:09 GMT")
        #expect(TimeText.parseHTTP("Sat, 10 Aug 2024 07:05:09 GMT") == instant)
    }
}
