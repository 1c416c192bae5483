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

    func run() async throws {
        try await Workplace.with { place in
            let found = try await ConnectionOptions.find(name, in: place.session)
            if let dropTables, dropTables != found.schema {
                throw CommandFailure("--drop-tables names \"\(dropTables)\", the connection's schema is \"\(found.schema)\": nothing was done")
            }
            try await place.session.postgres.transaction { transaction in
                let mappings = try await transaction.query(
                    "SELECT id FROM public.hc_mapping WHERE connection = $1 ORDER BY created_at", [.text(found.id)]
                ).rows.compactMap { $0[0] }
                for mapping in mappings { try await Detach.mapping(mapping, dropsTable: dropTables != nil, transaction) }
                _ = try await transaction.query("DELETE FROM public.hc_connection WHERE id = $1", [.text(found.id)])
            }
            print("connection \(found.schema) is removed; \(dropTables == nil ? "its tables stay" : "its tables are dropped")")
        }
    }
}

/// Ends the capture of a mapped table and forgets its mapping.
enum Detach {
    static func mapping(_ id: String, dropsTable: Bool, _ transaction: PostgresTransaction) async throws {
        if dropsTable {
            _ = try await transaction.query("SELECT public.hc_mapping_drop($1)", [.text(id)])
            return
        }
        let statements = try await transaction.query(
            """
            SELECT format('DROP TRIGGER IF EXISTS %I ON %I.%I', t.name, c.schema_name, m.table_name)
              FROM public.hc_mapping m JOIN public.hc_connection c ON c.id = m.connection,
                   unnest(ARRAY[m.names ->> 'log_trigger', m.names ->> 'status_trigger']) AS t(name)
             WHERE m.id = $1 AND to_regclass(format('%I.%I', c.schema_name, m.table_name)) IS NOT NULL
            """, [.text(id)]
        ).rows.compactMap { $0[0] }
        for statement in statements { _ = try await transaction.query(statement, []) }
        _ = try await transaction.query("DELETE FROM public.hc_mapping WHERE id = $1", [.text(id)])
    }
}
