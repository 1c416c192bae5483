internal import Foundation
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Where the programs of the installed server are, and how to run them as a user that the server accepts.
struct PostgresTools: Sendable {
    let programFolder: String
    let shareFolder: String

    static func find() async throws -> PostgresTools {
        let program = try await Command.run("pg_config", ["--bindir"])
        let share = try await Command.run("pg_config", ["--sharedir"])
        return PostgresTools(
            programFolder: program.trimmingCharacters(in: .newlines), shareFolder: share.trimmingCharacters(in: .newlines))
    }

    func path(_ program: String) -> String {
        programFolder + "/" + program
    }

    /// What to put before a command so that it runs as the server's user.
    var prefix: [String] {
        geteuid() == 0 ? ["runuser", "-u", "postgres", "--"] : []
    }

    @discardableResult
    func runAsServer(_ program: String, _ arguments: [String], input: String? = nil) async throws -> String {
        let command = prefix + [program] + arguments
        return try await Command.run(command[0], Array(command.dropFirst()), input: input)
    }
}
