import ArgumentParser
import PostgresClient
import Relay

struct DoubtCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doubt", abstract: "Shows the changes whose answer was lost, and decides those that only a person can decide.",
        subcommands: [DoubtList.self, DoubtDecide.self])
}

struct DoubtList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Shows the changes whose answer was lost, those that wait for your decision first.",
        discussion: "With --output json also what was sent, and the values of the records that it may have become.")

    @OptionGroup var which: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await Workplace.with { place in
            let connection = try await which.find(in: place.session)
            let all = "SELECT * FROM public.hc_doubts($1)"
            // For the eye: without what was sent, and of candidates the ids.
            let short = """
                SELECT batch, log_id AS entry, state, action, table_name AS table, record_id AS row, sfid, date_trunc('second', age) AS age,
                       next AS "what comes next", (SELECT string_agg(c ->> 'Id', ', ') FROM jsonb_array_elements(candidates) c) AS candidates
                  FROM public.hc_doubts($1)
                """
            try await Render.rows(output.output == .json ? all : short, [.text(connection.id)], in: place.session, as: output.output)
        }
    }
}

struct DoubtDecide: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decide", abstract: "Decides a parked change: send it, drop it, or name the record that it became.")

    @Argument(help: "The batch, as doubt list shows it.") var batch: Int
    @Argument(help: "The log entry, as doubt list shows it.") var entry: Int
    @Argument(help: "send: send it (again). drop: forget it. A record's Id: Salesforce has it, and that is the record.") var decision: String
    @OptionGroup var which: ConnectionOptions

    func run() async throws {
        try await Workplace.with { place in
            let connection = try await which.find(in: place.session)
            let known = try await place.session.postgres.query(
                "SELECT state FROM public.hc_doubts($1) WHERE batch = $2 AND log_id = $3", [.text(connection.id), .int(batch), .int(entry)]).rows
            guard let state = known.first?["state"] else {
                throw CommandFailure("batch \(batch) has no entry \(entry) in doubt: hc-relay doubt list shows what is")
            }
            guard state == "PARKED" else {
                throw CommandFailure("entry \(entry) needs no decision yet: the relay finds out what became of it, see hc-relay doubt list")
            }
            try await place.session.call("hc_doubt_decide", [.int(batch), .int(entry), .text(decision)])
            print("entry \(entry): \(decision == "send" ? "is sent again" : decision == "drop" ? "is dropped" : "is record \(decision)")")
        }
    }
}
