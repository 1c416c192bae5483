import ArgumentParser
import Logging
import Management
import Relay
import ServiceLifecycle
import UnixSignals

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves all connections of the database until it is stopped.",
        discussion: """
            SIGTERM and SIGINT let it finish the batch under way, up to 30 seconds. Several relays may run for one database: \
            each connection is served by one of them.

            Settings, each also a variable and a line of the settings file:
            \(SettingsCommand.flags)
            """)

    func run() async throws {
        let settings = try Invocation.settings()
        let configuration = try settings.relay()
        // What a person got wrong is said before anything starts, in one line.
        try await StartCheck(settings: settings, configuration: configuration).run()

        LoggingSystem.bootstrap { _ in LogfmtHandler(level: settings.logLevel) }
        let logger = Logger(label: "hc-relay")
        logger.notice("STARTING", metadata: ["version": .string(Version.text), "listen": .string(settings[SettingTable.listen] ?? "")])
        let health = RelayHealth()
        let catalog = Catalog(databaseURL: configuration.databaseURL)
        let management = ManagementService(
            host: settings.listen.host, port: settings.listen.port, apiToken: settings[SettingTable.apiToken], health: health,
            catalog: catalog, logger: logger)
        let relay = RelayService(configuration: configuration, catalog: catalog, logger: logger, health: health)
        var group = ServiceGroupConfiguration(
            services: [.init(service: management), .init(service: relay)], gracefulShutdownSignals: [.sigterm, .sigint], logger: Self.quiet)
        group.maximumGracefulShutdownDuration = .seconds(30)
        group.maximumCancellationDuration = .seconds(5)
        try await ServiceGroup(configuration: group).run()
        logger.notice("STOPPED")
    }

    /// The group's own lines say nothing that ours do not.
    private static let quiet = Logger(label: "services") { _ in LogfmtHandler(level: .error) }
}
