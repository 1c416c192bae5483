import Foundation
import Logging
import Testing

@testable import SalesforceAPI

/// What only a scripted server can show: exact requests, and answers that no org gives at will.
@Suite("client", .timeLimit(.minutes(1)))
struct ClientTests {
    private static func token(_ org: ScriptedOrg, _ request: ReceivedRequest) -> ScriptedAnswer? {
        request.path.hasSuffix("/oauth2/token") ? org.token("00Dxx0000001gPL!t") : nil
    }

    @Test("pages follow nextRecordsUrl, one request each, with client and token")
    func pages() async throws {
        try await ScriptedOrg.run { org, request in
            if let token = Self.token(org, request) { return token }
            var answer =
                request.path.contains("?q=")
                ? ScriptedAnswer.json(#"{"totalSize":3,"done":false,"nextRecordsUrl":"/services/data/v62.0/query/01g-2","records":[{"a":1},{"a":2}]}"#)
                : .json(#"{"totalSize":3,"done":true,"records":[{"a":"\u0000"}]}"#)
            answer.headers.append(("Sforce-Limit-Info", "api-usage=18/5000"))
            return answer
        } _: { org in
            let client = org.client()
            var pages = client.queryAll("SELECT Id FROM Account WHERE Name = 'a+b'", batchSize: 100)
            let first = try #require(try await pages.next())
            #expect(first.count == 2 && first.totalSize == 3 && !first.done)
            let second = try #require(try await pages.next())
            #expect(String(decoding: second.records, as: UTF8.self) == #"[{"a":""}]"#)
            #expect(try await pages.next() == nil)
            let requests = org.received("/services/data")
            #expect(requests.map(\.path) == [
                "/services/data/v62.0/queryAll?q=SELECT%20Id%20FROM%20Account%20WHERE%20Name%20%3D%20%27a%2Bb%27", "/services/data/v62.0/query/01g-2",
            ])
            #expect(requests.allSatisfy { $0.header("Authorization") == "Bearer 00Dxx0000001gPL!t" })
            #expect(requests.allSatisfy { $0.header("Sforce-Call-Options") == "client=hc-sync/1.0" })
            #expect(requests.first?.header("Sforce-Query-Options") == "batchSize=200")
            #expect(client.lastLimit == APIUsage(used: 18, maximum: 5000))
        }
    }

    @Test("a query too long for an address goes in the body of a composite request")
    func composite() async throws {
        try await ScriptedOrg.run { org, request in
            Self.token(org, request)
                ?? .json(#"{"compositeResponse":[{"body":{"totalSize":1,"done":true,"records":[{"a":1}]},"httpHeaders":{},"httpStatusCode":200,"referenceId":"page"}]}"#)
        } _: { org in
            var pages = org.client().query("SELECT Id FROM Account WHERE Name = '\(String(repeating: "x", count: 9000))'")
            let page = try #require(try await pages.next())
            #expect(page.count == 1 && page.done)
            let request = try #require(org.received("/services/data").first)
            #expect(request.method == "POST" && request.path == "/services/data/v62.0/composite")
            #expect(request.header("Content-Encoding") == "gzip")
        }
    }

    @Test("an error inside a composite answer is the query's own error")
    func compositeError() async throws {
        try await ScriptedOrg.run { org, request in
            Self.token(org, request)
                ?? .json(#"{"compositeResponse":[{"body":[{"errorCode":"INVALID_FIELD","message":"No such column 'Foo__c'"}],"httpHeaders":{},"httpStatusCode":400,"referenceId":"page"}]}"#)
        } _: { org in
            var pages = org.client(SalesforceClientConfiguration(maximumQueryStringBytes: 10)).query("SELECT Foo__c FROM Account")
            let error = await #expect(throws: SalesforceError.self) { try await pages.next() }
            #expect(error?.disposition == .configuration)
            #expect(error?.description.hasPrefix("query of Account: No such column 'Foo__c' (INVALID_FIELD)") == true)
        }
    }

    @Test("a SOAP write is compressed above 1 KiB, and only its refused records stay behind")
    func soapWrite() async throws {
        try await ScriptedOrg.run { org, request in
            Self.token(org, request)
                ?? ScriptedAnswer(
                    headers: [("Content-Type", "text/xml"), ("X-SFDC-Request-Id", "req-1")],
                    body:
                        #"<E:Envelope xmlns:E="x"><E:Body><createResponse><result><id>001xx000003DGb2AAG</id><success>true</success></result><result><errors><message>Required fields are missing: [Name]</message><statusCode>REQUIRED_FIELD_MISSING</statusCode></errors><success>false</success></result></createResponse></E:Body></E:Envelope>"#
                )
        } _: { org in
            let reply = try await org.client().create([
                WriteRecord(objectType: "Account", fields: [WriteField("Name", "a")]),
                WriteRecord(objectType: "Account", fields: [WriteField("Name", "b\u{1}")]),
                WriteRecord(objectType: "Account", fields: [WriteField("Description", String(repeating: "x", count: 2000))]),
            ])
            #expect(reply.results.map(\.success) == [true, false, false])
            #expect(reply.results.map(\.wasSent) == [true, false, true])
            #expect(reply.results[0].created && reply.results[0].id == "001xx000003DGb2AAG")
            #expect(reply.results[1].errors.first?.statusCode == "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET")
            #expect(reply.results[2].errors.first?.statusCode == "REQUIRED_FIELD_MISSING")
            #expect(reply.requestID == "req-1")
            #expect(reply.duration > .zero)
            let request = try #require(org.received("/services/Soap/u/62.0").first)
            #expect(request.header("SOAPAction") == "\"\"")
            #expect(request.header("Content-Encoding") == "gzip")
            #expect(request.header("Authorization") == nil)
        }
    }

    @Test(
        "an answer with too few results, or one cut off, leaves a write in doubt",
        arguments: ["<createResponse></createResponse>", "<createResponse><result><id>001xx000003DGb2AAG</id><success>true", "<updateResponse></updateResponse>"])
    func unreadable(body: String) async throws {
        try await ScriptedOrg.run { org, request in
            Self.token(org, request) ?? .xml("<E:Envelope xmlns:E=\"x\"><E:Body>\(body)</E:Body></E:Envelope>")
        } _: { org in
            let error = await #expect(throws: SalesforceError.self) {
                try await org.client().create([WriteRecord(objectType: "Account", fields: [WriteField("Name", "a")])])
            }
            #expect(error?.disposition == .inDoubt)
            #expect(org.received("/services/Soap").count == 1)
        }
    }

    @Test("with a JWT-format token the same write goes by REST collections")
    func jwtToken() async throws {
        try await ScriptedOrg.run { org, request in
            if request.path.hasSuffix("/token") { return org.token("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln") }
            if request.method == "GET" || request.path.contains("Account?") || request.text.contains("\"ids\"") {
                return .json(#"[{"attributes":{"type":"Account"},"Id":"001xx000003DGb2AAG"},null]"#)
            }
            return .json(
                #"[{"id":"001xx000003DGb2AAG","success":true,"errors":[],"created":true},{"success":false,"errors":[{"statusCode":"UNABLE_TO_LOCK_ROW","message":"locked","fields":[]}]}]"#)
        } _: { org in
            let client = org.client()
            let records = ["a", "b"].map { WriteRecord(objectType: "Account", fields: [WriteField("Ext__c", $0)]) }
            let reply = try await client.upsert(records, externalIDField: "Ext__c")
            #expect(reply.results.map(\.errors.first?.statusCode) == [nil, "UNABLE_TO_LOCK_ROW"])
            #expect(reply.results[0].created)
            let deleted = try await client.delete(ids: ["001xx000003DGb2AAG", "001xx000003DGb3AAG"])
            #expect(deleted.results.map(\.success) == [true, false])
            let retrieved = try await client.retrieve("Account", fields: ["Id"], ids: ["001xx000003DGb2AAG", "001xx000003DGb3AAG"])
            #expect(retrieved.count == 2)
            #expect(org.received("/services/Soap").isEmpty)
            #expect(org.received("/services/data").map { "\($0.method) \($0.path)" } == [
                "PATCH /services/data/v62.0/composite/sobjects/Account/Ext__c",
                "DELETE /services/data/v62.0/composite/sobjects?ids=001xx000003DGb2AAG,001xx000003DGb3AAG&allOrNone=false",
                "POST /services/data/v62.0/composite/sobjects/Account",
            ])
        }
    }

    @Test("an expired session in a SOAP call is renewed and the write sent once more")
    func soapSession() async throws {
        try await ScriptedOrg.run { org, request in
            if request.path.hasSuffix("/token") { return org.token("00Dxx0000001gPL!t\(org.received("/services/oauth2").count)") }
            return request.text.contains("!t2")
                ? .xml(#"<E:Envelope xmlns:E="x"><E:Body><getServerTimestampResponse><result><timestamp>2024-01-01T00:00:00.000Z</timestamp></result></getServerTimestampResponse></E:Body></E:Envelope>"#)
                : .xml("<E><Body><Fault><faultcode>sf:INVALID_SESSION_ID</faultcode><faultstring>INVALID_SESSION_ID: Illegal Session</faultstring></Fault></Body></E>", status: 500)
        } _: { org in
            let timestamp = try await org.client().serverTimestamp()
            #expect(timestamp == "2024-01-01T00:00:00.000Z")
            #expect(org.received("/services/oauth2").count == 2)
        }
    }

    @Test("an unknown object is named in the error")
    func unknownObject() async throws {
        try await ScriptedOrg.run { org, request in
            Self.token(org, request) ?? .json(#"[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]"#, status: 404)
        } _: { org in
            let error = await #expect(throws: SalesforceError.self) { try await org.client().describe("Foo__c") }
            #expect(error?.disposition == .configuration)
            #expect(error?.description.hasPrefix("description of Foo__c: the org has no object Foo__c for this user (INVALID_TYPE); the object does not exist") == true)
        }
    }
}
