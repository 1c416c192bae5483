import Foundation
import GRDB

extension ControlCalls {
    /// `/_sim/sessions`: tokens without a login, and the end of tokens.
    func sessions() throws -> JSON {
        switch request.method {
        case "GET":
            return .array(try Sessions.all(state, db).map { session in
                ["user": .string(session.user), "app": .text(session.app), "scope": .text(session.scope), "shared": .bool(session.isShared),
                 "since": .string(TimeText.zulu(session.since)), "expires": .string(TimeText.zulu(session.expires))]
            })
        case "DELETE":
            let user = try request.query["user"].map { try actor(["user": .string($0)]) }
            return ["ended": .int(try Sessions.closeAll(user: user, db))]
        case "POST":
            let body = try body()
            let user = try actor(["user": .text(body["user"]?.string ?? SampleOrg.integrationUser)])
            let token = try Sessions.open(
                user: user, app: body["clientId"]?.string, scope: body["scope"]?.string, idleSeconds: body["idleSeconds"]?.int ?? 0, state, db)
            return ["access_token": .string(token), "instance_url": .string(state.instance.url(for: request)), "user_id": .string(user)]
        default: throw APIError.notFound()
        }
    }

    func refreshToken(_ body: JSON) throws -> JSON {
        let user = try actor(["user": .text(body["user"]?.string ?? SampleOrg.integrationUser)])
        let app = body["clientId"]?.string ?? SampleOrg.clientId
        return ["refresh_token": .string(try OAuthHandler.issueRefreshToken(user: user, app: app, scope: body["scope"]?.string, db))]
    }

    /// Makes or changes a connected app; what the body does not name stays.
    func app(_ body: JSON) throws -> JSON {
        let id = try required(body, "clientId")
        let known = state.settings.apps.first { $0.clientId == id }
        var app = known ?? OrgSettings.App(clientId: id, clientSecret: "")
        func list(_ key: String, _ path: WritableKeyPath<OrgSettings.App, [String]?>) {
            if let value = body[key] { app[keyPath: path] = value == .null ? nil : value.elements.compactMap(\.string) }
        }
        func flag(_ key: String, _ path: WritableKeyPath<OrgSettings.App, Bool?>) {
            if let value = body[key]?.bool { app[keyPath: path] = value }
        }
        if let secret = body["clientSecret"]?.string { app.clientSecret = secret }
        if let certificate = body["certificate"]?.string {
            guard Assertion.publicKey(certificate) != nil else { throw APIError(400, "INVALID_ARGUMENT_TYPE", "certificate is no PEM certificate or RSA public key") }
            app.certificate = certificate
        }
        if let runAs = body["runAs"] { app.runAs = runAs.string }
        if let rotates = body["rotatesRefreshTokens"]?.bool { app.rotatesRefreshTokens = rotates }
        list("approvedUsers", \.approvedUsers)
        list("admittedUsers", \.admittedUsers)
        list("callbacks", \.callbacks)
        list("scopes", \.scopes)
        list("flows", \.flows)
        flag("issuesJWT", \.issuesJWT)
        flag("needsNoSecret", \.needsNoSecret)
        flag("needsSecretToRefresh", \.needsSecretToRefresh)
        flag("needsChallenge", \.needsChallenge)
        state.settings.apps.removeAll { $0.clientId == id }
        state.settings.apps.append(app)
        try state.saveSettings(db)
        return ["clientId": .string(id)]
    }

    /// Makes a user, or changes one: password, active, locked, restricted to other addresses.
    func user(_ body: JSON) throws -> JSON {
        let name = try required(body, "username")
        let known = try String.fetchOne(db, sql: "SELECT Id FROM \"User\" WHERE Username = ? COLLATE NOCASE", arguments: [name])
        let id = try known ?? SampleOrg.createUser(name, first: body["firstName"]?.string ?? "", last: body["lastName"]?.string ?? name, state, db)
        if let password = body["password"]?.string { state.settings.passwords[name] = password }
        if let active = body["active"]?.bool { try db.execute(sql: "UPDATE \"User\" SET IsActive = ? WHERE Id = ?", arguments: [active, id]) }
        func mark(_ key: String, _ path: WritableKeyPath<OAuthSettings, Set<String>>) {
            guard let value = body[key]?.bool else { return }
            if value { state.settings.oauth[keyPath: path].insert(name.lowercased()) } else { state.settings.oauth[keyPath: path].remove(name.lowercased()) }
        }
        mark("locked", \.lockedUsers)
        mark("restricted", \.restrictedUsers)
        try state.saveSettings(db)
        return ["id": .string(id)]
    }

    /// `/_sim/instance`: moves the org to the simulator's other port.
    func instance() throws -> JSON {
        if request.method == "POST" {
            let body = try body()
            guard let farewell = InstanceMove.Farewell(rawValue: body["answer"]?.string ?? "redirect") else {
                throw APIError(400, "INVALID_ARGUMENT_TYPE", "answer is one of \(InstanceMove.Farewell.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            guard state.instance.move(farewell) != nil else { throw APIError(400, "INVALID_OPERATION", "the simulator has no second port") }
            // An org that has moved knows the old instance's sessions only when told to.
            if body["keepsSessions"]?.bool != true { _ = try Sessions.closeAll(db) }
        }
        return [
            "instance_url": .string(state.instance.url(for: request)), "moved": .bool(state.instance.home != nil),
            "ports": .array(state.instance.ports.map { .int($0) }),
        ]
    }

    /// The settings of logins, by their names in ``OAuthSettings``.
    func changeOAuth(_ body: JSON) {
        if let value = body["allowsPasswordFlow"]?.bool { state.settings.oauth.allowsPasswordFlow = value }
        if let value = body["acceptsPlainChallenge"]?.bool { state.settings.oauth.acceptsPlainChallenge = value }
        if let value = body["codeSeconds"]?.int { state.settings.oauth.codeSeconds = value }
        if let value = body["loginsPerHour"]?.int { state.settings.oauth.loginsPerHour = value }
        if let value = body["namesUserStates"]?.bool { state.settings.oauth.namesUserStates = value }
        if let value = body["tokenSeconds"]?.int { state.settings.oauth.tokenSeconds = value }
        if let value = body["audienceMessage"]?.string { state.settings.oauth.audienceMessage = value }
    }

    var oauthSettings: JSON {
        let oauth = state.settings.oauth
        return [
            "allowsPasswordFlow": .bool(oauth.allowsPasswordFlow), "acceptsPlainChallenge": .bool(oauth.acceptsPlainChallenge),
            "codeSeconds": .int(oauth.codeSeconds), "loginsPerHour": .int(oauth.loginsPerHour), "namesUserStates": .bool(oauth.namesUserStates),
            "tokenSeconds": .int(oauth.tokenSeconds), "audienceMessage": .string(oauth.audienceMessage),
        ]
    }
}
