import Foundation
import Testing

@Suite("Permissions of the connected user")
struct PermissionTests {
    private static func revoke(_ client: OrgClient, _ rest: String) async throws {
        _ = try await client.control("POST", "permissions", #"{"user": "integration@example.com", \#(rest)}"#)
    }

    @Test("an object that may not be read is unknown to describe, queries and writes at once")
    func unreadableObject() async throws {
        try await withOrg { client in
            #expect(try await client.query("SELECT Id FROM Contact").status == 200)
            try await Self.revoke(client, #""object": "Contact", "readable": false"#)
            #expect(try await client.query("SELECT Id FROM Contact").errorCode == "INVALID_TYPE")
            #expect(try await client.rest("GET", "sobjects/Contact/describe").status == 404)
            let names = (try await client.rest("GET", "sobjects").object["sobjects"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
            #expect(!names.contains("Contact"))
            #expect(names.contains("Account"))
            #expect(try await client.soap("<u:describeSObject><u:sObjectType>Contact</u:sObjectType></u:describeSObject>").text.contains("INVALID_TYPE"))
            let write = try await client.rest("POST", "composite/sobjects", #"{"records": [{"attributes": {"type": "Contact"}, "LastName": "x"}]}"#)
            #expect(AutomationTests.statusCode(write.list.first) == "INVALID_TYPE")
            _ = try await client.control("DELETE", "permissions")
            #expect(try await client.query("SELECT Id FROM Contact").status == 200)
        }
    }

    @Test("create, edit and delete can be taken one by one")
    func objectRights() async throws {
        try await withOrg { client in
            let id = try await AutomationTests.create(client, "Account", #"{"Name": "mine"}"#)
            try await Self.revoke(client, #""object": "Account", "createable": false"#)
            #expect(try await client.rest("POST", "sobjects/Account", #"{"Name": "x"}"#).errorCode == "INSUFFICIENT_ACCESS_OR_READONLY")
            #expect(try await client.rest("PATCH", "sobjects/Account/\(id)", #"{"Name": "y"}"#).status == 204)
            try await Self.revoke(client, #""object": "Account", "updateable": false"#)
            #expect(try await client.rest("PATCH", "sobjects/Account/\(id)", #"{"Name": "z"}"#).errorCode == "INSUFFICIENT_ACCESS_OR_READONLY")
            #expect(try await client.rest("GET", "sobjects/Account/describe").object["updateable"] as? Bool == false)
            try await Self.revoke(client, #""object": "Account", "deletable": false"#)
            #expect(try await client.rest("DELETE", "sobjects/Account/\(id)").errorCode == "INSUFFICIENT_ACCESS_OR_READONLY")
            try await Self.revoke(client, #""object": "Account""#)
            #expect(try await client.rest("DELETE", "sobjects/Account/\(id)").status == 204)
        }
    }

    @Test("a field that may not be read is unknown; one that may not be written refuses the record")
    func fieldRights() async throws {
        try await withOrg { client in
            try await Self.revoke(client, #""object": "Account", "field": "Phone", "readable": false"#)
            #expect(try await client.query("SELECT Phone FROM Account").errorCode == "INVALID_FIELD")
            #expect(try await client.rest("POST", "sobjects/Account", #"{"Name": "x", "Phone": "1"}"#).errorCode == "INVALID_FIELD")
            try await Self.revoke(client, #""object": "Account", "field": "Fax", "createable": false, "updateable": false"#)
            let refused = try await client.rest("POST", "sobjects/Account", #"{"Name": "x", "Fax": "1"}"#)
            #expect(refused.errorCode == "INVALID_FIELD_FOR_INSERT_UPDATE")
            #expect(refused.list.first?["fields"] as? [String] == ["Fax"])
        }
    }

    @Test("encrypted texts are masked for a user without View Encrypted Data, over REST and SOAP")
    func encryptedMasks() async throws {
        try await withOrg { client in
            let query = "SELECT Encrypted__c FROM Everything__c WHERE ExternalId__c = 'E-0001'"
            #expect(try await client.column(query) == ["secret 1"])
            try await Self.revoke(client, #""viewEncryptedData": false"#)
            #expect(try await client.column(query) == ["********"])
            let soap = try await client.soap("<u:query><u:queryString>\(query)</u:queryString></u:query>")
            #expect(soap.text.contains("<sf:Encrypted__c>********</sf:Encrypted__c>"))
        }
    }
}
