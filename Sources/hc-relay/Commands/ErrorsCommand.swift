import ArgumentParser
import PostgresClient
import Relay

struct ErrorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "errors", abstract: "Shows, retries and gives up changes that Salesforce refused.",
        subcommands: [ErrorsList.self, ErrorsRetry.self, ErrorsIgnore.self])
}

struct ErrorsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Shows the failed changes, newest first.")

    @OptionGroup var which: ConnectionOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "How many to show.") var limit = 100

    func run() async throws {
        try await Workplace.with { place in
            let connection = try await which.find(in: place.session)
            let log = try await place.session.postgres.quoteIdentifier(connection.schema) + "._trigger_log"
            try await Render.rows(
                """
                SELECT id, table_name AS table, record_id AS row, action, sfid, processed_at AS at, sf_message AS message
                  FROM \(log) WHERE state = 'FAILED' ORDER BY id DESC LIMIT \(max(0, limit))
                """, in: place.session, as: output.output)
        }
    }
}

/// Which failed changes a command is about.
struct FailedChanges: ParsableArguments {
    @Argument(help: "Ids of log entries, as errors list shows them.") var ids: [Int] = []
    @Flag(help: "All failed changes.") var all = false
    @OptionGroup var which: ConnectionOptions

    func validate() throws {
        if ids.isEmpty != all { throw ValidationError("name ids, or say --all") }
    }

    /// Gives them another state and wakes the relay.
    /// - Returns: how many there were.
    func set(_ state: String, _ place: Workplace) async throws -> Int {
        let connection = try await which.find(in: place.session)
        let log = try await place.session.postgres.quoteIdentifier(connection.schema) + "._trigger_log"
        let changed = try await place.session.postgres.query(
            "UPDATE \(log) SET state = $1, updated_at = clock_timestamp() WHERE state = 'FAILED' AND ($2::boolean OR id = ANY ($3::int[]))",
            [.text(state), .bool(all), .intArray(ids)]
        ).affectedRows
        guard changed > 0 else { throw CommandFailure("no failed change is meant: hc-relay errors list shows them") }
        // Entries this old are found by a look at the whole log, which is made due.
        _ = try await place.session.postgres.query(
            "UPDATE public.hc_connection SET full_look_at = NULL WHERE id = $1", [.text(connection.id)])
        try await place.session.call("hc_wake", [.text(connection.id)])
        return changed
    }
}

struct ErrorsRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "retry", abstract: "Sends failed changes again.")
    @OptionGroup var changes: FailedChanges

    func run() async throws {
        try await Workplace.with { place in print("\(try await changes.set("NEW", place)) changes are sent again") }
    }
}

struct ErrorsIgnore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ignore", abstract: "Gives failed changes up.")
    @OptionGroup var changes: FailedChanges

    func run() async throws {
        try await Workplace.with { place in print("\(try await changes.set("IGNORE", place)) changes are given up") }
    }
}
