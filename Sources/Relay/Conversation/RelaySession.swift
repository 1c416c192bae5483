internal import Foundation
public import PostgresClient

/// A session of the database that the relay may use: it is no pooler's, and the extension or the portable bundle is there and new
/// enough.
public struct RelaySession: Sendable {
    public let postgres: PostgresSession

    /// The first version of either that has every function called here.
    public static let requiredExtensionVersion = "1.0"

    /// What the protocol relies on, whatever the database's or the role's owner made the default: each statement sees what was
    /// committed before it, literals mean what they say, and nothing ends a session that waits for Salesforce or builds an index.
    static let settings: [(name: String, value: String)] = [
        ("default_transaction_isolation", "read committed"),
        ("default_transaction_deferrable", "off"),
        ("standard_conforming_strings", "on"),
        ("array_nulls", "on"),
        ("transform_null_equals", "off"),
        ("statement_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
        ("idle_session_timeout", "0"),
    ]

    /// Connects and looks.
    ///
    /// - Parameters:
    ///   - purpose: what `pg_stat_activity` shows after `hc-relay`.
    ///   - isLease: whether others wait for a lock of this session, so that its loss must be noticed within 10 s.
    ///   - checksExtension: false only to install it.
    /// - Throws: ``PostgresError``; ``RelayError`` with what to do.
    public static func open(
        _ databaseURL: String, purpose: String, isLease: Bool = false, checksExtension: Bool = true
    ) async throws -> RelaySession {
        let options = SessionOptions(
            applicationName: "hc-relay \(purpose)", keepalives: isLease ? .tight : SessionOptions.Keepalives(), settings: Self.settings)
        let session = RelaySession(postgres: try await PostgresSession.connect(databaseURL, options: options))
        do {
            try await session.refusePooler()
            if checksExtension { try await InstalledBundle.require(in: session.postgres) }
            return session
        } catch {
            await session.close()
            throw error
        }
    }

    public func close() async { await postgres.close() }

    /// A pooler that gives each transaction another server process takes the leader's lock, its settings and its
    /// notifications away from it.
    private func refusePooler() async throws {
        let told = await postgres.backendProcessID
        let row = try await postgres.query("SELECT pg_catalog.pg_backend_pid()", []).onlyRow()
        guard row[0] != String(told) else { return }
        throw RelayError(
            .transactionPooler,
            "DATABASE_URL leads to a connection pooler such as PgBouncer: set it to PostgreSQL itself (its own host and port, often 5432); applications may keep using the pooler")
    }

    /// Compares versions part by part, as numbers. One that is no number, like `portable`, is not enough.
    static func isAtLeast(_ version: String, _ required: String) -> Bool {
        let parts = version.split(separator: ".").map { Int($0) }
        guard !parts.isEmpty, !parts.contains(nil) else { return false }
        let have = parts.compactMap { $0 }, need = required.split(separator: ".").compactMap { Int($0) }
        for index in 0..<max(have.count, need.count) {
            let left = index < have.count ? have[index] : 0, right = index < need.count ? need[index] : 0
            if left != right { return left > right }
        }
        return true
    }

    /// Calls a function of schema `public` as one statement and one transaction.
    /// - Returns: its value as text; nil for NULL.
    @discardableResult
    public func call(_ function: String, _ parameters: [PostgresParameter]) async throws(PostgresError) -> String? {
        try await postgres.query(Self.statement(function, parameters.count), parameters).onlyRow()[0]
    }

    static func statement(_ function: String, _ count: Int) -> String {
        "SELECT public.\(function)(\((0..<count).map { "$\($0 + 1)" }.joined(separator: ", ")))"
    }

    /// The same for a function that answers JSON.
    public func call<Answer: Decodable>(
        _ function: String, _ parameters: [PostgresParameter], as type: Answer.Type
    ) async throws -> Answer? {
        guard let text = try await call(function, parameters) else { return nil }
        return try Self.decode(text, as: type, from: function)
    }

    static func decode<Answer: Decodable>(_ text: String, as type: Answer.Type, from function: String) throws -> Answer {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw RelayError(.notReady, "public.\(function) answered in a shape that this relay does not know: update the extension or the relay")
        }
    }
}
