import Crypto
import Foundation
import GRDB

/// Access tokens, which are session ids: the same string works in every API (wire reference 0.1, 1.8).
enum Sessions {
    struct Session {
        var token: String
        var user: String
        var app: String?
        /// What the token may do; nil: everything.
        var scope: String?
        /// When its life last began, and when it ends unless it is used before, on the machine's clock.
        var since: Int64
        var expires: Int64
        /// The session that everyone with the user's password shares.
        var isShared: Bool
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._")

    static func randomText(_ count: Int) -> String { String((0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] }) }

    /// The tables of tokens, with the columns that files of earlier versions lack.
    static func prepare(_ db: Database) throws {
        try db.execute(sql: """
            CREATE TABLE IF NOT EXISTS sim_session (token TEXT PRIMARY KEY, user_id TEXT NOT NULL, app TEXT, used_at INTEGER NOT NULL,
                scope TEXT, shared INTEGER NOT NULL DEFAULT 0, expires_at INTEGER);
            CREATE TABLE IF NOT EXISTS sim_refresh_token (token TEXT PRIMARY KEY, app TEXT NOT NULL, user_id TEXT NOT NULL, scope TEXT);
            CREATE TABLE IF NOT EXISTS sim_assertion (identifier TEXT PRIMARY KEY, expires_at INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS sim_code (code TEXT PRIMARY KEY, app TEXT NOT NULL, user_id TEXT NOT NULL, redirect TEXT NOT NULL,
                scope TEXT NOT NULL, challenge TEXT, method TEXT, made_at INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0);
            """)
        let added = [
            "sim_session": ["scope TEXT", "shared INTEGER NOT NULL DEFAULT 0", "expires_at INTEGER"], "sim_refresh_token": ["scope TEXT"],
        ]
        for (table, columns) in added {
            let known = try db.columns(in: table).map(\.name)
            for column in columns where !known.contains(String(column.prefix { $0 != " " })) {
                try db.execute(sql: "ALTER TABLE \(table) ADD COLUMN \(column)")
            }
        }
    }

    // MARK: Beginning

    static func open(
        user: String, app: String?, scope: String? = nil, idleSeconds: Int = 0, shared: Bool = false, _ state: OrgState, _ db: Database
    ) throws -> String {
        let token = String(state.settings.organizationId.prefix(15)) + "!AQ" + randomText(88)
        try db.execute(
            sql: "INSERT INTO sim_session (token, user_id, app, used_at, scope, shared) VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [token, user, app, state.machineNow - Int64(idleSeconds) * 1_000, scope, shared])
        return token
    }

    /// Everyone who logs in with the user's name and password is given the same session, until someone ends it.
    static func openShared(user: String, _ state: OrgState, _ db: Database) throws -> String {
        let known = try String.fetchOne(db, sql: "SELECT token FROM sim_session WHERE user_id = ? AND shared = 1", arguments: [user])
        if let known, try find(known, state, db) != nil { return known }
        return try open(user: user, app: nil, shared: true, state, db)
    }

    static func openJWT(_ issued: IssuedGrant, _ request: SimRequest, _ state: OrgState, _ db: Database) throws -> String {
        let expires = state.machineNow + Int64(state.settings.oauth.tokenSeconds) * 1_000
        let token = SignedToken.access(issued, expires: expires, request, state)
        try db.execute(
            sql: "INSERT INTO sim_session (token, user_id, app, used_at, scope, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [token, issued.user, issued.app.clientId, state.machineNow, issued.scope, expires])
        return token
    }

    // MARK: Using

    /// A live session. One that has been idle for longer than its life is ended; a use in the second half of its life begins its life anew.
    static func find(_ token: String, _ state: OrgState, _ db: Database, touches: Bool = true) throws -> Session? {
        let statement = try db.cachedStatement(sql: "SELECT token, user_id, app, scope, used_at, shared, expires_at FROM sim_session WHERE token = ?")
        guard let row = try Row.fetchOne(statement, arguments: [token]) else { return nil }
        var session = session(row, state)
        let now = state.machineNow
        guard now <= session.expires else {
            try close(token, db)
            return nil
        }
        let fixed = (row[6] as Int64?) != nil
        if touches, !fixed, now - session.since > (session.expires - session.since) / 2 {
            try db.execute(sql: "UPDATE sim_session SET used_at = ? WHERE token = ?", arguments: [now, token])
            session.expires += now - session.since
            session.since = now
        }
        return session
    }

    private static func session(_ row: Row, _ state: OrgState) -> Session {
        let since: Int64 = row[4]
        return Session(
            token: row[0], user: row[1], app: row[2], scope: row[3], since: since,
            expires: row[6] ?? since + Int64(state.settings.sessionSeconds) * 1_000, isShared: row[5])
    }

    static func all(_ state: OrgState, _ db: Database) throws -> [Session] {
        try Row.fetchAll(db, sql: "SELECT token, user_id, app, scope, used_at, shared, expires_at FROM sim_session ORDER BY used_at DESC LIMIT 1000")
            .map { session($0, state) }
    }

    /// The user id of a live session.
    static func user(of token: String, _ state: OrgState, _ db: Database) throws -> String? { try find(token, state, db)?.user }

    // MARK: Ending

    static func close(_ token: String, _ db: Database) throws {
        try db.execute(sql: "DELETE FROM sim_session WHERE token = ?", arguments: [token])
    }

    static func closeAll(user: String? = nil, _ db: Database) throws -> Int {
        if let user {
            try db.execute(sql: "DELETE FROM sim_session WHERE user_id = ?", arguments: [user])
        } else {
            try db.execute(sql: "DELETE FROM sim_session")
        }
        return db.changesCount
    }

    // MARK: Users

    /// The id of a user by user name or id; nil when there is none.
    static func userId(_ name: String, _ db: Database) throws -> String? {
        if let id = RecordIdentifier.normalized(name), id.hasPrefix("005") { return id }
        return try String.fetchOne(
            db, sql: "SELECT Id FROM \"User\" WHERE Username = ? COLLATE NOCASE AND IsActive = 1", arguments: [name])
    }

    static func signature(_ text: String, secret: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: Data(secret.utf8)))
        return Data(code).base64EncodedString()
    }
}
