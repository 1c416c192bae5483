import ArgumentParser
import PostgresClient
import Relay

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Shows the calls to Salesforce that would be made now, and makes none.",
        discussion: """
            They are what is then made, call by call, if nothing else changes and each succeeds. The cost is in requests of the \
            org's daily limit; after names the steps that a call waits for. Steps that are made already are under way, made (not \
            sent yet), to be sent again, or in doubt.
            """)

    @OptionGroup var which: ConnectionOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "How many calls to look ahead.") var limit = 100

    func run() async throws {
        try await Workplace.with { place in
            let connection = try await which.find(in: place.session)
            let parameters: [PostgresParameter] = [.text(connection.id), .int(max(1, limit))]
            switch output.output {
            case .json:
                try await Render.rows("SELECT * FROM public.hc_plan($1::uuid, $2::integer)", parameters, in: place.session, as: .json)
            case .table:
                let calls = try await place.session.postgres.query(
                    """
                    SELECT step, state, api, operation, objects, records, cost, array_to_string(after, ', ') AS after
                      FROM public.hc_plan($1::uuid, $2::integer)
                    """, parameters
                ).rows.map { row in row.values.map { $0 ?? "" } }
                if calls.isEmpty {
                    print("no call to make")
                } else {
                    Render.table(["step", "state", "api", "operation", "objects", "records", "cost", "after"], calls)
                    let cost = calls.compactMap { Int($0[6]) }.reduce(0, +)
                    print("\(calls.count) calls, \(cost) requests\(calls.count >= limit ? ", and perhaps more: --limit" : "")")
                }
                try await showHeld(connection, place)
            }
        }
    }

    /// What no call of the plan sends, because a failed INSERT holds it.
    private func showHeld(_ connection: ConnectionOptions.Found, _ place: Workplace) async throws {
        let log = try await place.session.postgres.quoteIdentifier(connection.schema) + "._trigger_log"
        let held = try await place.session.postgres.query(
            """
            SELECT count(*), sf_message FROM \(log) WHERE state = 'NEW' AND sf_message LIKE 'waits for log entry %'
             GROUP BY sf_message ORDER BY count(*) DESC, sf_message LIMIT 20
            """, [])
        for row in held.rows {
            print("\(row[0] ?? "") held: \(row[1] ?? "")")
        }
    }
}
