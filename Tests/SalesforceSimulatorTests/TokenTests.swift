import Crypto
import Foundation
import Testing
import _CryptoExtras

@Suite("token endpoint")
struct TokenTests {
    private static func form(_ client: OrgClient, _ fields: [String: String], headers: [String: String] = [:]) async throws -> Answer {
        let body = fields.map { OrgClient.encode($0.key) + "=" + OrgClient.encode($0.value) }.joined(separator: "&")
        return try await client.send("POST", "/services/oauth2/token", body: body, type: "application/x-www-form-urlencoded", headers: headers)
    }

    private static func base64URL(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func assertion(_ key: _RSA.Signing.PrivateKey, claims: String) throws -> String {
        let signed = base64URL(Data(#"{"alg":"RS256"}"#.utf8)) + "." + base64URL(Data(claims.utf8))
        let signature = try key.signature(for: SHA256.hash(data: Data(signed.utf8)), padding: .insecurePKCS1v1_5)
        return signed + "." + base64URL(signature.rawRepresentation)
    }

    @Test("client credentials in the body or as Basic")
    func clientCredentials() async throws {
        try await withOrg(sample: false) { client in
            var anonymous = client
            anonymous.token = ""
            let body = try await Self.form(anonymous, ["grant_type": "client_credentials", "client_id": "hc-sync-sample", "client_secret": "sample-secret"])
            #expect(body.status == 200)
            #expect(body.object["instance_url"] as? String == client.base)
            #expect(body.object["token_type"] as? String == "Bearer")
            #expect(body.object["issued_at"] is String)
            #expect(body.object["refresh_token"] == nil)
            #expect(body.object["expires_in"] == nil)
            let basic = Data("hc-sync-sample:sample-secret".utf8).base64EncodedString()
            let header = try await Self.form(anonymous, ["grant_type": "client_credentials"], headers: ["Authorization": "Basic " + basic])
            anonymous.token = try #require(header.object["access_token"] as? String)
            #expect(try await anonymous.rest("GET", "limits").status == 200)
        }
    }

    @Test("refusals carry Salesforce's words", arguments: [
        (["grant_type": "client_credentials", "client_id": "nobody", "client_secret": "x"], 400, "invalid_client_id", "client identifier invalid"),
        (["grant_type": "client_credentials", "client_id": "hc-sync-sample", "client_secret": "x"], 401, "invalid_client", "invalid client credentials"),
        (["grant_type": "refresh_token", "client_id": "hc-sync-sample", "refresh_token": "x"], 400, "invalid_grant", "expired access/refresh token"),
        (["grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c"], 400, "invalid_grant", "invalid assertion"),
        (["grant_type": "made_up"], 400, "unsupported_grant_type", "grant type not supported"),
    ])
    func refusals(fields: [String: String], status: Int, error: String, description: String) async throws {
        try await withOrg(sample: false) { client in
            let answer = try await Self.form(client, fields)
            #expect(answer.status == status)
            #expect(answer.object["error"] as? String == error)
            #expect(answer.object["error_description"] as? String == description)
        }
    }

    @Test("a JWT assertion is checked: key, audience, time")
    func jwtBearer() async throws {
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let other = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let pem = key.publicKey.pemRepresentation
        let now = Int(Date().timeIntervalSince1970)
        func claims(_ expires: String, audience: String = "https://login.salesforce.com", user: String = "integration@example.com") -> String {
            #"{"iss":"hc-sync-sample","sub":"\#(user)","aud":"\#(audience)","exp":\#(expires)}"#
        }
        let good = try Self.assertion(key, claims: claims("\(now + 180)"))
        let digits = try Self.assertion(key, claims: claims("\"\(now + 180)\"", audience: "https://test.salesforce.com"))
        let once = try Self.assertion(key, claims: claims("\(now + 180),\"jti\":\"only-once\""))
        let forged = try Self.assertion(other, claims: claims("\(now + 180)"))
        let late = try Self.assertion(key, claims: claims("\(now - 1)"))
        let elsewhere = try Self.assertion(key, claims: claims("\(now + 180)", audience: "https://example.com"))
        let stranger = try Self.assertion(key, claims: claims("\(now + 180)", user: "stranger@example.com"))
        try await withOrg(sample: false) { client in
            let escaped = pem.replacing("\n", with: "\\n")
            _ = try await client.control("POST", "apps", #"{"clientId": "hc-sync-sample", "certificate": "\#(escaped)"}"#)
            func grant(_ text: String) async throws -> Answer {
                try await Self.form(client, ["grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": text])
            }
            let token = try await grant(good)
            #expect(token.status == 200)
            #expect(token.object["access_token"] is String)
            #expect(token.object["refresh_token"] == nil)
            #expect(token.object["issued_at"] == nil)
            #expect(try await grant(digits).status == 200)
            #expect(try await grant(once).status == 200)
            #expect(try await grant(once).object["error"] as? String == "invalid_grant")
            #expect(try await grant(forged).object["error_description"] as? String == "invalid assertion")
            #expect(try await grant(late).object["error_description"] as? String == "expired authorization code")
            #expect(try await grant(elsewhere).object["error_description"] as? String == "audience is invalid")
            #expect(try await grant(stranger).object["error_description"] as? String == "user hasn't approved this consumer")
        }
    }

    @Test("a rotated refresh token dies")
    func rotation() async throws {
        try await withOrg(sample: false) { client in
            let first = try #require(try await client.control("POST", "refresh-tokens", "{}").object["refresh_token"] as? String)
            let fields = ["grant_type": "refresh_token", "client_id": "hc-sync-sample", "client_secret": "sample-secret", "refresh_token": first]
            #expect(try await Self.form(client, fields).object["refresh_token"] == nil)
            _ = try await client.control("POST", "apps", #"{"clientId": "hc-sync-sample", "rotatesRefreshTokens": true}"#)
            let second = try #require(try await Self.form(client, fields).object["refresh_token"] as? String)
            #expect(second != first)
            #expect(try await Self.form(client, fields).object["error"] as? String == "invalid_grant")
        }
    }

    @Test("a dead session is told apart on each API")
    func deadSession() async throws {
        try await withOrg(sample: false) { client in
            let info = try await client.send("GET", "/services/oauth2/userinfo")
            #expect(info.object["preferred_username"] as? String == "integration@example.com")
            _ = try await client.control("DELETE", "sessions")
            let rest = try await client.rest("GET", "limits")
            #expect(rest.status == 401)
            #expect(rest.errorCode == "INVALID_SESSION_ID")
            let soap = try await client.soap("<u:getServerTimestamp/>")
            #expect(soap.status == 500)
            #expect(soap.text.contains("<faultcode>sf:INVALID_SESSION_ID</faultcode>"))
            #expect(soap.text.contains("Session not found"))
            let bulk = try await client.send("GET", "/services/async/62.0/job/750xx0000000001", headers: ["X-SFDC-Session": client.token])
            #expect(bulk.status == 400)
            #expect(bulk.text.contains("<exceptionCode>InvalidSessionId</exceptionCode>"))
            let user = try await client.send("GET", "/services/oauth2/userinfo")
            #expect(user.status == 403)
            #expect(user.text == "Bad_OAuth_Token")
        }
    }
}
