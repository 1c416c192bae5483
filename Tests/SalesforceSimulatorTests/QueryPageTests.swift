import Foundation
import Testing

@Suite("query answers over REST")
struct QueryPageTests {
    @Test("a locator lasts two days of the org's clock, and belongs to its user")
    func locators() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "generate", #"{"object": "Account", "count": 400, "fields": {"Name": "{n}"}}"#)
            let next = try #require(try await client.query("SELECT Id FROM Account", all: true, headers: ["Sforce-Query-Options": "batchSize=200"]).object["nextRecordsUrl"] as? String)
            #expect(next.hasPrefix("/services/data/v62.0/query/01g"))
            var other = client
            other.token = try #require(try await client.send("POST", "/_sim/sessions", body: #"{"user": "admin@example.com"}"#).object["access_token"] as? String)
            #expect(try await other.send("GET", next).errorCode == "INVALID_QUERY_LOCATOR")
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 172000}"#)
            #expect(try await client.send("GET", next).status == 200)
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 1000}"#)
            let late = try await client.send("GET", next)
            #expect(late.status == 400)
            #expect(late.errorCode == "INVALID_QUERY_LOCATOR")
        }
    }

    @Test("wide rows make short pages, unless the setting says otherwise; the old rule of ten locators")
    func settings() async throws {
        try await withOrg { client in
            _ = try await client.control("POST", "generate", #"{"object": "Everything__c", "count": 300, "fields": {"Name": "{n}"}}"#)
            let query = "SELECT Id, Long_Text__c, Rich_Text__c FROM Everything__c"
            func count(_ query: String) async throws -> Int { (try await client.query(query).object["records"] as? [Any])?.count ?? 0 }
            #expect(try await count(query) == 200)
            #expect(try await count("SELECT Id, Long_Text__c FROM Everything__c") > 300)
            _ = try await client.control("PATCH", "settings", #"{"query": {"wideRowRecords": null, "openLocators": 2}}"#)
            #expect(try await count(query) > 300)
            let small = ["Sforce-Query-Options": "batchSize=50"]
            var locators: [String] = []
            for _ in 0..<3 {
                let answer = try await client.query("SELECT Id FROM Everything__c", headers: small)
                #expect((answer.object["records"] as? [Any])?.count == 200)
                locators.append(try #require(answer.object["nextRecordsUrl"] as? String))
            }
            #expect(try await client.send("GET", locators[0]).errorCode == "INVALID_QUERY_LOCATOR")
            #expect(try await client.send("GET", locators[1]).status == 200)
        }
    }

    @Test("explain, pretty print, long addresses and headers")
    func transport() async throws {
        try await withOrg { client in
            let plans = try await client.rest("GET", "query/?explain=" + OrgClient.encode("SELECT Id FROM Account WHERE ExternalId__c = 'A-0001'")).object["plans"] as? [[String: Any]]
            #expect(plans?.map { $0["leadingOperationType"] as? String } == ["Index", "TableScan"])
            #expect(plans?.first?["cardinality"] as? Int == 1)
            #expect(plans?.first?["sobjectCardinality"] as? Int == 40)
            let pretty = try await client.query("SELECT COUNT() FROM Account", headers: ["X-PrettyPrint": "1"])
            #expect(pretty.text == "{\n  \"totalSize\" : 40,\n  \"done\" : true,\n  \"records\" : [ ]\n}")
            let error = try await client.query("SELECT", headers: ["X-PrettyPrint": "1"])
            #expect(error.text.hasPrefix("[ {\n  \"message\" : \""))
            #expect(try await client.query("SELECT Id FROM Account WHERE Name = '\(String(repeating: "x", count: 16_500))'").status == 414)
            #expect(try await client.query("SELECT Id FROM Account", headers: ["X-Long": String(repeating: "x", count: 16_500)]).status == 431)
            #expect(try await client.rest("GET", "query").errorCode == "MALFORMED_QUERY")
        }
    }

    @Test("binary fields are paths in a query and bytes behind them; addresses are objects or null")
    func shapes() async throws {
        try await withOrg { client in
            let parent = try #require(try await client.column("SELECT Id FROM Account WHERE ExternalId__c = 'A-0001'").first)
            let made = try await client.rest("POST", "sobjects/Attachment", #"{"Name": "hello.txt", "ContentType": "text/plain", "ParentId": "\#(parent)", "Body": "aGVsbG8="}"#)
            let id = try #require(made.object["id"] as? String)
            let path = "/services/data/v62.0/sobjects/Attachment/\(id)/Body"
            #expect(try await client.column("SELECT Body FROM Attachment") == [path])
            let body = try await client.send("GET", path)
            #expect(body.text == "hello")
            #expect(body.headers["content-type"] == "text/plain")
            #expect(try await client.soap("<u:query><u:queryString>SELECT Body FROM Attachment</u:queryString></u:query>").text.contains("<sf:Body>aGVsbG8=</sf:Body>"))
            let row = try #require((try await client.query("SELECT BillingAddress, ShippingAddress FROM Account WHERE Id = '\(parent)'").object["records"] as? [[String: Any]])?.first)
            #expect((row["BillingAddress"] as? [String: Any])?["city"] as? String == "Lyon")
            #expect(row["ShippingAddress"] is NSNull)
            let soap = try await client.soap("<u:query><u:queryString>SELECT BillingAddress FROM Account WHERE Id = '\(parent)'</u:queryString></u:query>")
            #expect(soap.text.contains("<sf:BillingAddress xsi:type=\"address\"><city>Lyon</city><country>France</country><geocodeAccuracy xsi:nil=\"true\"/>"), "\(soap.text)")
        }
    }

    @Test("describe documents are not sent again while nothing changes")
    func unchanged() async throws {
        try await withOrg { client in
            for path in ["sobjects", "sobjects/Account/describe", "sobjects/Account/describe/"] {
                let first = try await client.rest("GET", path)
                let stamp = try #require(first.headers["last-modified"])
                #expect(try await client.rest("GET", path, headers: ["If-Modified-Since": stamp]).status == 304)
            }
            _ = try await client.control("POST", "clock", #"{"advanceSeconds": 10}"#)
            let stamp = try #require(try await client.rest("GET", "sobjects").headers["last-modified"])
            _ = try await client.control("POST", "objects/Account/fields", #"{"name": "New__c", "type": "string", "length": 10}"#)
            #expect(try await client.rest("GET", "sobjects", headers: ["If-Modified-Since": stamp]).status == 200)
        }
    }

    @Test("every key of describe that a client may look for")
    func keys() async throws {
        try await withOrg { client in
            let global = try #require(try await client.rest("GET", "sobjects").object["sobjects"] as? [[String: Any]])
            let account = try #require(global.first { $0["name"] as? String == "Account" })
            let expected = "activateable associateEntityType associateParentEntity createable custom customSetting deepCloneable deletable deprecatedAndHidden feedEnabled hasSubtypes interfaceable isInterface isSubtype keyPrefix label labelPlural layoutable mergeable mruEnabled name queryable replicateable retrieveable searchable triggerable undeletable updateable urls"
            #expect(Set(expected.split(separator: " ").map(String.init)).subtracting(account.keys) == [])
            let object = try await client.rest("GET", "sobjects/Account/describe").object
            let more = "actionOverrides childRelationships compactLayoutable defaultImplementation extendedBy extendsInterfaces fields implementedBy implementsInterfaces listviewable lookupLayoutable namedLayoutInfos networkScopeFieldName recordTypeInfos searchLayoutable sobjectDescribeOption supportedScopes"
            #expect(Set(more.split(separator: " ").map(String.init)).subtracting(object.keys) == [])
            let field = try #require((object["fields"] as? [[String: Any]])?.first { $0["name"] as? String == "ParentId" })
            let fieldKeys = "aggregatable aiPredictionField autoNumber byteLength calculated calculatedFormula cascadeDelete caseSensitive compoundFieldName controllerName createable custom defaultValue defaultValueFormula defaultedOnCreate dependentPicklist deprecatedAndHidden digits displayLocationInDecimal encrypted externalId extraTypeInfo filterable filteredLookupInfo formulaTreatNullNumberAsZero groupable highScaleNumber htmlFormatted idLookup inlineHelpText label length mask maskType name nameField namePointing nillable permissionable picklistValues polymorphicForeignKey precision queryByDistance referenceTargetField referenceTo relationshipName relationshipOrder restrictedDelete restrictedPicklist scale searchPrefilterable soapType sortable type unique updateable writeRequiresMasterRead"
            #expect(Set(fieldKeys.split(separator: " ").map(String.init)).subtracting(field.keys) == [])
            let flags = Dictionary(uniqueKeysWithValues: global.compactMap { entry in (entry["name"] as? String).map { ($0, [entry["queryable"] as? Bool, entry["replicateable"] as? Bool]) } })
            #expect(flags["Archive__b"] == [true, false])
            #expect(flags["Ping__e"] == [false, false])
        }
    }
}
