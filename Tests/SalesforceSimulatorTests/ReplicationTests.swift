import Foundation
import Testing

@Suite("getUpdated, getDeleted, clock, late commits")
struct ReplicationTests {
    private static func window(_ client: OrgClient, _ kind: String, _ start: String, _ end: String) async throws -> Answer {
        try await client.rest("GET", "sobjects/Account/\(kind)/?start=\(OrgClient.encode(start))&end=\(OrgClient.encode(end))")
    }

    @Test("changes and deletes within minutes, refusals outside")
    func windows() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "clock", #"{"now": "2030-05-05T12:30:40Z"}"#)
            let saved = try await client.control("POST", "records/Account", #"{"records": [{"Name": "new"}]}"#)
            let id = try #require(saved.list.first?["id"] as? String)
            let tooEarly = try await Self.window(client, "updated", "2030-05-05T12:29:15+00:00", "2030-05-05T12:30:59+00:00")
            #expect(tooEarly.object["ids"] as? [String] == [], "the minute of the change is cut off the end")
            #expect(tooEarly.object["latestDateCovered"] as? String == "2030-05-05T12:30:00.000+0000")
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 60}"#)
            let updated = try await Self.window(client, "updated", "2030-05-05T12:30:59Z", "2030-05-05T12:31:59Z")
            #expect(updated.object["ids"] as? [String] == [id])
            #expect(try await client.rest("DELETE", "sobjects/Account/\(id)").status == 204)
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 120}"#)
            let deleted = try await Self.window(client, "deleted", "2030-05-05T12:30:00Z", "2030-05-05T12:33:00Z")
            let entry = try #require((deleted.object["deletedRecords"] as? [[String: Any]])?.first)
            #expect(entry["id"] as? String == id)
            #expect((entry["deletedDate"] as? String)?.hasPrefix("2030-05-05T12:31:4") == true)
            #expect(deleted.object["earliestDateAvailable"] is String)
            #expect(try await Self.window(client, "updated", "2030-05-05T12:33:00Z", "2030-05-05T12:32:00Z").errorCode == "INVALID_REPLICATION_DATE")
            #expect(try await Self.window(client, "deleted", "2030-05-05T12:32:00Z", "2030-05-05T12:33:00Z").errorCode == "INVALID_REPLICATION_DATE")
            #expect(try await Self.window(client, "deleted", "2030-04-10T12:00:00Z", "2030-05-05T12:33:00Z").errorCode == "INVALID_REPLICATION_DATE")
            #expect(deleted.headers["date"]?.contains("05 May 2030") == true)
            let soap = try await client.soap("<u:getUpdated><u:sObjectType>Contact</u:sObjectType><u:startDate>2030-05-05T12:30:00.000Z</u:startDate><u:endDate>2030-05-05T12:32:00.000Z</u:endDate></u:getUpdated>")
            #expect(soap.text.contains("<latestDateCovered>2030-05-05T12:32:00.000Z</latestDateCovered>"))
        }
    }

    @Test("a held transaction keeps its stamp, stays unseen, and holds back the horizon")
    func lateCommit() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "clock", #"{"now": "2030-05-05T12:30:10Z"}"#)
            let held = try await client.control("POST", "records/Account", #"{"records": [{"Name": "late"}], "commit": {"hold": true}}"#)
            let transaction = try #require(held.object["transaction"] as? Int)
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 300}"#)
            #expect(try await client.column("SELECT Id FROM Account WHERE Name = 'late'") == [])
            let waiting = try await Self.window(client, "updated", "2030-05-05T12:30:00Z", "2030-05-05T12:35:00Z")
            let covered = try #require(waiting.object["latestDateCovered"] as? String)
            #expect(covered < "2030-05-05T12:30:13")
            _ = try await client.control("POST", "transactions/\(transaction)/release")
            let stamp = try await client.column("SELECT SystemModstamp FROM Account WHERE Name = 'late'")
            #expect(stamp.first?.hasPrefix("2030-05-05T12:30:1") == true)
            let released = try await Self.window(client, "updated", "2030-05-05T12:30:00Z", "2030-05-05T12:35:00Z")
            #expect(released.object["latestDateCovered"] as? String == "2030-05-05T12:35:00.000+0000")
            _ = try await client.control("POST", "records/Account", #"{"records": [{"Name": "due"}], "commit": {"afterMilliseconds": 60000}}"#)
            #expect(try await client.column("SELECT Id FROM Account WHERE Name = 'due'") == [])
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 61}"#)
            #expect(try await client.column("SELECT Id FROM Account WHERE Name = 'due'").count == 1)
        }
    }

    @Test("an org in a file survives its process")
    func restart() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("org-\(UUID().uuidString).sqlite").path
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        let token = try await keep(path)
        try await withOrg(database: path) { client in
            #expect(try await client.column("SELECT Name FROM Account WHERE ExternalId__c = 'kept'") == ["kept"])
            #expect(try await client.column("SELECT Extra__c FROM Kept__c") == ["value"])
            #expect(try await client.column("SELECT Id FROM Account").count == 41)
            var same = client
            same.token = token
            #expect(try await same.rest("GET", "limits").status == 200)
            let next = try await client.control("POST", "records/Account", #"{"records": [{"Name": "next"}]}"#)
            #expect(next.list.first?["success"] as? Bool == true)
        }
    }

    private func keep(_ path: String) async throws -> String {
        let (stream, tokens) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1))
        try await withOrg(database: path) { client in
            _ = try await client.control("POST", "records/Account", #"{"records": [{"Name": "kept", "ExternalId__c": "kept"}]}"#)
            _ = try await client.control("POST", "objects", #"{"name": "Kept__c", "fields": [{"name": "Extra__c", "type": "string", "length": 20}]}"#)
            _ = try await client.control("POST", "records/Kept__c", #"{"records": [{"Name": "k", "Extra__c": "value"}]}"#)
            tokens.yield(client.token)
        }
        var iterator = stream.makeAsyncIterator()
        return try #require(await iterator.next())
    }
}
