import GRDB

/// Who may log in, and how often (wire reference 1.4).
struct LoginPolicy {
    let context: CallContext

    init(_ context: CallContext) { self.context = context }

    private var settings: OAuthSettings { context.state.settings.oauth }

    /// The id of a user by name, active or not.
    func userId(_ name: String) throws -> String? {
        try String.fetchOne(context.db, sql: "SELECT Id FROM \"User\" WHERE Username = ? COLLATE NOCASE", arguments: [name])
    }

    private func name(_ user: String) throws -> String {
        try String.fetchOne(context.db, sql: "SELECT Username FROM \"User\" WHERE Id = ?", arguments: [user]) ?? ""
    }

    func isActive(_ user: String) throws -> Bool {
        try Bool.fetchOne(context.db, sql: "SELECT IsActive FROM \"User\" WHERE Id = ?", arguments: [user]) ?? false
    }

    /// The password, followed by a security token of any content.
    func matches(_ sent: String, of name: String) -> Bool {
        let known = context.state.settings.passwords.first { $0.key.lowercased() == name.lowercased() }?.value
        return known.map { sent.hasPrefix($0) } ?? false
    }

    /// What keeps a user out: the error's own name, and how it is described.
    func obstacle(_ user: String) throws -> (error: String, description: String)? {
        if try !isActive(user) { return ("inactive_user", "inactive user") }
        let name = try name(user).lowercased()
        if settings.lockedUsers.contains(name) { return ("user_locked", "user account is locked") }
        if settings.restrictedUsers.contains(name) { return ("ip_restricted", "ip restricted") }
        return nil
    }

    /// - Throws: The refusal when the user may not log in, is not admitted to the app, or logs in too often. Counts the login.
    func check(_ user: String, _ app: OrgSettings.App) throws {
        if let obstacle = try obstacle(user) {
            throw OAuthRefusal(settings.namesUserStates ? obstacle.error : "invalid_grant", obstacle.description)
        }
        guard LoginPolicy.names(app.admittedUsers, try name(user)) else {
            throw OAuthRefusal("invalid_app_access", "user is not admin approved to access this app")
        }
        guard context.state.logins.admit(user, limit: settings.loginsPerHour, now: context.state.machineNow) else {
            throw OAuthRefusal("rate_limit_exceeded", "login rate exceeded")
        }
    }

    /// A list that is not there names everyone.
    static func names(_ list: [String]?, _ name: String) -> Bool {
        list.map { $0.contains { $0.lowercased() == name.lowercased() } } ?? true
    }
}

/// Logins of each user in the hour that began with the first of them.
struct LoginCounts: Sendable {
    private var counts: [String: (since: Int64, count: Int)] = [:]

    mutating func admit(_ user: String, limit: Int, now: Int64) -> Bool {
        var entry = counts[user] ?? (now, 0)
        if now - entry.since >= 3_600_000 { entry = (now, 0) }
        guard entry.count < limit else { return false }
        entry.count += 1
        counts[user] = entry
        return true
    }
}
