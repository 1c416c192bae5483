import ArgumentParser
import PostgresClient
import Relay

struct ConnectionRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Ends the sync of a connection.",
        discussion: """
            The mapped tables and the trigger log stay, without capture. --drop-tables SCHEMA drops the mapped tables as well; \
            the schema is named again so that nothing is dropped by mistake.
            """)

    @Argument(help: "Schema or id of the connection.") var name: String

    @Option(help: "Drops the mapped tables of this schema, which must be the connection's.")
    var dropTables: String?

    @Flag(help: "Gives up changes that are on their way to Salesforce, and drops what depends on what goes.")
    var cascade = false

    func run() async throws {
        try await Workplace.with { place in
            let found = try await ConnectionOptions.find(name, in: place.session)
            if let dropTables, dropTables != found.schema {
                throw CommandFailure("--drop-tables names \"\(dropTables)\", the connection's schema is \"\(found.schema)\": nothing was done")
            }
            if dropTables != nil {
                for table in try await MappedTable.find("c.id = $1", .text(found.id), in: place.session) { print(try await table.rows(in: place.session)) }
            }
            _ = try await place.session.postgres.query(
                "CALL public.hc_connection_drop($1, $2, $3)", [.text(found.id), .bool(cascade), .bool(dropTables != nil)])
            print("connection \(found.schema) is removed; \(dropTables == nil ? "its tables stay" : "its tables are dropped")")
        }
    }
}
