internal import Hummingbird
public import Logging
internal import NIOCore
internal import NIOPosix
public import Relay
public import ServiceLifecycle

/// The relay's own server: health and metrics.
public struct ManagementService: Service {
    private let host: String
    private let port: Int
    private let routes: ManagementRoutes

    /// - Parameters:
    ///   - apiToken: what callers of `/metrics` must show as bearer token; nil asks nobody.
    ///   - catalog: where statuses come from.
    public init(host: String, port: Int, apiToken: String?, health: RelayHealth, catalog: Catalog, logger: Logger) {
        self.host = host
        self.port = port
        routes = ManagementRoutes(apiToken: apiToken, health: health, statuses: { try await catalog.statuses() }, logger: logger)
    }

    public func run() async throws {
        let application = Application(
            router: routes.router(), configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
            logger: Logger(label: "management") { _ in SwiftLogNoOpLogHandler() })
        try await application.runService(gracefulShutdownSignals: [])
    }

    /// Whether something could listen there now.
    public static func canListen(host: String, port: Int) async -> Bool {
        do {
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: host, port: port).get()
            try await channel.close()
            return true
        } catch {
            return false
        }
    }
}
