import GRDB

/// The page where a user logs in and allows or denies an app: the first leg of the web server flow (wire reference 1.5).
struct AuthorizePage {
    let request: SimRequest
    let form: [String: String]

    private static let carried = ["response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"]

    func answer(_ call: inout CallDescription, _ context: CallContext) throws -> Reply {
        let fields = request.method == "POST" ? request.query.merging(form) { _, new in new } : request.query
        let asked: AuthorizationRequest
        do { asked = try AuthorizationRequest(fields, context.state.settings) } catch let refusal as OAuthRefusal {
            // Nobody is sent to an address that the app does not have.
            return page(400, "<p>error=\(HTML.escape(refusal.error))&amp;error_description=\(HTML.escape(refusal.description))</p>")
        }
        do {
            try asked.check(fields["response_type"], context.state.settings.oauth)
            guard request.method == "POST" else { return page(200, loginForm(fields, asked)) }
            return try decide(fields, asked, &call, context)
        } catch let refusal as AuthorizationRequest.Refusal {
            return asked.back([("error", refusal.error), ("error_description", refusal.description)])
        }
    }

    private func decide(
        _ fields: [String: String], _ asked: AuthorizationRequest, _ call: inout CallDescription, _ context: CallContext
    ) throws -> Reply {
        guard fields["decision"] == "allow" else {
            throw AuthorizationRequest.Refusal(error: "access_denied", description: "end-user denied authorization")
        }
        let login = LoginPolicy(context)
        let name = fields["username"] ?? ""
        guard let user = try login.userId(name), login.matches(fields["password"] ?? "", of: name), try login.obstacle(user) == nil else {
            return page(200, loginForm(
                fields, asked, "Please check your username and password. If you still can't log in, contact your Salesforce administrator."))
        }
        do { try login.check(user, asked.app) } catch let refusal as OAuthRefusal {
            throw AuthorizationRequest.Refusal(error: "OAUTH_APP_ACCESS_DENIED", description: refusal.description)
        }
        call.user = user
        return asked.back([("code", try AuthorizationCode.issue(user: user, asked, context))])
    }

    private func loginForm(_ fields: [String: String], _ asked: AuthorizationRequest, _ problem: String? = nil) -> String {
        let hidden = AuthorizePage.carried.compactMap { name in
            fields[name].map { "<input type=\"hidden\" name=\"\(name)\" value=\"\(HTML.escape($0))\">" }
        }.joined()
        return """
            <h1>Allow access?</h1>\(problem.map { "<p role=\"alert\">\(HTML.escape($0))</p>" } ?? "")
            <p>\(HTML.escape(asked.app.clientId)) asks for: \(HTML.escape(asked.scope))</p>
            <form method="post" action="/services/oauth2/authorize">\(hidden)
            <p><label>Username <input name="username" autocomplete="username" value="\(HTML.escape(fields["username"] ?? fields["login_hint"] ?? ""))"></label></p>
            <p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p>
            <p><button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></p></form>
            """
    }

    private func page(_ status: Int, _ body: String) -> Reply {
        var reply = Reply.text(status, HTML.page(title: "Log in", body), type: "text/html;charset=UTF-8")
        reply.headers += [("Cache-Control", "no-store"), ("Content-Security-Policy", "frame-ancestors 'none'")]
        return reply
    }
}
