import ArgumentParser
import Foundation
import PostgresClient
import Relay

struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Maps the objects of a mapping file, as Heroku Connect exports it.",
        discussion: "All of them or none. Objects that are mapped already with the same configuration are left alone.")

    @Argument(help: "The mapping file.", completion: .file(extensions: ["json"])) var file: String
    @OptionGroup var which: ConnectionOptions

    func run() async throws {
        let text = try MappingFile.read(file)
        try await Workplace.with { place in
            let wanted = try await mappings(text, place.session)
            let connection = try await which.find(in: place.session)
            let news = try await unmapped(wanted, connection, place.session)
            _ = try await Registration(place: place, connection: connection).register(news)
            for mapping in wanted {
                print("\(mapping.object): \(news.contains { $0.object == mapping.object } ? "mapped, its records are loaded next" : "mapped already")")
            }
        }
    }

    private func mappings(_ text: String, _ session: RelaySession) async throws -> [Registration.Wanted] {
        try await MappingFile.explaining(file, text) {
            try await session.postgres.query("SELECT object_name, config FROM public.hc_mapping_file($1::jsonb)", [.json(text)])
                .rows.map { Registration.Wanted(object: try $0.value("object_name"), config: try $0.value("config")) }
        }
    }

    private func unmapped(
        _ wanted: [Registration.Wanted], _ connection: ConnectionOptions.Found, _ session: RelaySession
    ) async throws -> [Registration.Wanted] {
        var news: [Registration.Wanted] = []
        for mapping in wanted {
            let isMapped = try await session.postgres.query(
                "SELECT EXISTS (SELECT FROM public.hc_mapping WHERE connection = $1 AND lower(object_name) = lower($2))",
                [.text(connection.id), .text(mapping.object)]
            ).onlyRow()[0] == "t"
            if !isMapped { news.append(mapping) }
        }
        return news
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
