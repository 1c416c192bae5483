import Foundation
import GRDB

/// The token endpoint and who-am-I resources (wire reference 1).
struct OAuthHandler: FamilyHandler {
    let request: SimRequest

    /// An error of the token endpoint: `{"error", "error_description"}`.
    struct Refusal: Error {
        var status = 400
        var error: String
        var description: String

        init(_ error: String, _ description: String, status: Int = 400) {
            self.error = error
            self.description = description
            self.status = status
        }
    }

    private var resource: String {
        request.segments.first == "id" ? "identity" : (request.segments.count > 2 ? request.segments[2].lowercased() : "")
    }

    func describe() -> CallDescription { CallDescription(.oauth, resource) }

    func refusal(_ error: APIError) -> Reply {
        .json(error.status, ["error": .string(error.code), "error_description": .string(error.message)])
    }

    func answer(_ call: inout CallDescription, _ context: inout CallContext) throws -> Reply {
        do {
            switch resource {
            case "token":
                guard request.method == "POST" else { throw Refusal("invalid_request", "must use HTTP POST") }
                return try token(&call, context)
            case "revoke": return try revoke(context)
            case "introspect": return try introspect(context)
            case "userinfo", "identity": return try userInfo(&call, &context)
            default: throw Refusal("invalid_request", "unknown resource", status: 404)
            }
        } catch let refusal as Refusal {
            return .json(refusal.status, ["error": .string(refusal.error), "error_description": .string(refusal.description)])
        }
    }

    // MARK: Token

    private func token(_ call: inout CallDescription, _ context: CallContext) throws -> Reply {
        let form = SimRequest.form(String(decoding: request.body, as: UTF8.self))
        let grant = form["grant_type"] ?? ""
        call.operation = "token." + (grant.split(separator: ":").last.map(String.init) ?? "")
        var reply: JSON
        switch grant {
        case "urn:ietf:params:oauth:grant-type:jwt-bearer": reply = try assertion(form, context)
        case "refresh_token": reply = try refresh(form, context)
        case "client_credentials": reply = try clientCredentials(form, context)
        default: throw Refusal("unsupported_grant_type", "grant type not supported")
        }
        reply.set("token_type", "Bearer")
        var answer = Reply.json(200, reply)
        answer.headers.append(("Cache-Control", "no-store"))
        return answer
    }

    private func success(_ user: String, app: OrgSettings.App, signed: Bool, scope: String, _ context: CallContext) throws -> JSON {
        let token = try Sessions.open(user: user, app: app.clientId, context.state, context.db)
        let identity = "\(request.baseURL)/id/\(context.state.settings.organizationId)/\(user)"
        var reply: JSON = [
            "access_token": .string(token), "scope": .string(scope), "instance_url": .string(request.baseURL), "id": .string(identity),
        ]
        if signed {
            let issued = String(context.state.machineNow)
            reply.set("issued_at", .string(issued))
            reply.set("signature", .string(Sessions.signature(identity + issued, secret: app.clientSecret)))
        }
        return reply
    }

    private func app(_ id: String?, _ context: CallContext) throws -> OrgSettings.App {
        guard let id, let app = context.state.settings.apps.first(where: { $0.clientId == id }) else {
            throw Refusal("invalid_client_id", "client identifier invalid")
        }
        return app
    }

    /// The app whose id and secret came in the body or as HTTP Basic.
    private func authenticatedApp(_ form: [String: String], _ context: CallContext) throws -> OrgSettings.App {
        var id = form["client_id"]
        var secret = form["client_secret"]
        if let value = request.headers["authorization"], value.hasPrefix("Basic "), let data = Data(base64Encoded: String(value.dropFirst(6))) {
            let parts = String(decoding: data, as: UTF8.self).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            id = parts.first.map { SimRequest.decode($0, plusIsSpace: true) }
            secret = parts.count > 1 ? SimRequest.decode(parts[1], plusIsSpace: true) : nil
        }
        let app = try app(id, context)
        guard secret == app.clientSecret else { throw Refusal("invalid_client", "invalid client credentials", status: 401) }
        return app
    }

    private func assertion(_ form: [String: String], _ context: CallContext) throws -> JSON {
        guard let text = form["assertion"], let assertion = try? Assertion(text) else { throw Refusal("invalid_grant", "invalid assertion") }
        let app = try app(assertion.issuer, context)
        guard let certificate = app.certificate, assertion.isSigned(by: certificate) else { throw Refusal("invalid_grant", "invalid assertion") }
        let audiences = ["https://login.salesforce.com", "https://test.salesforce.com", request.baseURL]
        guard audiences.contains(assertion.audience) else { throw Refusal("invalid_grant", "audience is invalid") }
        guard assertion.expires * 1_000 > context.state.machineNow else { throw Refusal("invalid_grant", "expired authorization code") }
        if let identifier = assertion.identifier {
            let used = try Int.fetchOne(context.db, sql: "SELECT 1 FROM sim_assertion WHERE identifier = ?", arguments: [identifier])
            guard used == nil else { throw Refusal("invalid_grant", "expired authorization code") }
            try context.db.execute(
                sql: "INSERT INTO sim_assertion (identifier, expires_at) VALUES (?, ?)", arguments: [identifier, assertion.expires])
        }
        guard let user = try Sessions.userId(assertion.subject, context.db) else {
            throw Refusal("invalid_grant", "user hasn't approved this consumer")
        }
        try approve(assertion.subject, app)
        return try success(user, app: app, signed: false, scope: "api id", context)
    }

    private func approve(_ userName: String, _ app: OrgSettings.App) throws {
        guard let approved = app.approvedUsers else { return }
        guard approved.contains(where: { $0.lowercased() == userName.lowercased() }) else {
            throw Refusal("invalid_grant", "user hasn't approved this consumer")
        }
    }

    private func refresh(_ form: [String: String], _ context: CallContext) throws -> JSON {
        let app = try app(form["client_id"], context)
        if let secret = form["client_secret"], secret != app.clientSecret {
            throw Refusal("invalid_client", "invalid client credentials", status: 401)
        }
        let sent = form["refresh_token"] ?? ""
        guard let user = try String.fetchOne(
            context.db, sql: "SELECT user_id FROM sim_refresh_token WHERE token = ? AND app = ?", arguments: [sent, app.clientId])
        else { throw Refusal("invalid_grant", "expired access/refresh token") }
        var reply = try success(user, app: app, signed: true, scope: "refresh_token api id", context)
        if app.rotatesRefreshTokens {
            try context.db.execute(sql: "DELETE FROM sim_refresh_token WHERE token = ?", arguments: [sent])
            reply.set("refresh_token", .string(try OAuthHandler.issueRefreshToken(user: user, app: app.clientId, context.db)))
        }
        return reply
    }

    static func issueRefreshToken(user: String, app: String, _ db: Database) throws -> String {
        let token = "5Aep861" + Sessions.randomText(80)
        try db.execute(sql: "INSERT INTO sim_refresh_token (token, app, user_id) VALUES (?, ?, ?)", arguments: [token, app, user])
        return token
    }

    private func clientCredentials(_ form: [String: String], _ context: CallContext) throws -> JSON {
        let app = try authenticatedApp(form, context)
        guard let name = app.runAs, let user = try Sessions.userId(name, context.db) else {
            throw Refusal("invalid_grant", "no client credentials user enabled")
        }
        return try success(user, app: app, signed: true, scope: "api id", context)
    }

    // MARK: About tokens and users

    private func revoke(_ context: CallContext) throws -> Reply {
        let form = SimRequest.form(String(decoding: request.body, as: UTF8.self))
        let token = form["token"] ?? request.query["token"] ?? ""
        try Sessions.close(token, context.db)
        let sessions = context.db.changesCount
        try context.db.execute(sql: "DELETE FROM sim_refresh_token WHERE token = ?", arguments: [token])
        guard sessions + context.db.changesCount > 0 else { throw Refusal("invalid_token", "invalid token") }
        return Reply(200)
    }

    private func introspect(_ context: CallContext) throws -> Reply {
        let form = SimRequest.form(String(decoding: request.body, as: UTF8.self))
        let app = try authenticatedApp(form, context)
        guard let token = form["token"], let user = try Sessions.user(of: token, context.state, context.db),
            let record = try profile(user, context)
        else { return .json(200, ["active": false]) }
        let now = context.state.machineNow / 1_000
        return .json(200, [
            "active": true, "scope": "id api", "client_id": .string(app.clientId), "username": .text(record["Username"]),
            "sub": .string("\(request.baseURL)/id/\(context.state.settings.organizationId)/\(user)"), "token_type": "access_token",
            "exp": .int(now + Int64(context.state.settings.sessionSeconds)), "iat": .int(now), "nbf": .int(now),
        ])
    }

    private func profile(_ user: String, _ context: CallContext) throws -> [String: String]? {
        guard let row = try Row.fetchOne(
            context.db, sql: "SELECT Username, Email, FirstName, LastName FROM \"User\" WHERE Id = ?", arguments: [user])
        else { return nil }
        var record: [String: String] = [:]
        for name in ["Username", "Email", "FirstName", "LastName"] { record[name] = row[name] }
        return record
    }

    private func userInfo(_ call: inout CallDescription, _ context: inout CallContext) throws -> Reply {
        guard let token = request.bearerToken else { return .text(403, "Missing_OAuth_Token") }
        guard let user = try Sessions.user(of: token, context.state, context.db), let record = try profile(user, context) else {
            return .text(403, "Bad_OAuth_Token")
        }
        call.user = user
        let organization = context.state.settings.organizationId
        if resource == "identity", request.segments.count > 1, RecordIdentifier.normalized(request.segments[1]) != organization {
            return .text(403, "Wrong_Org")
        }
        let identity = "\(request.baseURL)/id/\(organization)/\(user)"
        let name = [record["FirstName"], record["LastName"]].compactMap(\.self).joined(separator: " ")
        let data = "\(request.baseURL)/services/data/v{version}/"
        let urls: JSON = [
            "enterprise": .string("\(request.baseURL)/services/Soap/c/{version}/\(organization.prefix(15))"),
            "partner": .string("\(request.baseURL)/services/Soap/u/{version}/\(organization.prefix(15))"),
            "rest": .string(data), "sobjects": .string(data + "sobjects/"), "query": .string(data + "query/"),
            "custom_domain": .string(request.baseURL),
        ]
        let common: [(String, JSON)] = [
            ("user_id", .string(user)), ("organization_id", .string(organization)), ("email", .text(record["Email"])),
            ("email_verified", true), ("urls", urls), ("active", true), ("user_type", "STANDARD"), ("language", "en_US"),
            ("locale", "en_US"), ("utcOffset", 0), ("is_app_installed", true),
        ]
        let own: [(String, JSON)] = resource == "identity"
            ? [("id", .string(identity)), ("asserted_user", true), ("username", .text(record["Username"])), ("nick_name", .text(record["Username"])),
               ("display_name", .string(name)), ("first_name", .text(record["FirstName"])), ("last_name", .text(record["LastName"])),
               ("timezone", "GMT"), ("mobile_phone", nil), ("status", ["created_date": nil, "body": nil])]
            : [("sub", .string(identity)), ("preferred_username", .text(record["Username"])), ("nickname", .text(record["Username"])),
               ("name", .string(name)), ("given_name", .text(record["FirstName"])), ("family_name", .text(record["LastName"])),
               ("zoneinfo", "GMT"), ("updated_at", .string(TimeText.zulu(context.state.machineNow)))]
        return .json(200, .object((own + common).map { JSON.Member(key: $0.0, value: $0.1) }))
    }
}
