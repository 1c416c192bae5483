public import Logging
internal import PostgresClient
public import ServiceLifecycle
internal import Synchronization

/// The relay: one supervisor for each connection in the database, kept in step with the catalog.
///
/// A graceful shutdown takes no more work, finishes what is under way and returns.
public struct RelayService: Service {
    private let configuration: RelayConfiguration
    private let catalog: Catalog
    private let logger: Logger
    public let health: RelayHealth

    /// - Parameter catalog: shared with whoever else only looks; the service closes it at its end.
    public init(configuration: RelayConfiguration, catalog: Catalog, logger: Logger, health: RelayHealth = RelayHealth()) {
        self.configuration = configuration
        self.catalog = catalog
        self.logger = logger
        self.health = health
    }

    /// Serves until the service is asked to stop.
    /// - Throws: ``RelayError`` for what a person must change first; ``PostgresError`` only for what no waiting mends.
    public func run() async throws {
        let served = Served()
        do {
            try await withThrowingDiscardingTaskGroup { group in
                var backoff = Backoff(base: .milliseconds(200), cap: configuration.timing.backoffCap)
                while !isStopping, !group.isCancelled {
                    do {
                        for connection in try await catalog.connections() where served.begin(connection.id) {
                            group.addTask {
                                defer { served.end(connection.id) }
                                try await supervisor(connection).run()
                            }
                        }
                        health.set(hasDatabase: true)
                        backoff.reset()
                        await served.changes.wait(upTo: configuration.timing.standby * 3)
                    } catch let error as PostgresError where error.isTransient {
                        health.set(hasDatabase: false)
                        await waitAfter(error, backoff.next(), served)
                    }
                }
            }
            await catalog.close()
        } catch {
            await catalog.close()
            throw error
        }
    }

    private func supervisor(_ connection: ServedConnection) -> ConnectionSupervisor {
        ConnectionSupervisor(
            configuration: configuration, connection: connection, log: EventLog(logger: logger, connection: connection.id),
            health: health)
    }

    private func waitAfter(_ error: PostgresError, _ wait: Duration, _ served: Served) async {
        logger.warning("DATABASE UNAVAILABLE", metadata: [
            "state": "DB_UNAVAILABLE", "error": .stringConvertible(error), "retry_ms": .stringConvertible(wait.milliseconds),
        ])
        await served.changes.wait(upTo: wait)
    }
}

/// Which connections have a supervisor.
private final class Served: Sendable {
    private let ids = Mutex<Set<String>>([])
    let changes = Wakeups()

    func begin(_ id: String) -> Bool { ids.withLock { $0.insert(id).inserted } }

    func end(_ id: String) {
        _ = ids.withLock { $0.remove(id) }
        changes.raise()
    }
}
