import Foundation
@testable import SalesforceSimulator
import Testing

@Suite("PushTopics and their notifications")
struct StreamingPushTopicTests {
    private static func topic(_ org: OrgClient, _ members: String) async throws -> Answer {
        try await org.rest("POST", "sobjects/PushTopic", "{\(members)}")
    }

    private static func create(_ org: OrgClient, _ name: String, _ query: String, _ members: String = "") async throws {
        let answer = try await topic(org, #""Name":"\#(name)","ApiVersion":62.0,"Query":"\#(query)"\#(members.isEmpty ? "" : ",")\#(members)"#)
        #expect(answer.status == 201, "\(answer.text)")
        #expect((answer.object["id"] as? String)?.hasPrefix("0IF") == true)
    }

    @Test("a topic's name, query and version are checked")
    func validation() async throws {
        try await withOrg { org in
            try await Self.create(org, "Fine", "SELECT Id, Name FROM Account WHERE Industry = 'Energy'")
            #expect(try await org.column("SELECT NotifyForFields FROM PushTopic") == ["Referenced"])
            #expect(try await org.column("SELECT IsActive FROM PushTopic") == ["1"])
            #expect(try await Self.topic(org, #""Name":"Fine","ApiVersion":62.0,"Query":"SELECT Id FROM Account""#).errorCode == "DUPLICATE_VALUE")
            let long = String(repeating: "n", count: 26)
            #expect(try await Self.topic(org, #""Name":"\#(long)","ApiVersion":62.0,"Query":"SELECT Id FROM Account""#).errorCode == "STRING_TOO_LONG")
            #expect(try await Self.topic(org, #""Name":"Old","ApiVersion":20.0,"Query":"SELECT Id FROM Account""#).errorCode == "INVALID_FIELD")
            let wide = "SELECT Id FROM Account WHERE Name = '\(String(repeating: "x", count: 1_300))'"
            #expect(try await Self.topic(org, #""Name":"Wide","ApiVersion":62.0,"Query":"\#(wide)""#).errorCode == "STRING_TOO_LONG")
            for query in [
                "SELECT Name FROM Account", "SELECT Id FROM Account ORDER BY Name", "SELECT Id FROM Account LIMIT 5", "SELECT COUNT() FROM Account",
                "SELECT Id, Account.Name FROM Contact", "SELECT Id, (SELECT Id FROM Contacts) FROM Account", "SELECT Id, Description FROM Account",
                "SELECT Id, Nothing__c FROM Account",
            ] {
                let refused = try await Self.topic(org, #""Name":"Bad","ApiVersion":62.0,"Query":"\#(query)""#)
                #expect(refused.errorCode == "INVALID_FIELD", "\(query): \(refused.text)")
            }
            #expect(try await Self.topic(org, #""Name":"Bad","ApiVersion":62.0,"Query":"SELECT Id FROM Nothing__c""#).errorCode == "INVALID_TYPE")
            _ = try await org.control("PATCH", "settings", #"{"limits": {"PushTopics": 1}}"#)
            #expect(try await Self.topic(org, #""Name":"More","ApiVersion":62.0,"Query":"SELECT Id FROM Account""#).errorCode == "LIMIT_EXCEEDED")
        }
    }

    @Test("created, updated, deleted records are told with the selected fields, a delete with its Id alone")
    func notifications() async throws {
        try await withOrg { org in
            try await Self.create(org, "AcctSync", "SELECT Id, Name, SystemModstamp FROM Account", #""NotifyForFields":"All""#)
            let client = try await StreamingClient.open(org, "/topic/AcctSync")
            let id = try #require(try await org.rest("POST", "sobjects/Account", #"{"Name": "one"}"#).object["id"] as? String)
            _ = try await org.rest("PATCH", "sobjects/Account/\(id)", #"{"Phone": "1"}"#)
            _ = try await org.rest("DELETE", "sobjects/Account/\(id)")
            _ = try await org.soap("<u:undelete><u:ids>\(id)</u:ids></u:undelete>")
            let events = try await client.events(4).map { ReceivedEvent($0) }
            #expect(events.map(\.type) == ["created", "updated", "deleted", "undeleted"])
            #expect(events[0].sobject.keys.sorted() == ["Id", "Name", "SystemModstamp"])
            #expect(events[0].sobject["Name"] as? String == "one")
            #expect((events[0].sobject["SystemModstamp"] as? String)?.hasSuffix("Z") == true)
            #expect((events[0].event["createdDate"] as? String)?.hasSuffix("Z") == true)
            #expect(events[2].sobject as? [String: String] == ["Id": id])
            #expect(zip(events, events.dropFirst()).allSatisfy { $0.replayId < $1.replayId })
            #expect(events[0].message["channel"] as? String == "/topic/AcctSync")
        }
    }

    @Test("WHERE, the chosen operations and fields, and IsActive decide what is told")
    func filters() async throws {
        try await withOrg { org in
            try await Self.create(org, "Energy", "SELECT Id, Name FROM Account WHERE Industry = 'Energy'", #""NotifyForOperationCreate":false"#)
            try await Self.create(org, "Chosen", "SELECT Id, Phone FROM Account WHERE Industry = 'Energy'", #""NotifyForFields":"Select""#)
            try await Self.create(org, "Where", "SELECT Id, Phone FROM Account WHERE Industry = 'Energy'", #""NotifyForFields":"Where""#)
            try await Self.create(org, "Silent", "SELECT Id FROM Account", #""IsActive":false"#)
            let client = try await StreamingClient.open(org, "/topic/Energy")
            for name in ["Chosen", "Where", "Silent"] { _ = try await client.subscribe("/topic/\(name)") }
            let saved = try await org.rest("POST", "sobjects/Account", #"{"Name": "a", "Industry": "Energy"}"#)
            let id = try #require(saved.object["id"] as? String)
            for change in [#"{"Phone": "1"}"#, #"{"Name": "b"}"#, #"{"Industry": "Banking"}"#, #"{"Name": "c"}"#, #"{"Industry": "Energy"}"#] {
                _ = try await org.rest("PATCH", "sobjects/Account/\(id)", change)
            }
            let told = try await client.events(6).map { event in
                "\(event["channel"] as? String ?? "") \(ReceivedEvent(event).type)"
            }
            #expect(told == [
                "/topic/Chosen created", "/topic/Where created", "/topic/Chosen updated", "/topic/Energy updated", "/topic/Energy updated",
                "/topic/Where updated",
            ])
        }
    }
}
