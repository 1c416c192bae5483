import ArgumentParser
import PostgresClient
import Relay

struct ErrorsParked: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parked", abstract: "Shows the changes that only a person can decide: whether Salesforce got them is not known.")

    @OptionGroup var which: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await Workplace.with { place in
            let connection = try await which.find(in: place.session)
            try await Render.rows(
                """
                SELECT e.log_id AS id, m.table_name AS table, e.record_id AS row, e.action, e.sfid, b.first_sent_at AS at, b.reason,
                       (SELECT string_agg(c ->> 'Id', ', ') FROM jsonb_array_elements(b.answer -> 'candidates') c) AS candidates
                  FROM public.hc_batch b JOIN public.hc_batch_entry e ON e.batch = b.id JOIN public.hc_mapping m ON m.id = e.mapping
                 WHERE b.connection = $1 AND b.state = 'PARKED' AND e.outcome IS NULL AND NOT e.payload ? 'decided' ORDER BY e.log_id
                """, [.text(connection.id)], in: place.session, as: output.output)
        }
    }
}

struct ErrorsDecide: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decide", abstract: "Decides a parked change: send it, drop it, or name the record that it became.")

    @Argument(help: "Id of the log entry, as errors parked shows it.") var id: Int
    @Argument(help: "send: send it (again). drop: forget it. A record's Id: Salesforce has it, and that is the record.") var decision: String
    @OptionGroup var which: ConnectionOptions

    func run() async throws {
        try await Workplace.with { place in
            let connection = try await which.find(in: place.session)
            let rows = try await place.session.postgres.query(
                """
                SELECT b.id FROM public.hc_batch b JOIN public.hc_batch_entry e ON e.batch = b.id
                 WHERE b.connection = $1 AND b.state = 'PARKED' AND e.log_id = $2 AND e.outcome IS NULL
                """, [.text(connection.id), .int(id)]
            ).rows
            guard let batch = rows.first?[0] else { throw CommandFailure("entry \(id) is not parked: hc-relay errors parked shows what is") }
            try await place.session.call("hc_doubt_decide", [.text(batch), .int(id), .text(decision)])
            print("entry \(id): \(decision == "send" ? "is sent again" : decision == "drop" ? "is dropped" : "is record \(decision)")")
        }
    }
}
