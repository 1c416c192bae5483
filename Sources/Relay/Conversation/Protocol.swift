internal import PostgresClient

/// A connection in the catalog, as far as serving it needs.
struct ServedConnection: Sendable, Equatable {
    /// A UUID in PostgreSQL's spelling; ids of connections and mappings are only ever passed on.
    let id: String
    let schema: String
    let apiVersion: String?

    /// Notifications about its trigger log (reference 1.10).
    var channel: String { "\(schema).hc_trigger_log" }
}

/// One session, on behalf of one connection and one epoch: what every function of the protocol begins with.
///
/// Each call is one transaction. A stale epoch makes every call throw ``PostgresError`` with `isStaleEpoch`.
struct ProtocolSession: Sendable {
    let session: RelaySession
    let connection: ServedConnection
    let epoch: Int

    @discardableResult
    func call(_ function: String, _ parameters: PostgresParameter...) async throws(PostgresError) -> String? {
        try await session.call(function, prefix + parameters)
    }

    func ask<Answer: Decodable>(
        _ type: Answer.Type, _ function: String, _ parameters: PostgresParameter...
    ) async throws -> Answer? {
        try await session.call(function, prefix + parameters, as: type)
    }

    var prefix: [PostgresParameter] { [.text(connection.id), .int(epoch)] }

    /// Tells people: an event, and for warnings and errors a notification.
    func raise(_ eventType: String, level: String, _ message: String, mapping: String? = nil) async throws(PostgresError) {
        try await session.call("hc_raise", [.text(connection.id), .text(mapping), .text(eventType), .text(level), .text(message)])
    }
}

extension PostgresError {
    /// Another relay leads the connection now: this one must not touch it any more.
    var isStaleEpoch: Bool { sqlState == "HC001" }
    /// The connection or the mapping is unknown, or was removed.
    var isUnknown: Bool { sqlState == "HC002" }
    /// What the call is about is not in a state for it.
    var isWrongState: Bool { sqlState == "HC003" }
    /// The database is not the one that the connection is bound to.
    var isOtherDatabase: Bool { sqlState == "HC004" }
}
