internal import Foundation
internal import Synchronization

/// A PostgreSQL cluster in a temporary folder, for tests. It listens on a socket in that folder and on a free port of
/// 127.0.0.1, writes nothing durably, and is stopped and removed when this process ends, in whatever way.
///
/// Started by root, it runs as the user `postgres`, since the server refuses root.
public final class ThrowawayCluster: Sendable {
    public enum StopMode: String, Sendable {
        /// Ends the sessions and shuts down cleanly.
        case fast
        /// Ends at once; the next start recovers from the log.
        case immediate
    }

    /// Data directory, socket, log file.
    public let folder: String
    public let port: Int
    private let tools: PostgresTools

    /// The cluster that all suites of this process share. Each test makes a database of its own in it.
    public static func shared() async throws -> ThrowawayCluster {
        try await sharedTask.value
    }

    private static let sharedTask = Task { try await ThrowawayCluster() }

    /// Makes and starts a cluster.
    ///
    /// - Parameter settings: lines for `postgresql.conf`.
    public init(settings: [String: String] = [:]) async throws {
        tools = try await PostgresTools.find()
        folder = try await tools.runAsServer("mktemp", ["-d", "/tmp/hc-cluster.XXXXXX"]).trimmingCharacters(in: .newlines)
        port = try FreePort.find()
        try Watchdog.guardFolder(folder, tools: tools)
        try await tools.runAsServer(
            tools.path("initdb"),
            ["-D", dataFolder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"])
        let lines = baseSettings.merging(settings) { _, given in given }.map { "\($0) = '\($1)'" }.sorted()
        try await tools.runAsServer(
            "tee", ["-a", dataFolder + "/postgresql.conf"], input: lines.joined(separator: "\n") + "\n")
        try await start()
    }

    private var dataFolder: String { folder + "/data" }
    public var logFile: String { folder + "/log" }

    private var baseSettings: [String: String] {
        [
            "listen_addresses": "127.0.0.1",
            "port": "\(port)",
            "unix_socket_directories": folder,
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": "200",
            "shared_buffers": "32MB",
            "log_min_messages": "warning",
        ]
    }

    // MARK: - Running

    /// Starts the server and waits until it takes connections. Right after ``kill()`` the remains of the old one may refuse
    /// the new one for a moment, so a failed start is repeated for ten seconds.
    public func start() async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            do {
                try await tools.runAsServer(tools.path("pg_ctl"), ["-D", dataFolder, "-l", logFile, "-w", "-s", "start"])
                return
            } catch where ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    public func stop(_ mode: StopMode = .fast) async throws {
        try await tools.runAsServer(tools.path("pg_ctl"), ["-D", dataFolder, "-m", mode.rawValue, "-w", "-s", "stop"])
    }

    public func restart(_ mode: StopMode = .fast) async throws {
        try await stop(mode)
        try await start()
    }

    /// Kills the server's main process with SIGKILL, as a crash would.
    public func kill() async throws {
        let lines = try String(contentsOfFile: dataFolder + "/postmaster.pid", encoding: .utf8).split(separator: "\n")
        try await tools.runAsServer("kill", ["-9", String(lines.first ?? "")])
    }

    // MARK: - Using

    /// The connection string of a database, over the socket or over TCP.
    public func conninfo(database: String = "postgres", user: String = "postgres", overTCP: Bool = false) -> String {
        "host=\(overTCP ? "127.0.0.1" : folder) port=\(port) user=\(user) dbname=\(database)"
    }

    /// The same as a URI, as `DATABASE_URL` holds it.
    public func url(database: String = "postgres", user: String = "postgres") -> String {
        "postgresql://\(user)@127.0.0.1:\(port)/\(database)"
    }

    private static let lastDatabase = Atomic<Int>(0)

    /// Makes an empty database with a name of its own.
    ///
    /// - Returns: the name.
    public func makeDatabase(settings: [String: String] = [:]) async throws -> String {
        let name = "test_\(Self.lastDatabase.add(1, ordering: .relaxed).newValue)"
        try await psql("CREATE DATABASE \(name) TEMPLATE template0")
        for (setting, value) in settings.sorted(by: { $0.key < $1.key }) {
            try await psql("ALTER DATABASE \(name) SET \(setting) = '\(value)'")
        }
        return name
    }

    /// Runs SQL with psql as an application would, and stops at the first error.
    ///
    /// - Returns: the rows, unaligned, columns separated by `|`.
    @discardableResult
    public func psql(_ sql: String, database: String = "postgres") async throws -> String {
        try await Command.run(
            tools.path("psql"),
            ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", conninfo(database: database), "-f", "-"], input: sql
        ).trimmingCharacters(in: .newlines)
    }

    /// True when the control file of an extension is where this server looks for it.
    public func hasExtension(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: tools.shareFolder + "/extension/\(name).control")
    }

    /// Stops the server and removes the folder now, instead of at the end of the process.
    public func remove() async throws {
        try? await stop(.immediate)
        try await tools.runAsServer("rm", ["-rf", folder])
    }
}
