import Foundation
import Testing

@Suite("faults of records")
struct RecordFaultTests {
    private static func fault(_ client: OrgClient, _ body: String) async throws { _ = try await client.control("POST", "faults", body) }

    private static func create(_ client: OrgClient, _ names: [String]) async throws -> [[String: Any]] {
        let records = names.map { #"{"attributes": {"type": "Account"}, "Name": "\#($0)"}"# }.joined(separator: ",")
        return try await client.rest("POST", "composite/sobjects", #"{"records": [\#(records)]}"#).list
    }

    private static func code(_ result: [String: Any]) -> String? { (result["errors"] as? [[String: Any]])?.first?["statusCode"] as? String }

    @Test("each k-th record is refused")
    func everyKth() async throws {
        try await withOrg { client in
            try await Self.fault(client, #"{"kind": "reject", "every": 2, "code": "CANNOT_EXECUTE_FLOW_TRIGGER", "message": "no"}"#)
            #expect(try await Self.create(client, ["a", "b", "c", "d", "e"]).map(Self.code) == [nil, "CANNOT_EXECUTE_FLOW_TRIGGER", nil, "CANNOT_EXECUTE_FLOW_TRIGGER", nil])
        }
    }

    @Test("the record with a value is refused")
    func byValue() async throws {
        try await withOrg { client in
            try await Self.fault(client, #"{"kind": "reject", "where": {"field": "Name", "value": "poison"}, "message": "no"}"#)
            #expect(try await Self.create(client, ["a", "poison", "c"]).map { $0["success"] as? Bool } == [true, false, true])
        }
    }

    @Test("UNABLE_TO_LOCK_ROW at the k-th record names the row")
    func lockRow() async throws {
        try await withOrg { client in
            let ids = try await client.column("SELECT Id FROM Account LIMIT 2")
            try await Self.fault(client, #"{"kind": "lockRow", "record": 1}"#)
            let records = ids.map { "<u:sObjects><s:type>Account</s:type><s:Id>\($0)</s:Id><s:Phone>1</s:Phone></u:sObjects>" }.joined()
            let answer = try await client.soap("<u:update>\(records)</u:update>")
            #expect(answer.text.contains("<message>unable to obtain exclusive access to this record or 1 records: \(ids[1])</message>"))
            #expect(answer.text.contains("<statusCode>UNABLE_TO_LOCK_ROW</statusCode>"))
            #expect(answer.text.components(separatedBy: "<success>true</success>").count == 2)
        }
    }

    @Test("another user creates an equal record before or after ours", arguments: ["before", "after"])
    func equalRecord(when: String) async throws {
        try await withOrg { client in
            try await Self.fault(client, #"{"kind": "equalRecord", "when": "\#(when)", "values": {"Phone": "theirs"}, "match": {"operation": "create"}}"#)
            let ours = try #require(try await client.rest("POST", "sobjects/Account", #"{"Name": "equal", "Phone": "ours"}"#).object["id"] as? String)
            let ids = try await client.column("SELECT Id FROM Account WHERE Name = 'equal' ORDER BY Id")
            #expect(ids.count == 2)
            #expect(ids.firstIndex(of: ours) == (when == "before" ? 1 : 0))
            #expect(try await client.column("SELECT CreatedBy.Username FROM Account WHERE Name = 'equal' AND Phone = 'theirs'").count == 1)
            let found = try await client.control("GET", "invariants?object=Account&key=Name").object["duplicates"] as? [[String: Any]]
            #expect(found?.map { $0["value"] as? String } == ["equal"])
        }
    }

    @Test("10,000 records have one stamp")
    func oneStamp() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "generate", #"{"object": "Account", "count": 10000, "stamp": "2030-01-01T00:00:00Z", "fields": {"Name": "bulk {n}"}}"#)
            let answer = try await client.query("SELECT Id FROM Account WHERE SystemModstamp = 2030-01-01T00:00:00Z")
            #expect(answer.object["totalSize"] as? Int == 10_000)
            _ = try await client.control("POST", "records/Account/touch", #"{"where": "Name LIKE 'bulk %'", "stamp": "2031-01-01T00:00:00Z"}"#)
            #expect(try await client.query("SELECT Id FROM Account WHERE SystemModstamp = 2031-01-01T00:00:00Z").object["totalSize"] as? Int == 10_000)
        }
    }
}
