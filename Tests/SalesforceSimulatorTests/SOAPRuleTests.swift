import Foundation
import Testing

@Suite("SOAP headers, order and limits")
struct SOAPRuleTests {
    private static func account(_ fields: String) -> String { "<u:sObjects><s:type>Account</s:type>\(fields)</u:sObjects>" }

    @Test("what stands in the wrong place is refused for the whole call", arguments: [
        ("<u:upsert>\(account("<s:Name>x</s:Name>"))<u:externalIDFieldName>ExternalId__c</u:externalIDFieldName></u:upsert>", "{urn:partner.soap.sforce.com}externalIDFieldName"),
        ("<u:retrieve><u:sObjectType>Account</u:sObjectType><u:fieldList>Id</u:fieldList><u:ids>001</u:ids></u:retrieve>", "{urn:partner.soap.sforce.com}fieldList"),
        ("<u:query><u:text>SELECT Id FROM Account</u:text></u:query>", "{urn:partner.soap.sforce.com}text"),
        ("<u:create><u:sObjects><s:Name>x</s:Name><s:type>Account</s:type></u:sObjects></u:create>", "{urn:sobject.partner.soap.sforce.com}Name"),
        ("<u:create>\(account("<s:Name>x</s:Name><s:fieldsToNull>Phone</s:fieldsToNull>"))</u:create>", "{urn:sobject.partner.soap.sforce.com}fieldsToNull"),
    ])
    func misplaced(body: String, element: String) async throws {
        try await withOrg { client in
            let answer = try await client.soap(body)
            #expect(answer.status == 500)
            #expect(answer.text.contains("<faultcode>soapenv:Client</faultcode><faultstring>Element \(element) invalid at this location</faultstring></soapenv:Fault>"), "\(answer.text)")
        }
    }

    @Test("an id after the fields, and fields in any namespace, are taken")
    func tolerant() async throws {
        try await withOrg { client in
            let id = try #require(try await client.column("SELECT Id FROM Account LIMIT 1").first)
            let answer = try await client.soap("<u:update><u:sObjects><type>Account</type><u:Phone>7</u:Phone><Fax xmlns=\"\">8</Fax><s:Id>\(id)</s:Id></u:sObjects></u:update>")
            #expect(answer.text.contains("<success>true</success>"), "\(answer.text)")
            #expect(try await client.column("SELECT Phone FROM Account WHERE Id = '\(id)'") == ["7"])
            #expect(try await client.column("SELECT Fax FROM Account WHERE Id = '\(id)'") == ["8"])
        }
    }

    @Test("headers: truncation, the client's name, unknown ones")
    func headers() async throws {
        try await withOrg { client in
            let long = "<u:create>" + Self.account("<s:Name>t</s:Name><s:AccountNumber>\(String(repeating: "9", count: 41))</s:AccountNumber>") + "</u:create>"
            #expect(try await client.soap(long).text.contains("<statusCode>STRING_TOO_LONG</statusCode>"))
            let cut = try await client.soap(long, headers: "<u:AllowFieldTruncationHeader><u:allowFieldTruncation>true</u:allowFieldTruncation></u:AllowFieldTruncationHeader><u:CallOptions><u:client>truncator</u:client></u:CallOptions><u:Unheard>1</u:Unheard>")
            #expect(cut.text.contains("<success>true</success>"), "\(cut.text)")
            #expect(try await client.column("SELECT AccountNumber FROM Account WHERE Name = 't'") == [String(repeating: "9", count: 40)])
            let call = try #require(try await client.control("GET", "calls?operation=create").list.last)
            #expect(call["client"] as? String == "truncator")
            let must = try await client.soap("<u:getServerTimestamp/>", headers: "<u:Unheard e:mustUnderstand=\"1\">1</u:Unheard>")
            #expect(must.text.contains("<faultcode>soapenv:MustUnderstand</faultcode>"))
        }
    }

    @Test("limits of a call: records, types, chunks, ids")
    func limits() async throws {
        try await withOrg { client in
            let types = String(repeating: "<u:sObjectType>Account</u:sObjectType>", count: 101)
            #expect(try await client.soap("<u:describeSObjects>\(types)</u:describeSObjects>").text.contains("<sf:exceptionCode>EXCEEDED_MAX_TYPES_LIMIT</sf:exceptionCode>"))
            let contact = "<u:sObjects><s:type>Contact</s:type><s:LastName>m</s:LastName></u:sObjects>"
            let ten = String(repeating: Self.account("<s:Name>m</s:Name>") + contact, count: 5)
            #expect(try await client.soap("<u:create>\(ten)</u:create>").text.components(separatedBy: "<success>true").count == 11)
            let eleven = try await client.soap("<u:create>\(ten)\(Self.account("<s:Name>m</s:Name>"))</u:create>")
            #expect(eleven.text.contains("Cannot have more than 10 chunks in a single operation. Please rearrange the data to reduce chunking."))
            let ids = String(repeating: "<u:ids>001xx0000000001AAA</u:ids>", count: 2_001)
            #expect(try await client.soap("<u:retrieve><u:fieldList>Id</u:fieldList><u:sObjectType>Account</u:sObjectType>\(ids)</u:retrieve>").status == 500)
        }
    }

    @Test("a control character breaks the whole call, CR survives as a reference")
    func characters() async throws {
        try await withOrg { client in
            for character in ["\u{1}", "&#1;", "&#0;"] {
                let answer = try await client.soap("<u:create>" + Self.account("<s:Name>c</s:Name>") + Self.account("<s:Name>a\(character)b</s:Name>") + "</u:create>")
                #expect(answer.status == 500)
                #expect(answer.text.contains("<faultcode>soapenv:Client</faultcode>"))
            }
            #expect(try await client.column("SELECT Id FROM Account WHERE Name = 'c'") == [])
            _ = try await client.soap("<u:create>" + Self.account("<s:Name>cr</s:Name><s:Description>a&#13;\nb\tc</s:Description>") + "</u:create>")
            #expect(try await client.column("SELECT Description FROM Account WHERE Name = 'cr'") == ["a\r\nb\tc"])
            #expect(try await client.soap("<u:query><u:queryString>SELECT Description FROM Account WHERE Name = 'cr'</u:queryString></u:query>").text.contains("<sf:Description>a&#13;\nb\tc</sf:Description>"))
        }
    }

    @Test("faults carry the types and places of the schema", arguments: [
        ("SELECT Id,\nNothing FROM Account", "INVALID_FIELD", "InvalidFieldFault", "<sf:row>2</sf:row><sf:column>1</sf:column>"),
        ("SELECT Id FROM Nothing__c", "INVALID_TYPE", "InvalidSObjectFault", "<sf:row>1</sf:row><sf:column>16</sf:column>"),
        ("SELECT FROM Account", "MALFORMED_QUERY", "MalformedQueryFault", "<sf:row>1</sf:row><sf:column>8</sf:column>"),
    ])
    func faults(query: String, code: String, type: String, place: String) async throws {
        try await withOrg { client in
            let answer = try await client.soap("<u:query><u:queryString>\(query)</u:queryString></u:query>")
            #expect(answer.text.contains("<faultcode>sf:\(code)</faultcode><faultstring>\(code): "))
            #expect(answer.text.contains("<sf:\(type) xsi:type=\"sf:\(type)\"><sf:exceptionCode>\(code)</sf:exceptionCode>"))
            #expect(answer.text.contains("</sf:exceptionMessage>\(place)</sf:\(type)>"), "\(answer.text)")
        }
    }

    @Test("sessions end by logout and invalidateSessions; what is no session is refused")
    func sessions() async throws {
        try await withOrg { client in
            let other = try #require(try await client.send("POST", "/_sim/sessions", body: "{}").object["access_token"] as? String)
            let ended = try await client.soap("<u:invalidateSessions><u:sessionIds>\(other)</u:sessionIds><u:sessionIds>nothing</u:sessionIds></u:invalidateSessions>")
            #expect(ended.text.contains("<result><success>true</success></result><result><errors><message>"), "\(ended.text)")
            for token in [other, "", "eyJ.eyJ.sig"] {
                let refused = try await client.soap("<u:getUserInfo/>", session: token)
                #expect(refused.text.contains("<faultcode>sf:INVALID_SESSION_ID</faultcode><faultstring>INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session. Session not found"))
            }
            #expect(try await client.soap("<u:logout/>").text.contains("<logoutResponse></logoutResponse>"))
            #expect(try await client.rest("GET", "limits").errorCode == "INVALID_SESSION_ID")
        }
    }
}
