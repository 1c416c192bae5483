import Crypto
import Foundation
import GRDB

/// Access tokens, which are session ids: the same string works in every API (wire reference 0.1, 1.8).
enum Sessions {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._")

    static func randomText(_ count: Int) -> String { String((0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] }) }

    static func open(user: String, app: String?, _ state: OrgState, _ db: Database) throws -> String {
        let token = String(state.settings.organizationId.prefix(15)) + "!AQ" + randomText(88)
        try db.execute(
            sql: "INSERT INTO sim_session (token, user_id, app, used_at) VALUES (?, ?, ?, ?)", arguments: [token, user, app, state.machineNow])
        return token
    }

    /// The user id of a live session; a session lives as long as it is used.
    static func user(of token: String, _ state: OrgState, _ db: Database) throws -> String? {
        let now = state.machineNow
        let statement = try db.cachedStatement(sql: "SELECT user_id, used_at FROM sim_session WHERE token = ?")
        guard let row = try Row.fetchOne(statement, arguments: [token]) else { return nil }
        let used: Int64 = row[1]
        let life = Int64(state.settings.sessionSeconds) * 1_000
        guard now - used <= life else {
            try close(token, db)
            return nil
        }
        if now - used > 1_000 { try db.execute(sql: "UPDATE sim_session SET used_at = ? WHERE token = ?", arguments: [now, token]) }
        return row[0]
    }

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
