import ArgumentParser
import PostgresClient
import Relay

struct MappingEdit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Changes the mapping of an object: its fields, indexes and settings.",
        discussion: """
            Without options it brings the table up to what Salesforce says of the mapped fields now. Rows stay and keep their id; values \
            of added fields are loaded afterwards, while changes go on. Called again after an interruption it completes what is left.
            """)

    @Argument(help: "API name of the object.") var object: String
    @OptionGroup var which: ConnectionOptions
    @Option(name: .customLong("field"), parsing: .unconditionalSingleValue,
        help: "A field to add (Name or +Name) or to take out (-Name); once for each field.")
    var fields: [String] = []
    @Option(name: .customLong("index"), parsing: .unconditionalSingleValue,
        help: "An index to add (Name or +Name, Name:unique) or to drop (-Name); once for each index.")
    var indexes: [String] = []
    @Option(help: "read_only or read_write.") var access: String?
    @Option(help: "External id field that identifies records when they are created; none takes it away.") var upsertField: String?
    @Option(help: "Seconds between polls, 120 to 3600.") var polling: Int?
    @Option(help: "Whether streaming events start polls: true or false.") var notify: Bool?
    @Option(help: "Whether records are saved although a duplicate rule warns of them: true or false.") var allowDuplicates: Bool?
    @Flag(help: "Shows what would be done, and does nothing.") var dryRun = false
    @Flag(help: "Drops what depends on a column that goes, such as views; without it they are listed and nothing is done.") var cascade = false

    func run() async throws {
        try await Workplace.with { place in
            let mapping = try await MappingName.find(object, which, in: place.session)
            let row = try await place.session.postgres.query(Self.edited, parameters(mapping)).onlyRow()
            let connection = try await which.find(in: place.session)
            let change = MappingChange(place: place, connection: connection, isDryRun: dryRun, cascades: cascade)
            try await change.apply(Registration.Wanted(object: try row.value("object_name"), config: try row.value("config")), to: mapping)
            if !dryRun { try await IdentifierWarnings.show(of: connection.id, objects: [object], in: place.session) }
        }
    }

    private func parameters(_ mapping: String) -> [PostgresParameter] {
        let uniqueSuffix = ":unique"
        let added = indexes.filter { !$0.hasPrefix("-") }.map(Self.name)
        return [
            .text(mapping),
            .textArray(fields.filter { !$0.hasPrefix("-") }.map(Self.name)), .textArray(fields.filter { $0.hasPrefix("-") }.map(Self.name)),
            .textArray(added.filter { !$0.hasSuffix(uniqueSuffix) }),
            .textArray(added.filter { $0.hasSuffix(uniqueSuffix) }.map { String($0.dropLast(uniqueSuffix.count)) }),
            .textArray(indexes.filter { $0.hasPrefix("-") }.map(Self.name)),
            .text(access), .text(upsertField), .text(polling.map(String.init)), .text(notify.map { $0 ? "true" : "false" }),
            .text(allowDuplicates.map { $0 ? "true" : "false" }),
        ]
    }

    static func name(_ option: String) -> String {
        String(option.hasPrefix("+") || option.hasPrefix("-") ? option.dropFirst() : option[...])
    }

    /// The mapping's configuration with the changes of the command line. Names count whatever their case.
    private static let edited = """
        WITH m AS (SELECT object_name, config - 'revision' - 'applied_at' AS config FROM public.hc_mapping WHERE id = $1),
             wish AS (SELECT ARRAY(SELECT lower(f) FROM unnest($3::text[]) f) AS fields_gone,
                             ARRAY(SELECT lower(f) FROM unnest($6::text[] || $5::text[] || $4::text[] || $3::text[]) f) AS indexes_gone)
        SELECT m.object_name, jsonb_strip_nulls(m.config || jsonb_build_object(
                   'access', coalesce($7::text, m.config ->> 'access'),
                   'upsert_field', CASE WHEN $8::text = 'none' THEN NULL ELSE coalesce($8, m.config ->> 'upsert_field') END,
                   'sf_polling_seconds', coalesce($9::integer, (m.config ->> 'sf_polling_seconds')::integer),
                   'sf_notify_enabled', coalesce($10::boolean, (m.config ->> 'sf_notify_enabled')::boolean),
                   'hc_sync', CASE WHEN $11::text IS NULL THEN m.config -> 'hc_sync'
                                   ELSE coalesce(m.config -> 'hc_sync', '{}') || jsonb_build_object('allow_duplicates', $11::boolean) END,
                   'fields', coalesce((SELECT jsonb_object_agg(k, v) FROM jsonb_each(m.config -> 'fields') f(k, v) WHERE lower(k) <> ALL (fields_gone)), '{}')
                       || coalesce((SELECT jsonb_object_agg(f, '{}'::jsonb) FROM unnest($2::text[]) f WHERE public.hc_json_field_key(m.config -> 'fields', f) IS NULL), '{}'),
                   'indexes', coalesce((SELECT jsonb_object_agg(k, v) FROM jsonb_each(m.config -> 'indexes') i(k, v) WHERE lower(k) <> ALL (indexes_gone)), '{}')
                       || coalesce((SELECT jsonb_object_agg(i, '{"unique": false}'::jsonb) FROM unnest($4::text[]) i), '{}')
                       || coalesce((SELECT jsonb_object_agg(i, '{"unique": true}'::jsonb) FROM unnest($5::text[]) i), '{}'))) AS config
          FROM m, wish
        """
}
