import Crypto
import Foundation
import Testing

@Suite("web server flow")
struct WebServerFlowTests {
    private static let callback = "http://localhost:7171/OauthRedirect?x=1"
    private static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    private static var challenge: String { TokenForm.base64URL(Data(SHA256.hash(data: Data(verifier.utf8)))) }

    private static func prepare(_ client: OrgClient, _ more: String = "") async throws {
        _ = try await client.control("POST", "apps", #"{"clientId": "hc-sync-sample", "callbacks": ["\#(callback)"]\#(more)}"#)
    }

    private static func asked(_ more: [String: String] = [:]) -> [String: String] {
        [
            "response_type": "code", "client_id": "hc-sync-sample", "redirect_uri": callback, "scope": "api refresh_token id",
            "state": "a&b=c <1>", "code_challenge": challenge, "code_challenge_method": "S256",
        ].merging(more) { _, new in new }
    }

    private static func decide(_ client: OrgClient, _ more: [String: String] = [:]) async throws -> Answer {
        let login = ["username": "integration@example.com", "password": "sample-password", "decision": "allow"]
        return try await TokenForm.post(client, login.merging(asked(more)) { _, new in new }, to: "authorize")
    }

    private static func code(_ answer: Answer) throws -> String {
        let location = try #require(answer.headers["location"])
        let value = try #require(location.components(separatedBy: "code=").last?.components(separatedBy: "&").first)
        return try #require(value.removingPercentEncoding)
    }

    private static func redeem(_ client: OrgClient, _ code: String, _ more: [String: String] = [:]) async throws -> Answer {
        try await TokenForm.post(client, [
            "grant_type": "authorization_code", "code": code, "client_id": "hc-sync-sample", "client_secret": "sample-secret",
            "redirect_uri": callback, "code_verifier": verifier,
        ].merging(more) { _, new in new }.filter { !$0.value.isEmpty })
    }

    @Test("a user allows an app on a page, and the code becomes tokens once")
    func allow() async throws {
        try await withOrg(sample: false) { client in
            try await Self.prepare(client)
            let query = Self.asked().map { OrgClient.encode($0.key) + "=" + OrgClient.encode($0.value) }.joined(separator: "&")
            let page = try await client.send("GET", "/services/oauth2/authorize?" + query)
            #expect(page.status == 200)
            #expect(page.text.contains(#"name="state" value="a&amp;b=c &lt;1&gt;""#))
            let back = try await Self.decide(client)
            #expect(back.status == 302)
            let location = try #require(back.headers["location"])
            #expect(location.hasPrefix(Self.callback + "&code=aPrx"))
            #expect(location.hasSuffix("%3D%3D&state=a%26b%3Dc+%3C1%3E"))
            let code = try Self.code(back)
            let token = try await Self.redeem(client, code)
            #expect(token.status == 200)
            #expect(Set(token.object.keys) == ["access_token", "refresh_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at"])
            #expect(token.object["scope"] as? String == "api refresh_token id")
            let text = "\(token.object["id"] as? String ?? "")\(token.object["issued_at"] as? String ?? "")"
            let hash = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: Data("sample-secret".utf8)))
            #expect(token.object["signature"] as? String == Data(hash).base64EncodedString())
            let again = try await Self.redeem(client, code)
            #expect(again.status == 400)
            #expect(again.object["error_description"] as? String == "expired authorization code")
        }
    }

    @Test("a code without the refresh_token scope brings no refresh token")
    func noRefreshToken() async throws {
        try await withOrg(sample: false) { client in
            try await Self.prepare(client)
            let token = try await Self.redeem(client, try Self.code(try await Self.decide(client, ["scope": "api openid"])))
            #expect(token.object["refresh_token"] == nil)
            #expect((token.object["id_token"] as? String)?.split(separator: ".").count == 3)
        }
    }

    @Test("denial and policy come back as parameters of the redirect")
    func redirectedErrors() async throws {
        try await withOrg(sample: false) { client in
            try await Self.prepare(client)
            let denied = try await Self.decide(client, ["decision": "deny", "state": "S"])
            #expect(denied.headers["location"] == Self.callback + "&error=access_denied&error_description=end-user+denied+authorization&state=S")
            let plain = try await Self.decide(client, ["code_challenge_method": "plain"])
            #expect(plain.headers["location"]?.contains("error=invalid_request") == true)
            try await Self.prepare(client, #", "admittedUsers": []"#)
            let refused = try await Self.decide(client, ["state": "S"])
            #expect(refused.headers["location"]?.hasPrefix(Self.callback + "&error=OAUTH_APP_ACCESS_DENIED") == true)
        }
    }

    @Test("an address that is not registered byte for byte is never gone to", arguments: [
        "http://localhost:7171/OauthRedirect", "http://localhost:7171/OauthRedirect?x=1&", "https://evil.example.com/",
    ])
    func redirectMismatch(address: String) async throws {
        try await withOrg(sample: false) { client in
            try await Self.prepare(client)
            let answer = try await Self.decide(client, ["redirect_uri": address])
            #expect(answer.status == 400)
            #expect(answer.headers["location"] == nil)
            #expect(answer.text.contains("redirect_uri_mismatch"))
        }
    }

    @Test("a wrong password shows the page again, a wrong verifier, address, or an old code is refused")
    func refusedCodes() async throws {
        try await withOrg(sample: false) { client in
            try await Self.prepare(client)
            let wrong = try await Self.decide(client, ["password": "guess"])
            #expect(wrong.status == 200)
            #expect(wrong.text.contains("Please check your username and password"))
            let code = try Self.code(try await Self.decide(client))
            let other = String(repeating: "v", count: 43)
            #expect(try await Self.redeem(client, code, ["code_verifier": other]).object["error_description"] as? String == "invalid code verifier")
            #expect(try await Self.redeem(client, code, ["code_verifier": ""]).object["error"] as? String == "invalid_grant")
            #expect(try await Self.redeem(client, code, ["redirect_uri": "http://x/"]).object["error"] as? String == "redirect_uri_mismatch")
            #expect(try await Self.redeem(client, code, ["client_secret": ""]).object["error"] as? String == "invalid_client")
            try await Self.prepare(client, #", "needsNoSecret": true"#)
            #expect(try await Self.redeem(client, code, ["client_secret": ""]).status == 200)
            let late = try Self.code(try await Self.decide(client))
            _ = try await client.control("PATCH", "settings", #"{"oauth": {"codeSeconds": 0}}"#)
            #expect(try await Self.redeem(client, late).object["error_description"] as? String == "expired authorization code")
        }
    }
}
