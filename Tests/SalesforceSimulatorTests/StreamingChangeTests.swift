import Foundation
@testable import SalesforceSimulator
import Testing

@Suite("Change events")
struct StreamingChangeTests {
    private static func select(_ org: OrgClient, _ objects: String, _ members: String = "") async throws {
        _ = try await org.control("PATCH", "settings", #"{"changeDataCapture": [\#(objects)]\#(members)}"#)
    }

    private static func create(_ org: OrgClient, _ object: String, _ body: String) async throws -> String {
        try #require(try await org.rest("POST", "sobjects/\(object)", body, headers: ["Sforce-Call-Options": "client=relay"]).object["id"] as? String)
    }

    @Test("a new record is told with every field that is set, and who set it")
    func create() async throws {
        try await withOrg { org in
            try await Self.select(org, #""Contact""#)
            let client = try await StreamingClient.open(org, "/data/ContactChangeEvent")
            let id = try await Self.create(org, "Contact", #"{"FirstName": "Ada", "LastName": "L", "MailingCity": "Paris", "Birthdate": "1990-01-02"}"#)
            let event = ReceivedEvent(try await client.events(1).first)
            #expect(event.header.keys.sorted() == [
                "changeOrigin", "changeType", "changedFields", "commitNumber", "commitTimestamp", "commitUser", "diffFields", "entityName",
                "nulledFields", "recordIds", "sequenceNumber", "transactionKey",
            ])
            #expect(event.type == "CREATE")
            #expect(event.recordIds == [id])
            #expect(event.header["entityName"] as? String == "Contact")
            #expect(event.header["changeOrigin"] as? String == "com/salesforce/api/rest/62.0;client=relay")
            #expect(event.header["sequenceNumber"] as? Int == 1)
            #expect((event.header["commitUser"] as? String)?.hasPrefix("005") == true)
            #expect((event.header["commitTimestamp"] as? Int ?? 0) > 1_600_000_000_000)
            #expect(event.payload["Name"] as? [String: String] == ["FirstName": "Ada", "LastName": "L"])
            #expect(event.payload["MailingAddress"] as? [String: String] == ["City": "Paris"])
            #expect(event.payload["Birthdate"] as? String == "1990-01-02")
            #expect(event.payload["HasOptedOutOfEmail"] as? Bool == false)
            #expect((event.payload["LastModifiedDate"] as? String)?.hasSuffix("Z") == true)
            for absent in ["Id", "IsDeleted", "SystemModstamp", "Email", "LastName"] { #expect(event.payload[absent] == nil, "\(absent)") }
            #expect(event.event["EventApiName"] as? String == "ContactChangeEvent")
            #expect((event.data["schema"] as? String)?.count == 22)
        }
    }

    @Test("an update carries what changed, explicit nulls and the new stamp; delete and undelete follow")
    func update() async throws {
        try await withOrg { org in
            try await Self.select(org, #""Contact""#)
            let id = try await Self.create(org, "Contact", #"{"FirstName": "Ada", "LastName": "L", "Phone": "1", "Title": "Dr"}"#)
            let client = try await StreamingClient.open(org, "/data/ContactChangeEvent")
            _ = try await org.rest("PATCH", "sobjects/Contact/\(id)", #"{"FirstName": "Bea", "Phone": null, "Title": "Dr"}"#)
            _ = try await org.rest("DELETE", "sobjects/Contact/\(id)")
            _ = try await org.soap("<u:undelete><u:ids>\(id)</u:ids></u:undelete>")
            let events = try await client.events(3).map { ReceivedEvent($0) }
            #expect(events.map(\.type) == ["UPDATE", "DELETE", "UNDELETE"])
            #expect(Set(events[0].header["changedFields"] as? [String] ?? []) == ["Name.FirstName", "Phone", "LastModifiedDate"])
            #expect(events[0].header["nulledFields"] as? [String] == ["Phone"])
            #expect(events[0].payload["Name"] as? [String: String] == ["FirstName": "Bea"])
            #expect(events[0].payload["Phone"] is NSNull)
            #expect(events[0].payload["LastModifiedDate"] is String)
            #expect(events[0].payload["Title"] == nil)
            #expect(events[1].payload.keys.sorted() == ["ChangeEventHeader"])
            #expect((events[2].payload["Name"] as? [String: String])?["LastName"] == "L")
            #expect(events[2].payload["Phone"] == nil)
        }
    }

    @Test("formulas are absent, custom objects have their own channel, other objects are silent")
    func customObject() async throws {
        try await withOrg { org in
            try await Self.select(org, #""Invoice__c""#)
            let client = try await StreamingClient.open(org, "/data/Invoice__ChangeEvent")
            _ = try await client.subscribe("/data/ChangeEvents")
            _ = try await Self.create(org, "Account", #"{"Name": "silent"}"#)
            _ = try await Self.create(org, "Invoice__c", #"{"Amount__c": 12.50, "Due_Time__c": "13:30:00.000Z"}"#)
            let events = try await client.events(2)
            #expect(Set(events.compactMap { $0["channel"] as? String }) == ["/data/Invoice__ChangeEvent", "/data/ChangeEvents"])
            let event = ReceivedEvent(events.first { $0["channel"] as? String == "/data/Invoice__ChangeEvent" })
            #expect(event.event["EventApiName"] as? String == "Invoice__ChangeEvent")
            #expect(event.payload["Amount__c"] as? Double == 12.5)
            #expect(event.payload["Formula__c"] == nil)
            #expect(ReceivedEvent(events[0]).replayId != ReceivedEvent(events[1]).replayId, "each channel has replay ids of its own")
        }
    }

    @Test("changes of one transaction that say the same are one event, if the setting lets them")
    func merged() async throws {
        try await withOrg { org in
            try await Self.select(org, #""Account""#)
            let client = try await StreamingClient.open(org, "/data/AccountChangeEvent")
            let ids = try await org.column("SELECT Id FROM Account ORDER BY Id LIMIT 3")
            func update(_ phones: [String]) async throws {
                let records = zip(ids, phones).map { #"{"attributes":{"type":"Account"},"id":"\#($0)","Phone":"\#($1)"}"# }.joined(separator: ",")
                _ = try await org.rest("PATCH", "composite/sobjects", #"{"records":[\#(records)]}"#)
            }
            try await update(["7", "8", "7"])
            var events = try await client.events(2).map { ReceivedEvent($0) }
            #expect(events.map(\.recordIds) == [[ids[0], ids[2]], [ids[1]]])
            #expect(events.map { $0.header["sequenceNumber"] as? Int } == [1, 2])
            #expect(events[0].header["transactionKey"] as? String == events[1].header["transactionKey"] as? String)
            try await Self.select(org, #""Account""#, #", "streamingMergesChanges": false"#)
            try await update(["9", "9", "9"])
            events = try await client.events(3).map { ReceivedEvent($0) }
            #expect(events.map(\.recordIds) == ids.map { [$0] })
        }
    }

    @Test("SOAP and Bulk changes are told with their origin, a held commit when it is released")
    func origins() async throws {
        try await withOrg { org in
            try await Self.select(org, #""Account""#)
            let client = try await StreamingClient.open(org, "/data/AccountChangeEvent")
            let held = try await org.control("POST", "records/Account", #"{"records": [{"Name": "late"}], "commit": {"hold": true}}"#)
            let transaction = try #require(held.object["transaction"] as? Int)
            _ = try await org.soap(
                #"<u:create><u:sObjects><s:type>Account</s:type><Name>soap</Name></u:sObjects></u:create>"#,
                headers: "<u:CallOptions><u:client>hc</u:client></u:CallOptions>")
            _ = try await org.control("POST", "transactions/\(transaction)/release")
            let job = try await org.rest("POST", "jobs/ingest", #"{"object": "Account", "operation": "insert", "contentType": "CSV", "lineEnding": "LF"}"#)
            let id = try #require(job.object["id"] as? String, "\(job.text)")
            _ = try await org.send("PUT", "/services/data/v62.0/jobs/ingest/\(id)/batches", body: "Name\nbulk\n", type: "text/csv")
            _ = try await org.rest("PATCH", "jobs/ingest/\(id)", #"{"state": "UploadComplete"}"#)
            let events = try await client.events(3).map { ReceivedEvent($0) }
            #expect(events.map { $0.payload["Name"] as? String } == ["soap", "late", "bulk"])
            #expect(events.map { $0.header["changeOrigin"] as? String } == [
                "com/salesforce/api/soap/62.0;client=hc", "", "com/salesforce/api/bulkapi/62.0;client=",
            ])
            let numbers = events.compactMap { $0.header["commitNumber"] as? Int }
            #expect(numbers == numbers.sorted() && Set(numbers).count == 3)
        }
    }

    @Test("a commit that is due reaches a held connect while nobody calls the org")
    func dueCommit() async throws {
        try await withOrg { org in
            try await Self.select(org, #""Account""#)
            let client = try await StreamingClient.open(org, "/data/AccountChangeEvent")
            async let held = client.connect()
            try await client.waitUntilHeld()
            _ = try await org.control("POST", "records/Account", #"{"records": [{"Name": "due"}], "commit": {"afterMilliseconds": 100}}"#)
            #expect(ReceivedEvent(try await held.list.first).payload["Name"] as? String == "due")
        }
    }

    @Test("fields and objects that the subscriber may not read are not told")
    func permissions() async throws {
        try await withOrg { org in
            try await Self.select(org, #""Account", "Contact""#)
            _ = try await org.control("POST", "permissions", #"{"user": "integration@example.com", "object": "Account", "field": "Phone", "readable": false}"#)
            _ = try await org.control("POST", "permissions", #"{"user": "integration@example.com", "object": "Contact", "readable": false}"#)
            let client = try await StreamingClient.open(org, "/data/ChangeEvents")
            #expect(try await client.subscribe("/data/ContactChangeEvent").bayeuxError == "403:denied_by_security_policy:subscribe_denied")
            _ = try await org.control("POST", "records/Contact", #"{"records": [{"LastName": "unseen"}]}"#)
            let saved = try await org.control("POST", "records/Account", #"{"records": [{"Name": "seen", "Phone": "secret"}]}"#)
            let id = try #require(saved.list.first?["id"] as? String)
            _ = try await org.control("PATCH", "records/Account", #"{"records": [{"Id": "\#(id)", "Phone": null, "Fax": "1"}]}"#)
            let events = try await client.events(2).map { ReceivedEvent($0) }
            #expect(events[0].payload["Name"] as? String == "seen")
            #expect(events[0].payload["Phone"] == nil)
            #expect(events[1].payload["Fax"] as? String == "1")
            #expect(events[1].header["nulledFields"] as? [String] == [])
            #expect(events[1].header["changedFields"] as? [String] == ["LastModifiedDate", "LastModifiedById", "Fax"]
                || events[1].header["changedFields"] as? [String] == ["LastModifiedDate", "Fax"])
        }
    }

    @Test("gaps come by control, for large events and for large transactions")
    func gaps() async throws {
        try await withOrg { org in
            try await Self.select(org, #""Account""#, #", "streamingOverflowRecords": 2, "streamingLargestEventBytes": 3000"#)
            let client = try await StreamingClient.open(org, "/data/AccountChangeEvent")
            _ = try await org.control("POST", "streaming/gap", #"{"object": "Account", "ids": ["001xx0000000001AAA"], "kind": "UPDATE"}"#)
            _ = try await org.control("POST", "streaming/gap", #"{"object": "Account", "kind": "OVERFLOW"}"#)
            _ = try await Self.create(org, "Account", #"{"Name": "large", "Description": "\#(String(repeating: "x", count: 4_000))"}"#)
            let records = (1...4).map { #"{"attributes":{"type":"Account"},"Name":"\#($0)"}"# }.joined(separator: ",")
            _ = try await org.rest("POST", "composite/sobjects", #"{"records":[\#(records)]}"#)
            let events = try await client.events(6).map { ReceivedEvent($0) }
            #expect(events.map(\.type) == ["GAP_UPDATE", "GAP_OVERFLOW", "GAP_CREATE", "CREATE", "CREATE", "GAP_OVERFLOW"])
            #expect(events[0].recordIds == ["001xx0000000001AAA"])
            #expect(events[1].recordIds == ["000000000000000AAA"])
            #expect(events[5].recordIds == ["000000000000000AAA"])
            #expect(events[2].payload.keys.sorted() == ["ChangeEventHeader"])
        }
    }
}
