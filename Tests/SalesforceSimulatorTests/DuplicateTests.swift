import Foundation
import Testing

@Suite("Duplicates: identifiers, rules, owners by assignment rule")
struct DuplicateTests {
    private static func ambiguous(_ client: OrgClient) async throws -> [String] {
        _ = try await client.control("POST", "objects/Account/fields", #"{"name": "Loose__c", "type": "string", "externalId": true}"#)
        return [
            try await AutomationTests.create(client, "Account", #"{"Name": "1", "Loose__c": "same"}"#),
            try await AutomationTests.create(client, "Account", #"{"Name": "2", "Loose__c": "SAME"}"#),
        ]
    }

    @Test("an external id that several records have answers 300 with their addresses, whatever the method")
    func severalMatches() async throws {
        try await withOrg { client in
            let paths = try await Self.ambiguous(client).map { "/services/data/v62.0/sobjects/Account/\($0)" }
            for (method, body) in [("GET", nil), ("PATCH", #"{"Name": "x"}"#), ("DELETE", nil)] {
                let answer = try await client.rest(method, "sobjects/Account/Loose__c/same", body)
                #expect(answer.status == 300)
                #expect(answer.json as? [String] == paths)
            }
        }
    }

    @Test("an upsert of several records over SOAP and collections answers DUPLICATE_EXTERNAL_ID for an ambiguous one")
    func ambiguousUpsert() async throws {
        try await withOrg { client in
            _ = try await Self.ambiguous(client)
            let rest = try await client.rest("PATCH", "composite/sobjects/Account/Loose__c", #"{"records": [{"attributes": {"type": "Account"}, "Loose__c": "same", "Name": "x"}, {"attributes": {"type": "Account"}, "Loose__c": "other", "Name": "y"}]}"#)
            #expect(rest.list.map { AutomationTests.statusCode($0) } == ["DUPLICATE_EXTERNAL_ID", nil])
            let soap = try await client.soap("<u:upsert><u:externalIDFieldName>Loose__c</u:externalIDFieldName><u:sObjects><s:type>Account</s:type><s:Loose__c>same</s:Loose__c><s:Name>x</s:Name></u:sObjects></u:upsert>")
            #expect(soap.text.contains("<statusCode>DUPLICATE_EXTERNAL_ID</statusCode>"))
        }
    }

    @Test("a parent named by external id and created in the same upsert call is not found, over REST and SOAP")
    func parentOfTheSameCall() async throws {
        try await withOrg { client in
            let rest = try await client.rest("PATCH", "composite/sobjects/Account/ExternalId__c", #"{"records": [{"attributes": {"type": "Account"}, "ExternalId__c": "new-1", "Name": "p"}, {"attributes": {"type": "Account"}, "ExternalId__c": "new-2", "Name": "c", "Parent": {"ExternalId__c": "new-1"}}]}"#)
            #expect(rest.list.map { AutomationTests.statusCode($0) } == [nil, "INVALID_FIELD"])
            let error = (rest.list.last?["errors"] as? [[String: Any]])?.first
            #expect(error?["message"] as? String == "Foreign key external ID: new-1 not found for field ExternalId__c in entity Account")
            let soap = try await client.soap("<u:upsert><u:externalIDFieldName>ExternalId__c</u:externalIDFieldName><u:sObjects><s:type>Account</s:type><s:ExternalId__c>new-3</s:ExternalId__c><s:Name>p</s:Name></u:sObjects><u:sObjects><s:type>Account</s:type><s:ExternalId__c>new-4</s:ExternalId__c><s:Name>c</s:Name><s:Parent><s:type>Account</s:type><s:ExternalId__c>new-3</s:ExternalId__c></s:Parent></u:sObjects></u:upsert>")
            #expect(soap.text.contains("Foreign key external ID: new-3 not found for field ExternalId__c in entity Account"))
        }
    }

    @Test("an external id twice in an upsert call is refused both times")
    func doubledExternalIds() async throws {
        try await withOrg { client in
            let answer = try await client.rest("PATCH", "composite/sobjects/Account/ExternalId__c", #"{"records": [{"attributes": {"type": "Account"}, "ExternalId__c": "d", "Name": "1"}, {"attributes": {"type": "Account"}, "ExternalId__c": "D", "Name": "2"}]}"#)
            #expect(answer.list.map { AutomationTests.statusCode($0) } == ["DUPLICATE_VALUE", "DUPLICATE_VALUE"])
        }
    }

    @Test("a blocking duplicate rule refuses over REST with its result, also when the client allows to save")
    func blockRule() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "objects/Contact/duplicate-rules", #"{"name": "Std_Contact", "fields": ["Email"], "action": "block", "matchRule": "Std_Match"}"#)
            let known = try await AutomationTests.create(client, "Contact", #"{"LastName": "a", "Email": "Same@example.com"}"#)
            let refused = try await client.rest("POST", "sobjects/Contact", #"{"LastName": "b", "Email": "same@example.com"}"#, headers: ["Sforce-Duplicate-Rule-Header": "allowSave=true"])
            #expect(refused.status == 400)
            #expect(refused.errorCode == "DUPLICATES_DETECTED")
            #expect(refused.list.first?["message"] as? String == "Use one of these records?")
            let result = refused.list.first?["duplicateResult"] as? [String: Any] ?? [:]
            #expect(result["allowSave"] as? Bool == false)
            #expect(result["duplicateRule"] as? String == "Std_Contact")
            #expect(result["duplicateRuleEntityType"] as? String == "Contact")
            let match = (result["matchResults"] as? [[String: Any]])?.first ?? [:]
            #expect(match["rule"] as? String == "Std_Match")
            #expect(match["size"] as? Int == 1)
            let record = (match["matchRecords"] as? [[String: Any]])?.first?["record"] as? [String: Any]
            #expect(record?["Id"] as? String == known)
            #expect((record?["attributes"] as? [String: Any])?["url"] as? String == "/services/data/v62.0/sobjects/Contact/\(known)")
        }
    }

    @Test("an alerting duplicate rule lets a save pass that allows it, by header of REST and SOAP")
    func alertRule() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "objects/Contact/duplicate-rules", #"{"name": "Alert", "fields": ["LastName", "FirstName"], "action": "alert"}"#)
            let body = #"{"LastName": "Twin", "FirstName": "T"}"#
            _ = try await AutomationTests.create(client, "Contact", body)
            let refused = try await client.rest("POST", "sobjects/Contact", body)
            #expect((refused.list.first?["duplicateResult"] as? [String: Any])?["allowSave"] as? Bool == true)
            #expect(try await client.rest("POST", "sobjects/Contact", body, headers: ["Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=false"]).status == 201)
            let call = "<u:create><u:sObjects><s:type>Contact</s:type><s:LastName>twin</s:LastName><s:FirstName>t</s:FirstName></u:sObjects></u:create>"
            let soap = try await client.soap(call).text
            #expect(soap.contains("<errors xsi:type=\"DuplicateError\">"))
            #expect(soap.contains("<statusCode>DUPLICATES_DETECTED</statusCode>"))
            #expect(soap.contains("<duplicateResult><allowSave>true</allowSave>"))
            let header = "<u:DuplicateRuleHeader><u:allowSave>true</u:allowSave><u:includeRecordDetails>false</u:includeRecordDetails><u:runAsCurrentUser>true</u:runAsCurrentUser></u:DuplicateRuleHeader>"
            #expect(try await client.soap(call, headers: header).text.contains("<success>true</success>"))
        }
    }

    @Test("collections answer DUPLICATES_DETECTED as a save result")
    func duplicateInCollection() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "objects/Contact/duplicate-rules", #"{"name": "Block", "fields": ["Email"]}"#)
            let record = #"{"attributes": {"type": "Contact"}, "LastName": "x", "Email": "one@example.com"}"#
            let answer = try await client.rest("POST", "composite/sobjects", #"{"records": [\#(record), \#(record)]}"#)
            #expect(answer.list.map { AutomationTests.statusCode($0) } == [nil, "DUPLICATES_DETECTED"])
        }
    }

    private static func assign(_ client: OrgClient) async throws -> (owner: String, rule: String) {
        let owner = try await client.control("POST", "users", #"{"username": "queue@example.com"}"#).object["id"] as? String
        _ = try await client.control("POST", "objects/Account/assignment-rules", #"{"name": "Standard", "id": "01Qxx0000000001", "entries": [{"field": "Industry", "operator": "=", "value": "Energy", "owner": "queue@example.com"}]}"#)
        return (try #require(owner), "01Qxx0000000001")
    }

    @Test("REST applies the standard assignment rule unless Sforce-Auto-Assign or the setting says no")
    func assignmentOverREST() async throws {
        try await withOrg { client in
            let (owner, rule) = try await Self.assign(client)
            func owners(_ headers: [String: String], industry: String = "Energy") async throws -> Bool {
                let id = try await client.rest("POST", "sobjects/Account", #"{"Name": "x", "Industry": "\#(industry)"}"#, headers: headers).object["id"] as? String
                return try await client.column("SELECT OwnerId FROM Account WHERE Id = '\(id ?? "")'") == [owner]
            }
            #expect(try await owners([:]))
            #expect(try await !owners([:], industry: "Retail"))
            #expect(try await !owners(["Sforce-Auto-Assign": "FALSE"]))
            #expect(try await owners(["Sforce-Auto-Assign": rule]))
            _ = try await client.control("PATCH", "settings", #"{"restAssignsByDefault": false}"#)
            #expect(try await !owners([:]))
            #expect(try await owners(["Sforce-Auto-Assign": "TRUE"]))
            let unknown = try await client.rest("POST", "sobjects/Account", #"{"Name": "x"}"#, headers: ["Sforce-Auto-Assign": "01Qxx0000000009"])
            #expect(unknown.errorCode == "INVALID_ASSIGNMENT_RULE")
        }
    }

    @Test("SOAP applies an assignment rule only when the header asks for it")
    func assignmentOverSOAP() async throws {
        try await withOrg { client in
            let (owner, _) = try await Self.assign(client)
            func create(_ name: String, _ headers: String) async throws -> [String] {
                _ = try await client.soap("<u:create><u:sObjects><s:type>Account</s:type><s:Name>\(name)</s:Name><s:Industry>Energy</s:Industry></u:sObjects></u:create>", headers: headers)
                return try await client.column("SELECT OwnerId FROM Account WHERE Name = '\(name)'")
            }
            #expect(try await create("plain", "") != [owner])
            #expect(try await create("asked", "<u:AssignmentRuleHeader><u:useDefaultRule>true</u:useDefaultRule></u:AssignmentRuleHeader>") == [owner])
        }
    }
}
