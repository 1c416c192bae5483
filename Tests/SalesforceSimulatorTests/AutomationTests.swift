import Foundation
import Testing

@Suite("Automation, roll-ups and row locks")
struct AutomationTests {
    static func create(_ client: OrgClient, _ type: String, _ body: String) async throws -> String {
        let answer = try await client.rest("POST", "sobjects/\(type)", body)
        return try #require(answer.object["id"] as? String, "\(answer.text)")
    }

    static func statusCode(_ result: [String: Any]?) -> String? {
        (result?["errors"] as? [[String: Any]])?.first?["statusCode"] as? String
    }

    @Test("a before-save rule changes a field that the client sent, before it is stored")
    func beforeSave() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "objects/Account/before-save", #"{"field": "AccountNumber", "action": "upperCase"}"#)
            _ = try await client.control("POST", "objects/Account/before-save", #"{"field": "Phone", "action": "clear", "onCreate": false}"#)
            _ = try await client.control("POST", "objects/Account/before-save", #"{"field": "Description", "action": "set", "template": "{Name}!"}"#)
            let id = try await Self.create(client, "Account", #"{"Name": "x", "AccountNumber": "abc", "Phone": "1", "Description": "mine"}"#)
            let created = try await client.rest("GET", "sobjects/Account/\(id)").object
            #expect(created["AccountNumber"] as? String == "ABC")
            #expect(created["Description"] as? String == "x!")
            #expect(created["Phone"] as? String == "1")
            #expect(try await client.rest("PATCH", "sobjects/Account/\(id)", #"{"Phone": "2", "AccountNumber": "def"}"#).status == 204)
            let updated = try await client.rest("GET", "sobjects/Account/\(id)").object
            #expect(updated["Phone"] is NSNull)
            #expect(updated["AccountNumber"] as? String == "DEF")
        }
    }

    @Test("an after-save flow changes the parent and moves its stamp")
    func parentFlow() async throws {
        try await withOrg { client in
            let account = try await Self.create(client, "Account", #"{"Name": "parent"}"#)
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 60}"#)
            _ = try await client.control("POST", "objects/Contact/flows", #"{"parent": "AccountId", "field": "AccountNumber", "template": "last {LastName}"}"#)
            let before = try await client.column("SELECT SystemModstamp FROM Account WHERE Id = '\(account)'")
            _ = try await Self.create(client, "Contact", #"{"LastName": "Doe", "AccountId": "\#(account)"}"#)
            #expect(try await client.column("SELECT AccountNumber FROM Account WHERE Id = '\(account)'") == ["last Doe"])
            #expect(try await client.column("SELECT SystemModstamp FROM Account WHERE Id = '\(account)'") != before)
        }
    }

    @Test("an after-save flow changes children and creates a record")
    func childFlows() async throws {
        try await withOrg { client in
            let account = try await Self.create(client, "Account", #"{"Name": "parent"}"#)
            let contact = try await Self.create(client, "Contact", #"{"LastName": "Doe", "AccountId": "\#(account)"}"#)
            _ = try await client.control("POST", "objects/Account/flows", #"{"children": {"object": "Contact", "lookup": "AccountId"}, "field": "Title", "template": "at {Name}"}"#)
            _ = try await client.control("POST", "objects/Account/flows", #"{"create": {"object": "Opportunity", "values": {"Name": "from {Name}", "AccountId": "{Id}", "StageName": "Proposal", "CloseDate": "2030-01-01"}}, "onCreate": false}"#)
            #expect(try await client.rest("PATCH", "sobjects/Account/\(account)", #"{"Name": "renamed"}"#).status == 204)
            #expect(try await client.column("SELECT Title FROM Contact WHERE Id = '\(contact)'") == ["at renamed"])
            #expect(try await client.column("SELECT Name FROM Opportunity WHERE AccountId = '\(account)'") == ["from renamed"])
        }
    }

    @Test("flows that lead back to each other end, and one that creates without end refuses the save")
    func recursion() async throws {
        try await withOrg { client in
            let account = try await Self.create(client, "Account", #"{"Name": "parent"}"#)
            _ = try await client.control("POST", "objects/Account/flows", #"{"children": {"object": "Contact", "lookup": "AccountId"}, "field": "Title", "template": "{Name}"}"#)
            _ = try await client.control("POST", "objects/Contact/flows", #"{"parent": "AccountId", "field": "AccountNumber", "template": "{LastName}"}"#)
            _ = try await Self.create(client, "Contact", #"{"LastName": "Doe", "AccountId": "\#(account)"}"#)
            #expect(try await client.column("SELECT AccountNumber FROM Account WHERE Id = '\(account)'") == ["Doe"])
            _ = try await client.control("POST", "objects/Opportunity/flows", #"{"create": {"object": "Opportunity", "values": {"Name": "again", "StageName": "Proposal", "CloseDate": "2030-01-01"}}}"#)
            let endless = try await client.rest("POST", "sobjects/Opportunity", #"{"Name": "one", "StageName": "Proposal", "CloseDate": "2030-01-01"}"#)
            #expect(endless.errorCode == "CANNOT_EXECUTE_FLOW_TRIGGER")
            #expect(try await client.column("SELECT Id FROM Opportunity WHERE Name IN ('one', 'again')") == [])
        }
    }

    @Test("a flow that cannot save its record refuses the save that it belongs to")
    func failingFlow() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "objects/Account/flows", #"{"create": {"object": "Opportunity", "values": {"Name": "incomplete"}}}"#)
            let refused = try await client.rest("POST", "sobjects/Account", #"{"Name": "never"}"#)
            #expect(refused.status == 400)
            #expect(refused.errorCode == "CANNOT_EXECUTE_FLOW_TRIGGER")
            #expect(try await client.column("SELECT Id FROM Account WHERE Name = 'never'") == [])
        }
    }

    @Test("a roll-up follows its details and moves no stamp of the master")
    func rollups() async throws {
        try await withOrg { client in
            let account = try await Self.create(client, "Account", #"{"Name": "master"}"#)
            _ = try await client.control("POST", "objects/Account/fields", #"{"name": "Count__c", "type": "double", "scale": 0, "rollup": {"operation": "COUNT", "object": "Opportunity", "lookup": "AccountId"}}"#)
            _ = try await client.control("POST", "objects/Account/fields", #"{"name": "Sum__c", "type": "currency", "scale": 2, "rollup": {"operation": "SUM", "object": "Opportunity", "lookup": "AccountId", "field": "Amount"}}"#)
            _ = try await client.control("POST", "objects/Account/fields", #"{"name": "First__c", "type": "date", "rollup": {"operation": "MIN", "object": "Opportunity", "lookup": "AccountId", "field": "CloseDate"}}"#)
            _ = try await client.control("POST", "objects/Account/fields", #"{"name": "Most__c", "type": "currency", "scale": 2, "rollup": {"operation": "MAX", "object": "Opportunity", "lookup": "AccountId", "field": "Amount"}}"#)
            let stamp = try await client.column("SELECT SystemModstamp FROM Account WHERE Id = '\(account)'")
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 60}"#)
            func values() async throws -> [String] {
                let record = try await client.rest("GET", "sobjects/Account/\(account)").object
                return ["Count__c", "Sum__c", "First__c", "Most__c"].map { "\(record[$0] ?? "absent")" }
            }
            #expect(try await values() == ["0.0", "0.0", "<null>", "<null>"])
            let first = try await Self.create(client, "Opportunity", #"{"Name": "1", "StageName": "Proposal", "CloseDate": "2030-02-01", "Amount": 10.5, "AccountId": "\#(account)"}"#)
            _ = try await Self.create(client, "Opportunity", #"{"Name": "2", "StageName": "Proposal", "CloseDate": "2030-01-01", "Amount": 2, "AccountId": "\#(account)"}"#)
            #expect(try await values() == ["2.0", "12.5", "2030-01-01", "10.5"])
            #expect(try await client.rest("PATCH", "sobjects/Opportunity/\(first)", #"{"Amount": 1}"#).status == 204)
            #expect(try await values() == ["2.0", "3.0", "2030-01-01", "2.0"])
            #expect(try await client.rest("DELETE", "sobjects/Opportunity/\(first)").status == 204)
            #expect(try await values() == ["1.0", "2.0", "2030-01-01", "2.0"])
            #expect(try await client.column("SELECT SystemModstamp FROM Account WHERE Id = '\(account)'") == stamp)
            #expect(try await client.rest("PATCH", "sobjects/Account/\(account)", #"{"Sum__c": 1}"#).errorCode == "INVALID_FIELD_FOR_INSERT_UPDATE")
        }
    }

    @Test("a transaction held open locks its record and the record's parents until it ends")
    func locks() async throws {
        try await withOrg { client in
            let account = try await Self.create(client, "Account", #"{"Name": "parent"}"#)
            let contact = try await Self.create(client, "Contact", #"{"LastName": "held", "AccountId": "\#(account)"}"#)
            let held = try await client.control("PATCH", "records/Contact", #"{"records": [{"Id": "\#(contact)", "Title": "late"}], "commit": {"hold": true}}"#)
            let transaction = try #require(held.object["transaction"] as? Int)
            let same = try await client.rest("PATCH", "sobjects/Contact/\(contact)", #"{"Title": "x"}"#)
            #expect(same.status == 400)
            #expect(same.errorCode == "UNABLE_TO_LOCK_ROW")
            #expect(same.list.first?["message"] as? String == "unable to obtain exclusive access to this record or 1 records: \(contact)")
            #expect(try await client.rest("PATCH", "sobjects/Account/\(account)", #"{"Phone": "1"}"#).errorCode == "UNABLE_TO_LOCK_ROW")
            let sibling = try await client.rest("POST", "composite/sobjects", #"{"records": [{"attributes": {"type": "Contact"}, "LastName": "sibling", "AccountId": "\#(account)"}, {"attributes": {"type": "Contact"}, "LastName": "free"}]}"#)
            #expect(sibling.list.map { Self.statusCode($0) } == ["UNABLE_TO_LOCK_ROW", nil])
            #expect(try await client.rest("DELETE", "sobjects/Contact/\(contact)").errorCode == "UNABLE_TO_LOCK_ROW")
            _ = try await client.control("POST", "transactions/\(transaction)/release")
            #expect(try await client.column("SELECT Title FROM Contact WHERE Id = '\(contact)'") == ["late"])
            #expect(try await client.rest("PATCH", "sobjects/Account/\(account)", #"{"Phone": "1"}"#).status == 204)
        }
    }

    @Test("children of a deleted parent lose their lookup, and their stamp moves")
    func clearedLookups() async throws {
        try await withOrg { client in
            let account = try await Self.create(client, "Account", #"{"Name": "parent"}"#)
            let invoice = try await Self.create(client, "Invoice__c", #"{"Account__c": "\#(account)"}"#)
            let stamp = try await client.column("SELECT SystemModstamp FROM Invoice__c WHERE Id = '\(invoice)'")
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 60}"#)
            #expect(try await client.rest("DELETE", "sobjects/Account/\(account)").status == 204)
            #expect(try await client.column("SELECT Account__c FROM Invoice__c WHERE Id = '\(invoice)'") == ["null"])
            #expect(try await client.column("SELECT SystemModstamp FROM Invoice__c WHERE Id = '\(invoice)'") != stamp)
        }
    }
}
