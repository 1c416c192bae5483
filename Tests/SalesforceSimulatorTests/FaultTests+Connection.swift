import Foundation
@testable import SalesforceSimulator
import Testing

@Suite("faults of the connection")
struct ConnectionFaultTests {
    private static func fault(_ client: OrgClient, _ body: String) async throws { _ = try await client.control("POST", "faults", body) }

    private static func count(_ client: OrgClient, _ name: String) async throws -> Int {
        try await client.column("SELECT Id FROM Account WHERE Name = '\(name)'").count
    }

    @Test("half of a body arrives, then the connection closes")
    func truncate() async throws {
        try await withOrg { client in
            try await Self.fault(client, #"{"kind": "truncate", "fraction": 0.5}"#)
            let broken = await #expect(throws: HTTPExchange.Broken.self) { try await client.query("SELECT Id FROM Account") }
            let sizes = try #require(broken?.reason.split(separator: " ").compactMap { Int($0) })
            #expect(sizes.count == 2)
            #expect(sizes.first == (sizes.last ?? 0) / 2)
        }
    }

    @Test("a slow body comes whole, at its speed")
    func slowBody() async throws {
        try await withOrg { client in
            let whole = try await client.rest("GET", "sobjects/Ping__c/describe")
            let speed = whole.body.count * 2
            try await Self.fault(client, #"{"kind": "slowBody", "bytesPerSecond": \#(speed), "match": {"operation": "describe"}}"#)
            var slow: Answer?
            let time = try await ContinuousClock().measure { slow = try await client.rest("GET", "sobjects/Ping__c/describe") }
            #expect(slow?.body == whole.body)
            #expect(time >= .milliseconds(350))
        }
    }

    @Test("work that is done after the client has left has the old stamp, and holds the horizon until then")
    func abandon() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "clock", #"{"now": "2030-05-05T12:30:10Z"}"#)
            try await Self.fault(client, #"{"kind": "abandon", "milliseconds": 240000, "match": {"operation": "create"}}"#)
            await #expect(throws: (any Error).self) { try await client.rest("POST", "sobjects/Account", #"{"Name": "left"}"#) }
            #expect(try await Self.count(client, "left") == 0)
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 200}"#)
            let window = "start=2030-05-05T12%3A00%3A00Z&end=2030-05-05T12%3A40%3A00Z"
            let held = try await client.rest("GET", "sobjects/Account/updated?" + window).object["latestDateCovered"] as? String
            #expect(held?.hasPrefix("2030-05-05T12:30:") == true)
            #expect(held ?? "" < "2030-05-05T12:30:11")
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 60}"#)
            #expect(try await client.column("SELECT SystemModstamp FROM Account WHERE Name = 'left'").first?.hasPrefix("2030-05-05T12:30:1") == true)
            let free = try await client.rest("GET", "sobjects/Account/updated?" + window).object["latestDateCovered"] as? String
            #expect(free ?? "" > "2030-05-05T12:34")
            #expect(try await client.control("GET", "calls?operation=create").list.map { $0["status"] as? Int } == [0])
        }
    }

    @Test("an API's service time grows with its records, and its jitter repeats")
    func serviceTime() async throws {
        try await withOrg { client in
            let times = #"{"service": {"seed": 7, "times": [{"family": "rest", "operation": "create", "fixed": 100, "perRecord": 100, "jitter": 0.5}, {"family": "soap", "fixed": 0}]}}"#
            let settings = try await client.control("PATCH", "settings", times).object["service"] as? [String: Any]
            #expect((settings?["times"] as? [[String: Any]])?.count == 2)
            let records = (0..<3).map { #"{"attributes": {"type": "Account"}, "Name": "t\#($0)"}"# }.joined(separator: ",")
            let took = try await ContinuousClock().measure {
                _ = try await client.rest("POST", "composite/sobjects", #"{"records": [\#(records)]}"#)
            }
            #expect(took >= .milliseconds(195))
            func draw(_ seed: UInt64) -> [Int] {
                var state = ServiceState()
                state.reseed(seed)
                var call = CallDescription(.rest, "create")
                call.recordCount = 3
                var service = ServiceSettings()
                service.times = [.init(family: "rest", operation: nil, fixed: 100, perRecord: 100, jitter: 0.5)]
                return (0..<20).map { _ in state.time(call, service) }
            }
            #expect(draw(7) == draw(7))
            #expect(draw(7) != draw(8))
            #expect(draw(7).allSatisfy { (200...600).contains($0) })
        }
    }

    @Test("a write holds its records and their parents for the time it takes")
    func serviceLocks() async throws {
        try await withOrg { client in
            let parent = try #require(try await client.rest("POST", "sobjects/Account", #"{"Name": "parent", "ExternalId__c": "p-1"}"#).object["id"] as? String)
            let other = try #require(try await client.rest("POST", "sobjects/Account", #"{"Name": "other"}"#).object["id"] as? String)
            _ = try await client.control("PATCH", "settings", #"{"service": {"locksRows": true, "times": [{"family": "soap", "fixed": 4000}]}}"#)
            func contact(_ parent: String) -> String {
                "<u:create><u:sObjects><s:type>Contact</s:type><s:LastName>c</s:LastName>\(parent)</u:sObjects></u:create>"
            }
            let byIdentifier = "<s:Account><s:type>Account</s:type><s:ExternalId__c>p-1</s:ExternalId__c></s:Account>"
            // While a child is being made, neither its parent nor a sister can be written; what it has nothing to do with can.
            for sent in ["<s:AccountId>\(parent)</s:AccountId>", byIdentifier] {
                async let first = client.soap(contact(sent))
                try await Task.sleep(for: .milliseconds(250))
                #expect(try await client.rest("PATCH", "sobjects/Account/\(parent)", #"{"Phone": "1"}"#).errorCode == "UNABLE_TO_LOCK_ROW")
                #expect(try await client.rest("PATCH", "sobjects/Account/\(other)", #"{"Phone": "1"}"#).status == 204)
                let sister = #"{"LastName": "s", "AccountId": "\#(parent)"}"#
                #expect(try await client.rest("POST", "sobjects/Contact", sister).errorCode == "UNABLE_TO_LOCK_ROW")
                #expect(try await first.text.contains("<success>true</success>"))
                #expect(try await client.rest("PATCH", "sobjects/Account/\(parent)", #"{"Phone": "2"}"#).status == 204)
            }
        }
    }
}
