import Logging
import ServiceLifecycle

/// Runs `service` while `body` runs, then lets it finish what it has accepted. A server that is cancelled instead may drop a
/// connection between accepting and serving it, which its library answers with a crash.
func serving(_ service: any Service, during body: @escaping @Sendable () async throws -> Void) async throws {
    var logger = Logger(label: "serving")
    logger.logLevel = .critical
    var configuration = ServiceGroupConfiguration(services: [service], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(5)
    let group = ServiceGroup(configuration: configuration)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        try outcome.get()
    }
}
