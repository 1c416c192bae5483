import Foundation
import Testing

@Suite("SOAP")
struct SOAPTests {
    /// The text of the first element of this name.
    private static func element(_ name: String, in text: String) -> String? {
        guard let open = text.range(of: "<\(name)>"), let close = text.range(of: "</\(name)>", range: open.upperBound..<text.endIndex) else { return nil }
        return String(text[open.upperBound..<close.lowerBound])
    }

    private static func account(_ fields: String) -> String { "<u:sObjects><s:type>Account</s:type>\(fields)</u:sObjects>" }

    @Test("create, read back what the flow changed, update two fields, clear one, delete")
    func life() async throws {
        try await withOrg { client in
            let created = try await client.soap("<u:create>" + Self.account("<s:Name>  Spaced &amp; sound  </s:Name><s:Phone>1</s:Phone><s:Website>w</s:Website>") + "</u:create>")
            #expect(created.text.contains("<limitInfo><current>1</current>"))
            let id = try #require(Self.element("id", in: created.text))
            #expect(id.count == 18)
            let update = try await client.soap("<u:update><u:sObjects><s:type>Account</s:type><s:fieldsToNull>Phone</s:fieldsToNull><s:Id>\(id.prefix(15))</s:Id><s:Fax>2</s:Fax><s:Website/></u:sObjects></u:update>")
            #expect(update.text.contains("<updateResponse><result><id>\(id)</id><success>true</success></result></updateResponse>"))
            let call = try #require(try await client.control("GET", "calls?operation=update").list.first)
            let record = try #require((call["records"] as? [[String: Any]])?.first)
            #expect((record["fields"] as? [String: Any])?.keys.sorted() == ["Fax"])
            #expect(record["nulled"] as? [String] == ["Phone"])
            let read = try await client.soap("<u:retrieve><u:fieldList>Name, Phone, Fax, Website, Checked__c</u:fieldList><u:sObjectType>Account</u:sObjectType><u:ids>\(id)</u:ids><u:ids>001xx000003DGb2AAG</u:ids></u:retrieve>")
            #expect(read.text.contains("<sf:type>Account</sf:type><sf:Id xsi:nil=\"true\"/><sf:Name>Spaced &amp; sound</sf:Name><sf:Phone xsi:nil=\"true\"/><sf:Fax>2</sf:Fax><sf:Website>w</sf:Website><sf:Checked__c>Checked: Spaced &amp; sound</sf:Checked__c></result><result xsi:nil=\"true\"/>"))
            let deleted = try await client.soap("<u:delete><u:ids>\(id)</u:ids></u:delete>")
            #expect(deleted.text.contains("<result><id>\(id)</id><success>true</success></result>"))
            let again = try await client.soap("<u:delete><u:ids>\(id)</u:ids><u:ids>001xx000003DGb2AAG</u:ids><u:ids>nonsense</u:ids></u:delete>")
            for code in ["ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"] { #expect(again.text.contains("<statusCode>\(code)</statusCode>")) }
        }
    }

    @Test("record refusals in place, the others saved", arguments: [
        ("<s:Phone>1</s:Phone>", "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]"),
        ("<s:Name>x</s:Name><s:Nothing__c>1</s:Nothing__c>", "INVALID_FIELD", "No such column 'Nothing__c'"),
        ("<s:Name>x</s:Name><s:CreatedDate>2024-01-01T00:00:00Z</s:CreatedDate>", "INVALID_FIELD_FOR_INSERT_UPDATE", "CreatedDate"),
        ("<s:Name>x</s:Name><s:ExternalId__c>a-0001</s:ExternalId__c>", "DUPLICATE_VALUE", "duplicate value found: ExternalId__c duplicates value on record with id: 001"),
        ("<s:Name>x</s:Name><s:AccountNumber>01234567890123456789012345678901234567890</s:AccountNumber>", "STRING_TOO_LONG", "max length=40"),
        ("<s:Name>x</s:Name><s:NumberOfEmployees>many</s:NumberOfEmployees>", "INVALID_TYPE_ON_FIELD_IN_RECORD", "value not of required type"),
        ("<s:Name>x</s:Name><s:AnnualRevenue>1234567890123456789</s:AnnualRevenue>", "NUMBER_OUTSIDE_VALID_RANGE", "outside of valid range"),
        ("<s:Name>x</s:Name><s:ParentId>001xx000003DGb2AAG</s:ParentId>", "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
        ("<s:Name>x</s:Name><s:ParentId>broken</s:ParentId>", "MALFORMED_ID", "broken"),
        ("<s:fieldsToNull>Phone</s:fieldsToNull><s:Name>x</s:Name><s:Phone>1</s:Phone>", "INVALID_FIELD_FOR_INSERT_UPDATE", "Phone"),
    ])
    func refusals(fields: String, code: String, message: String) async throws {
        try await withOrg { client in
            let answer = try await client.soap("<u:create>" + Self.account(fields) + Self.account("<s:Name>good</s:Name>") + "</u:create>")
            #expect(answer.status == 200)
            let results = answer.text.components(separatedBy: "</result>")
            #expect(results[0].contains("<statusCode>\(code)</statusCode>"), "\(answer.text)")
            #expect(results[0].contains(message), "\(answer.text)")
            #expect(results[0].contains("<id xsi:nil=\"true\"/><success>false</success>"))
            #expect(results[1].contains("<success>true</success>"))
            let all = try await client.soap(
                "<u:create>" + Self.account(fields) + Self.account("<s:Name>rolled back</s:Name>") + "</u:create>",
                headers: "<u:AllOrNoneHeader><u:allOrNone>true</u:allOrNone></u:AllOrNoneHeader>")
            #expect(all.text.contains("ALL_OR_NONE_OPERATION_ROLLED_BACK"))
            #expect(try await client.column("SELECT Id FROM Account WHERE Name = 'rolled back'") == [])
        }
    }

    @Test("upsert: creates, updates, refuses doubles, finds parents of earlier calls only")
    func upsert() async throws {
        try await withOrg { client in
            func upsert(_ records: String) async throws -> String {
                try await client.soap("<u:upsert><u:externalIDFieldName>ExternalId__c</u:externalIDFieldName>\(records)</u:upsert>").text
            }
            func contact(_ key: String, account: String) -> String {
                "<u:sObjects><s:type>Contact</s:type><s:ExternalId__c>\(key)</s:ExternalId__c><s:LastName>L</s:LastName><s:Account><s:type>Account</s:type><s:ExternalId__c>\(account)</s:ExternalId__c></s:Account></u:sObjects>"
            }
            let both = try await upsert(Self.account("<s:Name>P</s:Name><s:ExternalId__c>p-1</s:ExternalId__c>") + contact("k-1", account: "p-1"))
            #expect(both.contains("<result><created>true</created>"))
            #expect(both.contains("Foreign key external ID: p-1 not found for field ExternalId__c in entity Account"))
            #expect(try await upsert(contact("k-1", account: "P-1")).contains("<created>true</created>"))
            #expect(try await upsert(contact("K-1", account: "p-1")).contains("<result><created>false</created><id>003"))
            #expect(try await client.column("SELECT Account.Name FROM Contact WHERE ExternalId__c = 'k-1'").count == 1)
            let doubled = try await upsert(contact("k-2", account: "p-1") + contact("K-2", account: "p-1"))
            #expect(doubled.components(separatedBy: "Duplicate external id specified: k-2").count == 3)
            let blank = try await upsert("<u:sObjects><s:type>Contact</s:type><s:LastName>L</s:LastName></u:sObjects>")
            #expect(blank.contains("<statusCode>MISSING_ARGUMENT</statusCode>"))
        }
    }

    @Test("faults: no session, malformed query, too many records, missing SOAPAction, broken XML, bad login")
    func faults() async throws {
        try await withOrg { client in
            let query = try await client.soap("<u:query><u:queryString>SELECT FROM Account</u:queryString></u:query>")
            #expect(query.status == 500)
            #expect(query.text.contains("<faultcode>sf:MALFORMED_QUERY</faultcode><faultstring>MALFORMED_QUERY: "))
            #expect(query.text.contains("<detail><sf:MalformedQueryFault xsi:type=\"sf:MalformedQueryFault\">"))
            let many = try await client.soap("<u:create>" + String(repeating: Self.account("<s:Name>x</s:Name>"), count: 201) + "</u:create>")
            #expect(many.text.contains("EXCEEDED_ID_LIMIT: record limit reached. cannot submit more than 200 records into this call"))
            let silent = try await client.send("POST", "/services/Soap/u/62.0", body: "<x/>", type: "text/xml")
            #expect(silent.text.contains("<faultcode>soapenv:Client</faultcode><faultstring>SOAPAction HTTP header missing</faultstring>"))
            let broken = try await client.send("POST", "/services/Soap/u/62.0", body: "<x", type: "text/xml", headers: ["SOAPAction": "\"\""])
            #expect(broken.text.contains("soapenv:Client"))
            let login = try await client.soap("<u:login><u:username>integration@example.com</u:username><u:password>wrong</u:password></u:login>")
            #expect(login.text.contains("<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>"))
            let good = try await client.soap("<u:login><u:username>integration@example.com</u:username><u:password>sample-passwordTOKEN</u:password></u:login>")
            #expect(Self.element("serverUrl", in: good.text)?.hasPrefix(client.base + "/services/Soap/u/62.0/00D") == true)
            let session = try #require(Self.element("sessionId", in: good.text))
            #expect(try await client.soap("<u:getServerTimestamp/>", session: session).status == 200)
        }
    }

    @Test("query pages by locator, the id twice, controls escaped")
    func query() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "records/Account", #"{"records": [{"Name": "A<b>&\"c\"", "Description": "one\r\ntwo\nthree 😀", "ExternalId__c": "q"}]}"#)
            let answer = try await client.soap("<u:query><u:queryString>SELECT Id, Name, Description, Phone FROM Account WHERE ExternalId__c = 'q'</u:queryString></u:query>")
            let id = try #require(Self.element("sf:Id", in: answer.text))
            #expect(answer.text.contains("<sf:Id>\(id)</sf:Id><sf:Id>\(id)</sf:Id><sf:Name>A&lt;b&gt;&amp;&quot;c&quot;</sf:Name><sf:Description>one&#13;\ntwo\nthree 😀</sf:Description><sf:Phone xsi:nil=\"true\"/></records><size>1</size>"), "\(answer.text)")
            _ = try await client.control("POST", "generate", #"{"object": "Account", "count": 459, "fields": {"Name": "G {n}"}}"#)
            let page = try await client.soap("<u:query><u:queryString>SELECT Id FROM Account</u:queryString></u:query>", headers: "<u:QueryOptions><u:batchSize>300</u:batchSize></u:QueryOptions>")
            let locator = try #require(Self.element("queryLocator", in: page.text))
            #expect(page.text.contains("<done>false</done>"))
            #expect(page.text.components(separatedBy: "<records ").count == 301)
            let next = try await client.soap("<u:queryMore><u:queryLocator>\(locator)</u:queryLocator></u:queryMore>")
            #expect(next.text.contains("<done>true</done><queryLocator xsi:nil=\"true\"/>"))
            #expect(next.text.components(separatedBy: "<records ").count == 201)
        }
    }
}
