import ArgumentParser
import Foundation
import PostgresClient
import Relay

struct Adopt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Takes over a schema that Heroku Connect made, as it stands.",
        discussion: """
            Shows the plan first and asks. No table is rewritten and no row is reloaded: rows keep their id, what was sent is not sent \
            again, what was not is sent by the relay, and entries that Heroku Connect left PENDING wait for hc-relay doubt decide. \
            Triggers are exchanged table by table, missing indexes are built without locking. --undo puts everything back, until the \
            relay has sent or merged something.
            """)

    @Argument(help: "The schema.") var schema = "salesforce"
    @Option(help: "The mapping file that Heroku Connect exported; without it the mapping is read from the tables.", completion: .file(extensions: ["json"]))
    var configuration: String?
    @Flag(help: "Shows the plan and changes nothing.") var dryRun = false
    @Flag(help: "Puts the schema back as it was.") var undo = false
    @Flag(name: .shortAndLong, help: "Does not ask.") var yes = false
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if undo, dryRun || configuration != nil { throw ValidationError("--undo goes with neither --dry-run nor --configuration") }
    }

    func run() async throws {
        let file = try configuration.map { try MappingFile.read($0) }
        try await Workplace.with { place in
            if undo { return try await putBack(place.session) }
            let parameters: [PostgresParameter] = [.text(schema), file.map { .json($0) } ?? .null]
            try await MappingFile.explaining(configuration ?? "", file ?? "") {
                try await Render.rows(
                    "SELECT step, detail FROM public.hc_adopt($1::name, $2::jsonb, true)", parameters, in: place.session, as: output.output)
            }
            if dryRun { return }
            try confirm("Take the schema \(schema) over?")
            _ = try await place.session.postgres.query("SELECT count(*) FROM public.hc_adopt($1::name, $2::jsonb)", parameters)
            let connection = try await ConnectionOptions.find(schema, in: place.session).id
            try await place.session.postgres.query("CALL public.hc_adopt_triggers($1::uuid)", [.text(connection)])
            note("schema \(schema) is taken over, and its triggers are exchanged")
            try await buildIndexes(connection, place.session)
        }
    }

    private func putBack(_ session: RelaySession) async throws {
        try confirm("Put the schema \(schema) back as Heroku Connect left it?")
        try await session.postgres.query("CALL public.hc_adopt_undo($1::name)", [.text(schema)])
        note("schema \(schema) is as it was")
    }

    /// Each on its own, without locking its table; one that fails does not keep the others from being built.
    private func buildIndexes(_ connection: String, _ session: RelaySession) async throws {
        let missing = try await session.postgres.query(
            "SELECT index_name, statement FROM public.hc_missing_indexes($1::uuid)", [.text(connection)]
        ).rows
        var failures: [String] = []
        for row in missing {
            let name: String = try row.value("index_name")
            do throws(PostgresError) {
                try await session.postgres.query(try row.value("statement"))
                note("index \(name) is built")
            } catch {
                failures.append("\(name): \(CommandFailure.line(error))")
            }
        }
        guard failures.isEmpty else {
            throw CommandFailure(
                "the schema is taken over; indexes that could not be built: \(failures.joined(separator: "; ")); hc_missing_indexes lists them")
        }
    }

    private func confirm(_ question: String) throws {
        guard !yes else { return }
        guard isatty(FileHandle.standardInput.fileDescriptor) == 1 else {
            throw CommandFailure("nobody is there to be asked: say --yes to go on without asking; nothing was done")
        }
        FileHandle.standardError.write(Data("\(question) [y/N] ".utf8))
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else { throw CommandFailure("nothing was done") }
    }

    /// Beside a JSON answer, standard output is not for words.
    private func note(_ text: String) {
        if output.output == .json { FileHandle.standardError.write(Data("\(text)\n".utf8)) } else { print(text) }
    }
}
