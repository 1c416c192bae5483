internal import PostgresClient

/// Looks at the catalog on a session of its own, which is opened when needed and given up when lost.
public actor Catalog {
    private let databaseURL: String
    private var session: RelaySession?

    public init(databaseURL: String) { self.databaseURL = databaseURL }

    /// The connections, oldest first.
    func connections() async throws -> [ServedConnection] {
        let sql = "SELECT id, schema_name, api_version FROM public.hc_connection ORDER BY created_at, id"
        return try await using { session in
            try await session.postgres.query(sql, []).rows.map { row in
                ServedConnection(id: try row.value("id"), schema: try row.value("schema_name"), apiVersion: row["api_version"])
            }
        }
    }

    /// `hc_status` of each connection, as JSON documents.
    public func statuses() async throws -> [String] {
        try await using { session in
            try await session.postgres.query(
                "SELECT public.hc_status(id) FROM public.hc_connection ORDER BY created_at, id", []
            ).rows.compactMap { $0[0] }
        }
    }

    public func close() async {
        await session?.close()
        session = nil
    }

    private func using<R: Sendable>(_ work: @Sendable (RelaySession) async throws -> R) async throws -> R {
        let used: RelaySession
        if let session, await !session.postgres.isClosed {
            used = session
        } else {
            used = try await RelaySession.open(databaseURL, purpose: "catalog")
            session = used
        }
        return try await work(used)
    }
}
