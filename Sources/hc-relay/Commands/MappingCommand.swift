import ArgumentParser
import PostgresClient
import Relay

struct MappingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mapping", abstract: "Adds, shows, changes, reloads and deletes mappings.",
        subcommands: [MappingAdd.self, MappingList.self, MappingEdit.self, MappingReload.self, MappingDelete.self])
}

struct MappingAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Maps one object; its table appears when its records are loaded.")

    @Argument(help: "API name of the object.") var object: String
    @OptionGroup var which: ConnectionOptions
    @Option(name: .customLong("field"), help: "API name of a field; once for each field. Id, SystemModstamp and IsDeleted come by themselves.")
    var fields: [String] = []
    @Option(help: "read_only or read_write.") var access = "read_only"
    @Option(help: "External id field that identifies records when they are created.") var upsertField: String?

    func validate() throws {
        if fields.isEmpty { throw ValidationError("name at least one field with --field") }
    }

    func run() async throws {
        try await Workplace.with { place in
            let connection = try await which.find(in: place.session)
            let config = try await place.session.postgres.query(
                """
                SELECT jsonb_strip_nulls(jsonb_build_object('access', $1::text, 'upsert_field', $2::text,
                    'fields', (SELECT jsonb_object_agg(f, '{}'::jsonb) FROM unnest($3::text[]) f)))
                """, [.text(access), .text(upsertField), .textArray(fields)]
            ).onlyRow()[0] ?? "{}"
            let ids = try await Registration(place: place, connection: connection).register([
                Registration.Wanted(object: object, config: config)
            ])
            print(ids.first ?? "")
            try await IdentifierWarnings.show(of: connection.id, objects: [object], in: place.session)
        }
    }
}

struct MappingList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Shows all mappings.")

    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await Workplace.with { place in
            try await Render.rows(
                """
                SELECT m.id, c.schema_name AS schema, m.object_name AS object, m.table_name AS table, m.access, m.state,
                       m.state_detail AS detail
                  FROM public.hc_mapping m JOIN public.hc_connection c ON c.id = m.connection ORDER BY c.created_at, m.object_name
                """, in: place.session, as: output.output)
        }
    }
}

struct MappingReload: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Loads an object again; rows keep their id, unsent changes stay.")

    @Argument(help: "API name of the object.") var object: String
    @OptionGroup var which: ConnectionOptions

    func run() async throws {
        try await Workplace.with { place in
            let mapping = try await MappingName.find(object, which, in: place.session)
            try await place.session.call("hc_mapping_reload", [.text(mapping)])
            print("\(object) is being reloaded")
        }
    }
}

/// Finds mappings by the name of their object.
enum MappingName {
    static func find(_ object: String, _ which: ConnectionOptions, in session: RelaySession) async throws -> String {
        let connection = try await which.find(in: session)
        let rows = try await session.postgres.query(
            "SELECT id FROM public.hc_mapping WHERE connection = $1 AND lower(object_name) = lower($2)",
            [.text(connection.id), .text(object)]
        ).rows
        guard let id = rows.first?[0] else {
            throw CommandFailure("\(object) is not mapped in \(connection.schema): hc-relay mapping list shows what is")
        }
        return id
    }
}
