import Foundation
import Testing

@Suite("REST record resources and collections (wire reference 2.7, 2.8)")
struct RecordResourceTests {
    @Test("allOrNone rolls the innocent records back and says so")
    func allOrNone() async throws {
        try await withOrg { client in
            let records = #"[{"attributes": {"type": "Account"}, "Name": "innocent"}, {"attributes": {"type": "Account"}}]"#
            let answer = try await client.rest("POST", "composite/sobjects", #"{"allOrNone": true, "records": \#(records)}"#)
            #expect(answer.status == 200)
            #expect(answer.list.map { AutomationTests.statusCode($0) } == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"])
            #expect(answer.list.allSatisfy { $0["id"] == nil && $0["success"] as? Bool == false })
            let error = (answer.list.first?["errors"] as? [[String: Any]])?.first
            #expect(error?["message"] as? String == "Record rolled back because not all records were valid and the request was using AllOrNone header")
            let missing = (answer.list.last?["errors"] as? [[String: Any]])?.first
            #expect(missing?["message"] as? String == "Required fields are missing: [Name]")
            #expect(missing?["fields"] as? [String] == ["Name"])
            #expect(try await client.column("SELECT Id FROM Account WHERE Name = 'innocent'") == [])
        }
    }

    @Test("allOrNone of a delete leaves every record when one is unknown")
    func allOrNoneDelete() async throws {
        try await withOrg { client in
            let id = try await AutomationTests.create(client, "Account", #"{"Name": "stays"}"#)
            let answer = try await client.rest("DELETE", "composite/sobjects?ids=\(id),001xx000003DGb2AAG&allOrNone=true")
            #expect(answer.list.map { AutomationTests.statusCode($0) } == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_CROSS_REFERENCE_KEY"])
            #expect(try await client.column("SELECT Id FROM Account WHERE Id = '\(id)'") == [id])
        }
    }

    @Test("an id twice in a delete is refused both times")
    func doubledDelete() async throws {
        try await withOrg { client in
            let id = try await AutomationTests.create(client, "Account", #"{"Name": "twice"}"#)
            let answer = try await client.rest("DELETE", "composite/sobjects?ids=\(id),\(id.prefix(15))")
            #expect(answer.list.map { AutomationTests.statusCode($0) } == ["DUPLICATE_VALUE", "DUPLICATE_VALUE"])
            #expect(try await client.column("SELECT Id FROM Account WHERE Id = '\(id)'") == [id])
        }
    }

    @Test("more than 200 records are refused whole")
    func limit() async throws {
        try await withOrg { client in
            let records = Array(repeating: #"{"attributes": {"type": "Account"}, "Name": "many"}"#, count: 201).joined(separator: ",")
            let answer = try await client.rest("POST", "composite/sobjects", #"{"records": [\#(records)]}"#)
            #expect(answer.status == 400)
            #expect(answer.errorCode == "EXCEEDED_ID_LIMIT")
            #expect(answer.list.first?["message"] as? String == "record limit reached. cannot submit more than 200 records into this call")
        }
    }

    @Test("a collection upsert says for each record whether it was created")
    func collectionUpsert() async throws {
        try await withOrg { client in
            let body = #"{"records": [{"attributes": {"type": "Account"}, "ExternalId__c": "A-0001", "Phone": "1"}, {"attributes": {"type": "Account"}, "ExternalId__c": "fresh", "Name": "x"}]}"#
            let answer = try await client.rest("PATCH", "composite/sobjects/Account/ExternalId__c", body)
            #expect(answer.list.map { $0["created"] as? Bool } == [false, true])
            #expect(answer.list.allSatisfy { $0["success"] as? Bool == true })
        }
    }

    @Test("a retrieve by ids answers in order with null for an unknown id, by GET and POST")
    func retrieve() async throws {
        try await withOrg { client in
            let id = try await AutomationTests.create(client, "Account", #"{"Name": "found"}"#)
            let get = try await client.rest("GET", "composite/sobjects/Account?ids=001xx000003DGb2AAG,\(id)&fields=Id,Name")
            let post = try await client.rest("POST", "composite/sobjects/Account", #"{"ids": ["001xx000003DGb2AAG", "\#(id)"], "fields": ["Id", "Name"]}"#)
            for answer in [get, post] {
                let slots = answer.json as? [Any] ?? []
                #expect(slots.count == 2)
                #expect(slots.first is NSNull)
                #expect((slots.last as? [String: Any])?["Name"] as? String == "found")
            }
        }
    }

    @Test("updateOnly forbids the insert of an upsert")
    func updateOnly() async throws {
        try await withOrg { client in
            let absent = try await client.rest("PATCH", "sobjects/Account/ExternalId__c/absent?updateOnly=true", #"{"Name": "x"}"#)
            #expect(absent.status == 404)
            #expect(absent.errorCode == "NOT_FOUND")
            #expect(try await client.rest("PATCH", "sobjects/Account/ExternalId__c/A-0001?updateOnly=true", #"{"Phone": "9"}"#).status == 200)
        }
    }

    @Test("an upsert before 46.0 answers 201 with a body on insert and 204 on update")
    func oldUpsert() async throws {
        try await withOrg { client in
            var old = client
            old.version = "45.0"
            let inserted = try await old.rest("PATCH", "sobjects/Account/ExternalId__c/old%20one", #"{"Name": "x"}"#)
            #expect(inserted.status == 201)
            #expect(inserted.object["created"] == nil)
            let updated = try await old.rest("PATCH", "sobjects/Account/ExternalId__c/old%20one", #"{"Name": "y"}"#)
            #expect(updated.status == 204)
            #expect(updated.body.isEmpty)
            #expect(try await client.column("SELECT Name FROM Account WHERE ExternalId__c = 'old one'") == ["y"])
        }
    }

    @Test("a record is read and deleted by its external id; a field that is none answers 404")
    func byExternalId() async throws {
        try await withOrg { client in
            #expect(try await client.rest("GET", "sobjects/Account/ExternalId__c/a-0002").object["ExternalId__c"] as? String == "A-0002")
            let wrong = try await client.rest("GET", "sobjects/Account/Fax/1")
            #expect(wrong.status == 404)
            #expect(wrong.list.first?["message"] as? String == "Provided external ID field does not exist or is not accessible: Fax")
            #expect(try await client.rest("DELETE", "sobjects/Account/ExternalId__c/A-0002").status == 204)
            #expect(try await client.rest("GET", "sobjects/Account/ExternalId__c/A-0002").status == 404)
        }
    }

    @Test("the key of an upsert may not stand in its body")
    func keyInBody() async throws {
        try await withOrg { client in
            let answer = try await client.rest("PATCH", "sobjects/Account/ExternalId__c/k", #"{"Name": "x", "ExternalId__c": "k"}"#)
            #expect(answer.errorCode == "INVALID_FIELD")
            #expect(try await client.rest("POST", "sobjects/Account/Id", #"{"Name": "by Id"}"#).status == 201)
        }
    }

    @Test("a deleted record answers 404 ENTITY_IS_DELETED to a read, a change and another delete")
    func deleted() async throws {
        try await withOrg { client in
            let id = try await AutomationTests.create(client, "Account", #"{"Name": "gone"}"#)
            #expect(try await client.rest("DELETE", "sobjects/Account/\(id)").status == 204)
            for (method, body) in [("GET", nil), ("PATCH", #"{"Name": "x"}"#), ("DELETE", nil)] {
                let answer = try await client.rest(method, "sobjects/Account/\(id)", body)
                #expect(answer.status == 404)
                #expect(answer.errorCode == "ENTITY_IS_DELETED")
            }
        }
    }
}
