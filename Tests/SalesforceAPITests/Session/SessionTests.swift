import Foundation
import HTTPTransport
import Logging
import Synchronization
import Testing
import _CryptoExtras

@testable import SalesforceAPI

@Suite("sessions", .timeLimit(.minutes(1)))
struct SessionTests {
    @Test("twenty calls that meet an expired session cause one token request and are each replayed once")
    func singleFlight() async throws {
        let tokens = Atomic<Int>(0)
        try await ScriptedOrg.run { org, request in
            if request.path.hasSuffix("/token") {
                let number = tokens.add(1, ordering: .relaxed).newValue
                // Long enough for every caller to find the session expired.
                try? await Task.sleep(for: .milliseconds(100))
                return org.token("00Dxx0000001gPL!token\(number)")
            }
            return request.header("Authorization") == "Bearer 00Dxx0000001gPL!token2"
                ? .json(#"{"DailyApiRequests":{"Max":5000,"Remaining":4990}}"#) : .expired
        } _: { org in
            let client = org.client()
            let first = try await client.session.current()
            #expect(first.organizationID == "00Dxx0000001gPLEAY")
            #expect(first.userID == "005xx000001Sv6AAAS")
            try await withThrowingTaskGroup(of: Int?.self) { group in
                for _ in 0..<20 { group.addTask { try await client.limits()["DailyApiRequests"]?.remaining } }
                for try await remaining in group { #expect(remaining == 4990) }
            }
            #expect(org.received("/services/oauth2/token").count == 2)
            #expect(org.received("/services/data/v62.0/limits").count == 40)
        }
    }

    @Test("a second refusal is reported and not tried a third time")
    func secondFailure() async throws {
        try await ScriptedOrg.run { org, request in
            request.path.hasSuffix("/token") ? org.token("00Dxx0000001gPL!x") : .expired
        } _: { org in
            let client = org.client()
            let error = await #expect(throws: SalesforceError.self) { try await client.limits() }
            #expect(error?.disposition == .needsSession)
            #expect(error?.code == "INVALID_SESSION_ID")
            #expect(org.received("/services/oauth2/token").count == 2)
            #expect(org.received("/services/data").count == 2)
        }
    }

    @Test(
        "what the token endpoint says becomes one clear line",
        arguments: [
            (400, #"{"error":"invalid_client","error_description":"invalid client credentials"}"#, Disposition.configuration, "check the client secret"),
            (400, #"{"error":"invalid_client_id","error_description":"client identifier invalid"}"#, .configuration, "check the client id"),
            (400, #"{"error":"invalid_grant","error_description":"expired access/refresh token"}"#, .needsSession, "authorize the connection again"),
            (400, #"{"error":"invalid_grant","error_description":"user hasn't approved this consumer"}"#, .configuration, "pre-authorize the app"),
            (400, #"{"error":"invalid_grant"}"#, .configuration, "check the user name"),
            (400, #"{"error":"rate_limit_exceeded","error_description":"exceeded rate limit"}"#, .limit(retryAfter: .seconds(3600)), "too many logins"),
            (400, #"{"error":"unknown_error","error_description":"retry your request"}"#, .nothingRan(retryAfter: nil), "retry your request"),
            (503, "<html>We are down for maintenance.</html>", .nothingRan(retryAfter: nil), "not available"),
            (200, "<html>We are down for maintenance.</html>", .nothingRan(retryAfter: nil), "not available"),
            (404, "<html></html>", .configuration, "check its address"), (302, "", .configuration, "My Domain"),
        ])
    func tokenErrors(status: Int, body: String, disposition: Disposition, words: String) async throws {
        try await ScriptedOrg.run { _, _ in .json(body, status: status) } _: { org in
            let error = await #expect(throws: SalesforceError.self) { try await org.client().limits() }
            #expect(error?.disposition == disposition)
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
            #expect(error?.description.contains("secret\"") == false)
        }
    }

    @Test("a login host that cannot be reached proves that nothing ran; one that is not https is refused")
    func unreachable() async throws {
        let http = HTTPClient(configuration: HTTPClientConfiguration(proxy: .none))
        for (url, disposition) in [("http://127.0.0.1:1", Disposition.nothingRan(retryAfter: nil)), ("http://login.salesforce.com", .configuration)] {
            let session = SalesforceSession(
                credentials: .clientCredentials(clientID: "a", clientSecret: Secret("b"), loginURL: url), http: http, logger: Logger(label: "test"))
            let error = await #expect(throws: SalesforceError.self) { try await session.current() }
            #expect(error?.disposition == disposition)
        }
    }

    @Test("an instance that is plain http on another machine is refused")
    func plainInstance() async throws {
        try await ScriptedOrg.run { org, _ in
            .json(#"{"access_token":"t","instance_url":"http://acme.my.salesforce.com","id":"\#(org.baseURL)/id/00Dxx0000001gPL/005xx000001Sv6A"}"#)
        } _: { org in
            let error = await #expect(throws: SalesforceError.self) { try await org.client().session.current() }
            #expect(error?.code == "invalid_url")
        }
    }

    @Test("a rotated refresh token is handed over, used next, and offered again until it is stored")
    func rotation() async throws {
        struct DiskFull: Error {}
        try await ScriptedOrg.run { org, request in
            request.text.contains("refresh_token=first") ? org.token("00Dxx0000001gPL!1", refreshToken: "second") : org.token("00Dxx0000001gPL!2")
        } _: { org in
            let offered = Mutex<[String]>([])
            let http = HTTPClient(configuration: HTTPClientConfiguration(proxy: .none))
            let session = SalesforceSession(
                credentials: .refreshToken(
                    clientID: "id", clientSecret: nil, refreshToken: Secret("first"), loginURL: org.baseURL,
                    rotated: { token in
                        let count = offered.withLock { list in
                            list.append(token.reveal())
                            return list.count
                        }
                        if count == 1 { throw DiskFull() }
                    }), http: http, logger: Logger(label: "test"))
            let first = try await session.current()
            let second = try await session.renewed(after: first)
            #expect(second.generation == 2)
            #expect(second.token == Secret("00Dxx0000001gPL!2"))
            #expect(offered.withLock { $0 } == ["second", "second"])
            #expect(org.received().map(\.text) == [
                "grant_type=refresh_token&client_id=id&refresh_token=first", "grant_type=refresh_token&client_id=id&refresh_token=second",
            ])
        }
    }

    @Test("an assertion refused as expired is made again by the server's clock, once")
    func clock() async throws {
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let attempts = Atomic<Int>(0)
        try await ScriptedOrg.run { org, request in
            guard attempts.add(1, ordering: .relaxed).newValue == 1 else { return org.token("00Dxx0000001gPL!1") }
            return .json(#"{"error":"invalid_grant","error_description":"expired authorization code"}"#, status: 400)
        } _: { org in
            let http = HTTPClient(configuration: HTTPClientConfiguration(proxy: .none))
            let session = SalesforceSession(
                credentials: .jwtBearer(
                    clientID: "id", username: "u", privateKeyPEM: Secret(key.pemRepresentation), audience: "https://login.salesforce.com", loginURL: org.baseURL),
                http: http, logger: Logger(label: "test"), now: { Date(timeIntervalSince1970: 1_704_067_200) })
            _ = try await session.current()
            let forms = org.received().map(\.text)
            #expect(forms.count == 2)
            let payload = try #require(forms.last?.split(separator: ".").dropFirst().first)
            var base64 = String(payload)
            while base64.count % 4 != 0 { base64 += "=" }
            let data = try #require(Data(base64Encoded: base64))
            let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            // The server dates its answer by the true clock, the session's is years behind.
            let expiry = try #require(json["exp"] as? Int)
            #expect(abs(Double(expiry) - Date().timeIntervalSince1970 - 180) < 30)
        }
    }
}
