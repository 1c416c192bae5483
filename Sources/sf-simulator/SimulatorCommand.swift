import ArgumentParser
import Foundation
import Logging
import NIOCore
import SalesforceSimulator
import ServiceLifecycle
import UnixSignals

@main
struct SimulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sf-simulator", abstract: "A Salesforce org on loopback: records in SQLite, the APIs of the real one.")

    @Option(help: "Address on loopback, such as 127.0.0.1:8090, or its port alone; port 0 takes any free one.")
    var listen = "127.0.0.1:0"

    @Option(help: "SQLite file of the org, kept between starts. Without it the org lives in memory.")
    var database: String?

    @Flag(help: "Fill an org without objects with the sample org.")
    var sample = false

    @Option(help: "API versions the org accepts: a range such as 40.0-62.0, or a list with commas.")
    var apiVersions: String?

    @Option(help: "File to write the port to once it listens.")
    var portFile: String?

    @Flag(help: "Stop when the parent process ends.")
    var exitWithParent = false

    @Option(help: "Log level on stderr.")
    var logLevel = "warning"

    func validate() throws {
        _ = try port()
        guard Logger.Level(rawValue: logLevel) != nil else { throw ValidationError("--log-level is one of trace, debug, info, notice, warning, error, critical") }
        _ = try versions()
    }

    private func port() throws -> Int {
        let text = listen.hasPrefix("127.0.0.1:") ? String(listen.dropFirst(10)) : listen
        guard let port = Int(text), (0...65_535).contains(port) else {
            throw ValidationError("--listen cannot be \"\(listen)\": give 127.0.0.1 and a port between 0 and 65535, such as 127.0.0.1:8090")
        }
        return port
    }

    private func versions() throws -> [String] {
        guard let text = apiVersions else { return Simulator.Configuration.allVersions }
        let parts = text.split(separator: "-")
        if parts.count == 2, let first = Double(parts[0]), let last = Double(parts[1]), first <= last {
            return (Int(first)...Int(last)).map { "\($0).0" }
        }
        let list = text.split(separator: ",").map(String.init)
        guard !list.isEmpty, list.allSatisfy({ Double($0) != nil && $0.contains(".") }) else {
            throw ValidationError("--api-versions takes 40.0-62.0 or 40.0,58.0,62.0")
        }
        return list
    }

    func run() async throws {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "sf-simulator")
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .warning
        let simulator = Simulator(
            .init(port: try port(), database: database, sample: sample, apiVersions: try versions()), logger: logger)
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .init(service: simulator, failureTerminationBehavior: .gracefullyShutdownGroup),
            .init(service: Announcement(simulator: simulator, portFile: portFile)),
        ]
        if exitWithParent {
            services.append(.init(service: ParentWatch(), successTerminationBehavior: .gracefullyShutdownGroup))
        }
        var configuration = ServiceGroupConfiguration(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(1)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw PortTaken(port: try port())
        }
    }
}

struct PortTaken: Error, CustomStringConvertible {
    let port: Int

    var description: String { "port \(port) is taken: stop what listens there, or give --listen another one" }
}

/// Says where the simulator listens, then waits for the end.
struct Announcement: Service {
    let simulator: Simulator
    let portFile: String?

    func run() async throws {
        if let port = await simulator.port() {
            if let portFile { try "\(port)\n".write(toFile: portFile, atomically: true, encoding: .utf8) }
            print("sf-simulator listening on http://127.0.0.1:\(port)")
            fflush(nil)
        }
        try? await gracefulShutdown()
    }
}

/// Ends when the process that started this one has ended.
struct ParentWatch: Service {
    func run() async throws {
        let parent = getppid()
        while getppid() == parent, !Task.isShuttingDownGracefully { try await Task.sleep(for: .milliseconds(200)) }
    }
}
