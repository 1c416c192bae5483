import Foundation
import GRDB

/// Everything below `/services/oauth2`, and identity URLs (wire reference 1).
struct OAuthHandler: FamilyHandler {
    let request: SimRequest
    /// The fields of a form that came as the body.
    let form: [String: String]

    init(request: SimRequest) {
        self.request = request
        form = request.method == "POST" ? SimRequest.form(String(decoding: request.body, as: UTF8.self)) : [:]
    }

    var resource: String {
        request.segments.first?.lowercased() == "id" ? "identity" : (request.segments.count > 2 ? request.segments[2].lowercased() : "")
    }

    func describe() -> CallDescription {
        guard resource == "token", let grant = form["grant_type"] else { return CallDescription(.oauth, resource) }
        return CallDescription(.oauth, "token." + (grant.split(separator: ":").last.map(String.init) ?? ""))
    }

    func refusal(_ error: APIError) -> Reply { .json(error.status, OAuthRefusal(error.code, error.message).json) }

    func answer(_ call: inout CallDescription, _ context: inout CallContext) throws -> Reply {
        do {
            switch resource {
            case "authorize": return try AuthorizePage(request: request, form: form).answer(&call, context)
            case "token":
                guard request.method == "POST" else { throw OAuthRefusal("invalid_request", "must use HTTP POST") }
                return TokenFormat(form, request).reply(try token(&call, context))
            case "revoke": return try revoke(context)
            case "introspect": return try introspect(context)
            case "userinfo", "identity": return try IdentityDocument(request: request, isIdentity: resource == "identity").answer(&call, context)
            default: throw OAuthRefusal("invalid_request", "unknown resource", status: 404)
            }
        } catch let refusal as OAuthRefusal {
            return TokenFormat(form, request).reply(refusal.json, status: refusal.status)
        }
    }

    private func token(_ call: inout CallDescription, _ context: CallContext) throws -> JSON {
        let grant = form["grant_type"] ?? ""
        if let flows = try? client(context).flows {
            guard flows.contains(where: { $0 == grant || grant.hasSuffix(":" + $0) }) else { throw OAuthRefusal.grant }
        }
        let issued = switch grant {
        case "urn:ietf:params:oauth:grant-type:jwt-bearer": try assertion(context)
        case "refresh_token": try refresh(context)
        case "client_credentials": try clientCredentials(context)
        case "authorization_code": try code(context)
        case "password" where context.state.settings.oauth.allowsPasswordFlow: try password(context)
        default: throw OAuthRefusal.grant
        }
        call.user = issued.user
        return try TokenReply(request: request, context: context).json(issued)
    }

    // MARK: Clients

    func app(_ id: String?, _ context: CallContext) throws -> OrgSettings.App {
        guard let id, let app = context.state.settings.apps.first(where: { $0.clientId == id }) else {
            throw OAuthRefusal("invalid_client_id", "client identifier invalid")
        }
        return app
    }

    /// The id and secret that came as HTTP Basic, else in the body.
    private var credentials: (id: String?, secret: String?) {
        guard let value = request.headers["authorization"], value.hasPrefix("Basic "), let data = Data(base64Encoded: String(value.dropFirst(6)))
        else { return (form["client_id"], form["client_secret"]) }
        let parts = String(decoding: data, as: UTF8.self).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return (
            parts.first.map { SimRequest.decode($0, plusIsSpace: true) },
            parts.count > 1 ? SimRequest.decode(parts[1], plusIsSpace: true) : nil
        )
    }

    /// The app that a request names, whether or not it proves itself; a JWT bearer request names it in its assertion.
    private func client(_ context: CallContext) throws -> OrgSettings.App {
        try app((try? Assertion(form["assertion"] ?? ""))?.issuer ?? credentials.id, context)
    }

    /// - Parameter optional: A secret may be missing; a wrong one is refused all the same.
    func authenticatedApp(secretIsOptional optional: Bool = false, _ context: CallContext) throws -> OrgSettings.App {
        let (id, secret) = credentials
        let app = try app(id, context)
        if optional, secret == nil { return app }
        guard secret == app.clientSecret else { throw OAuthRefusal.secret }
        return app
    }

    // MARK: About tokens

    private func revoke(_ context: CallContext) throws -> Reply {
        let token = form["token"] ?? request.query["token"] ?? ""
        try Sessions.close(token, context.db)
        let sessions = context.db.changesCount
        try context.db.execute(sql: "DELETE FROM sim_refresh_token WHERE token = ?", arguments: [token])
        guard sessions + context.db.changesCount > 0 else { throw OAuthRefusal("invalid_token", "invalid token") }
        return Reply(200)
    }

    private func introspect(_ context: CallContext) throws -> Reply {
        let app = try authenticatedApp(context)
        guard let token = form["token"], let session = try Sessions.find(token, context.state, context.db, touches: false) else {
            return .json(200, ["active": false])
        }
        let name = try String.fetchOne(context.db, sql: "SELECT Username FROM \"User\" WHERE Id = ?", arguments: [session.user])
        return .json(200, [
            "active": true, "scope": .string(session.scope ?? "id api"), "client_id": .string(app.clientId), "username": .text(name),
            "sub": .string(IdentityDocument.address(session.user, request, context.state)), "token_type": "access_token",
            "exp": .int(session.expires / 1_000), "iat": .int(session.since / 1_000), "nbf": .int(session.since / 1_000),
        ])
    }
}
