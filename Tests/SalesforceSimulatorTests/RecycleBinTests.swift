import Foundation
import Testing

@Suite("Record types, the recycle bin and the delete log")
struct RecycleBinTests {
    private static func deleted(_ client: OrgClient, _ id: String) async throws -> [String] {
        try await client.column("SELECT Id FROM Account WHERE Id = '\(id)' AND IsDeleted = true", all: true)
    }

    @Test("record types: the standard one is taken, another object's or an unavailable one is refused, describe lists them")
    func recordTypes() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "objects/Account/record-types", #"{"name": "Standard Account", "default": true}"#)
            _ = try await client.control("POST", "objects/Account/record-types", #"{"name": "Closed", "active": false}"#)
            _ = try await client.control("POST", "objects/Contact/record-types", #"{"name": "Person"}"#)
            let types = try await client.query("SELECT Id, DeveloperName, SobjectType FROM RecordType ORDER BY Id").object["records"] as? [[String: Any]] ?? []
            #expect(types.compactMap { $0["DeveloperName"] as? String } == ["Standard_Account", "Closed", "Person"])
            #expect(types.compactMap { $0["SobjectType"] as? String } == ["Account", "Account", "Contact"])
            let ids = types.compactMap { $0["Id"] as? String }
            let id = try await AutomationTests.create(client, "Account", #"{"Name": "x"}"#)
            #expect(try await client.column("SELECT RecordTypeId FROM Account WHERE Id = '\(id)'") == [ids[0]])
            #expect(try await client.column("SELECT RecordType.Name FROM Account WHERE Id = '\(id)'").count == 1)
            for refused in [ids[1], ids[2]] {
                let answer = try await client.rest("POST", "sobjects/Account", #"{"Name": "x", "RecordTypeId": "\#(refused)"}"#)
                #expect(answer.status == 400)
                #expect(answer.errorCode == "INVALID_CROSS_REFERENCE_KEY")
                #expect(answer.list.first?["message"] as? String == "Record Type ID: this ID value isn't valid for the user: \(refused)")
            }
            let infos = try await client.rest("GET", "sobjects/Account/describe").object["recordTypeInfos"] as? [[String: Any]] ?? []
            #expect(infos.compactMap { $0["developerName"] as? String } == ["Standard_Account", "Closed", "Master"])
            #expect(infos.compactMap { $0["available"] as? Bool } == [true, false, true])
            #expect(infos.compactMap { $0["defaultRecordTypeMapping"] as? Bool } == [true, false, false])
            #expect(infos.compactMap { $0["master"] as? Bool } == [false, false, true])
        }
    }

    @Test("a deleted record is purged after 15 days of the org's clock, and cannot be restored then")
    func purge() async throws {
        try await withOrg { client in
            let id = try await AutomationTests.create(client, "Account", #"{"Name": "x"}"#)
            #expect(try await client.rest("DELETE", "sobjects/Account/\(id)").status == 204)
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 1290000}"#)
            #expect(try await Self.deleted(client, id) == [id])
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 14400}"#)
            #expect(try await Self.deleted(client, id) == [])
            let undelete = try await client.soap("<u:undelete><u:ids>\(id)</u:ids></u:undelete>")
            #expect(undelete.text.contains("<statusCode>UNDELETE_FAILED</statusCode>"))
        }
    }

    @Test("a full recycle bin loses its oldest record")
    func binSize() async throws {
        try await withOrg { client in
            _ = try await client.control("PATCH", "settings", #"{"recycleBinRecords": 2}"#)
            var ids: [String] = []
            for index in 0..<3 { ids.append(try await AutomationTests.create(client, "Account", #"{"Name": "\#(index)"}"#)) }
            for id in ids { _ = try await client.rest("DELETE", "sobjects/Account/\(id)") }
            #expect(try await client.column("SELECT Id FROM Account WHERE IsDeleted = true ORDER BY Id", all: true) == Array(ids.dropFirst()))
            #expect(try await client.control("GET", "recycle-bin").object["records"] as? Int == 2)
        }
    }

    @Test("emptyRecycleBin takes a master and its details out of the bin, and refuses a record in use")
    func emptyBin() async throws {
        try await withOrg { client in
            let id = try await AutomationTests.create(client, "Account", #"{"Name": "x"}"#)
            _ = try await AutomationTests.create(client, "Contact", #"{"LastName": "gone", "AccountId": "\#(id)"}"#)
            let call = "<u:emptyRecycleBin><u:ids>\(id)</u:ids></u:emptyRecycleBin>"
            #expect(try await client.soap(call).text.contains("<statusCode>INVALID_ID_FIELD</statusCode>"))
            #expect(try await client.rest("DELETE", "sobjects/Account/\(id)").status == 204)
            #expect(try await client.soap(call).text.contains("<success>true</success>"))
            #expect(try await Self.deleted(client, id) == [])
            #expect(try await client.column("SELECT Id FROM Contact WHERE LastName = 'gone'", all: true) == [])
        }
    }

    @Test("undelete brings a master back with its details, and a detail never without its master")
    func undelete() async throws {
        try await withOrg { client in
            let id = try await AutomationTests.create(client, "Account", #"{"Name": "x"}"#)
            let detail = try await AutomationTests.create(client, "Contact", #"{"LastName": "d", "AccountId": "\#(id)"}"#)
            #expect(try await client.rest("DELETE", "sobjects/Account/\(id)").status == 204)
            #expect(try await client.column("SELECT Id FROM Contact WHERE Id = '\(detail)'") == [])
            #expect(try await client.soap("<u:undelete><u:ids>\(detail)</u:ids></u:undelete>").text.contains("<statusCode>UNDELETE_FAILED</statusCode>"))
            #expect(try await client.soap("<u:undelete><u:ids>\(id)</u:ids></u:undelete>").text.contains("<success>true</success>"))
            #expect(try await client.column("SELECT Id FROM Contact WHERE Id = '\(detail)'") == [detail])
        }
    }

    @Test("a restricted lookup holds the parent back")
    func restricted() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "objects", #"{"name": "Held__c", "fields": [{"name": "Account__c", "type": "reference", "referenceTo": ["Account"], "relationshipName": "Account__r", "restrictedDelete": true}]}"#)
            let id = try await AutomationTests.create(client, "Account", #"{"Name": "x"}"#)
            _ = try await AutomationTests.create(client, "Held__c", #"{"Account__c": "\#(id)"}"#)
            #expect(try await client.rest("DELETE", "sobjects/Account/\(id)").errorCode == "DELETE_FAILED")
            #expect(try await client.column("SELECT Id FROM Account WHERE Id = '\(id)'") == [id])
        }
    }

    @Test("a trimmed delete log names nothing older, and earliestDateAvailable says so")
    func trimmedLog() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "clock", #"{"now": "2030-05-05T12:00:10Z"}"#)
            let old = try await AutomationTests.create(client, "Account", #"{"Name": "old"}"#)
            _ = try await client.rest("DELETE", "sobjects/Account/\(old)")
            _ = try await client.control("POST", "clock", #"{"now": "2030-05-05T15:00:10Z"}"#)
            let recent = try await AutomationTests.create(client, "Account", #"{"Name": "recent"}"#)
            _ = try await client.rest("DELETE", "sobjects/Account/\(recent)")
            _ = try await client.control("POST", "clock", #"{"now": "2030-05-05T15:05:00Z"}"#)
            let path = "sobjects/Account/deleted/?start=2030-05-05T11%3A00%3A00%2B00%3A00&end=2030-05-05T15%3A05%3A00%2B00%3A00"
            func ids(_ answer: Answer) -> [String] { (answer.object["deletedRecords"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String } }
            let whole = try await client.rest("GET", path)
            #expect(ids(whole) == [old, recent])
            _ = try await client.control("POST", "delete-log/trim")
            let trimmed = try await client.rest("GET", path)
            #expect(ids(trimmed) == [recent])
            #expect((trimmed.object["earliestDateAvailable"] as? String)?.hasPrefix("2030-05-05T13:05:0") == true)
        }
    }

    @Test("a delete log beyond its size is trimmed of what is older than two hours")
    func grownLog() async throws {
        try await withOrg { client in
            _ = try await client.control("PATCH", "settings", #"{"deleteLogRecords": 1}"#)
            for index in 0..<2 {
                let id = try await AutomationTests.create(client, "Account", #"{"Name": "\#(index)"}"#)
                _ = try await client.rest("DELETE", "sobjects/Account/\(id)")
            }
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 10800}"#)
            _ = try await client.query("SELECT Id FROM Account LIMIT 1")
            #expect(try await client.control("GET", "delete-log").object["deleteLogStart"] is String)
        }
    }

    @Test("getUpdated of an object without deletes, and the refusal of one that is not replicable")
    func replicable() async throws {
        try await withOrg { client in
            let now = try #require(try await client.control("POST", "clock", #"{"now": "2030-05-05T12:00:30Z"}"#).object["now"] as? String)
            #expect(now.hasPrefix("2030-05-05T12:00"))
            let span = "?start=2030-05-05T11%3A00%3A00Z&end=2030-05-05T12%3A00%3A00Z"
            #expect(try await client.rest("GET", "sobjects/User/updated/" + span).status == 200)
            let refused = try await client.rest("GET", "sobjects/Archive__b/updated/" + span)
            #expect(refused.status == 400)
            #expect(refused.errorCode == "INVALID_TYPE")
        }
    }
}
