import Foundation
import HTTPTransport
import Testing

@testable import SalesforceAPI

@Suite("writing to the simulated org", .timeLimit(.minutes(1)))
struct LiveWriteTests {
    static let configurations = [SalesforceClientConfiguration.WriteAPI.soap, .restCollections]

    private static func account(_ key: String, _ name: String) -> WriteRecord {
        WriteRecord(objectType: "Account", fields: [WriteField("ExternalId__c", key), WriteField("Name", name)])
    }

    @Test("create, upsert, update with nulls, retrieve and delete say the same by SOAP and by REST", arguments: configurations)
    func life(api: SalesforceClientConfiguration.WriteAPI) async throws {
        try await LiveOrg.run { org in
            let client = org.client(SalesforceClientConfiguration(writeAPI: api))
            let text = "<A & \"B\"> é 😀\r\n\ttab"
            let created = try await client.create([
                WriteRecord(
                    objectType: "Account",
                    fields: [WriteField("ExternalId__c", "l-1"), WriteField("Name", "One"), WriteField("Description", text), WriteField("Phone", "1")]),
                WriteRecord(objectType: "Account", fields: [WriteField("Phone", "2")]),
            ])
            #expect(created.results.map(\.success) == [true, false])
            #expect(created.results[1].errors.first?.statusCode == "REQUIRED_FIELD_MISSING")
            #expect(created.results[1].errors.first?.fields == ["Name"])
            let id = try #require(created.results[0].id)
            #expect(id.count == 18)

            let upserted = try await client.upsert([Self.account("l-1", "One again"), Self.account("l-2", "Two")], externalIDField: "ExternalId__c")
            #expect(upserted.results.map(\.created) == [false, true])
            #expect(upserted.results[0].id == id)

            let updated = try await client.update([
                WriteRecord(objectType: "Account", id: id, fields: [WriteField("NumberOfEmployees", "42", form: .number)], nulls: ["Phone"])
            ])
            #expect(updated.results.map(\.success) == [true])

            let child = try await client.create([
                WriteRecord(
                    objectType: "Contact", fields: [WriteField("LastName", "Doe")],
                    parents: [ParentReference(relationshipName: "Account", parentType: "Account", externalIDField: "ExternalId__c", value: "l-1")])
            ])
            let contact = try #require(child.results.first?.id)
            let children = try await rows(client.retrieve("Contact", fields: ["Id", "AccountId"], ids: [contact]).records)
            #expect(children.first??["AccountId"] as? String == id)

            let unknown = "001000000000000AAA"
            let read = try await client.retrieve(
                "Account", fields: ["Id", "Name", "Description", "Phone", "NumberOfEmployees", "Checked__c"], ids: [id, unknown])
            let records = try rows(read.records)
            #expect(read.count == 2 && records.count == 2 && records[1] == nil)
            let record = try #require(records[0])
            #expect((record["attributes"] as? [String: Any])?["type"] as? String == "Account")
            #expect(record["Name"] as? String == "One again")
            #expect(record["Description"] as? String == text)
            #expect(record["Phone"] is NSNull)
            #expect("\(record["NumberOfEmployees"] ?? "")" == "42")
            #expect(record["Checked__c"] as? String == "Checked: One again")

            // An id that stands twice is refused each time it stands there.
            let doubled = try await client.delete(ids: [contact, contact])
            #expect(doubled.results.map { $0.errors.first?.statusCode } == ["DUPLICATE_VALUE", "DUPLICATE_VALUE"])
            #expect(try await client.delete(ids: [contact]).results.map(\.success) == [true])
            let again = try await client.delete(ids: [contact])
            #expect(again.results.first?.errors.first?.statusCode == "ENTITY_IS_DELETED")
        }
    }

    @Test("200 records go in one call, and the org sees our client's name")
    func twoHundred() async throws {
        try await LiveOrg.run { org in
            let client = org.client()
            let reply = try await client.create((0..<200).map { Self.account("n-\($0)", "Name \($0)") })
            #expect(reply.results.count == 200)
            #expect(reply.results.map(\.success).allSatisfy { $0 })
            #expect(try await org.calls("soap", "create") == 1)
            let log = try #require(try await org.control(.get, "calls?family=soap&operation=create") as? [[String: Any]])
            #expect(log.first?["client"] as? String == "hc-sync/1.0")
            #expect(log.first?["recordCount"] as? Int == 200)
            #expect(reply.requestID == nil || reply.requestID == log.first?["requestId"] as? String)
        }
    }

    @Test("twenty calls after all sessions ended cause one token request", arguments: configurations)
    func singleFlight(api: SalesforceClientConfiguration.WriteAPI) async throws {
        try await LiveOrg.run { org in
            let client = org.client(SalesforceClientConfiguration(writeAPI: api))
            _ = try await client.limits()
            try await org.control(.delete, "sessions")
            let before = try await org.calls("oauth", "token.client_credentials")
            try await withThrowingTaskGroup(of: WriteReply.self) { group in
                for number in 0..<20 { group.addTask { try await client.create([Self.account("s-\(number)", "S")]) } }
                for try await reply in group { #expect(reply.results.first?.success == true) }
            }
            #expect(try await org.calls("oauth", "token.client_credentials") - before == 1)
            #expect(try await client.count("Account", where: "ExternalId__c LIKE 's-%'") == 20)
        }
    }

    @Test(
        "an answer that does not come, or is a web page, leaves the write in doubt, whether or not it ran",
        arguments: [
            ("dropBeforeCommit", 0), ("dropAfterCommit", 1), ("unavailable", 0), ("unavailableHTML", 0), ("html", 0), ("truncate", 1),
        ])
    func doubt(kind: String, written: Int) async throws {
        try await LiveOrg.run { org in
            let client = org.client()
            _ = try await client.session.current()
            try await org.control(.post, "faults", #"{"kind":"\#(kind)","match":{"family":"soap","operation":"create"}}"#)
            let error = await #expect(throws: SalesforceError.self) { try await client.create([Self.account("d-1", "Doubt")]) }
            #expect(error?.disposition == .inDoubt, "\(error?.description ?? "")")
            #expect(try await org.calls("soap", "create") == 1)
            #expect(try await client.count("Account", where: "ExternalId__c = 'd-1'") == written)
        }
    }

    @Test("a call slower than the time allowed is in doubt")
    func slow() async throws {
        try await LiveOrg.run { org in
            let client = org.client(SalesforceClientConfiguration(writeTimeout: .milliseconds(300)))
            _ = try await client.session.current()
            try await org.control(.post, "faults", #"{"kind":"delay","milliseconds":1500,"match":{"family":"soap","operation":"create"}}"#)
            let error = await #expect(throws: SalesforceError.self) { try await client.create([Self.account("t-1", "Late")]) }
            #expect(error?.disposition == .inDoubt)
            #expect(error?.code == "timed_out")
        }
    }

    @Test(
        "a refusal of the whole call proves that nothing ran",
        arguments: [
            ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", Disposition.limit(retryAfter: .seconds(900))),
            ("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "read only", .nothingRan(retryAfter: nil)),
            ("API_DISABLED_FOR_ORG", "API is not enabled", .configuration),
        ])
    func refusal(code: String, message: String, disposition: Disposition) async throws {
        try await LiveOrg.run { org in
            let client = org.client()
            try await org.control(.post, "faults", #"{"kind":"error","code":"\#(code)","message":"\#(message)","match":{"family":"soap","operation":"create"}}"#)
            let error = await #expect(throws: SalesforceError.self) { try await client.create([Self.account("r-1", "R")]) }
            #expect(error?.disposition == disposition)
            #expect(error?.code == code)
        }
    }

    @Test("a rejected record stays behind alone, a lock is to be tried again")
    func reject() async throws {
        try await LiveOrg.run { org in
            let client = org.client()
            try await org.control(
                .post, "faults",
                #"{"kind":"reject","record":1,"code":"UNABLE_TO_LOCK_ROW","message":"unable to obtain exclusive access to this record","match":{"operation":"create"}}"#)
            let reply = try await client.create((0..<3).map { Self.account("k-\($0)", "K") })
            #expect(reply.results.map(\.errors.first?.statusCode) == [nil, "UNABLE_TO_LOCK_ROW", nil])
        }
    }

    @Test("a wrong client secret is one clear line without the secret")
    func wrongSecret() async throws {
        try await LiveOrg.run { org in
            let client = org.client(
                credentials: .clientCredentials(clientID: "hc-sync-sample", clientSecret: Secret("wrong-one"), loginURL: org.baseURL))
            let error = await #expect(throws: SalesforceError.self) { try await client.limits() }
            #expect(error?.disposition == .configuration)
            #expect(error?.description.contains("check the client secret") == true, "\(error?.description ?? "")")
            #expect(error?.description.contains("wrong-one") == false)
        }
    }

    @Test("a refresh token that rotates is followed")
    func refresh() async throws {
        try await LiveOrg.run { org in
            try await org.control(.post, "apps", #"{"clientId":"hc-sync-sample","rotatesRefreshTokens":true}"#)
            let answer = try #require(try await org.control(.post, "refresh-tokens", "{}") as? [String: Any])
            let token = try #require(answer["refresh_token"] as? String)
            let client = org.client(
                credentials: .refreshToken(
                    clientID: "hc-sync-sample", clientSecret: Secret("sample-secret"), refreshToken: Secret(token), loginURL: org.baseURL,
                    rotated: { fresh in #expect(fresh.reveal() != token) }))
            for _ in 0..<3 {
                _ = try await client.limits()
                try await org.control(.delete, "sessions")
            }
            #expect(try await org.calls("oauth", "token.refresh_token") == 3)
        }
    }
}
