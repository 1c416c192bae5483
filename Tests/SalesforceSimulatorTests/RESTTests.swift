import Foundation
import Testing

@Suite("REST records and describe")
struct RESTTests {
    @Test("create, read, update, upsert by version, delete")
    func records() async throws {
        try await withOrg { client in
            let created = try await client.rest("POST", "sobjects/Account", #"{"Name": "R", "Phone": "  ", "Description": ""}"#)
            #expect(created.status == 201)
            let id = try #require(created.object["id"] as? String)
            #expect(created.headers["location"] == "/services/data/v62.0/sobjects/Account/\(id)")
            let read = try await client.rest("GET", "sobjects/Account/\(id)?fields=Name,Phone,CreatedDate,SystemModstamp").object
            #expect(read["Name"] as? String == "R")
            #expect(read["Phone"] is NSNull)
            #expect(read["CreatedDate"] as? String == read["SystemModstamp"] as? String)
            #expect(try await client.rest("PATCH", "sobjects/Account/\(id)", #"{"Name": "S"}"#).status == 204)
            #expect(try await client.rest("PATCH", "sobjects/Account/\(id)", #"{"Id": "\#(id)", "Name": "S"}"#).errorCode == "INVALID_FIELD")
            #expect(try await client.rest("GET", "sobjects/Account/001xx000003DGb2AAG").errorCode == "NOT_FOUND")
            let inserted = try await client.rest("PATCH", "sobjects/Account/ExternalId__c/a%2Fb", #"{"Name": "U"}"#)
            #expect(inserted.status == 201)
            #expect(inserted.object["created"] as? Bool == true)
            let updated = try await client.rest("PATCH", "sobjects/Account/ExternalId__c/A%2FB", #"{"Name": "V"}"#)
            #expect(updated.status == 200)
            #expect(updated.object["created"] as? Bool == false)
            var old = client
            old.version = "45.0"
            #expect(try await old.rest("PATCH", "sobjects/Account/ExternalId__c/a%2Fb", #"{"Name": "W"}"#).status == 204)
            #expect(try await client.rest("PATCH", "sobjects/Account/Phone/1", #"{"Name": "W"}"#).status == 404)
            #expect(try await client.rest("POST", "sobjects/Contact", #"{"LastName": "c", "Account": {"ExternalId__c": "a/b"}}"#).status == 201)
            #expect(try await client.rest("POST", "sobjects/Account", "{broken").errorCode == "JSON_PARSER_ERROR")
            #expect(try await client.rest("GET", "sobjects/Nothing/describe").status == 404)
        }
    }

    @Test("collections: order, retrieve, chunks, limits")
    func collections() async throws {
        try await withOrg { client in
            let body = #"{"records": [{"attributes": {"type": "Account"}, "Name": "1"}, {"attributes": {"type": "Contact"}}, {"attributes": {"type": "Account"}, "Name": "3"}]}"#
            let results = try await client.rest("POST", "composite/sobjects", body).list
            #expect(results.map { $0["success"] as? Bool } == [true, false, true])
            #expect((results[1]["errors"] as? [[String: Any]])?.first?["statusCode"] as? String == "REQUIRED_FIELD_MISSING")
            let ids = results.compactMap { $0["id"] as? String }
            let update = try await client.rest("PATCH", "composite/sobjects", #"{"records": [{"attributes": {"type": "Account"}, "id": "\#(ids[0])", "Name": "x"}, {"attributes": {"type": "Account"}, "id": "\#(ids[0])", "Name": "y"}]}"#)
            #expect(update.list.allSatisfy { ($0["errors"] as? [[String: Any]])?.first?["statusCode"] as? String == "DUPLICATE_VALUE" })
            let read = try await client.rest("POST", "composite/sobjects/Account", #"{"ids": ["\#(ids[1])", "001xx000003DGb2AAG"], "fields": ["Name"]}"#)
            let slots = read.json as? [Any] ?? []
            #expect((slots.first as? [String: Any])?["Name"] as? String == "3")
            #expect(slots.last is NSNull)
            let mixed = (0..<11).map { #"{"attributes": {"type": "\#($0 % 2 == 0 ? "Account" : "Contact")"}, "Name": "m", "LastName": "m"}"# }.joined(separator: ",")
            #expect(try await client.rest("POST", "composite/sobjects", #"{"records": [\#(mixed)]}"#).errorCode == "LIMIT_EXCEEDED")
            let gone = try await client.rest("DELETE", "composite/sobjects?ids=\(ids.joined(separator: ","))&allOrNone=true")
            #expect(gone.list.allSatisfy { $0["success"] as? Bool == true })
        }
    }

    @Test("describe tells a sync tool what it must know")
    func describe() async throws {
        try await withOrg { client in
            let global = try await client.rest("GET", "sobjects").object
            let names = (global["sobjects"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
            #expect(Set(names).isSuperset(of: ["Account", "Contact", "Opportunity", "Invoice__c", "Everything__c", "User", "Archive__b", "Ping__e", "Attachment"]))
            let describe = try await client.rest("GET", "sobjects/Everything__c/describe/")
            let fields = describe.object["fields"] as? [[String: Any]] ?? []
            func field(_ name: String) -> [String: Any] { fields.first { $0["name"] as? String == name } ?? [:] }
            #expect(Set(fields.compactMap { $0["type"] as? String }).isSuperset(of: [
                "id", "reference", "string", "textarea", "phone", "url", "email", "picklist", "multipicklist", "combobox", "encryptedstring", "boolean",
                "int", "double", "currency", "percent", "date", "datetime", "time", "location", "anyType",
            ]))
            #expect(field("Multi__c")["length"] as? Int == 4099)
            #expect(field("Currency__c")["precision"] as? Int == 18)
            #expect(field("Text_Formula__c")["calculated"] as? Bool == true)
            #expect(field("Text_Formula__c")["createable"] as? Bool == false)
            #expect(field("ExternalId__c")["externalId"] as? Bool == true)
            #expect(field("Account__c")["relationshipName"] as? String == "Account__r")
            #expect(field("Rich_Text__c")["htmlFormatted"] as? Bool == true)
            let again = try await client.rest("GET", "sobjects/Everything__c/describe", headers: ["If-Modified-Since": describe.headers["date"] ?? ""])
            #expect(again.status == 304)
        }
    }

    @Test("bodies are inflated, answers compressed when asked, and 100 Continue is said")
    func compression() async throws {
        // gzip of {"Name":"squeezed"}
        let body = try #require(Data(base64Encoded: "H4sIAAAAAAACA6tW8kvMTVWyUiouLE1NrUpNUaoFAIQ9iXgTAAAA"))
        try await withOrg { client in
            let created = try await client.send(
                "POST", "/services/data/v62.0/sobjects/Account", data: body, type: "application/json",
                headers: ["Content-Encoding": "gzip", "Expect": "100-continue"])
            #expect(created.status == 201)
            #expect(try await client.column("SELECT Name FROM Account WHERE Name = 'squeezed'") == ["squeezed"])
            let packed = try await client.rest("GET", "sobjects", headers: ["Accept-Encoding": "gzip, deflate"])
            #expect(packed.headers["content-encoding"] == "gzip")
            #expect(packed.headers["transfer-encoding"] == "chunked")
            #expect(packed.headers["content-length"] == nil)
        }
    }

    @Test("versions: each call only where it exists")
    func versions() async throws {
        try await withOrg(versions: ["40.0", "62.0"]) { client in
            let list = try await client.send("GET", "/services/data").list
            #expect(list.compactMap { $0["version"] as? String } == ["40.0", "62.0"])
            #expect(list.last?["label"] as? String == "Winter '25")
            var other = client
            other.version = "58.0"
            #expect(try await other.rest("GET", "limits").status == 404)
            other.version = "30.0"
            #expect(try await other.rest("GET", "limits").status == 410)
        }
    }

    @Test("records of every type read the same over REST, SOAP and Bulk")
    func everyType() async throws {
        try await withOrg { client in
            let rest = try await client.rest("GET", "sobjects/Everything__c/ExternalId__c/E-0000").object
            #expect(rest["Date_Time__c"] as? String == "2000-02-28T23:59:59.000+0000")
            #expect(rest["Time__c"] as? String == "00:15:30.250Z")
            #expect(rest["Multi__c"] as? String == "North;West")
            #expect(rest["Number_Formula__c"] as? Double == -0.1)
            let soap = try await client.soap("<u:query><u:queryString>SELECT Whole_Number__c, Date_Time__c, Time__c, Place__c, Checkbox__c FROM Everything__c WHERE ExternalId__c = 'E-0000'</u:queryString></u:query>").text
            #expect(soap.contains("<sf:Whole_Number__c>123456789012345678.0</sf:Whole_Number__c><sf:Date_Time__c>2000-02-28T23:59:59.000Z</sf:Date_Time__c><sf:Time__c>00:15:30.250Z</sf:Time__c>"))
            #expect(soap.contains("<sf:Place__c xsi:type=\"location\"><latitude>52.5</latitude><longitude>-13.4</longitude></sf:Place__c><sf:Checkbox__c>false</sf:Checkbox__c>"))
            let nul = try await client.control("POST", "records/Everything__c", #"{"records": [{"Text__c": "a\u0000b", "ExternalId__c": "nul"}]}"#)
            #expect(nul.list.first?["success"] as? Bool == true)
            #expect(try await client.column("SELECT Text__c FROM Everything__c WHERE ExternalId__c = 'nul'") == ["a\0b"])
        }
    }
}
