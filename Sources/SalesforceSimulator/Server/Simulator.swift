import Foundation
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// A Salesforce org on loopback that real clients accept.
///
/// Run it as a service; ``port()`` answers once it listens. It stops on graceful shutdown or cancellation.
public final class Simulator: Service {
    /// How the simulator starts.
    public struct Configuration: Sendable {
        /// The port on 127.0.0.1; 0 takes any free one.
        public var port: Int
        /// The SQLite file of the org, kept between starts; nil keeps the org in memory.
        public var database: String?
        /// Fills an org without objects with the sample org.
        public var sample: Bool
        /// API versions the org accepts, such as `62.0`, oldest first.
        public var apiVersions: [String]

        public init(port: Int = 0, database: String? = nil, sample: Bool = false, apiVersions: [String] = Configuration.allVersions) {
            self.port = port
            self.database = database
            self.sample = sample
            self.apiVersions = apiVersions
        }

        /// 31.0 to 67.0: what Salesforce served when the reference was written (wire reference 0).
        public static let allVersions = (31...67).map { "\($0).0" }
    }

    private let configuration: Configuration
    private let logger: Logger
    private let ports: AsyncStream<Int>
    private let announce: AsyncStream<Int>.Continuation
    private let known = Mutex<Int?>(nil)

    public init(_ configuration: Configuration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        (ports, announce) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The port it listens on; waits until it does. Nil when it never will.
    public func port() async -> Int? {
        if let port = known.withLock({ $0 }) { return port }
        for await port in ports { return port }
        return known.withLock { $0 }
    }

    private func listening(on port: Int) {
        known.withLock { $0 = port }
        announce.yield(port)
    }

    /// Serves until it is told to stop.
    ///
    /// - Throws: When the database cannot be opened or the port is taken.
    public func run() async throws {
        defer { announce.finish() }
        let org = try Org(path: configuration.database, sample: configuration.sample, versions: configuration.apiVersions)
        let jobs = BulkJobRunner(org: org)
        let responder = Responder(exchange: Exchange(org: org), logger: logger)
        let home = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        let other = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
        let server = try server(responder, port: configuration.port, home.continuation)
        // Where the org goes when it moves to another instance.
        let second = try self.server(responder, port: 0, other.continuation)
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await jobs.run() }
                group.addTask { await StreamingKeeper(org: org).run() }
                group.addTask {
                    // A server that cannot listen says nothing of a port: nobody may wait for it.
                    defer { home.continuation.finish() }
                    try await server.run()
                }
                if let port = await Simulator.first(home.stream) {
                    group.addTask {
                        defer { other.continuation.finish() }
                        try await second.run()
                    }
                    if let otherPort = await Simulator.first(other.stream) {
                        try await org.perform { state, _ in state.instance.ports = [port, otherPort] }
                        listening(on: port)
                    }
                }
                // Either end ends the other: the runner stops only on shutdown.
                try await group.next()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            org.connects.close()
        }
    }

    private func server(_ responder: Responder, port: Int, _ running: AsyncStream<Int>.Continuation) throws -> any Service {
        try HTTPServerBuilder { respond in SimulatorChannel(responder: respond) }.buildServer(
            configuration: ServerConfiguration(address: .hostname("127.0.0.1", port: port)),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger,
            responder: { try await responder.respond($0, $1, $2) },
            onServerRunning: { channel in
                if let port = channel.localAddress?.port { running.yield(port) }
                running.finish()
            })
    }

    private static func first(_ ports: AsyncStream<Int>) async -> Int? {
        for await port in ports { return port }
        return nil
    }
}
