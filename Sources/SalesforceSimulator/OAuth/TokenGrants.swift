import GRDB

/// What a grant came to: for whom, by which app, and which keys the reply has (wire reference 1.2, second table).
struct IssuedGrant {
    var user: String
    var app: OrgSettings.App
    /// What the token may do.
    var scope: String
    var isSigned = true
    var namesScope = true
    var refreshToken: String?
    /// Users who log in with a password share one session.
    var sharesSession = false
}

extension OAuthHandler {
    /// JWT bearer (wire reference 1.3).
    func assertion(_ context: CallContext) throws -> IssuedGrant {
        let invalid = OAuthRefusal("invalid_grant", "invalid assertion")
        guard let text = form["assertion"], let assertion = try? Assertion(text) else { throw invalid }
        let app = try app(assertion.issuer, context)
        guard let certificate = app.certificate, assertion.isSigned(by: certificate) else { throw invalid }
        let audiences = ["https://login.salesforce.com", "https://test.salesforce.com", request.baseURL]
        guard audiences.contains(assertion.audience) else { throw OAuthRefusal("invalid_grant", context.state.settings.oauth.audienceMessage) }
        guard assertion.expires * 1_000 > context.state.machineNow else { throw OAuthRefusal.code }
        if let identifier = assertion.identifier {
            let used = try Int.fetchOne(context.db, sql: "SELECT 1 FROM sim_assertion WHERE identifier = ?", arguments: [identifier])
            guard used == nil else { throw OAuthRefusal.code }
            try context.db.execute(
                sql: "INSERT INTO sim_assertion (identifier, expires_at) VALUES (?, ?)", arguments: [identifier, assertion.expires])
        }
        let unapproved = OAuthRefusal("invalid_grant", "user hasn't approved this consumer")
        let login = LoginPolicy(context)
        guard let user = try login.userId(assertion.subject) else { throw unapproved }
        try login.check(user, app)
        // One interactive approval with a refresh token is as good as a pre-authorization.
        let interactive = try Int.fetchOne(
            context.db, sql: "SELECT 1 FROM sim_refresh_token WHERE app = ? AND user_id = ?", arguments: [app.clientId, user])
        guard interactive != nil || LoginPolicy.names(app.approvedUsers, assertion.subject) else { throw unapproved }
        return IssuedGrant(user: user, app: app, scope: "api id", isSigned: false)
    }

    func refresh(_ context: CallContext) throws -> IssuedGrant {
        let named = try authenticatedApp(secretIsOptional: true, context)
        let app = named.needsSecretToRefresh == true ? try authenticatedApp(context) : named
        let sent = form["refresh_token"] ?? ""
        let row = try Row.fetchOne(
            context.db, sql: "SELECT user_id, scope FROM sim_refresh_token WHERE token = ? AND app = ?", arguments: [sent, app.clientId])
        guard let row else { throw OAuthRefusal("invalid_grant", "expired access/refresh token") }
        let scope = (row["scope"] as String?) ?? "refresh_token api id"
        var issued = IssuedGrant(user: row["user_id"], app: app, scope: scope)
        try LoginPolicy(context).check(issued.user, app)
        if app.rotatesRefreshTokens {
            try context.db.execute(sql: "DELETE FROM sim_refresh_token WHERE token = ?", arguments: [sent])
            issued.refreshToken = try OAuthHandler.issueRefreshToken(user: issued.user, app: app.clientId, scope: scope, context.db)
        }
        return issued
    }

    static func issueRefreshToken(user: String, app: String, scope: String? = nil, _ db: Database) throws -> String {
        let token = "5Aep861" + Sessions.randomText(80)
        try db.execute(
            sql: "INSERT INTO sim_refresh_token (token, app, user_id, scope) VALUES (?, ?, ?, ?)", arguments: [token, app, user, scope])
        return token
    }

    func clientCredentials(_ context: CallContext) throws -> IssuedGrant {
        let app = try authenticatedApp(context)
        let login = LoginPolicy(context)
        guard let name = app.runAs, let user = try login.userId(name), try login.isActive(user) else {
            throw OAuthRefusal("invalid_grant", "no client credentials user enabled")
        }
        try login.check(user, app)
        return IssuedGrant(user: user, app: app, scope: "api id")
    }

    /// The end of the web server flow (wire reference 1.5).
    func code(_ context: CallContext) throws -> IssuedGrant {
        let verifier = form["code_verifier"]
        let named = try authenticatedApp(secretIsOptional: true, context)
        let app = named.needsNoSecret == true && verifier != nil ? named : try authenticatedApp(context)
        let code = try AuthorizationCode.redeem(
            form["code"] ?? "", app: app, redirect: form["redirect_uri"] ?? "", verifier: verifier, context)
        try LoginPolicy(context).check(code.user, app)
        var issued = IssuedGrant(user: code.user, app: app, scope: code.scope)
        if code.scope.split(separator: " ").contains(where: { ["refresh_token", "offline_access"].contains($0) }) {
            issued.refreshToken = try OAuthHandler.issueRefreshToken(user: code.user, app: app.clientId, scope: code.scope, context.db)
        }
        return issued
    }

    func password(_ context: CallContext) throws -> IssuedGrant {
        let app = try authenticatedApp(context)
        let login = LoginPolicy(context)
        let name = form["username"] ?? ""
        guard let user = try login.userId(name), login.matches(form["password"] ?? "", of: name), try login.obstacle(user) == nil else {
            throw OAuthRefusal("invalid_grant", "authentication failure")
        }
        try login.check(user, app)
        return IssuedGrant(user: user, app: app, scope: "api id", namesScope: false, sharesSession: true)
    }
}
