internal import Logging
internal import PostgresClient

/// Opens the further sessions of a leadership. They carry its epoch, so what they do ends with it.
struct SessionSource: Sendable {
    let databaseURL: String
    let connection: ServedConnection
    let epoch: Int
    /// Where the leading session is: a copy of the database, or a standby promoted meanwhile, knows the epoch as well.
    let address: ServerAddress?
    let log: EventLog
    let backoffCap: Duration

    /// A session for one piece of work; the caller closes it.
    func open(_ purpose: String) async throws -> ProtocolSession {
        let session = try await RelaySession.open(databaseURL, purpose: "\(connection.schema) \(purpose)")
        let found = await session.postgres.address
        guard found == address else {
            await session.close()
            throw PostgresError(
                code: .couldNotConnect,
                serverMessage: "DATABASE_URL leads to \(found?.description ?? "no server") now, and this relay leads at \(address?.description ?? "none")")
        }
        return ProtocolSession(session: session, connection: connection, epoch: epoch)
    }

    /// Runs `work` on a session, and again on a new one when the session is lost, until it returns or the service is asked to
    /// stop.
    /// - Throws: what `work` throws otherwise, a stale epoch among it.
    func keepOpen(_ purpose: String, _ work: (ProtocolSession) async throws -> Void) async throws {
        var backoff = Backoff(base: .milliseconds(200), cap: backoffCap)
        while !isStopping {
            do {
                let database = try await open(purpose)
                do {
                    backoff.reset()
                    try await work(database)
                    await database.session.close()
                    return
                } catch {
                    await database.session.close()
                    throw error
                }
            } catch let error as PostgresError where error.isTransient && !Task.isCancelled {
                let wait = backoff.next()
                log.sync("DATABASE SESSION LOST", state: "DB_UNAVAILABLE", level: .warning, [
                    "purpose": .string(purpose), "error": .stringConvertible(error), "retry_ms": .stringConvertible(wait.milliseconds),
                ])
                await rest(for: wait)
            }
        }
    }
}
