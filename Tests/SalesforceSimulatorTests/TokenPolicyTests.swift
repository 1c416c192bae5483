import Foundation
import Testing

@Suite("who is given a token")
struct TokenPolicyTests {
    private static func description(_ answer: Answer) -> String { "\(answer.object["error"] ?? "") / \(answer.object["error_description"] ?? "")" }

    @Test("the password flow is blocked until the org allows it; its reply has no scope and no refresh token")
    func passwordFlow() async throws {
        try await withOrg(sample: false) { client in
            #expect(Self.description(try await TokenForm.post(client, TokenForm.password)) == "unsupported_grant_type / grant type not supported")
            _ = try await client.control("PATCH", "settings", #"{"oauth": {"allowsPasswordFlow": true}}"#)
            let token = try await TokenForm.post(client, TokenForm.password)
            #expect(Set(token.object.keys) == ["access_token", "signature", "instance_url", "id", "token_type", "issued_at"])
            let wrong = TokenForm.password.merging(["password": "x"]) { _, new in new }
            #expect(Self.description(try await TokenForm.post(client, wrong)) == "invalid_grant / authentication failure")
        }
    }

    @Test("logins with one password share a session, and one logout ends it for all")
    func sharedSession() async throws {
        try await withOrg(sample: false) { client in
            _ = try await client.control("PATCH", "settings", #"{"oauth": {"allowsPasswordFlow": true}}"#)
            let first = try #require(try await TokenForm.post(client, TokenForm.password).object["access_token"] as? String)
            let login = "<u:login><u:username>integration@example.com</u:username><u:password>sample-password</u:password></u:login>"
            #expect(try await client.soap(login).text.contains("<sessionId>\(first)</sessionId>"))
            let own = try await TokenForm.post(client, TokenForm.clientCredentials).object["access_token"] as? String
            #expect(own != first)
            #expect(try await client.soap("<u:logout/>", session: first).status == 200)
            var other = client
            other.token = first
            #expect(try await other.rest("GET", "limits").errorCode == "INVALID_SESSION_ID")
        }
    }

    @Test("locked, inactive and restricted users are kept out", arguments: [
        (#""locked": true"#, "invalid_grant / user account is locked", "user_locked"),
        (#""restricted": true"#, "invalid_grant / ip restricted", "ip_restricted"),
    ])
    func userStates(state: String, expected: String, named: String) async throws {
        try await withOrg(sample: false) { client in
            _ = try await client.control("POST", "users", #"{"username": "integration@example.com", \#(state)}"#)
            #expect(Self.description(try await TokenForm.post(client, TokenForm.clientCredentials)) == expected)
            _ = try await client.control("PATCH", "settings", #"{"oauth": {"namesUserStates": true, "allowsPasswordFlow": true}}"#)
            #expect(try await TokenForm.post(client, TokenForm.clientCredentials).object["error"] as? String == named)
            #expect(Self.description(try await TokenForm.post(client, TokenForm.password)) == "invalid_grant / authentication failure")
        }
    }

    @Test("an inactive run-as user is none; an inactive user's refresh token is no use")
    func inactive() async throws {
        try await withOrg(sample: false) { client in
            let refresh = try #require(try await client.control("POST", "refresh-tokens", "{}").object["refresh_token"] as? String)
            _ = try await client.control("POST", "users", #"{"username": "integration@example.com", "active": false}"#)
            #expect(Self.description(try await TokenForm.post(client, TokenForm.clientCredentials)) == "invalid_grant / no client credentials user enabled")
            let answer = try await TokenForm.post(client, ["grant_type": "refresh_token", "client_id": "hc-sync-sample", "refresh_token": refresh])
            #expect(Self.description(answer) == "invalid_grant / inactive user")
            _ = try await client.control("POST", "apps", #"{"clientId": "hc-sync-sample", "runAs": null}"#)
            _ = try await client.control("POST", "users", #"{"username": "integration@example.com", "active": true}"#)
            #expect(Self.description(try await TokenForm.post(client, TokenForm.clientCredentials)) == "invalid_grant / no client credentials user enabled")
        }
    }

    @Test("a user whose profile lacks the app, a flow the app lacks, a login too many")
    func appPolicy() async throws {
        try await withOrg(sample: false) { client in
            _ = try await client.control("POST", "apps", #"{"clientId": "hc-sync-sample", "admittedUsers": ["admin@example.com"]}"#)
            #expect(Self.description(try await TokenForm.post(client, TokenForm.clientCredentials)) == "invalid_app_access / user is not admin approved to access this app")
            _ = try await client.control("POST", "apps", #"{"clientId": "hc-sync-sample", "admittedUsers": null, "flows": ["jwt-bearer"]}"#)
            #expect(Self.description(try await TokenForm.post(client, TokenForm.clientCredentials)) == "unsupported_grant_type / grant type not supported")
            _ = try await client.control("POST", "apps", #"{"clientId": "hc-sync-sample", "flows": null}"#)
            _ = try await client.control("PATCH", "settings", #"{"oauth": {"loginsPerHour": 2}}"#)
            for _ in 0..<2 { #expect(try await TokenForm.post(client, TokenForm.clientCredentials).status == 200) }
            #expect(Self.description(try await TokenForm.post(client, TokenForm.clientCredentials)) == "rate_limit_exceeded / login rate exceeded")
        }
    }

    @Test("the token endpoint wants POST, and answers XML or a form when asked")
    func formats() async throws {
        try await withOrg(sample: false) { client in
            let get = try await client.send("GET", "/services/oauth2/token")
            #expect(get.status == 400)
            #expect(Self.description(get) == "invalid_request / must use HTTP POST")
            let xml = try await TokenForm.post(client, TokenForm.clientCredentials.merging(["format": "xml"]) { _, new in new })
            #expect(xml.text.contains("<token_type>Bearer</token_type>"))
            let form = try await TokenForm.post(client, TokenForm.clientCredentials.merging(["format": "urlencoded"]) { _, new in new })
            #expect(form.text.contains("token_type=Bearer"))
            #expect(form.headers["cache-control"] == "no-store")
        }
    }

    @Test("a session is extended by a use in the second half of its life, not by one in the first")
    func sessionTimeout() async throws {
        try await withOrg(sample: false) { client in
            _ = try await client.control("PATCH", "settings", #"{"sessionSeconds": 100}"#)
            func session(idle: Int) async throws -> OrgClient {
                var other = client
                other.token = try #require(try await client.control("POST", "sessions", #"{"idleSeconds": \#(idle)}"#).object["access_token"] as? String)
                return other
            }
            #expect(try await session(idle: 101).rest("GET", "limits").status == 401)
            let early = try await session(idle: 20), late = try await session(idle: 70)
            #expect(try await early.rest("GET", "limits").status == 200)
            #expect(try await late.rest("GET", "limits").status == 200)
            _ = try await client.control("PATCH", "settings", #"{"sessionSeconds": 15}"#)
            #expect(try await early.rest("GET", "limits").status == 401)
            #expect(try await late.rest("GET", "limits").status == 200)
        }
    }

    @Test("JWT-format tokens work with REST, not with SOAP, and a dead one has its own error")
    func jwtFormat() async throws {
        try await withOrg(sample: false) { client in
            _ = try await client.control("POST", "apps", #"{"clientId": "hc-sync-sample", "issuesJWT": true}"#)
            var other = client
            other.token = try #require(try await TokenForm.post(client, TokenForm.clientCredentials).object["access_token"] as? String)
            #expect(other.token.split(separator: ".").count == 3)
            #expect(try await other.rest("GET", "limits").status == 200)
            #expect(try await other.soap("<u:getServerTimestamp/>").text.contains("sf:INVALID_SESSION_ID"))
            _ = try await client.control("DELETE", "sessions")
            let dead = try await other.rest("GET", "limits")
            #expect(dead.status == 401)
            #expect(dead.errorCode == "INVALID_AUTH_HEADER")
            #expect(dead.list.first?["message"] as? String == "INVALID_JWT_FORMAT")
        }
    }

    @Test("a token without the api scope is not valid for REST")
    func scopes() async throws {
        try await withOrg(sample: false) { client in
            var other = client
            other.token = try #require(try await client.control("POST", "sessions", #"{"scope": "id openid"}"#).object["access_token"] as? String)
            let refused = try await other.rest("GET", "limits")
            #expect(refused.status == 401)
            #expect(refused.list.first?["message"] as? String == "This session is not valid for use with the REST API")
        }
    }

    @Test("userinfo and the identity URL have Salesforce's keys, and a dead token answers 403 in plain text")
    func identity() async throws {
        try await withOrg(sample: false) { client in
            let info = try await client.send("GET", "/services/oauth2/userinfo").object
            #expect(Set(info.keys) == [
                "sub", "user_id", "organization_id", "preferred_username", "nickname", "name", "email", "email_verified", "given_name", "family_name",
                "zoneinfo", "photos", "profile", "picture", "address", "urls", "active", "user_type", "language", "locale", "utcOffset", "updated_at",
                "is_app_installed",
            ])
            #expect((info["urls"] as? [String: String])?.count == 17)
            #expect((info["urls"] as? [String: String])?["query"]?.hasSuffix("/services/data/v{version}/query/") == true)
            let path = try #require((info["sub"] as? String)?.replacing(client.base, with: ""))
            let identity = try await client.send("GET", path).object
            #expect(Set([
                "id", "asserted_user", "user_id", "organization_id", "username", "nick_name", "display_name", "email", "email_verified", "first_name",
                "last_name", "timezone", "photos", "mobile_phone", "status", "urls", "active", "user_type", "language", "locale", "utcOffset",
                "last_modified_date", "is_app_installed",
            ]).isSubset(of: identity.keys))
            #expect(try await client.send("GET", "/id/00D000000000000EAA/005000000000000AAA").text == "Wrong_Org")
            _ = try await client.control("DELETE", "sessions")
            let dead = try await client.send("GET", path)
            #expect(dead.status == 403)
            #expect(dead.text == "Bad_OAuth_Token")
        }
    }
}
