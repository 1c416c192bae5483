import Crypto
import Foundation
import GRDB

/// What the web server flow brings back to the client: good once, for a quarter of an hour (wire reference 1.5).
struct AuthorizationCode {
    var user: String
    var scope: String

    /// Keeps a new code for a user who allowed it.
    static func issue(user: String, _ asked: AuthorizationRequest, _ context: CallContext) throws -> String {
        let code = "aPrx" + Sessions.randomText(60) + "=="
        try context.db.execute(
            sql: "INSERT INTO sim_code (code, app, user_id, redirect, scope, challenge, method, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                code, asked.app.clientId, user, asked.redirect, asked.scope, asked.challenge, asked.method, context.state.machineNow,
            ])
        return code
    }

    /// - Throws: The refusal of a code that is unknown, used or old, or that this client did not ask for.
    static func redeem(
        _ code: String, app: OrgSettings.App, redirect: String, verifier: String?, _ context: CallContext
    ) throws -> AuthorizationCode {
        let row = try Row.fetchOne(context.db, sql: "SELECT * FROM sim_code WHERE code = ? AND app = ?", arguments: [code, app.clientId])
        guard let row else { throw OAuthRefusal("invalid_grant", "invalid authorization code") }
        let age = context.state.machineNow - (row["made_at"] as Int64)
        let used: Bool = row["used"]
        guard !used, age < Int64(context.state.settings.oauth.codeSeconds) * 1_000 else { throw OAuthRefusal.code }
        guard redirect == (row["redirect"] as String) else {
            throw OAuthRefusal("redirect_uri_mismatch", "redirect_uri must match configuration")
        }
        if let challenge = row["challenge"] as String? {
            guard let verifier, proves(verifier, challenge, method: row["method"]) else {
                throw OAuthRefusal("invalid_grant", "invalid code verifier")
            }
        }
        try context.db.execute(sql: "UPDATE sim_code SET used = 1 WHERE code = ?", arguments: [code])
        return AuthorizationCode(user: row["user_id"], scope: row["scope"])
    }

    /// 43 to 128 characters whose hash is the challenge.
    private static func proves(_ verifier: String, _ challenge: String, method: String?) -> Bool {
        guard (43...128).contains(verifier.utf8.count) else { return false }
        if method == "plain" { return verifier == challenge }
        return SignedToken.base64URL(Data(SHA256.hash(data: Data(verifier.utf8)))) == challenge
    }
}

/// What a client asks of the user at `/services/oauth2/authorize`.
struct AuthorizationRequest {
    var app: OrgSettings.App
    var redirect: String
    var scope: String
    var state: String?
    var challenge: String?
    var method: String?

    /// Something that the client is told by a redirect; without an address to trust the user is told by a page.
    struct Refusal: Error {
        var error: String
        var description: String
    }

    init(_ fields: [String: String], _ settings: OrgSettings) throws {
        guard let app = settings.apps.first(where: { $0.clientId == fields["client_id"] }) else {
            throw OAuthRefusal("invalid_client_id", "client identifier invalid")
        }
        guard let redirect = fields["redirect_uri"], app.callbacks?.contains(redirect) == true else {
            throw OAuthRefusal("redirect_uri_mismatch", "redirect_uri must match configuration")
        }
        self.app = app
        self.redirect = redirect
        scope = fields["scope"].flatMap { $0.isEmpty ? nil : $0 } ?? (app.scopes ?? ["id", "api"]).joined(separator: " ")
        state = fields["state"]
        challenge = fields["code_challenge"].flatMap { $0.isEmpty ? nil : $0 }
        method = fields["code_challenge_method"]
    }

    /// - Throws: What is wrong with a request whose address is good.
    func check(_ responseType: String?, _ settings: OAuthSettings) throws {
        guard responseType == "code" else { throw Refusal(error: "unsupported_response_type", description: "response type not supported") }
        if let scopes = app.scopes, let other = scope.split(separator: " ").first(where: { !scopes.contains(String($0)) }) {
            throw Refusal(error: "invalid_scope", description: "the requested scope is not allowed: \(other)")
        }
        if challenge == nil, app.needsChallenge == true {
            throw Refusal(error: "invalid_request", description: "missing required code challenge")
        }
        if challenge != nil, method ?? "S256" != "S256", !(method == "plain" && settings.acceptsPlainChallenge) {
            throw Refusal(error: "invalid_request", description: "code challenge method must be S256")
        }
    }

    /// The way back, with more parameters and the client's `state`.
    func back(_ parameters: [(String, String)]) -> Reply {
        let all = parameters + (state.map { [("state", $0)] } ?? [])
        let query = all.map { $0.0 + "=" + URLText.encode($0.1, plus: true) }.joined(separator: "&")
        return Reply(302, headers: [("Location", redirect + (redirect.contains("?") ? "&" : "?") + query), ("Cache-Control", "no-store")])
    }
}
