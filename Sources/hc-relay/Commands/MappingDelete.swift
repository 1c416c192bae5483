import ArgumentParser
import PostgresClient
import Relay

struct MappingDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Ends the sync of an object.",
        discussion: """
            Its table stays with its rows, without capture. --drop-table TABLE drops it as well; the table is named so that nothing is \
            dropped by mistake.
            """)

    @Argument(help: "API name of the object.") var object: String
    @OptionGroup var which: ConnectionOptions
    @Option(help: "Drops this table, which must be the mapping's.") var dropTable: String?
    @Flag(help: "Gives up changes that are on their way to Salesforce, and drops what depends on what goes.") var cascade = false

    func run() async throws {
        try await Workplace.with { place in
            let mapping = try await MappingName.find(object, which, in: place.session)
            let table = try await MappedTable.find("m.id = $1", .text(mapping), in: place.session).first
            if let dropTable {
                guard dropTable == table?.name else {
                    throw CommandFailure("--drop-table names \"\(dropTable)\", the mapping's table is \"\(table?.name ?? "")\": nothing was done")
                }
                if let table { print(try await table.rows(in: place.session)) }
                try await place.session.call("hc_mapping_drop_table", [.text(mapping), .bool(cascade)])
            } else {
                try await place.session.call("hc_mapping_drop", [.text(mapping), .bool(cascade)])
            }
            print("\(object) is not mapped any more; its table \(dropTable == nil ? "stays" : "is dropped")")
        }
    }
}

/// A table that is about to be left or dropped.
struct MappedTable: Sendable {
    let name: String
    /// With its schema, quoted by the server; nil when the first load has not made it yet.
    let quoted: String?

    static func find(_ condition: String, _ parameter: PostgresParameter, in session: RelaySession) async throws -> [MappedTable] {
        try await session.postgres.query(
            """
            SELECT m.table_name, to_regclass(format('%I.%I', c.schema_name, m.table_name)) AS quoted
              FROM public.hc_mapping m JOIN public.hc_connection c ON c.id = m.connection WHERE \(condition) ORDER BY m.table_name
            """, [parameter]
        ).rows.map { MappedTable(name: try $0.value("table_name"), quoted: $0["quoted"]) }
    }

    /// How many rows go with it, for a person.
    func rows(in session: RelaySession) async throws -> String {
        guard let quoted else { return "\(name): no table yet" }
        return "\(quoted): \(try await session.postgres.query("SELECT count(*) FROM \(quoted)", []).onlyRow()[0] ?? "0") rows"
    }
}
