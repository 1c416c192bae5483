import Testing

@testable import Relay

@Suite("time of the org")
struct OrgTimeTests {
    @Test("is read in both of Salesforce's spellings", arguments: [
        "2024-01-01T00:05:00.000+0000", "2024-01-01T00:05:00.000Z", "2024-01-01T00:05:00Z",
    ])
    func spellings(text: String) throws {
        let time = try #require(OrgTime(text))
        #expect(time.earlier(by: .seconds(120)).text == "2024-01-01T00:03:00.000Z")
        #expect(time.text == text)
    }

    @Test("tells what lies between")
    func between() throws {
        let early = try #require(OrgTime("2024-01-01T00:00:00.000Z")), late = try #require(OrgTime("2024-01-01T00:01:00.500Z"))
        #expect(late.since(early) == .milliseconds(60_500))
        #expect(early.since(late) == .milliseconds(-60_500))
        #expect(OrgTime("yesterday") == nil)
    }
}
