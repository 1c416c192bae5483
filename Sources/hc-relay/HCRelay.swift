import ArgumentParser
import Foundation

/// The command tree.
struct HCRelay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hc-relay",
        abstract: "Keeps Salesforce objects and PostgreSQL tables in step.",
        discussion: """
            Every setting is a variable of the environment, a flag of every command, or a line of the file that --settings \
            names. hc-relay settings lists them.
            """,
        version: Version.text,
        subcommands: [
            Run.self, Status.self, Doctor.self, Install.self, Uninstall.self, ConnectionCommand.self, MappingCommand.self,
            Import.self, Adopt.self, PlanCommand.self, ErrorsCommand.self, DoubtCommand.self, Undo.self, SettingsCommand.self,
        ])
}

enum Version {
    static let text = "1.0"
}

@main
enum Program {
    static func main() async {
        // A reader of our output that goes away must not end the relay.
        signal(SIGPIPE, SIG_IGN)
        do {
            let line = try CommandLineSettings(Array(CommandLine.arguments.dropFirst()))
            try await Invocation.$commandLine.withValue(line) {
                try await run(line.arguments)
            }
        } catch {
            FileHandle.standardError.write(Data("hc-relay: \(CommandFailure.line(error))\n".utf8))
            exit(1)
        }
    }

    private static func run(_ arguments: [String]) async throws {
        var command: any ParsableCommand
        do {
            command = try HCRelay.parseAsRoot(arguments)
        } catch {
            HCRelay.exit(withError: error)
        }
        do {
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error where !CommandFailure.isOurs(error) {
            // Help, version and exit codes are the parser's to show.
            HCRelay.exit(withError: error)
        }
    }
}

/// What the process was called with, for the command that runs.
enum Invocation {
    @TaskLocal static var commandLine: CommandLineSettings?

    /// The values of all settings, read anew.
    static func settings() throws -> SettingValues {
        let line = try commandLine ?? CommandLineSettings([])
        return try SettingValues(commandLine: line, environment: ProcessInfo.processInfo.environment)
    }
}
