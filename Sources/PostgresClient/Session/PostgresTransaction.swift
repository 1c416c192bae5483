/// The transaction that ``PostgresSession/transaction(_:)`` opened; valid inside its closure only.
public struct PostgresTransaction: PostgresQueryable {
    let session: PostgresSession
    let number: UInt64

    /// The session that the current task holds a transaction on.
    @TaskLocal static var sessionInTransaction: ObjectIdentifier?

    @discardableResult
    public func query(_ sql: String, _ parameters: [PostgresParameter]) async throws(PostgresError) -> PostgresResult {
        try await session.run(in: self) { connection, interrupt throws(PostgresError) in
            try connection.query(sql, parameters, &interrupt)
        }
    }

    public func execute(_ script: String) async throws(PostgresError) {
        try await session.run(in: self) { connection, interrupt throws(PostgresError) in
            try connection.execute(script, &interrupt)
        }
    }

    @discardableResult
    nonisolated(nonsending) public func copyIn(_ sql: String, from source: () async throws -> [UInt8]?) async throws -> Int {
        try await session.require(self)
        return try await session.copyInHoldingGate(sql, from: source)
    }

    nonisolated(nonsending) public func copyOut(_ sql: String, to sink: ([UInt8]) async throws -> Void) async throws {
        try await session.require(self)
        try await session.copyOutHoldingGate(sql, to: sink)
    }

    /// Runs `body` between SAVEPOINT and RELEASE; when it throws, what it did is undone and the transaction goes on.
    @discardableResult
    nonisolated(nonsending) public func savepoint<R>(_ body: () async throws -> R) async throws -> R {
        try await execute("SAVEPOINT hc_client")
        do {
            let result = try await body()
            try await execute("RELEASE SAVEPOINT hc_client")
            return result
        } catch {
            try await session.run(in: self, heedingCancellation: false) { connection, interrupt throws(PostgresError) in
                try connection.execute("ROLLBACK TO SAVEPOINT hc_client; RELEASE SAVEPOINT hc_client", &interrupt)
            }
            throw error
        }
    }
}
