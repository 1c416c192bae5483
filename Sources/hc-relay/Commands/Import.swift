import ArgumentParser
import Foundation
import PostgresClient
import Relay

struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Maps the objects of a mapping file, as Heroku Connect exports it, and changes mappings to what it says.",
        discussion: """
            New objects are mapped all or none. Mappings that are there are changed to their configuration in the file, one after the \
            other; objects that the file does not name are left alone.
            """)

    @Argument(help: "The mapping file.", completion: .file(extensions: ["json"])) var file: String
    @OptionGroup var which: ConnectionOptions
    @Flag(help: "Shows what would be done, and does nothing.") var dryRun = false
    @Flag(help: "Drops what depends on a column that goes, such as views; without it they are listed and nothing is done.") var cascade = false

    func run() async throws {
        let text = try MappingFile.read(file)
        try await Workplace.with { place in
            let wanted = try await mappings(text, place.session)
            let connection = try await which.find(in: place.session)
            let known = try await mapped(wanted, connection, place.session)
            let news = wanted.filter { known[$0.object] == nil }
            if !dryRun, !news.isEmpty { _ = try await Registration(place: place, connection: connection).register(news) }
            for mapping in news { print("\(mapping.object): \(dryRun ? "map" : "mapped, its records are loaded next")") }
            let change = MappingChange(place: place, connection: connection, isDryRun: dryRun, cascades: cascade)
            for mapping in wanted {
                if let id = known[mapping.object] { try await change.apply(mapping, to: id) }
            }
            if !dryRun { try await keepSettings(text, connection, place.session) }
            if !dryRun { try await IdentifierWarnings.show(of: connection.id, objects: wanted.map(\.object), in: place.session) }
        }
    }

    /// What the file says of the connection; without that key it says nothing.
    private func keepSettings(_ text: String, _ connection: ConnectionOptions.Found, _ session: RelaySession) async throws(PostgresError) {
        _ = try await session.postgres.query(
            """
            UPDATE public.hc_connection c
               SET settings = c.settings || jsonb_strip_nulls(jsonb_build_object('write_algorithm', f.s ->> 'write_algorithm',
                       'features', CASE WHEN f.s ? 'features' THEN coalesce(c.settings -> 'features', '{}') || (f.s -> 'features') END))
              FROM (SELECT public.hc_mapping_file_settings($2::jsonb) AS s) f WHERE c.id = $1 AND f.s <> '{}'
            """, [.text(connection.id), .json(text)])
    }

    private func mappings(_ text: String, _ session: RelaySession) async throws -> [Registration.Wanted] {
        try await MappingFile.explaining(file, text) {
            try await session.postgres.query("SELECT object_name, config FROM public.hc_mapping_file($1::jsonb)", [.json(text)])
                .rows.map { Registration.Wanted(object: try $0.value("object_name"), config: try $0.value("config")) }
        }
    }

    /// Ids of the mappings that are there, by the name of their object in the file.
    private func mapped(
        _ wanted: [Registration.Wanted], _ connection: ConnectionOptions.Found, _ session: RelaySession
    ) async throws -> [String: String] {
        let rows = try await session.postgres.query(
            """
            SELECT n.name, m.id FROM public.hc_mapping m JOIN unnest($2::text[]) n(name) ON lower(n.name) = lower(m.object_name)
             WHERE m.connection = $1
            """, [.text(connection.id), .textArray(wanted.map(\.object))]
        ).rows
        var ids: [String: String] = [:]
        for row in rows { ids[try row.value("name")] = try row.value("id") }
        return ids
    }
}

/// Where a text stops being JSON, from what PostgreSQL says of it: `JSON data, line 3: "access"..."read_only"`.
struct MalformedJSON {
    /// `, line 3, column 14`; empty when it is not known.
    let place: String

    init(_ text: String, _ error: PostgresError) { self.init(text, context: error.context ?? "") }

    init(_ text: String, context: String) {
        guard let start = context.range(of: "JSON data, line "),
            let colon = context[start.upperBound...].firstIndex(of: ":"),
            let line = Int(context[start.upperBound..<colon])
        else {
            place = ""
            return
        }
        // The quoted piece of the line ends with the word that was not expected.
        let quoted = context[context.index(after: colon)...].prefix { !$0.isNewline }.drop { $0 == " " }
        let piece = quoted.hasPrefix("...") ? quoted.dropFirst(3) : quoted
        let whole = piece.hasSuffix("...") ? piece.dropLast(3) : piece
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard line >= 1, line <= lines.count, let found = lines[line - 1].range(of: whole) else {
            place = ", line \(line)"
            return
        }
        place = ", line \(line), column \(lines[line - 1].distance(from: lines[line - 1].startIndex, to: found.upperBound))"
    }
}
