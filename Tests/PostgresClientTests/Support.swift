import PostgresClient
import TestSupport

/// Connects to the shared cluster, hands the session out and closes it.
func withSession<R>(
    database: String = "postgres", options: SessionOptions = SessionOptions(),
    _ body: (PostgresSession) async throws -> R
) async throws -> R {
    let cluster = try await ThrowawayCluster.shared()
    let session = try await PostgresSession.connect(cluster.conninfo(database: database), options: options)
    let result = try await body(session)
    await session.close()
    return result
}

/// The error that `body` throws, nil when it returns.
func postgresError(_ body: () async throws -> Void) async -> PostgresError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? PostgresError
    }
}

/// Waits until `condition` holds, at most ten seconds.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<200 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(50))
    }
    return false
}
